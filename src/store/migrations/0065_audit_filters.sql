-- The audit log is never pruned, and most of its rows are of tasks: pages of what an actor did, of
-- an action and of what it was done to are in the order of ids.
CREATE INDEX audit_by_actor ON audit (org_id, actor, audit_id);
CREATE INDEX audit_by_action ON audit (org_id, action, audit_id);
CREATE INDEX audit_by_actor_and_action ON audit (org_id, actor, action, audit_id);
CREATE INDEX audit_by_target ON audit (org_id, target, audit_id);
