-- What muster-agent says of itself beyond its vitals: which configuration is in force and why another
-- is not, and which update failed. A row is written when that changes.
CREATE TABLE agent_conditions (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  config_hash text NOT NULL,
  config_error text NOT NULL,
  update_version text NOT NULL,
  update_error text NOT NULL,
  reported_at bigint NOT NULL,
  PRIMARY KEY (org_id, agent_id)
);
