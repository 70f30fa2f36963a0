# SPDX-License-Identifier: Apache-2.0
"""What a verdict should be, worked out a second time and as simply as can be: no index, no shared
code with the matcher. tools/accuracy.py compares the binary with it.
"""
import functools
import gzip
import json
import re
import subprocess
import zlib


def read_text(path):
    """A file as text, unpacked by its name."""
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return path.read_bytes()


def read_json_lines(path):
    return [json.loads(line) for line in read_text(path).splitlines() if line.strip()]


# Debian's order (deb-version(7))


def _letter_order(text):
    rank = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in text]
    return rank + [0]


def _dpkg_key(text):
    key = []
    for letters, digits in re.findall(r"([^0-9]*)([0-9]*)", text):
        if letters or digits:
            key.append((_letter_order(letters), int(digits or 0)))
    return key + [([0], 0)]


@functools.lru_cache(maxsize=None)
def dpkg_key(version):
    """Sorts as dpkg compares."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"
    return int(epoch), _dpkg_key(upstream), _dpkg_key(revision)


# Semantic versions, for Go


@functools.lru_cache(maxsize=None)
def semver_key(version):
    """Sorts by semver 2.0; None for text that is no such version."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?", version)
    if not found:
        return None
    numbers = tuple(int(part or 0) for part in found.groups()[:3])
    if found[4] is None:
        return numbers, (1,)
    identifiers = [(0, int(part), "") if part.isdigit() else (1, 0, part)
                   for part in found[4].split(".")]
    return numbers, (0, identifiers)


def in_events(version, events, key):
    """Whether a version is in a range of OSV; None if a text is no version."""
    place = key(version)
    inside = False
    if place is None:
        return None
    points = []
    for event in events:
        for kind in ("introduced", "last_affected", "fixed"):
            if kind in event:
                at = (0,) if event[kind] == "0" else (1, key(event[kind]))
                if at[-1] is None:
                    return None
                points.append((at, kind))
    for at, kind in sorted(points, key=lambda point: point[0]):
        reached = (1, place) >= at
        past = (1, place) > at
        if kind == "introduced" and reached:
            inside = True
        elif (kind == "fixed" and reached) or (kind == "last_affected" and past):
            inside = False
    return inside


# NVD's criteria, for versions that are dotted numbers


def split_cpe(name):
    return [part.replace("\0", "\\:") for part in name.replace("\\:", "\0").split(":")]


def number_key(version):
    """Sorts dotted numbers, missing parts being 0; None for anything else."""
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        return None
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


class Criterion:
    """One cpeMatch, compared with a product of which nothing but the version is known."""

    BOUNDS = ("versionStartIncluding", "versionStartExcluding", "versionEndIncluding",
              "versionEndExcluding")

    def __init__(self, match):
        fields = split_cpe(match["criteria"])
        self.product = tuple(fields[2:5])
        self.version, self.update = fields[5].replace("\\", ""), fields[6]
        self.plain = all(field in "*-" for field in fields[7:13])
        self.vulnerable = match["vulnerable"]
        self.bounds = [match.get(name) for name in self.BOUNDS]

    def texts(self):
        """The versions that it speaks of."""
        return [text for text in self.bounds if text] + (
            [self.version] if self.version not in "*-" else [])

    def holds(self, version):
        place = number_key(version)
        if any(self.bounds):
            start, after, last, fixed = (number_key(text) if text else None
                                         for text in self.bounds)
            inside = ((start is None or place >= start) and (after is None or place > after) and
                      (last is None or place <= last) and (fixed is None or place < fixed))
        else:
            inside = self.version == "*" or (
                self.version != "-" and number_key(self.version) == place)
        return inside and self.update in "*-"


class Record:
    """One flaw of NVD."""

    def __init__(self, cve):
        self.id = cve["id"]
        self.configurations = []
        for configuration in cve.get("configurations", []):
            nodes = [(node.get("operator", "OR"), [Criterion(m) for m in node["cpeMatch"]])
                     for node in configuration["nodes"]]
            self.configurations.append((configuration.get("operator", "OR"), nodes))

    def criteria(self):
        for _, nodes in self.configurations:
            for _, criteria in nodes:
                yield from criteria

    def holds(self, product, version):
        """For a host that has this product alone and whose system and hardware nobody knows."""

        def criterion(each):
            if each.product == product:
                return each.holds(version)
            return each.product[0] in "oh"

        for operator, nodes in self.configurations:
            named = any(each.vulnerable and each.product == product and each.holds(version)
                        for _, criteria in nodes for each in criteria)
            truths = [(all if kind == "AND" else any)(map(criterion, criteria))
                      for kind, criteria in nodes]
            if named and (all if operator == "AND" else any)(truths):
                return True
        return False


class NvdSample:
    """The records about one application in `step`, and the names of all. Of two records of one
    flaw the later file's counts."""

    def __init__(self, paths, step):
        self.known = set()
        self.by_product = {}
        self._products_of = {}
        for path in paths:
            for cve in self._flaws(path):
                self._add(cve, step)

    @staticmethod
    def _flaws(path):
        text = read_text(path)
        if ".jsonl" in path.name:
            for line in text.splitlines():
                record = json.loads(line)
                yield record.get("cve", record)
        else:
            for each in json.loads(text)["vulnerabilities"]:
                yield each["cve"]

    def _add(self, cve, step):
        if cve.get("vulnStatus") == "Rejected" or not cve.get("configurations"):
            return
        for product in self._products_of.pop(cve["id"], ()):
            del self.by_product[product][cve["id"]]
        wanted = set()
        for configuration in cve["configurations"]:
            for node in configuration["nodes"]:
                for match in node["cpeMatch"]:
                    product = tuple(split_cpe(match["criteria"])[2:5])
                    if not match["vulnerable"] or product[0] != "a":
                        continue
                    self.known.add(product[1:])
                    if zlib.crc32(":".join(product).encode()) % step == 0:
                        wanted.add(product)
        if wanted:
            record = Record(cve)
            self._products_of[record.id] = wanted
            for product in wanted:
                self.by_product.setdefault(product, {})[record.id] = record
