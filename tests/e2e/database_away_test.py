# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL stops, crashes, stands still, is cut off or slow under load: callers are told 503, what
was acknowledged is there, and the servers go on by themselves."""
import signal
import time
import unittest

from agents_at_work import Beats, Enrols, ReportsResults, Tally, WrittenFacts, rng_for
from many_servers import Servers
from muster_process import Musterd, agent_headers
from postgres_process import NOT_INSTALLED, Cut, Postgres

BEAT = {"status": "idle", "agent_version": "1.0.0"}
#: A lease lasts 5 s; an answer of the database is waited for 20 s.
GIVEN_UP_SECONDS = 30


class Patient:
    """Goes on when it is told 503, as agents do."""

    def call(self, method, path, body, want):
        taken = super().call(method, path, body, want)
        if not taken:
            time.sleep(0.05)
        return taken


class PatientResults(Patient, ReportsResults):
    pass


class PatientBeats(Patient, Beats):
    pass


class PatientEnrols(Patient, Enrols):
    pass


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class DatabaseAway(unittest.TestCase):
    def setUp(self):
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.servers = Servers(2, postgres=self.postgres)
        self.addCleanup(self.servers.close)

    def start(self):
        self.a, self.b = self.servers.start().all
        self.operator = self.servers.operator(self.a)
        self.token = self.operator.must("POST", "/api/v1/tokens",
                                        {"ttl_seconds": 3600, "max_uses": 10_000})["token"]

    def work(self, tally):
        everybody = []
        for number, server in enumerate((self.a, self.b)):
            agent = server.enrol(self.token, f"runner-{number}")
            tasks = []
            while len(tasks) < 1000:
                tasks += self.operator.must("POST", "/api/v1/tasks", {
                    "type": "execute_command", "agent_ids": [agent["agent_id"]] * 200,
                    "command": "true"})["task_ids"]
            everybody.append(PatientResults(server.caller(agent_headers(agent)),
                                            rng_for(3, "runner", number), tally, tasks))
            everybody.append(PatientBeats(
                server.caller(agent_headers(server.enrol(self.token, f"beats-{number}"))),
                rng_for(3, "beats", number), tally, 0))
            everybody.append(PatientEnrols(server.caller(), rng_for(3, "enrols", number), tally,
                                           self.token, f"new-{number}"))
        for caller in everybody:
            caller.start()
        return everybody

    def disturb(self, away, back, at_least=200):
        """Load, then the fault, then its end: everything that was acknowledged is there, and the
        same processes go on."""
        tally = Tally()
        everybody = self.work(tally)
        self.assertTrue(tally.wait_for(at_least), tally.failures)
        away()
        refusing = self.await_refusals()
        back()
        ended = time.monotonic()
        before = tally.count
        self.assertTrue(tally.wait_for(before + at_least, 60), tally.failures)
        recovered = time.monotonic() - ended
        tally.stopped.set()
        for caller in everybody:
            caller.join()
            self.assertIsNone(caller.lost, f"{type(caller).__name__}: {caller.lost}")
        self.assertEqual(tally.failures, [])
        for caller in (self.a.caller(), self.b.caller()):
            Musterd.wait_for(lambda caller=caller: caller.ask("GET", "/readyz").status == 200)
        facts = WrittenFacts(self, self.operator)
        for caller in everybody:
            if isinstance(caller, ReportsResults):
                for task, result in caller.acknowledged.items():
                    facts.result(task, result)
            if isinstance(caller, Enrols):
                for _, data in caller.enrolled:
                    facts.key_works(self.b, data)
        refused = sum(caller.refused for caller in everybody)
        print(f"[{tally.count} writes, {refused} answered 503; refused after {refusing:.1f} s,"
              f" {at_least} writes {recovered:.1f} s after the end] ", end="", flush=True)

    def await_refusals(self):
        """Until both servers answer 503 with Retry-After, to agents and to /readyz."""
        begun = time.monotonic()
        for server in (self.a, self.b):
            caller = server.caller()
            answer = None
            while answer is None or answer.status != 503:
                self.assertLess(time.monotonic() - begun, GIVEN_UP_SECONDS + 10)
                answer = caller.ask("POST", "/api/agent/enroll",
                                    {"token": self.token, "hostname": "in-between", "os": "linux",
                                     "arch": "amd64", "agent_version": "1.0.0"})
            self.assertIn("Retry-After", answer.headers)
            # It says what was so within the last second.
            Musterd.wait_for(lambda caller=caller: caller.ask("GET", "/readyz").status == 503)
        return time.monotonic() - begun

    def test_it_is_stopped_and_started(self):
        self.start()
        self.disturb(self.postgres.stop, self.postgres.start)

    def test_it_crashes_and_recovers(self):
        self.start()
        self.disturb(lambda: self.postgres.stop(signal.SIGQUIT), self.postgres.start)

    def test_it_stands_still(self):
        self.start()
        self.disturb(self.postgres.freeze, self.postgres.thaw)

    def test_the_network_to_it_is_cut(self):
        cut = Cut(self.postgres)
        self.addCleanup(cut.close)
        for server in self.servers.all:
            server.flags = ("--store", self.postgres.url("fleet", cut.folder),
                            *self.servers.flags)
        self.start()
        self.disturb(cut.cut, cut.mend)

    def test_one_server_alone_is_cut_off_and_the_other_takes_its_agents(self):
        cut = Cut(self.postgres)
        self.addCleanup(cut.close)
        self.servers.all[1].flags = ("--store", self.postgres.url("fleet", cut.folder),
                                     *self.servers.flags)
        self.start()
        agent = self.b.enrol(self.token, "moves")
        works_at_b = self.b.caller(agent_headers(agent))
        works_at_b.must("POST", "/api/agent/heartbeat", BEAT)
        cut.cut()
        # It may hold its lease for as long as that lasts, and no longer.
        begun = time.monotonic()
        while works_at_b.ask("POST", "/api/agent/heartbeat", BEAT).status != 503:
            self.assertLess(time.monotonic() - begun, 10)
            time.sleep(0.05)
        self.a.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)
        # A revocation at the other is answered, and holds at this one when it is back.
        self.operator.must("POST", f"/api/v1/agents/{agent['agent_id']}/disable", {})
        cut.mend()
        Musterd.wait_for(lambda: self.b.caller().ask("GET", "/readyz").status == 200)
        refused = self.b.caller(agent_headers(agent)).ask("POST", "/api/agent/heartbeat", BEAT)
        self.assertEqual((refused.status, refused.json()["code"]), (401, "disabled"))

    def test_a_server_that_stands_still_in_its_turn_holds_the_others_up_for_a_while_only(self):
        self.start()
        tally = Tally()
        everybody = self.work(tally)
        self.assertTrue(tally.wait_for(200), tally.failures)
        self.b.process.send_signal(signal.SIGSTOP)
        enrols = self.a.caller()
        begun, taken = time.monotonic(), 0
        while taken < 20:
            self.assertLess(time.monotonic() - begun, GIVEN_UP_SECONDS)
            answer = enrols.ask("POST", "/api/agent/enroll",
                                {"token": self.token, "hostname": f"during-{taken}", "os": "linux",
                                 "arch": "amd64", "agent_version": "1.0.0"})
            self.assertIn(answer.status, (201, 503))
            taken += answer.status == 201
        held_up = time.monotonic() - begun
        self.b.process.send_signal(signal.SIGCONT)
        tally.stopped.set()
        for caller in everybody:
            caller.join()
        self.assertEqual(tally.failures, [])
        print(f"[held up for {held_up:.1f} s] ", end="", flush=True)


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class SlowDisk(unittest.TestCase):
    def test_commits_that_take_long_are_waited_for_and_kept(self):
        # PostgreSQL's own delay before each sync of its log: a disk that takes 50 ms.
        postgres = Postgres([("commit_delay", "50000"), ("commit_siblings", "0")])
        self.addCleanup(postgres.close)
        servers = Servers(2, postgres=postgres)
        self.addCleanup(servers.close)
        a, b = servers.start().all
        token = servers.operator(a).must("POST", "/api/v1/tokens",
                                         {"ttl_seconds": 3600, "max_uses": 10_000})["token"]
        begun = time.monotonic()
        agents = [server.enrol(token, f"slow-{number}-{name}")
                  for number in range(5) for name, server in (("a", a), ("b", b))]
        self.assertGreater(time.monotonic() - begun, len(agents) * 0.05, "the disk was not slow")
        for agent in agents:
            b.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)


if __name__ == "__main__":
    unittest.main()
