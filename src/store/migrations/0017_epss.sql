-- Scores come in generations, as advisories do; those in force are named by the feed's row.
CREATE TABLE epss_scores (
  generation bigint NOT NULL,
  cve text NOT NULL,
  probability bigint NOT NULL,  -- hundred-thousandths
  percentile bigint NOT NULL,   -- hundred-thousandths
  PRIMARY KEY (generation, cve)
);
