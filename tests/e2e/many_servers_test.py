# SPDX-License-Identifier: Apache-2.0
"""Equal servers on one PostgreSQL: what one is told, the others know; who dies is not missed."""
import hashlib
import threading
import time
import unittest
import urllib.request

from agents_at_work import FEED
from many_servers import QUICK_PRESENCE, Load, Servers, import_feed
from muster_process import Musterd, agent_headers, all_pages
from postgres_process import NOT_INSTALLED

BEAT = {"status": "idle", "agent_version": "1.0.0"}


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class TwoServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = Servers(2)
        cls.addClassCleanup(cls.servers.close)
        cls.a, cls.b = cls.servers.start().all
        cls.operator_a = cls.servers.operator(cls.a)
        cls.operator_b = cls.servers.operator(cls.b)
        cls.token = cls.operator_a.must("POST", "/api/v1/tokens",
                                        {"ttl_seconds": 3600, "max_uses": 10_000})["token"]

    def enrol_at(self, server, hostname):
        return server.enrol(self.token, hostname)

    def poll(self, caller):
        answer = caller.ask("GET", "/api/agent/tasks")
        return answer.json()["data"]["id"] if answer.status == 200 else None

    def poll_until(self, caller, seconds=5):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if task := self.poll(caller):
                return task
            time.sleep(0.01)
        return None

    def test_an_agent_enrolled_at_one_is_known_to_the_other_with_the_answer(self):
        for number in range(20):
            first, second = (self.a, self.b) if number % 2 else (self.b, self.a)
            agent = self.enrol_at(first, f"fresh-{number}")
            second.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)

    def test_a_token_and_a_key_hold_everywhere_once_they_are_shown(self):
        for number in range(10):
            token = self.operator_a.must("POST", "/api/v1/tokens",
                                         {"ttl_seconds": 60, "max_uses": 1})["token"]
            self.b.enrol(token, f"by-token-{number}")
            key = self.operator_b.must("POST", "/api/v1/keys", {"name": f"site-{number}"})["key"]
            self.a.caller({"X-Agent-Key": key}).must(
                "POST", "/api/agent/report", {"hostname": f"site-{number}", "os": "Debian",
                                              "software": []})

    def test_tasks_created_at_one_are_given_once_and_done_through_the_other(self):
        agent = self.enrol_at(self.a, "worker")
        created = set()
        for _ in range(5):
            created.update(self.operator_a.must("POST", "/api/v1/tasks", {
                "type": "execute_command", "agent_ids": [agent["agent_id"]] * 20,
                "command": "true"})["task_ids"])
        given, lock = [], threading.Lock()

        def take(server, other):
            polls, reports = (one.caller(agent_headers(agent)) for one in (server, other))
            while task := self.poll_until(polls, 3):
                with lock:
                    given.append(task)
                reports.must("POST", f"/api/agent/tasks/{task}/result",
                             {"exit_code": 0, "stdout": task, "stderr": ""})
        takers = [threading.Thread(target=take, args=pair)
                  for pair in ((self.a, self.b), (self.b, self.a)) * 2]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join()
        self.assertEqual(sorted(given), sorted(created), "each task is given, and given once")
        for task in created:
            for operator in (self.operator_a, self.operator_b):
                self.assertEqual(operator.must("GET", f"/api/v1/tasks/{task}")["result"]["stdout"],
                                 task)

    def test_what_is_revoked_at_one_is_refused_by_the_other_before_the_answer(self):
        key = self.operator_a.must("POST", "/api/v1/keys", {"name": "revoked"})
        site = self.b.caller({"X-Agent-Key": key["key"]})
        site.must("GET", "/api/agent/config")
        agent = self.enrol_at(self.a, "revoked")
        works = self.b.caller(agent_headers(agent))
        works.must("POST", "/api/agent/heartbeat", BEAT)
        token = self.operator_a.must("POST", "/api/v1/tokens", {"ttl_seconds": 60, "max_uses": 9})
        person = self.operator_a.must("POST", "/api/v1/operators",
                                      {"name": "leaver", "role": "admin", "ttl_seconds": 600})
        theirs = self.b.caller({"Authorization": f"Bearer {person['token']}"})
        theirs.must("GET", "/api/v1/me")

        self.operator_a.must("DELETE", f"/api/v1/keys/{key['id']}")
        self.assertEqual(site.ask("GET", "/api/agent/config").status, 401)
        self.operator_a.must("POST", f"/api/v1/agents/{agent['agent_id']}/disable", {})
        refused = works.ask("POST", "/api/agent/heartbeat", BEAT)
        self.assertEqual((refused.status, refused.json()["code"]), (401, "disabled"))
        self.operator_a.must("DELETE", f"/api/v1/tokens/{token['id']}")
        with self.assertRaisesRegex(AssertionError, "401"):
            self.b.enrol(token["token"], "too-late")
        self.operator_a.must("DELETE", f"/api/v1/operators/{person['id']}")
        self.assertEqual(theirs.ask("GET", "/api/v1/me").status, 401)

    def test_a_key_rotated_at_one_is_offered_and_taken_by_the_other(self):
        agent = self.enrol_at(self.a, "rotated")
        self.b.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)
        self.operator_a.must("POST", f"/api/v1/agents/{agent['agent_id']}/rotate-key", {})
        beats = self.b.caller(agent_headers(agent))
        offered = {}

        def is_offered():
            offered.update(beats.must("POST", "/api/agent/heartbeat", BEAT)["data"])
            return "new_api_key" in offered
        Musterd.wait_for(is_offered)
        fresh = dict(agent, api_key=offered["new_api_key"])
        # At once, of the other: it knew the key before the agent did.
        self.a.caller(agent_headers(fresh)).must("POST", "/api/agent/heartbeat", BEAT)
        Musterd.wait_for(lambda: self.b.caller(agent_headers(agent)).ask(
            "POST", "/api/agent/heartbeat", BEAT).status == 401)
        self.b.caller(agent_headers(fresh)).must("POST", "/api/agent/heartbeat", BEAT)

    def test_settings_tags_and_hosts_made_at_one_are_in_force_at_the_other(self):
        key = self.operator_a.must("POST", "/api/v1/keys", {"name": "settings"})["key"]
        site_a, site_b = (one.caller({"X-Agent-Key": key}) for one in (self.a, self.b))
        site_a.must("POST", "/api/agent/report",
                    {"hostname": "told-a", "os": "Debian", "software": []})
        self.operator_a.must("PUT", "/api/v1/settings?scope=host&target=told-a", {"scan_interval": 4321})
        Musterd.wait_for(lambda: site_b.must(
            "GET", "/api/agent/config?hostname=told-a")["scan_interval"] == 4321)
        site_b.must("POST", "/api/agent/heartbeat", {"hostname": "told-a"})

    def test_equal_packages_reported_to_both_at_once_are_one(self):
        key = self.operator_a.must("POST", "/api/v1/keys", {"name": "packages"})["key"]
        sites = [one.caller({"X-Agent-Key": key}) for one in (self.a, self.b)]

        def report(site, name):
            for number in range(15):
                site.must("POST", "/api/agent/report", {
                    "hostname": name, "os": "Debian", "software": [
                        {"name": f"equal-{number}-{package}", "version": "1", "ecosystem": "deb"}
                        for package in range(20)]})
        threads = [threading.Thread(target=report, args=(site, f"equal-{number}"))
                   for number, site in enumerate(sites)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = self.servers.query(
            "SELECT count(*), count(DISTINCT content_id), count(DISTINCT package_id)"
            " FROM packages WHERE name LIKE 'equal-%'")
        self.assertEqual(rows, [["300", "300", "300"]])
        for number in range(2):
            for operator in (self.operator_a, self.operator_b):
                software = operator.must("GET", f"/api/v1/hosts/equal-{number}")["software"]
                self.assertEqual(len(software), 20)

    def test_a_feed_imported_at_one_is_what_the_other_judges_by(self):
        key = self.operator_a.must("POST", "/api/v1/keys", {"name": "feeds"})["key"]
        self.operator_a.must("POST", "/api/v1/feeds/debian", FEED)
        package = sorted(FEED)[0]

        def found():
            self.b.caller({"X-Agent-Key": key}).must("POST", "/api/agent/report", {
                "hostname": "judged", "os": {"name": "Debian GNU/Linux",
                                             "version": "12 (bookworm)"},
                "software": [{"name": package, "version": "1.0-1", "ecosystem": "deb"}]})
            return self.operator_b.must("GET", "/api/v1/findings?host=judged")["items"]
        Musterd.wait_for(found)

    def test_files_uploaded_to_one_are_given_by_the_other(self):
        agent = self.enrol_at(self.a, "downloads")
        program = b"\x7fELF" + b"release" * 100_000
        digest = hashlib.sha256(program).hexdigest()
        urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.a.port}/api/v1/blobs?org=0&sha256={digest}", program,
            {"Authorization": f"Bearer {self.servers.bootstrap_token()}",
             "Content-Type": "application/octet-stream"}, method="POST")).close()
        self.operator_a.must("POST", "/api/v1/releases", {
            "version": "9.0.0", "os": "linux", "arch": "amd64", "sha256": digest})
        caller = self.b.caller(agent_headers(agent))
        offer = caller.must("GET", "/api/agent/update")["data"]
        self.assertEqual(offer["sha256"], digest)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with urllib.request.urlopen(urllib.request.Request(
                f"http://127.0.0.1:{self.b.port}/api/agent/update?os=linux&arch=amd64",
                headers={**agent_headers(agent), "X-Request-Timestamp": now})) as given:
            self.assertEqual(hashlib.sha256(given.read()).hexdigest(), digest)

    def test_an_agent_that_calls_one_is_online_at_the_other(self):
        agent = self.enrol_at(self.a, "listened-to")
        beats = self.b.caller(agent_headers(agent))

        def seen_at_a():
            beats.must("POST", "/api/agent/heartbeat", BEAT)
            shown = self.operator_a.must("GET", f"/api/v1/agents/{agent['agent_id']}")
            return shown["presence"] == "online" and shown["last_seen"] is not None and \
                shown["last_seen"] > shown["enrolled_at"]
        Musterd.wait_for(seen_at_a)

    def test_what_is_done_once_is_done_by_one_server_and_an_outage_is_told_once(self):
        leaders = self.servers.query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND objid = (7887323051 & 4294967295)")
        self.assertEqual(leaders, [["1"]])
        agent = self.enrol_at(self.b, "falls-silent")
        self.b.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)

        host = self.operator_a.must("GET", f"/api/v1/agents/{agent['agent_id']}")["asset_id"]

        def events(kind):
            return [event for event in all_pages(self.operator_a, f"/api/v1/events?host={host}")
                    if event["type"] == kind]
        until = time.monotonic() + 60
        while not events("went_offline") and time.monotonic() < until:
            time.sleep(0.2)
        self.assertEqual(len(events("went_offline")), 1)
        # It comes back to the server that did not tell of it, whichever that was.
        for server in (self.a, self.b):
            server.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)
        self.assertEqual(len(events("came_online")), 2, "its first beat, and its return")

    def test_a_wake_that_is_lost_costs_a_second(self):
        agent = self.enrol_at(self.a, "woken")
        polls = self.b.caller(agent_headers(agent))
        polls.must("POST", "/api/agent/heartbeat", BEAT)
        order = {"type": "execute_command", "agent_ids": [agent["agent_id"]], "command": "true"}
        for _ in range(3):
            self.servers.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE query = 'LISTEN muster'")
            [task] = self.operator_a.must("POST", "/api/v1/tasks", order)["task_ids"]
            self.assertEqual(self.poll_until(polls, 10), task)
            polls.must("POST", f"/api/agent/tasks/{task}/result",
                       {"exit_code": 0, "stdout": "", "stderr": ""})


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class SharedLimits(unittest.TestCase):
    def test_two_servers_together_give_what_one_may(self):
        servers = Servers(2, "[limits]\nconfig_per_minute = 31\n" + QUICK_PRESENCE)
        self.addCleanup(servers.close)
        a, b = servers.start().all
        Musterd.wait_for(lambda: servers.query("SELECT count(*) FROM nodes WHERE lapsed = 0")
                         == [["2"]])
        # Each has to have seen the other: its renewal comes within a second.
        renewals = dict(servers.query("SELECT node_id, renewals FROM nodes"))
        Musterd.wait_for(lambda: all(
            int(now) > int(renewals[node]) + 1 for node, now in
            servers.query("SELECT node_id, renewals FROM nodes")))
        key = servers.operator(a).must("POST", "/api/v1/keys", {"name": "site"})["key"]
        taken = [0, 0]
        for number, server in enumerate((a, b)):
            site = server.caller({"X-Agent-Key": key})
            while site.ask("GET", "/api/agent/config").status == 200:
                taken[number] += 1
        self.assertEqual(taken, [16, 16], "half of 31 each, rounded up")


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class ManyStarts(unittest.TestCase):
    def test_four_servers_start_at_once_on_an_empty_database(self):
        servers = Servers(4)
        self.addCleanup(servers.close)
        failures = []

        def start(server):
            try:
                server.start()
            except AssertionError as error:
                failures.append(error)
        threads = [threading.Thread(target=start, args=(server,)) for server in servers.all]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for server in servers.all:
            servers.operator(server).must("GET", "/api/v1/me")
        for server in servers.all:
            self.assertEqual(server.drain(), 0)
        self.assertEqual(servers.query("SELECT count(*) FROM nodes"), [["0"]])

    def test_a_server_with_another_secret_file_is_refused(self):
        servers = Servers(2)
        self.addCleanup(servers.close)
        a, b = servers.all
        a.start()
        b.flags = b.flags[:2]
        with self.assertRaisesRegex(AssertionError, "another secret file"):
            b.start()
        self.assertEqual(a.drain(), 0)


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class AServerDies(unittest.TestCase):
    def test_kill_9_under_load_loses_no_acknowledged_write_and_no_agent(self):
        servers = Servers(2)
        self.addCleanup(servers.close)
        a, b = servers.start().all
        operator = servers.operator(a)
        import_feed(operator)
        load = Load(operator, "dies", (a, b, b, b), b).start()
        reached = load.tally.wait_for(600)
        b.kill()
        died = time.monotonic()
        # Its agents' next retry.
        served = []
        for agent in load.agents[1:]:
            a.caller(agent_headers(agent)).must("POST", "/api/agent/heartbeat", BEAT)
            served.append(time.monotonic() - died)
        load.stop()
        self.assertTrue(reached, f"only {load.tally.count} writes in time")
        results = load.check(self, a)
        print(f"[{load.tally.count} writes acknowledged, {results} of them results; the other"
              f" server took the dead one's agents after {max(served) * 1000:.0f} ms] ", end="",
              flush=True)
        # And a revocation does not wait for the dead for ever.
        begun = time.monotonic()
        operator.must("POST", f"/api/v1/agents/{load.agents[0]['agent_id']}/disable", {})
        self.assertLess(time.monotonic() - begun, 15)
        b.start()
        refused = b.caller(agent_headers(load.agents[0])).ask("POST", "/api/agent/heartbeat", BEAT)
        self.assertEqual(refused.status, 401)


if __name__ == "__main__":
    unittest.main()
