-- What was created by one call, as one row for each organisation: lists of batches page over these,
-- and count their tasks over an index.
CREATE TABLE task_batches (
  org_id bigint NOT NULL,
  batch_id bytea NOT NULL,
  type text NOT NULL,
  label text NOT NULL,
  created_at bigint NOT NULL,
  created_by bigint NOT NULL,
  PRIMARY KEY (org_id, batch_id)
);
CREATE INDEX task_batches_by_id ON task_batches (batch_id, org_id);
INSERT INTO task_batches (org_id, batch_id, type, label, created_at, created_by)
  SELECT org_id, batch_id, min(type), min(label), min(created_at), min(created_by)
  FROM tasks GROUP BY org_id, batch_id;
CREATE INDEX tasks_by_batch ON tasks (org_id, batch_id, status);

-- Every version of a task's note; the highest is in force.
CREATE TABLE task_notes (
  org_id bigint NOT NULL,
  task_id bytea NOT NULL,
  version bigint NOT NULL,
  at bigint NOT NULL,
  author text NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (org_id, task_id, version)
);
