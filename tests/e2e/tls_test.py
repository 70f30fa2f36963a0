# SPDX-License-Identifier: Apache-2.0
"""HTTPS as operators and agents meet it: flags, reload by SIGHUP, our own clients, a proxy's word."""
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from muster_process import (BINARIES, NO_LIMITS, REQUEST_SECONDS, ROOT, START_SECONDS, Musterd,
                            Unanswered)

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402

PROXY_HEADER = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("198.51.100.7") +
                socket.inet_aton("127.0.0.1") + b"\x12\x34\x01\xbb")


def run(binary, *arguments, **environment):
    return subprocess.run([str(BINARIES / binary), *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=START_SECONDS,
                          check=False, env={**os.environ, **environment})


class OverTls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"
        self.certificate = Certificate(self.folder)

    def start(self, config=NO_LIMITS, *flags):
        server = Musterd(self.data, config, [*self.certificate.flags(), *flags],
                         self.certificate).start()
        self.addCleanup(server.kill)
        return server

    def metric(self, server, name):
        text = server.caller().ask("GET", "/metrics").body
        return dict(line.split() for line in text.splitlines() if line[:1] != "#").get(name)

    def reload(self, server, event):
        """SIGHUP, until the log says what came of it."""
        before = sum(each["event"] == event for each in server.events)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: sum(each["event"] == event for each in server.events) > before)

    def test_one_flag_without_the_other_exits_2(self):
        for flags in (["--tls-cert", self.certificate.file], ["--tls-key", self.certificate.key]):
            self.assertEqual(run("musterd", "--data", self.data, *flags).returncode, 2)
        self.assertFalse(self.data.exists())

    def test_a_bad_certificate_exits_2_and_is_named(self):
        self.certificate.file.write_text("none")
        ended = run("musterd", "--data", self.data, *self.certificate.flags())
        self.assertEqual(ended.returncode, 2)
        self.assertIn(str(self.certificate.file), ended.stderr)

    def test_off_loopback_is_allowed_and_agents_are_told_https(self):
        server = self.start(NO_LIMITS, "--listen", "0.0.0.0:0",
                            "--server-url", "https://muster.example.org")
        enrolled = server.enrol(server.enrolment_token(), "host-1")
        self.assertEqual(enrolled["server_url"], "https://muster.example.org")

    def test_expiry_is_a_metric_and_a_warning(self):
        server = self.start()
        left = int(self.metric(server, "muster_tls_certificate_expiry_timestamp_seconds")) \
            - time.time()
        self.assertAlmostEqual(left / 86400, 30, delta=1)
        self.assertNotIn("tls_certificate_expires_soon", [e["event"] for e in server.events])
        self.certificate.write(days=13)
        self.reload(server, "tls_certificate_expires_soon")

    def test_a_key_that_others_may_read_is_warned_of(self):
        self.certificate.key.chmod(0o640)
        self.assertIn("tls_key_readable_by_others", [e["event"] for e in self.start().events])

    def test_a_reload_under_load_cuts_nobody(self):
        server = self.start()
        stop, failures, counts = threading.Event(), [], [0] * 4

        def ask(number):
            caller = server.caller()
            while not stop.is_set():
                try:
                    caller.must("GET", "/healthz")
                    counts[number] += 1
                except (Unanswered, AssertionError) as failure:
                    failures.append(failure)
                    return
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(counts))]
        for thread in threads:
            thread.start()
        server.wait_for(lambda: min(counts) > 50)
        old = server.caller()  # trusts the certificate of this moment
        old.must("GET", "/healthz")
        self.certificate.write()
        self.reload(server, "tls_certificate_loaded")
        seen = list(counts)
        server.wait_for(lambda: all(now > was + 50 for now, was in zip(counts, seen)))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        server.caller().must("GET", "/healthz")  # trusts the new one only
        old.must("GET", "/healthz")

    def test_a_bad_reload_keeps_what_was_there(self):
        server = self.start()
        context = self.certificate.context()
        good = self.certificate.file.read_text()
        self.certificate.file.write_text("half a fi")
        self.reload(server, "tls_reload_failed")
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context,
                                                 timeout=REQUEST_SECONDS)
        connection.request("GET", "/healthz")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        self.certificate.file.write_text(good)

    def test_our_clients_verify_the_server(self):
        server = self.start()
        url = f"https://127.0.0.1:{server.port}"
        token_file = self.data / "admin.token"
        listing = ("agents", "list", "--server", url, "--token-file", token_file, "--json")
        self.assertEqual(run("muster", *listing, MUSTER_CA_FILE=str(self.certificate.file))
                         .returncode, 0)
        self.assertEqual(run("muster", *listing, "--ca-file", self.certificate.file).returncode, 0)
        refused = run("muster", *listing)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("certificate", refused.stderr)
        enrol = ("enroll", "--server", url, "--token-env", "TOKEN", "--state-dir",
                 self.folder / "agent")
        token = server.enrolment_token()
        self.assertNotEqual(run("muster-agent", *enrol, TOKEN=token).returncode, 0)
        # What proves the server is copied: the file that was named may go.
        authority = self.folder / "authority.pem"
        authority.write_bytes(pathlib.Path(self.certificate.file).read_bytes())
        enrolled = run("muster-agent", *enrol, "--ca-file", authority, TOKEN=token)
        self.assertEqual(enrolled.returncode, 0, enrolled.stderr)
        authority.unlink()
        config = self.folder / "agent.toml"
        config.write_text("")
        ran = run("muster-agent", "run", "--once", "--config", config, "--state-dir",
                  self.folder / "agent")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(len(json.loads(run("muster", *listing, "--ca-file",
                                            self.certificate.file).stdout)), 1)

    def test_a_trusted_proxy_is_believed_before_tls_and_opens_nothing(self):
        server = Musterd(self.data, NO_LIMITS + """
[net]
trusted_proxies = ["127.0.0.1"]
proxy_protocol = true
""", self.certificate.flags(), self.certificate).start()
        self.addCleanup(server.kill)

        def ask(before, method, path, body=None):
            plain = socket.create_connection(("127.0.0.1", server.port), REQUEST_SECONDS)
            plain.sendall(before)
            with self.certificate.context().wrap_socket(plain, server_hostname="localhost") as tls:
                text = json.dumps(body) if body else ""
                tls.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length:"
                            f" {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
                return int(tls.makefile("rb").readline().split()[1])
        self.assertEqual(ask(PROXY_HEADER, "GET", "/healthz"), 200)
        self.assertEqual(ask(PROXY_HEADER, "GET", "/metrics"), 401)
        with self.assertRaises((ssl.SSLError, OSError)):
            ask(b"", "GET", "/healthz")


if __name__ == "__main__":
    unittest.main()
