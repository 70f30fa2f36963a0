# SPDX-License-Identifier: Apache-2.0
"""An agent of the field as the server sees it: its headers, its retries, its strict decoder.

It reads status codes and the members named here, never a response header. Its pauses are not
slept, only remembered in `paused`: what it does next does not depend on them.
"""
import datetime
import gzip
import hashlib
import http.client
import json
import re

VERSION = "0.6.2"
ATTEMPTS = 4
PAUSES = (1, 2, 4)          # seconds before the attempts after the first
RESULT_ROUNDS = 4
RESULT_PAUSES = (2, 4, 8)
BINARY_BYTES_MAX = 100 << 20

# --- The decoder ---------------------------------------------------------------------------------


class Undecodable(Exception):
    """The whole answer is lost to the agent."""


class Fraction(str):
    """A number that is no integer literal."""


#: What the agent's structs have: a type, [type] for a list, {"*": type} for a map of any names.
ENROLLED = {"agent_id": str, "agent_key": str, "org_id": str, "server_url": str,
            "poll_interval": int, "update_public_key": str}
BEAT = {"new_api_key": str}
TASK = {"id": str, "type": str, "payload": {
    "test_uuid": str, "test_name": str, "binary_name": str, "binary_sha256": str,
    "binary_size": int, "execution_timeout": int, "arguments": [str], "command": str,
    "env_vars": {"*": str}}}
RELEASE = {"version": str, "sha256": str, "size": int, "mandatory": bool, "signature": str}


def fill(kind, value, path):
    """`value` as the struct `kind` takes it: null and absent are zero, unknown members nothing."""
    def fail():
        raise Undecodable(f"{path}: cannot take {value!r}")

    if isinstance(kind, dict):
        if value is not None and not isinstance(value, dict):
            fail()
        given = value or {}
        if "*" in kind:
            return {name: fill(kind["*"], each, f"{path}.{name}") for name, each in given.items()}
        folded = {name.lower(): each for name, each in given.items()}
        return {name: fill(of, folded.get(name), f"{path}.{name}") for name, of in kind.items()}
    if isinstance(kind, list):
        if value is not None and not isinstance(value, list):
            fail()
        return [fill(kind[0], each, f"{path}[]") for each in value or []]
    if value is None:
        return kind()
    # Of Python's types a Fraction is text and a boolean is a number; of Go's they are neither.
    if isinstance(value, Fraction) or not isinstance(value, kind) or \
            (kind is int and isinstance(value, bool)):
        fail()
    if kind is int and not -2**63 <= value < 2**63:
        fail()
    return value


def decode(body, data):
    """The `data` of an envelope as that struct; Undecodable when the agent could not read it."""
    try:
        parsed = json.loads(body, parse_float=Fraction, parse_constant=Fraction)
    except ValueError as error:
        raise Undecodable(str(error)) from None
    return fill({"success": bool, "data": data, "error": str}, parsed, "")["data"]


