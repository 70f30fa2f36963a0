-- Since when key_offered is offered: a rotation that is not taken up is shown.
ALTER TABLE agents ADD COLUMN key_offered_at bigint;
UPDATE agents SET key_offered_at = coalesce(key_since, enrolled_at) WHERE key_offered IS NOT NULL;

-- Whose key is to be replaced by schedule; with all that the schedule reads.
CREATE INDEX agents_by_key_age ON agents (key_since, agent_id, org_id)
  WHERE status = 'active' AND key_offered IS NULL;
