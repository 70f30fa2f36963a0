# SPDX-License-Identifier: Apache-2.0
"""Feeds that the server fetches: from a mirror over HTTPS, from a directory, and when they fail."""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from https_server import HttpsServer
from muster_process import BINARIES, ROOT, START_SECONDS, Musterd, all_pages

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402

KEV = "known_exploited_vulnerabilities.json"
TRACKER = "debian-tracker.json"


class Mirror(HttpsServer):
    """Serves a folder over HTTPS on loopback, with dates and 304. `asked`: path and status."""

    def __init__(self, folder, certificate):
        self.asked = asked = []

        class Files(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments, **named):
                super().__init__(*arguments, directory=str(folder), **named)

            def log_request(self, code="-", size="-"):
                asked.append((self.path, int(code)))

            def log_message(self, *_):
                pass
        super().__init__(Files, certificate)


class FeedSync(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-sync-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.files = self.folder / "mirror"
        self.files.mkdir()
        for name in (KEV, TRACKER):
            (self.files / name).write_bytes((ROOT / "examples/feeds" / name).read_bytes())
        self.certificate = Certificate(self.folder)
        self.mirror = Mirror(self.files, self.certificate)
        self.addCleanup(self.mirror.stop)

    def config(self, allow='allow = ["127.0.0.1"]', hours=0):
        return f"""
[egress]
{allow}
ca_file = "{self.certificate.file}"
[feeds]
sync_hours = {hours}
kev = ["{self.mirror.url}"]
debian = ["{self.mirror.url}"]
epss = ["{self.files}/none"]
nvd = ["{self.files}/none"]
osv = ["{self.files}/none"]
"""

    def start(self, config):
        server = Musterd(self.folder / "data", config).start()
        self.addCleanup(server.kill)
        return server

    def feed(self, operator, kind):
        return next(feed for feed in all_pages(operator, "/api/v1/feeds") if feed["kind"] == kind)

    def sync(self, server, operator, kind, **order):
        operator.must("POST", f"/api/v1/feeds/{kind}/sync", order, (202,))
        server.wait_for(lambda: self.feed(operator, kind)["state"] == "idle")
        return self.feed(operator, kind)

    def muster(self, *arguments):
        return subprocess.run([str(BINARIES / "muster"), *map(str, arguments)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=START_SECONDS, check=False, env=dict(os.environ))

    def test_from_a_mirror_findings_appear_and_what_is_unchanged_is_not_fetched_again(self):
        server = self.start(self.config())
        operator = server.operator()
        site = server.caller({"X-Agent-Key": server.site_key()})
        site.must("POST", "/api/agent/report", {
            "hostname": "web-1", "os": {"name": "Debian GNU/Linux", "version": "12"},
            "software": [{"name": "libwebp7", "version": "1.2.4-0.2", "vendor": "Debian",
                          "ecosystem": "deb", "distro": "debian:12", "source_name": "libwebp"}]})
        tracker = self.sync(server, operator, "debian")
        self.assertEqual(tracker["failures"], 0, tracker["failure"])
        self.assertGreater(tracker["records"], 0)
        self.assertTrue(tracker["last_modified"])
        found = all_pages(operator, "/api/v1/findings")
        self.assertIn("CVE-2023-4863", [each["cve"] for each in found])
        self.assertEqual(self.sync(server, operator, "kev")["failures"], 0)
        self.assertTrue(all_pages(operator, "/api/v1/findings?kev=true"))

        again = self.sync(server, operator, "debian")
        self.assertEqual(again["imported_at"], tracker["imported_at"])
        self.assertEqual(self.mirror.asked[-1], ("/" + TRACKER, 304))
        metrics = server.caller().ask("GET", "/metrics").body
        self.assertIn('muster_feed_sync_failures{feed="debian"} 0', metrics)
        self.assertIn('muster_feed_age_seconds{feed="kev"}', metrics)

    def test_a_failure_is_shown_told_once_and_over_when_it_is(self):
        server = self.start(self.config())
        operator = server.operator()
        (self.files / KEV).rename(self.folder / KEV)
        for failures in (1, 2):
            feed = self.sync(server, operator, "kev")
            self.assertEqual(feed["failures"], failures)
            self.assertIn("404", feed["failure"])
            self.assertIsNone(feed["imported_at"])
        (self.folder / KEV).rename(self.files / KEV)
        self.assertEqual(self.sync(server, operator, "kev")["failures"], 0)
        told = [event["type"] for event in all_pages(operator, "/api/v1/events")]
        self.assertEqual([each for each in told if each.startswith("feed_sync")],
                         ["feed_sync_recovered", "feed_sync_failed"])

    def test_loopback_is_not_called_unless_allowed(self):
        server = self.start(self.config(allow=""))
        feed = self.sync(server, server.operator(), "kev")
        self.assertIn("[egress] allow", feed["failure"])
        self.assertEqual(self.mirror.asked, [])

    def test_the_schedule_syncs_by_itself_and_what_was_asked_for_survives_a_kill(self):
        server = self.start(self.config(hours=1))
        operator = server.operator()
        server.wait_for(lambda: self.feed(operator, "kev")["imported_at"] is not None)
        server.wait_for(lambda: self.feed(operator, "osv")["failures"] == 1)
        self.assertIsNotNone(self.feed(operator, "kev")["next_sync_at"])
        operator.must("POST", "/api/v1/feeds/kev/sync", {"full": True}, (202,))
        server.kill()
        server = self.start(self.config())
        operator = server.operator()
        server.wait_for(lambda: self.feed(operator, "kev")["state"] == "idle")
        server.wait_for(lambda: self.mirror.asked.count(("/" + KEV, 200)) == 2)
        self.assertEqual(server.drain(), 0)

    def test_the_command_line_syncs_a_directory_without_a_server(self):
        data = self.folder / "local"
        done = self.muster("feeds", "sync", "--data", data, "--feeds", self.files, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = {line["kind"]: line for line in json.loads(done.stdout)}
        self.assertGreater(lines["debian"]["records"], 0)
        self.assertEqual(lines["kev"]["records"], 5)
        self.assertNotIn("bytes", lines["kev"], "nothing was fetched")
        self.assertEqual(set(lines), {"kev", "debian"}, "a directory need not hold every kind")
        again = self.muster("feeds", "sync", "--data", data, "--feeds", self.files, "--kind", "kev",
                            "--json")
        self.assertIs(json.loads(again.stdout)[0]["changed"], False)
        missing = self.muster("feeds", "sync", "--data", data, "--feeds", self.files, "--kind",
                              "nvd")
        self.assertEqual(missing.returncode, 1)

    def test_the_command_line_waits_for_the_server(self):
        server = self.start(self.config())
        where = ("--server", f"http://127.0.0.1:{server.port}", "--token-file",
                 self.folder / "data" / "admin.token")
        done = self.muster("feeds", "sync", "--kind", "kev", "--kind", "debian", "--json", *where)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([feed["kind"] for feed in json.loads(done.stdout)],
                         ["kev", "debian"])
        failed = self.muster("feeds", "sync", "--kind", "osv", *where)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("osv", failed.stderr)


if __name__ == "__main__":
    unittest.main()
