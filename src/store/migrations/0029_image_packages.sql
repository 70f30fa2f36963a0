-- What images have installed, as sets of packages like those of hosts, and who says that a package
-- of an image is vulnerable: its scanner, our feeds, or both.
ALTER TABLE images ADD COLUMN package_set bytea;  -- none if no scan listed packages
ALTER TABLE images ADD COLUMN package_count bigint NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN unidentified_count bigint NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN packages_at bigint;
CREATE INDEX images_with_packages ON images (image_id) WHERE package_set IS NOT NULL;

ALTER TABLE host_images ADD COLUMN given text NOT NULL DEFAULT '';  -- what the host calls it

ALTER TABLE image_findings ADD COLUMN reported bigint NOT NULL DEFAULT 0;  -- by the last scan
ALTER TABLE image_findings ADD COLUMN matches text NOT NULL DEFAULT '[]';  -- by our feeds
UPDATE image_findings SET reported = 1
  WHERE status <> 'resolved' OR resolution = 'not_affected';
