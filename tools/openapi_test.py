#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of openapi.py: python3 tools/openapi_test.py"""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import openapi
from openapi import ContractError

LIMITS = """
inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;
inline constexpr std::size_t body_bytes = 2 * MiB;
inline constexpr std::int64_t many = 1'000'000;
inline constexpr Duration wait = std::chrono::seconds(20);
"""
ROUTES = """
// ROUTE(get, "/not/this", anybody, device, body_bytes, here, f)
ROUTE(post, "/things",     role_operator, operators, body_bytes, write, create)
ROUTE(del,  "/things/:id", role_operator, operators, none_bytes, write, remove)
"""
SCHEMAS = """
info: {title: T, version: '1'}
unrouted: {404: [not_found]}
schemas:
  OperatorError: {type: object}
  DeviceError: {type: object}
  InventoryError: {type: object}
  Name: {type: string, maxLength: limits.many}
routes:
  POST /things:
    summary: Create.
    query:
      dry: {schema: {type: boolean}, description: Only try.}
    request: {type: object, properties: {name: {$ref: Name}, alias: {$ref: Name, nullable: true}}}
    responses:
      201: {description: Created., body: {$ref: Name}}
    errors: {400: [invalid_field]}
  DELETE /things/:id:
    summary: Remove.
    responses:
      204: {description: Removed.}
"""
CODES = """
ERRC(not_found, 404)
ERRC(invalid_field, 400)
ERRC(invalid_credentials, 401)
ERRC(insufficient_role, 403)
ERRC(insufficient_scope, 403)
ERRC(foreign_origin, 403)
ERRC(body_too_large, 413)
ERRC(overloaded, 503)
ERRC(unavailable, 503)
"""


def build(routes=ROUTES, schemas=SCHEMAS, codes=CODES):
    merged = openapi.merge_areas([("a.yaml", openapi.read_area(schemas))])
    return openapi.build(openapi.read_routes(routes), merged, openapi.read_codes(codes),
                         openapi.read_limits(LIMITS), ["came_online"])


class Sources(unittest.TestCase):
    def test_limits_are_numbers_and_durations_are_left_out(self):
        limits = openapi.read_limits(LIMITS)
        self.assertEqual(2 * 1024 * 1024, limits["body_bytes"])
        self.assertEqual(1000000, limits["many"])
        self.assertNotIn("wait", limits)

    def test_routes_have_a_guard_a_dialect_and_a_body_limit(self):
        self.assertEqual({"POST /things": ("role_operator", "operators", "body_bytes"),
                          "DELETE /things/:id": ("role_operator", "operators", "none_bytes")},
                         openapi.read_routes(ROUTES))

    def test_a_line_that_does_not_read_as_a_route_is_an_error(self):
        for line in ('ROUTE(get, "/x", f)', 'ROUTE(get, "/x", nobody, operators, b, here, f)',
                     'ROUTE(get, "/x", anybody, klingon, b, here, f)'):
            with self.assertRaises(ContractError, msg=line):
                openapi.read_routes(ROUTES + line)

    def test_a_route_that_stands_twice_is_an_error(self):
        with self.assertRaises(ContractError):
            openapi.read_routes(ROUTES + ROUTES)


class Document(unittest.TestCase):
    def test_paths_parameters_limits_and_references_are_standard(self):
        document = build()
        post = document["paths"]["/things"]["post"]
        self.assertEqual(2 * 1024 * 1024, post["x-body-max-bytes"])
        self.assertEqual([("dry", "query")], [(p["name"], p["in"]) for p in post["parameters"]])
        self.assertEqual(1000000, document["components"]["schemas"]["Name"]["maxLength"])
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        name = {"$ref": "#/components/schemas/Name"}
        self.assertEqual({"name": name, "alias": {"allOf": [name], "nullable": True}},
                         schema["properties"])
        remove = document["paths"]["/things/{id}"]["delete"]
        self.assertEqual([("id", "path")], [(p["name"], p["in"]) for p in remove["parameters"]])

    def test_event_types_are_a_schema(self):
        self.assertEqual({"type": "string", "enum": ["came_online"]},
                         build()["components"]["schemas"]["EventType"])

    def test_errors_are_those_of_the_route_its_guard_and_its_body(self):
        responses = build()["paths"]["/things"]["post"]["responses"]
        self.assertEqual(["201", "400", "401", "403", "413", "503"], list(responses))
        self.assertEqual(["invalid_field"], responses["400"]["x-codes"])
        self.assertNotIn("413", build()["paths"]["/things/{id}"]["delete"]["responses"])

    def test_an_error_that_follows_from_the_guard_is_not_repeated(self):
        with self.assertRaisesRegex(ContractError, "follows from its guard"):
            build(schemas=SCHEMAS.replace("400: [invalid_field]", "401: [invalid_credentials]"))

    def test_a_route_without_a_schema_is_an_error(self):
        with self.assertRaisesRegex(ContractError, "GET /more has no entry"):
            build(routes=ROUTES + 'ROUTE(get, "/more", anybody, operators, none_bytes, here, f)\n')

    def test_a_schema_without_a_route_is_an_error(self):
        with self.assertRaisesRegex(ContractError, "DELETE /things/:id is no route"):
            build(routes=ROUTES.split("ROUTE(del")[0])

    def test_an_error_code_that_is_documented_nowhere_is_an_error(self):
        with self.assertRaisesRegex(ContractError, "lost is documented nowhere"):
            build(codes=CODES + "ERRC(lost, 410)\n")

    def test_an_error_code_under_another_status_is_an_error(self):
        with self.assertRaisesRegex(ContractError, "invalid_field is 422, not 400"):
            build(codes=CODES.replace("invalid_field, 400", "invalid_field, 422"))

    def test_unknown_codes_limits_and_references_are_errors(self):
        for before, after in (("[invalid_field]", "[nonsense]"), ("limits.many", "limits.few"),
                              ("{$ref: Name}}", "{$ref: Nobody}}")):
            with self.assertRaises(ContractError, msg=after):
                build(schemas=SCHEMAS.replace(before, after))


class CommittedFile(unittest.TestCase):
    def test_check_fails_until_it_is_written(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for name, text in (("src/base/limits.h", LIMITS), ("src/base/errc.def", CODES),
                               ("src/endpoints/routes.def", ROUTES),
                               ("src/model/event_types.def", 'EVENT_TYPE(online, "x")\n'),
                               ("api/schemas/a.yaml", SCHEMAS)):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            quiet = contextlib.ExitStack()
            with quiet:
                quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
                quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
                run = ["--root", str(root)]
                self.assertEqual(1, openapi.main(run + ["--check"]))
                self.assertEqual(0, openapi.main(run + ["--json", str(root / "api.json")]))
                self.assertEqual(0, openapi.main(run + ["--check"]))
                (root / "api/openapi.yaml").write_text("openapi: 3.0.3\n")
                self.assertEqual(1, openapi.main(run + ["--check"]))
            self.assertEqual("3.0.3", json.loads((root / "api.json").read_text())["openapi"])


if __name__ == "__main__":
    unittest.main()
