# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import pathlib
import re
import sys
import unittest
from unittest import mock
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import figures  # noqa: E402
import flame  # noqa: E402
import flame_graph  # noqa: E402
import stacks  # noqa: E402

#: As `perf script -F ip,sym,dso` prints it, innermost first.
SAID = """\
\tffffffff81e2f182 tcp_sendmsg+0x62 ([kernel.kallsyms])
\tffffffff81000130 entry_SYSCALL_64_after_hwframe+0x76 ([kernel.kallsyms])
\t          10aba4 __send+0x64 (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          3ede13 muster::net::Session::answer+0x733 (/srv/build/release/bin/musterd)
\t          3bb3d0 boost::asio::detail::scheduler::run+0x100 (/srv/build/release/bin/musterd)
\t          1098eb clone3+0x2b (/usr/lib/x86_64-linux-gnu/libc.so.6)

\t          33fcd5 [unknown] (/usr/lib/x86_64-linux-gnu/libcrypto.so.3)
\t          33fc05 [unknown] (/usr/lib/x86_64-linux-gnu/libcrypto.so.3)
\t           35a18 SSL_write_ex+0x8 (/usr/lib/x86_64-linux-gnu/libssl.so.3)
\t          3ede13 muster::net::Session::answer+0x733 (/srv/build/release/bin/musterd)
\t          3bb3d0 boost::asio::detail::scheduler::run+0x100 (/srv/build/release/bin/musterd)
\t          1098eb clone3+0x2b (/usr/lib/x86_64-linux-gnu/libc.so.6)

\t          2090c0 EVP_EncryptUpdate+0x40 (/usr/lib/x86_64-linux-gnu/libcrypto.so.3)
\tc803d91ca7dd6194 [unknown] ([unknown])
"""
CRYPTO = ["libc:clone3", "boost:boost::asio::detail::scheduler::run",
          "musterd:muster::net::Session::answer", "openssl:SSL_write_ex", "openssl:[libcrypto]"]


class ShortNames(unittest.TestCase):
    NAMES = {
        "muster::net::Session::run+0x354": "muster::net::Session::run",
        "muster::fleet::(anonymous namespace)::beat(muster::Id, std::vector<int> const&)+0x1":
            "muster::fleet::beat",
        "boost::asio::io_context::basic_executor_type<std::allocator<void>, 4ul>::execute<"
        "boost::asio::detail::binder1<void (int), int> >+0x16b":
            "boost::asio::io_context::basic_executor_type::execute",
        "void std::__invoke_impl<void, f(int)::{lambda(auto:1)#1}>(int&&)": "std::__invoke_impl",
        "muster::run(int)::{lambda(void*)#1}::operator()(void*) const+0x8":
            "muster::run::{lambda#1}::operator()",
        "std::basic_ostream<char>& std::operator<< <char>(std::basic_ostream<char>&, char)":
            "std::operator<<",
        "bool std::operator<(A<1> const&, A<2> const&)": "std::operator<",
        "std::__shared_ptr<A, (L)2>::operator->() const": "std::__shared_ptr::operator->",
        "A<1>::operator()<&B::operator< >(int)": "A::operator()",
        "operator new(unsigned long)+0x15": "operator new",
        "init_cpu_features.constprop.0+0xbf7": "init_cpu_features",
        "muster::parse[abi:cxx11](int) [clone .cold]": "muster::parse",
        "tcp_sendmsg": "tcp_sendmsg"}

    def test_arguments_and_types_are_cut(self):
        for symbol, name in self.NAMES.items():
            self.assertEqual(stacks.short_name(symbol), name, symbol)


class Folding(unittest.TestCase):
    def setUp(self):
        self.samples = stacks.parsed(SAID)

    def test_frames_are_outermost_first_and_say_whose_code_they_are(self):
        self.assertEqual(self.samples[0], [
            *CRYPTO[:3], "libc:__send", "kernel:entry_SYSCALL_64_after_hwframe",
            "kernel:tcp_sendmsg"])

    def test_nameless_neighbours_of_one_library_are_one_frame(self):
        self.assertEqual(self.samples[1], CRYPTO)

    def test_an_address_in_no_file_is_no_frame(self):
        self.assertEqual(self.samples[2], ["openssl:EVP_EncryptUpdate"])

    def test_time_belongs_to_whose_code_ran(self):
        self.assertEqual(stacks.shares(self.samples), {"openssl": 66.7, "kernel": 33.3})

    def test_a_whole_stack_goes_back_to_its_threads_beginning(self):
        self.assertEqual(stacks.whole_percent(self.samples), 66.7)

    def test_equal_callers_are_one_node(self):
        root = stacks.tree(self.samples)
        node = root.children["libc:clone3"].children[CRYPTO[1]].children[CRYPTO[2]]
        self.assertEqual((root.count, node.count, sorted(node.children)),
                         (3, 2, ["libc:__send", "openssl:SSL_write_ex"]))

    def test_what_is_rare_is_its_callers_own(self):
        root = stacks.tree([["libc:clone3", "kernel:often"]] * 995
                           + [["libc:clone3", "kernel:enough"]] * 3
                           + [["libc:clone3", "kernel:rare"]] * 2)
        outer = root.children["libc:clone3"]
        self.assertEqual((root.count, outer.count, list(outer.children)),
                         (1000, 1000, ["kernel:often", "kernel:enough"]))

    def test_a_tree_is_read_as_it_was_written(self):
        root = stacks.tree(self.samples)
        self.assertEqual(stacks.read(3, list(stacks.lines(root))), root)

    def test_the_order_of_samples_does_not_show(self):
        self.assertEqual(list(stacks.lines(stacks.tree(self.samples[::-1]))),
                         list(stacks.lines(stacks.tree(self.samples))))

    def test_figures_have_all_kinds_and_the_graph_their_colours(self):
        rows = figures.of_flame({"samples": 3, "whole_percent": 66.7,
                                 "shares": dict.fromkeys(flame_graph.KINDS, 10.0)})
        self.assertEqual([row["id"] for row in rows], ["samples", "whole", *flame_graph.KINDS])


