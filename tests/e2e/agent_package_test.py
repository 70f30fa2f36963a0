# SPDX-License-Identifier: Apache-2.0
"""What packages and `install` put on a host, looked at in a folder that stands for one."""
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, ROOT

AGENT = BINARIES / "muster-agent"


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE,
                          text=True, timeout=120, **more).stdout


class AgentPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="muster-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.packages = pathlib.Path(folder.name)
        cls.deb, cls.archive = cls.package("one")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-package-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @classmethod
    def package(cls, name, **more):
        printed = run(ROOT / "packaging" / "package.py", AGENT, cls.packages / name, **more)
        return [pathlib.Path(line) for line in printed.splitlines()]

    def mode(self, path):
        return stat.S_IMODE(path.stat().st_mode)

    def test_the_package_holds_the_program_its_unit_and_its_configuration(self):
        root = self.folder / "root"
        run("dpkg", "-x", self.deb, root)
        self.assertEqual(run(root / "usr/bin/muster-agent", "--version"), run(AGENT, "--version"))
        self.assertTrue((root / "lib/systemd/system/muster-agent.service").is_file())
        self.assertIn("\nu muster-exec ",
                      (root / "usr/lib/sysusers.d/muster-agent.conf").read_text())
        self.assertEqual(run("dpkg-deb", "-f", self.deb, "Architecture"),
                         run("dpkg", "--print-architecture"))
        self.assertIn("libssl3", run("dpkg-deb", "-f", self.deb, "Depends"))
        self.assertLess((root / "usr/bin/muster-agent").stat().st_size, 5 << 20)
        control = self.folder / "control"
        run("dpkg-deb", "-e", self.deb, control)
        self.assertEqual((control / "conffiles").read_text(), "/etc/muster-agent/agent.toml\n")

    def test_a_release_is_newer_than_its_candidates(self):
        deb, _ = self.package("rc", env={**os.environ, "VERSION": "1.3.0-rc.1"})
        version = run("dpkg-deb", "-f", deb, "Version").strip()
        self.assertEqual(version, "1.3.0~rc.1")
        run("dpkg", "--compare-versions", version, "lt", "1.3.0")
        run("dpkg", "--compare-versions", version, "gt", "1.2.9")

    def scripts(self):
        """The package's scripts, and a folder of programs that write down how they are called."""
        control, tools = self.folder / "control", self.folder / "tools"
        run("dpkg-deb", "-e", self.deb, control)
        tools.mkdir()
        for name in ("deb-systemd-helper", "deb-systemd-invoke", "systemctl", "systemd-sysusers"):
            tool = tools / name
            tool.write_text(f"#!/bin/sh\necho {name} \"$@\" >>\"$CALLS\"\n"
                            'case "$*" in *was-enabled*) exit ${WAS_ENABLED:-0};; esac\n'
                            "exit ${FAILS:-0}\n")
            tool.chmod(0o755)
        return control, tools

    def configure(self, control, tools, **more):
        calls = self.folder / "calls"
        calls.unlink(missing_ok=True)
        run(control / "postinst", "configure", "1.0.0",
            env={"PATH": f"{tools}:/usr/bin:/bin", "CALLS": str(calls), **more})
        return calls.read_text()

    def test_an_upgrade_leaves_a_disabled_agent_disabled(self):
        control, tools = self.scripts()
        self.assertIn("deb-systemd-helper enable muster-agent.service",
                      self.configure(control, tools))
        disabled = self.configure(control, tools, WAS_ENABLED="1")
        self.assertNotIn("enable muster-agent.service", disabled.replace("was-enabled", ""))
        self.assertIn("update-state", disabled)

    def test_a_masked_unit_fails_no_upgrade(self):
        control, tools = self.scripts()
        self.assertIn("systemd-sysusers muster-agent.conf", self.configure(control, tools, FAILS="1"))

    def test_the_same_program_gives_the_same_packages(self):
        for one, two in zip((self.deb, self.archive), self.package("two")):
            self.assertEqual(one.read_bytes(), two.read_bytes(), one.name)

    def test_install_brings_what_the_package_brings_and_keeps_the_configuration(self):
        root = self.folder / "root"
        root.mkdir()
        run(AGENT, "install", "--root", root)
        unit = root / "etc/systemd/system/muster-agent.service"
        self.assertEqual(unit.read_text(), (ROOT / "packaging/muster-agent.service").read_text())
        users = root / "etc/sysusers.d/muster-agent.conf"
        self.assertEqual(users.read_text(), (ROOT / "packaging/muster-agent.sysusers").read_text())
        self.assertEqual(self.mode(root / "usr/bin/muster-agent"), 0o755)
        self.assertEqual(self.mode(root / "var/lib/muster-agent"), 0o700)
        config = root / "etc/muster-agent/agent.toml"
        config.write_text("[policy]\nallow = []\n# mine\n")
        run(AGENT, "install", "--root", root)
        self.assertIn("# mine", config.read_text())
        run(AGENT, "uninstall", "--root", root)
        self.assertFalse((root / "usr/bin/muster-agent").exists())
        self.assertFalse(unit.exists())
        self.assertFalse(users.exists())
        self.assertTrue(config.exists())
        run(AGENT, "uninstall", "--purge", "--root", root)
        self.assertEqual([path for path in root.rglob("*") if path.is_file()], [])

    def test_nobody_else_may_write_what_install_brings_whatever_the_umask(self):
        for umask in (0, 0o077):
            root = self.folder / f"root-{umask}"
            root.mkdir()
            run(AGENT, "install", "--root", root, umask=umask)
            for path in root.rglob("*"):
                self.assertFalse(self.mode(path) & 0o022, path)
            self.assertEqual(self.mode(root / "etc/systemd/system/muster-agent.service"), 0o644)
            self.assertEqual(self.mode(root / "usr/bin/muster-agent"), 0o755)
            self.assertEqual(self.mode(root / "var/lib/muster-agent"), 0o700)

    def test_uninstall_leaves_what_a_package_brought_to_dpkg(self):
        root = self.folder / "root"
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/info/muster-agent.list").write_text("/usr\n/usr/bin\n/usr/bin/muster-agent\n")
        program = root / "usr/bin/muster-agent"
        program.parent.mkdir(parents=True)
        program.write_text("")
        tools = self.folder / "tools"
        tools.mkdir()
        dpkg = tools / "dpkg"
        dpkg.write_text('#!/bin/sh\necho "$@" >"$CALLS"\nexit ${FAILS:-0}\n')
        dpkg.chmod(0o755)
        environment = {"PATH": f"{tools}:/usr/bin:/bin", "CALLS": str(self.folder / "calls")}
        run(AGENT, "uninstall", "--root", root, env=environment)
        self.assertEqual((self.folder / "calls").read_text(), f"--root={root} --remove muster-agent\n")
        self.assertTrue(program.exists(), "only dpkg takes it")
        ended = subprocess.run([str(AGENT), "uninstall", "--purge", "--root", str(root)], text=True,
                               env={**environment, "FAILS": "1"}, stderr=subprocess.PIPE, check=False,
                               timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("apt purge muster-agent", ended.stderr)
        self.assertIn("--purge muster-agent", (self.folder / "calls").read_text())

    def test_the_configuration_as_it_comes_allows_nothing(self):
        root = self.folder / "root"
        root.mkdir()
        run(AGENT, "install", "--root", root)
        state = root / "var/lib/muster-agent"
        ended = subprocess.run([str(AGENT), "status", "--state-dir", str(state), "--config",
                                str(root / "etc/muster-agent/agent.toml")], text=True, timeout=60,
                               stderr=subprocess.PIPE, check=False)
        # The file is read first, and it is the enrolment that is missing.
        self.assertIn("not enrolled", ended.stderr)


if __name__ == "__main__":
    unittest.main()
