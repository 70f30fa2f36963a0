#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays api/golden/**/*.http (format: api/golden/README.md) against a musterd binary.

  golden.py [--musterd PATH] [FILE…]   replay, each file on a fresh data directory
  golden.py --lint [FILE…]             no server: read the files and check them against the
                                       OpenAPI document, the routes and the error codes
  ACCEPT=1 golden.py FILE…             write the answers into the files

A replay without FILE also fails when a route of routes.def or a code of errc.def has no golden.
Needs PyYAML and jsonschema (Debian: python3-yaml python3-jsonschema).
"""
import argparse
import datetime
import difflib
import gzip
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

import jsonschema

import openapi

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_URL = "https://muster.example.org"
START_SECONDS = 30
REQUEST_SECONDS = 60

# What has no golden, with the reason.
CODES_WITHOUT_GOLDEN = {
    "overloaded": "needs 4,096 writes in flight at one moment: the load tests own it",
    "unavailable": "needs a broken store: the fault tests own it",
    "fenced": "no route can create a fenced token yet",
}
ROUTES_WITHOUT_GOLDEN = {}

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
TEMPLATE = re.compile(r"\{\{(now)(?:([+-]\d+)s)?\}\}|\{\{0x([0-9A-Fa-f]{2})\}\}"
                      r"|\{\{([^{}\n]+?)\*(\d+)\}\}|\{\{(\w+)\}\}")
CAPTURE = r'[^",{}\[\]\r\n]+'


class GoldenError(Exception):
    """A golden file that cannot be read or does not hold."""


# --- Reading ------------------------------------------------------------------------------------

class Exchange:
    """One request and the answer it must get. `body_line` is the index of the first line of the
    expected body in its file, `body_end` the index after its last."""

    def __init__(self, method, target):
        self.method, self.target = method, target
        self.headers, self.body = [], ""
        self.status, self.expected_headers, self.expected = None, [], ""
        self.body_line = self.body_end = 0


class Golden:
    def __init__(self, claim, after, config, lenient, exchanges):
        self.claim, self.after, self.config = claim, after, config
        self.lenient, self.exchanges = lenient, exchanges


def split_block(lines):
    """(headers, body, index of the first body line) of the lines after `>>>` or `<<<`."""
    headers = []
    for at, line in enumerate(lines):
        if line == "":
            return headers, "\n".join(lines[at + 1:]).rstrip("\r\n"), at + 1
        name, colon, value = line.partition(":")
        if not colon:
            raise GoldenError(f"not a header line: {line!r}")
        headers.append((name.strip(), value.strip()))
    return headers, "", len(lines)


def parse_golden(text):
    lines = text.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith((">>> ", "<<< "))]
    head = [line[2:] for line in lines[:starts[0] if starts else len(lines)]
            if line.startswith("# ")]
    if not head:
        raise GoldenError("the first line must be `# ` and the claim")
    golden = Golden(head[0], [], [], False, [])
    for line in head[1:]:
        if line.startswith("after: "):
            golden.after.append(line[7:].strip())
        elif line.startswith("config: "):
            golden.config.append(line[8:].strip())
        elif line.startswith("lenient: "):
            golden.lenient = True
    for at, end in zip(starts, starts[1:] + [len(lines)]):
        words = lines[at][4:].split()
        headers, body, offset = split_block(lines[at + 1:end])
        if lines[at].startswith(">>> "):
            if len(words) != 2:
                raise GoldenError(f"line {at + 1}: want `>>> METHOD TARGET`")
            golden.exchanges.append(Exchange(*words))
            golden.exchanges[-1].headers, golden.exchanges[-1].body = headers, body
        else:
            if not golden.exchanges or golden.exchanges[-1].status is not None:
                raise GoldenError(f"line {at + 1}: an answer without its request")
            last = golden.exchanges[-1]
            last.status, last.expected_headers, last.expected = int(words[0]), headers, body
            last.body_line, last.body_end = at + 1 + offset, end
    if not golden.exchanges or any(e.status is None for e in golden.exchanges):
        raise GoldenError("every request needs an answer, and a file at least one request")
    return golden


def with_setup(root, name, seen=None):
    """[(name, Golden)]: the files that `name` comes after, in order, then itself."""
    seen = set() if seen is None else seen
    if name in seen:
        return []
    seen.add(name)
    path = root / name
    if not path.exists():
        raise GoldenError(f"{name} does not exist")
    golden = parse_golden(path.read_text())
    chain = []
    for earlier in golden.after:
        chain += with_setup(root, earlier, seen)
    return chain + [(name, golden)]


# --- Requests -----------------------------------------------------------------------------------

def rfc3339(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def substitute(text, variables, now):
    """Bytes of a request text with its placeholders replaced."""
    def replace(found):
        is_now, offset, byte, repeated, count, name = found.groups()
        if is_now:
            return rfc3339(now + datetime.timedelta(seconds=int(offset or 0))).encode()
        if byte:
            return bytes([int(byte, 16)])
        if count:
            return repeated.encode() * int(count)
        if name not in variables:
            raise GoldenError(f"variable {name} has no value yet")
        return variables[name].encode()
    out, at = b"", 0
    for found in TEMPLATE.finditer(text):
        out += text[at:found.start()].encode() + replace(found)
        at = found.end()
    return out + text[at:].encode()


def request_of(exchange, variables, now):
    """(method, target, headers, body bytes as sent, body bytes before compression)."""
    text, compress = exchange.body, False
    if text.startswith("@gzip\n"):
        text, compress = text[6:], True
    plain = substitute(text, variables, now)
    headers = [(name, substitute(value, variables, now).decode("latin-1"))
               for name, value in exchange.headers]
    if compress:
        headers.append(("Content-Encoding", "gzip"))
    target = substitute(exchange.target, variables, now).decode()
    return exchange.method, target, headers, gzip.compress(plain) if compress else plain, plain


# --- Answers ------------------------------------------------------------------------------------

def match_text(expected, actual, variables):
    """Variables after matching the whole text, or None."""
    pattern, at, names = "", 0, {}
    for found in PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[at:found.start()])
        name = found.group(1)
        if name.startswith("_"):
            pattern += CAPTURE
        elif name in variables:
            pattern += re.escape(variables[name])
        elif name in names:
            pattern += f"(?P={name})"
        else:
            names[name] = True
            pattern += f"(?P<{name}>{CAPTURE})"
        at = found.end()
    match = re.fullmatch(pattern + re.escape(expected[at:]), actual)
    return {**variables, **match.groupdict()} if match else None


def match_json(expected, actual, variables, path="body"):
    """Variables after matching the expected subset; raises GoldenError where it does not hold."""
    if isinstance(expected, str) and (found := PLACEHOLDER.fullmatch(expected)):
        if isinstance(actual, (dict, list)):
            raise GoldenError(f"{path}: want a scalar, got {json.dumps(actual)}")
        text, name = actual if isinstance(actual, str) else json.dumps(actual), found.group(1)
        if name.startswith("_"):
            return variables
        if variables.get(name, text) != text:
            raise GoldenError(f"{path}: want {variables[name]!r} ({name}), got {text!r}")
        return {**variables, name: text}
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key not in actual:
                raise GoldenError(f"{path}.{key} is missing")
            variables = match_json(value, actual[key], variables, f"{path}.{key}")
        return variables
    if isinstance(expected, list) and isinstance(actual, list):
        wanted = expected[:-1] if expected[-1:] == ["..."] else expected
        if len(actual) < len(wanted) or (wanted is expected and len(actual) != len(wanted)):
            raise GoldenError(f"{path}: want {len(wanted)} elements, got {len(actual)}")
        for at, value in enumerate(wanted):
            variables = match_json(value, actual[at], variables, f"{path}[{at}]")
        return variables
    if isinstance(expected, str) and isinstance(actual, str):
        matched = match_text(expected, actual, variables)
        if matched is not None:
            return matched
    elif type(expected) is type(actual) and expected == actual:
        return variables
    raise GoldenError(f"{path}: want {json.dumps(expected)}, got {json.dumps(actual)}")


def match_body(expected, actual, variables):
    """Variables after matching a body; raises GoldenError with a difference."""
    if expected == "~has" or expected.startswith("~has\n"):
        for line in expected.split("\n")[1:]:
            if line not in actual:
                raise GoldenError(f"the body has no {line!r}")
        return variables
    if expected.startswith("~json\n"):
        try:
            value = json.loads(actual)
        except ValueError:
            raise GoldenError(f"the body is not JSON: {actual!r}") from None
        return match_json(json.loads(expected[6:]), value, variables)
    matched = match_text(expected, actual, variables)
    if matched is None:
        known = PLACEHOLDER.sub(lambda f: variables.get(f.group(1), f.group(0)), expected)
        raise GoldenError("\n".join(difflib.ndiff(spread(known), spread(actual))))
    return matched


def spread(body):
    """Lines for a readable difference: one member or element each."""
    return re.sub(r'(, (?=")|(?<=[{\[]))', "\\1\n", body).split("\n")


def accept_text(expected, actual, variables):
    """`actual` with the placeholders of `expected` where their values stand."""
    for found in PLACEHOLDER.finditer(expected):
        name = found.group(1)
        before = re.escape(expected[max(0, found.start() - 24):found.start()].split("}}")[-1])
        context = re.search(before + "(" + CAPTURE + ")", actual)
        if context and (name.startswith("_") or variables.get(name, context.group(1)) ==
                        context.group(1)):
            actual = actual[:context.start(1)] + found.group(0) + actual[context.end(1):]
    return actual


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
                found = self.document["paths"][path].get(method.lower())
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

    def check_answer(self, method, target, status, body):
        """Raises GoldenError when an answer is not as documented."""
        path, operation = self.operation(method, target)
        if operation is None:
            response = self.document["components"]["responses"].get(f"Unrouted{status}")
        else:
            response = operation["responses"].get(str(status)) or \
                self.document["components"]["responses"].get(f"Unrouted{status}")
        if response is None:
            raise GoldenError(f"{method} {target}: status {status} is not documented")
        content = response.get("content", {})
        if not content and body:
            raise GoldenError(f"{method} {target}: {status} has a body, documented is none")
        if "application/json" not in content:
            return
        where = f"{method} {path or target} {status}"
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
    return re.sub(r'(?<![\w"}])(\{\{\w+\}\})(?![\w"{])', r'"\1"', body)


def lint_exchange(exchange, lenient, contract):
    target = re.sub(r"\{\{.*?\}\}", "x", exchange.target)
    text = exchange.body[6:] if exchange.body.startswith("@gzip\n") else exchange.body
    if 200 <= exchange.status < 300 and text and not lenient:
        text = re.sub(r"\{\{now([+-]\d+s)?\}\}", "2026-01-01T00:00:00Z", text)
        contract.check_request(exchange.method, target, quoted(text))
    if exchange.expected.startswith("~json\n"):
        json.loads(exchange.expected[6:])
        contract.check_answer(exchange.method, target, exchange.status, "") \
            if exchange.status == 204 else None
    elif not exchange.expected.startswith("~has"):
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


# --- With a server ------------------------------------------------------------------------------

def config_toml(settings):
    """TOML text of `section.key = value` lines."""
    sections = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        section, _, name = key.strip().partition(".")
        sections.setdefault(section, []).append(f"{name} = {value.strip()}")
    return "".join(f"[{section}]\n" + "\n".join(lines) + "\n"
                   for section, lines in sections.items())


class Server:
    """A musterd on a fresh data directory; ends with its `with` block."""

    def __init__(self, binary, settings):
        self.binary, self.settings = binary, settings

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="muster-golden-")
        data = pathlib.Path(self.directory.name) / "data"
        command = [str(self.binary), "--data", str(data), "--listen", "127.0.0.1:0",
                   "--server-url", SERVER_URL]
        if self.settings:
            config = pathlib.Path(self.directory.name) / "muster.toml"
            config.write_text(config_toml(self.settings))
            command += ["--config", str(config)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log, self.port, self.started = [], None, threading.Event()
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        if not self.started.wait(START_SECONDS) or self.port is None:
            self.__exit__()
            raise GoldenError("musterd did not start:\n" + "".join(self.log))
        self.admin_token = (data / "admin.token").read_text().strip()
        return self

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line)
            if '"server_started"' in line:
                try:
                    self.port = json.loads(line)["port"]
                except (ValueError, KeyError):
                    continue
                self.started.set()
        self.started.set()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        self.directory.cleanup()


def ask(connection, method, target, headers, body):
    """(status, headers, body) of one request."""
    given = {name.lower() for name, _ in headers}
    connection.putrequest(method, target, skip_host="host" in given, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if (body or method in ("POST", "PUT", "PATCH")) and "content-length" not in given:
        connection.putheader("Content-Length", str(len(body)))
    try:
        connection.endheaders(body or None)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before the body was read; the answer is there all the same
    response = connection.getresponse()
    return response.status, response.getheaders(), response.read().decode()


def replay_exchange(connection, exchange, lenient, variables, contract):
    """(variables, body) after one exchange; raises GoldenError when it does not hold."""
    now = datetime.datetime.now(datetime.timezone.utc)
    method, target, headers, body, plain = request_of(exchange, variables, now)
    status, got_headers, got = ask(connection, method, target, headers, body)
    here = f"{exchange.method} {exchange.target}"
    try:
        if status != exchange.status:
            raise GoldenError(f"want status {exchange.status}, got {status}: {got}")
        for name, value in exchange.expected_headers:
            found = [v for n, v in got_headers if n.lower() == name.lower()]
            matched = match_text(value, found[0], variables) if found else None
            if matched is None:
                raise GoldenError(f"want header {name}: {value}, got {found}")
            variables = matched
        variables = match_body(exchange.expected, got, variables)
        if 200 <= status < 300 and plain and not lenient:
            contract.check_request(method, target, plain)
        contract.check_answer(method, target, status, got)
    except GoldenError as error:
        raise GoldenError(f"{here}\n{error}") from None
    return variables, got


def replay(chain, binary, contract):
    """Raises GoldenError when the last file of the chain, or one before it, does not hold."""
    with Server(binary, chain[-1][1].config) as server:
        variables = {"admin_token": server.admin_token, "server_url": SERVER_URL}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_SECONDS)
        for name, golden in chain:
            for exchange in golden.exchanges:
                try:
                    variables, _ = replay_exchange(connection, exchange, golden.lenient, variables,
                                                   contract)
                except (GoldenError, OSError, http.client.HTTPException) as error:
                    raise GoldenError(f"{name}: {error}") from None
        connection.close()


def accept(root, chain, binary):
    """Writes the answers of the last file of the chain into it."""
    name, golden = chain[-1]
    lines = (root / name).read_text().split("\n")
    with Server(binary, golden.config) as server:
        variables = {"admin_token": server.admin_token, "server_url": SERVER_URL}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_SECONDS)
        answers = []
        for part, earlier in chain:
            for exchange in earlier.exchanges:
                now = datetime.datetime.now(datetime.timezone.utc)
                method, target, headers, body, _ = request_of(exchange, variables, now)
                status, _, got = ask(connection, method, target, headers, body)
                try:
                    variables = match_body(exchange.expected, got, variables)
                    text = exchange.expected
                except GoldenError:
                    text = accept_text(exchange.expected, got, variables)
                    variables = match_text(text, got, variables) or variables
                if part == name:
                    answers.append((exchange, status, text))
        connection.close()
    for exchange, status, text in reversed(answers):
        at = exchange.body_line
        while not lines[at - 1].startswith("<<< "):
            at -= 1
        lines[at - 1] = f"<<< {status}"
        ends_file = exchange.body_end == len(lines)
        lines[exchange.body_line:exchange.body_end] = \
            text.split("\n") + ([""] if ends_file else []) if text or ends_file else []
    (root / name).write_text("\n".join(lines))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Replays the golden conversations.")
    parser.add_argument("--musterd", type=pathlib.Path, default=ROOT / "build/release/bin/musterd")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="source tree")
    parser.add_argument("--lint", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    root = options.root / "api/golden"
    try:
        contract = Contract(openapi.load(options.root))
    except openapi.ContractError as error:
        print(f"openapi: {error}", file=sys.stderr)
        return 1
    every = sorted(str(path.relative_to(root)) for path in root.glob("**/*.http"))
    names = [str((path if path.exists() else root / path).resolve().relative_to(root.resolve()))
             for path in options.files] or every
    passed, failed = 0, 0
    if not options.files:
        codes = openapi.read_codes((options.root / "src/base/errc.def").read_text())
        try:
            goldens = [parse_golden((root / name).read_text()) for name in every]
            gaps = list(uncovered(goldens, contract, codes))
        except (GoldenError, ValueError):
            gaps = []  # lint names the file
        for gap in gaps:
            print(f"FAIL {gap}")
            failed += 1
    wrong = dict(lint(root, names, contract))
    for name in names:
        try:
            if name in wrong:
                raise GoldenError(wrong[name])
            if not options.lint:
                chain = with_setup(root, name)
                if os.environ.get("ACCEPT") == "1":
                    accept(root, chain, options.musterd)
                else:
                    replay(chain, options.musterd, contract)
            passed += 1
        except (GoldenError, OSError) as error:
            failed += 1
            print(f"FAIL {name}\n" + "\n".join("  " + line for line in str(error).split("\n")))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
