# SPDX-License-Identifier: Apache-2.0
"""`muster-agent inventory --root` of whole systems, against what their own package tools say of them.

Debian's releases are made by debootstrap from the mirror that this host's apt uses, rpm's databases by
rpm itself; Alpine's database is a captured one, if MUSTER_DATA (or ../shared/data) has it. What is not
there is skipped, with the reason. Needs root: debootstrap and rpm do.
"""
import collections
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from muster_process import BINARIES  # noqa: E402

AGENT = BINARIES / "muster-agent"
DATA = pathlib.Path(os.environ.get("MUSTER_DATA", ROOT.parent / "shared/data"))
MAKE_SECONDS = 900
#: States in which dpkg has no files of a package on the disk.
ABSENT = {"not-installed", "config-files", "half-installed"}

Package = collections.namedtuple("Package", "name version arch source source_version")


def run(*command, seconds=120, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=seconds, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]}: {done.stderr[-2000:]}")
    return done.stdout


def inventory(root):
    return json.loads(run(AGENT, "inventory", "--root", root, "--json"))


def packages(report, ecosystem):
    return sorted(Package(entry["name"], entry["version"], entry.get("arch", ""),
                          entry.get("source_name", ""), entry.get("source_version", ""))
                  for entry in report["software"] if entry["ecosystem"] == ecosystem)


def mirror():
    """Where this host's apt gets Debian itself; nothing if it gets it from nowhere."""
    if not shutil.which("apt-get"):
        return None
    sites = run("apt-get", "indextargets", "--format", "$(SITE) $(LABEL)",
                "Created-By: Packages").splitlines()
    plain = [line.split()[0] for line in sites if line.endswith(" Debian")]
    return plain[0] if plain else None


@unittest.skipUnless(os.geteuid() == 0, "debootstrap and rpm need root")
class Roots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-roots-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "root"
        self.root.mkdir()

    def need(self, *tools):
        for tool in tools:
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed")


class DebianReleases(Roots):
    def make(self, release):
        self.need("debootstrap", "dpkg-query")
        source = mirror()
        if source is None:
            self.skipTest("this host's apt has no mirror of Debian")
        done = subprocess.run(["debootstrap", "--variant=minbase", release, self.root, source],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=MAKE_SECONDS, check=False)
        if done.returncode != 0:
            self.skipTest(f"debootstrap {release}: {done.stdout.strip().splitlines()[-1]}")

    def installed(self):
        """What dpkg says of the root, and how many are there but have no files on the disk."""
        shown = run("dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f",
                    "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}"
                    "\t${source:Package}\t${source:Version}\n")
        rows = [line.split("\t") for line in shown.splitlines()]
        present = sorted(Package(*row[1:]) for row in rows if row[0] not in ABSENT)
        return present, len(rows) - len(present)

    def compare(self, version, absent):
        expected, gone = self.installed()
        report = inventory(self.root)
        self.assertEqual(packages(report, "deb"), expected)
        self.assertGreater(len(expected), 60)
        self.assertEqual(gone, absent)
        self.assertEqual({entry["distro"] for entry in report["software"]}, {f"debian:{version}"})
        self.assertEqual({entry["ecosystem"] for entry in report["software"]}, {"deb"})
        self.assertNotIn("runtime_hash", report, "what runs here runs not in that folder")

    def check(self, release):
        self.make(release)
        version = (self.root / "etc/debian_version").read_text().split(".")[0].strip()
        self.compare(version, absent=0)
        run("dpkg", f"--root={self.root}", "--set-selections", input="tar hold\n")
        # It leaves its configuration files, so dpkg still knows it.
        run("chroot", self.root, "dpkg", "--force-all", "--remove", "apt")
        self.leave_unconfigured("mawk")
        self.compare(version, absent=1)

    def leave_unconfigured(self, name):
        """As dpkg leaves a package whose script failed."""
        status = self.root / "var/lib/dpkg/status"
        text = status.read_text()
        before = f"Package: {name}\nStatus: install ok installed\n"
        self.assertEqual(text.count(before), 1)
        status.write_text(text.replace(before,
                                       f"Package: {name}\nStatus: install ok half-configured\n"))

    def test_bullseye(self):
        self.check("bullseye")

    def test_bookworm(self):
        self.check("bookworm")

    def test_trixie(self):
        self.check("trixie")


