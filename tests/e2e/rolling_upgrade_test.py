# SPDX-License-Identifier: Apache-2.0
"""One server after the other goes from the release before to this one, under load, on one
PostgreSQL. MUSTER_OLD_BIN is the folder of the older release's binaries; without it there is
nothing to upgrade from, and the test says so."""
import os
import pathlib
import time
import unittest

from many_servers import Load, Servers, import_feed
from muster_process import BINARIES, Musterd, agent_headers
from postgres_process import NOT_INSTALLED

OLD = pathlib.Path(os.environ.get("MUSTER_OLD_BIN", ""))
NOT_GIVEN = None if (OLD / "musterd").is_file() else \
    "MUSTER_OLD_BIN names no folder with the musterd of the release before"
BEAT = {"status": "idle", "agent_version": "1.0.0"}
ENOUGH = 300


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
@unittest.skipIf(NOT_GIVEN, NOT_GIVEN)
class RollingUpgrade(unittest.TestCase):
    def upgrade(self, server):
        self.assertEqual(server.drain(), 0)
        server.binaries = BINARIES
        server.start()

    def at_work(self, load):
        """Until the load had ENOUGH more of its writes acknowledged."""
        self.assertTrue(load.tally.wait_for(load.tally.count + ENOUGH), load.tally.failures)

    def check_together(self, newer, older):
        """What one of them is told, the other knows, both ways."""
        for first, second in ((newer, older), (older, newer)):
            operator = self.servers.operator(first)
            token = operator.must("POST", "/api/v1/tokens",
                                  {"ttl_seconds": 600, "max_uses": 9})["token"]
            agent = second.enrol(token, f"between-{first.directory.name}")
            works = second.caller(agent_headers(agent))
            works.must("POST", "/api/agent/heartbeat", BEAT)
            [task] = operator.must("POST", "/api/v1/tasks", {
                "type": "execute_command", "agent_ids": [agent["agent_id"]],
                "command": "true"})["task_ids"]
            Musterd.wait_for(lambda: works.ask("GET", "/api/agent/tasks").status == 200)
            works.must("POST", f"/api/agent/tasks/{task}/result",
                       {"exit_code": 0, "stdout": "done", "stderr": ""})
            result = operator.must("GET", f"/api/v1/tasks/{task}")["result"]
            self.assertEqual(result["stdout"], "done")
            operator.must("POST", f"/api/v1/agents/{agent['agent_id']}/disable", {})
            self.assertEqual(works.ask("POST", "/api/agent/heartbeat", BEAT).status, 401)

    def test_an_upgrade_under_load_loses_nothing_and_both_releases_serve_beside_each_other(self):
        self.servers = Servers(2)
        self.addCleanup(self.servers.close)
        a, b = self.servers.all
        for server in (a, b):
            server.binaries = OLD
            server.start()
        operator_b = self.servers.operator(b)
        import_feed(operator_b)
        at_old = Load(operator_b, "old", (b, b), b).start()
        self.at_work(at_old)

        begun = time.monotonic()
        self.upgrade(a)     # the newer migrations run while b serves
        first = time.monotonic() - begun
        operator_a = self.servers.operator(a)
        at_new = Load(operator_a, "new", (a, a), a).start()
        self.at_work(at_old)
        self.at_work(at_new)
        self.check_together(a, b)

        at_old.stop()
        self.upgrade(b)
        self.at_work(at_new)
        at_new.stop()
        at_old.operator = at_new.operator
        results = at_old.check(self, a) + at_new.check(self, b)
        print(f"[{at_old.tally.count} and {at_new.tally.count} writes acknowledged, {results} of"
              f" them results; the first server was away for {first:.1f} s] ", end="", flush=True)


if __name__ == "__main__":
    unittest.main()
