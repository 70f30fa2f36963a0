# SPDX-License-Identifier: Apache-2.0
"""From what each bench prints as JSON to rows of a record, with the aims that we have."""
import re

from record import figure

SCALE_US = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}

#: Google Benchmark's names without their run options, in words, with aims in microseconds.
KNOWN = {
    "dispatch_heartbeat/1": ("heartbeat, head to answer in process, one agent", None),
    "dispatch_heartbeat/10000": ("heartbeat, head to answer in process, 10,000 agents in turn", 1),
    "report_five_in_five_out/1": ("report of 500 packages, 5 in and 5 out, one a commit", 350),
    "report_five_in_five_out/20": ("report of 500 packages, 5 in and 5 out, 20 a commit", 350),
    "report_unchanged/1": ("report of 500 packages, unchanged, one a commit", None),
    "report_unchanged/20": ("report of 500 packages, unchanged, 20 a commit", None),
    "report_first/1": ("first report of a host, 500 packages, one a commit", None),
    "report_first/20": ("first report of a host, 500 packages, 20 a commit", None),
    "admit_heartbeat/1": ("of that: route, key, clock, limit, one agent", None),
    "admit_heartbeat/10000": ("of that: route, key, clock, limit, 10,000 agents in turn", None),
    "FindAndParseHead": ("a request's head found and parsed", None),
    "AppendAnswerHead": ("an answer's head written", None),
    "group_commit/postgres:0": ("4,000 events in group commits, SQLite", None),
    "group_commit/postgres:1": ("4,000 events in group commits, PostgreSQL without fsync", None),
    "presence_flush/postgres:0": ("presence of 10,000 agents, SQLite", None),
    "presence_flush/postgres:1": ("presence of 10,000 agents, PostgreSQL", None),
    "look_at_presence/100000": ("a look at the presence of 100,000 agents for the console", None),
    "look/0": ("a look at the ends of histories for the console, one new row", None),
    "look/2000": ("the same, 2,000 rows in the last half minute", None),
    "look_at_a_quiet_fleet/10000": ("a look for silent agents among 10,000, all well", None),
    "build_index/6000": ("index of Debian's tracker, 6,000 flaws in six releases", None),
    "build_index/60000": ("the same, 60,000 flaws", None),
    "match_thousand_packages": ("1,000 packages against a Debian index", None),
    "look_at_a_quiet_fleet/100000": ("a look for silent agents among 100,000, all well", None),
    "look_at_an_outage_of_all/100000":
        ("100,000 agents fall silent together and come back, 18 looks", None),
    "flush_presence/agents:100000/whole:1":
        ("a flush of presence after all of 100,000 beat, vitals and samples too", None),
    "flush_presence/agents:100000/whole:0":
        ("a flush of presence after all of 100,000 beat, the time alone", None),
    "build_nvd_index": ("index of 2.0 million criteria built from advisories in memory", 1e6),
    "read_nvd_index": ("the same index read from its file, as at a start", 1e6),
    "compare_nvd_indexes": ("what differs in that index when one record changed", None),
    "match_typical_products": ("1,000 packages of 1,000 products", 1e3),
    "match_worst_products/behind:0":
        ("1,000 packages of the five products with most criteria, newest versions", 20e3),
    "match_worst_products/behind:200": ("the same, older versions", None),
    "find_hosts_of_a_new_advisory/hosts_per_set:50":
        ("from two snapshots to the hosts that a new advisory concerns,"
         " 100,000 hosts of 500 packages, 50 hosts sharing a set", 2e6),
    "find_hosts_of_a_new_advisory/hosts_per_set:1": ("the same, no two hosts sharing a set", 2e6),
    "match_every_host/hosts_per_set:50": ("every one of 100,000 hosts matched again", 60e6),
}
#: Timed as wall time although the calling thread does all of the work.
ONE_THREAD = ("flush_presence", "look_at_an_outage_of_all")
INDEX_MB_AIM = 150


def plain_name(name):
    return re.sub(r"/(?:iterations:\d+|repeats:\d+|min_time:[\d.]+|real_time)", "", name)


def benchmark_cost(run):
    """(microseconds, "CPU" or "elapsed"): the process's own count where the bench has one."""
    if "cpu_us" in run:
        return run["cpu_us"], "CPU"
    scale = SCALE_US[run["time_unit"]]
    if "/real_time" in run["name"] and not run["name"].startswith(ONE_THREAD):
        return run["real_time"] * scale, "elapsed"
    return run["cpu_time"] * scale, "CPU"