class AlpineDatabase(Roots):
    def test_a_captured_database_gives_every_entry(self):
        captured = DATA / "inventory/alpine-apk-installed.db"
        if not captured.is_file():
            self.skipTest(f"{captured.name} is not there: set MUSTER_DATA")
        text = captured.read_text()
        expected = []
        for entry in text.strip().split("\n\n"):
            fields = {line[0]: line[2:] for line in entry.splitlines() if line[1:2] == ":"}
            origin = fields.get("o", "")
            expected.append(Package(fields["P"], fields["V"], fields["A"], origin,
                                    fields["V"] if origin else ""))
        for place in ("lib/apk/db", "usr/lib/apk/db"):
            with self.subTest(place=place):
                shutil.rmtree(self.root)
                (self.root / place).mkdir(parents=True)
                (self.root / place / "installed").write_text(text)
                self.assertEqual(packages(inventory(self.root), "apk"), sorted(expected))


SPEC = """Name: {name}
Version: {version}
Release: {release}
{epoch}
Summary: x
License: x
BuildArch: noarch
%description
x
%package libs
Summary: y
%description libs
y
%install
mkdir -p %{{buildroot}}/usr/share/{name}
for i in $(seq {files}); do echo $i >%{{buildroot}}/usr/share/{name}/file$i; done
%files
/usr/share/{name}
%files libs
"""


class RpmDatabases(Roots):
    """One of small and large headers, as rpm writes it now, and the same in Berkeley DB's form."""

    def setUp(self):
        super().setUp()
        self.need("rpm", "rpmbuild")
        (self.root / "etc").mkdir()
        (self.root / "etc/os-release").write_text('ID="rhel"\nVERSION_ID="8.10"\n')
        self.database = self.root / "var/lib/rpm"
        self.database.mkdir(parents=True)
        for name, version, release, epoch, files in (
                ("small", "1.2", "3.el8", "", 1), ("old", "3.0.7~rc1", "27.el8", "Epoch: 2", 10),
                ("large", "1", "1", "", 5000)):
            spec = self.folder / f"{name}.spec"
            spec.write_text(SPEC.format(name=name, version=version, release=release, epoch=epoch,
                                        files=files))
            run("rpmbuild", "-bb", "--define", f"_topdir {self.folder}/top", spec)
        rpms = sorted((self.folder / "top").rglob("*.rpm"))
        self.rpm("--initdb")
        self.rpm("-i", "--justdb", "--nodeps", "--noscripts", *rpms)
        shown = self.rpm("-qa", "--qf", "%{NAME}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\t%{ARCH}"
                                        "\t%{SOURCERPM}\n")
        self.expected = sorted(self.package(*line.split("\t")) for line in shown.splitlines())
        self.assertEqual(len(self.expected), 6)

    def rpm(self, *arguments):
        return run("rpm", "--define", "_db_backend sqlite", "--dbpath", self.database, *arguments)

    @staticmethod
    def package(name, epoch, version, arch, source):
        prefix = "" if epoch == "(none)" else epoch + ":"
        source_name, source_version, release = source.removesuffix(".src.rpm").rsplit("-", 2)
        return Package(name, prefix + version, arch, source_name,
                       f"{prefix}{source_version}-{release}")

    def check(self):
        report = inventory(self.root)
        self.assertEqual(packages(report, "rpm"), self.expected)
        self.assertEqual({entry["distro"] for entry in report["software"]}, {"rhel:8.10"})

    def test_sqlite(self):
        self.check()

    def take_headers(self):
        """Numbers and headers of the database, which goes."""
        reading = sqlite3.connect(f"file:{self.database}/rpmdb.sqlite?mode=ro", uri=True)
        rows = reading.execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()
        reading.close()
        shutil.rmtree(self.database)
        return rows

    def test_berkeley_db(self):
        self.need("db5.3_load")
        rows = self.take_headers()
        for page_bytes in (512, 4096, 16384, 65536):
            with self.subTest(page_bytes=page_bytes):
                shutil.rmtree(self.database, ignore_errors=True)
                self.database.mkdir()
                self.load(page_bytes, rows)
                self.check()

    def load(self, page_bytes, rows):
        lines = ["VERSION=3", "format=bytevalue", "type=hash", f"db_pagesize={page_bytes}",
                 "HEADER=END"]
        # Number 0 is the highest number in use.
        for number, header in [(0, struct.pack("<I", rows[-1][0])), *rows]:
            lines += [" " + struct.pack("<I", number).hex(), " " + header.hex()]
        lines.append("DATA=END\n")
        run("db5.3_load", self.database / "Packages", input="\n".join(lines))

    def test_a_berkeley_db_whose_buckets_were_divided(self):
        self.need("db5.3_load")
        rows = self.take_headers()
        small = [header for _, header in rows if len(header) < 10000]
        self.database.mkdir()
        self.load(4096, list(enumerate(small * 100, 1)))
        expected = [package for package in self.expected if package.name != "large"]
        self.assertEqual(packages(inventory(self.root), "rpm"), expected, "a report is a set")


if __name__ == "__main__":
    unittest.main()
