-- Each audit row's place in the chain of its organisation, and the hash that takes in the row and
-- all before it (model/audit_chain.h). Rows from before, and those that a server of the release
-- before writes beside a newer one, are linked by fleet/audit.
CREATE TABLE audit_links (
  org_id bigint NOT NULL,
  seq bigint NOT NULL,
  audit_id bigint NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (org_id, seq)
);
CREATE UNIQUE INDEX audit_links_by_row ON audit_links (org_id, audit_id);

-- only sqlite
CREATE TRIGGER audit_links_are_never_changed BEFORE UPDATE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_links_are_never_deleted BEFORE DELETE ON audit_links
BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;

-- only postgres
CREATE TRIGGER audit_links_are_never_changed BEFORE UPDATE OR DELETE ON audit_links
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_links_are_never_emptied BEFORE TRUNCATE ON audit_links
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
