-- Open findings of an organisation's hosts on a day of UTC, as they were last counted on it.
CREATE TABLE finding_days (
  org_id bigint NOT NULL,
  day bigint NOT NULL,              -- since the Unix epoch
  counted_at bigint NOT NULL,
  critical bigint NOT NULL,
  high bigint NOT NULL,
  medium bigint NOT NULL,
  low bigint NOT NULL,
  negligible bigint NOT NULL,
  unknown bigint NOT NULL,
  known_exploited bigint NOT NULL,  -- of all these
  PRIMARY KEY (org_id, day)
);
