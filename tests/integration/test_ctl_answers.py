#!/usr/bin/env python3
"""onion-graterctl and answers that are not as they should be: cut, garbled, hostile, refused, or none
at all. Each gets a message that says what to do next, and no exit status that says all is well."""

import os
import socket
import unittest

import harness
from ctlrun import HOSTILE, FakeAdmin, as_user, ctl, is_printable

END = b'{"type":"end"}\n'
DAEMON = {"type": "daemon", "version": "0.1.0", "pid": 1, "uid": 0, "complain": "off"}
ASKING = (("status",), ("status", "--json"), ("reload",), ("close", "1"), ("complain", "a", "on"),
          ("metrics",), ("watch",), ("watch", "--json"))


class AnswerCase(harness.TestCase):
    def fake(self, *args, **kwargs):
        fake = FakeAdmin(*args, **kwargs)
        self.addCleanup(fake.stop)
        return fake

    def fails(self, fake, text, *words):
        result = ctl(*words, "--socket", fake.path)
        self.assertEqual(result.returncode, 1, words)
        self.assertIn(text, result.stderr, words)
        self.assertTrue(is_printable(result.stderr), words)
        self.assertRegex(result.stderr, "^onion-graterctl %s: " % words[0])
        return result


class NoDaemon(AnswerCase):
    def test_no_socket(self):
        missing = os.path.join(harness.fresh_dir(), "admin.sock")
        for words in ASKING:
            result = ctl(*words, "--socket", missing)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(missing + ": the daemon is not running, ", result.stderr)
            self.assertIn("systemctl start onion-grater", result.stderr)

    def test_nobody_listens(self):
        path = os.path.join(harness.fresh_dir(), "admin.sock")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        result = ctl("status", "--socket", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("the daemon is not running", result.stderr)

    def test_a_path_that_is_none(self):
        self.assertEqual(ctl("status", "--socket", "/" + "x" * 200).returncode, 2)
        self.assertEqual(ctl("status", "--runtime-dir", "relative").returncode, 2)
        self.assertEqual(ctl("status", "--socket", "/dev/null").returncode, 1)

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    def test_permission(self):
        fake = self.fake(END)
        os.chmod(fake.path, 0o600)
        result = ctl("status", "--socket", fake.path, prefix=as_user(4711))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("permission denied: do this as root", result.stderr)


class Cut(AnswerCase):
    def test_anywhere(self):
        """Cut behind each byte, the answer is never taken for a whole one."""
        whole = FakeAdmin.lines(DAEMON)
        for length in (0, 1, 10, len(whole) - len(END), len(whole) - len(END) + 5, len(whole) - 1):
            fake = self.fake(whole[:length])
            for words in ASKING:
                result = self.fails(fake, "", *words)
                self.assertRegex(result.stderr, "was cut: the daemon has stopped|has hung up")
                self.assertIn("journalctl -u onion-grater", result.stderr)
                if words[0] != "watch":
                    self.assertEqual(result.stdout, "", words)

    def test_a_reset(self):
        """Of a question that was not read: the kernel may take away what was answered."""
        fake = self.fake(FakeAdmin.lines(DAEMON, end=False), reads=False)
        self.fails(fake, "journalctl", "status")

    def test_nothing_before_the_answer(self):
        def hang_up(connection):
            connection.shutdown(socket.SHUT_RDWR)

        self.fails(self.fake(serve=hang_up), "the daemon has hung up", "status")

    def test_in_small_pieces(self):
        def slowly(connection):
            for byte in FakeAdmin.lines(DAEMON):
                connection.sendall(bytes([byte]))

        result = ctl("status", "--json", "--socket", self.fake(serve=slowly).path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Garbled(AnswerCase):
    def test_no_json(self):
        for line in (b"hello\n", b"\n", b"[]\n", b'{"a":1}\n', b'{"type":"daemon"\n', b"\x00\n",
                     b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"type":"x","a":\xff}\n',
                     b'{"type":"x","a":"\x1b[31m"}\n', b'{"type":"x"}{"type":"end"}\n'):
            fake = self.fake(line + END)
            for words in ASKING:
                self.fails(fake, "cannot be read; is this onion-grater's?", *words)

    def test_a_line_without_an_end(self):
        def endless(connection):
            while True:
                connection.sendall(b"x" * 65536)

        self.fails(self.fake(serve=endless), "too long; is this onion-grater's?", "status")

    def test_an_answer_without_an_end(self):
        def endless(connection):
            lines = FakeAdmin.lines({"type": "session", "x": "y" * 60000}, end=False) * 8
            while True:
                connection.sendall(lines)

        self.fails(self.fake(serve=endless), "longer than can be shown", "status")

    def test_what_is_missing(self):
        """An answer that is sound and says nothing."""
        fake = self.fake(END)
        self.assertEqual(ctl("status", "--socket", fake.path).returncode, 0)
        self.assertEqual(ctl("reload", "--socket", fake.path).returncode, 1)
        self.fails(fake, "no metrics", "metrics")

    def test_what_is_not_known_is_left_out(self):
        fake = self.fake(FakeAdmin.lines({"type": "news", "a": [1, {"b": None}]},
                                         dict(DAEMON, more={"x": [1]})))
        result = ctl("status", "--json", "--socket", fake.path)
        self.assertEqual(result.returncode, 0)
        self.assertIn('"more":{"x": [1]}', result.stdout)
        self.assertNotIn("news", result.stdout)


class Refused(AnswerCase):
    def test_each_code(self):
        for code, text in (("denied", "do this as root"),
                           ("version", "systemctl restart onion-grater"),
                           ("request", "systemctl restart onion-grater"),
                           ("busy", "try again in a moment"),
                           ("failed", "journalctl -u onion-grater"),
                           ("not-found", "there is none"),
                           ("new", "there is none")):
            fake = self.fake(FakeAdmin.lines({"type": "error", "code": code,
                                              "text": "there is none"}, end=False))
            for words in ASKING:
                result = self.fails(fake, text, *words)
                self.assertIn("there is none", result.stderr)

    def test_before_the_question_was_read(self):
        def refuse(connection):
            connection.sendall(FakeAdmin.lines({"type": "error", "code": "denied", "text": "no"},
                                               end=False))
            connection.shutdown(socket.SHUT_WR)
            connection.makefile("rb").readline()

        fake = self.fake(serve=refuse, reads=False)
        self.fails(fake, "no; do this as root", "status")

    def test_a_hostile_text(self):
        fake = self.fake(FakeAdmin.lines({"type": "error", "code": "failed", "text": HOSTILE},
                                         end=False))
        self.assertIn("\\x1B[31m", self.fails(fake, "", "status").stderr)


class Hostile(AnswerCase):
    """Everything that is a text is as bad as it can be."""

    def test_status(self):
        session = {"type": "session", "number": 7, "profiles": [HOSTILE, HOSTILE], "uid": 4711,
                   "pid": 3, "label": HOSTILE, "evidence": HOSTILE, "executable": HOSTILE,
                   "unit": HOSTILE, "no_match": HOSTILE, "label_doubt": HOSTILE, "age_ms": 5}
        fake = self.fake(FakeAdmin.lines(
            {"type": "daemon", "version": HOSTILE, "containment": HOSTILE, "complain": "some"},
            {"type": "tor", "address": HOSTILE, "state": HOSTILE, "version": HOSTILE,
             "reason": HOSTILE},
            {"type": "message", "severity": HOSTILE, "file": HOSTILE, "line": 1, "text": HOSTILE},
            {"type": "profile", "name": HOSTILE, "complain": True, "kept": True},
            {"type": "listener", "address": HOSTILE, "profile": HOSTILE},
            {"type": "limit", "name": HOSTILE, "used": 1, "max": 2, "reached": 3},
            {"type": "counter", "name": HOSTILE, "value": 3},
            session, dict(session, label="unconfined"), dict(session, label=None)))
        for words in (("status",), ("status", "--json")):
            result = ctl(*words, "--socket", fake.path)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertTrue(is_printable(result.stdout), result.stdout)
            self.assertIn("31mred", result.stdout)

    def test_watch(self):
        common = {"session": 7, "profiles": [HOSTILE], "uid": 4711, "label": HOSTILE}
        fake = self.fake(FakeAdmin.lines(
            {"type": "watching"},
            dict(common, type="decision", verdict=HOSTILE, command=HOSTILE, sent=HOSTILE,
                 reason=HOSTILE, rule={"file": HOSTILE, "line": 1, "column": 1}),
            dict(common, type="event", name=HOSTILE, passed=True),
            dict(common, type="session-began", no_match=HOSTILE, evidence=HOSTILE),
            dict(common, type="session-ended", reason=HOSTILE)))
        for words in (("watch",), ("watch", "--json")):
            result = ctl(*words, "--socket", fake.path)
            self.assertEqual(result.returncode, 0)
            self.assertTrue(is_printable(result.stdout), result.stdout)
            self.assertIn("31mred", result.stdout)

    def test_reload_and_refusals(self):
        fake = self.fake(FakeAdmin.lines(
            {"type": "change", "what": "added", "profile": HOSTILE},
            {"type": "reloaded", "ok": True, "errors": 0}))
        result = ctl("reload", "--socket", fake.path)
        self.assertEqual(result.returncode, 0)
        self.assertTrue(is_printable(result.stdout))
        fake = self.fake(FakeAdmin.lines(
            {"type": "refusal", "time_ms": 1, "session": 7, "profiles": [HOSTILE], "uid": 4711,
             "label": HOSTILE, "executable": HOSTILE, "reason": HOSTILE, "command": HOSTILE,
             "rule": {"file": HOSTILE, "line": 1, "column": 1},
             "complaint": "complain: profile x, uid 1, label none, exe \"/\\033[31m\": "
                          "GETINFO version"},
            {"type": "profile", "name": HOSTILE, "file": HOSTILE}))
        for more in ((), ("--json",)):
            result = ctl("explain", "--last", "--runtime-dir", fake.directory, *more)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertTrue(is_printable(result.stdout), result.stdout)


class Requests(AnswerCase):
    def request(self, *words):
        fake = self.fake(END)
        ctl(*words, "--socket", fake.path)
        return fake.requests[0]

    def test_what_is_asked(self):
        for words, request in (
                (("status",), b"1 status\n"),
                (("reload", "--json"), b"1 reload\n"),
                (("close", "7"), b'1 close session="7"\n'),
                (("complain", 'a "b"', "off"), b'1 complain profile="a \\"b\\"" on="no"\n'),
                (("metrics",), b"1 metrics\n"),
                (("watch",), b"1 watch\n"),
                (("watch", "--user", "root", "--profile", "\xe9\x1b", "--verdict", "rejected",
                  "--session", "3", "--events", "--values", "--json"),
                 b'1 watch uid="0" profile="\\303\\251\\033" verdict="rejected" session="3" '
                 b'events="yes" values="yes"\n')):
            self.assertEqual(self.request(*words), request)

    def test_too_long(self):
        fake = self.fake(END)
        result = ctl("complain", "x" * 5000, "on", "--socket", fake.path)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(fake.requests, [])


if __name__ == "__main__":
    harness.main()
