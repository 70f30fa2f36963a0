-- Full segments of many agents in one row for each flush (model/samples, ADR 27): a row for each
-- agent and day was a page to write for each segment. Graphs begin anew.
DROP TABLE agent_samples;
CREATE TABLE sample_blocks (
  org_id bigint NOT NULL,
  bucket bigint NOT NULL,  -- of agents
  minute bigint NOT NULL,  -- since the Unix epoch: not before any sample in it
  segments bytea NOT NULL,
  PRIMARY KEY (org_id, bucket, minute)
);
CREATE INDEX sample_blocks_by_minute ON sample_blocks (minute);

-- only postgres
-- Deltas do not compress.
ALTER TABLE sample_blocks ALTER COLUMN segments SET STORAGE EXTERNAL;
