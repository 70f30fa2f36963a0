# SPDX-License-Identifier: Apache-2.0
"""From the text of `perf script` to a tree of calls that is small enough to keep and to compare.

A frame is `KIND:NAME`: whose code it is, and the function without template arguments, parameters and
return type. What has less than LEAST_PERCENT of all samples is its caller's own.
"""
import dataclasses
import re

LEAST_PERCENT = 0.3
FRAME = re.compile(r"\s*[0-9a-f]+ (.+) \((.+)\)$")
#: By the beginning of a library's file name, when it is not the program itself.
LIBRARIES = (("libcrypto", "openssl"), ("libssl", "openssl"), ("libc.", "libc"), ("libc-", "libc"),
             ("libstdc++", "libc"), ("libgcc_s", "libc"), ("libm.", "libc"), ("ld-linux", "libc"),
             ("lib", "library"))
IN_THE_PROGRAM = re.compile(r"(?:boost|std|fmt|__gnu_cxx)::")
OPERATOR = re.compile(r"operator ?(?:\(\)|<=>|<<=|>>=|<<|>>|->\*|->|<=|>=|<|>)|operator (?=\w)")
#: What a compiler adds to the name of one of several bodies.
VARIANT = re.compile(
    r" ?\[[^\]]*\]|\.(?:constprop|isra|part|cold|lto_priv|actor|destroy)(?:\.\d+)*")
PRIVATE_USE = 0xE000     # letters that no name has
BRACKETS = {"<": ">", "(": ")"}
#: Where a whole stack ends: the beginning of a thread or of the process.
OUTERMOST = ("libc:clone3", "libc:__clone3", "libc:clone", "libc:__clone", "musterd:_start")


@dataclasses.dataclass
class Node:
    """Of `count` samples in which this was called from there."""
    count: int = 0
    children: dict = dataclasses.field(default_factory=dict)


def without_brackets(text):
    """Without what stands in (…) and <…>, however deep."""
    kept, closing = [], []
    for letter in text:
        if letter in BRACKETS:
            closing.append(BRACKETS[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        elif not closing:
            kept.append(letter)
    return "".join(kept)


def short_name(symbol):
    """A function as one would speak of it."""
    name = re.sub(r"\+0x[0-9a-f]+$", "", symbol)
    name = VARIANT.sub("", name).replace("(anonymous namespace)::", "")
    operators = []

    def one_letter(match):              # their names have brackets and spaces
        operators.append(match.group())
        return chr(PRIVATE_USE + len(operators) - 1)
    name = without_brackets(OPERATOR.sub(one_letter, name))
    name = re.sub(r"(?: (?:const|volatile|noexcept|&&?))+$", "", name).strip()
    name = name.rsplit(" ", 1)[-1]      # its return type stands before it
    for number, operator in enumerate(operators):
        name = name.replace(chr(PRIVATE_USE + number), operator)
    return name


def frame(symbol, file):
    """`KIND:NAME`, or nothing for an address that is in no file."""
    if symbol == "[unknown]" and file == "[unknown]":
        return None
    base = file.rsplit("/", 1)[-1]
    kind = next((kind for beginning, kind in LIBRARIES if base.startswith(beginning)), "musterd")
    if file.startswith("["):
        kind, base = "kernel", file.strip("[]")
    name = f"[{base.split('.')[0]}]" if symbol == "[unknown]" else short_name(symbol)
    if kind == "musterd" and IN_THE_PROGRAM.match(name):
        kind = "boost"
    return f"{kind}:{name}"


def parsed(text):
    """[[frame, …]] of `perf script -F ip,sym,dso`, outermost first; equal neighbours are one."""
    found = []
    for sample in text.split("\n\n"):
        stack = []
        for match in filter(None, map(FRAME.match, reversed(sample.splitlines()))):
            each = frame(*match.groups())
            if each and stack[-1:] != [each]:
                stack.append(each)
        if stack:
            found.append(stack)
    return found


def tree(samples):
    root = Node()
    for stack in samples:
        node = root
        node.count += 1
        for each in stack:
            node = node.children.setdefault(each, Node())
            node.count += 1
    prune(root, root.count * LEAST_PERCENT / 100)
    return root


def prune(node, least):
    node.children = {name: child for name, child in node.children.items() if child.count >= least}
    for child in node.children.values():
        prune(child, least)


def percent(count, samples):
    return round(100 * count / len(samples), 1)


def shares(samples):
    """{kind: percent of the samples that were taken in its code}, the largest first."""
    counts = {}
    for stack in samples:
        kind = stack[-1].split(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return {kind: percent(counts[kind], samples)
            for kind in sorted(counts, key=lambda each: (-counts[each], each))}


def whole_percent(samples):
    """Of the samples, those whose stack goes back to where its thread began."""
    return percent(sum(stack[0] in OUTERMOST for stack in samples), samples)


def lines(node, depth=0):
    """The tree as text, a line each: indented under its caller, with its samples."""
    for name, child in sorted(node.children.items()):
        yield f"{' ' * depth}{name} {child.count}"
        yield from lines(child, depth + 1)


def read(samples, written):
    """The tree of what lines() gave, of so many samples."""
    path = [Node(samples)]
    for line in written:
        name, count = line.strip().rsplit(" ", 1)
        del path[len(line) - len(line.lstrip()) + 1:]
        node = path[-1].children[name] = Node(int(count))
        path.append(node)
    return path[0]
