#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Durable task results a second: each is a task's first, on disk before its 200, over loopback.

    bench/results.py --musterd build/release/bin/musterd --data-under build

Four runs: plain results and results with five controls; each on the disk as it is and with 5 ms
added to every sync by a preloaded library of a few lines, which stands for an ordinary disk. wrk
walks over tasks made beforehand, two for each of many agents. Needs wrk and cc.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import measure
from measure import cpu_seconds, lua_text

ADDED_MS = 5
SLOW_SYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fsync(int file) {
  usleep(DELAY_US);
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}
int fdatasync(int file) {
  usleep(DELAY_US);
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
"""

WRK_SCRIPT = """
local requests, sent = {}, 0
function init()
  for line in io.lines(LIST) do
    local task, key, agent = line:match("(%S+) (%S+) (%S+)")
    requests[#requests + 1] = wrk.format("POST", "/api/agent/tasks/" .. task .. "/result", {
      ["Content-Type"] = "application/json", ["X-Agent-Key"] = key, ["X-Agent-ID"] = agent,
      ["X-Request-Timestamp"] = TIMESTAMP}, BODY)
  end
end
function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end
function done(summary, latency)
  print(string.format("sent %d p50 %.0f p99 %.0f", summary.requests, latency:percentile(50),
                      latency:percentile(99)))
end
"""


def result_body(controls):
    body = {"exit_code": 0, "stdout": "total 12\n" + "drwxr-xr-x 2 root root 4096 .\n" * 4,
            "stderr": "", "execution_duration_ms": 1234, "hostname": "host", "os": "linux",
            "arch": "amd64", "started_at": "2026-03-21T14:30:00Z",
            "completed_at": "2026-03-21T14:30:01Z"}
    if controls:
        body["bundle_results"] = {"bundle_id": "b-1", "bundle_name": "Hygiene", "controls": [
            {"control_id": f"CH-{number:03}", "control_name": f"Control {number}",
             "validator": "v", "exit_code": 101, "compliant": False, "severity": "high",
             "category": "cyber-hygiene", "techniques": ["T1562.001"], "expected": "enabled",
             "actual": "disabled", "details": "The service is not running."}
            for number in range(controls)]}
    return json.dumps(body)


class Fleet:
    """A server with enrolled agents that can be given tasks."""

    def __init__(self, binary, folder, agents, preload, settings=""):
        env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
        self.server = measure.Musterd("musterd results", binary, folder, settings=settings,
                                      env=env)
        token = self.server.enrolment_token(agents)
        connections = threading.local()

        def enrol(number):
            if not hasattr(connections, "own"):
                connections.own = self.server.connect()
            return self.server.enrol(token, f"host-{number}", connections.own)
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            self.agents = list(pool.map(enrol, range(agents)))

    def make_tasks(self, count):
        """[(task, headers of its agent)], spread over the agents."""
        made, turn = [], itertools.cycle(self.agents)
        while len(made) < count:
            targets = list(itertools.islice(turn, min(1000, count - len(made))))
            answer = self.server.call("/api/v1/tasks", {
                "type": "execute_command", "command": "true",
                "agent_ids": [agent["X-Agent-ID"] for agent in targets]}, self.server.operator)
            made += zip(answer["task_ids"], targets)
        return made

    def check(self, tasks):
        """A few of the tasks have the result that was acknowledged."""
        for task, _ in random.sample(tasks, min(20, len(tasks))):
            shown = self.server.call(f"/api/v1/tasks/{task}", None, self.server.operator)
            if shown["result"] is None:
                sys.exit(f"bench: {task} has no result")


def run(binary, options, controls, preload):
    with tempfile.TemporaryDirectory(prefix="muster-results-", dir=options.data_under) as name:
        folder = pathlib.Path(name)
        fleet = Fleet(binary, folder, options.tasks // 2, preload)
        try:
            tasks = fleet.make_tasks(options.tasks)
            listed = folder / "tasks"
            listed.write_text("".join(
                f"{task} {agent['X-Agent-Key']} {agent['X-Agent-ID']}\n" for task, agent in tasks))
            script = folder / "results.lua"
            script.write_text(
                WRK_SCRIPT.replace("LIST", lua_text(str(listed)))
                .replace("TIMESTAMP", lua_text(tasks[0][1]["X-Request-Timestamp"]))
                .replace("BODY", lua_text(result_body(controls))))
            before, started = cpu_seconds(fleet.server.pids()), time.monotonic()
            done = subprocess.run(
                ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--timeout",
                 "10s", "-s", str(script), f"http://127.0.0.1:{fleet.server.port}"],
                capture_output=True, text=True, timeout=120, check=True)
            elapsed, after = time.monotonic() - started, cpu_seconds(fleet.server.pids())
            requests = measure.parse_wrk(done.stdout)
            if requests + options.connections > len(tasks):
                sys.exit(f"bench: {requests} results for {len(tasks)} tasks: raise --tasks")
            fleet.check(tasks[:requests - options.connections])
            words = done.stdout.split("sent ")[1].split()
            return {"controls": controls, "added_sync_ms": ADDED_MS if preload else 0,
                    "results": requests, "per_second": round(requests / options.seconds),
                    "p50_ms": float(words[2]) / 1000, "p99_ms": float(words[4]) / 1000,
                    "cpu_us": round((sum(after) - sum(before)) / requests * 1e6, 1),
                    "wall_seconds": round(elapsed, 2)}
        finally:
            fleet.server.stop()


def compile_slow_sync(folder):
    source, library = folder / "slow_sync.c", folder / "slow_sync.so"
    source.write_text(SLOW_SYNC.replace("DELAY_US", str(ADDED_MS * 1000)))
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"],
                   check=True)
    return library


def sync_p50_ms(folder):
    """What one small fdatasync costs where the data lies."""
    path, spent = pathlib.Path(folder) / f"muster-sync-{os.getpid()}", []
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, bytes(1 << 20))
        os.fsync(descriptor)
        for number in range(100):
            os.pwrite(descriptor, b"x" * 4096, number * 4096)
            started = time.perf_counter()
            os.fdatasync(descriptor)
            spent.append(time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()
    return round(sorted(spent)[50] * 1000, 3)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", required=True, help="the release binary")
    arguments.add_argument("--data-under", default=tempfile.gettempdir(), help="on which disk")
    arguments.add_argument("--seconds", type=int, default=2, help="of each run")
    arguments.add_argument("--connections", type=int, default=1024)
    arguments.add_argument("--tasks", type=int, default=60_000, help="made for each run")
    arguments.add_argument("--json", action="store_true", help="print JSON only")
    options = arguments.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        slow = compile_slow_sync(pathlib.Path(name))
        for preload in (None, slow):
            for controls in (0, 5):
                rows.append(run(options.musterd, options, controls, preload))
                if not options.json:
                    row = rows[-1]
                    print(f"{row['controls']} controls, +{row['added_sync_ms']} ms a sync:"
                          f" {row['per_second']} results/s, p50 {row['p50_ms']:.1f} ms,"
                          f" p99 {row['p99_ms']:.1f} ms, {row['cpu_us']} us of CPU each")
    print(json.dumps({"connections": options.connections, "sync_p50_ms":
                      sync_p50_ms(options.data_under), "runs": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
