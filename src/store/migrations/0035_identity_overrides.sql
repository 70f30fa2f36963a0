-- What operators say that software of a name and vendor is.
CREATE TABLE identity_overrides (
  org_id bigint NOT NULL,
  name text NOT NULL,
  vendor text NOT NULL,
  skipped bigint NOT NULL,
  products text NOT NULL,  -- a list: vendor, product, vendor, product ...
  cleared bigint NOT NULL,  -- 1: taken back, kept until the hosts follow
  changed_at bigint NOT NULL,
  matched bigint NOT NULL,  -- 1 once the hosts follow
  PRIMARY KEY (org_id, name, vendor)
);
CREATE INDEX packages_by_name ON packages (org_id, name);
CREATE INDEX findings_by_package ON findings (org_id, package_id) WHERE status = 'open';
