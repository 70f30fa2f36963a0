#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Durable results while ten times as many are offered as a small server can take.

    bench/overload.py --musterd build/release/bin/musterd --data-under build

musterd gets a tenth of one processor (a cgroup, as root) and 5 ms on top of each sync. Its peak is
what a closed loop gets through: each connection sends the next result when the last is answered. Then
results fall due at ten times that rate whether or not it answers, over --connections; one that finds
none of them free is not sent, one that is refused is tried again later. Beside them, on connections of
their own, other agents beat twenty times as often as they do, and are called offline eighteen times as
soon. Holds when goodput stays, nobody is called offline, each refusal says when to come back, and
memory no longer grows; else exits 1, and 77 where no cgroup can be made. Ends in about a minute.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import resource
import select
import socket
import statistics
import sys
import tempfile
import time

import results
from cpu_limit import CpuLimit

SHARE, TIMES = 0.1, 10
AIMS = {"goodput_percent": {"at_least": 90}, "refused_without_retry_after": {"at_most": 0},
        "other_answers": {"at_most": 0}, "went_offline": {"at_most": 0},
        "rss_growth_percent": {"at_most": 10}}
SETTINGS = """
[presence]
offline_after_seconds = 10
check_seconds = 1
group_window_seconds = 0
"""
BEAT_SECONDS = 3        # three beats may be lost before an agent is called offline
BEAT = {"status": "idle", "agent_version": "1.0.0"}
WARM_SECONDS = 2        # of each phase, not counted
DRAIN_SECONDS = 5
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d", re.I)


def request(path, headers, body):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
             f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Connection:
    """One call at a time, without waiting: `answered(connection, status, head)` follows `send`, with
    status 0 when the server cut it; then it opens anew."""

    def __init__(self, poll, port, answered):
        self.poll, self.port, self.answered = poll, port, answered
        self.socket = self.call = None
        self.received = b""

    def open(self):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 5)
            self.socket.setblocking(False)
            self.poll.add(self)

    def send(self, call, sent):
        """`call` is the caller's; `sent` are octets, which fit into the socket's buffer."""
        self.call = call
        self.received = b""
        try:
            self.open()
            self.socket.send(sent)
        except OSError:
            self.end(0, b"")

    def readable(self):
        try:
            piece = self.socket.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            piece = b""
        if not piece:
            return self.end(0, b"")
        self.received += piece
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = found and LENGTH.search(head)
        if length and len(body) >= int(length[1]):
            if b"connection: close" in head.lower():
                self.close()
            self.end(int(head[9:12]), head)
        return None

    def end(self, status, head):
        if status == 0:
            self.close()
        call, self.call = self.call, None
        if call is not None:
            self.answered(self, call, status, head)

    def close(self):
        if self.socket is not None:
            self.poll.remove(self)
            self.socket.close()
            self.socket = None


class Poll:
    def __init__(self):
        self.epoll, self.connections = select.epoll(), {}

    def add(self, connection):
        self.connections[connection.socket.fileno()] = connection
        self.epoll.register(connection.socket, select.EPOLLIN)

    def remove(self, connection):
        del self.connections[connection.socket.fileno()]
        self.epoll.unregister(connection.socket)

    def look(self, seconds):
        for descriptor, _ in self.epoll.poll(seconds):
            if connection := self.connections.get(descriptor):
                connection.readable()


class Tally:
    """Of one phase, once it is warm."""

    def __init__(self):
        self.statuses = collections.Counter()
        self.without_retry_after = self.offered = self.sent = 0
        self.beat_seconds, self.resident, self.offline = [], [], 0

    def refused(self):
        return self.statuses[429] + self.statuses[503]


