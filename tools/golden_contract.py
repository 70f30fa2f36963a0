# SPDX-License-Identifier: Apache-2.0
"""Judges golden conversations without a server: by the OpenAPI document, routes and error codes.

Needs jsonschema (Debian: python3-jsonschema).
"""
import json
import re

import jsonschema

from golden_format import GoldenError, PLACEHOLDER, TEMPLATE, with_setup

# What has no golden, with the reason.
CODES_WITHOUT_GOLDEN = {
    "malformed_request": "is no request that a conversation could hold: net's framing tests own it",
    "head_too_large": "as malformed_request",
    "overloaded": "needs 4,096 writes in flight at one moment: the load tests own it",
    "unavailable": "needs a broken store: the fault tests own it",
}
ROUTES_WITHOUT_GOLDEN = {
    "POST /api/v1/alerts/{id}/acknowledge":
        "needs an alert that is not ok, and alerts are evaluated seconds later: e2e/alerts_test owns it",
}


# --- The OpenAPI document -----------------------------------------------------------------------

class Contract:
    """The OpenAPI document as a judge of bodies."""

    def __init__(self, document):
        self.document = document
        self.paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?"), path)
                      for path in sorted(document["paths"], key=lambda p: ("{" in p, p))]
        self.strict = strict_schemas(document["components"]["schemas"], True)
        self.open = strict_schemas(document["components"]["schemas"], False)

    def operation(self, method, target):
        """(path pattern, operation), or (None, None) for what is no route."""
        for regex, path in self.paths:
            if regex.fullmatch(target.split("?")[0]):
                found = self.document["paths"][path].get(
                    "get" if method == "HEAD" else method.lower())
                if found:
                    return path, found
        return None, None

    def check_request(self, method, target, body):
        """Raises GoldenError when a request that shall succeed is not as documented."""
        path, operation = self.operation(method, target)
        if operation is None:
            raise GoldenError(f"{method} {target} is not in the OpenAPI document")
        known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        for pair in target.partition("?")[2].split("&"):
            if pair and pair.split("=")[0] not in known:
                raise GoldenError(f"{method} {path}: query parameter {pair!r} is not documented")
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            self.validate(body, content["schema"], False, f"{method} {path} request")

    def response(self, method, target, status):
        """What is documented for a status. Raises GoldenError when nothing is."""
        _, operation = self.operation(method, target)
        documented = (operation or {}).get("responses", {}).get(str(status)) or \
            self.document["components"]["responses"].get(f"Unrouted{status}")
        if documented is None:
            raise GoldenError(f"{method} {target}: status {status} is not documented")
        return documented

    def check_answer(self, method, target, status, body):
        """Raises GoldenError when an answer is not as documented."""
        response = self.response(method, target, status)
        if method == "HEAD" and not body:  # has none, whatever GET has (RFC 9110 9.3.2)
            return
        content = response.get("content", {})
        if not content and body:
            raise GoldenError(f"{method} {target}: {status} has a body, documented is none")
        if "application/json" not in content or (len(content) > 1 and not body.startswith("{")):
            return
        where = f"{method} {target} {status}"
        value = self.validate(body, content["application/json"]["schema"], True, where)
        codes = response.get("x-codes")
        code = value.get("code", value.get("error")) if codes else None
        if codes and code not in codes:
            raise GoldenError(f"{where}: code {code} is not documented there")

    def validate(self, body, schema, strict, where):
        try:
            value = json.loads(body)
        except ValueError:
            raise GoldenError(f"{where}: not JSON") from None
        root = convert(schema, strict)
        root["definitions"] = self.strict if strict else self.open
        errors = sorted(Validator(root).iter_errors(value), key=lambda e: list(map(str, e.path)))
        if errors:
            error = jsonschema.exceptions.best_match(errors)
            at = ".".join(str(part) for part in error.absolute_path) or "body"
            raise GoldenError(f"{where}: {at}: {error.message}")
        return value


