-- Which keys of an agent are accepted besides key_generation's (model/agent_keys.h).
ALTER TABLE agents ADD COLUMN key_offered bigint;
ALTER TABLE agents ADD COLUMN key_former bigint;
ALTER TABLE agents ADD COLUMN key_former_accepted bigint NOT NULL DEFAULT 0;
-- When key_generation's key was first used; NULL until the agent has called.
ALTER TABLE agents ADD COLUMN key_since bigint;
UPDATE agents SET key_since = enrolled_at WHERE EXISTS (
  SELECT 1 FROM agent_presence p WHERE p.org_id = agents.org_id AND p.agent_id = agents.agent_id);
