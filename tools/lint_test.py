# SPDX-License-Identifier: Apache-2.0
"""Each rule of lint.py finds what it is about, and lets through what it is not."""
import pathlib
import subprocess
import tempfile
import unittest

import lint

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"


class Tree:
    """A repository of the files given."""

    def __init__(self, files):
        self.directory = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.directory.name)
        subprocess.run(["git", "init", "-q", root], check=True)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        self.found = lint.lint(root)
        self.directory.cleanup()


def found_in(name, code):
    text = HEAD + ("#pragma once\n" if name.endswith(".h") else "") + code
    return [line.split(": ", 1)[1] for line in Tree({name: text}).found]


class Calls(unittest.TestCase):
    FORBIDDEN = {
        "a clock": "auto now = std::chrono::steady_clock::now();",
        "randomness": "int x = rand();",
        "sleeping": "std::this_thread::sleep_for(wait);",
        "unbounded copying": "strcpy(to, from);",
        "parsing that cannot fail": "int port = atoi(text);",
        "a shell": 'system("true");',
        "std::regex": 'std::regex pattern("a");',
        "assert": "assert(x == 1);",
        "a detached thread": "thread.detach();",
        "the environment": 'getenv("HOME");',
        "standard output": 'std::cout << "x";',
        "Asio or Beast": "#include <boost/asio.hpp>",
        "using namespace": "using namespace std;",
    }

    def test_each_is_found(self):
        self.assertEqual(set(self.FORBIDDEN), {call[0] for call in lint.CALLS})
        for what, code in self.FORBIDDEN.items():
            found = found_in("src/fleet/a.cpp", code + "\n")
            self.assertEqual(len(found), 1, (what, found))
            self.assertTrue(found[0].startswith(what + ":"), (what, found))

    def test_comments_and_strings_are_not_calls(self):
        for code in ('// strcpy(to, from)', 'say("strcpy(to, from)");'):
            self.assertEqual(found_in("src/fleet/a.cpp", code + "\n"), [])

    def test_static_assert_is_fine(self):
        self.assertEqual(found_in("src/fleet/a.cpp", "static_assert(true);\n"), [])

    def test_net_has_asio_and_crypto_has_randomness(self):
        self.assertEqual(found_in("src/net/a.cpp", "#include <boost/asio.hpp>\n"), [])
        self.assertEqual(found_in("src/crypto/random.cpp", "std::random_device device;\n"), [])


class Names(unittest.TestCase):
    def test_vague_types_are_found(self):
        for name in ("SessionManager", "Util", "TaskHandler", "HostInfo", "FleetService"):
            self.assertEqual(len(found_in("src/fleet/a.h", f"class {name} {{\n}};\n")), 1, name)

    def test_words_inside_names_are_fine(self):
        self.assertEqual(found_in("src/fleet/a.h", "struct DataDirectory {\n};\n"), [])

    def test_vague_files_are_found(self):
        self.assertEqual(len(found_in("src/fleet/task_helpers.h", "")), 1)


class Sizes(unittest.TestCase):
    def test_long_functions_are_found(self):
        body = "  step();\n" * 80
        self.assertEqual(len(found_in("src/fleet/a.cpp", "void run(int x) {\n" + body + "}\n")), 1)
        self.assertEqual(found_in("src/fleet/a.cpp", "void run() {\n" + body[:300] + "}\n"), [])

    def test_long_files_are_found(self):
        self.assertEqual(len(found_in("src/fleet/a.cpp", "int x;\n" * 600)), 1)


class Files(unittest.TestCase):
    def test_headers_and_licences(self):
        self.assertEqual(len(Tree({"src/a.h": HEAD}).found), 1)
        self.assertEqual(len(Tree({"src/a.cpp": "int x;\n"}).found), 1)

    def test_leftovers_and_paths_of_a_machine(self):
        self.assertEqual(len(found_in("src/a.cpp", "// TODO: later\n")), 1)
        self.assertEqual(len(Tree({"a.md": "see /home/ann/notes\n"}).found), 1)
        self.assertEqual(Tree({"a.md": "see docs/home/notes\n"}).found, [])


if __name__ == "__main__":
    unittest.main()
