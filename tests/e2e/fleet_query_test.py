# SPDX-License-Identifier: Apache-2.0
"""One query from the command line to the agents' tasks: preview, targets, a saved view."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, START_SECONDS, Musterd, agent_headers

QUERY = "hostname:web-* -tag:canary package:openssl<3.0.11"


class FleetQuery(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-query-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"
        self.server = Musterd(self.data).start()
        self.addCleanup(self.server.kill)
        token = self.server.enrolment_token()
        self.agents = {}
        for name, openssl in (("web-1", "3.0.9-1"), ("web-2", "3.0.11-1"), ("web-3", "3.0.9-1"),
                              ("db-1", "3.0.9-1")):
            enrolled = self.agents[name] = self.server.enrol(token, name)
            self.server.caller(agent_headers(enrolled)).must(
                "POST", "/api/agent/inventory",
                {"hostname": name, "os": "Debian GNU/Linux 12 (bookworm)",
                 "software": [{"name": "openssl", "version": openssl, "ecosystem": "deb"}]})

    def muster(self, *arguments):
        return subprocess.run(
            [str(BINARIES / "muster"), *arguments, "--json"], text=True, timeout=START_SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            env={**os.environ, "MUSTER_URL": f"http://127.0.0.1:{self.server.port}",
                 "MUSTER_TOKEN": (self.data / "admin.token").read_text().strip()})

    def answer(self, *arguments):
        ended = self.muster(*arguments)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def names(self, *arguments):
        return [host["hostname"] for host in self.answer("hosts", "list", *arguments)]

    def test_what_a_dry_run_names_is_what_gets_the_work(self):
        self.answer("agents", "tag", self.agents["web-3"]["agent_id"], "--add", "canary")
        self.assertEqual(self.names("--query", QUERY), ["web-1"])
        order = ("tasks", "create", "--type", "execute_command", "--command", "true",
                 "--query", QUERY)
        meant = self.answer(*order, "--dry-run")
        self.assertEqual([each["hostname"] for each in meant["agents"]], ["web-1"])
        self.assertEqual(self.answer("tasks", "list"), [])
        created = self.answer(*order)["task_ids"]
        self.assertEqual([each["hostname"] for each in self.answer("tasks", "list")], ["web-1"])
        tasks = self.server.caller(agent_headers(self.agents["web-1"])).must(
            "GET", "/api/agent/tasks")
        self.assertIn(created[0], json.dumps(tasks))

    def test_a_view_means_what_its_query_means(self):
        self.answer("views", "set", "old openssl", "package:openssl<3.0.11")
        self.assertEqual(self.names("--view", "old openssl"), ["web-1", "web-3", "db-1"])
        self.assertEqual(self.names("--view", "old openssl", "--query", "db"), ["db-1"])
        self.answer("views", "delete", "old openssl")
        self.assertEqual(self.muster("hosts", "list", "--view", "old openssl").returncode, 1)

    def test_a_mistake_is_told_with_its_place(self):
        ended = self.muster("hosts", "list", "--query", "os:linux (")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("at character 11: expected a term", ended.stderr + ended.stdout)


if __name__ == "__main__":
    unittest.main()
