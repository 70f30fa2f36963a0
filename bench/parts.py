# SPDX-License-Identifier: Apache-2.0
"""The parts of bench/run: what each starts, about how long it takes, and who reads what it prints."""
import dataclasses
import pathlib
import resource
import tomllib
from collections.abc import Callable

import figures
from record import ROOT

BENCH = ROOT / "bench"
#: Made for benches of their own: fleets of 100,000 hosts, advisories of NVD's size.
LARGE = "match_every_host|find_hosts|nvd|products"
SCENARIOS = {"steady": "steady", "steady_tls": "steady_tls", "herd": "herd", "rough": "rough",
             "enrolments": "enrolments", "swarm_results": "results"}
#: Of the descriptors that a process may open, for what is not a host's connection.
SPARE_DESCRIPTORS = 1000


@dataclasses.dataclass
class Settings:
    build: pathlib.Path
    scratch: pathlib.Path           # on the disk that is measured
    agents: list = dataclasses.field(default_factory=list)      # of scenarios, one run each
    duration: str | None = None     # likewise


@dataclasses.dataclass
class Step:
    """One command and the record that comes of it. `out` is where it writes its JSON, if not to
    standard output."""
    name: str
    command: list
    out: pathlib.Path | None = None
    notes: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Part:
    seconds: int
    what: str
    steps: Callable[[Settings], list]
    read: Callable[[dict], list]
    default: bool = True
    keeps: tuple = ()               # of what it prints, what goes into the record as it is


def tool(script, *arguments):
    """Of a part that is one run of a bench beside this file."""
    def steps(settings):
        places = {"BIN": str(settings.build / "bin"), "SCRATCH": str(settings.scratch)}
        words = [argument.format(**places) for argument in arguments]
        return [Step("", ["python3", str(BENCH / script), *words])]
    return steps


def http(settings):
    command = ["python3", str(BENCH / "http_cpu.py"), "--json", "--musterd",
               str(settings.build / "bin/musterd")]
    noop = settings.build / "bin/net_noop_server"      # not of every build
    return [Step("", [*command, "--noop", str(noop)] if noop.exists() else command)]


def benchmarks(pattern, choose):
    def steps(settings):
        found = []
        for binary in sorted((settings.build / "bin").glob("*_bench")):
            if choose(binary.name):
                out = settings.scratch / f"{binary.name}.json"
                found.append(Step(binary.name.removesuffix("_bench"), [
                    str(binary), f"--benchmark_filter={pattern}", "--benchmark_repetitions=3",
                    "--benchmark_min_time=0.3", "--benchmark_out_format=json",
                    f"--benchmark_out={out}"], out))
        return found
    return steps


def overloads(settings):
    """Fewer callers than writes may wait at the server (limits.h: writes_in_flight), and more."""
    return [Step(str(connections), [
        "python3", str(BENCH / "overload.py"), "--json", "--musterd",
        str(settings.build / "bin/musterd"), "--data-under", str(settings.scratch),
        "--connections", str(connections)]) for connections in (3000, 6000)]


def both_wires(settings):
    command = ["python3", str(BENCH / "agent.py"), "--bin", str(settings.build / "bin"),
               "--seconds", "300"]
    return [Step("plain", command), Step("tls", [*command, "--tls"])]


def flames(settings):
    command = ["python3", str(BENCH / "flame.py"), "--musterd", str(settings.build / "bin/musterd")]
    return [Step("heartbeat", command), Step("heartbeat-tls", [*command, "--tls"])]


def fleet(scenario, wanted, descriptors):
    """What bench/scale.py is told of a fleet's size: as many hosts as can have a connection each, or
    those `wanted`, which may share. A smaller fleet is switched on in less time."""
    written = tomllib.loads(scenario.read_text(encoding="utf-8"))
    most = descriptors - SPARE_DESCRIPTORS
    usual = written["fleet"]["agents"]
    agents = wanted or min(usual, most)
    told = ["--agents", str(agents)]
    if agents > most:
        told += ["--connections", str(descriptors * 3 // 4)]
    ramp = written["time"]["ramp_seconds"]
    if ramp and agents < usual:
        told += ["--ramp", str(max(20, ramp * agents // usual))]
    return agents, told


def scenario_seconds(name):
    time = tomllib.loads((BENCH / f"scenarios/{name}.toml").read_text(encoding="utf-8"))["time"]
    return 60 + sum(time[key] for key in ("ramp_seconds", "warmup_seconds", "duration_seconds"))


def scenario(name):
    file = BENCH / f"scenarios/{name}.toml"

    def of_size(settings, wanted):
        agents, told = fleet(file, wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        command = ["python3", str(BENCH / "scale.py"), "--json", "--bin",
                   str(settings.build / "bin"), "--dir", str(settings.scratch), *told]
        if name.endswith("_tls"):
            command.append("--tls")
        if settings.duration:
            command += ["--duration", settings.duration]
        return Step(str(agents), [*command, str(file)], notes={"agents": agents})
    return lambda settings: [of_size(settings, wanted) for wanted in settings.agents or [None]]


PARTS = {
    "micro": Part(150, "pieces in process: Google Benchmark, all but the largest",
                  benchmarks("-" + LARGE, lambda _: True), figures.of_benchmarks),
    "http": Part(60, "CPU of a heartbeat, plain and over TLS, beside nginx, kept busy",
                 http, figures.of_http, keeps=("tls",)),
    "paced": Part(130, "the same at a fleet's pace, over 4,000 connections",
                  tool("paced.py", "--musterd", "{BIN}/musterd"), figures.of_paced),
    "connections": Part(60, "memory of an idle connection, CPU to open one",
                        tool("connections.py", "--musterd", "{BIN}/musterd", "--json"),
                        figures.of_connections),
    "results": Part(90, "durable results a second, with and without a slow disk",
                    tool("results.py", "--musterd", "{BIN}/musterd", "--data-under", "{SCRATCH}",
                         "--json"), figures.of_results),
    "device": Part(20, "enrolments, and a release downloaded by many at once",
                   tool("device.py", "--musterd", "{BIN}/musterd", "--data-under", "{SCRATCH}",
                        "--json"), figures.of_device),
    "overload": Part(100, "a tenth of a processor, slow syncs, ten times the peak (as root)",
                     overloads, figures.of_overload),
    "nodes": Part(330, "one server and two, each in a quarter of a processor (as root)",
                  tool("nodes.py", "--sqlite"), figures.of_nodes, False),
    "agent": Part(660, "muster-agent's size, memory and idle CPU, plain and over TLS",
                  both_wires, figures.of_agent, False),
    "flame": Part(35, "flame graphs of heartbeats, plain and over TLS (as root)",
                  flames, figures.of_flame, False, ("of", "stacks")),
    "matching": Part(900, "indexes of NVD's size, and 100,000 hosts against them",
                     benchmarks(LARGE, lambda name: name in ("fleet_bench", "vuln_bench")),
                     figures.of_benchmarks, False),
    "findings": Part(900, "pages among 10,000,000 findings",
                     tool("findings.py", "--musterd", "{BIN}/musterd", "--json"),
                     figures.of_findings, False),
    "presence_wal": Part(300, "what presence costs in PostgreSQL's log",
                         tool("presence_wal.py"), figures.of_presence_wal, False),
}
for part, stem in SCENARIOS.items():
    PARTS[part] = Part(scenario_seconds(stem), f"a simulated fleet: bench/scenarios/{stem}.toml",
                       scenario(stem), figures.of_scenario, False)
