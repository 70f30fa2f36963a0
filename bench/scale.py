#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scenario of `muster swarm` against a musterd of its own: the server on CPU 0, the swarm on CPU 1.

    bench/scale.py --bin build/release/bin bench/scenarios/steady.toml
    bench/scale.py --bin build/release/bin --tls bench/scenarios/steady_tls.toml
    bench/scale.py --bin build/fast/bin --agents 2000 --duration 60s bench/scenarios/smoke.toml

Prints what the swarm prints, and with --json one object with the swarm's outcome, the command, the
machine, its load and the commit. The data directory is a new one below --dir, whose file system is
what `written` is about: on one in memory it says 0. Ends within the scenario's times and ten minutes
with the swarm's exit code, and ends only the processes that it started.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import record
from measure import Musterd as StartedMusterd, Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from certificate import Certificate  # noqa: E402

SERVER_CPU, SWARM_CPU = 0, 1
SPARE_SECONDS = 600
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def with_ramp(scenario, seconds, folder):
    """The scenario's file, or a copy in which the hosts are switched on in `seconds`."""
    if seconds is None:
        return scenario
    copy = folder / scenario.name
    copy.write_text(re.sub(r"(?m)^ramp_seconds = \d+$", f"ramp_seconds = {seconds}",
                           scenario.read_text()))
    return copy


def duration(text):
    """Of the command line."""
    if not re.fullmatch(r"[1-9]\d*[smhdw]", text):
        raise argparse.ArgumentTypeError(f"{text} is not as 60s or 10m")
    return text


def bound(scenario, measured):
    """Seconds after which a run hangs."""
    time = tomllib.loads(scenario.read_text()).get("time", {})
    seconds = int(measured[:-1]) * UNITS[measured[-1]] if measured \
        else time.get("duration_seconds", 60)
    return (time.get("ramp_seconds", 30) + time.get("warmup_seconds", 10) +
            time.get("settle_seconds", 120) + seconds + SPARE_SECONDS)


class Musterd(Server):
    """As an operator runs it, with its usual limits for agents; sites are as large as their keys'
    limits let them be (fleet.hosts_per_site)."""

    def __init__(self, binary, folder, certificate):
        self.data = folder / "data"
        command = [str(binary), "--data", str(self.data), "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(
            command + (certificate.flags() if certificate else []), stderr=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}))
        super().__init__("musterd", process, StartedMusterd.started_port(process),
                         certificate=certificate)


def run(options, folder):
    certificate = Certificate(folder) if options.tls else None
    scenario = with_ramp(options.scenario, options.ramp, folder)
    server = Musterd(options.bin / "musterd", folder, certificate)
    try:
        command = [str(options.bin / "muster"), "swarm", str(scenario),
                   "--server", server.url(), "--server-pid", str(server.process.pid),
                   "--token-file", str(server.data / "admin.token")]
        for name in ("agents", "connections", "duration", "seed", "packages"):
            if getattr(options, name) is not None:
                command += [f"--{name}", str(getattr(options, name))]
        if certificate:
            command += ["--ca-file", str(certificate.file)]
        if options.json:
            command.append("--json")
        return subprocess.run(
            command, stdout=subprocess.PIPE if options.json else None, text=True,
            timeout=bound(scenario, options.duration),
            preexec_fn=lambda: os.sched_setaffinity(0, {SWARM_CPU}))
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenario", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("build"),
                        help="where the data directory is made (build)")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--agents", type=int)
    parser.add_argument("--connections", type=int, help="shared by the hosts; 0 is one each")
    parser.add_argument("--ramp", type=int, help="seconds in which the hosts are switched on")
    parser.add_argument("--duration", type=duration)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--packages", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench: needs two processors, one for the server and one for the swarm")

    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="muster-scale-", dir=options.dir) as name:
        done = run(options, pathlib.Path(name))
    if options.json:
        document = {"command": "bench/scale.py " + " ".join(sys.argv[1:]),
                    "scenario": options.scenario.name, "tls": options.tls,
                    "commit": record.commit(), "machine": record.machine(),
                    "load_before": load_before,
                    "at": record.now(),
                    "outcome": json.loads(done.stdout) if done.stdout else None}
        print(json.dumps(document, indent=1))
    else:
        machine = record.machine()
        print(f"commit {record.commit()}, {machine['cores']} cores, {machine['model']},"
              f" load {load_before:.1f} before")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
