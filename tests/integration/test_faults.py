#!/usr/bin/env python3
"""Faults of tor, by tables: whatever it does, each client has a legal conversation.

Legal is: whole messages, one answer for each command, in order, each of a form that this command
can have; or fewer, and then the end of the connection. And tor gets nothing but what was allowed,
nothing of it twice.
"""

import os
import random
import select
import signal
import socket
import threading
import time

import harness
from harness import FILTERED, VERSION, VERSION_REPLY

OK = b"250 OK\r\n"
MIB = 1024 * 1024

PROFILE = harness.profile("""
commands:
  GETINFO: [version, uptime, 'md/all', 'circuit-status']
  GETCONF: ['']
  SIGNAL: [NEWNYM]
  ADD_ONION: ['NEW:BEST Port=80']
confs:
  Nickname: ['x']
  SocksPort:
events:
  BW:
  NS:
""")

BLOCK = b"250+md/all=\r\n250 OK\r\n..\r\n650 BW 1 1\r\n.\r\n250 OK\r\n"

# What a client says, what tor answers to it, and what the client gets if all goes well. Answers
# without an entry for tor are our own.
TALK = [
    (b"GETINFO uptime", b"250-uptime=1\r\n250 OK\r\n", None),
    (b"GETINFO address", None, FILTERED),
    (b"GETINFO md/all", BLOCK, None),
    (b"GETINFO version uptime", b"250-version=1\r\n250-uptime=2\r\n250 OK\r\n", None),
    (b"SIGNAL HALT", None, FILTERED),
    (b"GETCONF Nickname SocksPort", b"250-Nickname=x\r\n250-SocksPort=1\r\n250 SocksPort=2\r\n",
     None),
    (b"AUTHENTICATE", None, OK),
    (b"SETCONF Nickname=x", b"513 Unacceptable option value: no\r\n", None),
    (b"SETEVENTS BW", OK, None),
    (b"SIGNAL NEWNYM", OK, None),
    (b"GETINFO circuit-status", b"250+circuit-status=\r\n.\r\n250 OK\r\n", None),
]
TO_TOR = [line + b"\r\n" for line, answer, _ in TALK if answer]
ANSWERS = {line + b"\r\n": answer for line, answer, _ in TALK if answer}
ALL_OF_TOR = b"".join(ANSWERS[line] for line in TO_TOR)
CLOSING = b"250 closing connection\r\n"
WANTED = [ours or answer for _, answer, ours in TALK]


def talk():
    return b"".join(line + b"\r\n" for line, _, _ in TALK)


