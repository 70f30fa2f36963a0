-- What outages and tasks of the last days add up to (fleet/health).
CREATE INDEX outages_by_end ON outages (ended_at);
CREATE INDEX tasks_by_finish ON tasks (finished_at) WHERE finished_at IS NOT NULL;
