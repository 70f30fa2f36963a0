# SPDX-License-Identifier: Apache-2.0
"""What packages and `install` put on a host, looked at in a folder that stands for one."""
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
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-package-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def package(self, name):
        printed = run(ROOT / "packaging" / "package.py", AGENT, self.folder / name)
        return [pathlib.Path(line) for line in printed.splitlines()]

    def mode(self, path):
        return stat.S_IMODE(path.stat().st_mode)

    def test_the_package_holds_the_program_its_unit_and_its_configuration(self):
        deb, _ = self.package("one")
        root = self.folder / "root"
        run("dpkg", "-x", deb, root)
        self.assertEqual(run(root / "usr/bin/muster-agent", "--version"), run(AGENT, "--version"))
        self.assertTrue((root / "lib/systemd/system/muster-agent.service").is_file())
        self.assertIn("\nu muster-exec ",
                      (root / "usr/lib/sysusers.d/muster-agent.conf").read_text())
        self.assertEqual(run("dpkg-deb", "-f", deb, "Architecture"),
                         run("dpkg", "--print-architecture"))
        self.assertIn("libssl3", run("dpkg-deb", "-f", deb, "Depends"))
        self.assertLess((root / "usr/bin/muster-agent").stat().st_size, 5 << 20)
        control = self.folder / "control"
        run("dpkg-deb", "-e", deb, control)
        self.assertEqual((control / "conffiles").read_text(), "/etc/muster-agent/agent.toml\n")

    def test_the_same_program_gives_the_same_packages(self):
        first, second = self.package("one"), self.package("two")
        for one, two in zip(first, second):
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
