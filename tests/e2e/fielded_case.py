# SPDX-License-Identifier: Apache-2.0
"""A musterd over TLS with the limits that it has by default, and agents of the field before it."""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import uuid

from fielded_agent import FieldedAgent
from muster_process import BINARIES, ROOT, Musterd

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402

PROGRAM = b"#!/bin/sh\necho test \xff\x00 bytes\n"


class FieldedCase(unittest.TestCase):
    """One server for all tests of a class; each test has agents and tests of its own."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="muster-fielded-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.certificate = Certificate(cls.folder)
        cls.server = Musterd(cls.folder / "data", "", cls.certificate.flags(),
                             cls.certificate).start()
        cls.addClassCleanup(cls.server.kill)
        cls.operator = cls.server.operator()
        cls.token = cls.server.enrolment_token()

    def muster(self, *arguments):
        """The JSON that the command line prints."""
        done = subprocess.run(
            [str(BINARIES / "muster"), *map(str, arguments), "--server",
             f"https://localhost:{self.server.port}", "--ca-file", str(self.certificate.file),
             "--token-file", str(self.folder / "data" / "admin.token"), "--json"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"muster {arguments}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout else None

    def stranger(self):
        """An installation that is not enrolled."""
        agent = FieldedAgent(self.server.port, self.certificate.context(),
                             f"host-{uuid.uuid4().hex[:12]}")
        self.addCleanup(agent.close)
        return agent

    def agent(self):
        """One that is, and was heard."""
        agent = self.stranger()
        self.assertEqual(agent.enrol(self.token)[0], 201)
        self.assertEqual(agent.beat()[0], 200)
        return agent

    def file(self, content):
        path = self.folder / uuid.uuid4().hex
        path.write_bytes(content)
        return path

    def order(self, agent, kind="execute_command", **members):
        """The id of a new task of the agent."""
        if kind == "execute_command":
            members.setdefault("command", "uname -a")
        return self.operator.must("POST", "/api/v1/tasks",
                                  {"type": kind, "agent_ids": [agent.id], **members})["task_ids"][0]

    def order_test(self, agent, program=PROGRAM, **members):
        """(task, test): of a program that is uploaded for it."""
        test = str(uuid.uuid4())
        self.muster("binaries", "upload", self.file(program), "--test-uuid", test, "--name",
                    "disk-test.sh")
        return self.order(agent, "execute_test", test_uuid=test, test_name="Disk", **members), test

    def claimed(self, agent, **members):
        """A command that the agent was given, as it decodes it."""
        ordered = self.order(agent, **members)
        task = agent.poll()
        self.assertIsNotNone(task)
        self.assertEqual(task["id"], ordered)
        return task

    def cancel(self, task):
        self.operator.must("POST", f"/api/v1/tasks/{task}/cancel", {})

    def task(self, task):
        """As operators see it."""
        return self.operator.must("GET", f"/api/v1/tasks/{task}")

    def rows(self, task):
        """The controls of its result."""
        return self.operator.must("GET", f"/api/v1/tasks/{task}/results?limit=100")["items"]

    def shown(self, agent):
        return self.operator.must("GET", f"/api/v1/agents/{agent.id}")

    def events(self, agent, kind):
        """Its events of that type, the newest first."""
        return self.operator.must(
            "GET", f"/api/v1/events?agent={agent.id}&type={kind}&limit=100")["items"]

    def publish(self, version, content, *flags):
        """A release for linux amd64; its id."""
        return self.muster("releases", "publish", self.file(content), "--version", version, "--os",
                           "linux", "--arch", "amd64", *flags)["id"]

    def withdraw(self, *releases):
        for release in releases:
            self.operator.must("POST", f"/api/v1/releases/{release}/withdraw", {})

    def verify(self, key, message, signature):
        """Whether it is an Ed25519 signature over `message` by the raw `key`."""
        der = bytes.fromhex("302a300506032b6570032100") + key
        public, said, signed = self.file(der), self.file(message), self.file(signature)
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", public,
             "-rawin", "-in", said, "-sigfile", signed], capture_output=True,
            check=False).returncode == 0


def control(number, **more):
    """A well-formed one."""
    return {"control_id": f"CH-{number:03}", "control_name": f"N{number}", "validator": "v",
            "exit_code": 126, "compliant": True, "severity": "high", "category": "cyber-hygiene",
            "subcategory": "x", "techniques": ["T1562.001"], "tactics": ["defense-evasion"],
            "expected": "e", "actual": "a", "details": "d", "skipped": False, "error_message": "",
            **more}


def bundle(test, controls):
    return {"schema_version": "1.0", "bundle_id": test, "bundle_name": "B",
            "bundle_category": "cyber-hygiene", "bundle_subcategory": "s", "execution_id": "e",
            "started_at": "2026-11-22T03:00:00Z", "completed_at": "2026-11-22T03:00:03Z",
            "overall_exit_code": 101, "total_controls": len(controls), "passed_controls": 1,
            "failed_controls": 1, "controls": controls}


#: What an agent sends with a control whose file omits the lists.
NULL_LISTS = {"exit_code": 101, "compliant": False, "subcategory": "", "techniques": None,
              "tactics": None, "expected": "", "actual": "", "details": ""}

RECONNECT = {
    "reconnect_reason": "network_recovery", "process_start_time": "2026-11-22T03:57:32Z",
    "reconnect_context": {
        "reason": "network_recovery", "detail": "request failed after 4 retries: status 503",
        "first_failure_at": "2026-11-22T04:00:35Z", "offline_duration_seconds": 28,
        "failure_count": 2, "network_state": "adapters_ok",
        "system_at_failure": {"disk_free_mb": 73012, "memory_mb": 6960, "total_memory_mb": 24105,
                              "cpu_percent": 100},
        "process_start_time": "2026-11-22T03:57:32Z"}}


def sha256(content):
    return hashlib.sha256(content).hexdigest()
