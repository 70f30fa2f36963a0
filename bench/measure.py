# SPDX-License-Identifier: Apache-2.0
"""What the benches beside this file share: a server as a process, its CPU time, and wrk."""
import http.client
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time

START_SECONDS = 15


def lua_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def cpu_seconds(pids):
    """User and system time of the processes, exited threads included."""
    user = system = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        user += int(fields[11])
        system += int(fields[12])
    ticks = os.sysconf("SC_CLK_TCK")
    return user / ticks, system / ticks


class Server:
    """One of the compared servers: how to call it and which processes do its work."""

    def __init__(self, name, process, port, headers=None, certificate=None):
        self.name, self.process, self.port = name, process, port
        self.certificate = certificate      # tools/certificate.py; without it HTTP is plain
        self.headers = headers or {}
        self.rounds = []

    def pids(self):
        return [self.process.pid]

    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Musterd(Server):
    """A release musterd on a fresh directory, without the limits that the load is to pass.
    `settings` is more TOML for it."""

    def __init__(self, name, binary, folder, certificate=None, settings="", **popen):
        self.data = folder / "data"
        self.data.mkdir()
        config = folder / "musterd.toml"
        config.write_text("[limits]\ndevice_per_minute = 0\n" + settings)
        process = subprocess.Popen(
            [binary, "--data", str(self.data), "--listen", "127.0.0.1:0", "--config", str(config),
             *(certificate.flags() if certificate else ())],
            stderr=subprocess.PIPE, **popen)
        super().__init__(name, process, self.started_port(process), certificate=certificate)
        self.operator = {"Authorization":
                         "Bearer " + (self.data / "admin.token").read_text().strip()}

    @staticmethod
    def started_port(process):
        """From the `server_started` event; goes on reading so that the pipe never fills."""
        ports = queue.Queue()

        def read():
            for line in process.stderr:
                try:
                    event = json.loads(line)
                except ValueError:
                    sys.stderr.buffer.write(line)
                    continue
                if event.get("event") == "server_started":
                    ports.put(event["port"])
        threading.Thread(target=read, daemon=True).start()
        try:
            return ports.get(timeout=START_SECONDS)
        except queue.Empty:
            process.kill()
            sys.exit("bench: musterd did not log server_started in time")

    def call(self, path, body, headers, connection=None):
        """POST, or GET without a body; on `connection` if there is one."""
        connection = connection or self.connect()
        connection.request("GET" if body is None else "POST", path,
                           None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            sys.exit(f"bench: {path} answered {answer.status}: {text.decode(errors='replace')}")
        return json.loads(text)

    def connect(self):
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                           context=self.certificate.context())

    def enrolment_token(self, uses):
        return self.call("/api/v1/tokens", {"ttl_seconds": 3600, "max_uses": uses},
                         self.operator)["token"]

    def enrol(self, token, hostname, connection=None):
        """The headers with which the new agent proves itself."""
        agent = self.call("/api/agent/enroll", {
            "token": token, "hostname": hostname, "os": "windows", "arch": "amd64",
            "agent_version": "0.5.11"}, {}, connection)["data"]
        return {"X-Agent-Key": agent["api_key"], "X-Agent-ID": agent["agent_id"],
                "X-Request-Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def parse_wrk(text):
    requests = failed = None
    for line in text.splitlines():
        words = line.split()
        if " requests in " in line:
            requests = int(words[0])
        if "Non-2xx" in line or "Socket errors" in line:
            failed = line.strip()
    if failed or not requests:
        sys.exit(f"bench: the load had failures, the figure would mean nothing: {failed}\n{text}")
    return requests
