-- Queries ask of each host whether it has an open finding that is so severe, or exploited: one seek
-- for each instead of all its findings.
CREATE INDEX findings_open_by_host ON findings (org_id, host_id, severity, known_exploited)
  WHERE status = 'open';

-- Queries that operators keep under a name.
CREATE TABLE saved_views (
  org_id bigint NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  set_at bigint NOT NULL,
  set_by text NOT NULL,
  PRIMARY KEY (org_id, name)
);
