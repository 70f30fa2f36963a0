-- One row for each running writer of a remote database (store/commit_marker.h).
CREATE TABLE writers (
  writer_id bigint PRIMARY KEY,
  commits bigint NOT NULL
);

-- only postgres
ALTER TABLE writers SET (fillfactor = 50);
