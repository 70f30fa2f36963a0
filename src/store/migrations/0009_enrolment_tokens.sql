-- Who may use a token and what it gives (JSON arrays), where an agent enrolled from, and the tags
-- that operators put on a host, apart from those it reports.
ALTER TABLE enrolment_tokens ADD COLUMN tags text NOT NULL DEFAULT '[]';
ALTER TABLE enrolment_tokens ADD COLUMN networks text NOT NULL DEFAULT '[]';
ALTER TABLE enrolment_tokens ADD COLUMN systems text NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN enrolled_from text NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN operator_tags text NOT NULL DEFAULT '[]';
CREATE INDEX enrolment_tokens_by_id ON enrolment_tokens (token_id);
-- The use log of a token, in the order of enrolment.
CREATE INDEX agents_by_token ON agents (org_id, token_id, agent_id);
