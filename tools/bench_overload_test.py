# SPDX-License-Identifier: Apache-2.0
import pathlib
import socket
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import overload  # noqa: E402

WAIT_SECONDS = 5
AGENT = {"X-Agent-ID": "a", "X-Agent-Key": "k"}


class OneConnection(unittest.TestCase):
    """A caller with one connection for results, and the other end of it."""

    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        server = types.SimpleNamespace(port=self.listener.getsockname()[1])
        self.load = overload.Load(server, [("t-1", AGENT), ("t-2", AGENT)], [], 1)
        self.addCleanup(self.load.close)
        self.end = self.accept()
        self.accept()       # the one for /metrics

    def accept(self):
        end, _ = self.listener.accept()
        self.addCleanup(end.close)
        return end

    def answer(self, text):
        self.load.send_result()
        self.assertIn(b"POST /api/agent/tasks/", self.end.recv(65536))
        self.end.sendall(text.encode())
        self.load.poll.look(WAIT_SECONDS)

    def waiting(self):
        return [task for task, _ in self.load.tasks]

    def test_an_accepted_result_is_not_sent_again(self):
        self.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        self.assertEqual((self.load.tally.statuses[200], self.waiting()), (1, ["t-2"]))

    def test_a_refused_result_waits_behind_the_others(self):
        self.answer("HTTP/1.1 503 Busy\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n")
        self.assertEqual((self.load.tally.refused(), self.waiting()), (1, ["t-2", "t-1"]))
        self.assertEqual(self.load.tally.without_retry_after, 0)

    def test_a_refusal_that_says_no_time_is_counted(self):
        self.answer("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(self.load.tally.without_retry_after, 1)

    def test_half_an_answer_is_none(self):
        self.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
        self.assertEqual((sum(self.load.tally.statuses.values()), self.load.idle), (0, []))

    def test_a_cut_connection_gives_its_result_back_and_opens_anew(self):
        self.load.send_result()
        self.end.recv(65536)
        self.end.close()
        self.load.poll.look(WAIT_SECONDS)
        self.assertEqual((self.load.tally.statuses[0], self.waiting()), (1, ["t-2", "t-1"]))
        self.load.send_result()
        self.assertIn(b"/t-2/result", self.accept().recv(65536))

    def test_a_connection_that_is_closed_while_idle_is_no_answer(self):
        self.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.end.close()
        self.load.poll.look(WAIT_SECONDS)
        self.assertEqual(sum(self.load.tally.statuses.values()), 1)
        self.assertEqual(len(self.load.poll.connections), 1)    # /metrics

    def test_what_finds_no_free_connection_was_offered_and_not_sent(self):
        self.load.offer(3)
        self.assertEqual((self.load.tally.offered, self.load.tally.sent), (3, 1))

    def test_silent_agents_are_read_from_metrics(self):
        self.load.metrics.received = b"\r\n\r\n# HELP\nmuster_agents_offline 7\n"
        self.load.metrics_answered(self.load.metrics, "metrics", 200, b"")
        self.assertEqual(self.load.tally.offline, 7)


if __name__ == "__main__":
    unittest.main()
