# SPDX-License-Identifier: Apache-2.0
"""What agents in the field do, from enrolment to removal, each answer decoded as strictly as they
decode it. One test for each step, lettered as in the fact sheet of their protocol."""
import base64
import json
import unittest
import uuid

from fielded_agent import RELEASE, Undecodable, decode
from fielded_case import NULL_LISTS, PROGRAM, RECONNECT, FieldedCase, bundle, control, sha256

UNIFORM_401 = {"success": False, "error": "Invalid agent credentials",
               "code": "invalid_credentials"}

MIB = 1 << 20


class Decoder(unittest.TestCase):
    """A decoder that takes everything would prove nothing."""

    def refuses(self, text):
        with self.assertRaises(Undecodable, msg=text):
            decode(text, RELEASE)

    def test_it_is_as_strict_as_theirs(self):
        for size in ('"7"', "1.5", "7.0", "1e3", "9223372036854775808", "true", "[]"):
            self.refuses(f'{{"data": {{"size": {size}}}}}')
        self.refuses('{"data": [{"size": 7}]}')
        self.refuses('{"data": {"version": 7}}')
        self.refuses('{"data": {"mandatory": 1}}')
        self.refuses('{"data": {')

    def test_it_is_as_lenient_as_theirs(self):
        taken = decode('{"DATA": {"SIZE": 7, "version": null, "more": [1.5]}, "tasks": []}', RELEASE)
        self.assertEqual((taken["size"], taken["version"], taken["mandatory"]), (7, "", False))
        self.assertEqual(decode('{"data": null}', RELEASE)["size"], 0)