def encode(value):
    """JSON as Go writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


# --- The agent -----------------------------------------------------------------------------------


class Lost(Exception):
    """What the network does to a request or to its answer."""


class FieldedAgent:
    """One installation. `wire(method, path)` may say "request" or "answer" to lose it."""

    def __init__(self, port, context, hostname="vm"):
        self.port, self.context, self.hostname = port, context, hostname
        self.id = self.key = ""
        self.enrolled = None
        self.version = VERSION
        self.connection = None
        self.wire = lambda method, path: None
        self.clock_error = 0    # seconds
        self.paused = []
        self.statuses = []      # of every answer that came, in order; also of those lost on the way
        self.last_task = None
        self.queue = {}         # task -> result that no answer ended

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + \
            datetime.timedelta(seconds=self.clock_error)

    def headers(self):
        return {"Authorization": f"Bearer {self.key}", "X-Agent-Id": self.id,
                "X-Request-Timestamp": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "X-Agent-Version": self.version}

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def once(self, method, path, body, headers):
        """(status, body), whatever it is; Lost without an answer."""
        lost = self.wire(method, path)
        if lost == "request":
            raise Lost
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("localhost", self.port, timeout=30,
                                                          context=self.context)
        try:
            self.connection.request(method, path, body, {
                "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip",
                "Content-Type": "application/json", **headers})
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost from error
        if response.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        # Bodies of these answers are closed unread, and their connections with them.
        if response.will_close or method == "PATCH" or path.endswith("/result"):
            self.close()
        self.statuses.append(response.status)
        if lost == "answer":
            self.close()
            raise Lost
        return response.status, content

    def call(self, method, path, value=None):
        """The last of up to four attempts with one body, each with a time of its own; Lost when
        even that had no answer."""
        body = None if value is None else encode(value)
        for attempt in range(ATTEMPTS):
            if attempt > 0:
                self.paused.append(PAUSES[attempt - 1])
            last = attempt == ATTEMPTS - 1
            try:
                status, content = self.once(method, path, body, self.headers())
            except Lost:
                if last:
                    raise
                continue
            if last or (status != 429 and status < 500):
                return status, content
        raise AssertionError("unreachable")

    def enrol(self, token, os="linux", arch="amd64"):
        """(status, struct): of one attempt, without headers of its own."""
        status, content = self.once("POST", "/api/agent/enroll", encode({
            "token": token, "hostname": self.hostname, "os": os, "arch": arch,
            "agent_version": self.version}), {})
        if status not in (200, 201):
            return status, None
        self.enrolled = decode(content, ENROLLED)
        url = self.enrolled["server_url"]
        if not re.match(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)", url):
            raise Undecodable(f"server_url: {url}")
        self.id, self.key = self.enrolled["agent_id"], self.enrolled["agent_key"]
        return status, self.enrolled

    def beat_body(self, current_task=None, **more):
        fraction = f"{self.now():%Y-%m-%dT%H:%M:%S.%f}".rstrip("0")
        return {"timestamp": f"{fraction}7Z",
                "status": "executing" if current_task else "idle", "current_task": current_task,
                "system": {"hostname": self.hostname, "os": "linux", "arch": "amd64",
                           "uptime_seconds": 2378, "cpu_percent": 12, "memory_mb": 4823,
                           "total_memory_mb": 24105, "disk_free_mb": 73105,
                           "process_cpu_percent": 0, "process_memory_mb": 9},
                "agent_version": self.version, "last_task_completed": self.last_task, **more}

    def beat(self, current_task=None, **more):
        """(status, body). Takes a new key from any answer that it can decode; a success, to it,
        is anything below 500 but 429."""
        status, content = self.call("POST", "/api/agent/heartbeat",
                                    self.beat_body(current_task, **more))
        try:
            self.key = decode(content, BEAT)["new_api_key"] or self.key
        except Undecodable:
            pass
        if status < 500 and status != 429:
            self.drain()
        return status, content

    def poll(self):
        """The task, or None. Undecodable when the agent would lose what it was given."""
        status, content = self.call("GET", "/api/agent/tasks")
        if status == 204:
            if content:
                raise Undecodable("204 with a body")
            return None
        if status != 200:
            raise AssertionError(f"a poll was answered {status}: {content}")
        task = decode(content, TASK)
        return task if task["id"] else None

    def say(self, task, status, **error):
        """PATCH status; the status of the answer."""
        return self.call("PATCH", f"/api/agent/tasks/{task}/status", {"status": status, **error})[0]

    def fail(self, task, error):
        self.last_task = task
        return self.say(task, "failed", error=error)

    def fetch(self, payload):
        """The program of a test; AssertionError says what the agent would report."""
        status, content = self.call("GET", f"/api/agent/binary/{payload['binary_name']}"
                                           f"?test_uuid={payload['test_uuid']}")
        if status != 200:
            raise AssertionError(f"download answered {status}")
        if hashlib.sha256(content).hexdigest() != payload["binary_sha256"]:
            raise AssertionError("SHA256 mismatch")
        if len(content) != payload["binary_size"] or len(content) > BINARY_BYTES_MAX:
            raise AssertionError("size mismatch")
        return content

    def result_of(self, task, **more):
        at = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = task["payload"]
        return {"task_id": task["id"], "test_uuid": payload["test_uuid"], "exit_code": 0,
                "stdout": "", "stderr": "", "started_at": at, "completed_at": at,
                "execution_duration_ms": 41, "binary_sha256": payload["binary_sha256"],
                "hostname": self.hostname, "os": "linux", "arch": "amd64", **more}

    @staticmethod
    def result_of_update(said="already up to date"):
        """What it sends after an update task: a text, and every other string empty."""
        return {"task_id": "", "test_uuid": "", "exit_code": 0, "stdout": said, "stderr": "",
                "started_at": "", "completed_at": "", "execution_duration_ms": 0,
                "binary_sha256": "", "hostname": "", "os": "", "arch": ""}

    def post_result(self, task, result):
        """The status of the last attempt of one round."""
        return self.call("POST", f"/api/agent/tasks/{task}/result", result)[0]

    def report(self, task, result):
        """True once it is answered 2xx. Else, after all rounds, it gives the task up with a PATCH
        that names no error, and keeps the result for the next good heartbeat."""
        self.last_task = task
        for attempt in range(RESULT_ROUNDS):
            if attempt > 0:
                self.paused.append(RESULT_PAUSES[attempt - 1])
            try:
                if self.post_result(task, result) // 100 == 2:
                    return True
            except Lost:
                pass
        try:
            self.say(task, "failed")
        except Lost:
            pass
        self.queue[task] = result
        return False

    def drain(self):
        """Results in the queue, by name: 400 and 404 drop one for ever, any other failure stops."""
        for task in sorted(self.queue):
            try:
                status = self.post_result(task, self.queue[task])
            except Lost:
                return
            if status // 100 != 2 and status not in (400, 404):
                return
            del self.queue[task]

    def check_version(self):
        """The release on offer, or None."""
        status, content = self.call("GET", "/api/agent/version")
        if status == 204:
            return None
        if status != 200:
            raise AssertionError(f"the version check was answered {status}: {content}")
        return decode(content, RELEASE)

    def fetch_update(self, release):
        """The program; AssertionError says what the agent would report."""
        status, content = self.call("GET", "/api/agent/update?os=linux&arch=amd64")
        if status != 200 or len(content) != release["size"]:
            raise AssertionError(f"{status} with {len(content)} bytes of {release['size']}")
        if hashlib.sha256(content).hexdigest() != release["sha256"]:
            raise AssertionError("SHA256 mismatch")
        return content
