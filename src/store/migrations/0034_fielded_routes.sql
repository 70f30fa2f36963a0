-- Which hosts call with a site's key, to the day: a key that others still use is not revoked by one.
CREATE TABLE key_uses (
  org_id bigint NOT NULL,
  key_id bigint NOT NULL,
  host_id bigint NOT NULL,
  used_at bigint NOT NULL,
  PRIMARY KEY (org_id, key_id, host_id)
);

-- The script that inventory agents of a platform are given, as an operator uploaded it.
CREATE TABLE agent_scripts (
  platform text PRIMARY KEY,  -- linux, macos, windows
  version text NOT NULL,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  uploaded_at bigint NOT NULL,
  uploaded_by bigint NOT NULL
);

-- Lock files that dependency scans found on a host. Each row counts as one host of its package set.
CREATE TABLE host_lockfiles (
  org_id bigint NOT NULL,
  host_id bigint NOT NULL,
  path text NOT NULL,
  package_set bytea NOT NULL,
  package_count bigint NOT NULL,
  direct_count bigint NOT NULL,
  vulnerable_count bigint NOT NULL,  -- packages
  vulnerabilities bigint NOT NULL,
  reported_at bigint NOT NULL,
  PRIMARY KEY (org_id, host_id, path)
);
