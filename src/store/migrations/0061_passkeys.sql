-- Passkeys of operators (docs/adr/0029). public_key is a COSE_Key.
CREATE TABLE passkeys (
  passkey_id bigint PRIMARY KEY,
  operator_id bigint NOT NULL,
  name text NOT NULL,
  credential_id bytea NOT NULL UNIQUE,
  public_key bytea NOT NULL,
  sign_count bigint NOT NULL,
  backup_eligible bigint NOT NULL,
  backed_up bigint NOT NULL,
  created_at bigint NOT NULL,
  used_at bigint
);
CREATE INDEX passkeys_by_operator ON passkeys (operator_id);

-- Challenges that were answered rightly, until they would have expired.
CREATE TABLE used_challenges (
  challenge_hash bytea PRIMARY KEY,
  expires_at bigint NOT NULL
);
