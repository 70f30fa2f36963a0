-- What operators may do in organisations, beside their role on the whole server
-- (operator_tokens.role, which is now 'none' for those who have none there).
CREATE TABLE operator_grants (
  org_id bigint NOT NULL,
  operator_id bigint NOT NULL,
  role text NOT NULL,
  granted_at bigint NOT NULL,
  granted_by text NOT NULL,
  PRIMARY KEY (org_id, operator_id)
);
CREATE INDEX operator_grants_by_operator ON operator_grants (operator_id);
