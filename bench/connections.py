#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a connection costs musterd: memory while it is idle, and CPU to open it, plain and over TLS.

    bench/connections.py --musterd build/release/bin/musterd

Each idle connection has made one request. Memory is the growth of the process's anonymous pages
(heap and thread arenas) and of its whole resident set, divided by the connections; socket buffers
are the kernel's and not in it. Opening is one connection, one request, close; CPU is what the
server used (/proc/PID/stat). Over TLS 1.3 with an ECDSA P-256 certificate.
"""
import argparse
import json
import os
import pathlib
import resource
import socket
import sys
import tempfile

from measure import Musterd, cpu_seconds

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from certificate import Certificate  # noqa: E402

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM = 200
STATUS_FIELDS = {"anonymous": "RssAnon", "resident": "VmRSS"}


def memory_kib(pid):
    fields = dict(line.split(":", 1)
                  for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(fields[field].split()[0]) for name, field in STATUS_FIELDS.items()}


class Caller:
    """Opens connections to one server; over TLS with a `context`."""

    def __init__(self, port, context=None):
        self.port, self.context = port, context

    def open(self, session=None):
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        used = plain if self.context is None else \
            self.context.wrap_socket(plain, server_hostname="localhost", session=session)
        used.sendall(REQUEST)
        if not used.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("bench: a request was not answered with 200")
        return used

    def open_idle(self):
        """Its descriptor; what the client knows of TLS is dropped."""
        return self.open().detach()


def idle_memory(server, caller, count):
    kept = [caller.open_idle() for _ in range(WARM)]
    before = memory_kib(server.process.pid)
    kept += [caller.open_idle() for _ in range(count)]
    after = memory_kib(server.process.pid)
    for descriptor in kept:
        os.close(descriptor)
    return {f"{name}_bytes": round((after[name] - before[name]) * 1024 / count) for name in after}


def opening_cpu(server, caller, count, session=None):
    resumed = 0
    before = cpu_seconds([server.process.pid])
    for _ in range(count):
        with caller.open(session) as opened:
            resumed += caller.context is not None and opened.session_reused
    after = cpu_seconds([server.process.pid])
    if session is not None and resumed != count:
        sys.exit(f"bench: only {resumed} of {count} connections were resumed")
    return round((sum(after) - sum(before)) / count * 1e6, 1)


def measured(binary, folder, options, certificate):
    folder.mkdir()
    server = Musterd("musterd", binary, folder, certificate)
    try:
        caller = Caller(server.port, certificate.context() if certificate else None)
        out = {"idle": idle_memory(server, caller, options.connections),
               "open_cpu_us": opening_cpu(server, caller, options.handshakes)}
        if certificate:
            with caller.open() as first:
                out["resume_cpu_us"] = opening_cpu(server, caller, options.handshakes,
                                                   first.session)
        return out
    finally:
        server.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", required=True, help="the release binary")
    arguments.add_argument("--connections", type=int, default=10_000)
    arguments.add_argument("--handshakes", type=int, default=3_000)
    arguments.add_argument("--json", action="store_true", help="print JSON only")
    options = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = pathlib.Path(name)
        plain = measured(options.musterd, folder / "plain", options, None)
        tls = measured(options.musterd, folder / "tls", options, Certificate(folder))
    if not options.json:
        for kind, each in (("plain", plain), ("TLS", tls)):
            print(f"{kind + ' idle connection':<26}{each['idle']['anonymous_bytes']:>8} B heap"
                  f"{each['idle']['resident_bytes']:>8} B resident")
            print(f"{kind + ' opened':<26}{each['open_cpu_us']:>8} us CPU")
        print(f"{'TLS resumed':<26}{tls['resume_cpu_us']:>8} us CPU")
    print(json.dumps({"connections": options.connections, "handshakes": options.handshakes,
                      "plain": plain, "tls": tls}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
