-- The servers on one database (model/node_lease.h). An embedded store has one and no rows here.
CREATE TABLE nodes (
  node_id bigint PRIMARY KEY,  -- its writer_id
  renewals bigint NOT NULL,
  followed bigint NOT NULL,  -- every announcement up to this one is in its memory
  lapsed bigint NOT NULL,
  renewed_at bigint NOT NULL
);

-- What the servers have to read anew, numbered in the order in which it took effect.
CREATE TABLE announcements (
  announcement_id bigint PRIMARY KEY,
  node_id bigint NOT NULL,  -- who changed it and knows
  kind text NOT NULL,
  org_id bigint NOT NULL,
  subject text NOT NULL
);
CREATE TABLE newest_announcement (
  one bigint PRIMARY KEY CHECK (one = 1),
  announcement_id bigint NOT NULL
);
INSERT INTO newest_announcement (one, announcement_id) VALUES (1, 0);

-- only postgres
ALTER TABLE nodes SET (fillfactor = 50);
ALTER TABLE newest_announcement SET (fillfactor = 50);
