# SPDX-License-Identifier: Apache-2.0
"""Starting: what musterd refuses with exit code 2, and what it says of itself once it runs."""
import pathlib
import stat
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, NO_LIMITS, START_SECONDS, Musterd


def run(*arguments):
    return subprocess.run([str(BINARIES / "musterd"), *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=START_SECONDS,
                          check=False)


class Starting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-start-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"

    def start(self, config=NO_LIMITS):
        server = Musterd(self.data, config).start()
        self.addCleanup(server.kill)
        return server

    def test_a_second_server_on_the_same_directory_exits_2(self):
        server = self.start()
        second = run("--data", self.data, "--listen", "127.0.0.1:0")
        self.assertEqual(second.returncode, 2)
        self.assertIn(str(self.data), second.stderr)
        self.assertEqual(server.caller().ask("GET", "/healthz").status, 200)

    def test_the_directory_is_free_again_after_a_kill(self):
        server = self.start()
        token = server.operator().headers
        server.kill()
        server.start()
        self.assertEqual(server.operator().headers, token)
        server.operator().must("GET", "/api/v1/agents")

    def test_an_unknown_configuration_key_exits_2_and_is_named(self):
        config = self.folder / "muster.toml"
        config.write_text("[limits]\nreport_per_minute = 60\nreports_per_minute = 60\n")
        ended = run("--data", self.data, "--listen", "127.0.0.1:0", "--config", config)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("reports_per_minute", ended.stderr)
        self.assertFalse(self.data.exists())

    def test_a_configuration_value_out_of_bounds_exits_2_and_is_named(self):
        config = self.folder / "muster.toml"
        config.write_text("[limits]\nclock_skew_seconds = -1\n")
        ended = run("--data", self.data, "--listen", "127.0.0.1:0", "--config", config)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("clock_skew_seconds", ended.stderr)

    def test_an_unknown_flag_exits_2(self):
        self.assertEqual(run("--data", self.data, "--fast").returncode, 2)

    def test_listening_off_loopback_without_a_proxy_exits_2(self):
        ended = run("--data", self.data, "--listen", "0.0.0.0:0")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("--behind-proxy", ended.stderr)

    def test_an_address_that_no_agent_can_call_exits_2_without_a_server_url(self):
        for flags in (["--listen", "0.0.0.0:0"], ["--listen", "[::]:0"],
                      ["--listen", "127.0.0.1:0", "--behind-proxy"]):
            with self.subTest(flags=flags):
                ended = run("--data", self.data, "--tls-cert", "cert.pem", "--tls-key", "key.pem",
                            *flags)
                self.assertEqual(ended.returncode, 2)
                self.assertIn("--server-url", ended.stderr)
                self.assertFalse(self.data.exists())

    def test_a_server_url_that_no_agent_can_call_exits_2(self):
        for url in ("muster.example", "ftp://muster.example", "https://muster.example/console"):
            with self.subTest(url=url):
                ended = run("--data", self.data, "--listen", "127.0.0.1:0", "--server-url", url)
                self.assertEqual(ended.returncode, 2)
                self.assertIn(f"--server-url: {url}: ", ended.stderr)
                self.assertFalse(self.data.exists())

    def test_a_name_to_listen_on_exits_2(self):
        ended = run("--data", self.data, "--listen", "localhost:0")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("numeric address", ended.stderr, "and nothing of plain HTTP")

    def test_a_directory_in_place_of_the_configuration_exits_2(self):
        ended = run("--data", self.data, "--listen", "127.0.0.1:0", "--config", self.folder)
        self.assertEqual(ended.returncode, 2, "limits that were set would else be none")
        self.assertIn("Is a directory", ended.stderr)
        self.assertFalse(self.data.exists())

    def test_secrets_are_for_the_owner_alone(self):
        self.start()
        for name in ("admin.token", "secret", "muster.db"):
            mode = stat.S_IMODE((self.data / name).stat().st_mode)
            self.assertEqual(mode & 0o077, 0, f"{name}: {mode:o}")
        self.assertEqual(stat.S_IMODE(self.data.stat().st_mode) & 0o077, 0)

    def test_health_readiness_and_metrics(self):
        server = self.start()
        caller = server.caller()
        self.assertEqual(caller.must("GET", "/healthz"), {"status": "ok"})
        self.assertEqual(caller.must("GET", "/readyz"), {"status": "ready"})
        server.enrol(server.enrolment_token(), "host-1")
        metrics = caller.ask("GET", "/metrics")
        self.assertEqual(metrics.status, 200)
        self.assertTrue(metrics.headers["Content-Type"].startswith("text/plain"))
        values = dict(line.split() for line in metrics.body.splitlines() if line[:1] != "#")
        self.assertEqual(values["muster_agents"], "1")
        self.assertGreaterEqual(int(values["muster_requests_total"]), 5)

    def test_a_drain_without_load_exits_0(self):
        server = self.start()
        self.assertEqual(server.drain(), 0)
        self.assertEqual(server.events[-1]["event"], "server_stopped")


if __name__ == "__main__":
    unittest.main()
