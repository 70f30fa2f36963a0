#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolments a second, and a release downloaded by many agents at once, over loopback.

    bench/device.py --musterd build/release/bin/musterd --data-under build

Enrolments come from wrk, each of another hostname, with one token; each is on disk before its 201.
Downloads are clients of one thread each that read GET /api/agent/update to its end. Needs wrk.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import measure
from measure import cpu_seconds, lua_text

WRK_SCRIPT = """
local sent = 0
function request()
  sent = sent + 1
  return wrk.format("POST", "/api/agent/enroll", {["Content-Type"] = "application/json"},
    '{"token": "' .. TOKEN .. '", "hostname": "host-' .. sent ..
    '", "os": "linux", "arch": "amd64", "agent_version": "1.0.0"}')
end
function done(summary, latency)
  print(string.format("sent %d p50 %.0f p99 %.0f", summary.requests, latency:percentile(50),
                      latency:percentile(99)))
end
"""
READ_BYTES = 1 << 18


def enrolments(server, folder, options):
    script = folder / "enrol.lua"
    script.write_text(WRK_SCRIPT.replace("TOKEN", lua_text(server.enrolment_token(1_000_000))))
    before, started = cpu_seconds(server.pids()), time.monotonic()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--timeout", "10s",
         "-s", str(script), f"http://127.0.0.1:{server.port}"],
        capture_output=True, text=True, timeout=120, check=True)
    elapsed, after = time.monotonic() - started, cpu_seconds(server.pids())
    requests = measure.parse_wrk(done.stdout)
    kept = server.call("/api/v1/agents?limit=1", None, server.operator)["total"]["value"]
    if kept < min(requests, 10_000):
        sys.exit(f"bench: {requests} enrolments were answered and {kept} are kept")
    words = done.stdout.split("sent ")[1].split()
    return {"enrolments": requests, "per_second": round(requests / elapsed),
            "p50_ms": float(words[2]) / 1000, "p99_ms": float(words[4]) / 1000,
            "cpu_us": round((sum(after) - sum(before)) / requests * 1e6, 1)}


def downloads(server, folder, options):
    content = os.urandom(options.bytes)
    digest = hashlib.sha256(content).hexdigest()
    release = folder / "release"
    release.write_bytes(content)
    subprocess.run(
        [pathlib.Path(options.musterd).with_name("muster"), "releases", "publish", release,
         "--version", "2.0.0", "--os", "linux", "--arch", "amd64", "--server", server.url(),
         "--token-file", server.data / "admin.token", "--json"], check=True, capture_output=True)
    agent = server.enrol(server.enrolment_token(1), "downloader")
    barrier = threading.Barrier(options.clients + 1)
    spent, failed = [], []

    def fetch():
        connection = server.connect()
        connection.connect()
        barrier.wait()
        started = time.monotonic()
        connection.request("GET", "/api/agent/update?os=linux&arch=amd64", None, agent)
        answer = connection.getresponse()
        hashed = hashlib.sha256()
        while piece := answer.read(READ_BYTES):
            hashed.update(piece)
        spent.append(time.monotonic() - started)
        if hashed.hexdigest() != digest:
            failed.append(answer.status)
    threads = [threading.Thread(target=fetch) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    before = cpu_seconds(server.pids())
    barrier.wait()
    started = time.monotonic()
    for thread in threads:
        thread.join()
    elapsed, after = time.monotonic() - started, cpu_seconds(server.pids())
    if failed or len(spent) != options.clients:
        sys.exit(f"bench: {failed} of {options.clients} downloads failed")
    peak = next(line for line in pathlib.Path(f"/proc/{server.pids()[0]}/status").read_text()
                .splitlines() if line.startswith("VmHWM"))
    mib = options.clients * options.bytes / (1 << 20)
    return {"clients": options.clients, "bytes": options.bytes, "seconds": round(elapsed, 2),
            "mib_per_second": round(mib / elapsed), "slowest_seconds": round(max(spent), 2),
            "cpu_ms_per_mib": round((sum(after) - sum(before)) * 1000 / mib, 2),
            "peak_resident_mib": int(peak.split()[1]) // 1024}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", required=True, help="the release binary; muster beside it")
    arguments.add_argument("--data-under", default=tempfile.gettempdir(), help="on which disk")
    arguments.add_argument("--seconds", type=int, default=5, help="of enrolments")
    arguments.add_argument("--connections", type=int, default=256, help="that enrol")
    arguments.add_argument("--clients", type=int, default=50, help="that download")
    arguments.add_argument("--bytes", type=int, default=10_000_000, help="of the release")
    arguments.add_argument("--json", action="store_true", help="print JSON only")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="muster-device-", dir=options.data_under) as name:
        folder = pathlib.Path(name)
        server = measure.Musterd("musterd device", options.musterd, folder)
        try:
            document = {"downloads": downloads(server, folder, options),
                        "enrolments": enrolments(server, folder, options)}
        finally:
            server.stop()
    if not options.json:
        for what, figures in document.items():
            print(what + ": " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
