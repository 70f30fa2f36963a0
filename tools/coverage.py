#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Line coverage folder by folder, from gcovr's summary.

usage: tools/coverage.py SUMMARY.json
"""
import collections
import json
import pathlib
import sys


def folders(summary):
    """{folder of src: [lines covered, lines]}"""
    table = collections.defaultdict(lambda: [0, 0])
    for file in summary["files"]:
        parts = pathlib.PurePosixPath(file["filename"]).parts
        folder = "/".join(parts[:2])
        table[folder][0] += file["line_covered"]
        table[folder][1] += file["line_total"]
    return table


def main():
    table = folders(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))
    for folder, (covered, total) in sorted(table.items()):
        print(f"{folder:24} {100 * covered / max(total, 1):5.1f} %  {covered:6} of {total:6} lines")
    covered, total = (sum(column) for column in zip(*table.values()))
    print(f"{'all':24} {100 * covered / max(total, 1):5.1f} %  {covered:6} of {total:6} lines")


if __name__ == "__main__":
    main()
