# SPDX-License-Identifier: Apache-2.0
"""Each fault of the server that agents in the field had before, as the claim that ours is without.

The numbers are sections of the fact sheet of their protocol. What takes minutes or days of silence
is shown with a clock of its own in fleet's tests (time_is_passed_elsewhere) and in the simulation.
"""
import json
import os
import pathlib
import unittest
import uuid

from fielded_agent import FieldedAgent, Lost
from fielded_case import NULL_LISTS, PROGRAM, RECONNECT, FieldedCase, bundle, control, sha256
from muster_process import ROOT, Musterd

REASONS = ("service_restart network_recovery machine_reboot update_restart"
           " network_adapter_disabled dns_failure server_unreachable network_unreachable"
           " connection_timeout connection_reset tls_error disk_pressure_crash"
           " memory_pressure_crash unknown").split()
#: The number of agents at which the fielded server's limits dropped calls.
AGENTS_OF_A_SITE = 25
POSTS_BEFORE_GIVING_UP = 16
OUTPUT_BYTES = 1 << 20  # what an agent keeps of each


class Contract(FieldedCase):
    """0, 1: where its documents and its code disagree, and what it refuses for no reason."""

    def test_either_key_header_is_taken_and_both_must_agree(self):  # 0.1
        agent = self.agent()
        bare = {name: value for name, value in agent.headers().items() if name != "Authorization"}
        ask = lambda headers: agent.once("GET", "/api/agent/tasks", None, headers)[0]
        self.assertEqual(ask({**bare, "X-Agent-Key": agent.key}), 204)
        self.assertEqual(ask({**agent.headers(), "X-Agent-Key": agent.key}), 204)
        self.assertEqual(ask({**agent.headers(), "X-Agent-Key": "ak_" + "0" * 64}), 401)

    def test_an_enrolment_is_answered_in_both_vocabularies(self):  # 0.2
        agent = self.stranger()
        _, content = agent.once("POST", "/api/agent/enroll", json.dumps({
            "token": self.token, "hostname": agent.hostname, "os": "linux", "arch": "amd64",
            "agent_version": "0.6.2"}), {})
        data = json.loads(content)["data"]
        self.assertEqual(data["api_key"], data["agent_key"])
        self.assertEqual(data["public_key"], data["update_public_key"])

    def test_an_update_is_facts_without_a_query_and_the_program_with_one(self):  # 0.3
        agent = self.agent()
        self.addCleanup(self.withdraw, self.publish("0.6.3", b"program"))
        facts = json.loads(agent.call("GET", "/api/agent/update")[1])["data"]
        self.assertEqual((facts["version"], facts["size"]), ("0.6.3", 7))
        self.assertTrue(facts["download_url"].startswith("https://"))
        self.assertEqual(agent.call("GET", "/api/agent/update?os=linux&arch=amd64"),
                         (200, b"program"))

    def test_a_poll_gives_one_object_and_the_plural_beside_it(self):  # 0.4
        agent = self.agent()
        ordered = self.order(agent)
        body = json.loads(agent.call("GET", "/api/agent/tasks")[1])
        self.assertEqual(body["data"]["id"], ordered)
        self.assertEqual(body["tasks"], [body["data"]])

    def test_every_reason_is_taken_and_an_unknown_one_is_unknown(self):  # 0.5
        for reason, stored in [*zip(REASONS, REASONS), ("gremlins", "unknown")]:
            agent = self.stranger()
            agent.enrol(self.token)
            self.assertEqual(agent.beat(reconnect_reason=reason)[0], 200)
            [back] = self.events(agent, "came_online")
            self.assertEqual(back["details"]["reconnect_reason"], stored)

    def test_a_reason_that_is_sent_again_is_one_event(self):  # 0.6
        agent = self.stranger()
        agent.enrol(self.token)
        lost = iter(["answer", "answer", "answer"])
        agent.wire = lambda method, path: next(lost, None)
        agent.beat(**RECONNECT)
        agent.beat(**RECONNECT)
        self.assertEqual(agent.statuses[-5:], [200] * 5)
        self.assertEqual(len(self.events(agent, "came_online")), 1)

    def test_all_five_states_are_taken_and_others_do_not_cost_the_heartbeat(self):  # 0.8
        agent = self.agent()
        for status in ("idle", "executing", "updating", "error", "offline", "napping"):
            self.assertEqual(agent.beat(status=status)[0], 200)
            self.assertEqual(self.shown(agent)["heartbeat"]["status"],
                             "unknown" if status == "napping" else status)

    def test_the_version_header_is_optional(self):  # 0.11
        agent = self.agent()
        headers = agent.headers()
        del headers["X-Agent-Version"]
        self.assertEqual(agent.once("GET", "/api/agent/version", None, headers)[0], 204)

    def test_errors_never_show_what_is_inside(self):  # 1.0
        answer = self.operator.ask("POST", "/api/v1/tasks", {
            "type": "execute_command", "agent_ids": [str(uuid.uuid4())], "command": "true"})
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json()["field"], "agent_ids[0]")
        agent = self.agent()
        status, content = agent.once("POST", "/api/agent/heartbeat", b"{", agent.headers())
        self.assertEqual(status, 400)
        self.assertNotIn(b"SQL", content)
        self.assertNotIn(b".cpp", content)

    def test_a_heartbeat_with_odd_members_counts_and_names_them(self):  # 1.2
        agent = self.agent()
        for change, named in (({"current_task": 7}, "current_task"),
                              ({"system": {"memory_mb": -5}}, "system.memory_mb"),
                              ({"system": []}, "system"),
                              ({"reconnect_context": "none"}, "reconnect_context")):
            status, content = agent.beat(**change)
            self.assertEqual(status, 200)
            self.assertIn(named, json.loads(content)["data"]["warnings"][0])
        bare = agent.call("POST", "/api/agent/heartbeat", {"status": "idle"})
        self.assertEqual(bare[0], 200, "absent members are null")

    def test_a_time_in_the_body_refuses_nothing(self):  # 1.2: retries resend it
        agent = self.agent()
        for timestamp in ("2020-01-01T00:00:00Z", "soon", None):
            status, content = agent.beat(timestamp=timestamp)
            self.assertEqual(status, 200)
            self.assertNotIn("warnings", json.loads(content)["data"])

    def test_a_context_with_further_members_is_kept(self):  # 1.0
        agent = self.stranger()
        agent.enrol(self.token)
        context = {**RECONNECT["reconnect_context"], "signal_dbm": -70}
        self.assertEqual(agent.beat(**{**RECONNECT, "reconnect_context": context})[0], 200)
        [back] = self.events(agent, "came_online")
        self.assertEqual(back["details"]["reconnect_context"]["signal_dbm"], -70)

    def test_a_status_that_is_reported_again_is_taken(self):  # 1.4
        agent = self.agent()
        task = self.claimed(agent)["id"]
        for status in ("executing", "executing"):
            self.assertEqual(agent.say(task, status), 200)

    def test_a_result_before_any_status_is_taken(self):  # 1.6, 5.1
        agent = self.agent()
        task = self.claimed(agent)
        self.assertTrue(agent.report(task["id"], agent.result_of(task, stdout="ran")))
        self.assertEqual(self.task(task["id"])["result"]["stdout"], "ran")
        unclaimed = self.order(agent)
        self.assertTrue(agent.report(unclaimed, agent.result_of({**task, "id": unclaimed})))

    def test_both_outputs_full_of_binary_bytes_are_no_dead_end(self):  # 1.6, 10.1.11
        agent = self.agent()
        task = self.claimed(agent)
        output = "\x01" * OUTPUT_BYTES  # six bytes each on the wire
        self.assertTrue(agent.report(task["id"], agent.result_of(task, stdout=output,
                                                                 stderr=output)))
        self.assertEqual(self.task(task["id"])["result"]["stderr"], output)


