#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/table.py PARTS OUT: what bench/run.sh measured, as one table and one JSON file."""
import datetime
import json
import pathlib
import subprocess
import sys

#: Google Benchmark's names, in the words of the table, with what they are to reach.
KNOWN = {
    "dispatch_heartbeat/10000": ("heartbeat, head to answer, 10,000 agents", 1.0),
    "dispatch_heartbeat/1": ("heartbeat, head to answer, 1 agent", None),
    "report_five_in_five_out/1/real_time": ("report, 5 in 5 out of 500, 1 a commit", 350.0),
    "report_five_in_five_out/20/real_time": ("report, 5 in 5 out of 500, 20 a commit", 350.0),
    "report_unchanged/1/real_time": ("report, 500 unchanged, 1 a commit", None),
    "report_unchanged/20/real_time": ("report, 500 unchanged, 20 a commit", None),
    "report_first/1/iterations:100/real_time": ("report, first of a host, 1 a commit", None),
    "report_first/20/iterations:100/real_time": ("report, first of a host, 20 a commit", None),
}
SCALE_US = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
RESULTS_AIM = 10_000
ENROLMENTS_AIM = 2_000


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def machine():
    facts = dict(line.split(":", 1) for line in output_of("lscpu").splitlines() if ":" in line)
    return {"model": facts["Model name"].strip(), "cores": int(facts["CPU(s)"])}


def commit():
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return output_of("git", "rev-parse", "--short", "HEAD") + (" and changes" if changed else "")


def row(what, value, unit, aim=None, higher_is_better=False):
    met = None if aim is None else (value >= aim if higher_is_better else value <= aim)
    return {"what": what, "value": value, "unit": unit, "aim": aim, "met": met}


def benchmark_rows(path):
    """The cheapest of the repetitions; processor time of the whole process where it is given."""
    best = {}
    for run in json.loads(path.read_text())["benchmarks"]:
        if run.get("run_type") != "iteration":
            continue
        cost = run.get("cpu_us", run["cpu_time"] * SCALE_US[run["time_unit"]])
        best[run["name"]] = min(cost, best.get(run["name"], cost))
    for name, cost in best.items():
        what, aim = KNOWN.get(name, (f"{path.stem.removesuffix('_bench')}: {name}", None))
        yield row(what, round(cost, 3), "us CPU", aim)


def http_rows(path):
    for server in json.loads(path.read_text())["servers"]:
        name = "HTTP heartbeat: " + server["server"]
        yield row(name, server["cpu_us"], "us CPU")
        if server["ratio"] != 1:
            yield row(name + ", of nginx's", server["ratio"], "times", 1.5)


def connection_rows(path):
    document = json.loads(path.read_text())
    for kind, name, aim in (("plain", "plain", 3 * 1024), ("tls", "TLS", 17 * 1024)):
        yield row(f"an idle connection, {name}", document[kind]["idle"]["resident_bytes"], "B", aim)
        yield row(f"open, ask once, close: {name}", document[kind]["open_cpu_us"], "us CPU")
    yield row("open, ask once, close: TLS resumed", document["tls"]["resume_cpu_us"], "us CPU")


def result_rows(path):
    document = json.loads(path.read_text())
    yield row("one small fdatasync on this disk, median", document["sync_p50_ms"], "ms")
    for run in document["runs"]:
        name = (f"durable results, {run['controls'] or 'no'} controls,"
                f" +{run['added_sync_ms']} ms a sync")
        yield row(name, run["per_second"], "a second", RESULTS_AIM, True)
        yield row(name + ", p50", round(run["p50_ms"], 1), "ms")
        yield row(name + ", p99", round(run["p99_ms"], 1), "ms")


def device_rows(path):
    document = json.loads(path.read_text())
    enrolled, fetched = document["enrolments"], document["downloads"]
    yield row("durable enrolments", enrolled["per_second"], "a second", ENROLMENTS_AIM, True)
    yield row("durable enrolments, p99", round(enrolled["p99_ms"], 1), "ms")
    name = f"a release of {fetched['bytes'] / 1e6:g} MB, {fetched['clients']} clients at once"
    yield row(name, fetched["mib_per_second"], "MiB/s")
    yield row(name + ", the last is done", fetched["slowest_seconds"], "s")


def main():
    parts, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    rows = []
    for path in sorted(parts.glob("*_bench.json")):
        rows += benchmark_rows(path)
    rows += http_rows(parts / "http.json")
    rows += connection_rows(parts / "connections.json")
    rows += result_rows(parts / "results.json")
    rows += device_rows(parts / "device.json")
    document = {"command": "bench/run.sh", "commit": commit(), "machine": machine(),
                "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                "rows": rows}
    out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"bench/run.sh at {document['commit']}, {document['machine']['cores']} cores,"
          f" {document['machine']['model']}, {document['at']}")
    width = max(len(each["what"]) for each in rows)
    for each in rows:
        aim = ""
        if each["aim"] is not None:
            aim = f"  aim {each['aim']:g}: {'met' if each['met'] else 'missed'}"
        print(f"{each['what']:<{width}}  {each['value']:>11,.2f} {each['unit']}{aim}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
