-- Evidence of the machine an agent enrolled on; when an agent was superseded that its own call may
-- bring back (null: none may); whether a machine id was seen on two machines at once.
ALTER TABLE agents ADD COLUMN machine_id text NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN superseded_at bigint;
ALTER TABLE hosts ADD COLUMN machine_shared bigint NOT NULL DEFAULT 0;
