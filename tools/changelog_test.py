# SPDX-License-Identifier: Apache-2.0
import pathlib
import tempfile
import unittest

import changelog


class Fragments(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "changes").mkdir()
        (self.root / "changes/README.md").write_text("# About\n")
        (self.root / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 0.1 (2026-01-01)\n")

    def write(self, name, text):
        (self.root / "changes" / name).write_text(text)

    def test_wrong_ones_are_named(self):
        self.write("added-good.md", "`muster x` does\nthings.\n")
        self.assertEqual(list(changelog.faults(self.root)), [])
        self.write("new-thing.md", "Does things.\n")
        self.write("fixed-empty.md", "\n")
        self.write("fixed-list.md", "- one thing.\n")
        self.write("fixed-half.md", "half a sent\n")
        self.assertEqual(len(list(changelog.faults(self.root))), 4)

    def test_a_release_takes_them_in_the_order_of_kinds(self):
        self.write("fixed-b.md", "B\nworks.\n")
        self.write("added-a.md", "A is new.\n")
        changelog.release(self.root, "0.2", "2026-02-02")
        text = (self.root / "CHANGELOG.md").read_text()
        self.assertIn("## Unreleased\n\n## 0.2 (2026-02-02)\n\n### Added\n\n- A is new.\n\n### Fixed\n\n- B works.\n",
                      text)
        self.assertEqual(changelog.fragments(self.root), [])


if __name__ == "__main__":
    unittest.main()
