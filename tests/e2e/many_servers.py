# SPDX-License-Identifier: Apache-2.0
"""Several musterd on one PostgreSQL, for the tests beside this file."""
import os
import pathlib
import shutil
import tempfile

from muster_process import NO_LIMITS, Musterd
from postgres_process import Postgres

#: Presence in seconds instead of minutes.
QUICK_PRESENCE = """
[presence]
shared_flush_seconds = 1
offline_after_seconds = 10
check_seconds = 1
group_window_seconds = 0
"""


class Servers:
    """`count` servers with data directories of their own, one secret file and one database."""

    def __init__(self, count, config=NO_LIMITS + QUICK_PRESENCE, postgres=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-many-"))
        self.postgres = postgres or Postgres()
        self.owns_postgres = postgres is None
        self.url = self.postgres.create_database("fleet")
        secret = self.folder / "secret"
        secret.write_bytes(os.urandom(32))
        secret.chmod(0o600)
        self.flags = ("--secret-file", str(secret))
        self.all = [Musterd(self.folder / f"server{number}", config,
                            ("--store", self.url, *self.flags)) for number in range(count)]

    def start(self):
        for server in self.all:
            server.start()
        return self

    def close(self):
        for server in self.all:
            server.kill()
        if self.owns_postgres:
            self.postgres.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bootstrap_token(self):
        """That of whichever server was first on the database."""
        tokens = list(self.folder.glob("server*/admin.token"))
        if len(tokens) != 1:
            raise AssertionError(f"{len(tokens)} servers issued a first token")
        return tokens[0].read_text().strip()

    def operator(self, server):
        return server.caller({"Authorization": f"Bearer {self.bootstrap_token()}"})

    def query(self, sql):
        return self.postgres.query("fleet", sql)
