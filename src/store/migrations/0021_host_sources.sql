-- Whose report a host's software is of (null: a site's), and what sites report of hosts whose agent
-- speaks for them.
ALTER TABLE hosts ADD COLUMN software_agent bytea;

CREATE TABLE host_sources (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  key_id bigint NOT NULL,
  hostname text NOT NULL,  -- as it was sent
  package_set bytea NOT NULL,
  package_count bigint NOT NULL,
  matched bigint NOT NULL,
  vulnerabilities bigint NOT NULL,
  reported_at bigint NOT NULL,
  PRIMARY KEY (org_id, host_id, key_id)
);
