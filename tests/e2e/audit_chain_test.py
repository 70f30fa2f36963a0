# SPDX-License-Identifier: Apache-2.0
"""The audit log as a chain: exported from a server, proven without one, and broken by whoever
writes into the database. The hashes are computed here a second time, from the manual alone
(docs/reference/audit.md)."""
import hashlib
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, NO_LIMITS, START_SECONDS, Musterd

FIRST = hashlib.sha256(b"muster audit chain 1\n").digest()
MEMBERS = "org_id, seq, audit_id, at, actor, action, target, details"


def hash_of(previous, row):
    """Of one row, whose values stand in the order of MEMBERS."""
    text = b"muster audit row 1\n" + previous
    for value in row:
        octets = str(value).encode()
        text += b"%d:%s" % (len(octets), octets)
    return hashlib.sha256(text).digest()


class AuditChain(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-audit-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = Musterd(self.folder / "data", NO_LIMITS).start()
        self.addCleanup(self.server.kill)
        operator = self.server.operator()
        operator.must("POST", "/api/v1/orgs", {"name": "second"})
        for number in range(6):
            operator.must("POST", "/api/v1/keys", {"name": f"site-{number}", "org": 1 + number % 2})

    def muster(self, *arguments, stdin=None):
        return subprocess.run([str(BINARIES / "muster"), *map(str, arguments)], input=stdin,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=START_SECONDS, check=False)

    def ask(self, *arguments):
        done = self.muster(*arguments, "--server", f"http://127.0.0.1:{self.server.port}",
                           "--token-file", self.server.directory / "admin.token")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def export(self, name):
        path = self.folder / name
        path.write_text(self.ask("audit", "export"))
        return path

    def verify(self, path, *arguments):
        """The exit code and what was said, once as JSON."""
        done = self.muster("audit", "verify", path, *arguments, "--json")
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if told["broken"] else 0, done.stderr)
        return told

    def heads(self):
        return {head["org_id"]: head["head"] for head in json.loads(
            self.ask("audit", "heads", "--json"))}

    def while_stopped(self, change):
        """What somebody does to the database who can write to its file."""
        self.assertEqual(self.server.drain(), 0)
        with sqlite3.connect(self.server.directory / "muster.db") as database:
            for table in ("audit", "audit_links"):
                for name, in database.execute("SELECT name FROM sqlite_master WHERE type ="
                                              " 'trigger' AND tbl_name = ?", (table,)).fetchall():
                    database.execute(f"DROP TRIGGER {name}")
            change(database)
        self.server.start()

    @staticmethod
    def chain(database, org):
        return database.execute(f"SELECT {MEMBERS} FROM audit_links JOIN audit USING (org_id,"
                                " audit_id) WHERE org_id = ? ORDER BY seq", (org,)).fetchall()

    def forge(self, database):
        database.execute("UPDATE audit SET actor = 'operator:666' WHERE org_id = 1 AND audit_id ="
                         " (SELECT audit_id FROM audit_links WHERE org_id = 1 AND seq = 2)")

    def write_anew(self, database):
        """The forged row with all its hashes, as somebody would who knows the manual."""
        self.forge(database)
        previous = FIRST
        for row in self.chain(database, 1):
            previous = hash_of(previous, row)
            database.execute("UPDATE audit_links SET hash = ? WHERE org_id = 1 AND seq = ?",
                             (previous, row[1]))

    def test_the_hashes_are_those_that_the_manual_says(self):
        heads = self.heads()
        self.assertEqual(self.server.drain(), 0)
        with sqlite3.connect(self.server.directory / "muster.db") as database:
            for org, head in heads.items():
                previous = FIRST
                for row in self.chain(database, org):
                    previous = hash_of(previous, row)
                self.assertEqual(head, f"{org}:{row[1]}:{previous.hex()}")
        self.assertEqual(sorted(heads), [0, 1, 2])

    def test_an_untouched_log_is_proven_without_a_server(self):
        noted = self.heads()
        path = self.export("before.ndjson")
        told = self.verify(path)
        self.assertIsNone(told["broken"])
        self.assertEqual([head["head"] for head in told["heads"]], list(noted.values()))
        rows = self.server.operator().must("GET", "/api/v1/audit?limit=1000")["items"]
        self.assertEqual(told["rows"], len(rows))
        self.server.operator().must("POST", "/api/v1/keys", {"name": "later"})
        flags = [part for head in noted.values() for part in ("--head", head)]
        self.assertEqual(self.verify(self.export("after.ndjson"), *flags)["rows"], len(rows) + 1)
        later = self.ask("audit", "export", "--after", noted[1])
        self.assertEqual(json.loads(later.splitlines()[0])["action"], "keys.create")
        done = self.muster("audit", "verify", "-", "--head", noted[1], stdin=later)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_row_that_was_altered_in_the_database_is_named(self):
        self.while_stopped(self.forge)
        told = self.verify(self.export("forged.ndjson"))
        self.assertEqual((told["broken"]["org_id"], told["broken"]["seq"]), (1, 2))
        self.assertIn("by operator:666", told["broken"]["what"])
        done = self.muster("audit", "verify", self.folder / "forged.ndjson")
        self.assertEqual(done.returncode, 1)
        self.assertIn("row 2 of organisation 1 ", done.stderr)

    def test_a_row_that_was_deleted_is_named(self):
        self.while_stopped(lambda database: [database.execute(
            f"DELETE FROM {table} WHERE org_id = 1 AND audit_id = (SELECT audit_id FROM audit_links"
            " WHERE org_id = 1 AND seq = 2)") for table in ("audit", "audit_links")])
        told = self.verify(self.export("cut.ndjson"))
        self.assertIn("row 2 of organisation 1 is missing", told["broken"]["what"])

    def test_a_chain_that_was_written_anew_is_known_by_a_head_that_was_noted(self):
        noted = self.heads()
        self.while_stopped(self.write_anew)
        forged = self.export("anew.ndjson")
        self.assertIsNone(self.verify(forged)["broken"], "there is nothing to compare it with")
        told = self.verify(forged, "--head", noted[1])
        self.assertIn("the chain was written anew", told["broken"]["what"])
        self.assertIsNone(self.verify(forged, "--head", noted[2])["broken"])

    def test_a_database_that_lost_its_newest_rows_is_known_by_a_head_that_was_noted(self):
        noted = self.heads()
        self.while_stopped(lambda database: [database.execute(
            f"DELETE FROM {table} WHERE org_id = 2 AND audit_id = (SELECT max(audit_id) FROM"
            f" {table} WHERE org_id = 2)") for table in ("audit", "audit_links")])
        export = self.export("short.ndjson")
        self.assertIsNone(self.verify(export)["broken"])
        self.assertIn("missing", self.verify(export, "--head", noted[2])["broken"]["what"])

    def test_a_log_from_before_there_were_chains_is_linked_by_the_next_start(self):
        self.while_stopped(lambda database: database.execute("DELETE FROM audit_links"))
        [linked] = [event for event in self.server.events if event.get("event") == "audit_linked"]
        told = self.verify(self.export("linked.ndjson"))
        self.assertIsNone(told["broken"])
        self.assertEqual(told["rows"], linked["rows"])


if __name__ == "__main__":
    unittest.main()
