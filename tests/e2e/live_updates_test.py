# SPDX-License-Identifier: Apache-2.0
"""GET /api/v1/stream: who watches is told what changes, within two seconds, whichever server did it."""
import contextlib
import http.client
import json
import pathlib
import socket
import tempfile
import threading
import time
import unittest

from many_servers import Servers
from muster_process import Musterd, agent_headers
from postgres_process import NOT_INSTALLED

#: What a change may take: a second on each of two servers, and a slow machine.
TOLD_SECONDS = 5
BEAT = {"status": "idle", "agent_version": "1.0.0"}


class Stream:
    """Reads an event stream on a thread of its own."""

    def __init__(self, port, token, query=""):
        self.changed = threading.Condition()
        self.topics, self.ready, self.ended = set(), False, False
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", "/api/v1/stream" + query,
                                headers={"Authorization": f"Bearer {token}"})
        self.socket = self.connection.sock  # the response's, from its head on
        self.response = self.connection.getresponse()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        event = ""
        try:
            for line in self.response:
                name, _, value = line.decode().strip().partition(": ")
                with self.changed:
                    if name == "event":
                        event = value
                        self.ready = self.ready or event == "ready"
                    elif name == "data" and event == "changed":
                        self.topics.update(json.loads(value)["topics"])
                    self.changed.notify_all()
        except (OSError, http.client.HTTPException):
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, holds, seconds=TOLD_SECONDS):
        with self.changed:
            return self.changed.wait_for(holds, seconds)

    def told(self, topic):
        return self.wait_for(lambda: topic in self.topics)

    def forget(self):
        with self.changed:
            self.topics.clear()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.response.close()


class LiveUpdates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-live-")
        self.addCleanup(folder.cleanup)
        self.server = Musterd(pathlib.Path(folder.name) / "data").start()
        self.addCleanup(self.server.kill)
        self.operator = self.server.operator()
        self.token = (self.server.directory / "admin.token").read_text().strip()

    def watch(self, token=None, query=""):
        stream = Stream(self.server.port, token or self.token, query)
        self.assertEqual(stream.response.status, 200)
        self.addCleanup(stream.close)
        self.assertTrue(stream.wait_for(lambda: stream.ready))
        return stream

    def test_a_task_and_its_result_are_told_as_they_come_about(self):
        agent = self.server.enrol(self.server.enrolment_token(), "worker")
        caller = self.server.caller(agent_headers(agent))
        caller.must("POST", "/api/agent/heartbeat", BEAT)
        stream = self.watch()
        task, = self.server.create_tasks(agent["agent_id"], 1)
        self.assertTrue(stream.told("tasks"))
        stream.forget()
        self.assertEqual(caller.ask("GET", "/api/agent/tasks").status, 200)
        self.assertTrue(stream.told("tasks"))
        caller.must("POST", f"/api/agent/tasks/{task}/result",
                    {"exit_code": 0, "stdout": "x", "stderr": ""})
        self.assertTrue(stream.told("results"))

    def test_a_revoked_operator_watches_no_longer(self):
        made = self.operator.must("POST", "/api/v1/operators",
                                  {"name": "ann", "role": "read_only"})
        stream = self.watch(made["token"])
        stays = self.watch()
        self.operator.must("DELETE", f"/api/v1/operators/{made['id']}")
        self.assertTrue(stream.wait_for(lambda: stream.ended))
        self.assertFalse(stays.ended)
        with contextlib.closing(Stream(self.server.port, made["token"])) as again:
            self.assertEqual(again.response.status, 401)

    def test_streams_do_not_hold_up_the_end_of_the_server(self):
        streams = [self.watch() for _ in range(10)]
        began = time.monotonic()
        self.assertEqual(self.server.drain(), 0)
        self.assertLess(time.monotonic() - began, 5)
        for stream in streams:
            self.assertTrue(stream.wait_for(lambda s=stream: s.ended))

    def test_a_stream_beyond_an_operators_share_is_refused_until_one_ends(self):
        streams = [self.watch() for _ in range(16)]
        with contextlib.closing(Stream(self.server.port, self.token)) as refused:
            self.assertEqual(refused.response.status, 429)
            self.assertGreaterEqual(int(refused.response.headers["Retry-After"]), 30)
        streams.pop().close()

        def may_watch():
            with contextlib.closing(Stream(self.server.port, self.token)) as stream:
                return stream.response.status == 200
        Musterd.wait_for(may_watch)


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class OnTwoServers(unittest.TestCase):
    def test_what_one_server_is_told_the_watchers_of_the_other_learn(self):
        servers = Servers(2)
        self.addCleanup(servers.close)
        a, b = servers.start().all
        operator = servers.operator(a)
        token = operator.must("POST", "/api/v1/tokens",
                              {"ttl_seconds": 3600, "max_uses": 10})["token"]
        agent = a.enrol(token, "worker")
        caller = a.caller(agent_headers(agent))
        caller.must("POST", "/api/agent/heartbeat", BEAT)
        Musterd.wait_for(lambda: "muster_servers_live 2" in operator.ask("GET", "/metrics").body)
        stream = Stream(b.port, servers.bootstrap_token())
        self.addCleanup(stream.close)
        self.assertTrue(stream.wait_for(lambda: stream.ready))
        task, = operator.must("POST", "/api/v1/tasks", {
            "type": "execute_command", "agent_ids": [agent["agent_id"]],
            "command": "true"})["task_ids"]
        self.assertTrue(stream.told("tasks"), "an operator's change, by the audit log")
        Musterd.wait_for(lambda: not stream.forget() and not stream.wait_for(
            lambda: stream.topics, 1.5))  # all of that is told
        self.assertEqual(caller.ask("GET", "/api/agent/tasks").status, 200)
        self.assertTrue(stream.told("tasks"), "an agent's, which only the first server noticed")
        caller.must("POST", f"/api/agent/tasks/{task}/result",
                    {"exit_code": 0, "stdout": "x", "stderr": ""})
        self.assertTrue(stream.told("results"))


if __name__ == "__main__":
    unittest.main()
