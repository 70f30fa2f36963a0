#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of golden.py and its parts: python3 tools/golden_test.py"""
import contextlib
import datetime
import gzip
import io
import json
import os
import pathlib
import shutil
import stat
import sys
import tempfile
import textwrap
import unittest
from unittest import mock

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import golden
import golden_contract
import golden_format
from golden_format import GoldenError, match_body, parse_golden, request_of, substitute

NOW = datetime.datetime(2026, 3, 21, 14, 30, 0, 999999, tzinfo=datetime.timezone.utc)


def exchange_of(text):
    return parse_golden("# c\n" + text).exchanges[0]


class Reading(unittest.TestCase):
    def test_a_conversation_has_its_claim_directives_and_exchanges(self):
        read = parse_golden("# Claim.\n# after: a.http\n# config: limits.x = 2\n# lenient: why\n"
                            "# a remark\n>>> POST /p?q=1\nA: b:c\n\n{\n}\n\n"
                            "<<< 201\nD: e\n\nbody\n>>> GET /x\n<<< 204\n")
        self.assertEqual(("Claim.", ["a.http"], ["limits.x = 2"], True),
                         (read.claim, read.after, read.config, read.lenient))
        first, second = read.exchanges
        self.assertEqual(("POST", "/p?q=1", [("A", "b:c")], "{\n}"),
                         (first.method, first.target, first.headers, first.body))
        self.assertEqual((201, [("D", "e")], "body"),
                         (first.status, first.expected_headers, first.expected))
        self.assertEqual(("GET", "", 204, ""),
                         (second.method, second.body, second.status, second.expected))

    def test_what_is_not_a_conversation_is_refused(self):
        for text in ("", ">>> GET /\n<<< 200\n", "# c\n", "# c\n>>> GET /\n", "# c\n<<< 200\n",
                     "# c\n>>> GET\n<<< 200\n", "# c\n>>> GET /\nno header\n<<< 200\n",
                     "# c\n>>> GET /\n<<< 200\n<<< 200\n"):
            with self.assertRaises(GoldenError, msg=repr(text)):
                parse_golden(text)

    def test_setup_comes_first_and_once(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            body = ">>> GET /\n<<< 200\n"
            (root / "a.http").write_text("# a\n" + body)
            (root / "b.http").write_text("# b\n# after: a.http\n" + body)
            (root / "c.http").write_text("# c\n# after: b.http\n# after: a.http\n" + body)
            names = [name for name, _ in golden_format.with_setup(root, "c.http")]
            self.assertEqual(["a.http", "b.http", "c.http"], names)
            with self.assertRaises(GoldenError):
                golden_format.with_setup(root, "d.http")


class Requests(unittest.TestCase):
    def test_placeholders_are_filled_in(self):
        self.assertEqual(b"x 7 y", substitute("x {{id}} y", {"id": "7"}, NOW))
        self.assertEqual(b"2026-03-21T14:30:00Z", substitute("{{now}}", {}, NOW))
        self.assertEqual(b"2026-03-21T14:24:59Z", substitute("{{now-301s}}", {}, NOW))
        self.assertEqual(b"2026-03-21T14:30:10Z", substitute("{{now+10s}}", {}, NOW))
        self.assertEqual(b"ababab", substitute("{{ab*3}}", {}, NOW))
        self.assertEqual(b"[[]]", substitute("{{[*2}}{{]*2}}", {}, NOW))
        self.assertEqual(b'"\xff"', substitute('"{{0xFF}}"', {}, NOW))
        self.assertEqual(b'{"a": {"b": 1}}', substitute('{"a": {"b": {{n}}}}', {"n": "1"}, NOW))

    def test_a_variable_without_a_value_is_an_error(self):
        with self.assertRaises(GoldenError):
            substitute("{{nobody}}", {}, NOW)

    def test_gzip_is_compressed_and_said_so(self):
        exchange = exchange_of(">>> POST /x/{{id}}\nK: {{id}}\n\n@gzip\n{\"a\": {{id}}}\n<<< 200\n")
        _, target, headers, sent, plain = request_of(exchange, {"id": "7"}, NOW)
        self.assertEqual("/x/7", target)
        self.assertEqual([("K", "7"), ("Content-Encoding", "gzip")], headers)
        self.assertEqual((b'{"a": 7}', b'{"a": 7}'), (plain, gzip.decompress(sent)))


class Matching(unittest.TestCase):
    def test_text_is_compared_to_the_character(self):
        self.assertEqual({}, match_body('{"a": 1}', '{"a": 1}', {}))
        for other in ('{"a":1}', '{"a": 1} ', '{"a": 1, "b": 2}', ""):
            with self.assertRaises(GoldenError, msg=other):
                match_body('{"a": 1}', other, {})

    def test_placeholders_capture_once_and_then_compare(self):
        expected = '{"a": "{{x}}", "b": {{y}}, "c": "{{x}}"}'
        self.assertEqual({"x": "k=/1", "y": "42"},
                         match_body(expected, '{"a": "k=/1", "b": 42, "c": "k=/1"}', {}))
        with self.assertRaises(GoldenError):
            match_body(expected, '{"a": "k", "b": 42, "c": "other"}', {})
        with self.assertRaises(GoldenError):
            match_body('"{{x}}"', '"new"', {"x": "old"})

    def test_a_placeholder_is_one_scalar(self):
        for body in ('{"a": "x", "b": 1}', '{"a": [1]}', '{"a": ""}'):
            with self.assertRaises(GoldenError, msg=body):
                match_body('{"a": "{{x}}"}', body, {})
        self.assertEqual({"x": "null"}, match_body('{"a": {{x}}}', '{"a": null}', {}))

    def test_underscored_names_are_never_captured(self):
        self.assertEqual({}, match_body('{"a": {{_}}, "b": {{_}}}', '{"a": 1, "b": 2}', {}))

    def test_json_is_a_subset(self):
        body = '{"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, {"x": 3}], "s": "k 7"}'
        self.assertEqual({"n": "7"}, match_body(
            '~json\n{"s": "k {{n}}", "l": [{"x": 1}, {"x": 3}], "a": {"c": 2}}', body, {}))
        self.assertEqual({"b": "1"}, match_body('~json\n{"a": {"b": "{{b}}"}}', body, {}))
        self.assertEqual({}, match_body('~json\n{"l": [{"x": 1}, "..."]}', body, {}))
        for wrong in ('{"a": {"b": 2}}', '{"l": [{"x": 1}]}', '{"z": 1}', '{"a": {"b": true}}',
                      '{"a": {"b": "1"}}', '{"a": "{{x}}"}', '{"l": ["...", {"x": 3}]}', "[]"):
            with self.assertRaises(GoldenError, msg=wrong):
                match_body("~json\n" + wrong, body, {})
        with self.assertRaises(GoldenError):
            match_body('~json\n{"a": {"b": "{{b}}"}}', body, {"b": "2"})
        with self.assertRaises(GoldenError):
            match_body("~json\n{}", "no json", {})

    def test_booleans_and_numbers_are_different(self):
        with self.assertRaises(GoldenError):
            match_body('~json\n{"a": 1}', '{"a": true}', {})

    def test_has_wants_each_line_somewhere(self):
        self.assertEqual({}, match_body("~has\nabc\n# x", "1 # x\n2 abc\n", {}))
        self.assertEqual({}, match_body("~has", "anything", {}))
        with self.assertRaises(GoldenError):
            match_body("~has\nabc", "ab", {})


class Accepting(unittest.TestCase):
    def accepted(self, expected, actual, variables=None):
        return golden_format.accept_body(expected, actual, variables or {})

    def test_what_holds_is_kept(self):
        self.assertEqual(('{"a": {{x}}}', {"x": "1"}), self.accepted('{"a": {{x}}}', '{"a": 1}'))

    def test_placeholders_stay_where_their_values_stand(self):
        text, variables = self.accepted('{"id": "{{id}}", "old": 1}', '{"id": "k", "new": 2}')
        self.assertEqual('{"id": "{{id}}", "new": 2}', text)
        self.assertEqual({"id": "k"}, variables)
        text, _ = self.accepted('{"id": "{{id}}"}', '{"id": "other"}', {"id": "k"})
        self.assertEqual('{"id": "other"}', text)

    def test_a_subset_stays_a_subset(self):
        text, _ = self.accepted('~json\n{"a": 1, "gone": 2, "l": [{"x": 1}, "..."]}',
                                '{"a": 5, "b": 6, "l": [{"x": 2, "y": 3}]}')
        self.assertEqual({"a": 5, "l": [{"x": 2}, "..."]}, json.loads(text[len("~json\n"):]))

    def test_answers_are_written_into_their_places(self):
        text = ("# c\n>>> GET /a\n<<< 200\n>>> GET /b\nH: v\n<<< 200\nX: y\n\nold\n"
                ">>> GET /c\n<<< 200\n\ngone\n")
        exchanges = parse_golden(text).exchanges
        written = golden_format.with_answers(
            text, list(zip(exchanges, (404, 200, 204), ("first", "new", ""))))
        self.assertEqual("# c\n>>> GET /a\n<<< 404\n\nfirst\n>>> GET /b\nH: v\n<<< 200\nX: y\n\n"
                         "new\n>>> GET /c\n<<< 204\n", written)


DOCUMENT = {
    "paths": {
        "/things": {"post": {
            "parameters": [{"name": "dry", "in": "query"}],
            "requestBody": {"content": {"application/json": {"schema": {
                "$ref": "#/components/schemas/Thing"}}}},
            "responses": {
                "201": {"content": {"application/json": {"schema": {
                    "$ref": "#/components/schemas/Thing"}}}},
                "400": {"x-codes": ["invalid_field"],
                        "content": {"application/json": {"schema": {"type": "object"}}}}}}},
        "/things/{id}": {"get": {"responses": {"204": {"description": "none"}}}},
    },
    "components": {"responses": {}, "schemas": {"Thing": {
        "type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "maxLength": 5},
            "size": {"type": "integer", "nullable": True}}}}},
}


