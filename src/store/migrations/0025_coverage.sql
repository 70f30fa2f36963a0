-- What is known of the packages of a set, once for all hosts that share it (fleet/coverage.h): how
-- many are not assessed (null: nobody has looked yet), and of those that have no advisory how many
-- are a distribution's own.
ALTER TABLE package_sets ADD COLUMN not_assessed bigint;
ALTER TABLE package_sets ADD COLUMN distribution_silent bigint NOT NULL DEFAULT 0;
ALTER TABLE package_sets ADD COLUMN reasons text NOT NULL DEFAULT '{}';
-- The next start looks at the sets that are there.
UPDATE feeds SET matched = 0;

-- Feeds that operators were told are stale.
CREATE TABLE stale_feeds (
  feed text PRIMARY KEY,
  since bigint NOT NULL
);
