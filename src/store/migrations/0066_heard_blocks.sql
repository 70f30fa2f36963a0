-- When agents were heard of, apart from what they said, for some fifty agents in a row: those of an
-- organisation whose ids end alike (store/sql/heard.h, docs/adr/0021). These rows are written with
-- every flush of presence.
CREATE TABLE heard_blocks (
  org_id bigint NOT NULL,
  block bigint NOT NULL,
  times bytea NOT NULL,
  PRIMARY KEY (org_id, block)
);

-- What agent_heard says, which a later migration drops: a server of the version before may still
-- write to it.
UPDATE agent_presence SET last_seen = h.last_seen FROM agent_heard h
WHERE h.org_id = agent_presence.org_id AND h.agent_id = agent_presence.agent_id
  AND h.last_seen > agent_presence.last_seen;

-- only postgres
ALTER TABLE heard_blocks SET (fillfactor = 50);
ALTER TABLE heard_blocks ALTER COLUMN times SET STORAGE MAIN;
