#!/usr/bin/env python3
"""Every limit: what is refused, what waits, what the log says, and that nobody else notices.

Nothing here is measured in seconds. What has to happen is waited for; what comes first is told by
counting what was done before it.
"""

import os
import re
import resource
import select
import signal
import threading

import harness
from harness import FILTERED, VERSION_REPLY

OK = b"250 OK\r\n"
KIB = 1024
IS_ROOT = os.geteuid() == 0
NO_CONNECTION = (b"551 tor is not reachable: onion-grater has no descriptor or no memory left\r\n")
TURNED_AWAY = b"551 No descriptor is left for this connection\r\n"
TOO_MANY = rb"^551 Too many connections[a-z ]*\r\n$"

PROFILE = harness.profile("""
commands:
  GETINFO: [version, uptime, 'md/all', 'config/defaults', 'ns/name/.*']
  GETCONF: ['']
  SIGNAL: [NEWNYM]
  '+HSPOST': ['.*']
confs:
  Nickname: ['.*']
  SocksPort: ['', '.*']
events:
  BW:
  CIRC:
""")

# Key, default, least and most; and the others that have to be changed with it.
TABLE = [
    ("sessions", 1024, 1, 1000000, ""),
    ("sessions-per-uid", 64, 1, 1000000, ""),
    ("sessions-per-address", 256, 1, 1000000, ""),
    ("reply-timeout", 60, 1, 86400, ""),
    ("write-timeout", 60, 1, 86400, ""),
    ("reply-buffer", 1024 * KIB, 128 * KIB, 8192 * KIB, ""),
    ("command-buffer", 256 * KIB, 16 * KIB, 8192 * KIB, ""),
    ("all-buffers", 65536 * KIB, 2048 * KIB, 2048 * KIB * KIB, ""),
    ("commands-in-flight", 64, 1, 256, ""),
    ("line-length", 16 * KIB, 512, 16 * KIB, ""),
    ("block-length", 128 * KIB, 1 * KIB, 128 * KIB, ""),
    ("keys-per-command", 128, 1, 128, ""),
    ("log-lines-per-minute", 120, 1, 60000, ""),
]


def limits(**values):
    return "limits:\n" + "".join("  %s: %d\n" % (key.replace("_", "-"), value)
                                 for key, value in values.items())


def is_sanitized():
    with open(harness.DAEMON, "rb") as program:
        return b"__asan_init" in program.read()


