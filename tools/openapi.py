#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes api/openapi.yaml from src/endpoints/routes.def and api/schemas/*.yaml; the schemas ErrorCode
and EventType are the lists of src/base/errc.def and src/model/event_types.def.

  openapi.py              write api/openapi.yaml, and what follows from it (tools/route_inputs.py)
  openapi.py --check      write nothing; fail when a committed file differs
  openapi.py --json FILE  also write the document as JSON (what GET /openapi.json answers)

Fails when a route has no schema entry or a schema entry no route, when an error code of
src/base/errc.def is documented nowhere or under another status than its own, and when a reference
or limit does not exist. Needs PyYAML (Debian: python3-yaml).
"""
import argparse
import collections
import json
import pathlib
import re
import sys

import yaml

import route_inputs
from event_types import SOURCE as EVENT_TYPES, read_event_types

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Codes that no answer documents, each with its reason.
UNDOCUMENTED_CODES = {}
ERROR_SCHEMAS = {
    "device": {"$ref": "DeviceError"},
    "inventory": {"$ref": "InventoryError"},
    "shared": {"anyOf": [{"$ref": "DeviceError"}, {"$ref": "InventoryError"}]},
    "operators": {"$ref": "OperatorError"},
}
REASONS = {400: "Bad request", 401: "Not authenticated", 403: "Forbidden", 404: "Not found",
           405: "Method not allowed", 409: "Conflict", 413: "Body too large",
           415: "Unsupported encoding", 421: "Misdirected request", 429: "Too many requests",
           431: "Head too large", 503: "Overloaded or unavailable"}

# Errors that a route has for being a route, for taking a body, and for its guard.
EVERY_ROUTE = {503: ["overloaded", "unavailable"]}
EVERY_BODY = {413: ["body_too_large"]}
# Of operator routes: a parameter or member that is not here (src/endpoints/inputs.h). Most have
# reasons of their own as well.
EVERY_INPUT = {400: ["invalid_field"]}
DEVICE_401 = ["invalid_credentials", "clock_skew", "disabled"]
ROLES = ["read_only", "analyst", "operator", "admin"]
OPERATOR_ERRORS = {401: ["invalid_credentials"], 403: ["insufficient_role", "insufficient_scope", "foreign_origin"]}
GUARD_ERRORS = {
    "anybody": {},
    "device_key": {401: DEVICE_401, 429: ["rate_limited"]},
    "inventory_key": {401: ["missing_api_key", "invalid_api_key"] + DEVICE_401,
                      403: ["insufficient_scope"], 429: ["rate_limited"]},
    "stranger": {403: ["foreign_origin"]},
    **{f"role_{role}": OPERATOR_ERRORS for role in ROLES},
    "feed_importer": OPERATOR_ERRORS,
    "operator_or_loopback": OPERATOR_ERRORS,
}
AGENT_KEY = [{"agentKey": [], "agentId": [], "requestTimestamp": []},
             {"bearer": [], "agentId": [], "requestTimestamp": []}]
GUARD_SECURITY = {
    "anybody": [],
    "device_key": AGENT_KEY,
    "inventory_key": [{"agentKey": []}] + AGENT_KEY,
    "stranger": [],
    **{f"role_{role}": [{"bearer": []}, {"session": []}] for role in ROLES},
    "feed_importer": [{"bearer": []}, {"session": []}],
    "operator_or_loopback": [{}, {"bearer": []}, {"session": []}],
}
SECURITY_SCHEMES = {
    "agentKey": {"type": "apiKey", "in": "header", "name": "X-Agent-Key",
                 "description": "An agent's own key (`ak_`) or an inventory key (`sk_agent_`)."},
    "agentId": {"type": "apiKey", "in": "header", "name": "X-Agent-ID",
                "description": "The agent's id; makes a shared route speak the device dialect."},
    "requestTimestamp": {"type": "apiKey", "in": "header", "name": "X-Request-Timestamp",
                         "description": "RFC 3339, within 300 s of the server's clock."},
    "bearer": {"type": "http", "scheme": "bearer",
               "description": "An operator token, an inventory key with the scope read or import, "
                              "or an agent's own key."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-muster-session",
                "description": "A session of the console; without TLS the name is muster-session. "
                               "What is not GET needs the header X-Muster-Console as well."},
}


class ContractError(Exception):
    """The inputs contradict one another."""


Route = collections.namedtuple("Route", "guard dialect body_max")


def read_limits(text):
    """Integer constants of limits.h by name; durations are left out."""
    limits = {}
    for name, value in re.findall(r"inline constexpr [\w:]+ (\w+)\s*=\s*([^;]+);", text):
        value = re.sub(r"(?<=\d)'(?=\d)", "", value)
        if re.fullmatch(r"[\w\s*+()-]+", value):
            limits[name] = int(eval(value, {"__builtins__": {}}, dict(limits)))
    return limits


def read_codes(text):
    """{code: status} of errc.def."""
    rows = re.findall(r"^ERRC\((\w+),\s*(\d+)\)", text, re.M)
    return {name: int(status) for name, status in rows}


def read_routes(text):
    """{'METHOD /path': Route} of routes.def, in its order."""
    text = re.sub(r"//[^\n]*", "", text)
    word = r"\s*(\w+)\s*,"
    rows = re.findall(rf'^\s*ROUTE\({word}\s*"([^"]+)"\s*,{word * 3}', text, re.M)
    if len(rows) != len(re.findall(r"\bROUTE\(", text)):
        raise ContractError("routes.def has a line that does not read as "
                            "ROUTE(method, path, guard, dialect, body_max, …)")
    routes = {}
    for method, path, guard, dialect, body_max in rows:
        key = f"{'DELETE' if method == 'del' else method.upper()} {path}"
        if key in routes:
            raise ContractError(f"routes.def: {key} stands twice")
        if guard not in GUARD_ERRORS or dialect not in ERROR_SCHEMAS:
            raise ContractError(f"routes.def: {key}: unknown guard {guard} or dialect {dialect}")
        routes[key] = Route(guard, dialect, body_max)
    return routes


def read_area(text):
    return yaml.safe_load(text) or {}


def merge_areas(areas):
    """One document of all schema files: {info, unrouted, schemas, routes}."""
    merged = {"info": {}, "unrouted": {}, "schemas": {}, "routes": {}}
    for name, area in areas:
        for part, target in merged.items():
            for key, value in (area.get(part) or {}).items():
                if key in target:
                    raise ContractError(f"api/schemas/{name}: {part} {key} is defined twice")
                target[key] = value
    return merged


def resolve(node, limits, names):
    """A copy with `$ref: Name` and `limits.NAME` made standard; nullable goes beside allOf."""
    if isinstance(node, list):
        return [resolve(item, limits, names) for item in node]
    if isinstance(node, str) and node.startswith("limits."):
        if node[7:] not in limits:
            raise ContractError(f"api/schemas: no such limit: {node}")
        return limits[node[7:]]
    if not isinstance(node, dict):
        return node
    out = {key: resolve(value, limits, names) for key, value in node.items() if key != "$ref"}
    if "$ref" in node:
        if node["$ref"] not in names:
            raise ContractError(f"api/schemas: no such schema: {node['$ref']}")
        ref = {"$ref": "#/components/schemas/" + node["$ref"]}
        # OpenAPI 3.0 ignores what stands beside a $ref.
        return {"allOf": [ref], **out} if out else ref
    return out


def errors_of(key, route, entry):
    """{status: codes} of everything that can go wrong on a route."""
    merged = {}
    for errors in (GUARD_ERRORS[route.guard], entry.get("errors") or {},
                   EVERY_BODY if "request" in entry else {}, EVERY_ROUTE):
        for status, codes in errors.items():
            merged.setdefault(status, []).extend(codes)
    if key.split(" ")[1].startswith(route_inputs.PREFIX):
        for status, codes in EVERY_INPUT.items():
            there = merged.setdefault(status, [])
            there.extend(code for code in codes if code not in there)
    return dict(sorted(merged.items()))


def error_response(status, codes, dialect):
    return {"description": f"{REASONS[status]}: {', '.join(codes)}.",
            "x-codes": codes,
            "content": {"application/json": {"schema": ERROR_SCHEMAS[dialect]}}}


def operation(key, route, entry, limits):
    method, path = key.split(" ")
    out = {"summary": " ".join(entry["summary"].split()),
           "operationId": re.sub(r"[^a-z0-9]+", "_", f"{method} {path}".lower()).strip("_"),
           "security": GUARD_SECURITY[route.guard]}
    if route.guard.startswith("role_"):
        out["x-role"] = route.guard.removeprefix("role_")
    if route.guard == "feed_importer":
        out["x-role"] = "admin"
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                  for name in re.findall(r":(\w+)", path)]
    for name, query in (entry.get("query") or {}).items():
        parameters.append({"name": name, "in": "query", **query})
    if parameters:
        out["parameters"] = parameters
    if "request" in entry:
        content_type = entry.get("request_type", "application/json")
        out["requestBody"] = {"required": True,
                              "content": {content_type: {"schema": entry["request"]}}}
        if route.body_max not in limits:
            raise ContractError(f"routes.def: {key}: no such limit: {route.body_max}")
        out["x-body-max-bytes"] = limits[route.body_max]
    responses = {}
    for status, response in entry["responses"].items():
        made = {"description": response["description"]}
        if "body" in response:
            made["content"] = {"application/json": {"schema": response["body"]}}
        if "content_type" in response:
            made.setdefault("content", {})[response["content_type"]] = {"schema": {"type": "string"}}
        responses[str(status)] = made
    for status, codes in errors_of(key, route, entry).items():
        responses[str(status)] = error_response(status, codes, route.dialect)
    out["responses"] = responses
    return out


def check_codes(routes, merged, codes):
    documented = set()
    everything = [("unrouted", merged["unrouted"])]
    everything += [(key, errors_of(key, route, merged["routes"][key])) for key, route in routes.items()]
    for where, errors in everything:
        for status, names in errors.items():
            for name in names:
                if name not in codes:
                    raise ContractError(f"{where}: {name} is not in errc.def")
                if codes[name] != status:
                    raise ContractError(f"{where}: {name} is {codes[name]}, not {status}")
                if names.count(name) > 1:
                    raise ContractError(f"{where}: {name} follows from its guard or body")
                documented.add(name)
    for name in codes:
        if name not in documented and name not in UNDOCUMENTED_CODES:
            raise ContractError(f"error code {name} is documented nowhere")
        if name in documented and name in UNDOCUMENTED_CODES:
            raise ContractError(f"error code {name} is documented: drop it from UNDOCUMENTED_CODES")


def build(routes, merged, codes, limits, event_types):
    """The OpenAPI document. Raises ContractError where its inputs disagree."""
    for key in routes:
        if key not in merged["routes"]:
            raise ContractError(f"{key} has no entry in api/schemas")
    for key in merged["routes"]:
        if key not in routes:
            raise ContractError(f"api/schemas: {key} is no route of routes.def")
    check_codes(routes, merged, codes)
    schemas = {"ErrorCode": {"type": "string", "enum": list(codes)},
               "EventType": {"type": "string", "enum": list(event_types)}, **merged["schemas"]}
    paths = {}
    for key, route in routes.items():
        method, path = key.split(" ")
        item = paths.setdefault(re.sub(r":(\w+)", r"{\1}", path), {})
        item[method.lower()] = operation(key, route, merged["routes"][key], limits)
    document = {
        "openapi": "3.0.3",
        "info": {**merged["info"], "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "securitySchemes": SECURITY_SCHEMES,
            "schemas": schemas,
            "responses": {
                f"Unrouted{status}": {
                    "description": f"Any path or method: {', '.join(names)}.",
                    "x-codes": names,
                    "content": {"application/json": {"schema": {"anyOf": [
                        ERROR_SCHEMAS["device"], ERROR_SCHEMAS["inventory"],
                        ERROR_SCHEMAS["operators"]]}}}}
                for status, names in merged["unrouted"].items()},
        },
    }
    return resolve(document, limits, set(schemas))


class Dumper(yaml.SafeDumper):
    """Repeats a value instead of naming it with an anchor: readers want plain YAML."""

    def ignore_aliases(self, data):
        return True


def render(document):
    head = ("# SPDX-License-Identifier: Apache-2.0\n"
            "# Generated by tools/openapi.py from src/endpoints/routes.def and api/schemas.\n")
    return head + yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def load(root=ROOT):
    """The document of a source tree."""
    routes_file = root / "src/endpoints/routes.def"
    if not routes_file.exists():
        raise ContractError("src/endpoints/routes.def does not exist")
    areas = [(path.name, read_area(path.read_text()))
             for path in sorted((root / "api/schemas").glob("*.yaml"))]
    return build(read_routes(routes_file.read_text()), merge_areas(areas),
                 read_codes((root / "src/base/errc.def").read_text()),
                 read_limits((root / "src/base/limits.h").read_text()),
                 read_event_types((root / EVENT_TYPES).read_text()))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Generates api/openapi.yaml.")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        document = load(options.root)
    except ContractError as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    wanted = {options.root / "api/openapi.yaml": render(document),
              options.root / route_inputs.SERVER: route_inputs.server_table(document),
              options.root / route_inputs.CONSOLE: route_inputs.console_table(document)}
    if options.json:
        options.json.write_text(json.dumps(document, ensure_ascii=False, separators=(", ", ": ")))
    for path, text in wanted.items():
        if path.exists() and path.read_text() == text:
            continue
        if options.check:
            print(f"openapi: {path.relative_to(options.root)} differs from its sources: "
                  "run tools/openapi.py", file=sys.stderr)
            return 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print(f"openapi: {sum(len(item) for item in document['paths'].values())} operations, "
          f"{len(document['components']['schemas'])} schemas")
    return 0


if __name__ == "__main__":
    sys.exit(main())
