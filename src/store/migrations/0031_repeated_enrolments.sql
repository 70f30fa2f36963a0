-- The newest key that an answer to an agent's enrolment carried (model/agent_keys.h), and which tokens
-- have agents that have not called yet.
ALTER TABLE agents ADD COLUMN key_issued bigint NOT NULL DEFAULT 0;
CREATE INDEX agents_without_a_call ON agents (org_id, token_id) WHERE key_since IS NULL;
