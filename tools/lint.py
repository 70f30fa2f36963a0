#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What STYLE.md asks for and a machine can see: names, calls, sizes, headers, leftovers.

usage: tools/lint.py [ROOT]     prints `file:line: what`, exits 1 if anything was found
"""
import pathlib
import re
import subprocess
import sys

FILE_LINES = 500
FUNCTION_LINES = 70

# Names that say nothing about what a thing is.
VAGUE = r"(?:Manager|Helper|Util|Utils|Impl|Handler|Processor|Data|Info|Service)"
VAGUE_TYPE = re.compile(rf"^\s*(?:class|struct|enum(?: class)?|using|concept)\s+(\w*{VAGUE})\b(?!\s*;)")
VAGUE_FILE = re.compile(r"(?:^|_)(?:manager|helper|helpers|util|utils|impl|handler|processor|data|info|service)$")

# (what, pattern, paths that may, why)
CALLS = [
    ("a clock", r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\(|\bgettimeofday\(|\btime\((?:nullptr|NULL|0)\)",
     r"^src/(?:base/time\.cpp|agent/executor/|main/|net/|store/reconnect_pace\.h)|_bench\.cpp$", "time is a value: base/time.h"),
    ("randomness", r"\bstd::random_device\b|\bstd::s?rand\(|(?<![\w.>:])(?:s?rand|drand48)\(|\bmt19937",
     r"^src/crypto/random\.cpp$|^src/base/testing\.h$|_test\.cpp$", "draw from base/random.h"),
    ("sleeping", r"\bsleep_for\(|\bsleep_until\(|\b(?:u|nano)?sleep\(", r"^src/main/|_bench\.cpp$",
     "wait for an event"),
    ("unbounded copying", r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|alloca)\(", r"$^", "bound it"),
    ("parsing that cannot fail", r"\b(?:atoi|atol|atoll|atof|stoi|stol|stoll|stod)\(",
     r"_test\.cpp$|/testing/|testing", "parse_int() of base/text.h says when it is no number"),
    ("a shell", r"\b(?:std::)?system\(|\bpopen\(", r"_test\.cpp$", "start processes by their arguments"),
    ("std::regex", r"\bstd::regex\b", r"_test\.cpp$|/testing/", "RE2 has no exponential input"),
    ("assert", r"(?<![\w_])assert\(", r"$^", "CHECK is never compiled out"),
    ("a detached thread", r"\.detach\(\)", r"$^", "somebody owns every thread"),
    ("the environment", r"\bgetenv\(", r"^src/main/|_test\.cpp$|test|golden", "flags and files, read in main"),
    ("standard output", r"\bstd::c(?:out|err)\b|(?<![\w.])(?:printf|puts)\(", r"^src/main/|_test\.cpp$|_bench\.cpp$|^src/sim/|test|^bench/",
     "log, or return the text"),
    ("Asio or Beast", r"#include <boost/(?:asio|beast)", r"^src/net/", "sockets stop at src/net"),
    ("using namespace", r"^\s*using namespace\b", r"_fuzz\.cpp$|^bench/", "name what you use"),
]

LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
FUNCTION_START = re.compile(r"^(?!namespace|struct|class|enum|union|extern|constexpr [^(]*=|const [^(]*=|static [^(]*=|#|//|TEST|INSTANTIATE)\S.*\{$")


def tracked(root):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    return [pathlib.PurePosixPath(name) for name in listed.splitlines() if (root / name).is_file()]


def code_of(line):
    """The line without its comment and the contents of its strings."""
    line = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
    return line.split("//", 1)[0]


def function_sizes(lines):
    """(first line, size) of each function at the left margin of a file formatted by clang-format."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            if FUNCTION_START.match(line) and ("(" in line or line.startswith(("    ", ")"))):
                start = number
        elif line.startswith("}"):
            yield start, number - start + 1
            start = None


def lint_cpp(path, lines):
    name = str(path)
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        yield 1, "the first line is not the SPDX line"
    if path.suffix == ".h" and "#pragma once" not in lines:
        yield 1, "a header needs #pragma once"
    if VAGUE_FILE.search(path.stem.removesuffix("_test")):
        yield 1, f"the name {path.name} does not say what is in it"
    if len(lines) > FILE_LINES and path.suffix != ".def":
        yield 1, f"{len(lines)} lines; a file has at most {FILE_LINES}"
    raw = False
    for number, line in enumerate(lines, 1):
        if 'R"' in line:
            raw = True
        if not raw:
            code = code_of(line) if not line.startswith("#include") else line
            vague = VAGUE_TYPE.match(code)
            if vague:
                yield number, f"{vague.group(1)} does not say what it is"
            for what, pattern, may, instead in CALLS:
                if re.search(pattern, code) and not re.search(may, name):
                    yield number, f"{what}: {instead}"
        if raw and re.search(r'\)\w*"', line):
            raw = False
    if not name.endswith(("_test.cpp", "_bench.cpp")):
        for start, size in function_sizes(lines):
            if size > FUNCTION_LINES:
                yield start, f"a function of {size} lines; at most {FUNCTION_LINES}"


def lint(root):
    found = []
    for path in tracked(root):
        if path.suffix not in {".h", ".cpp", ".def", ".py", ".sh", ".md", ".sql", ".cmake", ".yaml"} \
                and path.name not in {"check", "start", "CMakeLists.txt", "CMakePresets.json"}:
            continue
        try:
            lines = (root / path).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            found.append(f"{path}:1: not UTF-8")
            continue
        if path.suffix in {".h", ".cpp"}:
            found += [f"{path}:{number}: {what}" for number, what in lint_cpp(path, lines)]
        for number, line in enumerate(lines, 1):
            if path.name in {"lint.py", "lint_test.py"}:
                break
            if LEFTOVER.search(line) and path.suffix != ".md":
                found.append(f"{path}:{number}: finish it, or say it in an issue")
            if MACHINE_PATH.search(line):
                found.append(f"{path}:{number}: a path of one machine")
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = lint(root)
    for line in found:
        print(line)
    print(f"lint: {len(found)} found" if found else "lint: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