class FieldedAgents(FieldedCase):
    def test_a_enrolment(self):
        agent = self.stranger()
        status, data = agent.enrol(self.token)
        self.assertEqual(status, 201)
        uuid.UUID(data["agent_id"])
        self.assertRegex(data["agent_key"], "^ak_[0-9a-f]{64}$")
        self.assertTrue(data["org_id"])
        self.assertTrue(data["server_url"].startswith("https://"))
        self.assertGreater(data["poll_interval"], 0)
        self.assertEqual(len(base64.b64decode(data["update_public_key"], validate=True)), 32)

    def test_b_first_heartbeat(self):
        agent = self.stranger()
        agent.enrol(self.token)
        status, content = agent.beat()
        self.assertEqual(status, 200)
        data = json.loads(content)["data"]
        self.assertIs(data["acknowledged"], True)
        self.assertTrue(data["server_time"])
        self.assertNotIn("new_api_key", data)
        self.assertNotIn("warnings", data)
        shown = self.shown(agent)
        self.assertEqual(shown["presence"], "online")
        sent = agent.beat_body()["system"]
        self.assertEqual(shown["heartbeat"]["system"], {name: value for name, value in sent.items()
                                                        if isinstance(value, int)})

    def test_c_version_check_right_after(self):
        agent = self.agent()
        self.assertIsNone(agent.check_version())
        release = self.publish("0.6.3", b"one")
        self.addCleanup(self.withdraw, release)
        offered = agent.check_version()
        self.assertEqual((offered["version"], offered["sha256"], offered["size"],
                          offered["mandatory"]), ("0.6.3", sha256(b"one"), 3, False))
        self.assertRegex(offered["signature"], "^[0-9a-f]{128}$")

    def test_d_polls_until_there_is_work(self):
        agent = self.agent()
        self.assertIsNone(agent.poll())
        ordered = self.order(agent, execution_timeout=77)
        task = agent.poll()
        self.assertEqual((task["id"], task["type"]), (ordered, "execute_command"))
        self.assertEqual(task["payload"]["command"], "uname -a")
        self.assertEqual(task["payload"]["execution_timeout"], 77)
        self.assertIsNone(agent.poll(), "given out twice")

    def test_e_execute_test(self):
        agent = self.agent()
        ordered, test = self.order_test(agent, arguments=["-v"],
                                        env_vars={"AZURE_TENANT_ID": "t"})
        task = agent.poll()
        payload = task["payload"]
        self.assertEqual((task["id"], task["type"], payload["test_uuid"], payload["test_name"]),
                         (ordered, "execute_test", test, "Disk"))
        self.assertEqual((payload["arguments"], payload["env_vars"]),
                         (["-v"], {"AZURE_TENANT_ID": "t"}))
        self.assertEqual(agent.say(ordered, "downloading"), 200)
        self.assertEqual(agent.fetch(payload), PROGRAM)
        self.assertEqual(agent.say(ordered, "executing"), 200)
        self.assertEqual(agent.beat(current_task=ordered)[0], 200)
        result = agent.result_of(task, exit_code=101, stdout="a <&> b\n", bundle_results=bundle(
            test, [control(1), control(2, **NULL_LISTS)]))
        for _ in range(2):
            self.assertEqual(agent.post_result(ordered, result), 200)
            rows = self.rows(ordered)
            self.assertEqual([(row["control_id"], row["exit_code"], row["techniques"], row["flag"])
                              for row in rows],
                             [("CH-001", 126, ["T1562.001"], ""), ("CH-002", 101, [], "")])
        shown = self.task(ordered)
        self.assertEqual(shown["status"], "completed")
        self.assertEqual(shown["result"]["stdout"], "a <&> b\n")

    def test_f_failure_report(self):
        agent = self.agent()
        said, unsaid = self.claimed(agent)["id"], self.claimed(agent)["id"]
        self.assertEqual(agent.fail(said, "SHA256 mismatch: expected a, got b"), 200)
        self.assertEqual(agent.say(unsaid, "failed"), 200)
        self.assertEqual(self.task(said)["status"], "failed")
        self.assertEqual(self.task(said)["error"], "SHA256 mismatch: expected a, got b")
        self.assertEqual(self.task(unsaid)["status"], "failed")

    def test_g_execute_command(self):
        agent = self.agent()
        for exit_code in (0, -1, 3221225477):
            task = self.claimed(agent)
            self.assertEqual(agent.say(task["id"], "executing"), 200)
            result = agent.result_of(task, exit_code=exit_code, stdout="Linux\n")
            self.assertEqual((result["test_uuid"], result["binary_sha256"]), ("", ""))
            self.assertTrue(agent.report(task["id"], result))
            self.assertEqual(self.task(task["id"])["result"]["exit_code"], exit_code)

    def test_h_update_agent(self):
        agent = self.agent()
        ordered = self.order(agent, "update_agent")
        task = agent.poll()
        self.assertEqual((task["id"], task["type"]), (ordered, "update_agent"))
        agent.say(ordered, "executing")
        content = b"the next agent" * 1000
        release = self.publish("0.7.0", content)
        self.addCleanup(self.withdraw, release)
        offered = agent.check_version()
        self.assertEqual(offered["version"], "0.7.0")
        self.assertEqual(agent.fetch_update(offered), content)
        key = base64.b64decode(agent.enrolled["update_public_key"])
        signature = bytes.fromhex(offered["signature"])
        self.assertTrue(self.verify(key, bytes.fromhex(sha256(content)), signature))
        self.assertFalse(self.verify(key, bytes.fromhex(sha256(b"other")), signature))
        self.assertTrue(agent.report(ordered,
                                     agent.result_of_update("update applied, restart pending")))
        self.assertEqual(self.task(ordered)["status"], "completed")
        agent.version = "0.7.0"
        context = {"reason": "service_restart", "offline_duration_seconds": 3, "failure_count": 0,
                   "process_start_time": "2026-11-22T03:57:32Z"}
        self.assertEqual(agent.beat(reconnect_reason="service_restart",
                                    reconnect_context=context)[0], 200)
        self.assertEqual(self.shown(agent)["agent_version"], "0.7.0")
        changed = self.events(agent, "version_updated")
        self.assertEqual([event["details"] for event in changed], [{"from": "0.6.2", "to": "0.7.0"}])
        self.assertIsNone(agent.check_version())

    def test_i_uninstall(self):
        agent = self.agent()
        ordered = self.order(agent, "uninstall", command="cleanup")
        task = agent.poll()
        self.assertEqual((task["type"], task["payload"]["command"]), ("uninstall", "cleanup"))
        self.assertEqual(agent.say(ordered, "executing"), 200)
        self.assertTrue(agent.report(ordered, agent.result_of(task, stdout="uninstall initiated")))
        for status, _ in (agent.beat(), agent.call("GET", "/api/agent/tasks")):
            self.assertEqual(status, 401)
        self.assertEqual(self.shown(agent)["status"], "uninstalled")

    def test_j_reconnect_heartbeat(self):
        agent = self.stranger()
        agent.enrol(self.token)
        status, content = agent.beat(**RECONNECT)
        self.assertEqual(status, 200)
        self.assertNotIn("warnings", json.loads(content)["data"])
        [back] = self.events(agent, "came_online")
        self.assertEqual(back["details"]["reconnect_reason"], "network_recovery")
        self.assertEqual(back["details"]["reconnect_context"]["system_at_failure"]["cpu_percent"],
                         100)

    def test_k_rotation(self):
        agent = self.agent()
        old = agent.key
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/rotate-key", {})
        self.assertEqual(agent.beat()[0], 200)
        self.assertNotEqual(agent.key, old)
        self.assertIsNone(agent.poll(), "the new key works at once")
        new, agent.key = agent.key, old
        self.assertEqual(agent.call("GET", "/api/agent/tasks")[0], 401)
        agent.key = new
        status, content = agent.beat()
        self.assertEqual(status, 200)
        self.assertNotIn("new_api_key", json.loads(content)["data"])

    def test_l_who_is_not_let_in(self):
        agent, other = self.agent(), self.agent()
        path = "/api/agent/tasks"

        def answer(**headers):
            given = {name: value for name, value in {**agent.headers(), **headers}.items() if value}
            status, content = agent.once("GET", path, None, given)
            return status, json.loads(content or b"null")
        self.assertEqual(answer(), (204, None))
        for wrong in ({"Authorization": "Bearer ak_" + "0" * 64}, {"Authorization": None},
                      {"Authorization": "bearer " + agent.key},
                      {"Authorization": "Bearer  " + agent.key},
                      {"X-Agent-Id": other.id}, {"X-Agent-Id": str(uuid.uuid4())}):
            self.assertEqual(answer(**wrong), (401, UNIFORM_401), wrong)
        for skew in (-302, 302):
            agent.clock_error = skew
            status, body = answer()
            self.assertEqual((status, body["code"]), (401, "clock_skew"), skew)
        agent.clock_error = 0
        self.assertEqual(answer(**{"X-Request-Timestamp": None})[0], 401)
        for skew in (-298, 298):
            agent.clock_error = skew
            self.assertEqual(answer(), (204, None))
        agent.clock_error = 0
        self.operator.must("POST", f"/api/v1/agents/{agent.id}/disable", {})
        status, body = answer()
        self.assertEqual((status, body["code"]), (401, "disabled"))

    def test_l_whose_tasks_are_whose(self):
        agent, other = self.agent(), self.agent()
        task = self.claimed(other)
        self.assertEqual(agent.post_result(task["id"], agent.result_of(task)), 403)
        self.assertEqual(agent.say(task["id"], "executing"), 403)
        never = str(uuid.uuid4())
        self.assertEqual(agent.post_result(never, agent.result_of(task)), 404)
        self.assertEqual(agent.say(never, "executing"), 404)
        self.assertIsNone(self.task(task["id"])["result"])

    def test_l_what_comes_after_the_end(self):
        agent = self.agent()
        task = self.claimed(agent)
        first = agent.result_of(task, stdout="first")
        self.assertEqual(agent.post_result(task["id"], first), 200)
        self.assertEqual(agent.post_result(task["id"], {**first, "stdout": "second"}), 200)
        self.assertEqual(agent.say(task["id"], "failed", error="late"), 200)
        shown = self.task(task["id"])
        self.assertEqual((shown["status"], shown["result"]["stdout"]), ("completed", "first"))

    def test_m_status_codes_that_matter(self):
        """No body about a task of the agent is answered 400, 404 or 413: the agent would drop it
        for ever, or stay stuck behind it."""
        agent = self.agent()
        every = self.result_for_each_oddity(agent)
        for what, change in every.items():
            task = self.claimed(agent)
            self.assertEqual(agent.post_result(task["id"], {**agent.result_of(task), **change}),
                             200, what)
            self.assertIsNotNone(self.task(task["id"])["result"], what)
        self.assertEqual(agent.call("POST", "/api/agent/tasks/" + self.claimed(agent)["id"] +
                                    "/result", {})[0], 200, "an empty result")

    def test_m_a_result_of_20_mib_blocks_no_queue(self):
        """Its former server answered 413, and the agent kept it before all later ones for ever."""
        agent = self.agent()
        long, later = self.claimed(agent), self.claimed(agent)
        agent.queue = {long["id"]: agent.result_of(long, stdout="o" * 20 * MIB, exit_code=101),
                       later["id"]: agent.result_of(later, stdout="later")}
        before = self.server.resident()
        agent.drain()
        self.assertEqual(agent.queue, {})
        self.assertLess(self.server.resident() - before, 80 * MIB)
        result = self.task(long["id"])["result"]
        self.assertEqual((result["exit_code"], result["stdout"]), (101, "o" * MIB))
        self.assertTrue(result["stdout_truncated"])
        self.assertEqual(result["flags"], ["shortened"])
        self.assertEqual(self.task(later["id"])["result"]["stdout"], "later")

    @staticmethod
    def result_for_each_oddity(agent):
        return {
            "null bundle": {"bundle_results": None}, "empty bundle": {"bundle_results": {}},
            "bundle of another kind": {"bundle_results": "none"},
            "null controls": {"bundle_results": {"controls": None}},
            "a fraction": {"exit_code": 1.5}, "text for a number": {"execution_duration_ms": "9"},
            "unknown system": {"os": "plan9", "arch": "mips"}, "no output": {"stdout": None},
            "no hostname": {"hostname": None}, "a future member": {"future": {"a": [1]}},
            "control bytes": {"stdout": "\x00\x1b[2J\x7f"}, "another's id": {"task_id": agent.id},
            "no date": {"started_at": "", "completed_at": "yesterday"}}


if __name__ == "__main__":
    unittest.main()
