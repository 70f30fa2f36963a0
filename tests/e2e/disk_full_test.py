# SPDX-License-Identifier: Apache-2.0
"""A full disk: writes are 503, nothing acknowledged is lost, and space alone heals it."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from agents_at_work import ReportsResults, Tally, WrittenFacts, random_result, rng_for
from muster_process import Musterd, agent_headers

DISK_BYTES = 48 << 20
ROOM_BYTES = 2 << 20
TASKS = 400
BEAT = {"status": "idle", "agent_version": "1.0.0"}


def free_bytes(folder):
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


class FullDisk(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to mount a small file system")
        folder = tempfile.TemporaryDirectory(prefix="muster-disk-full-")
        self.addCleanup(folder.cleanup)
        self.disk = pathlib.Path(folder.name) / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs",
                                  str(self.disk)], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a small file system here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", str(self.disk)], check=True)
        self.server = Musterd(self.disk / "data").start()
        self.addCleanup(self.server.kill)
        token = self.server.enrolment_token()
        self.agent = self.server.enrol(token, "runner")
        self.caller = self.server.caller(agent_headers(self.agent))
        self.caller.must("POST", "/api/agent/heartbeat", BEAT)

    def fill(self):
        ballast = self.disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free_bytes(self.disk) - ROOM_BYTES)
        return ballast

    def report_until_refused(self, tally):
        """Results of 32 KiB each until the server refuses one; all stay acknowledged."""
        tasks = self.server.create_tasks(self.agent["agent_id"], TASKS)
        ballast = self.fill()
        runner = ReportsResults(self.caller, rng_for("runner"), tally, tasks, 32 << 10)
        while runner.refused == 0:
            self.assertTrue(runner.step(), "the disk was not full in time")
        return runner, ballast

    def test_writes_are_refused_and_nothing_acknowledged_is_lost(self):
        tally = Tally()
        runner, ballast = self.report_until_refused(tally)
        self.assertGreater(len(runner.acknowledged), 0)
        operator = self.server.operator()
        facts = WrittenFacts(self, operator)

        refused = self.caller.ask("POST", f"/api/agent/tasks/{runner.tasks[0]}/result",
                                  random_result(rng_for("again"), 64 << 10))
        self.assertEqual(refused.status, 503)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        self.assertEqual(refused.json()["success"], False)
        for _ in range(20):
            self.caller.must("POST", "/api/agent/heartbeat", BEAT)
        for task, result in runner.acknowledged.items():
            facts.result(task, result)

        ballast.unlink()
        before = len(runner.acknowledged)
        while len(runner.acknowledged) < before + 20:
            self.assertTrue(runner.step())
            self.assertEqual(runner.refused, 1, "refused although there is space again")
        for task, result in runner.acknowledged.items():
            facts.result(task, result)
        self.assertEqual(self.server.drain(), 0)
        self.server.start()
        facts = WrittenFacts(self, self.server.operator())
        for task, result in runner.acknowledged.items():
            facts.result(task, result)

    def test_a_kill_while_full_loses_nothing(self):
        runner, ballast = self.report_until_refused(Tally())
        self.server.kill()
        ballast.unlink()
        self.server.start()
        facts = WrittenFacts(self, self.server.operator())
        for task, result in runner.acknowledged.items():
            facts.result(task, result)


if __name__ == "__main__":
    unittest.main()
