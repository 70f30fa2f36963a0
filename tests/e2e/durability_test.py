# SPDX-License-Identifier: Apache-2.0
"""kill -9 during results, reports, enrolments and heartbeats loses nothing that got a 200.

Set MUSTER_SEED to repeat a run's choices. SIGKILL keeps what the kernel has: that the store also
syncs before it answers is what the store's own tests are about.
"""
import os
import pathlib
import random
import tempfile
import unittest

from agents_at_work import (FEED, Beats, Enrols, ReportsInventory, ReportsResults, Tally,
                            WrittenFacts, rng_for)
from muster_process import Musterd, agent_headers, all_pages

ROUNDS = 5
RESULT_AGENTS = 4
TASKS_AHEAD = 900    # for each agent; 1,000 may be pending
SITES = 3
HOSTS_A_SITE = 6


class KillUnderLoad(unittest.TestCase):
    def setUp(self):
        self.seed = os.environ.get("MUSTER_SEED") or str(random.SystemRandom().randrange(10**9))
        self.folder = tempfile.TemporaryDirectory(prefix="muster-durability-")
        self.addCleanup(self.folder.cleanup)
        self.server = Musterd(pathlib.Path(self.folder.name) / "data").start()
        self.addCleanup(self.server.kill)
        self.server.operator().must("POST", "/api/v1/feeds/debian", FEED)
        self.token = self.server.enrolment_token()
        self.site_key = self.server.site_key()
        self.agents = [self.server.enrol(self.token, f"runner-{number}")
                       for number in range(RESULT_AGENTS)]
        self.beating = self.server.enrol(self.token, "beating")
        self.beats = 0           # last number that may have been stored
        self.versions = []       # of the beating agent, acknowledged
        self.results = {}        # task -> result, all rounds
        self.enrolled = []       # data of enrolment answers, all rounds
        self.tasks = [[] for _ in self.agents]  # that have no result yet
        self.hosts = [{f"host-{site}-{number}": None for number in range(HOSTS_A_SITE)}
                      for site in range(SITES)]

    def start_callers(self, round_number, tally):
        def rng(*names):
            return rng_for(self.seed, round_number, *names)

        runners = []
        for number, agent in enumerate(self.agents):
            missing = TASKS_AHEAD - len(self.tasks[number])
            self.tasks[number] += self.server.create_tasks(agent["agent_id"], missing)
            runners.append(ReportsResults(self.server.caller(agent_headers(agent)),
                                          rng("runner", number), tally, self.tasks[number]))
        sites = [ReportsInventory(self.server.caller({"X-Agent-Key": self.site_key}),
                                  rng("site", number), tally, hosts)
                 for number, hosts in enumerate(self.hosts)]
        enrols = Enrols(self.server.caller(), rng("enrols"), tally, self.token,
                        f"new-{round_number}")
        beats = Beats(self.server.caller(agent_headers(self.beating)), rng("beats"), tally,
                      self.beats)
        for caller in (*runners, *sites, enrols, beats):
            caller.start()
        return runners, sites, enrols, beats

    def run_round(self, round_number):
        tally = Tally()
        callers = self.start_callers(round_number, tally)
        runners, sites, enrols, beats = callers
        before_kill = rng_for(self.seed, round_number, "kill").randint(300, 1800)
        reached = tally.wait_for(before_kill)
        self.server.kill()
        for caller in (*runners, *sites, enrols, beats):
            caller.join()
        self.assertEqual(tally.failures, [])
        self.assertTrue(reached, f"only {tally.count} of {before_kill} writes in time")
        self.server.start()

        facts = WrittenFacts(self, self.server.operator())
        for agent, runner, tasks in zip(self.agents, runners, self.tasks):
            self.check_results(facts, agent, runner)
            tasks[:] = [task for task in tasks if task not in self.results]
        for site in sites:
            self.check_site(facts, site)
        for hostname, data in enrols.enrolled:
            self.enrolled.append(data)
            facts.key_works(self.server, data)
            self.assertEqual(facts.software(hostname), set())
        self.check_beats(facts, beats)
        return tally.count

    def check_results(self, facts, agent, runner):
        for task, result in runner.acknowledged.items():
            facts.result(task, result)
        self.results.update(runner.acknowledged)
        if runner.pending is None:
            return
        task, result = runner.pending
        caller = self.server.caller(agent_headers(agent))
        caller.must("POST", f"/api/agent/tasks/{task}/result", result)
        facts.result(task, result)
        self.results[task] = result

    def check_site(self, facts, site):
        pending = site.pending
        for hostname, acknowledged in site.hosts.items():
            got = facts.software(hostname)
            if pending is None or pending[0] != hostname:
                self.assertEqual(got, acknowledged, hostname)
                continue
            self.assertIn(got, (acknowledged, pending[2]), hostname)
            # The agent sends again what was not acknowledged: the same state as after one.
            site.caller = self.server.caller({"X-Agent-Key": self.site_key})
            site.caller.must("POST", "/api/agent/report", pending[1])
            self.assertEqual(facts.software(hostname), pending[2], hostname)
            site.hosts[hostname] = pending[2]

    def check_beats(self, facts, beats):
        self.versions += beats.acknowledged
        agent = facts.operator.must("GET", f"/api/v1/agents/{self.beating['agent_id']}")
        possible = [*self.versions[-1:], *([beats.pending] if beats.pending else [])]
        if possible:
            self.assertIn(agent["agent_version"], possible)
        self.beats = beats.number
        events = all_pages(facts.operator, f"/api/v1/events?host={agent['asset_id']}")
        seen = {event["details"]["to"] for event in events if event["type"] == "version_updated"}
        lost = set(self.versions) - seen
        self.assertEqual(lost, set(), "version changes without their event")

    def test_nothing_acknowledged_is_lost(self):
        acknowledged = []
        try:
            for round_number in range(ROUNDS):
                acknowledged.append(self.run_round(round_number))
            self.assertEqual(self.server.drain(), 0)
            self.server.start()
            facts = WrittenFacts(self, self.server.operator())
            for task, result in self.results.items():
                facts.result(task, result)
            for hosts in self.hosts:
                for hostname, packages in hosts.items():
                    self.assertEqual(facts.software(hostname), packages, hostname)
            for data in self.enrolled:
                facts.key_works(self.server, data)
        except BaseException:
            print(f"\nrepeat with MUSTER_SEED={self.seed}; log: {self.server.events[-5:]}")
            raise
        print(f"[{sum(acknowledged)} writes acknowledged before {ROUNDS} kills] ", end="",
              flush=True)


if __name__ == "__main__":
    unittest.main()
