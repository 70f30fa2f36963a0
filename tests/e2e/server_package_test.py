# SPDX-License-Identifier: Apache-2.0
"""What the server's package puts on a host, looked at in a folder that stands for one."""
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, ROOT


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE,
                          text=True, timeout=120, **more).stdout


class ServerPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="muster-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.deb = cls.package("one")
        cls.root, cls.control = cls.folder / "root", cls.folder / "control"
        run("dpkg", "-x", cls.deb, cls.root)
        run("dpkg-deb", "-e", cls.deb, cls.control)

    @classmethod
    def package(cls, name):
        printed = run(ROOT / "packaging" / "package.py", BINARIES / "musterd", cls.folder / name)
        return pathlib.Path(printed.strip())

    def unit(self):
        """The unit's settings; those that are given more than once as the last."""
        text = (self.root / "lib/systemd/system/musterd.service").read_text()
        return dict(line.split("=", 1) for line in text.splitlines()
                    if "=" in line and not line.startswith("#"))

    def test_it_holds_server_and_command_line(self):
        for program in ("musterd", "muster"):
            self.assertEqual(run(self.root / "usr/bin" / program, "--version"),
                             run(BINARIES / program, "--version"))
        self.assertIn("libssl3", run("dpkg-deb", "-f", self.deb, "Depends"))
        self.assertIn("\nu muster ", (self.root / "usr/lib/sysusers.d/musterd.conf").read_text())

    def test_shells_complete_its_command_lines(self):
        bash = self.root / "usr/share/bash-completion/completions/muster"
        run("bash", "-n", bash)
        self.assertIn("min-severity", bash.read_text())
        zsh = self.root / "usr/share/zsh/vendor-completions/_muster"
        self.assertTrue(zsh.read_text().startswith("#compdef muster\n"))
        if shutil.which("zsh"):
            run("zsh", "-n", zsh)

    def test_its_configuration_is_the_owners_to_change(self):
        self.assertEqual((self.control / "conffiles").read_text(),
                         "/etc/muster/musterd.toml\n/etc/default/musterd\n")
        explained = run(self.root / "usr/bin/muster", "config", "explain", "--config",
                        self.root / "etc/muster/musterd.toml", "--json")
        self.assertIn("sync_hours", explained)

    def test_the_units_command_is_one_that_the_server_takes(self):
        """But for its folders it starts as the unit starts it, and serves this machine alone."""
        options = (self.root / "etc/default/musterd").read_text()
        given = [line for line in options.splitlines() if line.startswith("MUSTERD_OPTIONS=")]
        words = shlex.split(self.unit()["ExecStart"].replace(
            "$MUSTERD_OPTIONS", shlex.split(given[-1])[0].split("=", 1)[1]))
        self.assertEqual(words[:1], ["/usr/bin/musterd"])
        self.assertEqual(words[words.index("--listen") + 1], "127.0.0.1:8480")
        words[words.index("--listen") + 1] = "127.0.0.1:0"
        words[words.index("--data") + 1] = str(self.folder / "data")
        words[words.index("--config") + 1] = str(self.root / "etc/muster/musterd.toml")
        with subprocess.Popen([str(self.root / words[0].lstrip("/")), *words[1:]],
                              stderr=subprocess.PIPE, text=True) as server:
            try:
                started = any('"server_started"' in line for line in server.stderr)
            finally:
                server.terminate()
        self.assertTrue(started)
        self.assertEqual(server.returncode, 0)

    def test_systemd_finds_nothing_wrong_with_the_unit(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        # That the units it refers to are not in this folder is no fault of it.
        checked = subprocess.run(
            ["systemd-analyze", "verify", f"--root={self.root}", "--man=no", "musterd.service"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        faults = ("Unknown key", "Unknown section", "Failed to parse", "Invalid", "not an absolute path")
        said = [line for line in checked.stdout.splitlines() if any(fault in line for fault in faults)]
        self.assertEqual(said, [])

    def test_purge_alone_takes_the_data(self):
        script = (self.control / "postrm").read_text()
        self.assertIn('if [ "$1" = purge ]; then\n  rm -rf /var/lib/muster\n', script)
        self.assertEqual(script.count("rm -rf"), 1)

    def test_the_same_programs_give_the_same_package(self):
        self.assertEqual(self.package("two").read_bytes(), self.deb.read_bytes())


if __name__ == "__main__":
    unittest.main()
