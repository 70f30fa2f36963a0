#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU per heartbeat of musterd, plain and over TLS, beside nginx's `return 200`, on the same core
in the same run.

    bench/http_cpu.py --musterd build/release/bin/musterd
    bench/http_cpu.py --noop build/release/bin/net_noop_server     (the session without the product)

The servers take turns on CPU 0 with wrk on CPU 1, in interleaved short rounds, since the speed of
a shared machine changes from minute to minute; the figure of a server is its cheapest round. CPU is
what the process itself used (/proc/PID/stat, in ticks of 10 ms), so wrk and the machine's other
work do not count. Over TLS all have one key (ECDSA P-256) and must agree on version and cipher with a
caller that offers OpenSSL's defaults, as wrk does; connections are kept open, so that a round has one
handshake for each of them. Needs nginx and wrk; ends in about 40 seconds.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import measure
from measure import START_SECONDS, cpu_seconds, lua_text

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from certificate import Certificate  # noqa: E402

SERVER_CPU, LOAD_CPU = 0, 1

BODY = json.dumps({
    "timestamp": "2026-03-21T14:30:00Z", "status": "idle", "current_task": None,
    "system": {"hostname": "WORKSTATION-01", "os": "windows", "arch": "amd64",
               "uptime_seconds": 86400, "cpu_percent": 15, "memory_mb": 4096,
               "disk_free_mb": 50000, "process_cpu_percent": 2, "process_memory_mb": 25},
    "agent_version": "0.5.11"})

ANSWER = ('{"success": true, "data": {"acknowledged": true, '
          '"server_time": "2026-03-21T14:30:01Z"}}')

WRK_SCRIPT = """
wrk.method = "POST"
wrk.path = "/api/agent/heartbeat"
wrk.body = BODY
HEADERS
"""


def pin(pid):
    """Every thread of the process that exists now; later ones inherit."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {SERVER_CPU})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"bench: a server ended with status {process.returncode} instead of listening")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit("bench: a server did not listen in time")


class Nginx(measure.Server):
    def __init__(self, folder, certificate=None, connections=4096):
        port = free_port()
        folder.mkdir()
        folder.chmod(0o755)  # its worker may run as another user
        config = folder / "nginx.conf"
        tls = "" if certificate is None else f"""
    ssl_protocols TLSv1.3;
    ssl_certificate {certificate.file}; ssl_certificate_key {certificate.key};"""
        config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_rlimit_nofile {2 * connections}; events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{' ssl' if certificate else ''};{tls}
    location / {{
      default_type application/json;
      return 200 '{ANSWER}';
    }}
  }}
}}
""")
        process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(folder), "-e",
                                    str(folder / "error.log")], preexec_fn=on_server_cpu)
        super().__init__("nginx return 200" + (", TLS" if certificate else ""), process, port,
                         certificate=certificate)
        wait_for_port(port, process)
        self.workers = wait_for_children(process)

    def pids(self):
        return self.workers


def on_server_cpu():
    os.sched_setaffinity(0, {SERVER_CPU})


