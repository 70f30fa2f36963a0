#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables and plots of the documents from bench/records.

    bench/render.py [--check]

In a document, what stands between `<!-- figures: NAME -->` and `<!-- end -->` is a table of the
records of that part, or of that one record; `<!-- missed -->` is all aims that are not met, and
`<!-- plot: NAME -->` a plot. All else is written by hand and stays. --check writes nothing and exits
1 if a document is not what the records say.
"""
import argparse
import os
import pathlib
import re
import sys

import flame_graph
import plot
import record
from parts import PARTS, SCENARIOS

DOCUMENTS = ("docs/reference/performance.md", "docs/guides/sizing.md")
PLOTS = pathlib.PurePosixPath("docs/reference/performance")
BLOCK = re.compile(r"(<!-- (figures|plot|missed)(?:: ([\w-]+))? -->\n).*?(<!-- end -->)", re.S)
QUANTILES = (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"), ("max", "max_ms"))


def quantity(value, unit):
    """A value in a unit that suits it."""
    for name, bigger, step in (("us", "ms", 1000), ("ms", "s", 1000), ("B", "KiB", 1024),
                               ("KiB", "MiB", 1024)):
        if unit == name and abs(value) >= (10_000 if step == 1000 else step):
            value, unit = value / step, bigger
    if unit == "us" and 0 < abs(value) < 1:
        value, unit = value * 1000, "ns"
    unit = {"us": "µs", "times": "", "": ""}.get(unit, unit)
    joint = "" if not unit else " "
    return f"{plot.number(value)}{joint}{unit}"


def shown(row):
    return "not measured" if row["value"] is None else quantity(row["value"], row["unit"])


def aim(row):
    """Its aim and whether it is met, or nothing."""
    if record.met(row) is None:
        return ""
    bounds = [f"{sign} {quantity(row[sense], row['unit'])}"
              for sense, sign in (("at_least", "≥"), ("at_most", "≤")) if sense in row]
    return f"{', '.join(bounds)}: {'met' if record.met(row) else '**missed**'}"


def provenance(kept):
    """Where a table comes from."""
    machine = kept["machine"]
    words = [f"`{kept['command']}` at commit {kept['commit']}"]
    if kept.get("at"):
        words.append(kept["at"][:16].replace("T", " ") + " UTC")
    hardware = f"{machine['model']}, {machine['cores']} cores"
    if machine.get("memory_gib"):
        hardware += f", {machine['memory_gib']:g} GiB"
    words.append(hardware)
    if machine.get("load_before") is not None:
        words.append(f"load {machine['load_before']:g} before")
    if nginx := machine.get("nginx"):
        words.append(f"nginx {nginx['version']} then took {nginx['cpu_us']:g} µs a request")
    if kept.get("tls"):
        words.append(f"over TLS {kept['tls']}")
    if kept.get("seconds"):
        words.append(f"in {kept['seconds']:,} s")
    text = ", ".join(words) + "."
    return text + (" " + kept["note"] if kept.get("note") else "")


def table(kept):
    lines = ["| what | figure | aim |", "| --- | --- | --- |"]
    lines += [f"| {row['what']} | {shown(row)} | {aim(row)} |" for row in kept["figures"]]
    return "\n".join(lines)


def of_part(records, name):
    """[(name, record)] of a part or of one record, the largest fleet first."""
    chosen = [(stem, kept) for stem, kept in records.items() if name in (stem, kept["part"])]
    return sorted(chosen, key=lambda each: (-each[1].get("agents", 0), each[0]))


SIZES = (("calls_per_second", "calls a second"), ("p99_ms", "latency, p99"),
         ("server_cpu_cores", "processor"), ("server_rss_mib", "memory"),
         ("server_written_gib_per_day", "written"), ("errors", "without a good answer"))


def sizes_table(chosen):
    lines = [f"| hosts | {' | '.join(words for _, words in SIZES)} | commit |",
             "| --- " * (len(SIZES) + 2) + "|"]
    for _, kept in sorted(chosen, key=lambda each: each[1]["agents"]):
        rows = {row["id"]: shown(row) for row in kept["figures"]}
        values = " | ".join(rows.get(key, "") for key, _ in SIZES)
        lines.append(f"| {kept['agents']:,} | {values} | {kept['commit']} |")
    return "\n".join(lines)


def figures_of(records, name):
    chosen = of_part(records, name)
    if not chosen:
        part = name if name in PARTS else name.split("-")[0]
        return f"Not measured yet: `bench/run {part}`."
    if name in SCENARIOS:
        stem, kept = chosen[0]
        text = f"{kept['agents']:,} hosts. {provenance(kept)}\n\n{table(kept)}"
        return text + (f"\n\n{sizes_table(chosen)}" if len(chosen) > 1 else "")
    return "\n\n".join(f"{provenance(kept)}\n\n{table(kept)}" for _, kept in chosen)


def missed(records):
    lines = ["| part | what | figure | aim | commit |", "| --- | --- | --- | --- | --- |"]
    for name, kept in records.items():
        lines += [f"| `{name}` | {row['what']} | {shown(row)} | {aim(row)} | {kept['commit']} |"
                  for row in kept["figures"] if record.met(row) is False]
    return "\n".join(lines) if len(lines) > 2 else "None."


def latency(records):
    series = []
    for name in SCENARIOS:
        for _, kept in of_part(records, name)[:1]:
            points = [(place, record.value_of(kept, key)) for place, (_, key)
                      in enumerate(QUANTILES) if record.value_of(kept, key)]
            limit = next((row.get("at_most") for row in kept["figures"] if row["id"] == "p99_ms"),
                         None)
            if points:
                series.append(plot.Line(f"{name}, {kept['agents']:,} hosts", points,
                                        limit and (1, limit)))
    if series:
        yield "latency", "Latency of all calls, from when each was due", lambda title: plot.lines(
            title, "ms", series, [words for words, _ in QUANTILES], log=True)


def sizes(records):
    chosen = sorted(of_part(records, "steady"), key=lambda each: each[1]["agents"])
    if len(chosen) < 2:
        return
    for name, key, unit, words in (("cpu-over-hosts", "server_cpu_cores", "cores", "Processor"),
                                   ("memory-over-hosts", "server_rss_mib", "MiB", "Memory")):
        points = [(kept["agents"], record.value_of(kept, key)) for _, kept in chosen
                  if record.value_of(kept, key) is not None]
        if points:
            yield name, f"{words} of the server over the fleet's size", \
                lambda title, unit=unit, points=points: plot.lines(
                    title, unit, [plot.Line("steady", points)], x_words="hosts")


def cpu(records):
    rows = [(row["what"], row["value"], row["what"].startswith("nginx"))
            for name in ("http", "paced") for _, kept in of_part(records, name)
            for row in kept["figures"] if row["id"].startswith("cpu_us/")]
    if rows:
        yield "cpu", "Processor time of a request, musterd beside nginx", lambda title: plot.bars(
            title, "µs", rows)


def flame(records):
    for name, kept in of_part(records, "flame"):
        yield name, kept["of"], lambda _, kept=kept: flame_graph.drawing(
            flame_graph.title_of(kept), flame_graph.tree_of(kept))


#: In place of a plot whose records are not there.
UNDRAWN = {"sizes": "What the server takes over the fleet's size is drawn once there are two sizes:"
                    " `bench/run steady --agents 1000,10000` takes half an hour.",
           "flame": "Not drawn yet: `bench/run flame`."}
PLOTTED = {"latency": latency, "sizes": sizes, "cpu": cpu, "flame": flame}


def rendered(text, records, document):
    """(the document's text, {path: SVG})."""
    drawn = {}
    folder = os.path.relpath(PLOTS, pathlib.PurePosixPath(document).parent)

    def block(match):
        begin, kind, name, end = match.groups()
        if kind == "figures":
            body = figures_of(records, name)
        elif kind == "missed":
            body = missed(records)
        else:
            pictures = []
            for stem, title, draw in PLOTTED[name](records):
                drawn[str(PLOTS / f"{stem}.svg")] = draw(title)
                place = f"{folder}/{stem}.svg"
                pictures.append(f"[![{title}]({place})]({place})")
            body = "\n\n".join(pictures) or UNDRAWN.get(name, "")
        return f"{begin}\n{body}\n\n{end}" if body else begin + end
    return BLOCK.sub(block, text), drawn


def expected(records, root=record.ROOT):
    """{path: text} of all that is made from the records."""
    files = {}
    for document in DOCUMENTS:
        text, drawn = rendered((root / document).read_text(encoding="utf-8"), records, document)
        files[document] = text
        files.update(drawn)
    return files


def stale(root=record.ROOT):
    """Paths that are not what the records say, in the tree's order; plots that nothing shows too."""
    files = expected(record.read_all(root / "bench/records"), root)
    differing = [path for path, text in files.items() if not (root / path).exists() or
                 (root / path).read_text(encoding="utf-8") != text]
    left = [str(path.relative_to(root)) for path in sorted((root / PLOTS).glob("*.svg"))]
    return differing + [path for path in left if path not in files]


def write_documents(root=record.ROOT):
    files = expected(record.read_all(root / "bench/records"), root)
    for path in stale(root):
        if path in files:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(files[path], encoding="utf-8")
        else:
            (root / path).unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        return write_documents()
    differing = stale()
    for path in differing:
        print(f"{path} is not what bench/records say: bench/render.py", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
