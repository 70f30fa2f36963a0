# SPDX-License-Identifier: Apache-2.0
"""muster-agent beside a server that takes its report and does not answer: the host stays online."""
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

from muster_process import BINARIES, START_SECONDS, STOP_SECONDS

HEARTBEAT_SECONDS = 5


class Server(http.server.ThreadingHTTPServer):
    """Keeps who called when on which connection; the answer to a report waits for `let_go`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.let_go = threading.Event()
        self.changed = threading.Condition()
        self.calls = []         # (path, port of the caller, moment)
        self.open = set()       # ports of callers

    def seen(self, path):
        return [call for call in self.calls if call[0] == path]

    def wait_for(self, condition, seconds):
        with self.changed:
            return self.changed.wait_for(condition, seconds)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with self.server.changed:
            self.server.open.add(self.client_address[1])

    def finish(self):
        super().finish()
        with self.server.changed:
            self.server.open.remove(self.client_address[1])
            self.server.changed.notify_all()

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.changed:
            self.server.calls.append((self.path, self.client_address[1], time.monotonic()))
            self.server.changed.notify_all()
        if self.path == "/api/agent/heartbeat":
            return self.send(200, {"success": True, "data": {"acknowledged": True}})
        if self.path == "/api/agent/report":
            self.server.let_go.wait(10 * START_SECONDS)
            return self.send(200, {"status": "accepted", "asset_id": 1})
        return self.send(404, {"success": False, "error": "no", "code": "not_found"})

    do_GET = do_POST = do_PATCH = answer

    def send(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class StalledCall(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-stalled-")
        self.addCleanup(folder.cleanup)
        folder = pathlib.Path(folder.name)
        self.server = Server()
        self.addCleanup(self.server.server_close)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.shutdown)
        state = folder / "state"
        state.mkdir(mode=0o700)
        (state / "identity.json").write_text(json.dumps({
            "server_url": f"http://127.0.0.1:{self.server.server_port}", "key": "ak_e2e",
            "agent_id": "0192c0de-aaaa-7000-8000-000000000001", "org_id": "",
            "update_public_key": "", "ca_file": "", "pending_key": ""}))
        config = folder / "agent.toml"
        config.write_text(f"[intervals]\nheartbeat_seconds = {HEARTBEAT_SECONDS}\n"
                          "[update]\ncheck_seconds = 0\n[inventory]\nimages = \"off\"\n")
        self.agent = subprocess.Popen(
            [str(BINARIES / "muster-agent"), "run", "--state-dir", str(state), "--config",
             str(config)], stderr=subprocess.DEVNULL)
        self.addCleanup(self.agent.wait)
        self.addCleanup(self.agent.kill)

    def test_heartbeats_go_at_their_interval_and_take_the_kept_connection_again(self):
        server = self.server
        self.assertTrue(server.wait_for(lambda: server.seen("/api/agent/report"), START_SECONDS))
        _, kept, reported = server.seen("/api/agent/report")[0]

        def later():
            return [call for call in server.seen("/api/agent/heartbeat") if call[2] > reported]

        # By its phase the first comes within 5/4 of the interval, the second after another.
        patience = 3 * HEARTBEAT_SECONDS
        self.assertTrue(server.wait_for(lambda: len(later()) >= 2, patience), server.calls)
        others = {port for _, port, _ in later()}
        self.assertNotIn(kept, others)
        self.assertTrue(server.wait_for(lambda: not others & server.open, patience),
                        "what a heartbeat opens beside a call ends with it")
        before = len(later())
        server.let_go.set()
        self.assertTrue(server.wait_for(lambda: len(later()) > before + 1, patience))
        self.assertEqual(later()[-1][1], kept, "one connection is enough where nothing waits")
        self.agent.terminate()
        self.assertEqual(self.agent.wait(STOP_SECONDS), 0)


if __name__ == "__main__":
    unittest.main()