class Keys(FieldedCase):
    """2.1, 3: rotation, enrolment."""

    def rotate(self, agent):
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/rotate-key", {})

    def test_an_agent_that_never_fetched_its_new_key_is_not_locked_out(self):  # 2.1.6
        agent = self.agent()
        self.rotate(agent)
        self.assertIsNone(agent.poll())
        self.rotate(agent)
        self.assertIsNone(agent.poll())

    def test_the_old_key_ends_at_the_first_use_of_the_new_one(self):  # 2.1.7
        agent = self.agent()
        old = agent.key
        self.rotate(agent)
        agent.beat()
        new, agent.key = agent.key, old
        self.assertIsNone(agent.poll(), "the new key was not used yet")
        agent.key = new
        self.assertIsNone(agent.poll())
        agent.key = old
        self.assertEqual(agent.call("GET", "/api/agent/tasks")[0], 401)

    def test_a_new_key_works_in_the_same_moment(self):  # 2.1.8
        agent = self.agent()
        for _ in range(3):
            self.assertIsNone(agent.poll())
            self.rotate(agent)
            old = agent.key
            agent.beat()
            self.assertNotEqual(agent.key, old)
            self.assertIsNone(agent.poll())

    def test_rotating_again_offers_the_same_key(self):  # 2.1.2: one of two offers was a dead key
        agent = self.agent()
        old = agent.key
        offered = set()
        for _ in range(3):
            self.rotate(agent)
            agent.key = old
            agent.beat()
            offered.add(agent.key)
        self.assertEqual(len(offered), 1)

    def test_a_key_whose_offer_got_lost_is_offered_again(self):  # 2.1.3
        agent = self.agent()
        old = agent.key
        self.rotate(agent)
        lost = iter(["answer", "answer"])
        agent.wire = lambda method, path: next(lost, None)
        agent.beat()
        self.assertNotEqual(agent.key, old)
        self.assertIsNone(agent.poll())

    def test_the_first_agent_of_a_fresh_server_gets_the_update_key(self):  # 3, 10.1.4
        server = Musterd(self.folder / "fresh", "", self.certificate.flags(),
                         self.certificate).start()
        self.addCleanup(server.kill)
        agent = FieldedAgent(server.port, self.certificate.context())
        self.addCleanup(agent.close)
        agent.enrol(server.enrolment_token())
        first = agent.enrolled["update_public_key"]
        self.assertEqual(len(first), 44)
        server.drain()
        server.start()
        again = FieldedAgent(server.port, self.certificate.context())
        self.addCleanup(again.close)
        again.enrol(server.enrolment_token())
        self.assertEqual(again.enrolled["update_public_key"], first)

    def test_tokens_that_are_used_up_stay_in_the_list(self):  # 3
        token = self.operator.must("POST", "/api/v1/tokens", {"max_uses": 1})
        first, second = self.stranger(), self.stranger()
        self.assertEqual(first.enrol(token["token"])[0], 201)
        self.assertEqual(second.enrol(token["token"])[0], 401)
        listed = self.operator.must("GET", "/api/v1/tokens?limit=1000")["items"]
        self.assertIn(token["id"], [each["id"] for each in listed])
        self.assertNotIn(token["token"], json.dumps(listed))


    def test_the_lost_answer_to_the_last_use_of_a_token_locks_nobody_out(self):  # 1.1, 3
        token = self.operator.must("POST", "/api/v1/tokens", {"max_uses": 1})["token"]
        agent = self.stranger()
        for _ in range(2):  # its installer exits each time, and is run again
            agent.wire = lambda method, path: "answer"
            with self.assertRaises(Lost):
                agent.enrol(token)
        agent.wire = lambda method, path: None
        self.assertEqual(agent.enrol(token)[0], 201)
        self.assertEqual(agent.beat()[0], 200)
        self.assertEqual(agent.enrol(token)[0], 401, "it has been heard")
        self.assertEqual(self.stranger().enrol(token)[0], 401, "one use is one host")
        listed = self.operator.must("GET", f"/api/v1/agents?hostname={agent.hostname}")["items"]
        self.assertEqual([each["id"] for each in listed], [agent.id])

    def test_a_copied_machine_can_be_made_an_agent_of_its_own(self):  # 3: two machines, one key
        first = self.agent()
        copy = self.stranger()
        copy.id, copy.key, copy.hostname = first.id, first.key, first.hostname
        shared = first.key

        def beat(agent, uptime):
            system = {**agent.beat_body()["system"], "uptime_seconds": uptime}
            self.assertEqual(agent.beat(system=system)[0], 200)
        for _ in range(4):
            beat(copy, 1000)
            beat(first, 900_000)
        self.assertEqual(len(self.events(first, "clone_detected")), 1)
        split = self.muster("agents", "split", first.id)
        for _ in range(3):
            beat(first, 900_000)
            beat(copy, 1000)
        self.assertEqual((first.key, copy.key), (shared, split["key"]))
        self.assertIsNone(first.poll())
        self.assertIsNone(copy.poll())
        new = self.muster("agents", "show", split["split_agent_id"])
        old = self.muster("agents", "show", first.id)
        self.assertEqual((new["split_from"], old["clone"]), (first.id, None))
        self.assertNotEqual(new["asset_id"], old["asset_id"])


