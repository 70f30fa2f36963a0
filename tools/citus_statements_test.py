# SPDX-License-Identifier: Apache-2.0
import unittest

import citus_statements as citus

SOURCE = '''
#define ROW "SELECT org_id, host_id" \\
  " FROM hosts"
std::vector<Host> list_hosts(Reader& reader) {
  // "SELECT nothing" in a comment is no statement.
  return read(reader.query(ROW " WHERE hostname = $1"));
}
void set_host(Tx& tx, const Host& host) {
  tx.post(
      "UPDATE hosts SET hostname = $3"
      " WHERE org_id = $1 AND host_id = $2", host.org, host.id);
}
'''


class CitusStatements(unittest.TestCase):
    def test_statements_are_found_with_their_macros_and_functions(self):
        self.assertEqual(list(citus.statements_of(SOURCE)), [
            ("list_hosts", "SELECT org_id, host_id FROM hosts WHERE hostname = $1"),
            ("set_host", "UPDATE hosts SET hostname = $3 WHERE org_id = $1 AND host_id = $2")])

    def test_a_statement_goes_to_one_shard_when_it_names_an_organisation(self):
        kinds = [citus.kind_of(sql, {"hosts"}) for sql in (
            "SELECT 1 FROM hosts WHERE hostname = $1",
            "SELECT 1 FROM hosts h WHERE h.org_id = $2",
            "INSERT INTO hosts (org_id) VALUES ($1)",
            "INSERT INTO hosts (org_id) SELECT * FROM unnest($1) ON CONFLICT DO NOTHING",
            "INSERT INTO hosts (org_id, host_id) SELECT $1, given.* FROM unnest($2) AS given",
            "UPDATE hosts SET tags = given.tags FROM unnest($2, $3) AS given (host_id, tags)"
            " WHERE hosts.org_id = $1 AND hosts.host_id = given.host_id",
            "SELECT 1 FROM feeds")]
        self.assertEqual(kinds, ["all", "one", "one", "split", "one", "one", None])

    def test_tables_are_those_of_the_migrations(self):
        tables = citus.distributed_tables()
        self.assertIn("hosts", tables)
        self.assertNotIn("orgs", tables)

    def test_every_statement_of_the_store_is_read(self):
        files = (citus.ROOT / "src/store/sql").glob("*.cpp")
        self.assertGreater(sum(len(list(citus.statements_of(path.read_text())))
                               for path in files), 300)

    def test_whoever_is_excused_says_why(self):
        self.assertEqual(citus.excused("tasks find_task all:\n")[1],
                         ["tasks find_task all:: says no reason"])

    def test_no_statement_of_the_store_asks_every_shard_without_a_reason(self):
        self.assertEqual(citus.main(), 0)


if __name__ == "__main__":
    unittest.main()
