-- What reports said was gone that nobody has approved yet, one row for a host; and how much it is.
ALTER TABLE hosts ADD COLUMN held_packages bigint NOT NULL DEFAULT 0;

CREATE TABLE held_reports (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  package_set bytea NOT NULL,
  package_count bigint NOT NULL,
  reports bigint NOT NULL,
  held_at bigint NOT NULL,      -- the first of them
  reported_at bigint NOT NULL,  -- the last
  PRIMARY KEY (org_id, host_id)
);
-- Pages over all organisations are in the order of hosts.
CREATE INDEX held_reports_by_host ON held_reports (host_id);
