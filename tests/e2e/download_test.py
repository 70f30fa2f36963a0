# SPDX-License-Identifier: Apache-2.0
"""A release as installers fetch it over TLS: whole, in ranges, and while others do not read."""
import hashlib
import http.client
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from muster_process import BINARIES, REQUEST_SECONDS, ROOT, Musterd

sys.path.insert(0, str(ROOT / "tools"))
from certificate import Certificate  # noqa: E402

MIB = 1 << 20
SIZE = 40 * MIB + 12345
SLOW_READERS = 20
#: Each holds a piece of 128 KiB and the kernel's buffers are not the server's; the rest is slack.
GROWTH_MAX = 24 * MIB
TARGET = "/api/agent/download?os=linux&arch=amd64"
LIMITS = "[limits]\ndownload_per_minute = 0\n"


class Downloads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-download-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.certificate = Certificate(self.folder)
        self.server = Musterd(self.folder / "data", LIMITS, self.certificate.flags(),
                              self.certificate).start()
        self.addCleanup(self.server.kill)
        self.content = random.Random(1).randbytes(SIZE)
        self.file = self.folder / "agent"
        self.file.write_bytes(self.content)
        self.muster("releases", "publish", self.file, "--version", "1.2.3", "--os", "linux",
                    "--arch", "amd64")

    def muster(self, *arguments):
        token = self.folder / "data" / "admin.token"
        subprocess.run([str(BINARIES / "muster"), *map(str, arguments), "--server",
                        f"https://localhost:{self.server.port}", "--ca-file", str(self.certificate.file),
                        "--token-file", str(token), "--json"], check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def get(self, **headers):
        connection = http.client.HTTPSConnection("localhost", self.server.port,
                                                 timeout=REQUEST_SECONDS,
                                                 context=self.certificate.context())
        self.addCleanup(connection.close)
        connection.request("GET", TARGET, headers=headers)
        return connection.getresponse()

    def test_whole_and_in_ranges_it_is_the_file(self):
        answer = self.get()
        self.assertEqual(answer.status, 200)
        self.assertEqual(hashlib.sha256(answer.read()).hexdigest(),
                         hashlib.sha256(self.content).hexdigest())
        tag = answer.getheader("ETag")
        self.assertEqual(tag.strip('"'), hashlib.sha256(self.content).hexdigest())
        joined, step = b"", 7 * MIB + 1
        while len(joined) < SIZE:
            part = self.get(**{"Range": f"bytes={len(joined)}-{len(joined) + step - 1}",
                               "If-Range": tag})
            self.assertEqual(part.status, 206)
            joined += part.read()
        self.assertEqual(joined, self.content)
        self.assertEqual(self.get(Range=f"bytes={SIZE}-").status, 416)

    def test_readers_that_do_not_read_cost_a_piece_each(self):
        self.get().read()
        before = self.server.resident()
        hanging = [self.get() for _ in range(SLOW_READERS)]
        self.assertTrue(all(answer.status == 200 for answer in hanging))
        self.assertEqual(len(self.get().read()), SIZE, "others are served")
        growth = self.server.resident() - before
        print(f"{SLOW_READERS} hanging downloads: {growth / MIB:.1f} MiB", file=sys.stderr)
        self.assertLess(growth, GROWTH_MAX)


if __name__ == "__main__":
    unittest.main()