def wait_for_children(process):
    """nginx listens before it forks its worker: a connection alone does not say that there is one."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if pids := [int(child) for child in children.read_text().split()]:
            return pids
        time.sleep(0.02)
    sys.exit("bench: nginx started no worker in time")


class Noop(measure.Server):
    def __init__(self, binary):
        process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=on_server_cpu)
        super().__init__("session, no-op handler", process, int(process.stdout.readline()))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


class Musterd(measure.Musterd):
    """With one agent, which has sent its first heartbeat: the measured ones change nothing."""

    def __init__(self, binary, folder, certificate=None):
        folder.mkdir()
        super().__init__("musterd heartbeat" + (", TLS" if certificate else ""), binary, folder,
                         certificate, preexec_fn=on_server_cpu)
        self.headers = self.enrol(self.enrolment_token(10), "WORKSTATION-01")
        self.call("/api/agent/heartbeat", json.loads(BODY), self.headers)


def write_script(folder, server):
    headers = {"Content-Type": "application/json", **server.headers}
    lines = "\n".join(f"wrk.headers[{lua_text(k)}] = {lua_text(v)}" for k, v in headers.items())
    path = folder / f"wrk-{server.port}.lua"
    path.write_text(WRK_SCRIPT.replace("BODY", lua_text(BODY)).replace("HEADERS", lines))
    return path


def agreed_tls(servers):
    """Version and cipher of all that speak TLS; costs of unlike ones would not compare."""
    spoken = {}
    for server in servers:
        if server.certificate:
            plain = socket.create_connection(("127.0.0.1", server.port), START_SECONDS)
            with server.certificate.context().wrap_socket(plain, server_hostname="localhost") as made:
                spoken[server.name] = f"{made.version()}, {made.cipher()[0]}"
    if len(set(spoken.values())) > 1:
        sys.exit(f"bench: these do not compare: {spoken}")
    return next(iter(spoken.values()), None)


def run_round(server, script, seconds, connections):
    """One more round of `server`; a round on a machine so busy that nothing was counted is repeated."""
    for _ in range(3):
        result = measure_round(server, script, seconds, connections)
        if result:
            server.rounds.append(result)
            return
    sys.exit(f"bench: {server.name} got no processor time in three rounds")


def wrk(server, script, seconds, connections):
    return ["taskset", "-c", str(LOAD_CPU), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
            str(script), server.url() + "/api/agent/heartbeat"]


def measure_round(server, script, seconds, connections):
    pids = server.pids()
    for pid in pids:
        pin(pid)
    before, started = cpu_seconds(pids), time.monotonic()
    done = subprocess.run(wrk(server, script, seconds, connections), capture_output=True, text=True,
                          timeout=seconds + 30, check=True)
    elapsed, after = time.monotonic() - started, cpu_seconds(pids)
    requests = measure.parse_wrk(done.stdout)
    user, system = after[0] - before[0], after[1] - before[1]
    if requests == 0 or user + system <= 0:
        return None
    return {"requests": requests, "per_second": round(requests / elapsed),
            "user_us": user / requests * 1e6, "system_us": system / requests * 1e6,
            "cpu_us": (user + system) / requests * 1e6}


def summary(servers):
    """Each compared with the nginx of its kind, plain or TLS."""
    rows = []
    for server in servers:
        nginx = next(each for each in servers
                     if isinstance(each, Nginx) and each.certificate == server.certificate)
        base = min(r["cpu_us"] for r in nginx.rounds)
        best = min(server.rounds, key=lambda r: r["cpu_us"])
        ratios = sorted(mine["cpu_us"] / theirs["cpu_us"]
                        for mine, theirs in zip(server.rounds, nginx.rounds))
        rows.append({"server": server.name, "cpu_us": round(best["cpu_us"], 3),
                     "user_us": round(best["user_us"], 3), "system_us": round(best["system_us"], 3),
                     "per_second": max(r["per_second"] for r in server.rounds),
                     "ratio": round(best["cpu_us"] / base, 3),
                     "ratio_median_of_rounds": round(ratios[len(ratios) // 2], 3)})
    return rows


def nginx_beside(seconds=1, rounds=2):
    """{"version", "cpu_us"}: what `return 200` costs on this machine now, to compare machines and
    moments by; nothing where nginx or wrk is missing."""
    try:
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            server = Nginx(folder / "nginx")
            try:
                script = write_script(folder, server)
                for _ in range(rounds):
                    run_round(server, script, seconds, 64)
            finally:
                server.stop()
    except (OSError, subprocess.SubprocessError):
        return None
    return {"version": said.strip().rsplit("/", 1)[-1],
            "cpu_us": round(min(each["cpu_us"] for each in server.rounds), 2)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--musterd", help="the release binary")
    arguments.add_argument("--noop", help="net_noop_server, the session alone")
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--seconds", type=int, default=2, help="of one server in one round")
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--max-ratio", type=float, help="exit 1 if a server costs more")
    arguments.add_argument("--json", action="store_true", help="print JSON only")
    options = arguments.parse_args()
    if not options.musterd and not options.noop:
        arguments.error("name at least one of --musterd and --noop")
    if os.cpu_count() < 2:
        sys.exit("bench: needs two CPUs, one for the server and one for wrk")

    with tempfile.TemporaryDirectory(prefix="muster-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        certificate = Certificate(folder)
        servers = []
        try:
            servers.append(Nginx(folder / "nginx"))
            if options.noop:
                servers.append(Noop(options.noop))
            if options.musterd:
                servers.append(Musterd(options.musterd, folder / "musterd"))
                servers.append(Nginx(folder / "nginx-tls", certificate))
                servers.append(Musterd(options.musterd, folder / "musterd-tls", certificate))
            tls = agreed_tls(servers)
            scripts = [write_script(folder, server) for server in servers]
            for _ in range(options.rounds):
                for server, script in zip(servers, scripts):
                    run_round(server, script, options.seconds, options.connections)
        finally:
            for server in servers:
                server.stop()

    rows = summary(servers)
    if not options.json:
        print(f"{'server':<26}{'cpu/req us':>11}{'user':>8}{'system':>8}{'req/s':>10}{'ratio':>8}"
              f"{'median':>8}")
        for row in rows:
            print(f"{row['server']:<26}{row['cpu_us']:>11.2f}{row['user_us']:>8.2f}"
                  f"{row['system_us']:>8.2f}{row['per_second']:>10}{row['ratio']:>8.2f}"
                  f"{row['ratio_median_of_rounds']:>8.2f}")
    print(json.dumps({"connections": options.connections, "rounds": options.rounds,
                      "tls": tls, "servers": rows}))
    worst = max(row["ratio"] for row in rows)
    return 1 if options.max_ratio and worst > options.max_ratio else 0


if __name__ == "__main__":
    sys.exit(main())
