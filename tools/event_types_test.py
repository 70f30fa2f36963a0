# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import pathlib
import tempfile
import unittest

import event_types

TYPES = '''// SPDX-License-Identifier: Apache-2.0
// EVENT_TYPE(name, what)
EVENT_TYPE(came_online, "An agent is back.")
EVENT_TYPE(webhook_test, "A test.")
'''


class EventTypes(unittest.TestCase):
    def test_they_are_read_in_their_order(self):
        self.assertEqual(list(event_types.read_event_types(TYPES).items()),
                         [("came_online", "An agent is back."), ("webhook_test", "A test.")])

    def test_a_line_that_is_no_new_type_is_an_error(self):
        for line in ('EVENT_TYPE(Online, "x")', "EVENT_TYPE(online)", "online",
                     'EVENT_TYPE(online, "a|b")', 'EVENT_TYPE(came_online, "again")'):
            with self.assertRaises(ValueError, msg=line):
                event_types.read_event_types(TYPES + line + "\n")

    def test_check_fails_until_both_files_are_written(self):
        with tempfile.TemporaryDirectory() as directory, \
                contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            root = pathlib.Path(directory)
            for name, text in ((event_types.SOURCE, TYPES), (event_types.CONSOLE, ""),
                               (event_types.DOCUMENT,
                                "before\n<!-- types -->\n<!-- end of types -->\nbehind\n")):
                (root / name).parent.mkdir(parents=True)
                (root / name).write_text(text)
            run = ["--root", directory]
            self.assertEqual(1, event_types.main(run + ["--check"]))
            self.assertEqual(0, event_types.main(run))
            self.assertEqual(0, event_types.main(run + ["--check"]))
            document = (root / event_types.DOCUMENT).read_text()
            self.assertTrue(document.startswith("before\n<!-- types -->\n| type |"))
            self.assertIn("| `webhook_test` | A test. |\n<!-- end of types -->\nbehind\n", document)
            self.assertIn("  'came_online',\n", (root / event_types.CONSOLE).read_text())
            (root / event_types.SOURCE).write_text(TYPES.replace("A test.", "Another."))
            self.assertEqual(1, event_types.main(run + ["--check"]))
            (root / event_types.DOCUMENT).write_text("no place\n")
            self.assertEqual(1, event_types.main(run))


if __name__ == "__main__":
    unittest.main()
