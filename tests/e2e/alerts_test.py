# SPDX-License-Identifier: Apache-2.0
"""Alerts from the command line to a receiver on loopback: fired, told, signed, tried again, over a restart."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from https_server import HttpsServer
from muster_process import BINARIES, NO_LIMITS, ROOT, START_SECONDS, Musterd, all_pages

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402


class Receiver(HttpsServer):
    """Takes what is posted to it over HTTPS, or answers as `statuses` says, first to last."""

    def __init__(self, certificate):
        self.received = received = []   # (headers, body)
        self.statuses = statuses = []

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((dict(self.headers), body))
                self.send_response(statuses.pop(0) if statuses else 204)
                self.end_headers()

            def log_message(self, *_):
                pass
        super().__init__(Hook, certificate)


def verified(secret, headers, body):
    """As the Standard Webhooks specification says."""
    lower = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{lower['webhook-id']}.{lower['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(lower["webhook-signature"], "v1," + mac)


class Alerts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-alerts-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.certificate = Certificate(self.folder)
        self.receiver = Receiver(self.certificate)
        self.addCleanup(self.receiver.stop)

    def start(self, allow='allow = ["127.0.0.1"]'):
        self.data = self.folder / "data"
        self.server = Musterd(self.data, f"""{NO_LIMITS}
[egress]
{allow}
ca_file = "{self.certificate.file}"
""").start()
        self.addCleanup(self.server.kill)
        return self.server

    def report(self, hostname):
        site = self.server.caller({"X-Agent-Key": self.server.site_key()})
        site.must("POST", "/api/agent/report", {"hostname": hostname, "os": {"name": "Debian"},
                                                "software": []})

    def answer(self, *arguments):
        ended = subprocess.run(
            [str(BINARIES / "muster"), *arguments, "--json"], text=True, timeout=START_SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            env={**os.environ, "MUSTER_URL": f"http://127.0.0.1:{self.server.port}",
                 "MUSTER_TOKEN": (self.data / "admin.token").read_text().strip()})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def state(self, alert):
        return self.answer("alerts", "show", str(alert["id"]))["state"]

    def test_an_alert_fires_once_and_is_told_until_it_is_taken(self):
        self.start()
        hook = self.answer("webhooks", "create", "pager", self.receiver.url + "hook")
        self.report("web-1")
        self.answer("views", "set", "web", "hostname:web-*")
        self.receiver.statuses.append(503)
        alert = self.answer("alerts", "create", "web is there", "group:web", "--above", "0")
        self.assertEqual(alert["state"], "ok")
        self.server.wait_for(lambda: len(self.receiver.received) >= 1)
        self.assertEqual(self.state(alert), "firing")
        # It is refused first: the alert says so, and it is tried again under the same id.
        self.server.wait_for(lambda: self.answer("webhooks", "list")[0]["failures"] == 1)
        self.assertEqual(self.answer("alerts", "show", str(alert["id"]))["failing_webhooks"],
                         ["pager"])
        self.assertEqual(self.answer("webhooks", "list")[0]["failure"], "The server answered 503.")
        # A restart loses nothing of it.
        self.assertEqual(self.server.drain(), 0)
        self.server.start()
        self.server.wait_for(lambda: len(self.receiver.received) >= 2)
        first, second = self.receiver.received[:2]
        self.assertEqual(first[0]["webhook-id"], second[0]["webhook-id"])
        self.assertEqual(first[1], second[1])
        for headers, body in (first, second):
            self.assertTrue(verified(hook["secret"], headers, body))
            self.assertFalse(verified(hook["secret"], headers, body + b" "))
        told = json.loads(second[1])
        self.assertEqual(told["type"], "alert_firing")
        self.assertEqual(told["data"]["details"]["alert"], "web is there")
        self.assertEqual(told["data"]["details"]["hosts"], 1)
        self.server.wait_for(lambda: self.answer("webhooks", "list")[0]["waiting"] == 0)
        self.assertEqual(self.answer("webhooks", "list")[0]["failures"], 0)
        operator = self.server.operator()
        self.assertEqual(len(all_pages(operator, "/api/v1/events?type=alert_firing")), 1)
        # Looked after, and quiet for a while.
        number = str(alert["id"])
        self.assertTrue(self.answer("alerts", "acknowledge", number)["acknowledged_at"])
        self.assertTrue(self.answer("alerts", "mute", number, "--for", "1h")["muted_until"])
        self.assertIsNone(self.answer("alerts", "mute", number, "--for", "0s")["muted_until"])
        self.server.wait_for(lambda: len(self.receiver.received) >= 3)
        self.assertEqual(json.loads(self.receiver.received[2][1])["type"], "alert_unmuted")
        self.answer("alerts", "delete", number)
        self.assertEqual(self.answer("alerts", "list"), [])

    def test_what_may_not_be_called_is_not_and_says_so(self):
        self.start(allow="")
        hook = self.answer("webhooks", "create", "inside", self.receiver.url + "hook")
        self.answer("webhooks", "test", str(hook["id"]))
        self.server.wait_for(lambda: self.answer("webhooks", "list")[0]["failures"] == 1)
        self.assertIn("not public", self.answer("webhooks", "list")[0]["failure"])
        self.assertEqual(self.receiver.received, [])
        log = json.dumps(self.server.events)
        self.assertNotIn("whsec", log)
        self.assertNotIn(self.receiver.url, log)


if __name__ == "__main__":
    unittest.main()