class TheContract(unittest.TestCase):
    def setUp(self):
        self.contract = golden_contract.Contract(DOCUMENT)

    def test_requests_are_checked_and_may_have_more_members(self):
        self.contract.check_request("POST", "/things", '{"name": "a", "size": null, "other": 1}')
        for target, body in (("/things", '{"name": 1}'), ("/things", '{"name": "toolong"}'),
                             ("/things", "{}"), ("/things?wet=1", '{"name": "a"}'),
                             ("/nothing", "{}")):
            with self.assertRaises(GoldenError, msg=body):
                self.contract.check_request("POST", target, body)
        self.contract.check_request("POST", "/things?dry=1", '{"name": "a"}')

    def test_answers_have_documented_members_codes_and_statuses_only(self):
        check = self.contract.check_answer
        check("POST", "/things", 201, '{"name": "a"}')
        check("POST", "/things", 400, '{"error": "invalid_field"}')
        check("GET", "/things/7", 204, "")
        for method, target, status, body in (
                ("POST", "/things", 201, '{"name": "a", "other": 1}'),
                ("POST", "/things", 201, "not json"),
                ("POST", "/things", 400, '{"error": "other_code"}'),
                ("POST", "/things", 409, "{}"),
                ("GET", "/things/7", 204, "body")):
            with self.assertRaises(GoldenError, msg=body):
                check(method, target, status, body)

    def test_placeholders_satisfy_every_schema(self):
        self.contract.check_answer("POST", "/things", 201,
                                   '{"name": "{{longer}}", "size": "{{n}}"}')

    def test_routes_and_codes_without_a_golden_are_named(self):
        shown = parse_golden('# c\n>>> POST /things\n<<< 201\n>>> POST /things\n<<< 400\n\n'
                             '{"error": "invalid_field"}\n')
        gaps = list(golden_contract.uncovered([shown], self.contract,
                                              ["invalid_field", "not_found"]))
        self.assertEqual(["GET /things/{id} has no golden that succeeds",
                          "error code not_found has no golden"], gaps)

    def test_a_variable_is_known_before_it_is_used(self):
        good = parse_golden("# c\n>>> GET /\n<<< 200\n\n{{x}}\n>>> GET /{{x}}\n<<< 200\n")
        bad = parse_golden("# c\n>>> GET /{{x}}\n<<< 200\n\n{{x}}\n")
        golden_contract.lint_variables([("good", good)])
        with self.assertRaises(GoldenError):
            golden_contract.lint_variables([("bad", bad)])


