-- When agents were heard of, apart from what they said: these rows are written with every flush of
-- presence, those of agent_presence when more than the time, the vitals and the samples changed, and
-- once an hour (docs/adr/0021). The later of the two times holds.
CREATE TABLE agent_heard (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  last_seen bigint NOT NULL,
  PRIMARY KEY (org_id, agent_id)
);

-- Packed instead of JSON (model/vitals); each agent's next heartbeat says them again.
ALTER TABLE agent_presence DROP COLUMN vitals;
ALTER TABLE agent_presence ADD COLUMN vitals bytea;

-- only postgres
ALTER TABLE agent_heard SET (fillfactor = 50);
ALTER TABLE agent_presence ALTER COLUMN vitals SET STORAGE PLAIN;
