-- Sign-in by name and password. The second factor's secret is derived from its generation, a
-- time in ms; 0 is none.
CREATE TABLE operator_passwords (
  operator_id bigint PRIMARY KEY,
  name text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  totp_generation bigint NOT NULL,
  totp_step bigint NOT NULL,
  set_at bigint NOT NULL
);
