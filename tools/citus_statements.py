#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which statements of the store a Citus cluster sends to one shard, and which to all.

    tools/citus_statements.py            checks src/store against tools/citus_everywhere.txt
    tools/citus_statements.py --list     prints every statement that names no organisation

A table whose key leads with org_id is distributed by it (`muster store plan-citus`). A statement of
such a table is sent to one shard if it says `org_id = $n`, or inserts rows of one organisation. A
statement that does not is asked of every shard, and one that inserts rows of many organisations is
split by the coordinator; each of these stands in citus_everywhere.txt with its reason, and what
stands there without need is an error, too.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EVERYWHERE = ROOT / "tools/citus_everywhere.txt"
LITERAL = r'"(?:[^"\\]|\\.)*"'
#: Adjacent literals and the macros between them are one text.
TEXT = re.compile(rf"(?:{LITERAL}|\b[A-Z][A-Z_]+\b)(?:\s*(?:{LITERAL}|\b[A-Z][A-Z_]+\b))*")
TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)")

#: Of a batch: the organisation of all its rows is $1 (Tx::post_batch).
OF_ONE = re.compile(r"\borg_id = \$1\b|\(org_id, [^)]*\) SELECT (?:DISTINCT ON \([^)]*\) )?\$1, ")


def without_comments(source):
    return re.sub(r"^\s*//.*$", "", source, flags=re.M)


def distributed_tables(root=ROOT):
    """Those whose primary key leads with org_id, after all migrations."""
    tables = {}
    for path in sorted((root / "src/store/migrations").glob("*.sql")):
        sql = re.sub(r"--.*", "", path.read_text())
        for name, body in re.findall(r"CREATE TABLE ([a-z_]+) \((.*?)\n\);", sql, re.S):
            key = re.search(r"PRIMARY KEY \(([a-z_]+)", body)
            tables[name] = bool(key) and key[1] == "org_id"
        for old, new in re.findall(r"ALTER TABLE ([a-z_]+) RENAME TO ([a-z_]+)", sql):
            tables[new] = tables.pop(old)
        for name in re.findall(r"DROP TABLE ([a-z_]+)", sql):
            tables.pop(name, None)
    return {name for name, distributed in tables.items() if distributed}


def joined(text, macros):
    """The SQL that a run of literals and macros stands for."""
    parts = re.findall(rf"{LITERAL}|\b[A-Z][A-Z_]+\b", text)
    return "".join(part[1:-1] if part.startswith('"') else macros.get(part, " ")
                   for part in parts)


def statements_of(source):
    """(name of the function, SQL) of each statement in a file of src/store/sql."""
    source = without_comments(source)
    flat = source.replace("\\\n", "\n")
    macros = {}
    for name, body in re.findall(r"^#define ([A-Z_]+)(?:\([a-z, ]*\))?[ \n]((?:.*\\\n)*.*)$",
                                 source, re.M):
        macros[name] = joined(body.replace("\\\n", " "), macros)
    flat = re.sub(r"^#define (?:.*\\\n)*.*$", lambda found: "\n" * found[0].count("\n"), source,
                  flags=re.M)
    for found in TEXT.finditer(flat):
        sql = joined(found[0], macros).strip()
        if not re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b", sql):
            continue
        before = flat[:found.start()]
        names = re.findall(r"^[A-Za-z][^\n;=#]*?\b([a-z_0-9]+)\(", before, re.M)
        constants = re.findall(r"^constexpr Sql ([a-z_]+)", before, re.M)
        last_constant = before.rfind("constexpr Sql")
        in_constant = last_constant > before.rfind(";")
        yield (constants[-1] if in_constant else names[-1] if names else "?"), sql


def kind_of(sql, distributed):
    """"one" shard, "split" over shards by the coordinator, or "all" of them; None: not distributed."""
    named = set(TABLE.findall(sql)) & distributed
    if not named:
        return None
    if re.search(r"unnest\(", sql) and OF_ONE.search(sql):
        return "one"
    if sql.startswith("INSERT") and re.search(r"unnest\(", sql):
        return "split"
    if sql.startswith("INSERT") and "VALUES" in sql:
        return "one"
    if re.search(r"unnest\(", sql) and re.search(r"org_id", sql):
        return "split"
    return "one" if re.search(r"\borg_id = \$\d", sql) else "all"


def found_everywhere(root=ROOT):
    """"file function kind" of every statement that is not sent to one shard."""
    distributed = distributed_tables(root)
    found = {}
    for path in sorted((root / "src/store").glob("sql/*.cpp")):
        for name, sql in statements_of(path.read_text()):
            kind = kind_of(sql, distributed)
            if kind in ("all", "split"):
                found.setdefault(f"{path.stem} {name} {kind}", sql)
    return found


def excused(text):
    """What citus_everywhere.txt lists, and what is wrong with it."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    listed, errors = {}, []
    for line in lines:
        what, _, reason = line.partition(": ")
        if not reason.strip():
            errors.append(f"{line}: says no reason")
        listed[what] = reason
    return listed, errors


def main():
    found = found_everywhere()
    if "--list" in sys.argv:
        for what, sql in found.items():
            print(f"{what}: {' '.join(sql.split())[:110]}")
        return 0
    listed, errors = excused(EVERYWHERE.read_text())
    errors += [f"{what}: names no organisation: {' '.join(sql.split())[:200]}"
               for what, sql in found.items() if what not in listed]
    errors += [f"{what}: stands in citus_everywhere.txt and is sent to one shard"
               for what in listed if what not in found]
    for error in errors:
        print(f"tools/citus_statements.py: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
