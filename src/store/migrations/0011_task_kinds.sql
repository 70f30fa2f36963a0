-- What lists and searches go by, retries, sealed environment variables, and when time alone may
-- change a task next (model::next_due): the periodic pass reads the first of that index.
ALTER TABLE tasks ADD COLUMN label text NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN test_uuid text NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN retry_count bigint NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN max_retries bigint NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN original_task_id bytea;
ALTER TABLE tasks ADD COLUMN sealed_env bytea;
ALTER TABLE tasks ADD COLUMN due_at bigint;

-- only sqlite
UPDATE tasks SET label = substr(coalesce(json_extract(payload, '$.command'), ''), 1, 250);
-- only postgres
UPDATE tasks SET label = substr(coalesce(payload::json ->> 'command', ''), 1, 250);
-- every engine
-- The first pass says when they are due in truth.
UPDATE tasks SET due_at = created_at WHERE status IN ('pending', 'assigned', 'downloading', 'executing');

CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_original ON tasks (org_id, original_task_id)
  WHERE original_task_id IS NOT NULL;
