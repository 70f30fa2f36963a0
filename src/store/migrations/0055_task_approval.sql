-- Work that waits for a second person: until when each task may be approved, and what was decided on
-- all of a batch.
ALTER TABLE tasks ADD COLUMN approve_by bigint;
ALTER TABLE task_batches ADD COLUMN approve_by bigint;
ALTER TABLE task_batches ADD COLUMN decision text;
ALTER TABLE task_batches ADD COLUMN decided_by bigint;
ALTER TABLE task_batches ADD COLUMN decided_at bigint;
ALTER TABLE task_batches ADD COLUMN reason text;
-- Operators look for it again and again, among all tasks that ever were.
CREATE INDEX tasks_unapproved ON tasks (task_id) WHERE status = 'pending_approval';
