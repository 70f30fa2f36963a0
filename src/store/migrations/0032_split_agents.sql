-- Agents that were split from another, see model/agent.h; and what the two machines of a clone are told
-- apart by. split_agent is who one of them is to become.
ALTER TABLE agents ADD COLUMN split_from bytea;
ALTER TABLE agents ADD COLUMN alias bytea;
ALTER TABLE agent_clones ADD COLUMN older_boot bigint NOT NULL DEFAULT 0;
ALTER TABLE agent_clones ADD COLUMN newer_boot bigint NOT NULL DEFAULT 0;
ALTER TABLE agent_clones ADD COLUMN split_agent bytea;