class Configuration(harness.TestCase):
    """The keys below `limits`."""

    def check(self, text):
        return harness.check_profiles([harness.fresh_dir()], text)

    def test_ranges(self):
        """each has a range; outside of it is an error that tells it, with its place"""
        for key, _, least, most, _ in TABLE:
            for value in (least, most):
                with self.subTest(key=key, value=value):
                    status, output = self.check("limits:\n  %s: %d\n" % (key, value))
                    self.assertEqual(status, 0, output)
            for value in (least - 1, most + 1, -1, 10 ** 30):
                with self.subTest(key=key, value=value):
                    status, output = self.check("limits:\n  %s: %d\n" % (key, value))
                    self.assertEqual(status, 2, output)
                    self.assertIn("a number from %d to %d belongs here" % (least, most), output)
                    self.assertRegex(output, r"conf\.yml:2:[0-9]+: %s" % key)

    def test_values(self):
        """what is no number of a limit"""
        for value in ("''", "x", "1.0", "0x40", "1e3", "+64", "64 ", "1K", "1_000", "~", "[1]",
                      "{a: 1}", "true", "'64;'"):
            with self.subTest(value=value):
                status, output = self.check("limits:\n  commands-in-flight: %s\n" % value)
                self.assertEqual(status, 0 if value == "64 " else 2, output)

    def test_together(self):
        """one session may not be able to hold all of the memory for all"""
        for text in ("all-buffers: 2097152\n  reply-buffer: 1048577\n",
                     "all-buffers: 2097152\n  command-buffer: 1048577\n"):
            with self.subTest(text=text):
                status, output = self.check("limits:\n  " + text)
                self.assertEqual(status, 2, output)
                self.assertIn("all-buffers", output)

    def test_manual(self):
        """onion-grater.yml(5) has each with its default and range, and so has the example"""
        root = os.environ.get("TEST_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
        with open(os.path.join(root, "man/onion-grater.yml.5"), encoding="ascii") as file:
            manual = file.read()
        with open(os.path.join(root, "examples/onion-grater.yml"), encoding="ascii") as file:
            example = file.read()
        for key, default, least, most, _ in TABLE:
            with self.subTest(key=key):
                self.assertIn(".It Ic %s\n.Pq %d; %d to %d\n" % (key, default, least, most), manual)
                self.assertIn("\n  %s: %d\n" % (key, default), example)


class OneSession(harness.TestCase):
    """Limits of one session, against a scripted tor."""

    def gate(self, **values):
        self.tor = self.fake_tor()
        gate = self.daemon(PROFILE, self.tor, config=limits(**values) if values else "")
        self.other = self.connect(gate)
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)
        return gate

    def ends(self, gate, data, reason):
        with gate.connect() as client:
            client.send(data)
            self.assertEqual(client.rest(), b"500 line too long\r\n")
        gate.wait_log(reason)
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)

    def test_line_length(self):
        """a longer line ends the session; one of that length does not"""
        gate = self.gate(line_length=600)
        ask = b"GETINFO ns/name/"
        with gate.connect() as client:
            key = b"x" * (600 - len(ask) - 2)
            self.assertEqual(client.command(ask + key),
                             b"250-ns/name/%s=value of ns/name/%s\r\n250 OK\r\n" % (key, key))
        before = len(self.tor.commands)
        for size in (601, 602, 700, 5000):
            self.ends(gate, ask + b"x" * (size - len(ask) - 2) + b"\r\n", "(limits: line-length)")
        self.assertEqual(self.tor.commands[before:], [b"GETINFO version\r\n"] * 4)

    def test_block_length(self):
        """a longer data block ends the session; one of that length does not"""
        gate = self.gate(block_length=1024)
        head = b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n"
        line = b"x" * 62 + b"\r\n"
        with gate.connect() as client:
            client.send(head + line * 16 + b".\r\n")
            self.assertEqual(client.message(), OK)
        before = len(self.tor.commands)
        self.ends(gate, head + line * 16 + b"y\r\n.\r\n", "(limits: block-length)")
        self.ends(gate, head + line * 100, "(limits: block-length)")
        self.assertEqual(self.tor.commands[before:], [b"GETINFO version\r\n"] * 2)

    def test_keys(self):
        """more keys, in whatever form, refuse the command, and the session goes on"""
        gate = self.gate(keys_per_command=3)
        client = self.connect(gate)
        self.assertRegex(client.command(b"GETINFO version uptime version"), rb"^250-version=")
        self.assertEqual(client.command(b'SETCONF Nickname="a b c d" SocksPort=1 SocksPort'), OK)
        before = len(self.tor.commands)
        for line in (b"GETINFO version uptime version uptime", b"GETINFO " + b"version " * 1000,
                     b"GETCONF Nickname Nickname SocksPort Nickname",
                     b"SETCONF Nickname=a Nickname=b SocksPort SocksPort",
                     b'SETCONF Nickname="a"Nickname="b"Nickname="c"Nickname="d"',
                     b"RESETCONF Nickname SocksPort Nickname SocksPort"):
            self.assertEqual(client.command(line), FILTERED, line)
        self.assertEqual(len(self.tor.commands), before)
        gate.wait_log("too many keys in one command (limits: keys-per-command)")
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    def test_commands_in_flight(self):
        """tor gets so many and no more, until it has answered"""
        for count in (1, 2, 7, 32):
            with self.subTest(count=count):
                gate = self.gate(commands_in_flight=count)
                self.tor.answer = lambda connection, command: None
                client = self.connect(gate)
                before = len(self.tor.commands)
                client.send(b"SIGNAL NEWNYM\r\n" * 100)
                gate.wait_log("(limits: commands-in-flight)")
                for answered in range(0, 100, count):
                    self.tor.wait_commands(before + min(answered + count, 100))
                    self.assertLessEqual(len(self.tor.commands), before + answered + count)
                    for _ in range(min(count, 100 - answered)):
                        self.tor.connections[-1].send(OK)
                self.assertEqual(client.messages(100), [OK] * 100)
                lines = gate.log().count("(limits: commands-in-flight)")
                self.assertLessEqual(lines, 2, "one line for a session")

    def test_reply_buffer(self):
        """a client that does not read stops our reading from tor; the reply arrives whole"""
        gate = self.gate(reply_buffer=128 * KIB)
        line = b"x" * 998 + b"\r\n"
        block = b"250+md/all=\r\n" + line * 4000 + b".\r\n250 OK\r\n"
        done = []

        def answer(connection, command):
            if b"md/all" not in command:
                return harness.answer_as_tor(command)
            connection.send(block)
            done.append(connection)
            return None
        self.tor.answer = answer
        before = gate.memory_kib()
        client = self.connect(gate, timeout=60)
        client.send(b"GETINFO md/all\r\n")
        gate.wait_log("(limits: reply-buffer)")
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(done, [], "tor wrote 4 MB though nobody read them")
        self.assertLess(gate.memory_kib() - before, gate.memory_limit_kib())
        self.assertEqual(client.message(), block)

    def test_command_buffer(self):
        """commands that wait for tor are not read on from the client"""
        gate = self.gate(command_buffer=16 * KIB)
        self.tor.answer = lambda connection, command: None
        client = self.connect(gate)
        client.socket.settimeout(harness.scaled(0.5))
        block = b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + (b"x" * 998 + b"\r\n") * 60 + b".\r\n"
        sent = 0
        try:
            while sent < 100 * len(block):
                sent += client.socket.send(block)
        except OSError:
            pass
        self.assertLess(sent, 100 * len(block))
        gate.wait_log("(limits: command-buffer)")
        self.tor.answer = lambda connection, command: harness.answer_as_tor(command)
        self.assertEqual(self.other.command(b"GETINFO version"), VERSION_REPLY)

    def test_log_lines(self):
        """a user has so many lines in the log; what is left out is counted and told"""
        gate = self.daemon(PROFILE, self.fake_tor(), config=limits(log_lines_per_minute=3),
                           debug=False)
        with gate.connect() as client:
            client.send(b"FOO\r\n" * 500)
            self.assertEqual(client.messages(500), [FILTERED] * 500)
        harness.wait_until(lambda: re.search(r"[0-9]+ more lines of this client .*"
                                             r"\(limits: log-lines-per-minute\)", gate.log()),
                           "the count of lines left out", 60)
        self.assertLess(gate.log().count("session "), 20)

    def test_trickle(self):
        """a client that takes a byte now and then of what waits is closed after the time limit"""
        gate = self.gate(write_timeout=1)
        self.tor.answer = lambda connection, command: (
            b"250+md/all=\r\n" + (b"x" * 98 + b"\r\n") * 100000 + b".\r\n250 OK\r\n")
        client = self.connect(gate)
        client.send(b"GETINFO md/all\r\n")

        def is_closed():
            client.socket.recv(1)
            return "ended: client took too little" in gate.log()
        harness.wait_until(is_closed, "the end of a client that hardly reads")
        gate.wait_log("(limits: write-timeout)")
        self.tor.answer = lambda connection, command: harness.answer_as_tor(command)
        self.assert_works(gate)


