# SPDX-License-Identifier: Apache-2.0
"""`muster swarm` against a real server: a fleet of both dialects comes up, works and loses nothing."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from muster_process import BINARIES, ROOT, Musterd, all_pages

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402

AGENTS, SITE_HOSTS = 300, 30
RUN_SECONDS = 180

SCENARIO = f"""
[fleet]
agents = {AGENTS}
site_percent = 10
packages = 60
variants = 20
[time]
ramp_seconds = 3
warmup_seconds = 1
duration_seconds = 6
[agent]
heartbeat_seconds = 2
poll_seconds = 1
changes_seconds = 2
[work]
tasks_per_minute = 1200
task_seconds = 1
changes_per_day = 20000
"""

HOLDS = """
[assert]
errors = 0
up_percent = 100
offline = 0
results_per_second = 1
server_rss_mib = 4000
server_cpu_cores = 2
"""


class Swarm(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-swarm-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, **options):
        server = Musterd(self.folder / "data", **options).start()
        self.addCleanup(server.kill)
        return server

    def swarm(self, server, text, *flags):
        """The exit code, the outcome and what it complained about."""
        scenario = self.folder / "scenario.toml"
        scenario.write_text(text)
        scheme = "https" if server.certificate else "http"
        done = subprocess.run(
            [str(BINARIES / "muster"), "swarm", str(scenario), "--server",
             f"{scheme}://127.0.0.1:{server.port}", "--token-file",
             str(server.directory / "admin.token"), "--server-pid", str(server.process.pid),
             *flags, "--json"],
            capture_output=True, text=True, timeout=RUN_SECONDS)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def check_fleet(self, server, outcome):
        operator = server.operator()
        agents = all_pages(operator, "/api/v1/agents")
        self.assertEqual(len(agents), AGENTS - SITE_HOSTS)
        self.assertEqual({agent["presence"] for agent in agents}, {"online"})
        hosts = all_pages(operator, "/api/v1/hosts")
        self.assertEqual(len(hosts), AGENTS)
        self.assertEqual(outcome["online"], AGENTS - SITE_HOSTS)
        # What it was let in with is taken back.
        for token in all_pages(operator, "/api/v1/tokens"):
            self.assertEqual(token["status"], "revoked", token)

    def test_a_fleet_of_both_dialects_comes_up_and_loses_nothing(self):
        server = self.start()
        code, outcome, complaint = self.swarm(server, SCENARIO + HOLDS)
        self.assertEqual(code, 0, (complaint, outcome))
        self.assertTrue(outcome["passed"])
        self.assertEqual(outcome["errors"], 0)
        self.assertGreater(outcome["requests"], AGENTS * 6)
        self.assertGreater(outcome["server_cpu_cores"], 0)
        calls = {call["call"] for call in outcome["measured"]}
        self.assertLessEqual({"heartbeat", "poll", "announcement", "result", "report",
                              "site heartbeat", "site report", "tasks given"}, calls)
        self.check_fleet(server, outcome)

    def test_over_tls_and_back_after_the_power_failed(self):
        certificate = Certificate(self.folder)
        server = self.start(certificate=certificate, flags=certificate.flags())
        code, outcome, complaint = self.swarm(
            server, SCENARIO + "[faults]\nherd_at_seconds = 1\nherd_silence_seconds = 1\n"
            "herd_spread_seconds = 1\n[assert]\nerrors = 0\nup_percent = 100\n"
            "all_back_seconds = 30\n", "--ca-file", str(certificate.file))
        self.assertEqual(code, 0, (complaint, outcome))
        self.assertGreater(outcome["all_back_seconds"], 1)
        self.check_fleet(server, outcome)

    def test_a_limit_that_does_not_hold_is_exit_code_1_and_named(self):
        server = self.start()
        code, outcome, complaint = self.swarm(
            server, SCENARIO + "[assert]\np99_ms = 0\nerrors = 0\n", "--agents", "20",
            "--duration", "2s")
        self.assertEqual(code, 1)
        self.assertIn("1 of 2 limits", complaint)
        self.assertFalse(outcome["passed"])
        self.assertEqual([v["holds"] for v in outcome["verdicts"]], [False, True])

    def test_a_scenario_with_an_unknown_key_is_refused_before_anything_is_called(self):
        server = self.start()
        code, outcome, complaint = self.swarm(server, "[fleet]\nagent = 5\n")
        self.assertNotEqual(code, 0)
        self.assertIn("fleet.agent", complaint)
        self.assertIsNone(outcome)
        self.assertEqual(all_pages(server.operator(), "/api/v1/tokens"), [])


if __name__ == "__main__":
    unittest.main()
