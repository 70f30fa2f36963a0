#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often a verdict of Muster is right, measured on real data with the real binary.

usage: tools/accuracy.py [--muster build/release/bin/muster] [--wrong FILE] [--data DIR]

Imports the feeds of the data directory (MUSTER_DATA, else ../shared/data beside the sources), asks
`muster scan --packages -` about every labelled package, and prints a table: per group what was
right, falsely found and missed, and the labels that no imported feed has an advisory for, which are
counted and not scored. Every wrong verdict goes to --wrong, a JSON line each, with its group.
Exits with 1 if a group is below its gate. docs/reference/matching.md tells what the groups are.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from accuracy_oracle import (NvdSample, dpkg_key, in_events, number_key, read_json_lines,
                             read_text, semver_key)

ROOT = pathlib.Path(__file__).resolve().parent.parent
FEEDS = {
    "debian": ["debian-tracker/tracker-from-dsa-dla-2023-04.json.zst"],
    "osv": ["osv/pypi.jsonl.zst", "osv/go.jsonl.zst", "osv/almalinux.jsonl.zst"],
    "nvd": ["nvd/nvdcve-2.0-20*.json.zst", "anchore-nvd-overrides/*.jsonl.zst"],
}
DEBIAN_RELEASES = {"wheezy": 7, "jessie": 8, "stretch": 9, "buster": 10, "bullseye": 11}
SEED = 5


class Group:
    """Counts of one group, and the least that it must reach."""

    def __init__(self, name, precision, recall):
        self.name = name
        self.gates = precision, recall
        self.right = self.false = self.missed = self.clean = self.unscored = 0
        self.notes = collections.Counter()
        self.wrong = []

    def score(self, question, wanted, found):
        """Adds one package: the flaws that it has, and those that were found."""
        self.right += len(wanted & found)
        self.false += len(found - wanted)
        self.missed += len(wanted - found)
        self.clean += not wanted and not found
        for kind, flaws in (("false", found - wanted), ("missed", wanted - found)):
            for flaw in sorted(flaws):
                self.wrong.append({"group": self.name, "wrong": kind, "flaw": flaw, **question})

    def figures(self):
        precision = self.right / max(self.right + self.false, 1)
        recall = self.right / max(self.right + self.missed, 1)
        return precision, recall

    def passes(self):
        return self.right > 0 and all(f >= g for f, g in zip(self.figures(), self.gates))

    def line(self):
        precision, recall = self.figures()
        notes = "; ".join(f"{count} {what}" for what, count in sorted(self.notes.items()))
        return (f"{self.name:22} {precision:9.4f} {recall:7.4f}   >={self.gates[0]:.2f} "
                f">={self.gates[1]:.2f} {self.right:7} {self.false:6} {self.missed:7} "
                f"{self.unscored:9}  {'ok' if self.passes() else 'BELOW'}"
                + (f"  ({notes})" if notes else ""))


