-- What came of fetching each feed.
CREATE TABLE feed_syncs (
  feed text PRIMARY KEY,
  source text NOT NULL,         -- that answered last
  checked_at bigint,            -- when one last had answered in full: with news, or that there are none
  failed_at bigint,             -- the last failure
  failure text NOT NULL,        -- its words
  failures bigint NOT NULL,     -- in a row; 0 once it works again
  next_at bigint,               -- when the schedule wants it
  wanted text NOT NULL,         -- by an operator: '', 'changes' or 'full'
  reached text NOT NULL         -- how far changes were followed, in the feed's own terms
);
-- The version of each file that was imported, in its server's words.
CREATE TABLE feed_files (
  feed text NOT NULL,
  part text NOT NULL,  -- which of the feed's files: a year, an ecosystem; empty if there is one only
  url text NOT NULL,
  etag text NOT NULL,
  last_modified text NOT NULL,
  fetched_at bigint NOT NULL,
  PRIMARY KEY (feed, part)
);
