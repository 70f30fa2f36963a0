# SPDX-License-Identifier: Apache-2.0
"""No owner's token is good any more: one is appointed on the server's machine, and renews the others."""
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, Musterd
from postgres_process import NOT_INSTALLED, Postgres


def appoint(*arguments):
    return subprocess.run([str(BINARIES / "muster"), "operators", "create", "--name", "ada", "--role",
                           "owner", "--json", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)


class LostOwner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-owner-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"

    def server(self, **how):
        server = Musterd(self.data, **how).start()
        self.addCleanup(server.kill)
        return server

    def test_of_an_embedded_store(self):
        server = self.server()
        held = appoint("--data", self.data)
        self.assertEqual(held.returncode, 2)
        self.assertIn("stop it first", held.stderr)
        self.assertEqual(server.drain(), 0)
        with sqlite3.connect(self.data / "muster.db") as database:
            database.execute("UPDATE operator_tokens SET expires_at = created_at + 1")
        server = self.server()
        self.assertEqual(server.operator().ask("GET", "/api/v1/me").status, 401)
        self.assertEqual(server.drain(), 0)

        done = appoint("--data", self.data)
        self.assertEqual(done.returncode, 0, done.stderr)
        server = self.server()
        ada = server.caller({"Authorization": f"Bearer {json.loads(done.stdout)['token']}"})
        self.assertEqual(ada.must("GET", "/api/v1/me")["role"], "owner")
        [first] = [each for each in ada.must("GET", "/api/v1/operators")["items"]
                   if each["name"] == "bootstrap"]
        ada.must("POST", f"/api/v1/operators/{first['id']}/renew", {})
        self.assertEqual(server.operator().must("GET", "/api/v1/me")["name"], "bootstrap")

    def test_what_is_no_store_gets_none(self):
        self.data.mkdir()
        refused = appoint("--data", self.data)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("there is no embedded store", refused.stderr)
        self.assertFalse((self.data / "secret").exists())

    @unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
    def test_of_a_postgresql_store_beside_a_server(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        url = postgres.create_database("fleet")
        server = self.server(flags=("--store", url))
        done = appoint("--data", self.data, "--store", url)
        self.assertEqual(done.returncode, 0, done.stderr)
        ada = server.caller({"Authorization": f"Bearer {json.loads(done.stdout)['token']}"})
        Musterd.wait_for(lambda: ada.ask("GET", "/api/v1/me").status == 200)


if __name__ == "__main__":
    unittest.main()
