#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of route_inputs.py: python3 tools/route_inputs_test.py"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import route_inputs

SCHEMAS = {
    "Word": {"type": "string"},
    "Order": {"type": "object", "properties": {"name": {"$ref": "#/components/schemas/Word"},
                                               "parts": {"type": "array", "items": {
                                                   "type": "object", "properties": {"of": {}}}}}},
    "Either": {"oneOf": [{"type": "object", "properties": {"a": {}, "b": {}}},
                         {"type": "object", "properties": {"b": {}, "c": {}}}]},
}


def members(schema):
    return route_inputs.members_of(schema, SCHEMAS)


def document(**operations):
    return {"paths": {"/api/v1/things/{id}": operations, "/healthz": {"get": {}}},
            "components": {"schemas": SCHEMAS}}


def body(schema, content_type="application/json"):
    return {"requestBody": {"content": {content_type: {"schema": schema}}}}


class Members(unittest.TestCase):
    def test_are_paths_through_references_and_arrays(self):
        self.assertEqual(["name", "parts", "parts[].of"],
                         members({"$ref": "#/components/schemas/Order"}))

    def test_of_alternatives_are_all_of_them_once(self):
        self.assertEqual(["a", "b", "c"], members(SCHEMAS["Either"]))

    def test_below_a_map_are_nobodys(self):
        free = {"type": "object", "additionalProperties": {"type": "string"}}
        self.assertEqual(["env"], members({"properties": {"env": free}}))
        self.assertIs(route_inputs.FREE, members(free))


class Tables(unittest.TestCase):
    def test_have_the_operator_routes_alone(self):
        text = route_inputs.server_table(document(delete={}))
        self.assertEqual(['INPUTS(del, "/api/v1/things/:id", "", "")'],
                         [line for line in text.splitlines() if not line.startswith("//")])

    def test_tell_parameters_of_the_query_from_those_of_the_path(self):
        rows = list(route_inputs.operator_routes(document(get={"parameters": [
            {"name": "id", "in": "path"}, {"name": "org", "in": "query"}]})))
        self.assertEqual([("get", "/api/v1/things/:id", ["org"], [])], rows)

    def test_leave_alone_bodies_that_are_not_of_named_members(self):
        for free in (body({"type": "string"}, "application/octet-stream"),
                     body({"type": "object", "additionalProperties": True})):
            self.assertIn("any_body)", route_inputs.server_table(document(post=free)))

    def test_wrap_long_lists_without_losing_a_word(self):
        names = [f"member_{number}" for number in range(40)]
        text = route_inputs.literal(names)
        self.assertEqual(names, "".join(text.replace('"', "").split("\n      ")).split())
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()))

    def test_tell_the_console_which_routes_take_an_organisation(self):
        org = {"parameters": [{"name": "org", "in": "query"}]}
        text = route_inputs.console_table(document(get=org, delete={}))
        self.assertIn("  'GET /things/:id',\n", text)
        self.assertNotIn("DELETE", text)


if __name__ == "__main__":
    unittest.main()
