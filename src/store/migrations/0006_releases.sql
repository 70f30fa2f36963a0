-- Agents' programs, for all organisations. What is published is never changed but withdrawn.
CREATE TABLE releases (
  release_id bigint PRIMARY KEY,
  version text NOT NULL,
  os text NOT NULL,
  arch text NOT NULL,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  serial bigint NOT NULL,
  expires_at bigint,
  mandatory bigint NOT NULL,
  notes text NOT NULL,
  signature bytea NOT NULL,
  manifest text NOT NULL,
  manifest_signature bytea NOT NULL,
  signer bytea NOT NULL,
  published_at bigint NOT NULL,
  published_by bigint NOT NULL,
  withdrawn_at bigint
);
CREATE UNIQUE INDEX releases_by_platform ON releases (os, arch, version);
CREATE INDEX releases_by_sha256 ON releases (sha256);
