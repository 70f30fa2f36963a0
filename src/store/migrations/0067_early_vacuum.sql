-- Retention deletes these from the old end of an index. Until a vacuum, whatever walks that index
-- from its start walks over what is gone: the next deletion, and PostgreSQL's planner for each
-- statement that is bounded below. As installed, that is a fifth of the table (ADR 35).

-- only postgres
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE outages SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE outputs SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE results SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE sample_blocks SET (autovacuum_vacuum_scale_factor = 0.02);
