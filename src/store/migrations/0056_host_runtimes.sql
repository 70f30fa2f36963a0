-- What runs on a host, as its agent last told: ports that listen and services, as JSON arrays or
-- "null" where that is not looked at. A row is written when the hash, which the agent makes, changes.
CREATE TABLE host_runtimes (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  hash text NOT NULL,
  listening text NOT NULL,
  services text NOT NULL,
  reported_at bigint NOT NULL,
  PRIMARY KEY (org_id, host_id)
);
