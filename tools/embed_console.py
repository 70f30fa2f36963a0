#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_console.py DIST OUT.cpp: the built console as the files that musterd serves, each plain
and compressed.

Without DIST (`-`) there are none. The output depends on the content of the files alone.
"""
import gzip
import hashlib
import pathlib
import re
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
         ".txt": "text/plain; charset=utf-8"}
# Vite puts the hash of the content into the names under assets/.
HASHED = re.compile(r"^/assets/.+-[\w-]{8}\.\w+$")
LITERAL_BYTES = 4000  # below the length that compilers promise for one literal


def read_files(dist):
    """[(path, type, content)] of every file, the page first."""
    files = []
    for path in sorted(pathlib.Path(dist).rglob("*")):
        if not path.is_file():
            continue
        if path.suffix not in TYPES:
            raise SystemExit(f"embed_console: {path}: no type is known for {path.suffix!r}")
        files.append(("/" + path.relative_to(dist).as_posix(), TYPES[path.suffix],
                      path.read_bytes()))
    if not any(path == "/index.html" for path, _, _ in files):
        raise SystemExit(f"embed_console: {dist} has no index.html")
    return files


def literal(content):
    """Octets as adjacent string literals; octal escapes have a fixed width."""
    parts = [content[at:at + LITERAL_BYTES]
             for at in range(0, max(len(content), 1), LITERAL_BYTES)]
    return "\n".join('    "' + "".join(f"\\{octet:03o}" for octet in part) + '"' for part in parts)


def render(files):
    out = ['#include "main/console_files.h"\n', "namespace muster {\n", "namespace {\n",
           "using namespace std::string_view_literals;\n"]
    rows = []
    for number, (path, content_type, content) in enumerate(files):
        # No name and no time in the head: the same content gives the same octets.
        packed = gzip.compress(content, 9, mtime=0)
        out.append(f"constexpr std::string_view plain_{number} =\n{literal(content)}sv;\n")
        out.append(f"constexpr std::string_view gzip_{number} =\n{literal(packed)}sv;\n")
        etag = hashlib.sha256(content).hexdigest()[:32]
        immutable = "true" if HASHED.match(path) else "false"
        rows.append(f'    {{"{path}", "{content_type}", "{etag}", plain_{number}, gzip_{number}, '
                    f"{immutable}}},\n")
    if rows:
        out.append("constexpr endpoints::ConsoleFile files[] = {\n" + "".join(rows) + "};\n")
    answer = "files" if rows else "{}"
    out.append("}  // namespace\n")
    out.append("std::span<const endpoints::ConsoleFile> console_files() {\n"
               f"  return {answer};\n}}\n")
    out.append("}  // namespace muster\n")
    return "\n".join(out)


def main():
    dist, target = sys.argv[1:]
    text = render([] if dist == "-" else read_files(dist))
    pathlib.Path(target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
