#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Multiplies the hosts of a store that no server holds: tests/console/fleet_test.mjs wants 50,000 of them.

usage: fleet.py DATABASE HOSTS     prints JSON with the rows that it wrote

A musterd made the hosts that are there, through its own API; each copy has rows of the same shape, with
ids, names, keys and addresses of its own. What is counted per set of software is counted anew.
"""
import json
import sqlite3
import sys

SITES = ("ber", "fra", "ams", "par", "mad", "waw", "lon", "dub")
COPIED = ("hosts", "host_presence", "agents", "agent_presence", "findings", "events")
IDS = {"host_id", "finding_id", "event_id"}
STEP = 1 << 24  # between an id and the next one that is made from it


def columns_of(base, table):
    return [row[1] for row in base.execute(f"PRAGMA table_info({table})")]


def copy_of(columns, row, number):
    """The row as it would be of another host."""
    made = []
    for name, value in zip(columns, row):
        if value is None:
            made.append(None)
        elif name in IDS:
            made.append(value + number * STEP)
        elif name in ("agent_id", "software_agent", "key_hash"):
            made.append(number.to_bytes(4, "big").join((value[:-8], value[-4:])))
        elif name in ("hostname", "hostname_folded"):
            made.append(f"{value.split('-')[0]}-{SITES[number % len(SITES)]}-{number:05}")
        elif name == "machine_id":
            made.append(f"{value}-{number}")
        elif name == "ip_address":
            made.append(f"10.{20 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}")
        else:
            made.append(value)
    return made


def multiply(path, hosts):
    base = sqlite3.connect(path)
    base.execute("PRAGMA synchronous = OFF")
    models = [row[0] for row in base.execute("SELECT host_id FROM hosts ORDER BY host_id")]
    times = (hosts - len(models)) // len(models)
    agents = dict(base.execute("SELECT agent_id, host_id FROM agents"))
    written = {}
    with base:
        for table in COPIED:
            columns = columns_of(base, table)
            rows = base.execute(f"SELECT * FROM {table}").fetchall()
            marks = ", ".join("?" * len(columns))

            def copies():
                for row in rows:
                    named = dict(zip(columns, row))
                    host = named.get("host_id") or agents.get(named.get("agent_id"))
                    if host not in models:
                        continue
                    place = models.index(host)
                    for time in range(times):
                        yield copy_of(columns, row, 1 + time * len(models) + place)

            written[table] = base.executemany(
                f"INSERT INTO {table} VALUES ({marks})", copies()).rowcount
        base.execute("UPDATE package_sets SET hosts = (SELECT count(*) FROM hosts WHERE"
                     " hosts.org_id = package_sets.org_id AND package_set = set_hash)")
        base.execute("UPDATE enrolment_tokens SET uses = uses * ?", (times + 1,))
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    return written


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(json.dumps(multiply(sys.argv[1], int(sys.argv[2]))))
