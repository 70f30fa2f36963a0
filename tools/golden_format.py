# SPDX-License-Identifier: Apache-2.0
"""Golden conversations as values: reads them, fills in requests, compares answers.

The format is in api/golden/README.md.
"""
import base64
import datetime
import difflib
import gzip
import hashlib
import hmac
import json
import re
import struct

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
TEMPLATE = re.compile(r"\{\{(now)(?:([+-]\d+)s)?\}\}|\{\{0x([0-9A-Fa-f]{2})\}\}"
                      r"|\{\{totp:(\w+)(?:([+-]\d+)s)?\}\}"
                      r"|\{\{passkey:(\w+)(?::(\w+))?\}\}"
                      r"|\{\{([^{}\n]+?)\*(\d+)\}\}|\{\{(\w+)\}\}")
CAPTURE = r'[^",{}\[\]\r\n]+'


class GoldenError(Exception):
    """A golden file that cannot be read or does not hold."""


# --- Reading ------------------------------------------------------------------------------------

class Exchange:
    """One request and the answer it must get. The answer stands in the lines from `answer_at` up
    to `answer_end` of its file."""

    def __init__(self, method, target):
        self.method, self.target = method, target
        self.headers, self.body = [], ""
        self.status, self.expected_headers, self.expected = None, [], ""
        self.answer_at = self.answer_end = 0


class Golden:
    def __init__(self, claim, after, config, lenient, exchanges):
        self.claim, self.after, self.config = claim, after, config
        self.lenient, self.exchanges = lenient, exchanges


def split_block(lines):
    """(headers, body) of the lines after `>>>` or `<<<`."""
    headers = []
    for at, line in enumerate(lines):
        if line == "":
            return headers, "\n".join(lines[at + 1:]).rstrip("\r\n")
        name, colon, value = line.partition(":")
        if not colon:
            raise GoldenError(f"not a header line: {line!r}")
        headers.append((name.strip(), value.strip()))
    return headers, ""


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
        headers, body = split_block(lines[at + 1:end])
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
            last.answer_at, last.answer_end = at, end
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


def totp(secret, seconds):
    """The code that an authenticator shows (RFC 6238: SHA-1, six digits, 30 s)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">q", seconds // 30), "sha1")
    number = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


class Passkey:
    """An authenticator that signs with RS256, for a server at `server_url`. Its key is the one of
    WebAuthn Level 3, 16.11: two Mersenne primes."""
    P, Q, E = 2 ** 1279 - 1, 2 ** 2203 - 1, 65537
    N, SIZE = P * Q, 436
    ID = b"golden passkey"

    def __init__(self, server_url):
        self.origin = server_url
        self.rp_id_hash = hashlib.sha256(server_url.split("//")[1].encode()).digest()

    def client_data(self, of, challenge):
        return json.dumps({"type": f"webauthn.{of}", "challenge": challenge,
                           "origin": self.origin}).encode()

    def data(self, flags=b"\x05"):
        """User present and verified; no counter."""
        return self.rp_id_hash + flags + bytes(4)

    def attestation(self):
        key = (bytes.fromhex("a40103033901002059") + self.SIZE.to_bytes(2, "big")
               + self.N.to_bytes(self.SIZE, "big") + bytes.fromhex("2143010001"))
        data = (self.data(b"\x45") + bytes(16) + len(self.ID).to_bytes(2, "big") + self.ID + key)
        return (b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"
                + len(data).to_bytes(2, "big") + data)

    def signature(self, challenge):
        """Over authenticator data and the hash of the client data."""
        return self.sign(self.data()
                         + hashlib.sha256(self.client_data("get", challenge)).digest())

    @classmethod
    def sign(cls, content):
        """RFC 8017, 8.2.1."""
        digest = bytes.fromhex("3031300d060960864801650304020105000420") \
            + hashlib.sha256(content).digest()
        padded = b"\0\1" + b"\xff" * (cls.SIZE - 3 - len(digest)) + b"\0" + digest
        exponent = pow(cls.E, -1, (cls.P - 1) * (cls.Q - 1))
        return pow(int.from_bytes(padded, "big"), exponent, cls.N).to_bytes(cls.SIZE, "big")

    def text(self, part, challenge):
        """A part of what a browser sends, in base64url."""
        octets = {"id": lambda: self.ID, "attestation": self.attestation, "data": self.data,
                  "create": lambda: self.client_data("create", challenge),
                  "get": lambda: self.client_data("get", challenge),
                  "signature": lambda: self.signature(challenge)}[part]()
        return base64.urlsafe_b64encode(octets).rstrip(b"=")


def substitute(text, variables, now):
    """Bytes of a request text with its placeholders replaced."""
    def replace(found):
        is_now, offset, byte, secret, later, part, of, repeated, count, name = found.groups()
        if is_now:
            return rfc3339(now + datetime.timedelta(seconds=int(offset or 0))).encode()
        if byte:
            return bytes([int(byte, 16)])
        if secret:
            if secret not in variables:
                raise GoldenError(f"variable {secret} has no value yet")
            return totp(variables[secret], int(now.timestamp()) + int(later or 0)).encode()
        if part:
            if of and of not in variables:
                raise GoldenError(f"variable {of} has no value yet")
            return Passkey(variables["server_url"]).text(part, variables.get(of))
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


def accept_json(expected, actual, variables):
    """`expected` with what does not hold replaced by what came."""
    try:
        match_json(expected, actual, variables)
        return expected
    except GoldenError:
        pass
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: accept_json(value, actual[key], variables)
                for key, value in expected.items() if key in actual}
    if isinstance(expected, list) and isinstance(actual, list):
        more = ["..."] if expected[-1:] == ["..."] else []
        return [accept_json(expected[at], value, variables) if at < len(expected) - len(more)
                else value for at, value in enumerate(actual)] + more
    return actual


def accept_body(expected, actual, variables):
    """(expected body that holds for `actual`, variables)."""
    try:
        return expected, match_body(expected, actual, variables)
    except GoldenError:
        pass
    accepted = accept_text(expected, actual, variables)
    if expected.startswith("~has\n"):
        accepted = "\n".join(line for line in expected.split("\n")
                             if line == "~has" or line in actual)
    elif expected.startswith("~json\n"):
        try:
            merged = accept_json(json.loads(expected[6:]), json.loads(actual), variables)
            accepted = "~json\n" + json.dumps(merged, ensure_ascii=False)
        except ValueError:
            accepted = actual
    try:
        return accepted, match_body(accepted, actual, variables)
    except GoldenError:
        return actual, variables


def with_answers(text, answers):
    """The text of a golden file with [(Exchange, status, expected body)] written into it."""
    lines = text.rstrip("\n").split("\n")
    for exchange, status, body in reversed(answers):
        block = [f"<<< {status}"] + [f"{n}: {v}" for n, v in exchange.expected_headers]
        lines[exchange.answer_at:exchange.answer_end] = block + (["", body] if body else [])
    return "\n".join(lines) + "\n"
