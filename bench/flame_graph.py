#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A flame graph as SVG: who called whom, and in how many of the samples.

    bench/flame_graph.py bench/records/flame-heartbeat.json > now.svg
    git show HEAD~1:bench/records/flame-heartbeat.json > build/before.json
    bench/flame_graph.py bench/records/flame-heartbeat.json --before build/before.json > change.svg

A function stands on its caller, as wide as its share, and beside the others in the order of names, so
that two graphs of one program look alike. With --before the colours are what changed: red takes more
of the time than before, blue less. What is in `before` alone has no place in it. Opened by itself, a
graph says under the mouse what is where.
"""
import argparse
import json
import pathlib
import sys
from xml.sax.saxutils import escape

import plot
import stacks

WIDTH, MARGIN, TOP, ROW = 1200, 12, 62, 17
LETTER = 6.2        # of a name, in the mean
#: Light enough for dark letters.
KINDS = {"musterd": ("musterd", "#8fc1ea"), "boost": ("Boost and std in it", "#a9dcb4"),
         "openssl": ("OpenSSL", "#d5b3e5"), "library": ("other libraries", "#efe08f"),
         "libc": ("libc, libstdc++", "#cfd4da"), "kernel": ("kernel", "#f3b98d")}
#: So many percent of all samples more or fewer have the full colour.
FULL_CHANGE = 5.0


def changed_colour(points):
    """Of a share that is so many percent of all samples larger, or smaller."""
    fade = round(230 - 90 * min(1.0, abs(points) / FULL_CHANGE))
    red, blue = (240, fade) if points > 0 else (fade, 240)
    return f"#{red:02x}{fade:02x}{blue:02x}" if round(points, 1) else "#e6e6e6"


def fitting(function, room):
    """Without its outer namespaces, and cut, as far as it must be."""
    while len(function) > room and "::" in function:
        function = function.split("::", 1)[1]
    return function if len(function) <= room else function[:room - 1] + "…"


def depth(node):
    return 1 + max((depth(child) for child in node.children.values()), default=-1)


def legend(compared):
    entries = [("more than before", changed_colour(FULL_CHANGE)), ("unchanged", changed_colour(0)),
               ("less", changed_colour(-FULL_CHANGE))] if compared else KINDS.values()
    x, body = 16, []
    for words, colour in entries:
        body += [f'<rect x="{x}" y="38" width="12" height="12" fill="{colour}"/>',
                 plot.label(x + 18, 48, words, size=11)]
        x += 44 + round(5.6 * len(words))
    return body


def function_of(child):
    return child[0].split(":", 1)[1], child[0]


class Graph:
    def __init__(self, root, before):
        self.root, self.before = root, before
        self.rows = depth(root)
        self.scale = (WIDTH - 2 * MARGIN) / root.count
        self.body = []

    def draw(self, name, node, before, x, row):
        """`before` is the same place in the other tree, if there is one."""
        kind, function = name.split(":", 1)
        share = 100 * node.count / self.root.count
        words = f"{function}, {KINDS[kind][0]}: {share:.1f} %"
        colour = KINDS[kind][1]
        if self.before:
            earlier = 100 * before.count / self.before.count
            words += f", before {earlier:.1f} %" if before.count else ", before rare or not there"
            colour = changed_colour(share - earlier)
        width = node.count * self.scale
        y = TOP + (self.rows - 1 - row) * ROW
        self.body.append(f'<g><title>{escape(words)}</title><rect x="{x:.1f}" y="{y}"'
                         f' width="{width:.1f}" height="{ROW - 1}" fill="{colour}"/>')
        room = int((width - 6) / LETTER)
        if room >= 4:
            self.body.append(plot.label(x + 3, y + 12, fitting(function, room), size=11))
        self.body.append("</g>")
        self.draw_children(node, before, x, row + 1)

    def draw_children(self, node, before, x, row):
        for name, child in sorted(node.children.items(), key=function_of):
            self.draw(name, child, before.children.get(name, stacks.Node()), x, row)
            x += child.count * self.scale


def drawing(title, root, before=None):
    graph = Graph(root, before)
    graph.draw_children(root, before or stacks.Node(), MARGIN, 0)
    return plot.drawing(title, TOP + graph.rows * ROW + MARGIN, legend(before) + graph.body,
                        width=WIDTH)


def title_of(kept):
    return (f"{kept['of']}: {record_samples(kept):,} samples of musterd's processor time, commit"
            f" {kept['commit']}")


def record_samples(kept):
    return next(row["value"] for row in kept["figures"] if row["id"] == "samples")


def tree_of(kept):
    return stacks.read(record_samples(kept), kept["stacks"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("--before", type=pathlib.Path, help="the record to compare with")
    options = parser.parse_args()
    kept = json.loads(options.record.read_text(encoding="utf-8"))
    if options.before is None:
        sys.stdout.write(drawing(title_of(kept), tree_of(kept)))
        return
    before = json.loads(options.before.read_text(encoding="utf-8"))
    sys.stdout.write(drawing(f"{title_of(kept)}; before: commit {before['commit']}", tree_of(kept),
                             tree_of(before)))


if __name__ == "__main__":
    main()
