-- Queries that are watched: how many hosts one means, and how that stands to a threshold.
CREATE TABLE alerts (
  org_id bigint NOT NULL,
  alert_id bigint NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  comparison text NOT NULL,     -- of the number of hosts with the threshold: 'above' or 'below'
  threshold bigint NOT NULL,
  hold_ms bigint NOT NULL,      -- how long it must hold before the alert fires
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  state text NOT NULL,          -- 'ok', 'pending' or 'firing'
  since bigint NOT NULL,        -- it is in that state
  hosts bigint,                 -- that the query meant when it was last asked
  hosts_exact bigint NOT NULL,  -- 0: at least so many
  evaluated_at bigint,
  failure text NOT NULL,        -- why it could not be asked then; empty if it could
  acknowledged_at bigint,
  acknowledged_by text NOT NULL,
  muted_until bigint,
  muted_by text NOT NULL,
  PRIMARY KEY (org_id, alert_id)
);
CREATE UNIQUE INDEX alerts_by_name ON alerts (org_id, name);

-- Whom to tell of events, and what came of it. The secret follows from the server's and the id.
CREATE TABLE webhooks (
  org_id bigint NOT NULL,
  webhook_id bigint NOT NULL,
  name text NOT NULL,
  url text NOT NULL,
  events text NOT NULL,         -- the types that are sent there, a space before and behind each
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  delivered_at bigint,          -- the last that was taken
  failures bigint NOT NULL,     -- in a row since then
  failed_at bigint,
  failure text NOT NULL,        -- of the last one
  next_at bigint,               -- when to try again; nothing: at once
  given_up bigint NOT NULL,     -- events that were not delivered and no more will be
  PRIMARY KEY (org_id, webhook_id)
);
CREATE UNIQUE INDEX webhooks_by_name ON webhooks (org_id, name);

-- Events that are still to be told.
CREATE TABLE webhook_deliveries (
  org_id bigint NOT NULL,
  webhook_id bigint NOT NULL,
  event_id bigint NOT NULL,
  attempts bigint NOT NULL,
  PRIMARY KEY (org_id, webhook_id, event_id)
);
