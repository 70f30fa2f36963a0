# SPDX-License-Identifier: Apache-2.0
import pathlib
import socket
import ssl
import sys
import tempfile
import threading
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import http_cpu  # noqa: E402


class Spoken(unittest.TestCase):
    """What two servers agree on with their caller is looked at before their costs are compared."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate = http_cpu.Certificate(folder.name)

    def server(self, name, version):
        """One that shakes hands once."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.file, self.certificate.key)
        context.minimum_version = context.maximum_version = version
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def shake_hands():
            with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as made:
                made.recv(1)
        thread = threading.Thread(target=shake_hands)
        thread.start()
        self.addCleanup(thread.join)
        return types.SimpleNamespace(name=name, port=listener.getsockname()[1],
                                     certificate=self.certificate)

    def test_two_alike_are_named_by_version_and_cipher(self):
        alike = [self.server(name, ssl.TLSVersion.TLSv1_3) for name in ("nginx", "musterd")]
        plain = types.SimpleNamespace(name="plain", port=0, certificate=None)
        self.assertEqual(http_cpu.agreed_tls([plain, *alike]), "TLSv1.3, TLS_AES_256_GCM_SHA384")

    def test_unlike_ones_are_not_compared(self):
        unlike = [self.server("nginx", ssl.TLSVersion.TLSv1_2),
                  self.server("musterd", ssl.TLSVersion.TLSv1_3)]
        with self.assertRaisesRegex(SystemExit, "TLSv1.2"):
            http_cpu.agreed_tls(unlike)

    def test_each_is_compared_with_the_nginx_of_its_kind(self):
        def with_rounds(server, *costs):
            server.rounds = [{"cpu_us": cost, "user_us": 0, "system_us": 0, "per_second": 1}
                             for cost in costs]
            return server

        def nginx(certificate):
            made = http_cpu.Nginx.__new__(http_cpu.Nginx)     # starts no process
            made.name, made.certificate = "nginx", certificate
            return made
        servers = [with_rounds(nginx(None), 10.0, 12.0),
                   with_rounds(nginx(self.certificate), 20.0, 25.0),
                   with_rounds(types.SimpleNamespace(name="musterd", certificate=self.certificate),
                               26.0, 24.0)]
        self.assertEqual([row["ratio"] for row in http_cpu.summary(servers)], [1, 1, 1.2])


if __name__ == "__main__":
    unittest.main()