def of_benchmarks(document):
    """The cheapest of the repetitions."""
    best, index_bytes = {}, {}
    for run in document["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
            continue
        name = plain_name(run["name"])
        best[name] = min(benchmark_cost(run), best.get(name, benchmark_cost(run)))
        if "bytes" in run:
            index_bytes[name] = run["bytes"]
    rows = []
    for name, (cost, clock) in best.items():
        what, aim = KNOWN.get(name, (f"`{name}`", None))
        rows.append(figure(name, f"{what}, elapsed" if clock == "elapsed" else what,
                           round(cost, 4), "us", aim))
    for name, what in (("build_nvd_index", "memory of that index"),
                       ("read_nvd_index", "size of its file")):
        if name in index_bytes:
            rows.append(figure(name + "/bytes", what, round(index_bytes[name] / 1e6, 1), "MB",
                               INDEX_MB_AIM))
    return rows


#: Of nginx's.
HTTP_AIMS = {"musterd heartbeat": 1.5, "musterd heartbeat, TLS": 1.2}


def of_http(document):
    rows = [figure("cpu_us/" + each["server"], each["server"], each["cpu_us"], "us")
            for each in document["servers"]]
    for each in document["servers"]:
        if not each["server"].startswith("nginx"):
            rows.append(figure("ratio/" + each["server"], each["server"] + ", of nginx's",
                               each["ratio"], "times", HTTP_AIMS.get(each["server"])))
    return rows


def of_flame(document):
    words = {"musterd": "in musterd's own code", "boost": "in Boost's and std's templates in it",
             "openssl": "in OpenSSL", "library": "in other libraries",
             "libc": "in libc and libstdc++", "kernel": "in the kernel"}
    return [figure("samples", "samples of its processor time", document["samples"], ""),
            figure("whole", "of which with a whole stack", document["whole_percent"], "%"),
            *(figure(kind, words[kind], percent, "%")
              for kind, percent in document["shares"].items())]


def of_paced(document):
    nginx, musterd = document["nginx_us"], document["musterd_us"]
    ratios = sorted(mine / theirs for mine, theirs in zip(musterd, nginx))
    pace = f"{document['connections']:,} connections, a call a second each"
    return [figure("cpu_us/nginx paced", f"nginx return 200, {pace}", round(min(nginx), 2), "us"),
            figure("cpu_us/musterd paced", f"musterd heartbeat, {pace}",
                   round(min(musterd), 2), "us"),
            figure("ratio", "musterd, of nginx's, median of rounds",
                   round(ratios[len(ratios) // 2], 3), "times", 1.5)]


def of_connections(document):
    rows = []
    for kind, name, aim in (("plain", "plain", 3 * 1024), ("tls", "TLS", 17 * 1024)):
        each = document[kind]
        rows += [figure(f"{kind}/idle", f"memory of an idle connection, {name}",
                        each["idle"]["resident_bytes"], "B", aim),
                 figure(f"{kind}/open", f"to open one, ask once and close, {name}",
                        each["open_cpu_us"], "us")]
    return rows + [figure("tls/resume", "the same, TLS with a ticket",
                          document["tls"]["resume_cpu_us"], "us")]


def results_aim(controls):
    """On a slowed disk too."""
    return 8_000 if controls else 20_000


def of_results(document):
    rows = [figure("sync", "one small fdatasync on this disk, median", document["sync_p50_ms"],
                   "ms")]
    for run in document["runs"]:
        controls = f"{run['controls']} controls each" if run["controls"] else "one row each"
        name = f"durable results, {controls}"
        if run["added_sync_ms"]:
            name += f", {run['added_sync_ms']} ms added to each sync"
        key = f"{run['controls']}/{run['added_sync_ms']}"
        rows += [figure(key, name, run["per_second"], "a second",
                        at_least=results_aim(run["controls"])),
                 figure(key + "/p50", name + ", p50", round(run["p50_ms"], 1), "ms"),
                 figure(key + "/p99", name + ", p99", round(run["p99_ms"], 1), "ms")]
    return rows


def of_device(document):
    enrolled, fetched = document["enrolments"], document["downloads"]
    release = f"a release of {fetched['bytes'] / 1e6:g} MB, {fetched['clients']} clients at once"
    return [figure("enrolments", "durable enrolments, 256 connections", enrolled["per_second"],
                   "a second", at_least=2000),
            figure("enrolments/p50", "the same, p50", round(enrolled["p50_ms"], 1), "ms"),
            figure("enrolments/p99", "the same, p99", round(enrolled["p99_ms"], 1), "ms"),
            figure("enrolments/cpu", "CPU of an enrolment", enrolled["cpu_us"], "us"),
            figure("downloads", release, fetched["mib_per_second"], "MiB a second"),
            figure("downloads/slowest", "the same, the last is done after",
                   fetched["slowest_seconds"], "s"),
            figure("downloads/cpu", "CPU of a MiB of it", fetched["cpu_ms_per_mib"], "ms"),
            figure("downloads/resident", "memory of the server meanwhile, at most",
                   fetched["peak_resident_mib"], "MiB")]


def of_agent(document):
    return [figure("stripped", "size, stripped, libraries dynamic", document["stripped_bytes"] / 1e6,
                   "MB", 5),
            figure("resident", f"resident after its first full report of"
                   f" {document['packages']:,} packages", document["resident_kib"] / 1024, "MiB",
                   15),
            figure("own", "of which its own, not libraries'", document["anonymous_kib"] / 1024,
                   "MiB"),
            figure("highest", "resident at most, survey and report included",
                   document["highest_resident_kib"] / 1024, "MiB"),
            figure("idle", f"CPU over {document['seconds']} s without a survey",
                   document["idle_cpu_percent"], "% of a core", 0.1)]


def of_nodes(document):
    words = {"sqlite": "one server, embedded store", "postgresql": "one server, PostgreSQL",
             "two_servers": "two servers, one PostgreSQL"}
    rows = [figure(f"{name}/{kind}", f"{words[name]}: {kind}", each[f"{kind}_per_second"],
                   "a second")
            for name, each in document.items() for kind in ("heartbeats", "results")]
    for kind in ("heartbeats", "results"):
        one = document["postgresql"][f"{kind}_per_second"]
        two = document["two_servers"][f"{kind}_per_second"]
        rows.append(figure(f"ratio/{kind}", f"{kind} of two servers, of one's",
                           round(two / one, 2), "times", at_least=1.6))
    return rows


def of_findings(document):
    rows = []
    for page in document["pages"]:
        rows += [figure(page["name"], f"page of findings: {page['name']}, worst of"
                        f" {document['repeats']}", round(page["worst_ms"], 1), "ms",
                        document["within_ms"]),
                 figure(page["name"] + "/cpu", "its CPU", round(page["cpu_ms"], 1), "ms")]
    return rows


def of_presence_wal(document):
    return [figure("first", "log of a row, first flush after a checkpoint",
                   document["bytes_a_row_first"], "B"),
            figure("other", "log of a row, any other flush", document["bytes_a_row_other"], "B"),
            figure("hour", "that is for 100,000 agents in an hour",
                   document["gb_an_hour_of_100000_agents"], "GB", 1)]


def of_overload(document):
    aims = document["aims"]
    words = [("peak_per_second", "peak: durable results, each sent when one is answered", "a second"),
             ("offered_per_second", "offered then, ten times that", "a second"),
             ("sent_per_second", "of which a free connection could send", "a second"),
             ("good_per_second", "durable results meanwhile", "a second"),
             ("goodput_percent", "that is of the peak", "%"),
             ("refused", "refused with 429 or 503", ""),
             ("refused_without_retry_after", "of them without `Retry-After`", ""),
             ("other_answers", "other answers", ""), ("cut", "connections cut", ""),
             ("went_offline", "agents called offline", ""),
             ("heartbeat_p99_ms", "p99 of heartbeats", "ms"),
             ("rss_before_mib", "memory before", "MiB"),
             ("rss_halfway_mib", "at most in the first half", "MiB"),
             ("rss_after_mib", "at most in the second half", "MiB"),
             ("rss_growth_percent", "grown in the second half", "%")]
    return [figure(key, what, document[key], unit, **aims.get(key, {})) for key, what, unit in words
            if document.get(key) is not None]


SCENARIO = [
    ("up_percent", "hosts up in the end", "%"), ("offline", "agents called offline, at most", ""),
    ("requests", "calls while it was measured", ""),
    ("errors", "calls without a good answer, from the first on", ""),
    ("calls_per_second", "calls", "a second"), ("results_per_second", "durable results", "a second"),
    ("enrolments_per_second", "enrolments", "a second"), ("p50_ms", "latency, p50", "ms"),
    ("p99_ms", "latency, p99", "ms"), ("p999_ms", "latency, p99.9", "ms"),
    ("max_ms", "latency, highest", "ms"), ("lag_p99_ms", "of which before sending, p99", "ms"),
    ("heartbeat_p99_ms", "heartbeats, p99", "ms"), ("poll_p99_ms", "polls, p99", "ms"),
    ("result_p99_ms", "results, p99", "ms"), ("report_p99_ms", "reports, p99", "ms"),
    ("enrolment_p99_ms", "enrolments, p99", "ms"),
    ("all_back_seconds", "all are back after", "s"),
    ("server_cpu_cores", "processor of the server", "cores"),
    ("server_rss_mib", "its largest memory", "MiB"),
    ("server_written_gib_per_day", "written", "GiB a day")]


def of_scenario(document):
    """Aims are the scenario's own [assert]."""
    outcome = document["outcome"]
    aims = {each["figure"]: {sense: each[sense] for sense in ("at_most", "at_least")
                             if sense in each} for each in outcome["verdicts"]}
    rows = []
    for key, what, unit in SCENARIO:
        value = outcome.get(key)
        if value is not None or key in aims:
            rows.append(figure(key, what, None if value is None else round(value, 3), unit,
                               **aims.get(key, {})))
    return rows
