# SPDX-License-Identifier: Apache-2.0
"""What musterd calls over HTTPS, on loopback."""
import http.server
import ssl
import threading


class HttpsServer:
    """Answers with `handler`, a http.server.BaseHTTPRequestHandler, until stop(). `url` ends in `/`."""

    def __init__(self, handler, certificate):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"https://127.0.0.1:{self.server.server_port}/"

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
