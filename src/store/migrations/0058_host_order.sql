-- The newest host of a name, and of a machine: without the order in the index, SQLite walks the
-- organisation's hosts from the newest on instead of looking one up.
DROP INDEX hosts_by_hostname;
CREATE INDEX hosts_by_hostname ON hosts (hostname_folded, org_id, host_id);
DROP INDEX hosts_by_machine;
CREATE INDEX hosts_by_machine ON hosts (org_id, machine_id, host_id) WHERE machine_id <> '';
