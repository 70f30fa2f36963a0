#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where musterd spends its processor time: the stacks of samples, for a flame graph.

    bench/flame.py --musterd build/release/bin/musterd [--tls] [--seconds 20]
    bench/flame.py --pid PID --of "100,000 hosts"        a server that runs, as under bench/scale.py

Without --pid the load is that of bench/http_cpu.py: heartbeats of one agent over 64 connections,
musterd on CPU 0. Prints JSON; `bench/run flame` keeps it and draws it (bench/flame_graph.py). Stacks
are found by the unwind tables: musterd has frame pointers, but Debian's libraries have none, and by
frame pointers alone two samples in three lose their callers. Needs perf (Debian: linux-perf) and
root; where samples cannot be taken it says so and exits 77.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import http_cpu
import stacks

HERTZ = 499         # no divisor of what the system does at regular times
WARM_SECONDS = 1
SKIPPED = 77
#: The processor's clock, which virtual machines have too.
PERF = ["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", str(HERTZ), "--call-graph",
        "dwarf"]


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def need_perf(folder):
    """The kernel's half of the stacks is for root alone."""
    if os.geteuid() != 0:
        skip("samples of the kernel need root")
    try:
        tried = subprocess.run([*PERF, "--output", str(folder / "tried"), "true"],
                               capture_output=True, text=True, check=False)
    except FileNotFoundError:
        skip("there is no perf; Debian's package is linux-perf")
    if tried.returncode != 0:
        skip(f"perf may not sample here: {tried.stderr.strip()}")


def samples(pid, seconds, folder):
    data = folder / "perf.data"
    subprocess.run(["taskset", "-c", str(http_cpu.LOAD_CPU), *PERF, "--output", str(data), "--pid",
                    str(pid), "--", "sleep", str(seconds)], check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run(["perf", "script", "--no-inline", "--fields", "ip,sym,dso", "--input",
                           str(data)], check=True, capture_output=True, text=True, errors="replace")
    if found := stacks.parsed(said.stdout):
        return found
    sys.exit("bench: perf took no samples: did the server work?")


@contextlib.contextmanager
def under_heartbeats(binary, tls, seconds, folder):
    """A musterd that is kept busy for at least so many seconds."""
    certificate = http_cpu.Certificate(folder) if tls else None
    server = http_cpu.Musterd(binary, folder / "musterd", certificate)
    try:
        script = http_cpu.write_script(folder, server)
        load = subprocess.Popen(http_cpu.wrk(server, script, seconds, 64), stdout=subprocess.PIPE,
                                text=True)
        try:
            time.sleep(WARM_SECONDS)
            yield server
            said, _ = load.communicate(timeout=seconds + 30)
            http_cpu.measure.parse_wrk(said)
        finally:
            load.kill()
            load.wait()
    finally:
        server.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    whose = arguments.add_mutually_exclusive_group(required=True)
    whose.add_argument("--musterd", help="the release binary")
    whose.add_argument("--pid", type=int, help="of a musterd that runs")
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--of", help="the load in words, for the graph's title")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = pathlib.Path(name)
        need_perf(folder)
        if options.pid:
            found = samples(options.pid, options.seconds, folder)
        else:
            with under_heartbeats(options.musterd, options.tls, options.seconds + 2 * WARM_SECONDS,
                                  folder) as server:
                found = samples(server.process.pid, options.seconds, folder)
    words = options.of or ("Heartbeats over TLS" if options.tls else "Heartbeats")
    print(json.dumps({"of": words, "samples": len(found), "shares": stacks.shares(found),
                      "whole_percent": stacks.whole_percent(found),
                      "stacks": list(stacks.lines(stacks.tree(found)))}, indent=1))


if __name__ == "__main__":
    main()
