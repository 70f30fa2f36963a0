-- An import that replaces single records of a feed leaves the others where they are: what is in
-- force is the generation that the feed's row names, and those named here.
CREATE TABLE feed_layers (
  feed text NOT NULL,
  generation bigint NOT NULL,
  PRIMARY KEY (feed, generation)
);
CREATE INDEX advisories_by_id ON advisories (feed, advisory_id);
