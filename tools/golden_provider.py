# SPDX-License-Identifier: Apache-2.0
"""A provider of identities on loopback, for goldens whose settings name {{provider}}.

It signs in whoever comes: a code is the nonce of the sign-in that it is for.
"""
import base64
import http.server
import json
import threading
import time
import urllib.parse

from golden_format import Passkey


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def id_token(issuer, nonce):
    """RFC 7515, 7.1, by RS256."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": "muster", "sub": "248289761001", "nonce": nonce,
              "email": "ada@example.org", "iat": now, "exp": now + 300}
    text = ".".join(base64url(json.dumps(part).encode())
                    for part in ({"alg": "RS256", "kid": "golden"}, claims))
    return text + "." + base64url(Passkey.sign(text.encode()))


class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        issuer = self.server.url
        if self.path == "/.well-known/openid-configuration":
            return self.answer({"issuer": issuer, "authorization_endpoint": issuer + "/auth",
                                "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys"})
        if self.path == "/keys":
            number = lambda value: base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
            return self.answer({"keys": [{"kty": "RSA", "kid": "golden", "use": "sig",
                                          "n": number(Passkey.N), "e": number(Passkey.E)}]})
        return self.answer({}, 404)

    def do_POST(self):
        form = urllib.parse.parse_qs(
            self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path != "/token" or len(form["code"][0]) != 43:
            return self.answer({"error": "invalid_grant"}, 400)
        return self.answer({"token_type": "Bearer", "access_token": "unused",
                            "id_token": id_token(self.server.url, form["code"][0])})

    def log_message(self, *_):
        pass


class GoldenProvider:
    """Answers until the end of its `with` block."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = self.server.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
