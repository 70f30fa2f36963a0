#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long musterd takes for pages of findings, over HTTP, of a store with very many.

    bench/findings.py --musterd build/release/bin/musterd [--findings 10000000] [--hosts 100000]

Makes the findings with sqlite3 in a store that musterd has laid out: a made-up fleet of two
organisations, the second a hundredth of the first; a hundredth of the CVEs is exploited, one in
fifty findings is accepted and one in ten resolved. Then asks for each page that an operator can,
first and deep, with its totals, and says the median and the worst of some requests in a row, and
the CPU that one cost.
"""
import argparse
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from measure import Musterd, Server, cpu_seconds

EVIDENCE = json.dumps({"aliases": [], "fixed_version": "1.2.3-2", "urgency": "", "disputed": False,
                       "score_tenths": None, "summary": "A library reads too far.",
                       "evidence": {"feed": "debian", "sentence": "1.2.3-1 < 1.2.3-2 (deb)"}})
PACKAGES, CVES, NOW = 2000, 20000, 1_790_000_000_000
COLUMNS = ("org_id, finding_id, host_id, package_id, feed, advisory_id, cve, severity,"
           " known_exploited, status, acceptance_id, opened_at, resolved_at, resolution, evidence")


# Each host has the same twenty flaws and others of its own; severe flaws are rarer; one flaw in a
# hundred is exploited.
ROWS = f"""
WITH RECURSIVE host(id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM host WHERE id < :hosts),
 place(k) AS (VALUES (0) UNION ALL SELECT k + 1 FROM place WHERE k < :per_host - 1),
 pair AS (SELECT id AS host, (id - 1) * :per_host + k + 1 AS number,
  CASE WHEN k < 20 THEN k ELSE 40 + (id * 7919 + k * 199) % {CVES - 40} END AS flaw
  FROM host CROSS JOIN place),
 named AS (SELECT *, 'CVE-' || (2000 + flaw % 25) || '-' || (10000 + flaw) AS cve,
  flaw * 7919 / 100 % 100 AS grave, (host + flaw) % 100 AS draw FROM pair)
INSERT INTO findings ({COLUMNS})
SELECT CASE WHEN host % 100 = 0 THEN 2 ELSE 1 END, number, host, flaw % {PACKAGES} + 1, 'debian',
 cve, cve, CASE WHEN grave < 2 THEN 0 WHEN grave < 12 THEN 1 WHEN grave < 42 THEN 2
  WHEN grave < 77 THEN 3 WHEN grave < 95 THEN 4 ELSE 5 END,
 CASE WHEN flaw % 100 = 7 THEN 1 ELSE 0 END,
 CASE WHEN draw < 10 THEN 'resolved' WHEN draw < 12 THEN 'accepted' ELSE 'open' END,
 CASE WHEN draw BETWEEN 10 AND 11 THEN 1 END, {NOW}, CASE WHEN draw < 10 THEN {NOW} END, '',
 :evidence FROM named
