#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs PostgreSQL to forget: history deleted in lots, and partitions dropped instead.

    bench/history_prune.py [--events N] [--sample-days N]

Starts a PostgreSQL of its own, with fsync and full-page images, makes the schema from the migrations,
and beside `events` and `sample_blocks` twins that are partitioned by time: twelve months and days.
Both get the same rows. Printed as JSON, for each table (docs/adr/0035):

  insert          WAL bytes for each of 700 rows right after a checkpoint, as in five minutes of a large
                  fleet, with each value of wal_compression
  lots            the oldest month (day) deleted as the server does, 1,000 rows in a transaction
  vacuum          what autovacuum has to do then, after a checkpoint
  drop            the same month (day) as a partition
  pages           the newest events, asked without and with a time that they are not older than, of one
                  table and of partitions: planned and run, the middle one of nine
  dead_share_N    such pages and a lot of 140, while N of a hundred rows are deleted and not vacuumed; and
                  what the vacuum then logs for each row that was deleted

WAL does not depend on what else the machine does; times do.
"""
import argparse
import json
import pathlib
import re
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
import postgres_process  # pylint: disable=wrong-import-position

postgres_process.START_SECONDS = 1800   # also the limit of a statement, and filling a table takes minutes

MONTHS = 12
MONTH_MS = 30 * 24 * 3600 * 1000
DAY_MINUTES = 24 * 60
BUCKETS = 128
ID_SHIFT = 20   # ids of events: milliseconds, then what tells those of one apart
AGENTS = 100_000
MEASURED_INSERTS = 700

EVENT_ROWS = """INSERT INTO {table}
  SELECT 1 + n % 3, ({first_ms} + n * {step_ms}::float8)::bigint << {shift} | n % 1000,
    ({first_ms} + n * {step_ms}::float8)::bigint,
    (ARRAY['went_offline', 'came_online', 'task_completed', 'version_updated'])[1 + n % 4],
    decode(md5((n * 7919 % {agents})::text), 'hex'), n * 7919 % {agents},
    '{{"reason":"silence","seconds":300,"address":"10.0.0.' || n % 250 || '"}}'
  FROM generate_series({first}::bigint, {last}::bigint) n"""
#: Ten segments of 160 octets: 100,000 agents with a sample every five minutes, flushed each minute.
SAMPLE_ROWS = """INSERT INTO {table}
  SELECT 1, bucket, minute, decode(repeat(md5((minute * 128 + bucket)::text), 100), 'hex')
  FROM generate_series(0, {minutes} - 1) minute, generate_series(0, {buckets} - 1) bucket"""
DELETE_LOT = """DELETE FROM {table} WHERE ({key}) IN
  (SELECT {key} FROM {table} WHERE {column} < {bound} ORDER BY {column} LIMIT {most})"""
IN_LOTS = """DO $$
DECLARE
  began timestamptz; spent float8; deleted bigint;
  total float8 := 0; worst float8 := 0; lots bigint := 0;
BEGIN
  LOOP
    began := clock_timestamp();
    {delete};
    GET DIAGNOSTICS deleted = ROW_COUNT;
    COMMIT;
    spent := extract(epoch FROM clock_timestamp() - began) * 1000;
    lots := lots + 1; total := total + spent; worst := greatest(worst, spent);
    EXIT WHEN deleted < 1000;
  END LOOP;
  INSERT INTO lots_that_ran VALUES (lots, total, worst);
