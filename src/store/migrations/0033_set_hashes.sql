-- The rolling hash of what a reporter told of (null: it names none), and when it last told all of it.
ALTER TABLE hosts ADD COLUMN set_hash bytea;
ALTER TABLE hosts ADD COLUMN last_full_at bigint;
UPDATE hosts SET last_full_at = last_report_at;
ALTER TABLE host_sources ADD COLUMN set_hash bytea;
