#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packages muster-agent: a .deb and a tarball, the same for the same program and SOURCE_DATE_EPOCH.

usage: packaging/package.py PROGRAM FOLDER [--arch amd64|arm64]

PROGRAM is stripped (with STRIP, by default `strip`). The version is what the program says of itself,
or for another architecture VERSION; the dependencies are the packages of the libraries that it is linked
with, or DEPENDS.
"""
import argparse
import gzip
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NAME = "muster-agent"
UNIT = "muster-agent.service"
# As debhelper's (dh_installsystemd, dh_installsysusers): an agent that its owner disabled stays disabled
# over an upgrade, one that is masked or stopped by policy-rc.d stays so, and neither fails the upgrade.
SCRIPTS = {
    "postinst": f"""#!/bin/sh
set -e
if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || [ "$1" = abort-remove ]; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers muster-agent.conf || true
  fi
  deb-systemd-helper unmask {UNIT} >/dev/null || true
  if deb-systemd-helper --quiet was-enabled {UNIT}; then
    deb-systemd-helper enable {UNIT} >/dev/null || true
  else
    deb-systemd-helper update-state {UNIT} >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then action=restart; else action=start; fi
    deb-systemd-invoke $action {UNIT} >/dev/null || true
  fi
fi
""",
    "prerm": f"""#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop {UNIT} >/dev/null || true
fi
""",
    "postrm": f"""#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload >/dev/null || true
if [ "$1" = purge ]; then
  rm -rf /var/lib/muster-agent
  if [ -x /usr/bin/deb-systemd-helper ]; then
    deb-systemd-helper purge {UNIT} >/dev/null || true
  fi
fi
""",
}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def version_of(program):
    if "VERSION" in os.environ:
        return os.environ["VERSION"]
    return output(str(program), "--version").split()[-1]


def deb_version_of(version):
    """1.3.0-rc.1 comes before 1.3.0, which dpkg knows of a tilde alone (deb-version(7))."""
    return version.replace("-", "~", 1)


def libraries_of(program):
    """The Debian packages of the libraries that the program needs, with the version that is here:
    an older one may lack what it was linked with."""
    if "DEPENDS" in os.environ:
        return os.environ["DEPENDS"]
    needed = re.findall(r"NEEDED\s+(\S+)", output("objdump", "-p", str(program)))
    paths = dict(re.findall(r"(\S+) => (\S+)", output("ldd", str(program))))
    packages = {}
    for library in needed:
        path = paths.get(library)
        if path is None:
            continue    # the loader itself
        owner = None
        for candidate in (path, str(pathlib.Path(path).resolve()), "/usr" + path):
            found = subprocess.run(["dpkg-query", "-S", candidate], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, check=False)
            if found.returncode == 0:
                owner = found.stdout.split(":")[0]
                break
        if owner is None:
            sys.exit(f"package.py: no Debian package has {library}")
        packages[owner] = dependency_on(owner, library)
    return ", ".join(packages[name] for name in sorted(packages))


def dependency_on(package, library):
    """What the package itself says that users of its library depend on (deb-shlibs(5)); else the
    version that is here."""
    name, _, version = library.partition(".so.")
    for file in pathlib.Path("/var/lib/dpkg/info").glob(f"{package}*.shlibs"):
        for line in file.read_text().splitlines():
            words = line.split(None, 2)
            if words[:2] == [name, version] and words[2].startswith(package):
                return words[2]
    return f"{package} (>= {output('dpkg-query', '-W', '-f=${Version}', package).split('-')[0]})"


def stage(program, root):
    """What is installed, below `root`."""
    for source, target, mode in (
            (program, "usr/bin/muster-agent", 0o755),
            (HERE / "muster-agent.service", "lib/systemd/system/muster-agent.service", 0o644),
            (HERE / "muster-agent.sysusers", "usr/lib/sysusers.d/muster-agent.conf", 0o644),
            (HERE / "agent.toml", "etc/muster-agent/agent.toml", 0o644),
            (HERE.parent / "LICENSE", "usr/share/doc/muster-agent/copyright", 0o644)):
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(mode)
    subprocess.run([os.environ.get("STRIP", "strip"), str(root / "usr/bin/muster-agent")], check=True)


def make_deb(root, version, arch, folder):
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    version = deb_version_of(version)
    control = root / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(
        f"Package: {NAME}\nVersion: {version}\nArchitecture: {arch}\n"
        "Section: admin\nPriority: optional\nMaintainer: The Muster authors\n"
        f"Installed-Size: {size}\nDepends: {libraries_of(root / 'usr/bin/muster-agent')}\n"
        "Description: agent of the Muster control plane\n"
        " Tells a Muster server how this host is and what is installed on it, and runs\n"
        " tasks if the host's own policy allows them.\n")
    (control / "conffiles").write_text("/etc/muster-agent/agent.toml\n")
    for name, text in SCRIPTS.items():
        (control / name).write_text(text)
        (control / name).chmod(0o755)
    deb = folder / f"{NAME}_{version}_{arch}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(deb)],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(control)
    return deb


def make_tarball(root, version, arch, folder, epoch):
    """The program alone: it brings its unit and configuration with `install`."""
    top = f"{NAME}-{version}-linux-{arch}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for source, name, mode in ((root / "usr/bin/muster-agent", "muster-agent", 0o755),
                                   (root / "usr/share/doc/muster-agent/copyright", "LICENSE", 0o644)):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode, entry.mtime = source.stat().st_size, mode, epoch
            with source.open("rb") as content:
                tar.addfile(entry, content)
    path = folder / f"{top}.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=epoch))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--arch", choices=("amd64", "arm64"))
    given = parser.parse_args()
    arch = given.arch or output("dpkg", "--print-architecture").strip()
    epoch = int(os.environ.setdefault(
        "SOURCE_DATE_EPOCH", str(int(given.program.stat().st_mtime))))
    version = version_of(given.program)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="muster-package-") as scratch:
        root = pathlib.Path(scratch) / "root"
        root.mkdir(mode=0o755)
        old = os.umask(0o022)
        stage(given.program, root)
        for path in (make_deb(root, version, arch, given.folder),
                     make_tarball(root, version, arch, given.folder, epoch)):
            print(path)
        os.umask(old)


if __name__ == "__main__":
    main()
