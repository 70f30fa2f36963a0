-- Files that are kept whole: test binaries of an organisation, releases of the server (org_id 0).
-- A blob is there once stored_at is set; it and its chunks go after delete_at unless something
-- refers to it by then.
CREATE TABLE blobs (
  org_id bigint NOT NULL,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  stored_at bigint,
  delete_at bigint,
  PRIMARY KEY (org_id, sha256)
);

CREATE TABLE blob_chunks (
  org_id bigint NOT NULL,
  sha256 bytea NOT NULL,
  position bigint NOT NULL,
  octets bytea NOT NULL,
  PRIMARY KEY (org_id, sha256, position)
);

CREATE TABLE test_binaries (
  org_id bigint NOT NULL,
  test_uuid bytea NOT NULL,
  name text NOT NULL,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  uploaded_at bigint NOT NULL,
  uploaded_by bigint NOT NULL,
  PRIMARY KEY (org_id, test_uuid, name)
);
CREATE INDEX test_binaries_by_sha256 ON test_binaries (org_id, sha256);

-- only postgres
-- Programs do not compress well enough to be worth the time.
ALTER TABLE blob_chunks ALTER COLUMN octets SET STORAGE EXTERNAL;
