# SPDX-License-Identifier: Apache-2.0
"""SIGTERM under load: exit code 0, every answer that was sent holds, last_seen survives."""
import datetime
import pathlib
import tempfile
import unittest

from agents_at_work import (FEED, Beats, Enrols, ReportsInventory, ReportsResults, Tally,
                            WrittenFacts, random_result, rng_for)
from muster_process import Musterd, agent_headers

TASKS = 900
WRITES_BEFORE = 400


def as_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class DrainUnderLoad(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-drain-")
        self.addCleanup(folder.cleanup)
        self.server = Musterd(pathlib.Path(folder.name) / "data").start()
        self.addCleanup(self.server.kill)
        self.token = self.server.enrolment_token()
        self.agents = [self.server.enrol(self.token, f"runner-{number}") for number in range(3)]
        self.quiet = self.server.enrol(self.token, "quiet")

    def at_work(self, tally):
        server = self.server
        server.operator().must("POST", "/api/v1/feeds/debian", FEED)
        runners = [ReportsResults(server.caller(agent_headers(agent)), rng_for("runner", number),
                                  tally, server.create_tasks(agent["agent_id"], TASKS))
                   for number, agent in enumerate(self.agents)]
        site = ReportsInventory(server.caller({"X-Agent-Key": server.site_key()}), rng_for("site"),
                                tally, {f"host-{number}": None for number in range(5)})
        enrols = Enrols(server.caller(), rng_for("enrols"), tally, self.token, "new")
        beats = Beats(server.caller(agent_headers(self.quiet)), rng_for("beats"), tally, 1,
                      same=True)
        return runners, site, enrols, beats

    def test_every_answer_that_was_sent_is_durable(self):
        tally = Tally()
        runners, site, enrols, beats = self.at_work(tally)
        every = (*runners, site, enrols, beats)
        for caller in every:
            caller.start()
        self.assertTrue(tally.wait_for(WRITES_BEFORE), tally.failures)
        self.assertEqual(self.server.drain(), 0)
        for caller in every:
            caller.join()
        self.assertEqual(tally.failures, [])
        for caller in every:
            self.assertFalse(caller.lost is not None and caller.lost.begun,
                             f"an answer was cut off: {caller.lost}")

        self.server.start()
        facts = WrittenFacts(self, self.server.operator())
        for runner in runners:
            for task, result in runner.acknowledged.items():
                facts.result(task, result)
        for hostname, packages in site.hosts.items():
            if site.pending is None or site.pending[0] != hostname:
                self.assertEqual(facts.software(hostname), packages, hostname)
        for _, data in enrols.enrolled:
            facts.key_works(self.server, data)

    def test_last_seen_is_that_of_the_last_heartbeat(self):
        caller = self.server.caller(agent_headers(self.quiet))
        beat = {"status": "idle", "agent_version": "1.0.0"}
        first = as_time(caller.must("POST", "/api/agent/heartbeat", beat)["data"]["server_time"])
        last = first
        while last == first:  # times on the wire are whole seconds
            last = as_time(caller.must("POST", "/api/agent/heartbeat", beat)["data"]["server_time"])
        self.assertEqual(self.server.drain(), 0)
        self.server.start()
        agent = self.server.operator().must("GET", f"/api/v1/agents/{self.quiet['agent_id']}")
        self.assertEqual(as_time(agent["last_seen"]), last)

    def test_a_request_that_was_sent_before_the_signal_is_answered(self):
        under_way = []
        for agent in self.agents:
            for task in self.server.create_tasks(agent["agent_id"], 4):
                caller = self.server.caller(agent_headers(agent))
                caller.must("GET", "/api/agent/config")  # the connection stands and is idle
                under_way.append((caller, task, random_result(rng_for(task))))
        for caller, task, result in under_way:
            caller.send("POST", f"/api/agent/tasks/{task}/result", result)
        self.server.process.terminate()
        for caller, task, result in under_way:
            self.assertEqual(caller.receive().status, 200, task)
        self.assertEqual(self.server.drain(), 0)
        self.server.start()
        facts = WrittenFacts(self, self.server.operator())
        for _, task, result in under_way:
            facts.result(task, result)


if __name__ == "__main__":
    unittest.main()