# A server with two routes that starts, answers and ends the way musterd does.
FAKE_MUSTERD = '''#!{python}
import http.server, json, os, pathlib, signal, sys
data = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
data.mkdir(exist_ok=True)
(data / "admin.token").write_text("secret\\n")
config = pathlib.Path(sys.argv[-1]).read_text() if "--config" in sys.argv else ""

class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/config":
            return self.answer(200, json.dumps({{"config": config, "posted":
                                                (data / "posted").exists()}}).encode())
        self.answer(200, json.dumps({{"status": self.headers["K"] or "ok"}}).encode())
    def do_POST(self):
        if int(self.headers["Content-Length"]) > 1000:
            self.close_connection = True
            return self.answer(413, b'{{"error": "body_too_large"}}')
        (data / "posted").touch()
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
signal.signal(signal.SIGTERM, lambda *_: os._exit(int(os.environ.get("FAKE_EXIT", "0"))))
print(json.dumps({{"event": "server_started", "port": server.server_port}}), file=sys.stderr,
      flush=True)
server.serve_forever()
'''


class Replaying(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = pathlib.Path(directory.name)
        for folder in ("api/golden", "api/schemas", "src/base", "src/endpoints", "src/model"):
            (self.tree / folder).mkdir(parents=True)
        (self.tree / "src/base/limits.h").write_text(
            "inline constexpr std::size_t no_bytes = 0;\n")
        (self.tree / "src/base/errc.def").write_text("ERRC(body_too_large, 413)\n"
                                                     "ERRC(overloaded, 503)\n"
                                                     "ERRC(unavailable, 503)\n")
        (self.tree / "src/model/event_types.def").write_text('EVENT_TYPE(online, "x")\n')
        (self.tree / "src/endpoints/routes.def").write_text(
            'ROUTE(get, "/status", anybody, operators, no_bytes, here, f)\n'
            'ROUTE(get, "/config", anybody, operators, no_bytes, here, f)\n'
            'ROUTE(post, "/echo", anybody, operators, no_bytes, here, f)\n')
        any_body = {"type": "object", "additionalProperties": True}
        common = {"summary": "s", "responses": {200: {"description": "ok", "body": any_body}}}
        (self.tree / "api/schemas/all.yaml").write_text(yaml.safe_dump({
            "schemas": {"OperatorError": any_body, "DeviceError": any_body,
                        "InventoryError": any_body},
            "routes": {"GET /status": common, "GET /config": common,
                       "POST /echo": {**common, "request": any_body}}}))
        self.binary = self.tree / "musterd"
        self.binary.write_text(FAKE_MUSTERD.format(python=sys.executable))
        self.binary.chmod(self.binary.stat().st_mode | stat.S_IXUSR)

    def write(self, name, text):
        (self.tree / "api/golden" / name).write_text(textwrap.dedent(text))

    def run_golden(self, *arguments):
        """(exit code, what was printed)."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = golden.main(["--plain", "--root", str(self.tree), "--musterd",
                                str(self.binary), *arguments])
        return code, out.getvalue()

    def write_all(self):
        self.write("first.http", """\
            # The server is there.
            >>> GET /status
            <<< 200
            Content-Length: {{_}}

            {"status": "{{word}}"}
            """)
        self.write("second.http", """\
            # A variable is sent back, a setting is in force, a large body is refused.
            # after: first.http
            # config: limits.report_per_minute = 2
            >>> POST /echo

            {"was": "{{word}}", "token": "{{admin_token}}"}
            <<< 200

            {"was": "ok", "token": "secret"}
            >>> GET /config
            <<< 200

            ~json
            {"config": "limits.report_per_minute = 2\\n"}
            >>> POST /echo

            {"a": "{{a*5000000}}"}
            <<< 413

            {"error": "body_too_large"}
            """)

    def test_what_holds_passes(self):
        self.write_all()
        self.assertEqual((0, "2 passed, 0 failed\n"), self.run_golden())

    def test_each_file_has_a_server_that_was_asked_nothing(self):
        for name in ("first.http", "second.http", "third.http"):
            self.write(name, """\
                # What another file posts is not there.
                >>> GET /config
                <<< 200

                ~json
                {"posted": false}
                >>> POST /echo

                {}
                <<< 200

                {}
                >>> GET /config
                <<< 200

                ~json
                {"posted": true}
                """)
        self.assertEqual((0, "3 passed, 0 failed\n"),
                         self.run_golden("first.http", "second.http", "third.http"))

    def test_a_difference_fails_and_is_shown(self):
        self.write_all()
        self.write("third.http",
                   "# c\n>>> GET /status\nK: other\n<<< 200\n\n{\"status\": \"ok\"}\n")
        code, printed = self.run_golden()
        self.assertEqual(1, code)
        self.assertIn('- "status": "ok"}', printed)
        self.assertIn('+ "status": "other"}', printed)
        self.assertTrue(printed.endswith("2 passed, 1 failed\n"), printed)

    def test_a_missing_golden_fails_a_whole_run_only(self):
        self.write("first.http", "# c\n>>> GET /status\n<<< 200\n\n~has\n")
        code, printed = self.run_golden()
        self.assertEqual(1, code)
        self.assertIn("FAIL POST /echo has no golden that succeeds", printed)
        self.assertIn("FAIL error code body_too_large has no golden", printed)
        self.assertEqual((0, "1 passed, 0 failed\n"), self.run_golden("first.http"))

    def test_a_server_that_ends_badly_fails(self):
        self.write("first.http", "# c\n>>> GET /status\n<<< 200\n\n~has\n")
        with mock.patch.dict(os.environ, {"FAKE_EXIT": "3"}):
            code, printed = self.run_golden("first.http")
        self.assertEqual(1, code)
        self.assertIn("musterd ended with 3", printed)

    def test_a_server_that_does_not_start_fails(self):
        self.write("first.http", "# c\n>>> GET /status\n<<< 200\n\n~has\n")
        shutil.copy("/bin/false", self.binary)
        code, printed = self.run_golden("first.http")
        self.assertEqual(1, code)
        self.assertIn("musterd did not start", printed)

    def test_accepting_writes_what_came(self):
        self.write("first.http", "# c\n>>> GET /status\nK: v\n<<< 201\n\n{\"status\": \"x\"}\n")
        with mock.patch.dict(os.environ, {"ACCEPT": "1"}):
            self.run_golden("first.http")
        self.assertEqual("# c\n>>> GET /status\nK: v\n<<< 200\n\n{\"status\": \"v\"}\n",
                         (self.tree / "api/golden/first.http").read_text())

    def test_lint_needs_no_server(self):
        self.write_all()
        self.binary.unlink()
        self.assertEqual((0, "2 passed, 0 failed\n"), self.run_golden("--lint"))
        self.write("bad.http", "# c\n>>> GET /status\n<<< 418\n\n~has\n")
        code, printed = self.run_golden("--lint")
        self.assertEqual(1, code)
        self.assertIn("status 418 is not documented", printed)


if __name__ == "__main__":
    unittest.main()
