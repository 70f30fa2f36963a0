#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fragments of changes/ as a section of CHANGELOG.md.

usage: tools/changelog.py                          print the section of the next release
       tools/changelog.py --check                  exit 1 if a fragment is not named or written as it should be
       tools/changelog.py release VERSION DATE     move the fragments into CHANGELOG.md
"""
import pathlib
import re
import sys

KINDS = ["added", "changed", "fixed", "removed", "security"]
NAME = re.compile(rf"({'|'.join(KINDS)})-[a-z0-9-]+\.md")
UNRELEASED = "## Unreleased\n"


def fragments(root):
    return sorted(path for path in (root / "changes").glob("*") if path.name != "README.md")


def faults(root):
    """What is wrong with the fragments, as `path: what`."""
    for path in fragments(root):
        where = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if not NAME.fullmatch(path.name):
            yield f"{where}: is not named <kind>-<slug>.md; kinds: {', '.join(KINDS)}"
        if not text.strip():
            yield f"{where}: is empty"
        elif not text.strip().endswith((".", "`")):
            yield f"{where}: is no sentence"
        if re.search(r"^(#|[-*] )", text, re.MULTILINE):
            yield f"{where}: has headings or a list; write sentences"


def section(root):
    """The fragments by kind, as Markdown below a release's heading."""
    kinds = {kind: [] for kind in KINDS}
    for path in fragments(root):
        text = " ".join(path.read_text(encoding="utf-8").split())
        kinds[path.name.split("-", 1)[0]].append(f"- {text}")
    return "\n\n".join(
        f"### {kind.capitalize()}\n\n" + "\n".join(lines) for kind, lines in kinds.items() if lines)


def release(root, version, date):
    changelog = root / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    if UNRELEASED not in text:
        raise SystemExit(f"{changelog}: has no line {UNRELEASED.strip()!r}")
    heading = f"{UNRELEASED}\n## {version} ({date})\n"
    body = section(root)
    changelog.write_text(text.replace(UNRELEASED, heading + (f"\n{body}\n" if body else ""), 1),
                         encoding="utf-8")
    for path in fragments(root):
        path.unlink()


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    arguments = sys.argv[1:]
    wrong = list(faults(root))
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        return 1
    if arguments == ["--check"]:
        return 0
    if len(arguments) == 3 and arguments[0] == "release":
        release(root, arguments[1], arguments[2])
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    print(section(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
