# SPDX-License-Identifier: Apache-2.0
"""What embed_console.py makes of a build of the console."""
import pathlib
import tempfile
import unittest

import embed_console


def built(**files):
    directory = tempfile.TemporaryDirectory()
    for name, content in files.items():
        path = pathlib.Path(directory.name, name.replace("__", "/").replace("_dot_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


class Embedding(unittest.TestCase):
    def test_only_files_named_by_their_content_are_immutable(self):
        with built(index_dot_html=b"<p>", **{"assets__app-Abc123_x_dot_js": b"1"}) as dist:
            text = embed_console.render(embed_console.read_files(dist))
        self.assertIn('{"/assets/app-Abc123_x.js", "text/javascript; charset=utf-8"', text)
        self.assertRegex(text, r'"/assets/app-Abc123_x\.js".*, plain_0, gzip_0, true}')
        self.assertRegex(text, r'"/index\.html".*, plain_1, gzip_1, false}')
        self.assertRegex(text, r'plain_1 =\n +"\\074\\160\\076"sv;')

    def test_the_same_content_gives_the_same_text(self):
        texts = []
        for _ in range(2):
            with built(index_dot_html=b"<p>") as dist:
                texts.append(embed_console.render(embed_console.read_files(dist)))
        self.assertEqual(texts[0], texts[1])

    def test_a_file_of_an_unknown_type_is_refused(self):
        with built(index_dot_html=b"", code_dot_map=b"{}") as dist:
            with self.assertRaisesRegex(SystemExit, "code.map"):
                embed_console.read_files(dist)

    def test_a_build_without_its_page_is_refused(self):
        with built(a_dot_js=b"") as dist, self.assertRaisesRegex(SystemExit, "index.html"):
            embed_console.read_files(dist)

    def test_without_a_build_there_are_no_files(self):
        self.assertIn("return {};", embed_console.render([]))


if __name__ == "__main__":
    unittest.main()
