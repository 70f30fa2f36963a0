#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What presence costs in PostgreSQL's log: WAL of a flush, measured, and what that is in an hour.

    bench/presence_wal.py [--agents N] [--flushes N] [--servers N]

Starts a PostgreSQL of its own and a musterd (MUSTER_BIN), or several, which share the fleet
(docs/adr/0021), though all agents call the first. Enrols the agents, lets each
of them beat once before every flush, and measures pg_wal_lsn_diff over the flushes. Full-page images
come with the first change of a page after a checkpoint: `first` is a flush right after one, `other`
one that is not. An hour of the default (a flush a minute, a checkpoint every 5 minutes) is 12 and 48
of them.
"""
import argparse
import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"))
from many_servers import Servers  # pylint: disable=wrong-import-position
from muster_process import (  # pylint: disable=wrong-import-position
    NO_LIMITS, Musterd, agent_headers, enrolment)
from postgres_process import Postgres  # pylint: disable=wrong-import-position

THREADS = 4
FLUSH_SECONDS = 20


def in_threads(work, count):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def flushes(server):
    return [event for event in server.events if event.get("event") == "presence_flushed"]


def wal(servers):
    return int(servers.query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")[0][0])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--agents", type=int, default=10_000)
    options.add_argument("--flushes", type=int, default=3)
    options.add_argument("--servers", type=int, default=1)
    given = options.parse_args()
    postgres = Postgres([("checkpoint_timeout", "1d"), ("max_wal_size", "8GB")])
    config = NO_LIMITS + f"[presence]\nshared_flush_seconds = {FLUSH_SECONDS}\n"
    servers = Servers(given.servers, config, postgres)
    try:
        server = servers.start().all[0]
        token = server.enrolment_token(given.agents + 1)
        agents = []

        def enrol(number):
            caller = server.caller()
            for host in range(number, given.agents, THREADS):
                agents.append(caller.must("POST", "/api/agent/enroll",
                                          enrolment(token, f"host-{host}"), (201,))["data"])
            caller.close()
        in_threads(enrol, THREADS)
        beat = 0

        def beat_all(number):
            caller = server.caller()
            for agent in agents[number::THREADS]:
                caller.headers = agent_headers(agent)
                caller.must("POST", "/api/agent/heartbeat", {
                    "status": "idle", "agent_version": "1.0.0",
                    "system": {"uptime_seconds": 1000 + beat, "cpu_percent": beat % 100,
                               "memory_mb": 2048 + beat, "total_memory_mb": 8192,
                               "disk_free_mb": 100_000 - beat, "process_cpu_percent": 0.5,
                               "process_memory_mb": 30}})

        def measure(checkpoint):
            nonlocal beat
            in_threads(beat_all, THREADS)   # or there would be nothing to flush
            done = len(flushes(server))
            Musterd.wait_for(lambda: len(flushes(server)) > done)
            beat += 1
            in_threads(beat_all, THREADS)
            if checkpoint:
                servers.query("CHECKPOINT")
            before, done = wal(servers), len(flushes(server))
            Musterd.wait_for(lambda: len(flushes(server)) > done)
            rows = flushes(server)[-1]["rows"]
            return (wal(servers) - before) / rows, rows

        in_threads(beat_all, THREADS)   # the first beats are events
        measure(False)                  # the first rows of each table
        figures = {"agents": given.agents, "servers": given.servers}
        for name, checkpoint in (("first", True), ("other", False)):
            measured = [measure(checkpoint) for _ in range(given.flushes)]
            figures[f"bytes_a_row_{name}"] = round(sum(one[0] for one in measured) / len(measured), 1)
            figures[f"rows_{name}"] = [one[1] for one in measured]
        hour = 12 * figures["bytes_a_row_first"] + 48 * figures["bytes_a_row_other"]
        figures["gb_an_hour_of_100000_agents"] = round(hour * 100_000 / 1e9, 2)
        print(json.dumps(figures))
    finally:
        servers.close()
        postgres.close()


if __name__ == "__main__":
    main()
