-- What programs wrote, once for all results that have the same: named by its SHA-256. `last_day`
-- (days since the epoch) is the last on which a result named it; no result that is kept is later.
CREATE TABLE outputs (
  org_id bigint NOT NULL,
  sha256 bytea NOT NULL,
  body bytea NOT NULL,
  last_day bigint NOT NULL,
  PRIMARY KEY (org_id, sha256)
);
CREATE INDEX outputs_by_day ON outputs (last_day);

-- The latest run of each test on each host: that of the task created last, whenever its result came.
CREATE TABLE latest_results (
  org_id bigint NOT NULL,
  test_uuid text NOT NULL,
  host_id bigint NOT NULL,
  task_id bytea NOT NULL,
  outcome bigint NOT NULL,
  PRIMARY KEY (org_id, test_uuid, host_id)
);

ALTER TABLE results ADD COLUMN stdout_sha256 bytea;  -- NULL: there was none
ALTER TABLE results ADD COLUMN stderr_sha256 bytea;
ALTER TABLE results ADD COLUMN host_id bigint NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN outcome bigint;  -- model::Outcome, of tests
ALTER TABLE results ADD COLUMN flags bigint NOT NULL DEFAULT 0;  -- model::ResultFlags

-- only sqlite
UPDATE results SET stdout_sha256 = sha256(CAST(stdout AS blob)) WHERE stdout <> '';
UPDATE results SET stderr_sha256 = sha256(CAST(stderr AS blob)) WHERE stderr <> '';
INSERT INTO outputs (org_id, sha256, body, last_day)
  SELECT org_id, stdout_sha256, CAST(stdout AS blob), (SELECT max(received_at) FROM results) / 86400000
  FROM results WHERE stdout <> '' ON CONFLICT (org_id, sha256) DO NOTHING;
INSERT INTO outputs (org_id, sha256, body, last_day)
  SELECT org_id, stderr_sha256, CAST(stderr AS blob), (SELECT max(received_at) FROM results) / 86400000
  FROM results WHERE stderr <> '' ON CONFLICT (org_id, sha256) DO NOTHING;
-- only postgres
UPDATE results SET stdout_sha256 = sha256(convert_to(stdout, 'UTF8')) WHERE stdout <> '';
UPDATE results SET stderr_sha256 = sha256(convert_to(stderr, 'UTF8')) WHERE stderr <> '';
INSERT INTO outputs (org_id, sha256, body, last_day)
  SELECT org_id, stdout_sha256, convert_to(stdout, 'UTF8'), (SELECT max(received_at) FROM results) / 86400000
  FROM results WHERE stdout <> '' ON CONFLICT (org_id, sha256) DO NOTHING;
INSERT INTO outputs (org_id, sha256, body, last_day)
  SELECT org_id, stderr_sha256, convert_to(stderr, 'UTF8'), (SELECT max(received_at) FROM results) / 86400000
  FROM results WHERE stderr <> '' ON CONFLICT (org_id, sha256) DO NOTHING;
-- every engine
ALTER TABLE results DROP COLUMN stdout;
ALTER TABLE results DROP COLUMN stderr;

-- Whose they are, by the task and not by what was sent.
UPDATE results SET
  host_id = coalesce((SELECT a.host_id FROM tasks t JOIN agents a ON a.org_id = t.org_id AND a.agent_id = t.agent_id
    WHERE t.org_id = results.org_id AND t.task_id = results.task_id), 0),
  test_uuid = coalesce((SELECT t.test_uuid FROM tasks t
    WHERE t.org_id = results.org_id AND t.task_id = results.task_id), '');

-- As model::outcome_of has it: 0 not run, 1 inconclusive, 2 protected, 3 error, 4 unprotected.
UPDATE results SET outcome = coalesce(
  (SELECT max(CASE WHEN c.skipped = 1 THEN 0 WHEN c.exit_code = 101 THEN 4
     WHEN c.exit_code IN (105, 126, 127) THEN 2
     WHEN c.exit_code < 0 OR c.exit_code IN (1, 259, 999)
       OR c.exit_code BETWEEN 3221225472 AND 4294967295 THEN 3 ELSE 1 END)
   FROM controls c WHERE c.org_id = results.org_id AND c.task_id = results.task_id),
  CASE WHEN exit_code = 101 THEN 4 WHEN exit_code IN (105, 126, 127) THEN 2
    WHEN exit_code < 0 OR exit_code IN (1, 259, 999)
      OR exit_code BETWEEN 3221225472 AND 4294967295 THEN 3 ELSE 1 END)
WHERE test_uuid <> '';

-- Pages are newest first; a host's history is mostly of one test; retention takes the oldest.
CREATE INDEX results_by_time ON results (received_at, task_id);
CREATE INDEX results_by_host ON results (org_id, host_id, test_uuid, received_at, task_id);
CREATE INDEX results_by_test ON results (test_uuid, received_at, task_id) WHERE test_uuid <> '';

INSERT INTO latest_results (org_id, test_uuid, host_id, task_id, outcome)
  SELECT org_id, test_uuid, host_id, task_id, outcome FROM results r
  WHERE outcome IS NOT NULL AND NOT EXISTS (SELECT 1 FROM results n
    WHERE n.org_id = r.org_id AND n.host_id = r.host_id AND n.test_uuid = r.test_uuid AND n.task_id > r.task_id);
