# SPDX-License-Identifier: Apache-2.0
"""Several musterd on one PostgreSQL, for the tests beside this file."""
import os
import pathlib
import shutil
import tempfile

from agents_at_work import (FEED, Beats, Enrols, ReportsInventory, ReportsResults, Tally,
                            WrittenFacts, rng_for)
from muster_process import NO_LIMITS, Musterd, agent_headers
from postgres_process import Postgres

#: Presence in seconds instead of minutes.
QUICK_PRESENCE = """
[presence]
shared_flush_seconds = 1
offline_after_seconds = 10
check_seconds = 1
group_window_seconds = 0
"""


class Servers:
    """`count` servers with data directories of their own, one secret file and one database."""

    def __init__(self, count, config=NO_LIMITS + QUICK_PRESENCE, postgres=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-many-"))
        self.postgres = postgres or Postgres()
        self.owns_postgres = postgres is None
        self.url = self.postgres.create_database("fleet")
        secret = self.folder / "secret"
        secret.write_bytes(os.urandom(32))
        secret.chmod(0o600)
        self.flags = ("--secret-file", str(secret))
        self.all = [Musterd(self.folder / f"server{number}", config,
                            ("--store", self.url, *self.flags)) for number in range(count)]

    def start(self):
        for server in self.all:
            server.start()
        return self

    def close(self):
        for server in self.all:
            server.kill()
        if self.owns_postgres:
            self.postgres.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bootstrap_token(self):
        """That of whichever server was first on the database."""
        tokens = list(self.folder.glob("server*/admin.token"))
        if len(tokens) != 1:
            raise AssertionError(f"{len(tokens)} servers issued a first token")
        return tokens[0].read_text().strip()

    def operator(self, server):
        return server.caller({"Authorization": f"Bearer {self.bootstrap_token()}"})

    def query(self, sql):
        return self.postgres.query("fleet", sql)


class Load:
    """Agents at work at several servers, and what each was told is stored: one with 600 tasks for
    each of `runners_at`, and a site, an enroller and an agent that beats at `rest_at`."""

    def __init__(self, operator, name, runners_at, rest_at):
        self.operator, self.tally = operator, Tally()
        token = operator.must("POST", "/api/v1/tokens",
                              {"ttl_seconds": 3600, "max_uses": 10_000})["token"]
        key = operator.must("POST", "/api/v1/keys", {"name": f"{name}-site"})["key"]
        self.agents = [rest_at.enrol(token, f"{name}-runner-{number}")
                       for number in range(len(runners_at))]
        self.beating = rest_at.enrol(token, f"{name}-beating")
        self.runners = [
            ReportsResults(server.caller(agent_headers(agent)), rng_for(name, "runner", number),
                           self.tally, self.make_tasks(agent, 600))
            for number, (agent, server) in enumerate(zip(self.agents, runners_at))]
        hosts = {f"{name}-host-{number}": None for number in range(6)}
        self.site = ReportsInventory(rest_at.caller({"X-Agent-Key": key}), rng_for(name, "site"),
                                     self.tally, hosts)
        self.enrols = Enrols(rest_at.caller(), rng_for(name, "enrols"), self.tally, token,
                             f"{name}-new")
        self.beats = Beats(rest_at.caller(agent_headers(self.beating)), rng_for(name, "beats"),
                           self.tally, 0)

    def make_tasks(self, agent, count):
        tasks = []
        while len(tasks) < count:
            tasks += self.operator.must("POST", "/api/v1/tasks", {
                "type": "execute_command", "agent_ids": [agent["agent_id"]] * 200,
                "command": "true"})["task_ids"]
        return tasks

    def start(self):
        for caller in (*self.runners, self.site, self.enrols, self.beats):
            caller.start()
        return self

    def stop(self):
        self.tally.stopped.set()
        for caller in (*self.runners, self.site, self.enrols, self.beats):
            caller.join()

    def check(self, case, server):
        """Each acknowledged write is there, and none failed; how many were results."""
        case.assertEqual(self.tally.failures, [])
        facts = WrittenFacts(case, self.operator, findings_follow=True)
        for runner in self.runners:
            for task, result in runner.acknowledged.items():
                facts.result(task, result)
        for hostname, packages in self.site.hosts.items():
            pending = self.site.pending
            possible = (packages, pending[2]) if pending and pending[0] == hostname else (packages,)
            case.assertIn(facts.software(hostname), possible, hostname)
        for _, data in self.enrols.enrolled:
            facts.key_works(server, data)
        if self.beats.acknowledged:
            # What another server heard is known here after a flush.
            possible = (self.beats.acknowledged[-1], self.beats.pending)
            address = f"/api/v1/agents/{self.beating['agent_id']}"
            Musterd.wait_for(
                lambda: self.operator.must("GET", address)["agent_version"] in possible)
        return sum(len(runner.acknowledged) for runner in self.runners)


def import_feed(operator):
    """The advisories that the site's packages fall under."""
    operator.must("POST", "/api/v1/feeds/debian", FEED)
