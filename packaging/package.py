#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packages muster-agent (a .deb and a tarball) or musterd with muster (a .deb): the same bytes for the
same programs and SOURCE_DATE_EPOCH.

usage: packaging/package.py PROGRAM FOLDER [--arch amd64|arm64]

PROGRAM is muster-agent, or musterd with muster beside it. It is stripped (with STRIP, by default `strip`). The version is what the program says of itself,
or for another architecture VERSION; the dependencies are the packages of the libraries that it is linked
with, or DEPENDS.
"""
import argparse
import dataclasses
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



@dataclasses.dataclass(frozen=True)
class Package:
    """What a package is called, says of itself and brings: a unit, sysusers and configuration of
    its name, and the programs."""
    name: str
    programs: tuple
    configuration: dict     # the file here, and where it goes
    state: str              # what `purge` removes
    description: str
    completed: str = ""     # the program that prints the completion of its command lines

    def unit(self):
        return f"{self.name}.service"

    def files(self, folder):
        """(source, target, mode) of each."""
        for program in self.programs:
            yield folder / program, f"usr/bin/{program}", 0o755
        yield HERE / self.unit(), f"lib/systemd/system/{self.unit()}", 0o644
        yield HERE / f"{self.name}.sysusers", f"usr/lib/sysusers.d/{self.name}.conf", 0o644
        for source, target in self.configuration.items():
            yield HERE / source, target, 0o644
        yield HERE.parent / "LICENSE", f"usr/share/doc/{self.name}/copyright", 0o644


AGENT = Package(
    "muster-agent", ("muster-agent",), {"agent.toml": "etc/muster-agent/agent.toml"},
    "/var/lib/muster-agent",
    "Description: agent of the Muster control plane\n"
    " Tells a Muster server how this host is and what is installed on it, and runs\n"
    " tasks if the host's own policy allows them.\n")
SERVER = Package(
    "musterd", ("musterd", "muster"),
    {"musterd.toml": "etc/muster/musterd.toml", "musterd.default": "etc/default/musterd"},
    "/var/lib/muster",
    "Description: server and command line of the Muster control plane\n"
    " Enrols hosts, knows which are alive, gives them work, and tells which of their\n"
    " packages are vulnerable and exploited. Its web console is part of it.\n",
    completed="muster")


def scripts_of(package):
    """As debhelper's (dh_installsystemd, dh_installsysusers): a service that its owner disabled stays
    disabled over an upgrade, one that is masked or stopped by policy-rc.d stays so, and neither fails
    the upgrade."""
    unit = package.unit()
    return {
        "postinst": f"""#!/bin/sh
set -e
if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || [ "$1" = abort-remove ]; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers {package.name}.conf || true
  fi
  deb-systemd-helper unmask {unit} >/dev/null || true
  if deb-systemd-helper --quiet was-enabled {unit}; then
    deb-systemd-helper enable {unit} >/dev/null || true
  else
    deb-systemd-helper update-state {unit} >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then action=restart; else action=start; fi
    deb-systemd-invoke $action {unit} >/dev/null || true
  fi
fi
""",
        "prerm": f"""#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop {unit} >/dev/null || true
fi
""",
        "postrm": f"""#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload >/dev/null || true
if [ "$1" = purge ]; then
  rm -rf {package.state}
  if [ -x /usr/bin/deb-systemd-helper ]; then
    deb-systemd-helper purge {unit} >/dev/null || true
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


def libraries_of(programs):
    """The Debian packages of the libraries that the programs need, with the version that is here:
    an older one may lack what it was linked with."""
    if "DEPENDS" in os.environ:
        return os.environ["DEPENDS"]
    needed, paths = [], {}
    for program in programs:
        needed += re.findall(r"NEEDED\s+(\S+)", output("objdump", "-p", str(program)))
        paths.update(re.findall(r"(\S+) => (\S+)", output("ldd", str(program))))
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


def stage(package, programs, root):
    """What is installed, below `root`."""
    for source, target, mode in package.files(programs):
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(mode)
    if package.completed:
        stage_completion(package.completed, programs, root)
    for program in package.programs:
        subprocess.run([os.environ.get("STRIP", "strip"), str(root / "usr/bin" / program)], check=True)


def stage_completion(program, programs, root):
    """Where bash and zsh look for it on Debian."""
    for shell, folder, name in (("bash", "usr/share/bash-completion/completions", program),
                                ("zsh", "usr/share/zsh/vendor-completions", f"_{program}")):
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output(str(programs / program), "completion", shell), encoding="utf-8")
        path.chmod(0o644)


def make_deb(package, root, version, arch, folder):
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    version = deb_version_of(version)
    control = root / "DEBIAN"
    control.mkdir()
    programs = [root / "usr/bin" / program for program in package.programs]
    (control / "control").write_text(
        f"Package: {package.name}\nVersion: {version}\nArchitecture: {arch}\n"
        "Section: admin\nPriority: optional\nMaintainer: The Muster authors\n"
        f"Installed-Size: {size}\nDepends: {libraries_of(programs)}\n" + package.description)
    (control / "conffiles").write_text(
        "".join(f"/{target}\n" for target in package.configuration.values()))
    for name, text in scripts_of(package).items():
        (control / name).write_text(text)
        (control / name).chmod(0o755)
    deb = folder / f"{package.name}_{version}_{arch}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(deb)],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(control)
    return deb


def make_tarball(root, version, arch, folder, epoch):
    """The program alone: it brings its unit and configuration with `install`."""
    top = f"{AGENT.name}-{version}-linux-{arch}"
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
    package = next((one for one in (AGENT, SERVER) if one.name == given.program.name), None)
    if package is None:
        sys.exit(f"package.py: {given.program} is neither muster-agent nor musterd")
    arch = given.arch or output("dpkg", "--print-architecture").strip()
    epoch = int(os.environ.setdefault(
        "SOURCE_DATE_EPOCH", str(int(given.program.stat().st_mtime))))
    version = version_of(given.program)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="muster-package-") as scratch:
        root = pathlib.Path(scratch) / "root"
        root.mkdir(mode=0o755)
        old = os.umask(0o022)
        stage(package, given.program.parent, root)
        print(make_deb(package, root, version, arch, given.folder))
        if package is AGENT:
            print(make_tarball(root, version, arch, given.folder, epoch))
        os.umask(old)


if __name__ == "__main__":
    main()
