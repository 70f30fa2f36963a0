-- Container images, known by what they hold: hosts that run one share its row and its findings.
CREATE TABLE images (
  org_id bigint NOT NULL,
  image_id bigint NOT NULL,
  identity text NOT NULL,  -- the digest of its configuration, or else the reference that names it
  digest text NOT NULL,  -- of its configuration; empty if no scan told it
  kind text NOT NULL,
  os text NOT NULL,
  arch text NOT NULL,
  repo_digests text NOT NULL,
  first_seen bigint NOT NULL,
  scanned_at bigint,  -- when its findings were found; none before its first whole scan
  content_hash bytea NOT NULL,  -- of what that scan found
  PRIMARY KEY (org_id, image_id)
);
CREATE UNIQUE INDEX images_by_identity ON images (org_id, identity);
-- Operators page over all organisations, and look images up by id alone.
CREATE INDEX images_by_id ON images (image_id);

CREATE TABLE host_images (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  image_id bigint NOT NULL,
  reference text NOT NULL,
  first_seen bigint NOT NULL,
  last_seen bigint NOT NULL,
  retired_at bigint,  -- since when the host's scans do not name it any more
  PRIMARY KEY (org_id, host_id, image_id, reference)
);
CREATE INDEX host_images_by_image ON host_images (org_id, image_id);

CREATE TABLE image_findings (
  org_id bigint NOT NULL,
  finding_id bigint NOT NULL,
  image_id bigint NOT NULL,
  type text NOT NULL,
  package text NOT NULL,
  advisory_id text NOT NULL,
  cve text,
  version text NOT NULL,
  fixed_version text NOT NULL,
  severity bigint NOT NULL,
  fix_status text NOT NULL,
  status text NOT NULL,
  opened_at bigint NOT NULL,
  resolved_at bigint,
  resolution text NOT NULL,
  details text NOT NULL,
  PRIMARY KEY (org_id, finding_id)
);
CREATE UNIQUE INDEX image_findings_by_image
  ON image_findings (org_id, image_id, type, package, advisory_id);
CREATE INDEX image_findings_by_cve ON image_findings (org_id, cve);
