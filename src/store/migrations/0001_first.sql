-- The first schema, for every engine (docs/adr/0008-one-schema-for-two-engines.md): lines between
-- `-- only ENGINE` and `-- every engine` are for that one. Every table of an organisation leads with org_id; times are milliseconds since
-- the Unix epoch; UUIDs and hashes are octets. Volatile columns (presence) have narrow tables
-- without indexes.

CREATE TABLE secrets (
  name text PRIMARY KEY,
  sealed bytea NOT NULL
);

CREATE TABLE orgs (
  org_id bigint PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created_at bigint NOT NULL
);
INSERT INTO orgs (org_id, name, created_at) VALUES (1, 'default', 0);

CREATE TABLE operator_tokens (
  operator_id bigint PRIMARY KEY,
  name text NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  scopes bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  revoked_at bigint
);

CREATE TABLE enrolment_tokens (
  org_id bigint NOT NULL,
  token_id bigint NOT NULL,
  token_hash bytea NOT NULL,
  max_uses bigint NOT NULL,
  uses bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  revoked_at bigint,
  PRIMARY KEY (org_id, token_id)
);

CREATE TABLE inventory_keys (
  org_id bigint NOT NULL,
  key_id bigint NOT NULL,
  name text NOT NULL,
  key_hash bytea NOT NULL,
  scopes bigint NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint,
  PRIMARY KEY (org_id, key_id)
);

CREATE TABLE hosts (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  hostname text NOT NULL,
  hostname_folded text NOT NULL,
  machine_id text NOT NULL,
  os_name text NOT NULL,
  os_version text NOT NULL,
  os_kernel text NOT NULL,
  arch text NOT NULL,
  distro text NOT NULL,
  ip_address text NOT NULL,
  tags text NOT NULL,
  first_seen bigint NOT NULL,
  last_seen bigint NOT NULL,
  last_report_at bigint,
  package_set bytea,
  package_count bigint NOT NULL,
  PRIMARY KEY (org_id, host_id)
);
-- Pages over all organisations are in the order of ids.
CREATE INDEX hosts_by_id ON hosts (host_id);
CREATE INDEX hosts_by_hostname ON hosts (hostname_folded, org_id);
CREATE INDEX hosts_by_machine ON hosts (org_id, machine_id) WHERE machine_id <> '';

CREATE TABLE host_presence (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  last_seen bigint NOT NULL,
  agent_version text NOT NULL,
  PRIMARY KEY (org_id, host_id)
);

CREATE TABLE agents (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  host_id bigint NOT NULL,
  status text NOT NULL,
  os text NOT NULL,
  arch text NOT NULL,
  key_hash bytea NOT NULL,
  key_generation bigint NOT NULL,
  enrolled_at bigint NOT NULL,
  token_id bigint NOT NULL,
  superseded_by bytea,
  PRIMARY KEY (org_id, agent_id)
);
-- Ends with agent_id: the order in which they are read, or SQLite would walk the primary key for it.
CREATE INDEX agents_by_host ON agents (org_id, host_id, agent_id);

CREATE TABLE agent_presence (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  last_seen bigint NOT NULL,
  agent_version text NOT NULL,
  status text NOT NULL,
  current_task bytea,
  last_task_completed bytea,
  vitals text NOT NULL,
  PRIMARY KEY (org_id, agent_id)
);

CREATE TABLE tasks (
  org_id bigint NOT NULL,
  task_id bytea NOT NULL,
  agent_id bytea NOT NULL,
  batch_id bytea NOT NULL,
  type text NOT NULL,
  status text NOT NULL,
  priority bigint NOT NULL,
  payload text NOT NULL,
  redeliver bigint NOT NULL,
  execution_timeout_seconds bigint NOT NULL,
  created_by bigint NOT NULL,
  created_at bigint NOT NULL,
  deliver_by bigint NOT NULL,
  valid_until bigint NOT NULL,
  attempt bigint NOT NULL,
  assigned_at bigint,
  lease_until bigint,
  started_at bigint,
  finished_at bigint,
  error text NOT NULL,
  PRIMARY KEY (org_id, task_id)
);
-- Operators of the whole server page over all organisations, and look tasks up by id alone.
CREATE INDEX tasks_by_id ON tasks (task_id);
CREATE INDEX tasks_by_agent ON tasks (org_id, agent_id, status);

