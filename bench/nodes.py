#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One server and two on one PostgreSQL, each musterd in a quarter of a core: calls a second.

    bench/nodes.py [--seconds S] [--sqlite]

Heartbeats that change nothing and durable results come from wrk. Each musterd (MUSTER_BIN)
runs in a cgroup of its own (cpu_limit.py), which goes at the end; PostgreSQL and the callers are not
limited. Needs root; where no cgroup can be made it says so and exits 77. --sqlite measures one
server with its embedded store, too.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from cpu_limit import CpuLimit
from measure import lua_text, parse_wrk
from results import WRK_SCRIPT, result_body

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
from many_servers import Servers  # pylint: disable=wrong-import-position
from muster_process import NO_LIMITS, Musterd, agent_headers  # pylint: disable=wrong-import-position

QUARTER = 0.25
AGENTS = 1500       # of each server, that report results in turn
TASKS = 100         # pending for one agent
CONNECTIONS = 64    # to each server


def heartbeats(servers, agents, seconds):
    """Calls a second over all servers."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    running = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (server, agent) in enumerate(zip(servers, agents)):
            script = pathlib.Path(folder) / f"{number}.lua"
            headers = {**agent_headers(agent), "X-Request-Timestamp": now,
                       "Content-Type": "application/json"}
            script.write_text(
                'wrk.method = "POST"\nwrk.body = \'{"status": "idle", "agent_version": "1.0.0"}\'\n'
                + "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in headers.items()))
            running.append(subprocess.Popen(
                ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script),
                 f"http://127.0.0.1:{server.port}/api/agent/heartbeat"],
                stdout=subprocess.PIPE, text=True))
        rate = 0.0
        for one in running:
            said = one.communicate()[0]
            if "Non-2xx" in said or "Requests/sec:" not in said:
                raise AssertionError(said)
            rate += float(said.split("Requests/sec:")[1].split()[0])
    return round(rate)


def beat(server, agent):
    server.caller(agent_headers(agent)).must(
        "POST", "/api/agent/heartbeat", {"status": "idle", "agent_version": "1.0.0"})


def list_tasks(servers, operator, token):
    """For each server, "task key agent" of tasks that agents of its own may report: one of each
    agent, then the next of each. The agents have called before."""
    lists = []
    for number, server in enumerate(servers):
        lines = []
        for worker in range(AGENTS):
            agent = server.enrol(token, f"worker-{number}-{worker}")
            beat(server, agent)
            made = operator.must("POST", "/api/v1/tasks", {
                "type": "execute_command", "command": "true",
                "agent_ids": [agent["agent_id"]] * TASKS})
            lines.append([f"{task} {agent['api_key']} {agent['agent_id']}\n"
                          for task in made["task_ids"]])
        lists.append("".join(line for turn in zip(*lines) for line in turn))
    return lists


def results(servers, lists, seconds):
    """Results a second over all servers; each is durable before it is answered."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number, (server, tasks) in enumerate(zip(servers, lists)):
            listed = pathlib.Path(folder) / f"{number}.tasks"
            listed.write_text(tasks)
            script = pathlib.Path(folder) / f"{number}.lua"
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            script.write_text(WRK_SCRIPT.replace("LIST", lua_text(str(listed)))
                              .replace("TIMESTAMP", lua_text(now))
                              .replace("BODY", lua_text(result_body(0))))
            running.append(subprocess.Popen(
                ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s",
                 str(script), f"http://127.0.0.1:{server.port}"],
                stdout=subprocess.PIPE, text=True))
        counts = [parse_wrk(one.communicate()[0]) for one in running]
    if max(counts) + CONNECTIONS > AGENTS * TASKS:
        sys.exit(f"bench: {max(counts)} results for {AGENTS * TASKS} tasks: raise AGENTS")
    return round(sum(counts) / seconds)


def measure(servers, operator, seconds, settle=lambda: None):
    quarters = []
    try:
        token = operator.must("POST", "/api/v1/tokens",
                              {"ttl_seconds": 3600, "max_uses": 2 * AGENTS + 10})["token"]
        lists = list_tasks(servers, operator, token)
        settle()
        for server in servers:
            quarters.append(CpuLimit(QUARTER, server.process.pid))
        agents = [server.enrol(token, f"beats-{number}") for number, server in enumerate(servers)]
        for server, agent in zip(servers, agents):
            beat(server, agent)
        return {"heartbeats_per_second": heartbeats(servers, agents, seconds),
                "results_per_second": results(servers, lists, seconds)}
    finally:
        for server in servers:
            server.kill()
        for quarter in quarters:
            quarter.remove()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--sqlite", action="store_true")
    given = options.parse_args()
    figures = {}
    if given.sqlite:
        with tempfile.TemporaryDirectory() as folder:
            server = Musterd(pathlib.Path(folder) / "data").start()
            figures["sqlite"] = measure([server], server.operator(), given.seconds)
    for name, count in (("postgresql", 1), ("two_servers", 2)):
        servers = Servers(count, NO_LIMITS)
        try:
            servers.start()
            # As autovacuum does within a minute of so many new tasks.
            figures[name] = measure(servers.all, servers.operator(servers.all[0]), given.seconds,
                                    lambda servers=servers: servers.query("ANALYZE"))
        finally:
            servers.close()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
