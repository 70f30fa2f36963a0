#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU per heartbeat at a fleet's pace, musterd beside nginx's `return 200`, on one core in one run.

    bench/paced.py --musterd build/release/bin/musterd

bench/http_cpu.py keeps a server busy over few connections; then everything it needs is in its
caches. A fleet's calls are few for each of many connections, and the server sleeps in between: a call
costs several times as much, of any server. Here each of --connections calls once a second
(h2load --rps 1), the servers take turns, and CPU is what the process used of --seconds. Needs nginx
and h2load (nghttp2-client); takes about 40 s a round.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import record
from http_cpu import BODY, LOAD_CPU, Musterd, Nginx, pin
from measure import cpu_seconds

RAMP_SECONDS = 6     # h2load opens its connections at once and then begins to count


def measure_round(server, folder, connections, seconds):
    """Microseconds of CPU for each call."""
    body = folder / "body.json"
    body.write_text(BODY)
    command = ["taskset", "-c", str(LOAD_CPU), "h2load", "--h1", "-c", str(connections),
               "--rps", "1", "--warm-up-time", str(RAMP_SECONDS), "-D", str(seconds + 4),
               "-d", str(body), "-H", "Content-Type: application/json"]
    for name, value in server.headers.items():
        command += ["-H", f"{name}: {value}"]
    for pid in server.pids():
        pin(pid)
    load = subprocess.Popen(command + [server.url() + "/api/agent/heartbeat"],
                            stdout=subprocess.PIPE, text=True)
    time.sleep(RAMP_SECONDS + 2)
    before = cpu_seconds(server.pids())
    time.sleep(seconds)
    after = cpu_seconds(server.pids())
    said, _ = load.communicate(timeout=60)
    if "2xx, 0 3xx, 0 4xx, 0 5xx" not in said or "0 failed, 0 errored, 0 timeout" not in said:
        sys.exit(f"bench: the load had failures, the figure would mean nothing:\n{said}")
    return (sum(after) - sum(before)) / (connections * seconds) * 1e6


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", required=True, help="the release binary")
    arguments.add_argument("--connections", type=int, default=4000)
    arguments.add_argument("--seconds", type=int, default=10, help="of one server in one round")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    if os.cpu_count() < 2:
        sys.exit("bench: needs two CPUs, one for the server and one for h2load")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        servers = []
        try:
            servers.append(Nginx(folder / "nginx", connections=options.connections + 100))
            servers.append(Musterd(options.musterd, folder / "musterd"))
            for _ in range(options.rounds):
                for server in servers:
                    server.rounds.append(
                        measure_round(server, folder, options.connections, options.seconds))
        finally:
            for server in servers:
                server.stop()
    nginx, musterd = servers
    ratios = sorted(mine / theirs for mine, theirs in zip(musterd.rounds, nginx.rounds))
    for server in servers:
        each = ", ".join(f"{cost:.1f}" for cost in server.rounds)
        print(f"{server.name:<22}{min(server.rounds):>7.1f} us a call   rounds {each}")
    print(f"ratio, median of rounds {ratios[len(ratios) // 2]:.2f}")
    print(json.dumps({"connections": options.connections, "calls_per_second": options.connections,
                      "commit": record.commit(), "machine": record.machine(),
                      "nginx_us": nginx.rounds, "musterd_us": musterd.rounds}))


if __name__ == "__main__":
    main()