def convert(node, strict):
    """A schema of OpenAPI 3.0 as JSON Schema; `strict` closes objects that list their members."""
    if isinstance(node, list):
        return [convert(item, strict) for item in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if key == "$ref":
            out[key] = value.replace("#/components/schemas/", "#/definitions/")
        elif key == "properties":
            out[key] = {name: convert(schema, strict) for name, schema in value.items()}
        elif key not in ("nullable", "description", "example", "default", "format"):
            out[key] = convert(value, strict)
    if strict and "properties" in out:
        out.setdefault("additionalProperties", False)
    return {"anyOf": [{"type": "null"}, out]} if node.get("nullable") else out


def strict_schemas(schemas, strict):
    return {name: convert(schema, strict) for name, schema in schemas.items()}


def unless_placeholder(keyword):
    def check(validator, value, instance, schema):
        if isinstance(instance, str) and "{{" in instance:
            return
        yield from keyword(validator, value, instance, schema) or ()
    return check


# A string with a placeholder in it satisfies every schema: --lint checks files, not answers.
Validator = jsonschema.validators.extend(
    jsonschema.Draft7Validator,
    {name: unless_placeholder(keyword)
     for name, keyword in jsonschema.Draft7Validator.VALIDATORS.items()
     if name not in ("$ref", "anyOf", "allOf", "oneOf")})


# --- Without a server ---------------------------------------------------------------------------

def quoted(body):
    """A body with its bare placeholders made strings, so that it is JSON."""
    return re.sub(r'(?<![\w"}=])(\{\{\w+\}\})(?![\w"{])', r'"\1"', body)


def lint_exchange(exchange, lenient, contract):
    target = re.sub(r"\{\{.*?\}\}", "x", exchange.target)
    text = exchange.body[6:] if exchange.body.startswith("@gzip\n") else exchange.body
    if 200 <= exchange.status < 300 and text and not lenient:
        text = re.sub(r"\{\{now([+-]\d+s)?\}\}", "2026-01-01T00:00:00Z", text)
        contract.check_request(exchange.method, target, quoted(text))
    if exchange.expected.startswith("~json\n"):
        json.loads(exchange.expected[6:])
        contract.response(exchange.method, target, exchange.status)
    elif exchange.expected.startswith("~has"):
        contract.response(exchange.method, target, exchange.status)
    else:
        contract.check_answer(exchange.method, target, exchange.status, quoted(exchange.expected))


def lint_variables(chain):
    known = {"admin_token", "server_url"}
    for name, golden in chain:
        for exchange in golden.exchanges:
            sent = "\n".join([exchange.target, exchange.body] + [v for _, v in exchange.headers])
            for *_, used in TEMPLATE.findall(sent):
                if used and used not in known:
                    raise GoldenError(f"{name}: variable {used} has no value yet")
            got = "\n".join([exchange.expected] + [v for _, v in exchange.expected_headers])
            known |= {n for n in PLACEHOLDER.findall(got) if not n.startswith("_")}


def lint(root, names, contract):
    """[(name, message)] of what is wrong with files as they stand."""
    wrong = []
    for name in names:
        try:
            chain = with_setup(root, name)
            lint_variables(chain)
            golden = chain[-1][1]
            for exchange in golden.exchanges:
                lint_exchange(exchange, golden.lenient, contract)
        except (GoldenError, ValueError) as error:
            wrong.append((name, str(error)))
    return wrong


def uncovered(goldens, contract, codes):
    """Routes and error codes that no golden shows."""
    routes, seen = set(), set()
    for golden in goldens:
        for exchange in golden.exchanges:
            path, operation = contract.operation(
                exchange.method, re.sub(r"\{\{.*?\}\}", "x", exchange.target))
            if operation and exchange.status < 400:
                routes.add((exchange.method, path))
            seen |= set(re.findall(r'"(?:code|error)": "(\w+)"', exchange.expected))
    for path, item in contract.document["paths"].items():
        for method in item:
            route = f"{method.upper()} {path}"
            if (method.upper(), path) not in routes and route not in ROUTES_WITHOUT_GOLDEN:
                yield f"{route} has no golden that succeeds"
    for code in codes:
        if code not in seen and code not in CODES_WITHOUT_GOLDEN:
            yield f"error code {code} has no golden"