class Tasks(FieldedCase):
    """5, 6.5: work and what comes of it."""

    def test_cancelled_work_does_not_run(self):  # 5.1
        agent = self.agent()
        task = self.claimed(agent)["id"]
        self.cancel(task)
        self.assertEqual(agent.say(task, "executing"), 409)
        self.assertEqual(agent.fail(task, "status update failed: 409"), 200)
        self.assertEqual(self.task(task)["status"], "cancelled")

    def test_work_that_was_cancelled_too_late_keeps_its_result(self):  # 5.1
        agent = self.agent()
        task = self.claimed(agent)
        self.assertEqual(agent.say(task["id"], "executing"), 200)
        self.cancel(task["id"])
        self.assertTrue(agent.report(task["id"], agent.result_of(task, stdout="ran")))
        self.assertEqual(self.task(task["id"])["result"]["stdout"], "ran")

    def test_environment_variables_are_shown_to_nobody_else(self):  # 5.2
        agent = self.agent()
        task = self.claimed(agent, env_vars={"TEST_SECRET": "hush-7781"})
        self.assertEqual(task["payload"]["env_vars"], {"TEST_SECRET": "hush-7781"})
        for path in (f"/api/v1/tasks/{task['id']}", "/api/v1/tasks?limit=1000",
                     "/api/v1/audit?limit=1000", "/api/v1/events?limit=1000"):
            self.assertNotIn("hush-7781", self.operator.ask("GET", path).body, path)
        files = (self.folder / "data").rglob("*")
        self.assertFalse([path for path in files if path.is_file() and
                          b"hush-7781" in path.read_bytes()])

    def lose_a_delivery(self, agent):
        lost = iter(["answer"])
        agent.wire = lambda method, path: next(lost, None)
        with self.assertRaises(Lost):
            agent.once("GET", "/api/agent/tasks", None, agent.headers())

    def test_a_test_whose_delivery_was_lost_is_given_again(self):  # 5.3
        agent = self.agent()
        task, _ = self.order_test(agent, env_vars={"TEST_SECRET": "again"})
        self.lose_a_delivery(agent)
        for _ in range(2):
            self.assertIsNone(agent.poll())
            agent.beat()
        again = agent.poll()
        self.assertEqual(again["id"], task)
        self.assertEqual(again["payload"]["env_vars"], {"TEST_SECRET": "again"})  # 5.4

    def test_a_command_whose_delivery_was_lost_does_not_run_twice(self):  # 5.3
        agent = self.agent()
        self.order(agent)
        self.lose_a_delivery(agent)
        for _ in range(3):
            agent.beat()
            self.assertIsNone(agent.poll())

    def test_an_update_agent_result_with_empty_os_and_arch_is_taken(self):  # 5.5
        agent = self.agent()
        task = self.order(agent, "update_agent")
        self.assertEqual(agent.poll()["id"], task)
        agent.say(task, "executing")
        self.assertTrue(agent.report(task, agent.result_of_update()))
        shown = self.task(task)
        self.assertEqual((shown["status"], shown["result"]["os"], shown["result"]["arch"]),
                         ("completed", "linux", "amd64"))

    def give_up(self, agent, task, lost):
        """All posts of the result fail; the PATCH that gives it up gets through."""
        agent.wire = lambda method, path: lost if path.endswith("/result") else None
        result = agent.result_of(task, stdout="it ran", exit_code=0)
        self.assertFalse(agent.report(task["id"], result))
        agent.wire = lambda method, path: None

    def test_a_late_result_after_the_give_up_patch_is_kept(self):  # 5.6, 10.1.6
        agent = self.agent()
        task = self.claimed(agent)
        agent.say(task["id"], "executing")
        self.give_up(agent, task, "request")
        self.assertEqual(self.task(task["id"])["status"], "failed")
        self.assertIsNone(self.task(task["id"])["result"])
        agent.beat()
        self.assertEqual(agent.queue, {})
        shown = self.task(task["id"])
        self.assertEqual((shown["status"], shown["result"]["stdout"]), ("completed", "it ran"))

    def test_sixteen_posts_in_42_seconds_trip_no_limit(self):  # 10.1.2, 11.L
        agent = self.agent()
        task = self.claimed(agent)
        before = len(agent.statuses)
        self.give_up(agent, task, "answer")
        self.assertEqual(sum(agent.paused), 4 * 7 + 14)
        self.assertEqual(agent.statuses[before:], [200] * (POSTS_BEFORE_GIVING_UP + 1))
        agent.beat()
        self.assertEqual(agent.queue, {})
        self.assertEqual(self.task(task["id"])["status"], "completed")
        self.assertEqual(len(self.events(agent, "task_completed")), 1)

    def test_a_second_result_changes_nothing(self):  # 5.6
        agent = self.agent()
        task = self.claimed(agent)
        for said in ("first", "second"):
            self.assertEqual(agent.post_result(task["id"], agent.result_of(task, stdout=said)), 200)
        self.assertEqual(self.task(task["id"])["result"]["stdout"], "first")

    def bundled(self, controls, **members):
        agent = self.agent()
        task, test = self.order_test(agent)
        given = agent.poll()
        self.assertTrue(agent.report(task, agent.result_of(
            given, exit_code=101, bundle_results={**bundle(test, controls), **members})))
        self.assertEqual(agent.queue, {})
        return self.rows(task)

    def test_a_result_with_null_techniques_keeps_its_good_controls(self):  # 6.5, 10.1.6
        rows = self.bundled([control(1), control(2, **NULL_LISTS), control(3)])
        self.assertEqual([(row["control_id"], row["flag"]) for row in rows],
                         [("CH-001", ""), ("CH-002", ""), ("CH-003", "")])

    def test_a_malformed_control_costs_only_itself(self):  # 6.5
        rows = self.bundled([control(1), control(2, exit_code="high"), 7, None, control(5)])
        self.assertEqual([row["flag"] for row in rows],
                         ["", "malformed", "malformed", "malformed", ""])

    def test_a_repeated_control_id_overwrites_nothing(self):  # 6.2
        rows = self.bundled([control(1), control(1, exit_code=101), control(1, exit_code=105)])
        self.assertEqual([(row["control_id"], row["exit_code"], row["flag"]) for row in rows],
                         [("CH-001", 126, ""), ("CH-001#2", 101, "duplicate"),
                          ("CH-001#3", 105, "duplicate")])

    def test_wrong_totals_and_a_foreign_bundle_id_cost_nothing(self):  # 6.5
        rows = self.bundled([control(1)], bundle_id="another", total_controls=99)
        self.assertEqual(len(rows), 1)

    def test_time_is_passed_elsewhere(self):  # 5.4, 4.5
        """These claims need a clock that can be moved."""
        for file, claim in TIMED:
            self.assertIn(claim, (ROOT / "src" / file).read_text(), file)


