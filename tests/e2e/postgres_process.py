# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of a test's own: a Unix socket in a folder that goes with it, and no port.

PostgreSQL refuses to run as root; then it runs as `postgres` or `nobody`. It syncs, so what is
proved about kill -9 of it holds.
"""
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

START_SECONDS = 60
STOP_SECONDS = 60


def programs():
    """The folder with the newest version's programs, or None if PostgreSQL is not installed."""
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin")
             if (path / "initdb").exists()]
    return max(found, key=lambda path: int(path.parent.name)) if found else None


NOT_INSTALLED = None if programs() else "PostgreSQL is not installed (postgresql-15)"


def unprivileged():
    """How a program runs that must not be root's: arguments of subprocess."""
    if os.geteuid() != 0:
        return {}, os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ({"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []},
                entry.pw_uid, entry.pw_gid)
    raise AssertionError("there is no user postgres or nobody to run PostgreSQL as")


class Postgres:
    """Made and started; the directory goes with close()."""

    def __init__(self, settings=()):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="muster-postgres-"))
        self.settings = settings
        self.process = None
        self.how, user, group = unprivileged()
        os.chown(self.directory, user, group)
        self._run("initdb", f"--pgdata={self.directory}/data", "--username=muster", "--auth=trust",
                  "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")
        self.start()

    def _run(self, program, *arguments):
        done = subprocess.run([str(programs() / program), *arguments], cwd="/", text=True,
                              capture_output=True, timeout=START_SECONDS, **self.how)
        if done.returncode != 0:
            raise AssertionError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        settings = [word for name, value in (("listen_addresses", ""), *self.settings)
                    for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [str(programs() / "postgres"), "-D", f"{self.directory}/data", "-k",
             str(self.directory), *settings], cwd="/", text=True, stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, **self.how)
        said, ready = [], threading.Event()

        def read(stream):
            for line in stream:
                said.append(line)
                if "ready to accept connections" in line:
                    ready.set()
            ready.set()
        threading.Thread(target=read, args=(self.process.stderr,), daemon=True).start()
        if not ready.wait(START_SECONDS) or self.process.poll() is not None:
            raise AssertionError("postgres did not start: " + "".join(said))
        return self

    def stop(self, how=signal.SIGINT):
        """By default at once, with a checkpoint; SIGQUIT is a crash."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(STOP_SECONDS)
        self.process.stderr.close()
        self.process = None

    def everybody(self):
        """The processes of the server, its sessions among them."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                  text=True, check=False).stdout.split()
        return [self.process.pid, *map(int, children)]

    def freeze(self):
        for process in self.everybody():
            os.kill(process, signal.SIGSTOP)

    def thaw(self):
        for process in reversed(self.everybody()):
            os.kill(process, signal.SIGCONT)

    def close(self):
        if self.process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database, socket_folder=None):
        return f"postgresql://muster@/{database}?host={socket_folder or self.directory}"

    def query(self, database, sql):
        """Rows of columns, as text."""
        out = self._run("psql", "--no-psqlrc", "-h", str(self.directory), "-U", "muster", "-d",
                        database, "-At", "-F", "\t", "-c", sql)
        return [line.split("\t") for line in out.splitlines()]

    def create_database(self, name):
        if not re.fullmatch("[a-z0-9_]+", name):
            raise ValueError(name)
        self.query("postgres", f"CREATE DATABASE {name}")
        return self.url(name)


class Cut:
    """A proxy in front of a PostgreSQL's socket that can drop all that passes, as a network that is
    cut does: nothing arrives and nobody is told."""

    def __init__(self, postgres):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-cut-"))
        self.target = str(postgres.directory / ".s.PGSQL.5432")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self.listener.listen(64)
        self.open = threading.Event()
        self.open.set()
        self.ended = False
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.open.clear()

    def mend(self):
        """What was under way stays lost: both ends learn that their connection is gone."""
        for one in self.sockets:
            self._shut(one)
        self.sockets.clear()
        self.open.set()

    def close(self):
        self.ended = True
        self.mend()
        self._shut(self.listener)
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _shut(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _accept(self):
        while not self.ended:
            try:
                inner, _ = self.listener.accept()
            except OSError:
                return
            outer = socket.socket(socket.AF_UNIX)
            try:
                outer.connect(self.target)
            except OSError:
                inner.close()
                continue
            self.sockets += [inner, outer]
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source, sink):
        try:
            while octets := source.recv(65536):
                if self.open.is_set():
                    sink.sendall(octets)
        except OSError:
            pass
        if self.open.is_set():
            self._shut(sink)
