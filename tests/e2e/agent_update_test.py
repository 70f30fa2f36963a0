# SPDX-License-Identifier: Apache-2.0
"""muster-agent updates itself: a newer build comes from a real server, proves itself and stays; one
that crashes or hangs is taken back, and the host never goes without an agent.

The test stands in for the service manager: whatever ends is started again."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from muster_process import BINARIES, NO_LIMITS, Musterd

NEXT = pathlib.Path(os.environ.get("MUSTER_TESTING", BINARIES.parent / "testing")) / \
    "muster-agent-next"
NEXT_VERSION = "1.2.1-test.1"
#: A trial of 10 s, the kernel's watchdog 90 s behind it (agent/bounds.h), and patience.
HANG_SECONDS = 10 + 90 + 60
PATIENCE_SECONDS = 60

CONFIG = """
[intervals]
heartbeat_seconds = 5
poll_seconds = 1

[update]
check_seconds = 1
trial_seconds = 30
"""


class Supervisor:
    """Starts the installed program again and again, and reads its log."""

    def __init__(self, command):
        self.command, self.events, self.process, self.ended = command, [], None, False
        self.thread = threading.Thread(target=self._supervise, daemon=True)
        self.thread.start()

    def _supervise(self):
        while not self.ended:
            self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
            for line in self.process.stderr:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.events.append({"event": "not_json", "text": line})
            self.process.wait()
            self.process.stderr.close()
            self.events.append({"event": "process_ended", "code": self.process.returncode})

    def kill(self):
        """As the machine would; it is started again."""
        self.process.kill()

    def end(self):
        self.ended = True
        self.process.terminate()
        self.thread.join()

    def count(self, event, **members):
        return sum(1 for seen in list(self.events) if seen.get("event") == event and
                   all(seen.get(name) == value for name, value in members.items()))


class AgentUpdates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-update-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = Musterd(self.folder / "data", NO_LIMITS).start()
        self.addCleanup(self.server.kill)
        self.config = self.folder / "agent.toml"
        self.configure(CONFIG)
        self.state = self.folder / "agent"
        self.agent("enroll", "--server", f"http://127.0.0.1:{self.server.port}", "--token-env",
                   "TOKEN", env={"TOKEN": self.server.enrolment_token()})
        self.supervisor = Supervisor([str(BINARIES / "muster-agent"), "run", "--state-dir",
                                      str(self.state), "--config", str(self.config)])
        self.addCleanup(self.supervisor.end)
        self.wait_for("agent_started", version="1.2.0")

    def configure(self, text):
        """In one step: half a file would be read as a whole one."""
        written = self.config.with_suffix(".new")
        written.write_text(text)
        written.rename(self.config)

    def agent(self, verb, *arguments, env=None):
        return subprocess.run(
            [str(BINARIES / "muster-agent"), verb, "--state-dir", str(self.state), *arguments],
            check=True, text=True, stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS,
            env={**os.environ, **(env or {})}).stdout

    def publish(self, path, version):
        subprocess.run(
            [str(BINARIES / "muster"), "releases", "publish", str(path), "--version", version,
             "--os", "linux", "--arch", "amd64", "--server",
             f"http://127.0.0.1:{self.server.port}", "--token-file",
             str(self.folder / "data" / "admin.token"), "--json"],
            check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)

    def wait_for(self, event, patience=PATIENCE_SECONDS, count=1, **members):
        until = time.monotonic() + patience
        while self.supervisor.count(event, **members) < count:
            self.assertLess(time.monotonic(), until,
                            f"no {event} {members}; the log: {self.supervisor.events[-20:]}")
            time.sleep(0.05)

    def wait_for_start_of_trial(self, start):
        def started():
            written = (self.state / "update.json").exists()
            trial = self.record().get("trial") if written else None
            return trial is not None and trial["starts"] == start
        Musterd.wait_for(started)

    def record(self):
        return json.loads((self.state / "update.json").read_text())

    def script(self, text):
        path = self.folder / "script"
        path.write_text("#!/bin/sh\n" + text)
        return path

    def test_a_newer_build_is_tried_proves_itself_and_stays(self):
        self.publish(NEXT, NEXT_VERSION)
        self.wait_for("update_proved", version=NEXT_VERSION)
        self.assertEqual(self.record()["current"]["version"], NEXT_VERSION)
        # Killed, it comes back as what was proved.
        self.supervisor.kill()
        self.wait_for("agent_started", version=NEXT_VERSION, count=2)
        agents = self.server.operator().must("GET", "/api/v1/agents")["items"]
        self.assertEqual([agent["agent_version"] for agent in agents], [NEXT_VERSION])
        status = json.loads(self.agent("status", "--json", "--config", str(self.config)))
        self.assertTrue(status["build"].startswith(NEXT_VERSION), status)

    def test_a_build_that_crashes_is_taken_back_and_not_tried_again(self):
        self.publish(self.script("exit 3\n"), "1.2.2")
        self.wait_for("agent_started", version="1.2.0", count=2)
        failures = self.record()["failures"]
        self.assertEqual([failure["version"] for failure in failures], ["1.2.2"])
        self.assertEqual(self.supervisor.count("process_ended", code=3), 3)
        # It is looked at again and again, and refused.
        self.wait_for("update_refused")
        self.assertEqual(self.supervisor.count("update_on_trial"), 1)

    def test_a_build_that_hangs_is_ended_by_the_kernel_and_taken_back(self):
        self.configure(CONFIG.replace("trial_seconds = 30", "trial_seconds = 10"))
        self.publish(self.script("exec sleep 1000\n"), "1.2.3")
        # It has three starts; two are cut short, since the kernel is not impatient.
        for start in (1, 2):
            self.wait_for_start_of_trial(start)
            self.supervisor.kill()
        self.wait_for("agent_started", HANG_SECONDS, version="1.2.0", count=2)
        self.assertEqual(len(self.record()["failures"]), 1)
        self.assertEqual(self.supervisor.count("process_ended", code=-14), 1, "SIGALRM")

    def test_a_configuration_that_cannot_be_read_is_not_blamed_on_a_build(self):
        self.publish(NEXT, NEXT_VERSION)
        self.wait_for("update_on_trial")
        self.configure(CONFIG + "\n[no_such]\nsetting = 1\n")
        self.supervisor.kill()
        ended = self.supervisor.count("process_ended")
        self.wait_for("process_ended", count=ended + 5)
        self.configure(CONFIG)
        self.wait_for("update_proved", version=NEXT_VERSION)
        self.assertEqual(self.record()["failures"], [])

    def test_a_kill_at_any_moment_of_an_update_leaves_an_agent(self):
        self.publish(NEXT, NEXT_VERSION)
        # While it is found and fetched.
        for pause in (0.1, 0.2, 0.3, 0.4):
            time.sleep(pause)
            if self.supervisor.count("update_on_trial"):
                break
            self.supervisor.kill()
        # And while it proves itself: the third start is its last chance.
        for started in (1, 2):
            self.wait_for("agent_started", version=NEXT_VERSION, count=started)
            self.supervisor.kill()
        self.wait_for("update_proved", version=NEXT_VERSION)


if __name__ == "__main__":
    if not NEXT.exists():
        sys.exit(f"{NEXT} is not built")
    unittest.main()