#: (file, test): faults that show only after minutes or days.
TIMED = (
    # 3: a host that enrols again
    ("fleet/enrolment_test.cpp", "TEST(Enrolment, TheSameMachineIsTheSameHost)"),
    ("fleet/enrolment_test.cpp", "TEST(Enrolment, AHostnameAloneJoinsOnlyASilentHost)"),
    ("fleet/enrolment_test.cpp", "TEST(FirstCall, EndsTheEarlierAgentsOfTheHostAndNoOthers)"),
    # 0.7: a restart into another version
    ("fleet/outages_test.cpp",
     "TEST(Outages, ARestartIntoAnotherVersionIsAnUpdateWhateverTheAgentSays)"),
    # 5.4, 10.1.8: expiry hung on polls, retries after silence never came and had lost their secrets
    ("fleet/task_course_test.cpp", "TEST(GivingUp, ExpiresWithoutAnyPoll)"),
    ("fleet/task_course_test.cpp", "TEST(GivingUp, AnAgentThatFallsSilentIsNotWaitedFor)"),
    ("fleet/task_course_test.cpp",
     "TEST(Retrying, KeepsBatchPriorityAndEnvironmentAndEndsAtItsBound)"),
    # 5.6: a late result of a task that the server gave up
    ("fleet/task_course_test.cpp",
     "TEST(Retrying, ALateResultIsKeptAndEndsTheRetryThatHasNotBegun)"),
    # 4.5, 10.1.9: the fleet's health ended at 20, a new agent's at 60
    ("fleet/health_test.cpp", "TEST(Health, OfAYoungFleetIsAHundredInEverything)"),
)


