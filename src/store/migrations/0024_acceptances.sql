-- What operators accept, for a while or for good (model/acceptance.h): a flaw of a package, in
-- whatever version, on one host, on all hosts, in one image or in all images of an organisation.
CREATE TABLE acceptances (
  org_id bigint NOT NULL,
  acceptance_id bigint NOT NULL,
  scope text NOT NULL,
  subject text NOT NULL,  -- the host's id or the image's identity; empty for all of them
  package text NOT NULL,
  flaw text NOT NULL,  -- the CVE, or else the advisory's id
  severity bigint NOT NULL,  -- when it was accepted, as known_exploited
  known_exploited bigint NOT NULL,
  reason text NOT NULL,
  accepted_by text NOT NULL,
  accepted_at bigint NOT NULL,
  ends_at bigint,
  ended_at bigint,
  settled bigint NOT NULL,  -- 1 once every finding that it is about follows it
  PRIMARY KEY (org_id, acceptance_id)
);
CREATE UNIQUE INDEX acceptances_by_flaw ON acceptances (org_id, flaw, package, scope, subject);
CREATE INDEX acceptances_by_end ON acceptances (ends_at) WHERE ends_at IS NOT NULL;
CREATE INDEX acceptances_unsettled ON acceptances (acceptance_id) WHERE settled = 0;

ALTER TABLE image_findings ADD COLUMN acceptance_id bigint;
CREATE INDEX image_findings_by_acceptance ON image_findings (org_id, acceptance_id)
  WHERE acceptance_id IS NOT NULL;
ALTER TABLE findings ADD COLUMN acceptance_id bigint;
CREATE INDEX findings_by_acceptance ON findings (org_id, acceptance_id)
  WHERE acceptance_id IS NOT NULL;

-- Known exploited is written on a finding, so that a page in the order of what presses most is read
-- from an index: once for all organisations' findings of a status, and once for those of a CVE.
ALTER TABLE findings ADD COLUMN known_exploited bigint NOT NULL DEFAULT 0;
UPDATE findings SET known_exploited = 1 WHERE cve IN (SELECT cve FROM kev_entries);
CREATE INDEX findings_by_rank ON findings (org_id, status, known_exploited, severity, finding_id);
DROP INDEX findings_by_cve;
CREATE INDEX findings_by_cve
  ON findings (org_id, cve, status, known_exploited, severity, finding_id);
