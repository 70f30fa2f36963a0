-- A silence of an agent that was told, or a return that was (fleet/outages). The open one of an
-- agent is how a server that starts knows that the silence was told.
CREATE TABLE outages (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  since bigint NOT NULL,  -- when the agent was last heard of
  host_id bigint NOT NULL,
  told_at bigint NOT NULL,
  ended_at bigint,
  telling text NOT NULL,  -- alone, group, flapping, return
  group_id bigint,
  cause text NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (org_id, agent_id, since)
);
CREATE INDEX outages_open ON outages (org_id, agent_id) WHERE ended_at IS NULL;
CREATE INDEX outages_open_of_group ON outages (org_id, group_id)
  WHERE ended_at IS NULL AND group_id IS NOT NULL;
CREATE INDEX outages_by_age ON outages (told_at);

-- Many agents that fell silent together; named by its event.
CREATE TABLE outage_groups (
  org_id bigint NOT NULL,
  group_id bigint NOT NULL,
  scope text NOT NULL,  -- organisation, or tag:NAME
  agents bigint NOT NULL,
  told_at bigint NOT NULL,
  ended_at bigint,
  PRIMARY KEY (org_id, group_id)
);
CREATE INDEX outage_groups_open ON outage_groups (org_id, group_id) WHERE ended_at IS NULL;

-- Agents that come and go too often: while a row is here, their outages are events no more.
CREATE TABLE flapping_agents (
  org_id bigint NOT NULL,
  agent_id bytea NOT NULL,
  host_id bigint NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (org_id, agent_id)
);

CREATE INDEX agents_disabled ON agents (org_id, agent_id) WHERE status = 'disabled';

-- Which return was told last: a reason is repeated until the agent has its answer. 0: the last
-- heartbeat had none.
ALTER TABLE agent_presence ADD COLUMN return_mark bigint NOT NULL DEFAULT 0;