class WithoutSamples(unittest.TestCase):
    """Where none can be taken, the part is skipped and says why."""

    def said(self, perf, user=0):
        with mock.patch.object(flame, "PERF", perf), \
                mock.patch("os.geteuid", return_value=user), \
                contextlib.redirect_stderr(io.StringIO()) as said, \
                self.assertRaises(SystemExit) as ended:
            flame.need_perf(pathlib.Path("unused"))
        self.assertEqual(ended.exception.code, flame.SKIPPED)
        return said.getvalue()

    def test_perf_is_not_there(self):
        self.assertIn("linux-perf", self.said(["no-such-perf"]))

    def test_perf_may_not(self):
        self.assertIn("it is forbidden", self.said(["sh", "-c", "echo it is forbidden >&2; exit 1"]))

    def test_the_user_is_not_root(self):
        self.assertIn("root", self.said(["true"], user=1000))


class Drawing(unittest.TestCase):
    STACKS = ["libc:clone3 100", " musterd:muster::answer 60", "  kernel:tcp<send 50",
              " openssl:SSL_read 40"]

    def drawn(self, before=None):
        """{hover text: (x, y, width, colour)}"""
        root = stacks.read(100, self.STACKS)
        text = flame_graph.drawing("Title", root, before and stacks.read(200, before))
        names = {"svg": "http://www.w3.org/2000/svg"}
        found = {}
        for group in ElementTree.fromstring(text).findall("svg:g", names):
            box = group.find("svg:rect", names).attrib
            found[group.find("svg:title", names).text] = (
                float(box["x"]), float(box["y"]), float(box["width"]), box["fill"])
        return found

    def test_a_frame_says_its_share_and_is_as_wide(self):
        drawn = self.drawn()
        whole = drawn["clone3, libc, libstdc++: 100.0 %"]
        self.assertAlmostEqual(whole[2], flame_graph.WIDTH - 2 * flame_graph.MARGIN)
        for words, share in (("muster::answer, musterd: 60.0 %", 0.6),
                             ("tcp<send, kernel: 50.0 %", 0.5)):
            self.assertAlmostEqual(drawn[words][2], whole[2] * share, places=1)

    def test_it_stands_on_its_caller_with_its_neighbours_by_name(self):
        drawn = self.drawn()
        outer, answer, send, read = (drawn[words] for words in (
            "clone3, libc, libstdc++: 100.0 %", "muster::answer, musterd: 60.0 %",
            "tcp<send, kernel: 50.0 %", "SSL_read, OpenSSL: 40.0 %"))
        self.assertEqual((outer[1] - answer[1], answer[1] - send[1], answer[1]),
                         (flame_graph.ROW, flame_graph.ROW, read[1]))
        self.assertEqual((read[0], send[0]), (outer[0], answer[0]))
        self.assertAlmostEqual(answer[0], read[0] + read[2], places=1)

    def test_colours_are_those_of_whose_code_it_is(self):
        self.assertEqual(self.drawn()["tcp<send, kernel: 50.0 %"][3], flame_graph.KINDS["kernel"][1])

    def test_names_lose_their_namespaces_before_they_are_cut(self):
        self.assertEqual([flame_graph.fitting("muster::net::Session::run", room)
                          for room in (30, 18, 12, 4, 3)],
                         ["muster::net::Session::run", "net::Session::run", "Session::run", "run",
                          "run"])
        self.assertEqual(flame_graph.fitting("tcp_sendmsg", 5), "tcp_…")

    def test_compared_with_before_colours_and_words_are_the_change(self):
        drawn = self.drawn(["libc:clone3 200", " musterd:muster::answer 100", "  kernel:tcp<send 120",
                            " openssl:SSL_read 80"])
        more = drawn["muster::answer, musterd: 60.0 %, before 50.0 %"][3]
        less = drawn["tcp<send, kernel: 50.0 %, before 60.0 %"][3]
        same = drawn["SSL_read, OpenSSL: 40.0 %, before 40.0 %"][3]
        self.assertEqual((more, less, same), tuple(map(flame_graph.changed_colour, (10, -10, 0))))
        (red, _, blue), (other_red, _, other_blue) = (
            [int(part, 16) for part in re.findall("..", colour[1:])] for colour in (more, less))
        self.assertTrue(red > blue and other_blue > other_red)

    def test_what_was_not_there_before_came_anew(self):
        drawn = self.drawn(["libc:clone3 200"])
        self.assertIn("tcp<send, kernel: 50.0 %, before rare or not there", drawn)


if __name__ == "__main__":
    unittest.main()