CREATE TABLE results (
  org_id bigint NOT NULL,
  task_id bytea NOT NULL,
  received_at bigint NOT NULL,
  exit_code bigint NOT NULL,
  stdout text NOT NULL,
  stdout_truncated bigint NOT NULL,
  stderr text NOT NULL,
  stderr_truncated bigint NOT NULL,
  started_at text NOT NULL,
  completed_at text NOT NULL,
  duration_ms bigint NOT NULL,
  test_uuid text NOT NULL,
  binary_sha256 text NOT NULL,
  hostname text NOT NULL,
  os text NOT NULL,
  arch text NOT NULL,
  error text NOT NULL,
  bundle text,
  PRIMARY KEY (org_id, task_id)
);

CREATE TABLE controls (
  org_id bigint NOT NULL,
  task_id bytea NOT NULL,
  control_id text NOT NULL,
  position bigint NOT NULL,
  name text NOT NULL,
  validator text NOT NULL,
  exit_code bigint NOT NULL,
  compliant bigint NOT NULL,
  skipped bigint NOT NULL,
  severity text NOT NULL,
  category text NOT NULL,
  subcategory text NOT NULL,
  techniques text NOT NULL,
  tactics text NOT NULL,
  expected text NOT NULL,
  actual text NOT NULL,
  details text NOT NULL,
  error_message text NOT NULL,
  flag text NOT NULL,
  PRIMARY KEY (org_id, task_id, control_id)
);

CREATE TABLE packages (
  org_id bigint NOT NULL,
  package_id bigint NOT NULL,
  content_id bytea NOT NULL,
  name text NOT NULL,
  version text NOT NULL,
  vendor text NOT NULL,
  ecosystem text NOT NULL,
  distro text NOT NULL,
  source_name text NOT NULL,
  source_version text NOT NULL,
  arch text NOT NULL,
  cpe text NOT NULL,
  PRIMARY KEY (org_id, package_id)
);
CREATE UNIQUE INDEX packages_by_content ON packages (org_id, content_id);

-- The packages of a host as sorted ids, delta-coded; named by their hash, so equal hosts share one.
CREATE TABLE package_sets (
  org_id bigint NOT NULL,
  set_hash bytea NOT NULL,
  members bytea NOT NULL,
  hosts bigint NOT NULL,
  PRIMARY KEY (org_id, set_hash)
);

CREATE TABLE feeds (
  feed text PRIMARY KEY,
  imported_at bigint NOT NULL,
  published text NOT NULL,
  records bigint NOT NULL,
  generation bigint NOT NULL,  -- of its advisories; rows of another one are not in force
  matched bigint NOT NULL  -- 1 once every host was matched against this import
);

CREATE TABLE advisories (
  feed text NOT NULL,
  generation bigint NOT NULL,
  distro text NOT NULL,
  package text NOT NULL,
  advisory_id text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (feed, generation, distro, package, advisory_id)
);

CREATE TABLE kev_entries (
  cve text PRIMARY KEY,
  body text NOT NULL
);

CREATE TABLE findings (
  org_id bigint NOT NULL,
  finding_id bigint NOT NULL,
  host_id bigint NOT NULL,
  package_id bigint NOT NULL,
  feed text NOT NULL,
  advisory_id text NOT NULL,
  cve text,
  severity bigint NOT NULL,
  status text NOT NULL,
  opened_at bigint NOT NULL,
  resolved_at bigint,
  resolution text NOT NULL,
  evidence text NOT NULL,
  PRIMARY KEY (org_id, finding_id)
);
CREATE UNIQUE INDEX findings_by_host ON findings (org_id, host_id, package_id, feed, advisory_id);
CREATE INDEX findings_by_cve ON findings (org_id, cve);

CREATE TABLE settings (
  org_id bigint NOT NULL,
  scope text NOT NULL,
  scope_id text NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (org_id, scope, scope_id, name)
);

CREATE TABLE events (
  org_id bigint NOT NULL,
  event_id bigint NOT NULL,
  at bigint NOT NULL,
  type text NOT NULL,
  agent_id bytea,
  host_id bigint,
  details text NOT NULL,
  PRIMARY KEY (org_id, event_id)
);
CREATE INDEX events_by_id ON events (event_id);

CREATE TABLE audit (
  org_id bigint NOT NULL,
  audit_id bigint NOT NULL,
  at bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  details text NOT NULL,
  PRIMARY KEY (org_id, audit_id)
);
CREATE INDEX audit_by_id ON audit (audit_id);

-- only sqlite
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;

-- only postgres
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME; END$$;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Rewritten all the time and without an index on what changes: room on the page makes the new
-- version of a row need no index entry.
ALTER TABLE host_presence SET (fillfactor = 50);
ALTER TABLE agent_presence SET (fillfactor = 50);
