# SPDX-License-Identifier: Apache-2.0
"""packaging/haproxy/haproxy.cfg with Debian's HAProxy: two servers behind one address."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

from agents_at_work import Beats, Enrols, ReportsResults, Tally, WrittenFacts, rng_for
from many_servers import QUICK_PRESENCE, Servers
from muster_process import NO_LIMITS, ROOT, START_SECONDS, Caller, Musterd, agent_headers
from postgres_process import NOT_INSTALLED

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # pylint: disable=wrong-import-position

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
MISSING = NOT_INSTALLED or (None if HAPROXY else "HAProxy is not installed (haproxy)")
BEHIND = """
[net]
trusted_proxies = ["127.0.0.1"]
proxy_protocol = true
"""


class Haproxy:
    def __init__(self, folder, servers):
        self.certificate = Certificate(folder)
        bundle = pathlib.Path(folder) / "bundle.pem"
        bundle.write_text(self.certificate.file.read_text() + self.certificate.key.read_text())
        self.admin = str(pathlib.Path(folder) / "admin.sock")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        names = {"MUSTER_BIND": f"fd@{listener.fileno()}", "MUSTER_CERTIFICATE": str(bundle),
                 "MUSTER_ADMIN_SOCKET": self.admin, "MUSTER_HOST": "127.0.0.1",
                 "MUSTER_MAXCONN": "1000"}
        for name, server in zip("AB", servers):
            names[f"MUSTER_{name}"] = f"127.0.0.1:{server.port}"
        self.process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(ROOT / "packaging/haproxy/haproxy.cfg")],
            env={**os.environ, **names}, pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listener.close()

    def caller(self, headers=None):
        return Caller(self.port, headers, self.certificate.context())

    def say(self, command):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(self.admin)
            admin.sendall(command.encode() + b"\n")
            answer = b""
            while octets := admin.recv(65536):
                answer += octets
        return answer.decode()

    def state(self, name):
        """"UP", "DOWN", "DRAIN" and the like, and the requests that the server got."""
        header, *rows = self.say("show stat").lstrip("# ").splitlines()
        names = header.split(",")
        for row in rows:
            stat = dict(zip(names, row.split(",")))
            if stat.get("pxname") == "muster" and stat.get("svname") == name:
                return stat["status"].split()[0], int(stat["req_tot"] or stat["stot"])
        raise AssertionError(f"HAProxy knows no server {name}")

    def await_state(self, name, state):
        def reached():
            try:
                return self.state(name)[0] == state
            except OSError:
                return False
        Musterd.wait_for(reached)

    def close(self):
        self.process.kill()
        self.process.wait(START_SECONDS)


@unittest.skipIf(MISSING, MISSING)
class BehindHaproxy(unittest.TestCase):
    def setUp(self):
        self.servers = Servers(2, NO_LIMITS + QUICK_PRESENCE + BEHIND)
        self.addCleanup(self.servers.close)
        for server in self.servers.all:
            server.flags = (*server.flags, "--behind-proxy",
                            "--server-url", "https://127.0.0.1")
        self.a, self.b = self.servers.start().all
        self.proxy = Haproxy(self.servers.folder, self.servers.all)
        self.addCleanup(self.proxy.close)
        for name in "ab":
            self.proxy.await_state(name, "UP")
        self.operator = self.proxy.caller(
            {"Authorization": f"Bearer {self.servers.bootstrap_token()}"})
        self.token = self.operator.must("POST", "/api/v1/tokens",
                                        {"ttl_seconds": 3600, "max_uses": 10_000})["token"]

    def enrol(self, hostname):
        return self.proxy.caller().must(
            "POST", "/api/agent/enroll", {"token": self.token, "hostname": hostname,
                                          "os": "linux", "arch": "amd64",
                                          "agent_version": "1.0.0"}, (201,))["data"]

    def work(self, tally):
        """Agents of every kind, at work through the proxy."""
        agents = [self.enrol(f"runner-{number}") for number in range(3)]
        everybody = []
        for number, agent in enumerate(agents):
            tasks = []
            while len(tasks) < 800:
                tasks += self.operator.must("POST", "/api/v1/tasks", {
                    "type": "execute_command", "agent_ids": [agent["agent_id"]] * 200,
                    "command": "true"})["task_ids"]
            everybody.append(ReportsResults(self.proxy.caller(agent_headers(agent)),
                                            rng_for(2, "runner", number), tally, tasks))
        everybody.append(Enrols(self.proxy.caller(), rng_for(2, "enrols"), tally, self.token, "new"))
        everybody.append(Beats(self.proxy.caller(agent_headers(self.enrol("beats"))),
                               rng_for(2, "beats"), tally, 0))
        for caller in everybody:
            caller.start()
        return everybody

    def test_agents_keep_their_own_addresses(self):
        self.enrol("addressed")
        [event] = [event for event in self.operator.must(
            "GET", "/api/v1/events?host=addressed")["items"] if event["type"] == "enrolled"]
        self.assertEqual(event["details"]["source"], "127.0.0.1")

    def test_a_drained_server_leaves_and_comes_back_without_an_error(self):
        tally = Tally()
        everybody = self.work(tally)
        self.assertTrue(tally.wait_for(200), tally.failures)
        self.proxy.say("set server muster/a state drain")
        self.proxy.await_state("a", "DRAIN")
        port, before = self.a.port, tally.count
        self.assertEqual(self.a.drain(), 0)
        self.assertTrue(tally.wait_for(before + 100), tally.failures)
        self.a.flags = (*self.a.flags, "--listen", f"127.0.0.1:{port}")
        self.a.start()
        self.proxy.say("set server muster/a state ready")
        self.proxy.await_state("a", "UP")
        requests = self.proxy.state("a")[1]
        before = tally.count
        self.assertTrue(tally.wait_for(before + 100), tally.failures)
        self.assertGreater(self.proxy.state("a")[1], requests + 20, "it is called again")
        tally.stopped.set()
        for caller in everybody:
            caller.join()
            self.assertIsNone(caller.lost, f"{type(caller).__name__} saw {caller.lost}")
            self.assertEqual(caller.refused, 0, f"{type(caller).__name__} was answered 503")
        self.assertEqual(tally.failures, [])
        print(f"[{tally.count} writes, no error] ", end="", flush=True)

    def test_a_server_that_dies_costs_no_acknowledged_write(self):
        tally = Tally()
        everybody = self.work(tally)
        self.assertTrue(tally.wait_for(200), tally.failures)
        self.b.kill()
        before = tally.count
        self.assertTrue(tally.wait_for(before + 100), tally.failures)
        self.proxy.await_state("b", "DOWN")
        tally.stopped.set()
        for caller in everybody:
            caller.join()
        self.assertEqual([one for one in tally.failures if " 502" not in one], [])
        facts = WrittenFacts(self, self.operator)
        for caller in everybody:
            if isinstance(caller, ReportsResults):
                for task, result in caller.acknowledged.items():
                    facts.result(task, result)
        lost = [type(caller).__name__ for caller in everybody if caller.lost]
        print(f"[{tally.count} writes; calls cut by the kill: {len(lost)}] ", end="", flush=True)


if __name__ == "__main__":
    unittest.main()