class Faults(harness.TestCase):
    """A scripted tor whose bytes are spoilt by `self.spoil(connection, answer)`."""

    LIMITS = "limits:\n  reply-timeout: 1\n"

    def setUp(self):
        self.spoil = None
        self.tor = self.fake_tor(self.answer)
        self.gate = self.daemon(PROFILE, self.tor, config=self.LIMITS)
        self.other = self.connect(self.gate)
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)

    def answer(self, connection, command):
        if command == b"GETINFO version\r\n":
            return harness.answer_as_tor(command)
        answer = ANSWERS.get(command, OK)
        return self.spoil(connection, answer) if self.spoil else answer

    def well(self):
        """Nobody else has noticed anything."""
        self.spoil = None
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)
        self.assert_works(self.gate)

    def judge(self, stream):
        """Whether the stream is a legal conversation; the messages that were no events."""
        is_whole = stream.endswith(CLOSING)
        if is_whole:
            stream = stream[:-len(CLOSING)]
        reader = harness.MessageReader()
        reader.feed(stream)
        got = list(iter(reader.next, None))
        got = [message for message in got if not message.startswith(b"650")]
        self.assertLessEqual(len(got), len(TALK))
        for message, (line, answer, ours) in zip(got, TALK):
            if ours:
                self.assertEqual(message, ours, line)
            else:
                self.assertRegex(message[:1], b"[2-5]", line)
                if message.startswith(b"551 "):
                    self.assertRegex(message, rb"^551 tor [^\r\n]*\r\n$", line)
        if is_whole:
            self.assertEqual(len(got), len(TALK))
        return got

    def judge_tor(self, since):
        """What tor got of one client on connections since then: what was allowed, each once."""
        got = [line for connection in self.tor.connections[since:] for line in connection.commands]
        self.assertEqual(len(got), len(set(got)))
        self.assertLessEqual(set(got), set(TO_TOR))

    def converse(self):
        """All of it at once, and all that comes back."""
        since = len(self.tor.connections)
        with self.gate.connect() as client:
            client.send(talk() + b"QUIT\r\n")
            stream = client.rest()
        self.judge_tor(since)
        return self.judge(stream)

    def test_no_fault(self):
        """the conversation as it should be, so that the others mean something"""
        self.assertEqual(self.converse(), WANTED)
        self.spoil = lambda connection, answer: [
            connection.send(answer[i:i + 1]) for i in range(len(answer))] and None
        self.assertEqual(self.converse(), WANTED)
        self.well()

    def test_closed_at_each_byte(self):
        """tor closes behind each byte of its answers"""
        for cut in range(len(ALL_OF_TOR)):
            left = [cut]

            def spoil(connection, answer):
                connection.send(answer[:left[0]])
                if left[0] < len(answer):
                    connection.close()
                left[0] = max(left[0] - len(answer), 0)
            self.spoil = spoil
            with self.subTest(cut=cut):
                got = self.converse()
                self.assertEqual(len(got), len(TALK))
                self.assertIn(harness.LOST, got)
        self.well()

    def test_silent_at_each_byte(self):
        """tor goes silent behind each byte: within the time limit each client is answered or closed"""
        cuts = iter(range(0, len(ALL_OF_TOR), 9))
        states = {}

        def spoil(connection, answer):
            if connection not in states:
                states[connection] = next(cuts)
            left = states[connection]
            connection.send(answer[:left])
            states[connection] = max(left - len(answer), 0)
        self.spoil = spoil
        clients = [self.connect(self.gate) for _ in range(0, len(ALL_OF_TOR), 9)]
        for client in clients:
            client.send(talk() + b"QUIT\r\n")
        for client in clients:
            got = self.judge(client.rest())
            self.assertNotEqual(got, WANTED)
        self.gate.wait_log("limits: reply-timeout")
        self.well()

    def test_doubled(self):
        """each line, each answer and each command's answer twice, or in the wrong order"""
        def lines(answer):
            return b"".join(line + b"\r\n" + line + b"\r\n" for line in answer.split(b"\r\n")[:-1])

        def swapped(connection, answer):
            connection.held, answer = answer, getattr(connection, "held", None)
            return answer
        for name, spoil in (
                ("lines", lambda connection, answer: lines(answer)),
                ("answers", lambda connection, answer: answer + answer),
                ("late", swapped),
                ("reversed", lambda connection, answer: b"\r\n".join(
                    reversed(answer.split(b"\r\n")))),
                ("ok first", lambda connection, answer: OK + answer),
                ("ok behind", lambda connection, answer: answer + OK),
                ("without end", lambda connection, answer: answer.rsplit(b"\r\n", 2)[0] + b"\r\n"),
                ("lf", lambda connection, answer: answer.replace(b"\r\n", b"\n")),
                ("cr", lambda connection, answer: answer.replace(b"\r\n", b"\r")),
                ("blank lines", lambda connection, answer: answer.replace(b"\r\n", b"\r\n\r\n"))):
            with self.subTest(name=name):
                self.spoil = spoil
                self.converse()
                self.well()

    def test_events_anywhere(self):
        """events between, behind and inside of answers; those not asked for"""
        events = (b"650 BW 1 1\r\n", b"650+NS\r\n.\r\n650 OK\r\n", b"650 CIRC 1 BUILT\r\n",
                  b"650-CONF_CHANGED\r\n650-Bridge=secret\r\n650 OK\r\n", b"650 \r\n", b"650 BW")
        for event in events:
            for at in (0, 1, 2, -1):
                def spoil(connection, answer, event=event, at=at):
                    parts = answer.split(b"\r\n")
                    parts.insert(at % len(parts), event.rstrip(b"\r\n"))
                    return b"\r\n".join(parts)
                with self.subTest(event=event, at=at):
                    self.spoil = spoil
                    with self.gate.connect() as client:
                        client.send(talk() + b"QUIT\r\n")
                        stream = client.rest()
                    self.assertNotIn(b"secret", stream.split(b"250+md/all")[0])
                    self.judge(stream)
                    self.well()

    def test_garbage(self):
        """bytes turned into others, taken out and put in, wherever it may be"""
        chance = random.Random(4)
        for number in range(150):
            def spoil(connection, answer):
                answer = bytearray(answer)
                for _ in range(chance.choice((0, 1, 1, 3))):
                    at = chance.randrange(len(answer))
                    kind = chance.randrange(4)
                    if kind == 0:
                        answer[at] = chance.choice(b"\0\r\n .+-0256\x7f\xff" + bytes([answer[at] ^ 1]))
                    elif kind == 1:
                        del answer[at]
                        answer += b"" if answer else b"\n"
                    elif kind == 2:
                        answer.insert(at, chance.choice(b"\0\r\n .+-0256a\x7f\xff"))
                    else:
                        answer[at:at] = chance.choice((b"\r\n", b"250 OK\r\n", b".\r\n", b"650 "))
                connection.send(bytes(answer))
                if chance.randrange(3) == 0:
                    connection.close()
            self.spoil = spoil
            with self.subTest(number=number):
                with self.gate.connect() as client:
                    client.send(talk() + b"QUIT\r\n")
                    client.half_close()
                    stream = client.rest()
                self.judge(stream)
                self.assertLessEqual(set(self.tor.commands), set(TO_TOR) | {b"GETINFO version\r\n"})
        self.well()

    def endless(self, head, piece, behind=b""):
        """Sends without end until the connection is gone; the daemon may not grow."""
        def spoil(connection, answer):
            try:
                connection.socket.sendall(head)
                while not stopped.is_set():
                    connection.socket.sendall(piece)
                connection.socket.sendall(behind)
            except OSError:
                pass
        stopped = threading.Event()
        self.spoil = spoil
        return stopped

    def test_without_end(self):
        """answers without an end: passed on or ended, but never kept"""
        for name, command, head, piece in (
                ("line", b"GETINFO uptime", b"250-uptime=", b"x" * MIB),
                ("block", b"GETINFO md/all", b"250+md/all=\r\n", b"x" * 998 + b"\r\n"),
                ("lines", b"GETCONF Nickname", b"", b"250-Nickname=x\r\n" * 1000),
                ("keys", b"GETINFO uptime", b"", b"250-uptime=x\r\n" * 1000),
                ("line of a block", b"GETINFO md/all", b"250+md/all=\r\n", b"x" * MIB),
                ("empty lines", b"GETINFO md/all", b"250+md/all=\r\n", b"\r\n" * 1000),
                ("nul", b"SIGNAL NEWNYM", b"", b"\0" * MIB)):
            with self.subTest(name=name):
                before = self.gate.memory_kib()
                stopped = self.endless(head, piece)
                with self.gate.connect() as client:
                    client.send(command + b"\r\n")
                    size = 0
                    while size < 20 * MIB:
                        data = client.socket.recv(MIB)
                        if not data:
                            break
                        size += len(data)
                    self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
                stopped.set()
                self.well()

    def test_hundred_megabytes(self):
        """100 MB go through whole, in the memory of one"""
        before = self.gate.memory_kib()
        piece = (b"x" * 998 + b"\r\n") * 1000
        count = 100
        self.spoil = lambda connection, answer: [
            connection.send(part) for part in [b"250+md/all=\r\n"] + [piece] * count
            + [b".\r\n250 OK\r\n"]] and None
        most = 0
        with self.gate.connect(timeout=60) as client:
            client.send(b"GETINFO md/all\r\n")
            size, tail = 0, b""
            while not tail.endswith(b"x\r\n.\r\n250 OK\r\n"):
                data = client.socket.recv(MIB)
                self.assertTrue(data, "ended after %d bytes" % size)
                size, tail = size + len(data), (tail + data)[-20:]
                most = max(most, self.gate.memory_kib())
            self.assertEqual(size, count * len(piece) + len(b"250+md/all=\r\n.\r\n250 OK\r\n"))
        self.assertLess(most - before, self.gate.memory_limit_kib())
        self.well()

    def test_flood_of_events(self):
        """a hundred megabytes of events that nobody asked for, and of one that is too large"""
        before = self.gate.memory_kib()
        client = self.connect(self.gate, timeout=60)
        self.assertEqual(client.command(b"SETEVENTS BW"), OK)
        upstream = self.tor.connections[-1]
        for _ in range(50):
            upstream.send(b"650 CIRC 1 BUILT secret\r\n" * 40000)
        upstream.send(b"650+NS\r\n")
        for _ in range(50):
            upstream.send((b"x" * 998 + b"\r\n") * 1000)
        upstream.send(b".\r\n650 OK\r\n650 BW 1 1\r\n")
        self.assertEqual(client.message(), b"650 BW 1 1\r\n")
        self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
        self.well()


