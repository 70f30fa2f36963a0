-- One bulletin may name packages of one name in several ecosystems: npm's and PyPI's "requests".
-- The rows there are come from feeds of one ecosystem each.
CREATE TABLE advisories_by_ecosystem (
  feed text NOT NULL,
  generation bigint NOT NULL,
  ecosystem text NOT NULL,
  distro text NOT NULL,
  package text NOT NULL,
  advisory_id text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (feed, generation, ecosystem, distro, package, advisory_id)
);
INSERT INTO advisories_by_ecosystem
  (feed, generation, ecosystem, distro, package, advisory_id, body)
  SELECT feed, generation, '', distro, package, advisory_id, body FROM advisories;
DROP TABLE advisories;
ALTER TABLE advisories_by_ecosystem RENAME TO advisories;
