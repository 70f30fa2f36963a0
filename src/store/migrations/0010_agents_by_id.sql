-- Operators of the whole server page over the agents of all organisations.
CREATE INDEX agents_by_id ON agents (agent_id);
