# SPDX-License-Identifier: Apache-2.0
"""muster store copy: an embedded store moves to PostgreSQL, also when it is killed half-way."""
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import time
import unittest

from agents_at_work import FEED, ReportsInventory, Tally, WrittenFacts, rng_for
from muster_process import BINARIES, Musterd, agent_headers
from postgres_process import NOT_INSTALLED, Postgres

EVENTS = 150_000    # enough that a copy takes seconds


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class StoreCopy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="muster-copy-")
        self.addCleanup(self.folder.cleanup)
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.url = self.postgres.create_database("fleet")
        self.data = pathlib.Path(self.folder.name) / "data"

    def fill(self):
        server = Musterd(self.data).start()
        self.addCleanup(server.kill)
        server.operator().must("POST", "/api/v1/feeds/debian", FEED)
        token = server.enrolment_token()
        self.agents = [server.enrol(token, f"host-{number}") for number in range(20)]
        for agent in self.agents[:10]:
            server.caller(agent_headers(agent)).must(
                "POST", "/api/agent/heartbeat", {"status": "idle", "agent_version": "1.0.0"})
        [self.task] = server.create_tasks(self.agents[0]["agent_id"], 1)
        self.site_key = server.site_key()
        hosts = {f"reported-{number}": None for number in range(5)}
        tally = Tally()
        site = ReportsInventory(server.caller({"X-Agent-Key": self.site_key}), rng_for(4, "site"),
                                tally, hosts)
        while tally.count < 40:
            site.step()
        self.hosts = site.hosts
        self.assertEqual(server.drain(), 0)
        with sqlite3.connect(self.data / "muster.db") as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(events)")]
            [pattern] = database.execute("SELECT * FROM events LIMIT 1")
            place = columns.index("event_id")
            last, = database.execute("SELECT max(event_id) FROM events").fetchone()
            database.executemany(
                f"INSERT INTO events VALUES ({', '.join('?' * len(columns))})",
                (pattern[:place] + (last + 1 + number,) + pattern[place + 1:]
                 for number in range(EVENTS)))

    def copy(self, **how):
        return subprocess.Popen(
            [str(BINARIES / "muster"), "store", "copy", "--data", str(self.data), "--to", self.url,
             "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)

    def copied(self):
        try:
            return int(self.postgres.query("fleet", "SELECT count(*) FROM events")[0][0])
        except AssertionError:
            return 0    # there is no such table yet

    def test_a_copy_that_was_killed_goes_on_and_a_server_runs_on_it(self):
        self.fill()
        first = self.copy()
        self.addCleanup(first.kill)
        Musterd.wait_for(lambda: self.copied() > 0 or first.poll() is not None)
        first.kill()
        first.communicate()
        # What the session did until it noticed is there, too.
        Musterd.wait_for(lambda: self.postgres.query(
            "fleet", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'fleet'"
            " AND pid <> pg_backend_pid()") == [["0"]])
        self.assertLess(self.copied(), EVENTS, "it was over before it was killed")
        flags = ("--store", self.url, "--secret-file", str(self.data / "secret"))
        half = Musterd(pathlib.Path(self.folder.name) / "half", flags=flags)
        with self.assertRaisesRegex(AssertionError, "is being copied into this database"):
            half.start()

        begun = time.monotonic()
        done = self.copy()
        out, err = done.communicate(timeout=300)
        self.assertEqual(done.returncode, 0, err)
        took = time.monotonic() - begun
        told = json.loads(out)
        self.assertGreater(told["rows_before"], 0)
        rows = {table["name"]: table["rows"] for table in told["tables"]}
        self.assertGreaterEqual(rows["events"], EVENTS)
        with sqlite3.connect(self.data / "muster.db") as database:
            for table, count in rows.items():
                self.assertEqual(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0],
                                 count, table)
        again = self.copy()
        self.assertIn("not empty", again.communicate(timeout=60)[1])
        self.assertNotEqual(again.returncode, 0)

        server = Musterd(pathlib.Path(self.folder.name) / "moved", flags=flags).start()
        self.addCleanup(server.kill)
        token = (self.data / "admin.token").read_text().strip()
        operator = server.caller({"Authorization": f"Bearer {token}"})
        facts = WrittenFacts(self, operator)
        for agent in self.agents:
            facts.key_works(server, agent)
        polled = server.caller(agent_headers(self.agents[0])).must("GET", "/api/agent/tasks")
        self.assertEqual(polled["data"]["id"], self.task, "its payload is still sealed for it")
        for hostname, packages in self.hosts.items():
            self.assertEqual(facts.software(hostname), packages, hostname)
        server.caller({"X-Agent-Key": self.site_key}).must(
            "POST", "/api/agent/report", {"hostname": "later", "os": "Debian", "software": []})
        print(f"[{told['rows']} rows, the rest of them in {took:.1f} s] ", end="", flush=True)


if __name__ == "__main__":
    unittest.main()