class Clients(harness.TestCase):
    """Limits of the number of clients."""

    def test_sessions(self):
        """one line that names it; room again when a session ends"""
        for values, key in (({"sessions": 2}, "sessions"),
                            ({"sessions_per_uid": 2}, "sessions-per-uid")):
            with self.subTest(key=key):
                gate = self.daemon(PROFILE, self.fake_tor(), config=limits(**values))
                gate.wait_log("came and went")
                clients = [self.connect(gate) for _ in range(2)]
                for client in clients:
                    self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
                for data in (b"", b"GETINFO version\r\n", b"x" * 3000):
                    with gate.connect() as third:
                        try:
                            third.send(data)
                        except OSError:
                            pass
                        self.assertRegex(third.rest(), TOO_MANY)
                gate.wait_log("(limits: %s)" % key)
                clients.pop().close()

                def has_room():
                    with gate.connect() as client:
                        try:
                            client.send(b"GETINFO version\r\n")
                        except OSError:
                            pass
                        return client.rest_or_message() == VERSION_REPLY
                harness.wait_until(has_room, "room for a client")


class AllTogether(harness.TestCase):
    """Memory of all sessions together."""

    LINE = b"x" * 998 + b"\r\n"
    BLOCK = b"250+md/all=\r\n" + LINE * 3000 + b".\r\n250 OK\r\n"

    def setUp(self):
        self.tor = self.fake_tor(lambda connection, command: (
            self.BLOCK if b"md/all" in command else harness.answer_as_tor(command)))

    def test_share(self):
        """those that do not read stop each other, and nobody else"""
        gate = self.daemon(PROFILE, self.tor,
                           config=limits(all_buffers=16384 * KIB, write_timeout=600))
        victim = self.connect(gate, timeout=60)
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        before = gate.memory_kib()
        # Each of them alone could make us hold two megabytes.
        hogs = [self.connect(gate) for _ in range(20)]
        for hog in hogs:
            hog.send(b"GETINFO md/all\r\n")
        for _ in range(5):
            self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
            self.assertEqual(victim.command(b"GETINFO md/all"), self.BLOCK)
            self.assert_works(gate)
        self.assertNotIn("(limits: all-buffers)", gate.log(), "nobody had to be closed")
        self.assertLess(gate.memory_kib() - before, 16384 + gate.memory_limit_kib())

    def test_relief(self):
        """commands that cannot be finished fill it, too: the largest of the worst user goes"""
        gate = self.daemon(PROFILE, self.tor, config=limits(
            all_buffers=2048 * KIB, reply_buffer=128 * KIB, command_buffer=16 * KIB))
        victim = self.connect(gate)
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        before = gate.memory_kib()
        part = b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + self.LINE * 120
        hogs = [self.connect(gate).socket for _ in range(30)]
        for hog in hogs:
            try:
                hog.sendall(part)
            except OSError:
                pass
        log = gate.wait_log("(limits: all-buffers): the largest are closed")
        self.assertEqual(log.count(": the largest are closed"), 1)
        closed = harness.wait_until(lambda: select.select(hogs, [], [], 0)[0], "an end")
        self.assertLess(len(closed), 20)
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        self.assertLess(gate.memory_kib() - before, 2048 + gate.memory_limit_kib())

    def test_address_space(self):
        """with little memory for the process, and all of that at once, it lives and leaks nothing"""
        if is_sanitized():
            self.skipTest("a sanitizer takes terabytes of addresses")
        gate = self.daemon(PROFILE, self.tor, debug=False, config=limits(
            all_buffers=4096 * KIB, write_timeout=1, log_lines_per_minute=1))
        victim = self.connect(gate, timeout=60)
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        with open("/proc/%d/statm" % gate.pid, encoding="ascii") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        allowed = size + 16 * KIB * KIB
        resource.prlimit(gate.pid, resource.RLIMIT_AS, (allowed, allowed))
        attacks = (b"GETINFO md/all\r\n" * 64, b"x" * 16000,
                   b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + self.LINE * 120,
                   b"FOO\r\n" * 3000, b"GETINFO " + b"version " * 1000 + b"\r\n")
        for _ in range(3):
            clients = []
            for number in range(50):
                client = gate.connect()
                client.socket.settimeout(harness.scaled(0.2))
                clients.append(client)
                try:
                    client.send(attacks[number % len(attacks)])
                except OSError:
                    pass
            self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
            for client in clients:
                client.close()
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        self.assert_works(gate)


