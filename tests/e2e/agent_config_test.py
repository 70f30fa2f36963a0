# SPDX-License-Identifier: Apache-2.0
"""What a server sets on muster-agent, and takes from a host: configuration by hash, and an uninstall
that is told before anything goes."""
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, NO_LIMITS, START_SECONDS, Musterd


class AgentConfiguration(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-config-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = self.start()
        token = self.folder / "token"
        token.write_text(self.server.enrolment_token())
        done = self.agent("enroll", "--server", f"http://127.0.0.1:{self.server.port}",
                          "--token-file", token)
        self.id = done.stdout.split()[2]
        self.config = self.folder / "agent.toml"
        self.config.write_text("[intervals]\npoll_seconds = 7\n")

    def start(self):
        server = Musterd(self.folder / "data", NO_LIMITS).start()
        self.addCleanup(server.kill)
        return server

    def agent(self, verb, *arguments):
        done = subprocess.run(
            [str(BINARIES / "muster-agent"), verb, "--state-dir", str(self.folder / "state"),
             *map(str, arguments)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=2 * START_SECONDS,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def work(self):
        self.agent("run", "--once", "--config", self.config)

    def status(self):
        return json.loads(self.agent("status", "--json", "--config", self.config).stdout)

    def set(self, **settings):
        return self.server.operator().must(
            "PUT", f"/api/v1/settings?scope=host&target={self.shown()['asset_id']}", settings)

    def shown(self):
        return self.server.operator().must("GET", f"/api/v1/agents/{self.id}")

    def start_again(self):
        """After it ended; the agent is told of its new port."""
        self.server = self.start()
        identity = self.folder / "state/identity.json"
        said = json.loads(identity.read_text())
        said["server_url"] = f"http://127.0.0.1:{self.server.port}"
        identity.write_text(json.dumps(said))

    def test_settings_are_in_force_and_both_sides_say_so(self):
        self.work()
        self.assertIsNone(self.shown()["config"])
        self.set(agent_heartbeat_seconds=120, agent_poll_seconds=300, agent_inventory_skip="go,npm")
        self.work()
        self.work()
        told = self.shown()["config"]
        self.assertEqual((told["state"], told["error"]), ("in_force", ""))
        self.assertEqual(told["hash"], told["wanted_hash"])
        config = self.status()["config"]
        self.assertEqual(config["intervals.heartbeat_seconds"], {"value": "120", "from": "server"})
        self.assertEqual(config["intervals.poll_seconds"], {"value": "7", "from": "file"})
        self.assertEqual(config["inventory.skip"], {"value": "go,npm", "from": "server"})
        self.assertEqual(config["log.level"], {"value": "info", "from": "default"})
        self.set(agent_heartbeat_seconds=None, agent_poll_seconds=None, agent_inventory_skip=None)
        self.work()
        self.work()
        self.assertEqual(self.shown()["config"]["hash"], "")
        self.assertEqual(self.status()["config"]["intervals.heartbeat_seconds"]["from"], "default")

    def test_an_identity_begins_without_the_settings_of_the_one_before(self):
        self.work()
        self.set(agent_heartbeat_seconds=120)
        self.work()
        self.assertEqual(self.status()["config"]["intervals.heartbeat_seconds"]["from"], "server")
        token = self.folder / "token"
        token.write_text(self.server.enrolment_token())
        self.agent("enroll", "--again", "--server", f"http://127.0.0.1:{self.server.port}",
                   "--token-file", token)
        self.assertEqual(self.status()["config"]["intervals.heartbeat_seconds"]["from"], "default")

    def test_what_the_host_refuses_changes_nothing_and_is_shown(self):
        self.set(agent_heartbeat_seconds=120)
        self.work()
        # Whoever writes the server's database gets past the server's own bounds.
        self.server.drain()
        database = sqlite3.connect(self.folder / "data/muster.db", timeout=START_SECONDS)
        with database:
            changed = database.execute(
                "UPDATE settings SET value = '1' WHERE name = 'agent_heartbeat_seconds'").rowcount
        database.close()
        self.assertEqual(changed, 1)
        self.start_again()
        self.work()
        self.work()
        told = self.shown()["config"]
        self.assertEqual(told["state"], "refused")
        self.assertEqual(told["error"], "agent_heartbeat_seconds: must be an integer between 10 and 3600")
        self.assertEqual(self.status()["config"]["intervals.heartbeat_seconds"]["value"], "120")
        events = self.server.operator().must("GET", "/api/v1/events?type=config_refused")["items"]
        self.assertEqual(len(events), 2, "one for each start of the agent")

    def uninstall(self, **more):
        return self.server.operator().must(
            "POST", "/api/v1/tasks",
            {"type": "uninstall", "agent_ids": [self.id], **more})["task_ids"][0]

    def test_an_uninstall_that_is_not_allowed_is_refused(self):
        task = self.uninstall()
        self.work()
        shown = self.server.operator().must("GET", f"/api/v1/tasks/{task}")
        self.assertEqual(shown["status"], "failed")
        self.assertIn("does not allow uninstall", shown["error"])
        self.assertTrue((self.folder / "state/identity.json").exists())

    def test_an_uninstall_is_told_and_then_the_identity_goes(self):
        self.config.write_text('[policy]\nallow = ["uninstall"]\n')
        task = self.uninstall(command="cleanup")
        self.work()
        shown = self.server.operator().must("GET", f"/api/v1/tasks/{task}")
        self.assertEqual(shown["status"], "completed")
        self.assertEqual(self.shown()["status"], "uninstalled")
        self.assertFalse((self.folder / "state/identity.json").exists())
        self.assertTrue((self.folder / f"state/journal/{task}.json").exists(), "nobody said purge")
        self.assertTrue(self.config.exists())
        self.assertTrue((BINARIES / "muster-agent").exists(), "it is not the installed program")

    def test_a_purge_that_the_owner_allows_takes_the_state_too(self):
        self.config.write_text('[policy]\nallow = ["uninstall"]\npurge_on_uninstall = true\n')
        self.uninstall(command="cleanup")
        self.work()
        self.assertEqual(list((self.folder / "state").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