class Updates(FieldedCase):
    """7: what is offered."""

    def test_latest_is_the_highest_version_not_the_last_registered(self):  # 7
        releases = [self.publish(version, version.encode())
                    for version in ("0.9.0", "0.10.0", "0.8.0")]
        self.addCleanup(self.withdraw, *releases)
        agent = self.agent()
        self.assertEqual(agent.check_version()["version"], "0.10.0")
        agent.version = "0.10.0"
        agent.beat()
        self.assertIsNone(agent.check_version())

    def test_an_update_published_between_check_and_download_is_no_mismatch(self):  # 7
        agent = self.agent()
        releases = [self.publish("0.7.0", b"seven")]
        offered = agent.check_version()
        releases.append(self.publish("0.7.1", b"seven and a bit"))
        self.addCleanup(self.withdraw, *releases)
        self.assertEqual(agent.fetch_update(offered), b"seven")
        self.assertEqual(agent.fetch_update(agent.check_version()), b"seven and a bit")


class Fleet(FieldedCase):
    """10.1: what only shows with many, or from outside."""

    def test_the_server_calls_nobody(self):  # 10.1.1
        agent = self.agent()
        agent.poll()
        pid = self.server.process.pid
        sockets = {os.readlink(link)[8:-1] for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()
                   if os.readlink(link).startswith("socket:")}
        rows = [line.split() for table in ("tcp", "tcp6") for line in
                pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
        local = {int(row[1].split(":")[1], 16) for row in rows if row[9] in sockets}
        self.assertEqual(local, {self.server.port}, "every connection is one that came in")

    def test_25_agents_behind_one_address_are_not_limited_together(self):  # 10.1.2
        agents = [self.agent() for _ in range(AGENTS_OF_A_SITE)]
        for _ in range(4):  # more than a minute of theirs
            for agent in agents:
                agent.beat()
                agent.poll()
                agent.poll()
        for agent in agents:
            self.assertLessEqual(set(agent.statuses), {200, 201, 204})

    def test_who_is_refused_while_it_thinks_all_is_well_is_shown(self):  # 10.1.10
        agent = self.agent()
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/disable", {})
        self.assertEqual(agent.beat()[0], 401)
        shown = self.shown(agent)
        self.assertEqual((shown["status"], shown["last_refusal"]["reason"]),
                         ("disabled", "disabled"))
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/enable", {})
        self.assertEqual(agent.beat()[0], 200)
        skewed = self.stranger()
        skewed.enrol(self.token)
        skewed.clock_error = -900
        status, content = skewed.beat()
        self.assertEqual((status, json.loads(content)["code"]), (401, "clock_skew"))
        self.assertTrue(json.loads(content)["server_time"])
        shown = self.shown(skewed)
        self.assertIsNone(shown["last_seen"])
        refusal = shown["last_refusal"]
        self.assertEqual((refusal["reason"], refusal["address"]), ("clock_skew", "127.0.0.1"))
        self.assertAlmostEqual(refusal["skew_seconds"], -900, delta=5)

    def test_what_ends_work_or_an_agent_is_on_record(self):  # 4.4
        agent = self.agent()
        cancelled = self.order(agent)
        self.cancel(cancelled)
        audit = self.operator.must("GET", "/api/v1/audit?limit=1000")["items"]
        self.assertIn(("tasks.cancel", cancelled),
                      [(row["action"], row["target"]) for row in audit])
        self.order(agent, "uninstall")
        task = agent.poll()
        agent.say(task["id"], "executing")
        self.assertTrue(agent.report(task["id"], agent.result_of(task)))
        self.assertEqual(len(self.events(agent, "uninstalled")), 1)

    def test_an_order_of_one_organisation_reaches_no_other(self):  # 10.1.12
        other = self.operator.must("POST", "/api/v1/orgs", {"name": "other-" + uuid.uuid4().hex})
        agent = self.agent()
        answer = self.operator.ask("POST", "/api/v1/tasks", {
            "type": "execute_command", "agent_ids": [agent.id], "command": "true",
            "org": str(other["id"])})
        self.assertEqual(answer.status, 404)
        self.assertIsNone(agent.poll())
        listed = self.operator.must("GET", f"/api/v1/agents?org={other['id']}")
        self.assertEqual(listed["items"], [])

    def test_a_decommissioned_agent_is_not_revived(self):  # 10.1.13
        agent = self.agent()
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/decommission", {})
        self.assertEqual(self.operator.ask("POST", f"/api/v1/agents/{agent.id}/enable",
                                           {}).status, 409)
        self.assertEqual(agent.beat()[0], 401)

    def test_a_test_program_is_that_of_the_order_and_only_for_its_agent(self):  # 1.5, 10.1.14
        agent, other = self.agent(), self.agent()
        _, test = self.order_test(agent)
        payload = agent.poll()["payload"]
        self.assertEqual(payload["binary_sha256"], sha256(PROGRAM))
        self.muster("binaries", "upload", self.file(b"replaced"), "--test-uuid", test, "--name",
                    "disk-test.sh")
        self.assertEqual(agent.fetch(payload), PROGRAM)
        with self.assertRaisesRegex(AssertionError, "404"):
            other.fetch(payload)

    def test_an_uninstalled_agent_is_offline_at_once(self):  # 2, 4.2
        agent = self.agent()
        task = self.order(agent, "uninstall")
        given = agent.poll()
        agent.say(task, "executing")
        self.assertTrue(agent.report(task, agent.result_of(given, stdout="uninstall initiated")))
        self.assertEqual(agent.call("GET", "/api/agent/tasks")[0], 401)
        shown = self.shown(agent)
        self.assertEqual((shown["status"], shown["presence"]), ("uninstalled", "offline"))


if __name__ == "__main__":
    unittest.main()