class Muster:
    """The binary with the imported feeds, and questions for one run of it."""

    def __init__(self, binary, data, directory):
        self.binary, self.data, self.directory = binary, data, directory
        self.questions = []

    def import_feeds(self):
        for kind, patterns in FEEDS.items():
            paths = [path for pattern in patterns for path in sorted(self.data.glob(pattern))]
            subprocess.run([self.binary, "feeds", "import", "--data", self.directory, "--kind",
                            kind, *paths], check=True, capture_output=True)

    def ask(self, package, judge):
        """`judge` gets the answer."""
        self.questions.append((package, judge))

    def answer_all(self):
        lines = "".join(json.dumps(package) + "\n" for package, _ in self.questions)
        answers = subprocess.run(
            [self.binary, "scan", "--packages", "-", "--data", self.directory],
            input=lines.encode(), check=True, stdout=subprocess.PIPE).stdout.splitlines()
        assert len(answers) == len(self.questions)
        for (_, judge), answer in zip(self.questions, answers):
            judge(json.loads(answer))

    def compare(self, scheme, pairs):
        """[-1, 0, 1 or None] for pairs of versions."""
        lines = "".join(f"{scheme}\t{a}\t{b}\n" for a, b in pairs)
        out = subprocess.run([self.binary, "versions", "compare"], input=lines.encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        return [None if text == "?" else int(text) for text in out.split()]


def names_of(finding):
    return {finding["id"], *finding["aliases"]} | ({finding["cve"]} if finding["cve"] else set())


def all_names(answer):
    return set().union(*map(names_of, answer["findings"])) if answer["findings"] else set()


def debian_law(muster, tracker):
    """Each source package at each version where a flaw was fixed, and just below it."""
    group = Group("Debian, tracker", 0.99, 0.99)
    fixes = collections.defaultdict(dict)
    for source, flaws in tracker.items():
        for cve, flaw in flaws.items():
            for codename, release in flaw["releases"].items():
                if codename in DEBIAN_RELEASES:
                    place = source, f"debian:{DEBIAN_RELEASES[codename]}"
                    fixes[place][cve] = release["fixed_version"]

    def ask(source, distro, version, fixed):
        package = {"name": source, "version": version, "ecosystem": "deb", "distro": distro,
                   "source_name": source, "source_version": version}
        key = dpkg_key(version)
        wanted = {cve for cve, end in fixed.items() if end != "0" and key < dpkg_key(end)}
        muster.ask(package, lambda answer: group.score(
            package, wanted, {finding["cve"] or finding["id"] for finding in answer["findings"]}))

    for (source, distro), fixed in fixes.items():
        # Of long histories, the newest: the others were found with them.
        versions = sorted(set(fixed.values()) - {"0"}, key=dpkg_key)[-8:]
        for version in versions:
            ask(source, distro, version, fixed)
            ask(source, distro, version + "~", fixed)
    return group


def stem(name):
    """A package's name without what the release changes in it: "libcurl3" and "libcurl4"."""
    return re.sub(r"[-.]?\d[\d.]*([-.]?\d+)*(t64)?$", "", name)


def debian_labels(muster, data, labels, tracker):
    """What people said of packages in images. A label is scored if the tracker has the flaw in the
    release, for the source that the package is built from."""
    group = Group("Debian, labels", 0.99, 0.99)
    sources = collections.defaultdict(set)
    for line in read_text(data / "debian-packages/bookworm-bin2src.tsv.zst").decode().splitlines():
        if line and not line.startswith("#"):
            binary, _, source = line.split("\t")[:3]
            sources[stem(binary)].add(stem(source))
    places = collections.defaultdict(set)
    for source, flaws in tracker.items():
        for cve, flaw in flaws.items():
            for codename in flaw["releases"]:
                if codename in DEBIAN_RELEASES:
                    places[cve, f"debian:{DEBIAN_RELEASES[codename]}"].add(source)

    def has_advisory(label):
        for source in places.get((label["cve"], label["distro"]), ()):
            same = stem(source) == stem(label["name"])
            if same and source != label["name"] and source != stem(source):
                continue  # "postgresql-13" from elsewhere, beside the release's "postgresql-11"
            if same or stem(source) in sources.get(stem(label["name"]), ()):
                return True
        return False

    for label in labels:
        if label["ecosystem"] != "dpkg" or not label["distro"].startswith("debian:"):
            continue
        if not has_advisory(label):
            group.unscored += 1
            continue
        package = {"name": label["name"], "version": label["version"], "ecosystem": "deb",
                   "distro": label["distro"]}
        wanted = {label["cve"]} if label["expected"] == "affected" else set()
        muster.ask(package, lambda answer, p=package, w=wanted, cve=label["cve"]: group.score(
            {**p, "reason": answer["reason"]}, w, all_names(answer) & {cve}))
    return group


def pypi_records(data):
    """{package: {record: versions}} where every record lists its versions."""
    packages = collections.defaultdict(dict)
    for record in read_json_lines(data / "osv/pypi.jsonl.zst"):
        if record.get("withdrawn"):
            continue
        for affected in record["affected"]:
            name = re.sub(r"[-_.]+", "-", affected["package"]["name"].lower())
            packages[name].setdefault(record["id"], []).append(affected)
    return packages


def pypi_law(muster, data):
    """Each version that PyPI's records list must have the flaw, and each fix must not."""
    group = Group("PyPI, advisories", 0.95, 0.90)
    for name, records in pypi_records(data).items():
        listed = {id: {version for a in affected for version in a.get("versions", [])}
                  for id, affected in records.items()}
        fixes = {event["fixed"] for affected in records.values() for a in affected
                 for range_ in a.get("ranges", []) if range_["type"] == "ECOSYSTEM"
                 for event in range_["events"] if "fixed" in event}
        if not all(listed.values()):
            group.unscored += len(records)
            continue
        versions = sorted(set().union(*listed.values()))
        chosen = set(random.Random(SEED).sample(versions, min(len(versions), 6))) | fixes
        for version in sorted(chosen):
            wanted = {id for id, all_ in listed.items() if version in all_}
            package = {"name": name, "version": version, "ecosystem": "pypi"}
            muster.ask(package, lambda answer, p=package, w=wanted, l=listed: group.score(
                p, w, all_names(answer) & l.keys()))
    return group


def go_law(muster, data):
    """Each Go module where a flaw begins, where it was fixed, and just below that."""
    group = Group("Go, advisories", 0.95, 0.90)
    modules = collections.defaultdict(dict)
    for record in read_json_lines(data / "osv/go.jsonl.zst"):
        if record.get("withdrawn"):
            continue
        for affected in record["affected"]:
            ranges = [range_["events"] for range_ in affected.get("ranges", [])
                      if range_["type"] == "SEMVER"]
            # Package URLs, and so the matcher, write modules in small letters.
            name = affected["package"]["name"].lower()
            modules[name].setdefault(record["id"], []).extend(ranges)
    for name, records in modules.items():
        versions = {version for ranges in records.values() for events in ranges
                    for event in events for version in event.values() if version != "0"}
        for version in versions | {version + "-0" for version in versions if "-" not in version}:
            truths = {id: [in_events(version, events, semver_key) for events in ranges]
                      for id, ranges in records.items()}
            if any(None in each for each in truths.values()):
                group.unscored += 1
                continue
            wanted = {id for id, each in truths.items() if any(each)}
            package = {"name": name, "version": "v" + version, "ecosystem": "go"}
            muster.ask(package, lambda answer, p=package, w=wanted, r=records: group.score(
                p, w, all_names(answer) & r.keys()))
    return group


def module_fixes(data):
    """{(distro, package): {cve: builds of modules that fixed it}} of AlmaLinux."""
    fixes = collections.defaultdict(lambda: collections.defaultdict(set))
    for record in read_json_lines(data / "osv/almalinux.jsonl.zst"):
        flaws = {name for member in ("aliases", "related", "upstream")
                 for name in record.get(member, []) if name.startswith("CVE-")}
        for affected in record["affected"]:
            place = affected["package"]["ecosystem"].lower(), affected["package"]["name"]
            for event in (event for range_ in affected["ranges"] for event in range_["events"]):
                for flaw in flaws if ".module" in event.get("fixed", "") else ():
                    fixes[place][flaw].add(event["fixed"])
    return fixes


def module_law(muster, data):
    """No build of a module that fixed a flaw has it, whatever fixed it in the module's other
    streams; what came before all builds of the same first number has it."""
    group = Group("modules, advisories", 0.99, 0.99)

    def ask(place, version, judged, wanted):
        package = {"name": place[1], "version": version, "ecosystem": "rpm", "distro": place[0]}
        muster.ask(package, lambda answer: group.score(package, wanted, all_names(answer) & judged))

    for place, flaws in sorted(module_fixes(data).items()):
        builds = sorted(set().union(*flaws.values()))
        for build in random.Random(SEED).sample(builds, min(len(builds), 4)):
            ask(place, build, {flaw for flaw, fixed in flaws.items() if build in fixed}, set())
        firsts = {flaw: {re.match(r"(?:\d+:)?(\w+)", build)[1] for build in fixed}
                  for flaw, fixed in flaws.items()}
        for first in sorted(set().union(*firsts.values())):
            wanted = {flaw for flaw, numbers in firsts.items() if first in numbers}
            ask(place, f"{first}-0.module_el", set(flaws), wanted)
    return group


def language_labels(muster, data, labels):
    """What people said of Python packages and Go modules. Scored where the module has a record
    under the label's name for the flaw, or any alias of it."""
    group = Group("PyPI and Go, labels", 0.95, 0.90)
    same = collections.defaultdict(set)
    for file in ("pypi", "go"):
        for record in read_json_lines(data / f"osv/{file}.jsonl.zst"):
            names = {record["id"], *record.get("aliases", [])}
            for affected in record["affected"]:
                for name in names:
                    same[affected["package"]["name"], name] |= names
    for label in labels:
        ecosystem = {"pypi?": "pypi", "go": "go"}.get(label["ecosystem"])
        if ecosystem is None:
            continue
        if label["distro"]:
            # An interpreter or a distribution's file: the ecosystem is the converter's guess.
            group.notes["labels of no registry's package"] += 1
            continue
        if re.search("not.importable|effectively.private", label.get("note", ""), re.I):
            # The version is in the range; the label says that nothing calls the code.
            group.notes["labels about reachability"] += 1
            continue
        names = {label["vuln_id"], label["cve"]}
        known = set().union(*(same.get((label["name"], name), set()) for name in names))
        if label["expected"] == "affected" and not known:
            group.unscored += 1
            continue
        package = {"name": label["name"], "version": label["version"], "ecosystem": ecosystem}
        wanted = {label["cve"]} if label["expected"] == "affected" else set()
        muster.ask(package, lambda answer, p=package, w=wanted, n=names | known, c=label["cve"]:
                   group.score({**p, "reason": answer["reason"]}, w,
                               {c} if all_names(answer) & n else set()))
    return group


def given_cpes(muster, sample):
    """A CPE of every sampled application, at the bounds of its criteria and beside them."""
    group = Group("given CPEs", 0.95, 0.90)
    for product, records in sorted(sample.by_product.items()):
        flaws = {}
        texts = set()
        for record in records.values():
            criteria = [each for each in record.criteria() if each.product == product]
            spoken = {text for each in criteria for text in each.texts()}
            if all(each.plain for each in criteria) and None not in map(number_key, spoken):
                flaws[record.id] = record
                texts |= spoken
            else:
                group.notes["flaws left out for editions or letters in versions"] += 1
        chosen = random.Random(SEED).sample(sorted(texts), min(len(texts), 6))
        for version in sorted({*chosen, *(text + ".1" for text in chosen)}):
            wanted = {id for id, record in flaws.items() if record.holds(product, version)}
            package = {"name": product[2].replace("\\", ""), "version": version,
                       "cpe": f"cpe:2.3:{':'.join(product)}:{version}:*:*:*:*:*:*:*"}
            muster.ask(package, lambda answer, p=package, w=wanted, f=flaws: group.score(
                p, w, {finding["id"] for finding in answer["findings"]} & f.keys()))
    return group


class NameGroup(Group):
    """Names of programs: the first product, of those whose product some advisory names."""

    def __init__(self):
        super().__init__("name -> CPE", 0.99, 0.80)

    def add(self, row, answer, known):
        expected = f"{row['expected_vendor']}:{row['expected_product']}"
        fields = re.split(r"(?<!\\):", answer["cpe"] or "")
        first = ":".join(fields[3:5]) if answer["cpe"] else ":"
        has_advisories = (row["expected_vendor"], row["expected_product"]) in known
        if expected == ":":
            self.notes["rightly without"] += first == ":"
        elif not has_advisories:
            self.unscored += 1
        if first == expected and has_advisories:
            self.right += 1
        elif expected != ":" and has_advisories:
            self.missed += 1
        if first not in (":", expected):
            kind = "another name" if expected in answer["also"] else "false"
            if kind == "false":
                self.false += 1
            else:
                self.notes["under another of its names"] += 1
        else:
            kind = "missed"
        if first != expected:
            self.wrong.append({"group": self.name, "wrong": kind, "name": row["name"],
                               "vendor": row["vendor"], "expected": expected, "cpe": first,
                               "advisories": has_advisories})

    def figures(self):
        asked = self.right + self.missed + self.unscored
        return 1 - self.false / max(asked, 1), self.right / max(self.right + self.missed, 1)


def names(muster, data, known):
    group = NameGroup()
    ecosystems = {"windows": "windows", "programs": "windows", "darwin": "macos", "apps": "macos",
                  "homebrew_packages": "macos", "centos": "rpm", "ubuntu": "deb",
                  "python_packages": "pypi"}
    for row in read_json_lines(data / "inventory/name_to_cpe_dev.jsonl"):
        package = {"name": row["name"], "version": row["version"], "vendor": row["vendor"],
                   "ecosystem": ecosystems.get(row["platform"], "")}
        if package["ecosystem"] == "pypi":
            group.notes["left to their registry"] += 1
        elif row["platform"].endswith("_extensions"):
            group.notes["extensions, not programs"] += 1
        else:
            muster.ask(package, lambda answer, r=row: group.add(r, answer, known))
    return group


def versions(muster, data, file, scheme):
    """The rows of a version vector that the scheme can read, which must all be right."""
    group = Group(f"versions, {scheme}", 1.0, 1.0)
    rows = [line.split("\t") for line in
            read_text(data / f"version-vectors/{file}.tsv").decode().splitlines()]
    rows = [row for row in rows if len(row) > 3 and row[2] in "<=>"]
    answers = muster.compare(scheme, [(row[1], row[3]) for row in rows])
    for row, answer in zip(rows, answers):
        if answer is None:
            group.unscored += 1
        else:
            wanted = {"<": -1, "=": 0, ">": 1}[row[2]]
            group.score({"a": row[1], "b": row[3], "op": row[2], "said": answer}, {"order"},
                        {"order"} if answer == wanted else {"another"})
    return group


def find_data(given):
    for place in (given, os.environ.get("MUSTER_DATA"), ROOT.parent / "shared/data"):
        if place and (pathlib.Path(place) / "anchore-labels").is_dir():
            return pathlib.Path(place)
    return None


def measure(muster, data):
    labels = read_json_lines(data / "anchore-labels/dev_labels.jsonl.zst")
    tracker = json.loads(read_text(data / FEEDS["debian"][0]))
    paths = [path for pattern in FEEDS["nvd"] for path in sorted(data.glob(pattern))]
    sample = NvdSample(paths, 40)
    groups = [debian_law(muster, tracker), debian_labels(muster, data, labels, tracker),
              pypi_law(muster, data), go_law(muster, data),
              module_law(muster, data), language_labels(muster, data, labels), given_cpes(muster, sample),
              names(muster, data, sample.known)]
    muster.answer_all()
    for file, scheme in (("dpkg", "deb"), ("rpm", "rpm"), ("apk", "apk"), ("semver", "semver")):
        groups.append(versions(muster, data, file, scheme))
    return groups


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--muster", default=ROOT / "build/release/bin/muster")
    parser.add_argument("--data")
    parser.add_argument("--wrong", default=ROOT / "build/accuracy-wrong.jsonl")
    arguments = parser.parse_args()
    data = find_data(arguments.data)
    if data is None:
        print("accuracy: skipped, there is no labelled data: set MUSTER_DATA to its directory")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        muster = Muster(arguments.muster, data, directory)
        muster.import_feeds()
        groups = measure(muster, data)
    print(f"{'group':22} {'precision':>9} {'recall':>7}   {'gates':13} {'right':>6} {'false':>6} "
          f"{'missed':>7} {'no advisory':>9}")
    for group in groups:
        print(group.line())
    wrong = [row for group in groups for row in group.wrong]
    pathlib.Path(arguments.wrong).write_text(
        "".join(json.dumps(row) + "\n" for row in wrong), encoding="utf-8")
    print(f"{len(wrong)} wrong verdicts: {arguments.wrong}")
    return 0 if all(group.passes() for group in groups) else 1


if __name__ == "__main__":
    sys.exit(main())
