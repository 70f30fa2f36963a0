-- Who an operator is with a provider of identities (docs/adr/0028): OpenID Connect's issuer and
-- subject.
CREATE TABLE operator_identities (
  identity_id bigint PRIMARY KEY,
  operator_id bigint NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,           -- as the provider wrote it when it was linked, for people
  created_at bigint NOT NULL,
  used_at bigint,
  UNIQUE (issuer, subject)
);
CREATE INDEX operator_identities_by_operator ON operator_identities (operator_id);
