#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a common request takes more instructions than bench/counts.json allows.

Times on a shared machine differ by tens of percent from run to run; callgrind's counts do not. They
say nothing of caches or the disk: those are bench/run's.

usage: bench/gate.py [--build DIR=build/release] [--accept]
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNTS = ROOT / "bench/counts.json"
TOLERANCE = 0.03  # a change of the compiler's mind is smaller, one more allocation in a heartbeat larger


def measure(binary):
    """{case: instructions of one run} from callgrind."""
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet",
             f"--callgrind-out-file={directory}/out", binary],
            check=True, capture_output=True, text=True)
        runs = dict(line.split() for line in run.stdout.splitlines())
        counts = {}
        for path in pathlib.Path(directory).iterdir():
            text = path.read_text(encoding="utf-8", errors="replace")
            name = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.MULTILINE)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
            if name and total:
                counts[name.group(1)] = int(total.group(1)) // int(runs[name.group(1)])
    if set(counts) != set(runs):
        raise SystemExit(f"gate: callgrind counted {sorted(counts)}, the program ran {sorted(runs)}")
    return counts


def compare(allowed, counted):
    """Rows (case, allowed, counted, verdict), and whether all are within bounds."""
    rows, good = [], True
    for name in sorted(set(allowed) | set(counted)):
        old, new = allowed.get(name), counted.get(name)
        if old is None or new is None:
            verdict = "is new: --accept" if old is None else "is gone: --accept"
        elif new > old * (1 + TOLERANCE):
            verdict = f"+{100 * (new / old - 1):.1f} %: too much"
        elif new < old * (1 - TOLERANCE):
            verdict = f"{100 * (new / old - 1):.1f} %: better, --accept to keep it"
        else:
            rows.append((name, old, new, f"{100 * (new / old - 1):+.1f} %"))
            continue
        good = good and old is not None and new is not None and new < old
        rows.append((name, old, new, verdict))
    return rows, good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--accept", action="store_true", help="write what was counted")
    arguments = parser.parse_args()
    counted = measure(ROOT / arguments.build / "bin/counts")
    if arguments.accept:
        COUNTS.write_text(json.dumps(counted, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    rows, good = compare(json.loads(COUNTS.read_text(encoding="utf-8")), counted)
    for name, old, new, verdict in rows:
        print(f"{name:34} {old or '-':>12} {new or '-':>12}  {verdict}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
