-- What operators signed of tasks; the id of an order is of one task.
CREATE TABLE work_orders (
  org_id bigint NOT NULL,
  task_id bytea NOT NULL,
  order_id bytea NOT NULL,
  order_text text NOT NULL,
  signature bytea NOT NULL,
  signer bytea NOT NULL,
  PRIMARY KEY (org_id, task_id)
);
CREATE UNIQUE INDEX work_orders_by_id ON work_orders (org_id, order_id);