"""


def fill(path, findings, hosts):
    store = sqlite3.connect(path)
    store.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;")
    indexes = store.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index'"
                            " AND tbl_name = 'findings' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    store.execute("INSERT INTO orgs (org_id, name, created_at) VALUES (2, 'small', 0)")
    host_columns = ("org_id, host_id, hostname, hostname_folded, machine_id, os_name, os_version,"
                    " os_kernel, arch, distro, ip_address, tags, first_seen, last_seen,"
                    " package_count")
    store.executemany(
        f"INSERT INTO hosts ({host_columns}) VALUES (?, ?, ?, ?, '', 'Debian GNU/Linux', '12', '',"
        " 'amd64', 'debian:12', '192.0.2.1', '[]', 0, 0, 0)",
        ((2 if i % 100 == 0 else 1, i, f"host-{i}", f"host-{i}") for i in range(1, hosts + 1)))
    store.executemany(
        "INSERT INTO packages (org_id, package_id, content_id, name, version, vendor, ecosystem,"
        " distro, source_name, source_version, arch, cpe)"
        " VALUES (?, ?, ?, ?, '1.2.3-1', '', 'deb', 'debian:12', '', '', 'amd64', '')",
        ((org, i, i.to_bytes(16, "big"), f"library-{i}") for org in (1, 2)
         for i in range(1, PACKAGES + 1)))
    store.execute(
        "INSERT INTO acceptances (org_id, acceptance_id, scope, subject, package, flaw, severity,"
        " known_exploited, reason, accepted_by, accepted_at, settled)"
        " VALUES (1, 1, 'hosts', '', 'x', 'CVE-1', 5, 1, 'bench', 'operator:1', 0, 1)")
    store.execute(ROWS, {"hosts": hosts, "per_host": findings // hosts, "evidence": EVIDENCE})
    for _, sql in indexes:
        store.execute(sql)
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


class Laid(Musterd):
    """A musterd on a directory that may have been there."""

    def __init__(self, binary, data):  # pylint: disable=super-init-not-called
        data.mkdir(exist_ok=True)
        process = subprocess.Popen([binary, "--data", str(data), "--listen", "127.0.0.1:0"],
                                   stderr=subprocess.PIPE)
        Server.__init__(self, "musterd", process, self.started_port(process))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Asker:
    def __init__(self, server, token):
        self.pid = server.process.pid
        self.base, self.token = f"http://127.0.0.1:{server.port}/api/v1/findings?limit=100", token

    def ask(self, query):
        request = urllib.request.Request(f"{self.base}&{query}",
                                         headers={"Authorization": f"Bearer {self.token}"})
        before = time.perf_counter()
        with urllib.request.urlopen(request, timeout=300) as answer:
            body = answer.read()
        return (time.perf_counter() - before) * 1000, json.loads(body)

    def measure(self, name, query, repeats):
        """What is said of the page."""
        times = []
        before = sum(cpu_seconds([self.pid]))
        for _ in range(repeats):
            took, page = self.ask(query)
            times.append(took)
        cpu = (sum(cpu_seconds([self.pid])) - before) * 1000 / repeats
        total = page["total"]
        print(f"{name:34} first {times[0]:8.1f}  median {statistics.median(times):8.1f}"
              f"  worst {max(times):8.1f}  CPU {cpu:6.1f} ms   {len(page['items'])} of"
              f" {'at least ' if total['relation'] == 'gte' else ''}{total['value']}",
              file=sys.stderr, flush=True)
        return {"name": name, "median_ms": statistics.median(times), "worst_ms": max(times),
                "cpu_ms": cpu}


PAGES = [
    ("first page", ""),
    ("deep: half of the medium ones", "cursor=0:3:{half}"),
    ("deep: the last ones", "cursor=0:0:{few}"),
    ("of one host", "host=host-{host}"),
    ("of a common CVE", "cve=CVE-2015-10015"),
    ("of a common CVE, deep", "cve=CVE-2015-10015&cursor=0:5:{half}"),
    ("of a rare CVE", "cve=CVE-2000-19000"),
    ("exploited only", "kev=true"),
    ("exploited and critical", "kev=true&min_severity=critical"),
    ("exploited, deep", "kev=true&cursor=1:2:{half}"),
    ("critical only", "min_severity=critical"),
    ("critical only, deep", "min_severity=critical&cursor=0:5:{half}"),
    ("of the small organisation", "org=2"),
    ("of the small one, critical", "org=2&min_severity=critical"),
    ("accepted", "accepted=true"),
    ("accepted, of the small one", "accepted=true&org=2"),
    ("all", "all=true"),
    ("all, of a common CVE", "all=true&cve=CVE-2015-10015"),
    ("of one host, all, by CVE", "all=true&host=host-{host}&cve=CVE-2015-10015"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--musterd", required=True)
    parser.add_argument("--findings", type=int, default=10_000_000)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--within-ms", type=float, default=200)
    parser.add_argument("--json", action="store_true", help="one object on standard output, too")
    arguments = parser.parse_args()
    if not 20 < arguments.findings // arguments.hosts <= 100:
        parser.error("each host gets 21 to 100 findings")
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder, "data")
        with Laid(arguments.musterd, data):
            pass
        began = time.time()
        fill(data / "muster.db", arguments.findings, arguments.hosts)
        size = (data / "muster.db").stat().st_size
        print(f"{arguments.findings} findings on {arguments.hosts} hosts made in"
              f" {time.time() - began:.0f} s, {size / 1e9:.1f} GB", file=sys.stderr, flush=True)
        with Laid(arguments.musterd, data) as server:
            asker = Asker(server, (data / "admin.token").read_text().strip())
            places = {"half": arguments.findings // 2, "few": arguments.findings // 1000,
                      "host": min(777, arguments.hosts)}
            pages = [asker.measure(name, query.format(**places), arguments.repeats)
                     for name, query in PAGES]
        late = sum(page["worst_ms"] > arguments.within_ms for page in pages)
        print(f"{late} of {len(pages)} pages took more than {arguments.within_ms:.0f} ms",
              file=sys.stderr)
        if arguments.json:
            print(json.dumps({"findings": arguments.findings, "hosts": arguments.hosts,
                              "repeats": arguments.repeats, "within_ms": arguments.within_ms,
                              "bytes": size, "pages": pages}))
        sys.exit(1 if late else 0)


if __name__ == "__main__":
    main()