class Load:
    """Results of `tasks` and heartbeats of `beating` at one server, from this thread."""

    def __init__(self, server, tasks, beating, connections):
        self.server, self.poll, self.tally = server, Poll(), Tally()
        self.tasks, self.body = collections.deque(tasks), results.result_body(0)
        self.idle = [Connection(self.poll, server.port, self.result_answered)
                     for _ in range(connections)]
        beat = json.dumps(BEAT)
        self.beating = [(Connection(self.poll, server.port, self.beat_answered),
                         request("/api/agent/heartbeat", agent, beat)) for agent in beating]
        self.metrics = Connection(self.poll, server.port, self.metrics_answered)
        self.all = [*self.idle, *(connection for connection, _ in self.beating), self.metrics]
        for connection in self.all:
            connection.open()

    def send_result(self):
        if not self.tasks:
            sys.exit("bench: all tasks have their result: raise --tasks")
        task, agent = self.tasks.popleft()
        self.tally.sent += 1
        self.idle.pop().send((task, agent),
                             request(f"/api/agent/tasks/{task}/result", agent, self.body))

    def result_answered(self, connection, call, status, head):
        self.idle.append(connection)
        self.tally.statuses[status] += 1
        if status in (429, 503) and not RETRY_AFTER.search(head):
            self.tally.without_retry_after += 1
        if status != 200:
            self.tasks.append(call)

    def beat_answered(self, _connection, due, status, _head):
        if status == 200:
            self.tally.beat_seconds.append(time.monotonic() - due)

    def metrics_answered(self, connection, _call, status, _head):
        found = re.search(rb"\nmuster_agents_offline (\d+)", connection.received)
        if status == 200 and found:
            self.tally.offline = max(self.tally.offline, int(found[1]))

    def beat(self, number, due):
        connection, sent = self.beating[number % len(self.beating)]
        if connection.call is None:
            connection.send(due, sent)

    def each_second(self):
        self.tally.resident.append(resident_mib(self.server.process.pid))
        if self.metrics.call is None:
            self.metrics.send("metrics", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def offer(self, due):
        """Of `due` results since the phase began, those that were not offered yet."""
        while self.tally.offered < due:
            self.tally.offered += 1
            if self.idle:
                self.send_result()

    def run(self, seconds, rate=None, warm_seconds=WARM_SECONDS):
        """The tally of `seconds` at `rate` results a second, or as many as are answered."""
        for warm, length in ((False, warm_seconds), (True, seconds)):
            self.tally, began, beats, looks = Tally(), time.monotonic(), 0, 0
            pace = len(self.beating) / BEAT_SECONDS
            while (elapsed := time.monotonic() - began) < length:
                for number in range(beats, int(elapsed * pace)):
                    self.beat(number, began + number / pace)
                beats = int(elapsed * pace)
                if elapsed >= looks:
                    looks += 1
                    self.each_second()
                if rate is not None:
                    self.offer(int(elapsed * rate))
                else:
                    for _ in range(len(self.idle)):
                        self.send_result()
                self.poll.look(0.002)
            if warm:
                return self.tally
        return None

    def drain(self, connections):
        """Until all of them are idle."""
        until = time.monotonic() + DRAIN_SECONDS
        while len(self.idle) < connections and time.monotonic() < until:
            self.poll.look(0.1)

    def close(self):
        for connection in self.all:
            connection.call = None
            connection.close()
        self.poll.epoll.close()


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def silences(server):
    """Agents that the history calls silent; a group counts as one."""
    return sum(server.call(f"/api/v1/events?limit=1&type={kind}", None,
                           server.operator)["total"]["value"]
               for kind in ("went_offline", "group_offline"))


def measure(fleet, options):
    server = fleet.server
    beating, working = fleet.agents[:options.beating], fleet.agents[options.beating:]
    fleet.agents = working
    load = Load(server, fleet.make_tasks(options.tasks), beating, options.connections)

    def beat(agent):
        server.call("/api/agent/heartbeat", BEAT, agent)
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        list(pool.map(beat, (*beating, *working)))
    before = silences(server)
    limit = CpuLimit(SHARE, server.process.pid)
    try:
        # A closed loop over so many connections that one more would only wait longer.
        load.idle, spare = load.idle[:options.peak_connections], load.idle[options.peak_connections:]
        peak = load.run(options.peak_seconds).statuses[200] / options.peak_seconds
        load.drain(options.peak_connections)
        load.idle += spare
        resident = resident_mib(server.process.pid)
        # At first all connections send and few are answered: until each could have been once.
        over = load.run(options.seconds, TIMES * peak, WARM_SECONDS + options.connections / peak)
    finally:
        load.close()
        limit.remove()
    good = over.statuses[200] / options.seconds
    half = len(over.resident) // 2
    early, late = max(over.resident[:half]), max(over.resident[half:])
    beats = sorted(over.beat_seconds)
    return {
        "peak_per_second": round(peak), "offered_per_second": round(over.offered / options.seconds),
        "sent_per_second": round(over.sent / options.seconds), "good_per_second": round(good),
        "goodput_percent": round(100 * good / peak, 1), "refused": over.refused(),
        "refused_without_retry_after": over.without_retry_after, "cut": over.statuses[0],
        "other_answers": sum(count for status, count in over.statuses.items()
                             if status not in (0, 200, 429, 503)),
        "went_offline": max(over.offline, silences(server) - before), "heartbeats": len(beats),
        "heartbeat_p99_ms": round(statistics.quantiles(beats, n=100)[98] * 1000) if beats[1:]
        else None,
        "rss_before_mib": round(resident, 1), "rss_halfway_mib": round(early, 1),
        "rss_after_mib": round(late, 1), "rss_growth_percent": round(100 * (late / early - 1), 1)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", required=True, help="the release binary")
    arguments.add_argument("--data-under", default=tempfile.gettempdir(), help="on which disk")
    arguments.add_argument("--seconds", type=int, default=20, help="of overload")
    arguments.add_argument("--peak-seconds", type=int, default=8)
    arguments.add_argument("--connections", type=int, default=6000, help="of overload")
    arguments.add_argument("--peak-connections", type=int, default=1024)
    arguments.add_argument("--beating", type=int, default=500, help="agents that beat")
    arguments.add_argument("--working", type=int, default=500, help="agents that have results")
    arguments.add_argument("--tasks", type=int, default=60_000)
    arguments.add_argument("--json", action="store_true", help="print JSON only")
    options = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="muster-overload-", dir=options.data_under) as name:
        folder = pathlib.Path(name)
        slow = results.compile_slow_sync(folder)
        fleet = results.Fleet(options.musterd, folder, options.beating + options.working, slow,
                              SETTINGS)
        try:
            figures = measure(fleet, options)
        finally:
            fleet.server.stop()
    if not options.json:
        for what, value in figures.items():
            print(f"{what:<30}{value!s:>10}")
    print(json.dumps({**figures, "aims": AIMS}))
    return 0 if all(bound.get("at_least", figures[what]) <= figures[what] <=
                    bound.get("at_most", figures[what]) for what, bound in AIMS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