class Login(harness.TestCase):
    """Faults before the first command."""

    # In the order in which they are asked for.
    STEPS = (harness.Login().protocolinfo(), OK,
             b'250-net/listeners/control="unix:/x"\r\n250 OK\r\n')

    def setUp(self):
        self.tor = self.fake_tor()
        self.tor.is_mute = True
        self.gate = self.daemon(PROFILE, self.tor, config=Faults.LIMITS)
        self.gate.wait_log("came and went")

    def refused(self):
        with self.gate.connect() as client:
            client.send(b"GETINFO version\r\nGETINFO address\r\nQUIT\r\n")
            replies = harness.split_messages(client.rest())
        self.assertRegex(replies[0], rb"^551 (tor|onion-grater) [^\r\n]*\r\n$")
        self.assertEqual(replies[1:], [FILTERED, CLOSING])

    def works(self):
        self.tor.is_mute = False
        self.tor.answer = lambda connection, command: harness.answer_as_tor(command)
        self.assert_works(self.gate)

    def step(self, connection, command):
        for word, answer in zip((b"PROTOCOLINFO", b"AUTHENTICATE", b"GETINFO net/"), self.STEPS):
            if command.startswith(word):
                return answer
        return None

    def test_closed_at_each_byte(self):
        """tor closes behind each byte of the login: 551, and nothing of the client's was sent"""
        total = sum(len(step) for step in self.STEPS)
        for cut in range(total):
            left = [cut]

            def answer(connection, command):
                text = self.step(connection, command) or b""
                connection.send(text[:left[0]])
                if left[0] < len(text):
                    connection.close()
                left[0] = max(left[0] - len(text), 0)
            self.tor.answer = answer
            with self.subTest(cut=cut):
                self.refused()
                self.assertNotIn(b"GETINFO version\r\n", self.tor.commands)
                self.tor.commands.clear()
        self.works()

    def test_byte_by_byte(self):
        """a login in single bytes is one"""
        def answer(connection, command):
            text = self.step(connection, command) or harness.answer_as_tor(command)
            for byte in text:
                connection.send(bytes([byte]))
        self.tor.answer = answer
        self.assert_works(self.gate)

    def test_silent(self):
        """accepted and silent, at once and in the middle: 551 after the time limit"""
        answers = (b"", b"2", self.STEPS[0][:30], self.STEPS[0], self.STEPS[0] + OK,
                   self.STEPS[0] + OK + b"250-net")
        for answer in answers:
            self.tor.answer = lambda connection, command, a=answer: (
                a if command.startswith(b"PROTOCOLINFO") else None)
            with self.subTest(answer=answer):
                self.refused()
        self.works()

    def test_without_end(self):
        """a login without an end"""
        for piece in (b"250-x\r\n" * 1000, b"250-AUTH METHODS=NULL\r\n" * 1000, b"x" * MIB,
                      b"650 BW 1 1\r\n" * 1000, b"250+x\r\n" + b"y\r\n" * 1000):
            def answer(connection, command, piece=piece):
                while not connection.is_closed:
                    try:
                        connection.socket.sendall(piece)
                    except OSError:
                        return
            before = self.gate.memory_kib()
            self.tor.answer = answer
            with self.subTest(piece=piece[:20]):
                self.refused()
                self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
        self.works()

    def test_unreachable(self):
        """nothing there, no socket, nobody listens, a queue that is full, one that closes at once"""
        directory = harness.fresh_dir("u")
        paths = [os.path.join(directory, name) for name in ("none", "file", "bound", "full", "shut")]
        harness.write(paths[1], b"")
        bound, full, shut = (socket.socket(socket.AF_UNIX) for _ in range(3))
        bound.bind(paths[2])
        full.bind(paths[3])
        full.listen(0)
        shut.bind(paths[4])
        shut.listen(5)
        waiting = []
        for _ in range(10):
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            try:
                waiting[-1].connect(paths[3])
            except BlockingIOError:
                break

        def close_all():
            while True:
                try:
                    shut.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=close_all, daemon=True).start()
        for path in paths + [directory]:
            with self.subTest(path=os.path.basename(path)):
                self.gate = self.daemon(PROFILE, "unix:" + path, config=Faults.LIMITS)
                self.refused()
                self.refused()
        shut.shutdown(socket.SHUT_RDWR)
        for each in waiting + [bound, full, shut]:
            each.close()

    def test_reset(self):
        """a control port over TCP that is closed, and one that resets"""
        with socket.create_server(("127.0.0.1", 0)) as server:
            def reset_all():
                while True:
                    try:
                        connection = server.accept()[0]
                    except OSError:
                        return
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          b"\1\0\0\0\0\0\0\0")
                    connection.close()
            threading.Thread(target=reset_all, daemon=True).start()
            address = "tcp:127.0.0.1:%d" % server.getsockname()[1]
            self.gate = self.daemon(PROFILE, address, config=Faults.LIMITS)
            self.refused()
            self.refused()
            server.shutdown(socket.SHUT_RDWR)
        self.refused()


