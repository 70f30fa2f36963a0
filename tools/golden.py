#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays api/golden/**/*.http (format: api/golden/README.md) against a musterd binary, over TLS.

  golden.py [--musterd PATH] [FILE…]   replay, each file on a data directory of its own
  golden.py --plain [FILE…]            the same over plain HTTP
  golden.py --lint [FILE…]             no server: read the files and check them against the
                                       OpenAPI document, the routes and the error codes
  ACCEPT=1 golden.py FILE…             write the answers into the files

A replay without FILE also fails when a route of routes.def or a code of errc.def has no golden.
Needs PyYAML and jsonschema (Debian: python3-yaml python3-jsonschema).
"""
import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import openapi
from certificate import Certificate
from golden_contract import Contract, lint, uncovered
from golden_format import (GoldenError, accept_body, match_body, match_text, parse_golden,
                           request_of, with_answers, with_setup)
from golden_provider import GoldenProvider

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_URL = "https://muster.example.org"
START_SECONDS = 30
REQUEST_SECONDS = 60


class Server:
    """A musterd on the data directory `data`; ends with its `with` block. Plain without
    `certificate`."""

    def __init__(self, binary, data, settings, certificate):
        self.binary, self.data = binary, data
        self.settings, self.certificate = settings, certificate

    def __enter__(self):
        command = [str(self.binary), "--data", str(self.data), "--listen", "127.0.0.1:0",
                   "--server-url", SERVER_URL]
        if self.certificate:
            command += self.certificate.flags()
        if self.settings:
            config = self.data.with_name(self.data.name + ".toml")
            config.write_text("\n".join(self.settings) + "\n")
            command += ["--config", str(config)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log, self.port, self.started = [], None, threading.Event()
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        if not self.started.wait(START_SECONDS) or self.port is None:
            self.stop()
            raise GoldenError("musterd did not start:\n" + "".join(self.log))
        self.admin_token = (self.data / "admin.token").read_text().strip()
        return self

    def connection(self):
        """A keep-alive connection; for a `with` block."""
        if self.certificate is None:
            return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port,
                                                                 timeout=REQUEST_SECONDS))
        return contextlib.closing(http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=REQUEST_SECONDS, context=self.certificate.context()))

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line)
            if '"server_started"' in line:
                try:
                    self.port = json.loads(line)["port"]
                except (ValueError, KeyError):
                    continue
                self.started.set()
        self.started.set()

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None and self.process.returncode != 0:
            raise GoldenError(f"musterd ended with {self.process.returncode}:\n" +
                              "".join(self.log))

    def stop(self):
        self.process.terminate()
        self.reader.join(START_SECONDS)  # its log ends with it; Popen.wait() would look now and then
        if self.reader.is_alive():
            self.process.kill()
            self.reader.join()
        self.process.wait()
        self.process.stderr.close()


class Servers:
    """Starts servers of one binary, each on a data directory of its own in `folder`: a copy of one
    that was opened and asked nothing, because its migrations take most of a start. Plain without
    `certificate`."""

    def __init__(self, binary, folder, certificate):
        self.binary, self.folder, self.certificate = binary, pathlib.Path(folder), certificate
        self.opened = self.folder / "opened"
        with Server(binary, self.opened, [], certificate):
            pass

    @contextlib.contextmanager
    def start(self, settings):
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            data = pathlib.Path(own) / "data"
            shutil.copytree(self.opened, data)
            with Server(self.binary, data, settings, self.certificate) as server:
                yield server


def memory_backed_path():
    """Where a sync costs nothing: a file system in memory if there is one and TMPDIR does not say
    otherwise."""
    usable = "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK | os.X_OK)
    return "/dev/shm" if usable else tempfile.gettempdir()


def ask(connection, method, target, headers, body):
    """(status, headers, body) of one request."""
    given = {name.lower() for name, _ in headers}
    connection.putrequest(method, target, skip_host="host" in given, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if (body or method in ("POST", "PUT", "PATCH")) and "content-length" not in given:
        connection.putheader("Content-Length", str(len(body)))
    try:
        connection.endheaders(body or None)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before the body was read; the answer is there all the same
    response = connection.getresponse()
    return response.status, response.getheaders(), body_of(connection, response)


def body_of(connection, response):
    """All of the body; of an event stream, which does not end, the first event."""
    if response.getheader("Content-Type") != "text/event-stream":
        return response.read().decode()
    lines = []
    while line := response.readline():
        lines.append(line.decode())
        if line == b"\n":
            break
    connection.close()
    return "".join(lines)


def replay_exchange(connection, exchange, lenient, variables, contract):
    """The variables after one exchange; raises GoldenError when it does not hold."""
    now = datetime.datetime.now(datetime.timezone.utc)
    method, target, headers, body, plain = request_of(exchange, variables, now)
    status, got_headers, got = ask(connection, method, target, headers, body)
    here = f"{exchange.method} {exchange.target}"
    try:
        if status != exchange.status:
            raise GoldenError(f"want status {exchange.status}, got {status}: {got}")
        for name, value in exchange.expected_headers:
            found = [v for n, v in got_headers if n.lower() == name.lower()]
            matched = match_text(value, found[0], variables) if found else None
            if matched is None:
                raise GoldenError(f"want header {name}: {value}, got {found}")
            variables = matched
        variables = match_body(exchange.expected, got, variables)
        if 200 <= status < 300 and plain and not lenient:
            contract.check_request(method, target, plain)
        contract.check_answer(method, target, status, got)
    except GoldenError as error:
        raise GoldenError(f"{here}\n{error}") from None
    return variables


@contextlib.contextmanager
def world_of(settings, servers):
    """A server, and the variables that it begins with; with a provider of identities if the
    settings name one."""
    with contextlib.ExitStack() as stack:
        variables = {"server_url": SERVER_URL}
        if any("{{provider}}" in line for line in settings):
            variables["provider"] = stack.enter_context(GoldenProvider()).url
            settings = [line.replace("{{provider}}", variables["provider"]) for line in settings]
        server = stack.enter_context(servers.start(settings))
        yield server, variables | {"admin_token": server.admin_token}


def replay(chain, servers, contract):
    """Raises GoldenError when the last file of the chain, or one before it, does not hold."""
    with world_of(chain[-1][1].config, servers) as (server, variables):
        with server.connection() as connection:
            for name, golden in chain:
                for exchange in golden.exchanges:
                    try:
                        variables = replay_exchange(connection, exchange, golden.lenient, variables,
                                                    contract)
                    except (GoldenError, OSError, http.client.HTTPException) as error:
                        raise GoldenError(f"{name}: {error}") from None


def accept(root, chain, servers):
    """Writes the answers of the last file of the chain into it."""
    name, golden = chain[-1]
    with world_of(golden.config, servers) as (server, variables):
        answers = []
        with server.connection() as connection:
            for part, earlier in chain:
                for exchange in earlier.exchanges:
                    now = datetime.datetime.now(datetime.timezone.utc)
                    method, target, headers, body, _ = request_of(exchange, variables, now)
                    status, _, got = ask(connection, method, target, headers, body)
                    expected, variables = accept_body(exchange.expected, got, variables)
                    if part == name:
                        answers.append((exchange, status, expected))
    path = root / name
    path.write_text(with_answers(path.read_text(), answers))


def gaps_of(root, names, contract, errc):
    """What no golden shows; files that cannot be read are left to lint()."""
    goldens = []
    for name in names:
        try:
            goldens.append(parse_golden((root / name).read_text()))
        except (GoldenError, ValueError):
            continue
    return list(uncovered(goldens, contract, openapi.read_codes(errc)))


def replay_all(root, names, contract, options):
    """[(name, message)] of the files that do not hold; raises GoldenError when there is no server
    to ask. With ACCEPT, writes them instead."""
    wrong = dict(lint(root, names, contract))
    if options.lint:
        return list(wrong.items())
    with tempfile.TemporaryDirectory(prefix="muster-golden-", dir=memory_backed_path()) as folder:
        servers = Servers(options.musterd, folder, None if options.plain else Certificate(folder))

        def failure_of(name):
            try:
                if os.environ.get("ACCEPT") == "1":
                    accept(root, with_setup(root, name), servers)
                elif name in wrong:
                    raise GoldenError(wrong[name])
                else:
                    replay(with_setup(root, name), servers, contract)
            except (GoldenError, OSError) as error:
                return name, str(error)
            return None
        # As many at once as there are processors.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return [failure for failure in pool.map(failure_of, names) if failure]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Replays the golden conversations.")
    parser.add_argument("--musterd", type=pathlib.Path, default=ROOT / "build/release/bin/musterd")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="source tree")
    parser.add_argument("--plain", action="store_true", help="replay without TLS")
    parser.add_argument("--lint", action="store_true", help="check the files without a server")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    root = options.root / "api/golden"
    try:
        contract = Contract(openapi.load(options.root))
    except openapi.ContractError as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    every = sorted(str(path.relative_to(root)) for path in root.glob("**/*.http"))
    names = [str((path if path.exists() else root / path).resolve().relative_to(root.resolve()))
             for path in options.files] or every
    errc = (options.root / "src/base/errc.def").read_text()
    failures = [] if options.files else [(gap, "") for gap in gaps_of(root, every, contract, errc)]
    try:
        refused = replay_all(root, names, contract, options)
    except (GoldenError, OSError) as error:
        print(f"FAIL {options.musterd}: {error}")
        return 1
    passed = len(names) - len(refused)
    failures += refused
    for name, message in failures:
        print(f"FAIL {name}")
        for line in message.splitlines():
            print(f"  {line}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
