# SPDX-License-Identifier: Apache-2.0
"""What is kept of a measurement: bench/records/NAME.json, small enough to commit.

A record has the part, the command, the commit of the binaries, the machine with its load before and
what nginx took on it just then, when it was, how long it took, and `figures`: rows of {id, what,
value, unit} with at_most or at_least where there is an aim.
"""
import datetime
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "bench/records"


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def machine():
    facts = dict(line.split(":", 1) for line in output_of("lscpu").splitlines() if ":" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"model": facts["Model name"].strip(), "cores": int(facts["CPU(s)"]),
            "memory_gib": round(memory / (1 << 30), 1)}


def commit(tree=ROOT):
    changed = output_of("git", "-C", str(tree), "status", "--porcelain", "--untracked-files=no",
                        "--", ":!bench/records", ":!docs")
    return output_of("git", "-C", str(tree), "rev-parse", "--short=7", "HEAD") + \
        (" and changes" if changed else "")


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def figure(key, what, value, unit, at_most=None, at_least=None):
    """A row. What could not be measured is None, which meets no aim."""
    row = {"id": key, "what": what, "value": value, "unit": unit}
    if at_most is not None:
        row["at_most"] = at_most
    if at_least is not None:
        row["at_least"] = at_least
    return row


def met(row):
    """None without an aim."""
    if "at_most" not in row and "at_least" not in row:
        return None
    value = row["value"]
    return value is not None and row.get("at_least", value) <= value <= row.get("at_most", value)


def value_of(record, key):
    return next((row["value"] for row in record["figures"] if row["id"] == key), None)


def write(name, record, folder=FOLDER):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in record["figures"])
    rest = {key: value for key, value in record.items() if key != "figures"}
    text = json.dumps(rest, indent=1, ensure_ascii=False).removesuffix("\n}")
    path.write_text(f'{text},\n "figures": [\n  {rows}\n ]\n}}\n', encoding="utf-8")
    return path


def read_all(folder=FOLDER):
    """{name: record}, in the order of names."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.json"))}
