-- What agents said of their machines, as delta-coded segments (model/samples): those that are full,
-- by the UTC day that they begin on.
CREATE TABLE agent_samples (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  day bigint NOT NULL,  -- since the Unix epoch
  segments bytea NOT NULL,
  PRIMARY KEY (org_id, agent_id, day)
);
CREATE INDEX agent_samples_by_day ON agent_samples (day);

-- The segment that is not full yet.
ALTER TABLE agent_presence ADD COLUMN open_samples bytea;

-- only postgres
-- Deltas do not compress.
ALTER TABLE agent_samples ALTER COLUMN segments SET STORAGE EXTERNAL;
ALTER TABLE agent_presence ALTER COLUMN open_samples SET STORAGE PLAIN;
