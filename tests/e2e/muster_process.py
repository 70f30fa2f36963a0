# SPDX-License-Identifier: Apache-2.0
"""A musterd as a process of its own, and callers of it, for the tests beside this file.

The binaries are those of the folder in MUSTER_BIN, by default build/release/bin.
"""
import http.client
import json
import os
import pathlib
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARIES = pathlib.Path(os.environ.get("MUSTER_BIN", ROOT / "build/release/bin"))
START_SECONDS = 30
STOP_SECONDS = 30
REQUEST_SECONDS = 30

#: Load must not run into limits that are not the subject of a test, nor wait for an operator: its
#: full reports are drawn by lot and take most of a host away.
NO_LIMITS = """
[inventory]
hold_removal_percent = 100

[limits]
report_per_minute = 0
heartbeat_per_minute = 0
config_per_minute = 0
device_per_minute = 0
"""


class Unanswered(Exception):
    """The server went away before the whole answer was there. `begun`: some of it was."""

    def __init__(self, why, begun):
        super().__init__(str(why))
        self.begun = begun


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Caller:
    """One keep-alive connection with the headers of one identity; opened when it is needed. Over
    TLS with a `context`."""

    def __init__(self, port, headers=None, context=None):
        self.port, self.headers, self.context = port, headers or {}, context
        self.connection = None

    def ask(self, method, path, body=None):
        """The whole answer; raises Unanswered."""
        self.send(method, path, body)
        return self.receive()

    def send(self, method, path, body=None):
        """The whole request; raises Unanswered."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=REQUEST_SECONDS) if self.context is None else \
                http.client.HTTPSConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS,
                                            context=self.context)
        payload = None if body is None else json.dumps(body)
        headers = dict(self.headers)
        if "X-Agent-ID" in headers:
            headers["X-Request-Timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if payload is not None:
            headers["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, payload, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(error, False) from None

    def receive(self):
        """The whole answer to what was sent; raises Unanswered."""
        begun = False
        try:
            response = self.connection.getresponse()
            begun = True
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # RemoteDisconnected is an end before the first byte.
            cut = isinstance(error, http.client.BadStatusLine) and \
                not isinstance(error, http.client.RemoteDisconnected)
            raise Unanswered(error, begun or cut) from None
        if response.will_close:
            self.close()
        return Answer(response.status, response.headers, text.decode())

    def must(self, method, path, body=None, status=(200, 201)):
        """The JSON of an answer that has to succeed."""
        answer = self.ask(method, path, body)
        if answer.status not in status:
            raise AssertionError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.json()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def agent_headers(enrolled):
    return {"X-Agent-Key": enrolled["api_key"], "X-Agent-ID": enrolled["agent_id"]}


class Musterd:
    """A server on a data directory: started, killed, drained and started again on the same one.
    `flags` come last; callers use TLS with a `certificate` (tools/certificate.py); `binaries` may
    be changed between two starts."""

    def __init__(self, directory, config=NO_LIMITS, flags=(), certificate=None):
        self.directory = pathlib.Path(directory)
        self.binaries = BINARIES
        self.flags, self.certificate = flags, certificate
        self.config_file = self.directory.with_name(self.directory.name + ".toml")
        self.config_file.write_text(config)
        self.process = self.reader = None
        self.port = None
        self.events = []
        self.callers = []       # closed when the server ends

    @staticmethod
    def command(directory, *arguments, binaries=BINARIES):
        listen = [] if "--listen" in arguments else ["--listen", "127.0.0.1:0"]
        return [str(binaries / "musterd"), "--data", str(directory), *listen, *arguments]

    def start(self):
        self.port, self.events = None, []
        started = threading.Event()
        self.process = subprocess.Popen(
            self.command(self.directory, "--config", str(self.config_file), *self.flags,
                         binaries=self.binaries),
            stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read_log,
                                       args=(self.process.stderr, started), daemon=True)
        self.reader.start()
        if not started.wait(START_SECONDS) or self.port is None:
            self.kill()
            raise AssertionError(f"musterd did not start: {self.events}")
        return self

    def _read_log(self, stream, started):
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "not_json", "text": line}
            self.events.append(event)
            if event.get("event") == "server_started":
                self.port = event["port"]
                started.set()
        started.set()

    @staticmethod
    def wait_for(holds):
        """Until `holds()`; for what the server does on its own."""
        until = time.monotonic() + START_SECONDS
        while not holds():
            if time.monotonic() > until:
                raise AssertionError("it did not come about")
            time.sleep(0.01)

    def kill(self):
        """As the machine would: no signal handler runs."""
        if self.process is not None:
            self.process.kill()
            self._wait()

    def drain(self):
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self._wait()

    def _wait(self):
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise AssertionError("musterd did not end in time") from None
        finally:
            self.reader.join()
            self.process.stderr.close()
            self.process = None
            for caller in self.callers:
                caller.close()
            self.callers.clear()
        return code

    def resident(self):
        """Octets of memory that the server holds."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def operator(self):
        token = (self.directory / "admin.token").read_text().strip()
        return self.caller({"Authorization": f"Bearer {token}"})

    def caller(self, headers=None):
        context = self.certificate.context() if self.certificate else None
        self.callers.append(Caller(self.port, headers, context))
        return self.callers[-1]

    def enrolment_token(self, uses=100_000):
        return self.operator().must("POST", "/api/v1/tokens",
                                    {"ttl_seconds": 3600, "max_uses": uses})["token"]

    def site_key(self):
        return self.operator().must("POST", "/api/v1/keys", {"name": "site"})["key"]

    def enrol(self, token, hostname, version="1.0.0"):
        return self.caller().must("POST", "/api/agent/enroll", enrolment(token, hostname, version),
                                  (201,))["data"]

    def create_tasks(self, agent_id, count):
        ids = []
        operator = self.operator()
        while len(ids) < count:
            targets = [agent_id] * min(200, count - len(ids))
            ids += operator.must("POST", "/api/v1/tasks", {
                "type": "execute_command", "agent_ids": targets, "command": "true"})["task_ids"]
        return ids


def enrolment(token, hostname, version="1.0.0"):
    return {"token": token, "hostname": hostname, "os": "linux", "arch": "amd64",
            "agent_version": version}


def all_pages(caller, path):
    """Every item of a paged list."""
    items, cursor = [], ""
    while True:
        joint = "&" if "?" in path else "?"
        page = caller.must("GET", f"{path}{joint}limit=1000" + (cursor and f"&cursor={cursor}"))
        items += page["items"]
        if not page.get("next_cursor"):
            return items
        cursor = page["next_cursor"]
