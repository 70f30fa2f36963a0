# SPDX-License-Identifier: Apache-2.0
"""Signed tasks, end to end: an operator's key that the server never has, a server, and an agent
whose host takes nothing else."""
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from muster_process import BINARIES, NO_LIMITS, START_SECONDS, Musterd

TEST_UUID = "0190f1c2-0000-7000-8000-00000000000a"


class SignedTasks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-signed-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.key, self.public_key = self.make_key("tasks.pem")
        self.server = self.start("data", NO_LIMITS)
        self.agent = self.enrol("state", self.public_key)

    def start(self, name, config):
        server = Musterd(self.folder / name, config).start()
        self.addCleanup(server.kill)
        return server

    def muster(self, *arguments, environment=None, server=None):
        server = server or self.server
        return subprocess.run(
            [str(BINARIES / "muster"), *map(str, arguments), "--json",
             "--server", f"http://127.0.0.1:{server.port}",
             "--token-file", str(server.directory / "admin.token")],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=START_SECONDS,
            env={**os.environ, **(environment or {})}, check=False)

    def must(self, *arguments, **more):
        done = self.muster(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def make_key(self, name):
        path = self.folder / name
        made = subprocess.run(
            [str(BINARIES / "muster"), "releases", "keygen", "--key", str(path), "--json"],
            text=True, stdout=subprocess.PIPE, check=True)
        return path, json.loads(made.stdout)["public_key"]

    def run_agent(self, verb, *arguments, state="state", code=0):
        done = subprocess.run(
            [str(BINARIES / "muster-agent"), verb, "--state-dir", str(self.folder / state),
             *map(str, arguments)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=START_SECONDS * 2,
            check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def enrol(self, state, trusted):
        token = self.folder / "token"
        token.write_text(self.server.enrolment_token())
        done = self.run_agent("enroll", "--server", f"http://127.0.0.1:{self.server.port}",
                              "--token-file", token, state=state)
        # As whom this user may become: tests run as root on some machines only.
        self.config = self.folder / "agent.toml"
        self.config.write_text('[policy]\nallow = ["execute_command", "execute_test"]\n'
                               'require_signed_tasks = true\n'
                               f'trusted_task_keys = ["{trusted}"]\n')
        return done.stdout.split()[2]

    def work(self):
        """The agent does what is due."""
        self.run_agent("run", "--once", "--config", self.config)

    def create(self, *arguments, sign=True, **more):
        signing = ["--sign-key", self.key] if sign else []
        made = self.must("tasks", "create", "--agent", self.agent, *arguments, *signing, **more)
        return made["task_ids"][0]

    def command(self, line, **more):
        return self.create("--type", "execute_command", "--command", line, **more)

    def show(self, task):
        return self.must("tasks", "show", task)

    def change(self, statement, *values):
        """Somebody writes to the server's database, past the server."""
        database = sqlite3.connect(self.server.directory / "muster.db", timeout=START_SECONDS)
        with database:
            changed = database.execute(statement, values).rowcount
        database.close()
        self.assertEqual(changed, 1)

    def must_be_refused(self, task, why):
        shown = self.show(task)
        self.assertEqual(shown["status"], "failed")
        self.assertIn(why, shown["error"])
        self.assertIsNone(shown["result"])

    def test_a_signed_command_runs_and_says_who_signed(self):
        task = self.command("echo signed; exit 3")
        self.work()
        shown = self.show(task)
        self.assertEqual(shown["status"], "completed")
        self.assertEqual(shown["result"]["exit_code"], 3)
        self.assertEqual(shown["result"]["stdout"], "signed\n")
        self.assertEqual(shown["order"]["public_key"], self.public_key)
        told = subprocess.run(
            [str(BINARIES / "muster"), "tasks", "show", task, "--server",
             f"http://127.0.0.1:{self.server.port}", "--token-file",
             str(self.server.directory / "admin.token")],
            text=True, stdout=subprocess.PIPE, check=True).stdout
        self.assertIn(self.public_key, told)

    def test_a_signed_test_runs_with_its_variables(self):
        program = self.folder / "probe.sh"
        program.write_text('#!/bin/sh\necho "$1 $TEST_WORD"\nexit 101\n')
        self.must("binaries", "upload", program, "--test-uuid", TEST_UUID, "--name", "probe.sh")
        task = self.create("--type", "execute_test", "--test-uuid", TEST_UUID, "--program",
                           program, "--argument", "one", "--env", "TEST_WORD",
                           environment={"TEST_WORD": "hush"})
        self.work()
        shown = self.show(task)
        self.assertEqual(shown["status"], "completed", shown)
        self.assertEqual(shown["result"]["stdout"], "one hush\n")
        self.assertNotIn("hush", shown["order"]["text"])

    def test_a_program_that_the_server_exchanged_is_refused(self):
        program = self.folder / "probe.sh"
        program.write_text("#!/bin/sh\nexit 0\n")
        self.must("binaries", "upload", program, "--test-uuid", TEST_UUID, "--name", "probe.sh")
        program.write_text("#!/bin/sh\nexit 1\n")
        done = self.muster("tasks", "create", "--type", "execute_test", "--agent", self.agent,
                           "--test-uuid", TEST_UUID, "--program", program,
                           "--sign-key", self.key)
        self.assertEqual(done.returncode, 1)
        self.assertIn("binary_sha256", done.stderr)

    def test_an_unsigned_task_is_refused_and_says_so(self):
        task = self.command("true", sign=False)
        self.assertIsNone(self.show(task)["order"])
        self.work()
        self.must_be_refused(task, "refused: order: is missing: the task is not signed")

    def test_another_key_is_refused(self):
        self.key, _ = self.make_key("other.pem")
        task = self.command("true")
        self.work()
        self.must_be_refused(task, "refused: order: is signed by no key that this host trusts")

    def test_a_command_that_was_changed_in_the_database_is_refused(self):
        task = self.command("true")
        self.change("UPDATE tasks SET payload = replace(payload, '\"command\": \"true\"',"
                    " '\"command\": \"id\"')")
        self.work()
        self.must_be_refused(task, "refused: command: is not what was signed")

    def test_an_order_that_was_changed_in_the_database_is_refused(self):
        task = self.command("true")
        for table, column in (("tasks", "payload"), ("work_orders", "order_text")):
            self.change(f"UPDATE {table} SET {column} = replace({column},"
                        " '\"command\": \"true\"', '\"command\": \"id\"')")
        self.work()
        self.must_be_refused(task, "refused: order: is signed by no key that this host trusts")

    def test_an_order_that_was_taken_off_in_the_database_is_refused(self):
        task = self.command("true")
        self.change("DELETE FROM work_orders")
        self.work()
        self.must_be_refused(task, "refused: order: is missing")

    def test_an_order_under_another_task_is_refused_after_a_restart(self):
        marks = self.folder / "marks"
        marks.mkdir()
        marks.chmod(0o777)
        task = self.command(f"echo x >> {marks}/ran; chmod 666 {marks}/ran")
        self.work()
        # The database is written so that the same order is given out as another task.
        other = "0192c0de000070008000000000000001"
        database = sqlite3.connect(self.server.directory / "muster.db", timeout=START_SECONDS)
        with database:
            names = [row[1] for row in database.execute("PRAGMA table_info(tasks)")]
            chosen = {"task_id": f"x'{other}'", "status": "'pending'", "attempt": "0",
                      "assigned_at": "NULL", "started_at": "NULL", "finished_at": "NULL",
                      "lease_until": "NULL", "due_at": "deliver_by"}
            database.execute(f"INSERT INTO tasks ({', '.join(names)}) SELECT "
                             f"{', '.join(chosen.get(name, name) for name in names)} FROM tasks")
            database.execute(f"UPDATE work_orders SET task_id = x'{other}'")
        database.close()
        self.server.drain()
        self.server = self.start("data", NO_LIMITS)
        identity = self.folder / "state/identity.json"
        said = json.loads(identity.read_text())
        said["server_url"] = f"http://127.0.0.1:{self.server.port}"
        identity.write_text(json.dumps(said))
        self.work()
        self.must_be_refused("0192c0de-0000-7000-8000-000000000001",
                             f"refused: order: was carried out before, as task {task}")
        self.assertEqual((marks / "ran").read_text(), "x\n")

    def test_a_server_with_roots_takes_nothing_else(self):
        self.server.drain()
        self.server = self.start(
            "data", NO_LIMITS + f'[tasks]\nrequire_offline_signature = ["{self.public_key}"]\n')
        arguments = ["tasks", "create", "--type", "execute_command", "--command", "true",
                     "--agent", self.agent]
        done = self.muster(*arguments)
        self.assertEqual(done.returncode, 1)
        self.assertIn("orders", done.stderr)
        self.assertIn("--sign-key", done.stderr)
        other, _ = self.make_key("other.pem")
        done = self.muster(*arguments, "--sign-key", other)
        self.assertEqual(done.returncode, 1)
        self.assertIn("orders[0].public_key", done.stderr)
        self.must(*arguments, "--sign-key", self.key)

    def test_roots_that_are_no_keys_end_the_start(self):
        config = self.folder / "bad.toml"
        config.write_text('[tasks]\nrequire_offline_signature = ["none"]\n')
        ended = subprocess.run(Musterd.command(self.folder / "bad", "--config", config),
                               text=True, stderr=subprocess.PIPE, timeout=START_SECONDS,
                               check=False)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("tasks.require_offline_signature", ended.stderr)


if __name__ == "__main__":
    unittest.main()
