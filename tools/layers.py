#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a file of src/ includes a module that its CMakeLists.txt does not name under USES.

USES is read directly, never transitively: endpoints use fleet, fleet uses store, and an endpoint
that includes store/ is an error. Asio and Beast may be included in net/ only, and a module may use
only modules listed above it in src/CMakeLists.txt.
"""
import pathlib
import re
import sys


def declared_uses(folder):
    text = (folder / "CMakeLists.txt").read_text()
    uses = set()
    for block in re.findall(r"\b(?:TEST_)?USES\b([^()]*?)(?=\b(?:LINKS|USES|TEST_USES|SOURCES|SHARDS|ON_POSTGRES)\b|\))",
                            text, re.S):
        uses.update(block.split())
    return uses


def violations(root):
    src = root / "src"
    order = re.findall(r"add_subdirectory\((\w+)\)", (src / "CMakeLists.txt").read_text())
    for place, module in enumerate(order):
        uses = declared_uses(src / module)
        for used in sorted(uses):
            if used not in order[:place]:
                yield f"src/{module}/CMakeLists.txt: {module} may not use {used}: it is not above it"
        for path in sorted((src / module).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".def"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s*["<]([\w.+/-]+)[">]', line)
                if not found:
                    continue
                target = found.group(1)
                where = f"{path.relative_to(root)}:{number}"
                top = target.split("/")[0]
                if re.match(r"boost/(asio|beast)", target) and module != "net":
                    yield f"{where}: Asio and Beast belong to net"
                if "/" in target and top in order and top != module and top not in uses:
                    yield f"{where}: {module} may not include {top}"


def main():
    found = list(violations(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    print("\n".join(found) or "layers: every include points down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