class RealTor(harness.TestCase):
    """What may happen to a tor."""

    def start(self, auth="null"):
        self.tor = self.real_tor(auth=auth)
        self.gate = self.daemon(PROFILE, self.tor, config=Faults.LIMITS)

    def version(self, client):
        """Until it is there again each answer is a 551."""
        def got():
            reply = client.command(b"GETINFO version")
            while reply.startswith(b"650 BW "):
                reply = client.message()
            self.assertRegex(reply, rb"^(250-version=0\.|551 )")
            return reply.startswith(b"250")
        harness.wait_until(got, "tor's version", 30)

    def test_killed_in_conversations(self):
        """killed and started again in the middle of many: each is legal to its end"""
        self.start()
        client = self.connect(self.gate)
        for number in range(6):
            clients = [self.connect(self.gate) for _ in range(5)]
            for each in clients:
                each.send(talk() * 5 + b"QUIT\r\n")
            time.sleep(0.002 * number)
            self.tor.kill()
            for each in clients:
                replies = [message for message in harness.split_messages(each.rest())
                           if not message.startswith(b"650")]
                if replies and replies[-1] == CLOSING:
                    self.assertEqual(len(replies), 5 * len(TALK) + 1)
                for index, reply in enumerate(replies[:-1]):
                    ours = TALK[index % len(TALK)][2]
                    self.assertTrue(reply == ours if ours else reply[:1] in b"25", reply)
            self.tor.start()
            self.version(client)

    def test_stopped(self):
        """SIGSTOP: 551 or the end within the time limit, for old sessions and new ones; then SIGCONT"""
        self.start()
        idle, asks = self.connect(self.gate), self.connect(self.gate)
        self.version(asks)
        self.tor.process.send_signal(signal.SIGSTOP)
        try:
            asks.send(b"GETINFO version\r\nGETINFO address\r\nGETINFO uptime\r\n")
            self.assertEqual(harness.split_messages(asks.rest()),
                             [b"551 tor connection failed\r\n", FILTERED,
                              b"551 tor connection failed\r\n"])
            self.assertRegex(idle.command(b"GETINFO version"), rb"^551 tor is not reachable: ")
            with self.gate.connect() as client:
                self.assertEqual(client.command(b"GETINFO address"), FILTERED)
                self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
        finally:
            self.tor.process.send_signal(signal.SIGCONT)
        self.version(idle)

    def test_reload(self):
        """SIGHUP: sessions and their events go on"""
        self.start()
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS BW"), OK)
        for _ in range(3):
            self.tor.process.send_signal(signal.SIGHUP)
            self.version(client)

    def test_control_port_moves(self):
        """tor's control socket goes away under its sessions, and comes back"""
        self.start()
        client, late = self.connect(self.gate), self.connect(self.gate)
        self.version(client)
        spare = os.path.join(self.tor.directory, "spare")
        with self.tor.login() as direct:
            def move(path):
                return direct.command(b'SETCONF ControlSocket="unix:%s RelaxDirModeCheck"'
                                      % path.encode())
            self.assertEqual(move(spare), OK)
            harness.wait_until(lambda: not harness.can_connect(self.tor.path), "its end")
            self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=")
            self.assertRegex(late.command(b"GETINFO version"), rb"^551 tor is not reachable")
            self.assertEqual(move(self.tor.path), OK)
            self.version(late)
            self.version(client)

    def test_delayed_acknowledgements(self):
        """over TCP a reply of many segments does not wait for acknowledgements that are held back"""
        self.tor = self.real_tor(tcp=True)
        self.gate = self.daemon(PROFILE.replace("uptime", "'config/names'"), self.tor)
        client = self.connect(self.gate)
        took = []
        for _ in range(20):
            begin = time.monotonic()
            self.assertRegex(client.command(b"GETINFO config/names"), rb"^250\+config/names=")
            took.append(time.monotonic() - begin)
        # Held back they come 40 ms later, each time.
        self.assertLess(sorted(took)[len(took) // 4], 0.035)

    def test_new_cookie(self):
        """a restart brings a new cookie, which sessions that were there use"""
        self.start(auth="cookie")
        client = self.connect(self.gate)
        self.version(client)
        with open(self.tor.cookie_file, "rb") as file:
            first = file.read()
        for _ in range(2):
            self.tor.kill()
            self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
            os.unlink(self.tor.cookie_file)
            self.tor.start()
            self.version(client)
        with open(self.tor.cookie_file, "rb") as file:
            self.assertNotEqual(file.read(), first)


if __name__ == "__main__":
    harness.main(needs=("tor",))
