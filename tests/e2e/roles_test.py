# SPDX-License-Identifier: Apache-2.0
"""Operators from the command line: of one organisation alone, and two people for risky work."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, START_SECONDS, Musterd, agent_headers


class Operators(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-roles-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"
        self.server = Musterd(self.data).start()
        self.addCleanup(self.server.kill)
        self.owner = (self.data / "admin.token").read_text().strip()

    def muster(self, token, *arguments, org=""):
        environment = {**os.environ, "MUSTER_URL": f"http://127.0.0.1:{self.server.port}",
                       "MUSTER_TOKEN": token, "MUSTER_ORG": org}
        return subprocess.run([str(BINARIES / "muster"), *arguments, "--json"], text=True,
                              timeout=START_SECONDS, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env=environment)

    def answer(self, token, *arguments, org=""):
        ended = self.muster(token, *arguments, org=org)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def refusal(self, token, *arguments, org=""):
        ended = self.muster(token, *arguments, org=org)
        self.assertEqual(ended.returncode, 1, ended.stdout)
        return json.loads(ended.stderr)["error"]

    def enrol(self, hostname, *where):
        token = self.answer(self.owner, "tokens", "create", *where)["token"]
        return self.server.enrol(token, hostname)

    def names(self, token, org=""):
        return [host["hostname"] for host in self.answer(token, "hosts", "list", org=org)]

    def test_an_operator_of_one_organisation_sees_and_does_nothing_in_another(self):
        self.answer(self.owner, "orgs", "create", "--name", "acme")
        here = self.enrol("acme-1", "--org", "acme")
        there = self.enrol("other-1")
        ada = self.answer(self.owner, "operators", "create", "--name", "ada", "--role", "admin",
                          "--org", "acme")
        token = ada["token"]
        self.assertEqual(self.names(token), ["acme-1"])
        self.assertEqual([org["name"] for org in self.answer(token, "orgs", "list")], ["acme"])
        self.assertEqual(self.refusal(token, "agents", "show", there["agent_id"]), "not_found")
        self.assertEqual(self.refusal(token, "hosts", "show", "other-1"), "not_found")
        self.assertEqual(self.refusal(token, "hosts", "list", "--org", "default"), "not_found")
        self.assertEqual(self.refusal(token, "orgs", "create", "--name", "mine"),
                         "insufficient_role")
        self.answer(token, "agents", "disable", here["agent_id"])
        # An administrator there appoints for it, and not above itself.
        bob = self.answer(token, "operators", "create", "--name", "bob", "--role", "read_only")
        self.assertEqual(self.names(bob["token"]), ["acme-1"])
        grant = ("operators", "grant", str(bob["id"]), "--org", "acme", "--role")
        self.assertEqual(self.refusal(token, *grant, "owner"), "insufficient_role")
        self.answer(token, *grant, "analyst")
        # A role in a second one holds at once, and then one says which is meant.
        self.answer(self.owner, "operators", "grant", str(ada["id"]), "--org", "default",
                    "--role", "read_only")
        self.assertEqual(self.refusal(token, "hosts", "list"), "invalid_field")
        self.assertEqual(self.names(token, org="default"), ["other-1"])
        self.assertEqual(self.names(token, org="acme"), ["acme-1"])
        self.assertEqual(self.answer(token, "agents", "show", there["agent_id"])["hostname"],
                         "other-1")
        self.answer(self.owner, "operators", "revoke-grant", str(ada["id"]), "--org", "default")
        self.assertEqual(self.refusal(token, "agents", "show", there["agent_id"]), "not_found")
        me = str(self.server.operator().must("GET", "/api/v1/me")["operator_id"])
        self.assertEqual(self.refusal(self.owner, "operators", "revoke", me), "illegal_transition")

    def test_a_command_waits_until_somebody_else_approves_it(self):
        enrolled = self.enrol("web-1")
        agent = self.server.caller(agent_headers(enrolled))
        first = self.answer(self.owner, "operators", "create", "--name", "ada", "--role",
                            "operator")["token"]
        second = self.answer(self.owner, "operators", "create", "--name", "bob", "--role",
                             "operator")["token"]
        self.assertEqual(self.refusal(first, "settings", "set", "--scope", "org",
                                      "task_approval=risky"), "insufficient_role")
        self.answer(self.owner, "settings", "set", "--scope", "org", "task_approval=risky")
        order = ("tasks", "create", "--type", "execute_command", "--agent", enrolled["agent_id"],
                 "--command")
        created = self.answer(first, *order, "echo approved")
        self.assertEqual(created["pending_approval"], 1)
        task = created["task_ids"][0]
        self.assertEqual(agent.ask("GET", "/api/agent/tasks").status, 204)
        waiting = self.answer(second, "tasks", "list", "--status", "pending_approval")
        self.assertEqual([each["id"] for each in waiting], [task])
        self.assertEqual(self.answer(second, "tasks", "show", task)["payload"]["command"],
                         "echo approved")
        self.assertEqual(self.refusal(first, "tasks", "approve", task), "insufficient_role")
        # What is decided holds over a crash.
        self.answer(second, "tasks", "approve", task, "--reason", "as agreed")
        self.server.kill()
        self.server.start()
        agent = self.server.caller(agent_headers(enrolled))
        self.assertEqual(agent.must("GET", "/api/agent/tasks")["data"]["id"], task)
        rejected = self.answer(first, *order, "echo rejected")["task_ids"][0]
        self.answer(second, "tasks", "reject", rejected)
        self.assertEqual(self.answer(first, "tasks", "show", rejected)["status"], "cancelled")
        self.assertEqual(agent.ask("GET", "/api/agent/tasks").status, 204)


if __name__ == "__main__":
    unittest.main()