class Descriptors(harness.TestCase):
    """Descriptors run out."""

    def setUp(self):
        if not IS_ROOT:
            self.skipTest("only root may see the descriptors of the daemon, which is not dumpable")
        self.tor = self.fake_tor()
        self.gate = self.daemon(PROFILE, self.tor)
        self.gate.wait_log("came and went")

    def descriptors(self):
        return sorted(int(name) for name in os.listdir("/proc/%d/fd" % self.gate.pid))

    def allow(self, count):
        most = resource.prlimit(self.gate.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(self.gate.pid, resource.RLIMIT_NOFILE, (count or most, most))

    def ask(self, client, line=b"GETINFO version"):
        """What a client gets, or how it is turned away."""
        try:
            client.send(line + b"\r\n")
        except OSError:
            pass
        return client.rest_or_message()

    def served(self):
        with self.gate.connect() as client:
            return self.ask(client) == VERSION_REPLY

    def fill(self):
        """Clients that are served and have not asked for anything, until there is no room."""
        clients = []
        while True:
            client = self.connect(self.gate)
            reply = self.ask(client, b"AUTHENTICATE")
            if reply != OK:
                self.assertEqual(reply, TURNED_AWAY)
                return clients
            clients.append(client)

    def test_shortage(self):
        """new clients are told, sessions go on; all is as before when there are some again"""
        harness.wait_until(self.served, "service")
        harness.wait_until(lambda: all(c.is_closed for c in self.tor.connections), "the ends")
        before = (len(self.descriptors()), self.gate.memory_kib())
        asked = self.connect(self.gate)
        self.assertEqual(asked.command(b"GETINFO version"), VERSION_REPLY)
        self.allow(self.descriptors()[-1] + 61)
        idle = self.fill()
        # What is kept for them is enough for some of their connections to tor.
        replies = [self.ask(client) for client in idle]
        self.assertEqual(replies[0], VERSION_REPLY)
        self.assertEqual(replies[-1], NO_CONNECTION)
        self.assertEqual(set(replies), {VERSION_REPLY, NO_CONNECTION})
        # Now there is none at all, and one is kept to say so.
        for _ in range(40):
            with self.gate.connect() as client:
                self.assertEqual(self.ask(client), TURNED_AWAY)
        self.gate.reload()
        self.gate.wait_log("eloaded")
        self.assertEqual(asked.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(self.ask(idle[0]), VERSION_REPLY)
        self.assertEqual(self.ask(idle[-1]), NO_CONNECTION)
        self.allow(0)
        self.assertEqual(self.ask(idle[-1]), VERSION_REPLY)
        self.assertTrue(self.served())
        for client in idle + [asked]:
            client.close()
        # The one more holds tor's process, which could not be looked at closely meanwhile.
        harness.wait_until(lambda: len(self.descriptors()) <= before[0] + 1, "as few as before")
        self.assertLess(self.gate.memory_kib() - before[1], self.gate.memory_limit_kib())
        log = self.gate.log()
        self.assertEqual(log.count("a client was turned away: "), 1, "once a minute")
        self.assertIn("raise LimitNOFILE or lower limits: sessions", log)

    def test_room_again(self):
        """when sessions end there is room for others, however often"""
        self.allow(self.descriptors()[-1] + 41)
        for _ in range(5):
            clients = self.fill()
            self.assertGreater(len(clients), 5)
            for client in clients:
                client.close()
            harness.wait_until(self.served, "room")


class Turns(harness.TestCase):
    """Who has his turn when: told by the order of what is done."""

    def setUp(self):
        self.tor = self.fake_tor()
        self.gate = self.daemon(PROFILE, self.tor)
        self.flood, self.victim = self.connect(self.gate), self.connect(self.gate)
        for client in (self.flood, self.victim):
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        numbers = re.findall(r"session ([0-9]+) .*allowed GETINFO", self.gate.log())
        self.names = ["session %s " % number for number in numbers]

    def done_before(self, flood, victim, mark):
        """Both are there when the loop looks; how often the log has `mark` of the flood before the
        victim's line."""
        since = len(self.gate.log())
        self.gate.signal(signal.SIGSTOP)
        try:
            flood()
            self.victim.send(victim + b"\r\n")
        finally:
            self.gate.signal(signal.SIGCONT)
        self.victim.message()
        log = self.gate.wait_log(self.names[1], since)[since:]
        before = log[:log.index(self.names[1])]
        return sum(mark in line and self.names[0] in line for line in before.split("\n"))

    def test_pipelining(self):
        """of hundreds of commands that are there already, two turns pass at most"""
        for _ in range(3):
            count = self.done_before(lambda: self.flood.send(b"AUTHENTICATE\r\n" * 400),
                                     b"AUTHENTICATE", "answered AUTHENTICATE")
            self.assertLessEqual(count, 3 * 16)
            self.assertEqual(self.flood.messages(400), [OK] * 400)

    def test_large_replies(self):
        """of a reply of megabytes, a few reads of 64 KiB pass at most"""
        line = b"250-SocksPort=" + b"x" * 1000 + b"\r\n"
        reply = line * 5000 + b"250 SocksPort=1\r\n"
        self.tor.answer = lambda connection, command: (
            None if b"GETCONF" in command else harness.answer_as_tor(command))
        self.flood.send(b"GETCONF SocksPort\r\n")
        self.tor.wait_commands(3)
        connection = self.tor.connections[0]
        writer = threading.Thread(target=connection.send, args=(reply,), daemon=True)

        def fill():
            writer.start()
            harness.wait_until(lambda: not select.select([], [connection.socket], [], 0)[1],
                               "a full buffer on the way to the daemon")
        count = self.done_before(fill, b"AUTHENTICATE", "from tor: 250")
        self.assertLessEqual(count, 5 * 64)
        self.assertEqual(self.flood.message(), reply)

    def test_trickle(self):
        """clients that send a byte now and then cost nothing"""
        slow = [self.connect(self.gate) for _ in range(40)]
        for byte in b"GETINFO version\r\n":
            for client in slow:
                client.send(bytes([byte]))
            self.assertEqual(self.victim.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual([client.message() for client in slow], [VERSION_REPLY] * 40)

    def test_same_user(self):
        """sessions that cost much make their user rest; each of his has its turn, in order"""
        body = "commands:\n  GETINFO:\n" + "".join(
            "    - '(a|aa)*[x-z][0-9]{%d}'\n" % i for i in range(1, 9)) + "    - version\n"
        gate = self.daemon(harness.profile(body), self.tor, debug=False)
        victim = self.connect(gate, timeout=60)
        floods = [self.connect(gate) for _ in range(10)]
        self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
        for flood in floods:
            flood.send((b"GETINFO " + b"a" * 40 + b"\r\n") * 3000)
            flood.socket.setblocking(False)
        counts = []
        for _ in range(15):
            self.answered(floods)
            self.assertEqual(victim.command(b"GETINFO version"), VERSION_REPLY)
            counts.append(self.answered(floods))
        # A turn of each is 16 commands. Not each question comes at the beginning of a round.
        self.assertLessEqual(sorted(counts)[len(counts) // 2], len(floods) * 16 * 4)

    def answered(self, clients):
        """How many refusals they have got since the last look."""
        size = 0
        for client in clients:
            try:
                while True:
                    size += len(client.socket.recv(1 << 20))
            except BlockingIOError:
                pass
        return size // len(FILTERED)


class RealTor(harness.TestCase):
    """What a client does not read stays with us, not with tor."""

    def memory_kib(self, tor):
        with open("/proc/%d/status" % tor.process.pid, encoding="ascii") as file:
            return int(re.search(r"RssAnon:\s+([0-9]+)", file.read()).group(1))

    def test_tor_memory(self):
        """clients that ask for much and read nothing: tor's buffers stay small"""
        if harness.tor_program() is None:
            self.skipTest("no tor program found")
        tor = self.real_tor()
        gate = self.daemon(PROFILE, tor)
        client = self.connect(gate)
        size = len(client.command(b"GETINFO config/defaults"))
        self.assertGreater(size, 10000)
        before = self.memory_kib(tor)
        clients = [self.connect(gate) for _ in range(6)]
        ask = b"GETINFO config/defaults config/defaults\r\n" * 2000
        for client in clients:
            client.socket.settimeout(harness.scaled(0.1))
            try:
                client.send(ask)
            except OSError:
                pass
        gate.wait_log("(limits: reply-buffer)")
        with tor.login() as direct:
            for _ in range(20):
                self.assertRegex(direct.command(b"GETINFO version"), rb"^250-version=")
        # A window of questions each; all of them would be a gigabyte.
        self.assertLess(self.memory_kib(tor) - before, 6 * 2 * 32 * size // 1024)


if __name__ == "__main__":
    harness.main()
