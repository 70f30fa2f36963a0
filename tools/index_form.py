#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vuln::index_form: index_form.py OUT.cpp SRC MODULE…

The SHA-256 of the modules' sources but tests, which a kept index is good for (src/vuln/index_file.h).
"""

import hashlib
import pathlib
import sys


def main(out, root, *modules):
    form = hashlib.sha256()
    for module in modules:
        for path in sorted(pathlib.Path(root, module).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".def"):
                continue
            if path.stem.endswith(("_test", "_bench", "_fuzz")):
                continue
            text = path.read_bytes()
            form.update(f"{path.relative_to(root)} {len(text)}\n".encode() + text)
    pathlib.Path(out).write_text(
        '#include "vuln/index_form.h"\n\n'
        f'const char* const muster::vuln::index_form = "{form.hexdigest()}";\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
