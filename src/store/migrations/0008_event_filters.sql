-- Pages of events are in the order of ids, by whichever filter leaves the fewest.
CREATE INDEX events_by_agent ON events (agent_id, event_id) WHERE agent_id IS NOT NULL;
CREATE INDEX events_by_host ON events (host_id, event_id) WHERE host_id IS NOT NULL;
CREATE INDEX events_by_type ON events (type, event_id);
