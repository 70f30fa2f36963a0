#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What muster-agent costs its host: its size stripped, its memory, and its CPU while nothing happens.

    bench/agent.py --bin build/release/bin [--seconds 600] [--tls]

The agent of this very host, with the settings it comes with (a heartbeat a minute, a poll each 30 s),
at a musterd on loopback. Memory is the resident set after the first full report, once the survey's
memory is given back, and the highest there was. CPU counts from then on; `idle_cpu_percent` is of one
core. With --seconds above 900 a second survey falls into the time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from measure import Musterd, cpu_seconds

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from certificate import Certificate  # noqa: E402

PATIENCE_SECONDS = 120


def memory_kib(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def stripped_bytes(program):
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["strip", "-o", file.name, str(program)], check=True)
        return os.stat(file.name).st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--tls", action="store_true")
    given = parser.parse_args()
    program = given.bin / "muster-agent"
    with tempfile.TemporaryDirectory(prefix="muster-agent-bench-") as scratch:
        folder = pathlib.Path(scratch)
        certificate = Certificate(folder) if given.tls else None
        trust = ["--ca-file", str(certificate.file)] if certificate else []
        server = Musterd("musterd", str(given.bin / "musterd"), folder, certificate)
        try:
            scheme = "https://localhost" if given.tls else "http://127.0.0.1"
            state = folder / "agent"
            subprocess.run([str(program), "enroll", "--state-dir", str(state), "--server",
                            f"{scheme}:{server.port}", "--token-env", "TOKEN", *trust], check=True,
                           stdout=subprocess.DEVNULL,
                           env={**os.environ, "TOKEN": server.enrolment_token(1)})
            agent = subprocess.Popen([str(program), "run", "--state-dir", str(state)],
                                     stderr=subprocess.PIPE, text=True)
            reported = threading.Event()
            packages = []

            def read():
                for line in agent.stderr:
                    event = json.loads(line)
                    if event.get("event") == "report_acknowledged":
                        packages.append(int(event["packages"]))
                        reported.set()

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            try:
                if not reported.wait(PATIENCE_SECONDS):
                    sys.exit("agent.py: the agent did not report")
                before = sum(cpu_seconds([agent.pid]))
                time.sleep(given.seconds)
                used = sum(cpu_seconds([agent.pid])) - before
                print(json.dumps({
                    "stripped_bytes": stripped_bytes(program),
                    "packages": packages[0],
                    "resident_kib": memory_kib(agent.pid, "VmRSS"),
                    "anonymous_kib": memory_kib(agent.pid, "RssAnon"),
                    "highest_resident_kib": memory_kib(agent.pid, "VmHWM"),
                    "seconds": given.seconds,
                    "idle_cpu_seconds": round(used, 3),
                    "idle_cpu_percent": round(100 * used / given.seconds, 4),
                }, indent=1))
            finally:
                agent.terminate()
                agent.wait(30)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
