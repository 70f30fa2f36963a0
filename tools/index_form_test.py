# SPDX-License-Identifier: Apache-2.0
"""What index_form.py takes for another form of an index."""
import pathlib
import tempfile
import unittest

import index_form


def form_of(**files):
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "vuln")
        source.mkdir()
        for name, content in files.items():
            (source / name.replace("_dot_", ".")).write_text(content)
        out = pathlib.Path(directory, "out.cpp")
        index_form.main(out, directory, "vuln")
        return out.read_text()


class Form(unittest.TestCase):
    def test_it_follows_from_every_source(self):
        form = form_of(a_dot_cpp="1", b_dot_h="2")
        self.assertEqual(form, form_of(a_dot_cpp="1", b_dot_h="2"))
        self.assertNotEqual(form, form_of(a_dot_cpp="1", b_dot_h="3"))
        self.assertNotEqual(form, form_of(a_dot_cpp="1", c_dot_h="2"))
        self.assertNotEqual(form, form_of(a_dot_cpp="12", b_dot_h=""))
        self.assertNotEqual(form, form_of(a_dot_cpp="1", b_dot_h="2", c_dot_def=""))

    def test_tests_and_other_files_are_none_of_it(self):
        form = form_of(a_dot_cpp="1")
        self.assertEqual(form, form_of(a_dot_cpp="1", a_test_dot_cpp="2", CMakeLists_dot_txt="3"))


if __name__ == "__main__":
    unittest.main()
