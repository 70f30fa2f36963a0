# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import plot  # noqa: E402
import record  # noqa: E402
import render  # noqa: E402
from record import figure  # noqa: E402

MACHINE = {"model": "A processor", "cores": 2, "memory_gib": 8.0, "load_before": 0.5,
           "nginx": {"version": "1.22.1", "cpu_us": 7.5}}


def kept(part, rows, **more):
    return {"part": part, "command": f"bench/{part}.py", "commit": "0123abc", "machine": MACHINE,
            "at": "2026-01-02T03:04:05+00:00", "seconds": 61, **more, "figures": rows}


def steady(agents, cores):
    return kept("steady", [figure("p50_ms", "latency, p50", 0.2, "ms"),
                           figure("p99_ms", "latency, p99", 3.0, "ms", 5),
                           figure("server_cpu_cores", "processor", cores, "cores", 0.1),
                           figure("server_rss_mib", "memory", agents / 500, "MiB", 700)],
                agents=agents)


FLAME = kept("flame", [figure("samples", "samples", 10, "")], of="Heartbeats",
             stacks=["libc:clone3 10", " musterd:muster::net::Session::run 6"])
RECORDS = {
    "http": kept("http", [figure("cpu_us/nginx return 200", "nginx return 200", 7.5, "us"),
                          figure("cpu_us/musterd", "musterd", 9.0, "us"),
                          figure("ratio/musterd", "of nginx's", 1.2, "times", 1.7)],
                 tls="TLSv1.3, A_CIPHER"),
    "flame-heartbeat": FLAME,
    "steady-100000": steady(100_000, 0.15), "steady-2000": steady(2000, 0.01)}
EVERYTHING = """# Title
<!-- figures: http -->
what was here
<!-- end -->
by hand
<!-- missed -->
<!-- end -->
<!-- figures: steady -->
<!-- end -->
<!-- figures: nodes -->
<!-- end -->
<!-- plot: cpu -->
<!-- end -->
<!-- plot: latency -->
<!-- end -->
<!-- plot: sizes -->
<!-- end -->
<!-- plot: flame -->
<!-- end -->
"""


class Documents(unittest.TestCase):
    def setUp(self):
        self.text, self.drawn = render.rendered(EVERYTHING, RECORDS,
                                                "docs/reference/performance.md")

    def test_a_table_says_its_commit_its_machine_and_what_nginx_took(self):
        for words in ("commit 0123abc", "A processor, 2 cores, 8 GiB", "load 0.5 before",
                      "nginx 1.22.1 then took 7.5 µs", "over TLS TLSv1.3, A_CIPHER",
                      "2026-01-02 03:04 UTC"):
            self.assertIn(words, self.text)

    def test_an_aim_is_met_or_missed(self):
        self.assertIn("| of nginx's | 1.2 | ≤ 1.7: met |", self.text)
        self.assertIn("| processor | 0.15 cores | ≤ 0.1 cores: **missed** |", self.text)

    def test_values_have_a_unit_that_suits_them(self):
        self.assertEqual([render.quantity(value, unit) for value, unit in (
            (0.098, "us"), (345, "us"), (160_000, "us"), (12_000, "ms"), (1331, "B"), (16, "cores"),
            (1.29, "times"))], ["98 ns", "345 µs", "160 ms", "12 s", "1.3 KiB", "16 cores", "1.29"])

    def test_what_is_missed_is_listed_with_its_record(self):
        part = self.text.split("<!-- missed -->")[1].split("<!-- end -->")[0]
        self.assertIn("| `steady-100000` | processor | 0.15 cores |", part)
        self.assertNotIn("nginx", part)

    def test_what_was_not_measured_misses_its_aim(self):
        row = figure("offline", "called offline", None, "", 0)
        self.assertEqual(f"{render.shown(row)}, {render.aim(row)}", "not measured, ≤ 0: **missed**")

    def test_the_largest_fleet_has_the_table_and_all_sizes_a_row(self):
        part = self.text.split("<!-- figures: steady -->")[1].split("<!-- end -->")[0]
        self.assertTrue(part.strip().startswith("100,000 hosts."))
        self.assertLess(part.index("| 2,000 |"), part.index("| 100,000 |"))

    def test_a_part_without_a_record_says_how_to_make_it(self):
        self.assertIn("Not measured yet: `bench/run nodes`.", self.text)

    def test_text_by_hand_stays_and_old_figures_go(self):
        self.assertTrue(self.text.startswith("# Title\n"))
        self.assertIn("\nby hand\n", self.text)
        self.assertNotIn("what was here", self.text)

    def test_rendering_again_changes_nothing(self):
        self.assertEqual(render.rendered(self.text, RECORDS, "docs/reference/performance.md"),
                         (self.text, self.drawn))

    def test_plots_are_linked_from_where_the_document_stands(self):
        guide, _ = render.rendered(EVERYTHING, RECORDS, "docs/guides/sizing.md")
        self.assertIn("](performance/latency.svg)](performance/latency.svg)", self.text)
        self.assertIn("](../reference/performance/latency.svg)]", guide)

    def test_sizes_are_plotted_once_there_are_two(self):
        one = {name: each for name, each in RECORDS.items() if name != "steady-2000"}
        _, drawn = render.rendered(EVERYTHING, one, "docs/reference/performance.md")
        self.assertEqual(set(self.drawn) - set(drawn),
                         {f"docs/reference/performance/{name}-over-hosts.svg"
                          for name in ("cpu", "memory")})

    def test_a_plot_without_records_says_how_to_have_it(self):
        text, _ = render.rendered(EVERYTHING, {}, "docs/reference/performance.md")
        self.assertIn("`bench/run steady --agents 1000,10000`", text)
        self.assertIn("Not drawn yet: `bench/run flame`.", text)

    def test_plots_are_well_formed(self):
        self.assertEqual(len(self.drawn), 5)
        for text in self.drawn.values():
            ElementTree.fromstring(text)

    def test_the_documents_are_what_the_records_say(self):
        self.assertEqual(render.stale(), [], "bench/render.py writes them")


class Records(unittest.TestCase):
    def test_a_record_is_read_as_it_was_written(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "records"
            for stem, each in RECORDS.items():
                record.write(stem, each, folder)
            self.assertEqual(record.read_all(folder), RECORDS)

    def test_names_of_files_are_those_of_parts(self):
        for stem, each in record.read_all().items():
            self.assertIn(each["part"], render.PARTS, stem)
            self.assertTrue(stem == each["part"] or stem.startswith(each["part"] + "-"), stem)


class Plots(unittest.TestCase):
    def test_numbers_are_short(self):
        self.assertEqual([plot.number(value) for value in (0, 0.0123, 1.5, 16.0, 1234567)],
                         ["0", "0.0123", "1.5", "16", "1,234,567"])

    def test_an_axis_reaches_past_the_highest_value_in_round_steps(self):
        self.assertEqual(plot.steps(223), [0, 50, 100, 150, 200, 250])
        self.assertEqual(plot.decades([0.2, 40]), [0.1, 1, 10, 100])

    def test_names_are_escaped(self):
        self.assertIn("a &lt; b", plot.bars("a < b", "µs", [("a < b", 1.0, False)]))


if __name__ == "__main__":
    unittest.main()
