# SPDX-License-Identifier: Apache-2.0
"""muster backup and restore: a running server goes into a file and comes back in another place."""
import json
import pathlib
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, Musterd, agent_headers


class Backup(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-backup-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data, self.other = self.folder / "data", self.folder / "other"
        self.file = self.folder / "fleet.db"

    def muster(self, *arguments, code=0, cwd=None):
        done = subprocess.run([str(BINARIES / "muster"), *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, cwd=cwd)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def server_on(self, data):
        server = Musterd(data).start()
        self.addCleanup(server.kill)
        return server

    def fill_and_back_up(self):
        """The enrolled agents of a server that runs on."""
        server = self.server_on(self.data)
        token = server.enrolment_token()
        agents = [server.enrol(token, f"host-{number}") for number in range(3)]
        self.muster("backup", self.file, "--data", self.data, "--with-secret")
        return agents

    def test_a_running_server_comes_back_elsewhere_and_its_agents_keys_work(self):
        agents = self.fill_and_back_up()
        told = self.muster("restore", self.file, "--data", self.other, "--json")
        self.assertEqual(json.loads(told.stdout)["agents"], 3)
        self.assertEqual({entry.name for entry in self.other.iterdir()},
                         {"muster.db", "secret", "lock"})
        again = self.server_on(self.other)
        for agent in agents:
            again.caller(agent_headers(agent)).must(
                "POST", "/api/agent/heartbeat", {"status": "idle", "agent_version": "1.0.0"})
        token = (self.data / "admin.token").read_text().strip()
        rows = again.caller({"Authorization": f"Bearer {token}"}).must("GET", "/api/v1/audit")
        self.assertIn("store.restore", [row["action"] for row in rows["items"]])

    def test_a_relative_place_will_do(self):
        self.fill_and_back_up()
        self.muster("restore", self.file.name, "--data", self.other.name, cwd=self.folder)
        self.assertTrue((self.other / "muster.db").exists())

    def test_nothing_that_is_there_is_touched(self):
        self.fill_and_back_up()
        self.muster("restore", self.file, "--data", self.other)
        again = self.muster("restore", self.file, "--data", self.other, code=2)
        self.assertIn("holds a server's data already", again.stderr)
        full = self.folder / "full"
        full.mkdir()
        (full / "notes.txt").write_text("mine")
        refused = self.muster("restore", self.file, "--data", full, code=2)
        self.assertIn("is not empty: it holds notes.txt", refused.stderr)
        self.assertEqual([entry.name for entry in full.iterdir()], ["notes.txt"])

    def test_one_that_failed_leaves_nothing_behind(self):
        self.fill_and_back_up()
        wrong = self.folder / "wrong"
        wrong.write_bytes(b"x" * 32)
        wrong.chmod(0o600)
        self.muster("restore", self.file, "--data", self.other, "--secret-file", wrong, code=1)
        self.assertFalse(self.other.exists())
        with self.file.open("r+b") as damaged:
            damaged.seek(4096 * 3 + 3)
            damaged.write(b"\xff" * 5)
        self.other.mkdir()
        self.muster("restore", self.file, "--data", self.other, code=1)
        self.assertEqual(list(self.other.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
