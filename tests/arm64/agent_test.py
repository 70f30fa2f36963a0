# SPDX-License-Identifier: Apache-2.0
"""The arm64 build of muster-agent under qemu-user, at a musterd of this machine's own architecture.

Needs build/arm64/bin (./check arm64) and build/release/bin; the emulator and its libraries are those of
cmake/arm64.cmake. Debian 12's qemu-user lacks openat2 and seccomp: under it the agent says so, beats, and
sends no report, as on an old kernel; no command is run.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from muster_process import NO_LIMITS, START_SECONDS, Musterd  # noqa: E402

EMULATOR = [shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64"), "-L",
            str(ROOT / "build/arm64-sysroot")]
AGENT = [*EMULATOR, str(ROOT / "build/arm64/bin/muster-agent")]


class AgentForArm64(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-arm64-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = Musterd(self.folder / "data", NO_LIMITS).start()
        self.addCleanup(self.server.kill)
        self.config = self.folder / "agent.toml"
        self.config.write_text("[policy]\nallow = []\n")

    def call(self, verb, *arguments):
        return subprocess.run(
            [*AGENT, verb, "--state-dir", str(self.folder / "state"), *map(str, arguments)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=4 * START_SECONDS,
            check=False)

    def agent(self, verb, *arguments):
        done = self.call(verb, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_it_enrols_and_beats_as_arm64_and_reports_where_it_can_look(self):
        token = self.folder / "token"
        token.write_text(self.server.enrolment_token())
        said = self.agent("enroll", "--server", f"http://127.0.0.1:{self.server.port}",
                          "--token-file", token)
        done = self.call("run", "--once", "--config", self.config)
        can_look = '"event": "kernel_lacks"' not in done.stderr
        self.assertEqual(done.returncode, 0 if can_look else 1, done.stderr)
        shown = self.server.operator().must("GET", f"/api/v1/agents/{said.split()[2]}")
        self.assertEqual(shown["arch"], "arm64")
        self.assertEqual(shown["presence"], "online")
        self.assertEqual(shown["heartbeat"]["status"], "idle")
        self.assertGreater(shown["heartbeat"]["system"]["total_memory_mb"], 0)
        status = json.loads(self.agent("status", "--json", "--config", self.config))
        self.assertEqual(status["reports_acknowledged"] > 0, can_look, "an empty report is none")
        if not can_look:
            self.assertIn("cannot look for", done.stderr)


if __name__ == "__main__":
    unittest.main()