END $$"""
PAGE = """SELECT e.org_id, e.event_id, e.at, e.type, e.agent_id, e.host_id, e.details, h.hostname
  FROM {table} e LEFT JOIN hosts h ON h.org_id = e.org_id AND h.host_id = e.host_id
  WHERE {since}e.event_id < $2 AND e.org_id = 2 ORDER BY e.event_id DESC LIMIT $3"""
#: As an operator asks who names no time, and who names an early one.
PAGES = {"page": "", "page_since": "e.event_id >= $1 AND "}


def migrations():
    """As store/migrate.cpp reads them for PostgreSQL."""
    for path in sorted((ROOT / "src/store/migrations").glob("*.sql")):
        lines, ours = [], True
        for line in path.read_text().splitlines():
            if line.startswith("-- every engine"):
                ours = True
            if line.startswith("-- only "):
                ours = line.startswith("-- only postgres")
            if ours and not line.startswith("--"):
                lines.append(line)
        yield re.sub(r"\btext\b", 'text COLLATE "C"', "\n".join(lines))


class Database:
    def __init__(self):
        # Checkpoints and vacuums come where they are measured.
        self.postgres = postgres_process.Postgres([
            ("checkpoint_timeout", "1d"), ("max_wal_size", "30GB"), ("shared_buffers", "512MB"),
            ("autovacuum", "off")])
        self.postgres.create_database("fleet")
        for sql in migrations():
            self.run(sql)
        self.run("CREATE TABLE lots_that_ran (lots bigint, total_ms float8, worst_ms float8)")

    def run(self, sql):
        return self.postgres.query("fleet", sql)

    def wal(self):
        return int(self.run("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")[0][0])

    def measure(self, sql):
        before, began = self.wal(), time.monotonic()
        self.run(sql)
        return {"seconds": round(time.monotonic() - began, 2),
                "wal_mb": round((self.wal() - before) / 1e6, 2)}

    def bytes_a_row(self, table, rows):
        """On disk, with all indexes."""
        return round(int(self.run(f"SELECT pg_total_relation_size('{table}')")[0][0]) / rows)

    def delete_in_lots(self, delete):
        figures = self.measure(IN_LOTS.format(delete=delete))
        lots, total, worst = self.run("DELETE FROM lots_that_ran RETURNING *")[0]
        return figures | {"lots": int(lots), "mean_ms": round(float(total) / int(lots), 1),
                          "worst_ms": round(float(worst), 1)}

    def times(self, types, sql, values):
        """Milliseconds of planning and of running a prepared statement, as the server runs it."""
        runs = "".join(f"EXPLAIN (ANALYZE) EXECUTE asked({values});" for _ in range(9))
        said = "\n".join(row[0] for row in self.run(
            f"PREPARE asked({types}) AS {sql}; BEGIN; {runs} ROLLBACK"))
        return {f"{what}_ms": round(statistics.median(
            float(found) for found in re.findall(rf"{word} Time: ([\d.]+)", said)), 2)
            for what, word in (("planning", "Planning"), ("running", "Execution"))}


def page_times(database, table):
    return {name: database.times("bigint, bigint, bigint", PAGE.format(table=table, since=since),
                                 f"0, {2**63 - 1}, 101") for name, since in PAGES.items()}


def fill_samples(database, days):
    parts = [f"CREATE TABLE sample_day_{day} PARTITION OF sample_days FOR VALUES"
             f" FROM ({day * DAY_MINUTES}) TO ({(day + 1) * DAY_MINUTES})" for day in range(days)]
    for sql in ("CREATE TABLE sample_days (LIKE sample_blocks INCLUDING STORAGE,"
                " PRIMARY KEY (org_id, bucket, minute)) PARTITION BY RANGE (minute)", *parts,
                "CREATE TABLE sample_day_other PARTITION OF sample_days DEFAULT"):
        database.run(sql)
    for table in ("sample_blocks", "sample_days"):
        database.run(SAMPLE_ROWS.format(table=table, minutes=days * DAY_MINUTES, buckets=BUCKETS))
        database.run(f"VACUUM ANALYZE {table}")


def measure_samples(database, days):
    fill_samples(database, days)
    database.run("CHECKPOINT")
    rows_of_a_day = DAY_MINUTES * BUCKETS
    figures = {"rows_of_a_day": rows_of_a_day,
               "bytes_a_row": database.bytes_a_row("sample_blocks", rows_of_a_day * days)}
    figures["lots"] = database.delete_in_lots(DELETE_LOT.format(
        table="sample_blocks", key="org_id, bucket, minute", column="minute", bound=DAY_MINUTES,
        most=1000))
    database.run("CHECKPOINT")
    figures["vacuum"] = database.measure("VACUUM sample_blocks")
    figures["drop"] = database.measure("DROP TABLE sample_day_0")
    return figures


def event_rows(table, first, last, step_ms, first_ms=0):
    return EVENT_ROWS.format(table=table, first=first, last=last, step_ms=step_ms, first_ms=first_ms,
                             shift=ID_SHIFT, agents=AGENTS)


def fill_events(database, events):
    parts = [f"CREATE TABLE event_month_{month} PARTITION OF event_months FOR VALUES"
             f" FROM ({month * MONTH_MS << ID_SHIFT}) TO ({(month + 1) * MONTH_MS << ID_SHIFT})"
             for month in range(MONTHS)]
    indexes = ["CREATE INDEX ON event_months " + columns for columns in (
        "(event_id)", "(agent_id, event_id) WHERE agent_id IS NOT NULL",
        "(host_id, event_id) WHERE host_id IS NOT NULL", "(type, event_id)")]
    for sql in ("CREATE TABLE event_months (LIKE events, PRIMARY KEY (org_id, event_id))"
                " PARTITION BY RANGE (event_id)", *parts,
                "CREATE TABLE event_month_other PARTITION OF event_months DEFAULT", *indexes):
        database.run(sql)
    for table in ("events", "event_months"):
        database.run(event_rows(table, 0, events - 1, MONTHS * MONTH_MS / events))
        database.run(f"VACUUM ANALYZE {table}")


def measure_inserts(database, events):
    """Each time of other agents, between the newest event and the end of its month."""
    figures = {}
    between_ms = MONTHS * MONTH_MS / events
    first_ms, step_ms = int(MONTHS * MONTH_MS - between_ms) + 1, between_ms / 5 / MEASURED_INSERTS
    for place, (table, compression) in enumerate((
            ("events", "off"), ("event_months", "off"), ("events", "pglz"), ("events", "zstd"))):
        database.run(f"ALTER SYSTEM SET wal_compression = {compression}")
        database.run("SELECT pg_reload_conf()")
        database.run("CHECKPOINT")
        first = place * MEASURED_INSERTS
        wal_mb = database.measure(event_rows(table, first, first + MEASURED_INSERTS - 1, step_ms,
                                             first_ms))["wal_mb"]
        figures[f"{table}, wal_compression {compression}"] = round(wal_mb * 1e6 / MEASURED_INSERTS)
    database.run("ALTER SYSTEM SET wal_compression = off")
    database.run("SELECT pg_reload_conf()")
    return figures


def measure_dead_share(database, events, gone, percent):
    """`gone` rows were deleted and vacuumed before."""
    deleted = events * percent // 100
    step_ms = MONTHS * MONTH_MS / events

    def bound(rows):
        return int(rows * step_ms) << ID_SHIFT
    lot = DELETE_LOT.format(table="events", key="org_id, event_id", column="event_id", bound="$1",
                            most="$2")
    database.delete_in_lots(DELETE_LOT.format(
        table="events", key="org_id, event_id", column="event_id", bound=bound(gone + deleted),
        most=1000))
    figures = page_times(database, "events") | {
        "lot_of_140": database.times("bigint, bigint", lot, f"{bound(gone + deleted + 140)}, 140")}
    database.run("CHECKPOINT")
    vacuum = database.measure("VACUUM events")
    return figures | {"vacuum": vacuum,
                      "vacuum_bytes_a_row": round(vacuum["wal_mb"] * 1e6 / deleted)}


def measure_events(database, events):
    fill_events(database, events)
    figures = {"rows": events, "bytes_a_row": database.bytes_a_row("events", events),
               "insert_bytes": measure_inserts(database, events)}
    figures["pages"] = {table: page_times(database, table) for table in ("events", "event_months")}
    database.run("CHECKPOINT")
    figures["lots"] = database.delete_in_lots(DELETE_LOT.format(
        table="events", key="org_id, event_id", column="event_id", bound=MONTH_MS << ID_SHIFT,
        most=1000))
    database.run("CHECKPOINT")
    figures["vacuum"] = database.measure("VACUUM events")
    figures["drop"] = database.measure("DROP TABLE event_month_0")
    gone = events // MONTHS
    for percent in (2, 20):
        figures[f"dead_share_{percent}"] = measure_dead_share(database, events, gone, percent)
        gone += events * percent // 100
    return figures


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=6_000_000)
    options.add_argument("--sample-days", type=int, default=3)
    given = options.parse_args()
    database = Database()
    try:
        print(json.dumps({"samples": measure_samples(database, given.sample_days),
                          "events": measure_events(database, given.events)}, indent=2))
    finally:
        database.postgres.close()


if __name__ == "__main__":
    main()
