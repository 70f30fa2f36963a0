-- Agents whose key two machines use: what was last known of each, by when they booted.
CREATE TABLE agent_clones (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  detected_at bigint NOT NULL,
  confirmed_at bigint NOT NULL,
  older_hostname text NOT NULL,
  older_address text NOT NULL,
  newer_hostname text NOT NULL,
  newer_address text NOT NULL,
  PRIMARY KEY (org_id, agent_id)
);
