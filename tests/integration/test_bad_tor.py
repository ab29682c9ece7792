#!/usr/bin/env python3
"""A tor that answers nonsense, half a reply, two or nothing costs that one session, with a reason."""

import os

import harness
from harness import LOST, VERSION_REPLY

OK = b"250 OK\r\n"
ENDED = (b"551 tor connection failed\r\n", b"")

PROFILE = harness.profile("""
commands:
  GETINFO: [version, uptime, 'md/all', 'circuit-status']
  GETCONF: ['']
  SIGNAL: [NEWNYM]
  ADD_ONION: ['NEW:BEST Port=80']
confs:
  DisableNetwork: ['0']
  SocksPort:
events:
  BW:
  WARN:
  CONF_CHANGED:
""")


class BadTor(harness.TestCase):
    def setUp(self):
        self.answer = None
        self.tor = self.fake_tor(self._answer)
        self.gate = self.daemon(PROFILE, self.tor, config="limits:\n  reply-timeout: 1\n")
        self.other = self.connect(self.gate)
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)

    def _answer(self, connection, command):
        if self.answer is None or command == b"GETINFO version\r\n":
            return harness.answer_as_tor(command)
        if callable(self.answer):
            return self.answer(connection, command)
        return self.answer

    def check_others(self):
        """The session that was there before, and a new one, are as well as ever."""
        self.answer = None
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)
        self.assert_works(self.gate)

    def ends(self, answer, command=b"GETINFO uptime", reason=None):
        """An answer that ends the session: the client gets no part of it, but a 551 or the end."""
        with self.subTest(answer=answer if isinstance(answer, bytes) else None):
            since = len(self.gate.log())
            self.answer = answer
            with self.gate.connect() as client:
                client.send(command + b"\r\n")
                self.assertIn(client.rest(), ENDED)
            if reason:
                self.gate.wait_log(reason, since)
            self.check_others()

    def test_refused(self):
        """nobody listens where tor should be"""
        gate = self.daemon(PROFILE, "unix:" + os.path.join(harness.scratch(), "nobody"))
        self.assertRegex(self.connect(gate).command(b"GETINFO version"),
                         rb"^551 tor is not reachable: No such file or directory\r\n")

    def test_silent(self):
        """no answer: the session ends after the time limit, the reason is logged"""
        self.ends(lambda connection, command: None, reason="did not answer in time")

    def test_silent_after_half(self):
        """half an answer, then silence"""
        self.ends(b"250-uptime=1\r\n", reason="did not answer in time")

    def test_slow_is_not_silent(self):
        """an answer that comes byte by byte, slower in all than the limit, is an answer"""
        def answer(connection, command):
            for byte in b"250-uptime=1234567\r\n250 OK\r\n":
                connection.send(bytes([byte]))
                harness.time.sleep(0.05)
        self.answer = answer
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"GETINFO uptime"), b"250-uptime=1234567\r\n250 OK\r\n")
        self.check_others()

    def test_closed_at_every_byte(self):
        """tor closes at each byte of a reply: 551, and the session goes on"""
        reply = b"250+circuit-status=\r\n1 BUILT\r\n.\r\n250 OK\r\n"
        client = self.connect(self.gate)
        for size in range(len(reply)):
            def answer(connection, command, size=size):
                connection.send(reply[:size])
                connection.close()
            self.answer = answer
            self.assertEqual(client.command(b"GETINFO circuit-status"), LOST, "after %d" % size)
        self.check_others()

    def test_garbage(self):
        """what is not the control protocol"""
        for answer in (b"\0" * 100, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"250\r\n", b"25 OK\r\n",
                       b"2500 OK\r\n", b"abc OK\r\n", b"250=OK\r\n", b"250\tOK\r\n", b"\r\n", b"\n",
                       b" 250 OK\r\n", b"-250 OK\r\n", b"999999\r\n", b"250-uptime=1\r\nx\r\n",
                       b"250-uptime=1\r\n\r\n250 OK\r\n", b"\xff\xfe\r\n", b"+250 OK\r\n",
                       b"250-uptime=a\0b\r\n250 OK\r\n", b"250-uptime=a\rb\r\n250 OK\r\n",
                       b"250-uptime=a\x1b[1m\r\n250 OK\r\n", b"000 \r\n", b"250 uptime=1\r\n",
                       b"250-uptime=1\r\n650 BW 1 1\r\n250 OK\r\n"):
            self.ends(answer)

    def test_endless_line(self):
        """a line of many MiB"""
        self.ends(b"250-uptime=" + b"x" * (3 * 1024 * 1024) + b"\r\n250 OK\r\n")

    def test_reply_without_end(self):
        """552+= and a block, nothing more: the next reply is not taken for its end"""
        def answer(connection, command):
            if b"uptime" in command:
                return b"552+=\r\nUnrecognized key \"x\r\ny\"\r\n.\r\n"
            return OK
        self.answer = answer
        with self.gate.connect() as client:
            client.send(b"GETINFO uptime\r\nSIGNAL NEWNYM\r\n")
            seen = client.rest()
            self.assertNotIn(OK, seen)
        self.check_others()

    def test_two_replies(self):
        """the second of two replies is nobody's"""
        self.answer = b"250-uptime=1\r\n250 OK\r\n250 OK\r\n"
        with self.gate.connect() as client:
            client.send(b"GETINFO uptime\r\n")
            self.assertEqual(client.rest(), b"250-uptime=1\r\n250 OK\r\n")
        self.gate.wait_log("no command waits for")
        self.check_others()

    def test_two_replies_pipelined(self):
        """an answer too many is found out at the latest when the next one comes"""
        def answer(connection, command):
            if b"uptime" in command:
                return b"250-uptime=1\r\n250 OK\r\n552 too much\r\n"
            return b"250-md/all=1\r\n250 OK\r\n"
        self.answer = answer
        with self.gate.connect() as client:
            client.send(b"GETINFO uptime\r\nGETINFO md/all\r\n")
            seen = client.rest()
        self.assertTrue(seen.startswith(b"250-uptime=1\r\n250 OK\r\n"), seen)
        self.check_others()

    def test_unasked(self):
        """a reply that nobody asked for"""
        with self.gate.connect() as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
            self.tor.connections[-1].send(OK)
            self.assertEqual(client.rest(), b"")
        self.check_others()

    def test_answers_to_other_questions(self):
        """replies of a shape that the command cannot have"""
        self.ends(b"250-version=1\r\n250 OK\r\n")
        self.ends(b"250-uptime=1\r\n250-version=1\r\n250 OK\r\n")
        self.ends(b"250-uptime=1\r\n250-uptime=1\r\n250 OK\r\n")
        self.ends(OK)
        self.ends(b"250-uptime=1\r\n250-x\r\n250 OK\r\n")
        self.ends(b"250+md/all=\r\nx\r\n.\r\n250 OK\r\n", b"SIGNAL NEWNYM")
        self.ends(b"250-SocksPort=1\r\n250 OK\r\n", b"SIGNAL NEWNYM")
        self.ends(b"650 OK\r\n" + b"250-uptime=1\r\n650 OK\r\n")

    def test_event_inside_reply(self):
        """an event inside a reply, or inside its data, is no event"""
        self.ends(b"250-uptime=1\r\n650 BW 1 1\r\n250 OK\r\n")
        block = b"250+md/all=\r\n650 BW 1 1\r\n.\r\n250 OK\r\n"
        self.answer = lambda connection, command: (
            block if b"md/all" in command else harness.answer_as_tor(command))
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS BW"), OK)
        self.assertEqual(client.command(b"GETINFO md/all"), block)
        self.assertTrue(client.is_silent())

    def test_events_with_control_bytes(self):
        """events whose text holds CR or other controls are withheld; the next one comes"""
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS WARN BW CONF_CHANGED"), OK)
        upstream = self.tor.connections[-1]
        for event in (b"650 WARN a\rb\r\n", b"650 WARN \r250 OK\r\n", b"650 WARN a\r\r\n",
                      b"650 WARN \x1b[31m\r\n", b"650 WARN a\0b\r\n", b"650 WARN \x7f\r\n",
                      b"650-CONF_CHANGED\r\n650-A=\rb\r\n650 OK\r\n"):
            with self.subTest(event=event):
                upstream.send(event + b"650 BW 1 1\r\n")
                self.assertEqual(client.message(), b"650 BW 1 1\r\n")
        self.check_others()

    def test_broken_events(self):
        """events whose framing is broken end the session"""
        for event in (b"650=BW 1\r\n", b"650\r\n", b"650-BW\r\n250 OK\r\n",
                      b"650+BW\r\nx\r\n.\r\n250 OK\r\n", b"650-CONF_CHANGED\r\nx\r\n"):
            with self.subTest(event=event), self.gate.connect() as client:
                self.assertEqual(client.command(b"SETEVENTS BW CONF_CHANGED"), OK)
                self.tor.connections[-1].send(event)
                rest = client.rest()
                self.assertNotIn(b"250 OK", rest)
        self.check_others()

    def test_login_nonsense(self):
        """nonsense during the login"""
        for answer in (b"hello\r\n", b"250 OK\r\n", b"250-PROTOCOLINFO 1\r\n250 OK\r\n",
                       b"513 no\r\n", b"\0\0\r\n", b"250-AUTH METHODS=NULL\r\n650 BW 1\r\n250 OK\r\n",
                       b"250-" + b"x" * 2000000 + b"\r\n250 OK\r\n",
                       b"250-AUTH METHODS=" + b"NULL," * 100000 + b"\r\n250 OK\r\n250 OK\r\n"):
            with self.subTest(answer=answer[:40]), self.gate.connect() as client:
                self.tor.is_mute = True
                self.answer = lambda connection, command, a=answer: a
                client.send(b"GETINFO uptime\r\nQUIT\r\n")
                self.assertRegex(client.rest(), rb"^551 [^\r]*\r\n(250 closing connection\r\n)?$")
                self.tor.is_mute = False
        self.check_others()

    def test_large_reply_not_read(self):
        """a reply of 20 MB to a client that does not read costs no memory, and arrives whole"""
        line = b"x" * 198 + b"\r\n"
        count = 20 * 1024 * 1024 // len(line)
        reply = b"250+md/all=\r\n" + line * count + b".\r\n250 OK\r\n"
        self.answer = lambda connection, command: reply
        client = self.connect(self.gate, timeout=60)
        before = self.gate.memory_kib()
        client.send(b"GETINFO md/all\r\n")
        harness.wait_until(lambda: not client.is_silent(0), "the first bytes")
        self.other.send(b"GETINFO version\r\n")
        self.assertEqual(self.other.message(), VERSION_REPLY)
        harness.time.sleep(0.1)
        self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
        got = 0
        start = client.recv()
        got += len(start)
        self.assertTrue(start.startswith(b"250+md/all=\r\nxxx"))
        client.received = b""
        tail = start
        while got < len(reply):
            data = client.socket.recv(262144)
            self.assertTrue(data, "the connection ended after %d of %d bytes" % (got, len(reply)))
            got += len(data)
            tail = (tail + data)[-len(line):]
        self.assertTrue(tail.endswith(b"x\r\n.\r\n250 OK\r\n"))
        self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
        self.check_others()

    def test_reader_that_stops(self):
        """a client that takes no byte is ended after the write limit; nobody else notices"""
        gate = self.daemon(PROFILE, self.tor, config="limits:\n  write-timeout: 1\n")
        self.answer = (b"250+md/all=\r\n" + (b"x" * 98 + b"\r\n") * 100000 + b".\r\n250 OK\r\n")
        client = self.connect(gate)
        client.send(b"GETINFO md/all\r\n")
        gate.wait_log("ended: client took too little of the data")
        self.answer = None
        self.assert_works(gate)


if __name__ == "__main__":
    harness.main()
