-- What an operator may do is a role; what could write before may do all.
ALTER TABLE operator_tokens ADD COLUMN role text NOT NULL DEFAULT 'owner';
UPDATE operator_tokens SET role = 'read_only' WHERE scopes < 8;
ALTER TABLE operator_tokens DROP COLUMN scopes;

-- Sign-in links and sessions of the console. Operators are not of an organisation.
CREATE TABLE sign_in_links (
  link_hash bytea PRIMARY KEY,
  operator_id bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  used_at bigint
);
CREATE INDEX sign_in_links_by_operator ON sign_in_links (operator_id);
CREATE TABLE sessions (
  session_id bigint PRIMARY KEY,
  operator_id bigint NOT NULL,
  session_hash bytea NOT NULL UNIQUE,
  address text NOT NULL,
  created_at bigint NOT NULL,
  used_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_at bigint
);
CREATE INDEX sessions_by_operator ON sessions (operator_id);
