# SPDX-License-Identifier: Apache-2.0
"""A certificate for a server on this machine, for goldens, tests and benches."""
import pathlib
import ssl
import subprocess


class Certificate:
    """A self-signed one for localhost and 127.0.0.1 in `folder`, and how callers trust it."""

    def __init__(self, folder, name="server", days=30):
        self.file = pathlib.Path(folder) / f"{name}.pem"
        self.key = pathlib.Path(folder) / f"{name}.key"
        self.write(days)

    def write(self, days=30):
        """A new key and certificate in the same files."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.key, "-out", self.file, "-days", str(days),
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True)

    def flags(self):
        return ["--tls-cert", str(self.file), "--tls-key", str(self.key)]

    def context(self):
        """Trusts this certificate and nothing else."""
        return ssl.create_default_context(cafile=str(self.file))
