#!/usr/bin/env python3
"""How much memory clients can make the daemon take: never more than onion-grater.yml(5) says, and a
control group with that much never has to kill it."""

import os
import re

import harness
from harness import VERSION_REPLY

MIB = 1024 * 1024
KIB = 1024
SESSIONS = 80
ALL_BUFFERS = 8 * MIB
LINE = b"x" * 998 + b"\r\n"
BLOCK_HEAD = b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n"

PROFILE = harness.profile("""
commands:
  GETINFO: [version, 'md/all', 'ns/.*', 'silence/.*', 'config-text']
  SETCONF: ['']
  '+HSPOST': ['.*']
confs:
  Nickname: ['.*']
events:
  NS:
    response:
    - {pattern: '(.*)', replacement: '{}'}
  NEWDESC:
""")
CONFIG = """
limits:
  sessions: %d
  sessions-per-uid: %d
  all-buffers: %d
  reply-timeout: %d
  log-lines-per-minute: 1
""" % (SESSIONS + 1, SESSIONS + 1, ALL_BUFFERS, max(5, harness.scaled(5)))

# What a client of each kind sends; none of them reads.
ATTACKS = (
    ("replies", b"GETINFO md/all\r\n" * 64),
    ("blocks", BLOCK_HEAD + LINE * 120),
    ("keys", (b"GETINFO" + b" silence/x" * 128 + b"\r\n") * 64),
    ("options", (b"SETCONF" + b" Nickname=x" * 128 + b"\r\n") * 64),
    ("events", b"SETEVENTS NS\r\n"),
    ("lines", b"GETINFO config-text\r\n"),
    ("refusals", b"FOO\r\n" * 10000),
)


def figure():
    """The manual's."""
    return 16 * MIB + SESSIONS * 8 * KIB + 2 * ALL_BUFFERS


def answer(_connection, command):
    if b"md/all" in command:
        return b"250+md/all=\r\n" + LINE * 2000 + b".\r\n250 OK\r\n"
    if b"config-text" in command:
        return b"250-config-text=" + b"x" * 1000 * 1000
    if b"silence/" in command or b"SETCONF" in command:
        return None
    if b"SETEVENTS" in command:
        return b"250 OK\r\n650+NS\r\n" + LINE * 900
    return harness.answer_as_tor(command)


class Memory(harness.TestCase):
    def setUp(self):
        with open(harness.DAEMON, "rb") as program:
            if b"__asan_init" in program.read():
                self.skipTest("a sanitizer takes memory of its own")
        self.tor = self.fake_tor(answer)
        self.gate = self.daemon(PROFILE, self.tor, config=CONFIG, debug=False)
        self.victim = self.connect(self.gate, timeout=60)
        self.ask()

    def ask(self):
        self.assertEqual(self.victim.command(b"GETINFO version"), VERSION_REPLY)

    def most_kib(self):
        with open("/proc/%d/status" % self.gate.pid, encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+([0-9]+)", file.read()).group(1))

    def attack(self, texts):
        """As many clients as may be, while somebody else asks; then they go."""
        clients = []
        for number in range(SESSIONS):
            client = self.gate.connect()
            client.socket.settimeout(harness.scaled(0.05))
            clients.append(client)
            try:
                client.send(texts[number % len(texts)])
            except OSError:
                pass
            self.ask()
        for _ in range(20):
            harness.time.sleep(0.02)
            self.ask()
        for client in clients:
            client.close()
        # What tor owes them is waited for until the time limit.
        harness.wait_until(self.has_room, "room", 60)

    def has_room(self):
        with self.gate.connect() as client:
            try:
                client.send(b"GETINFO version\r\n")
            except OSError:
                pass
            return client.rest_or_message() == VERSION_REPLY

    def test_figure(self):
        """the most that attacks of every kind make of it is what the manual says"""
        for name, text in ATTACKS:
            with self.subTest(name=name):
                self.attack([text])
                self.assertLess(self.most_kib(), figure() // KIB)
        self.attack([text for _, text in ATTACKS])
        self.assertLess(self.most_kib(), figure() // KIB)
        self.assertGreater(self.most_kib(), ALL_BUFFERS // KIB, "the attacks were none")
        root = os.environ.get("TEST_SRCDIR", os.path.join(os.path.dirname(__file__), "../.."))
        with open(os.path.join(root, "man/onion-grater.yml.5"), encoding="ascii") as file:
            manual = " ".join(file.read().split())
        self.assertIn("16 MiB, 8 KiB for each of .Ic sessions , and twice .Ic all-buffers", manual)

    def test_group(self):
        """in a control group with that, and what the kernel needs for sockets, nothing is killed"""
        group = Group.make(self)
        with open("/proc/sys/net/core/wmem_default", encoding="ascii") as file:
            sockets = 2 * SESSIONS * int(file.read())
        group.limit(figure() + sockets)
        group.enter(self.gate.pid)
        self.attack([text for _, text in ATTACKS])
        self.ask()
        self.assertEqual(group.kills(), 0)

    def test_squeezed(self):
        """a group that has no more to give: sessions stand still, and go on when there is some"""
        group = Group.make(self)
        group.enter(self.gate.pid)
        group.forbid_kills(self.gate.pid)
        others = [self.connect(self.gate, timeout=60) for _ in range(5)]
        for client in others:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        try:
            group.squeeze()
            waiting = [self.connect(self.gate, timeout=60) for _ in range(20)]
            for client in others + waiting:
                client.send(b"GETINFO version\r\n" * 3)
            harness.time.sleep(1)
        finally:
            group.limit(None)
        for client in others:
            self.assertEqual(client.messages(3), [VERSION_REPLY] * 3)
        self.ask()
        harness.wait_until(self.has_room, "service")
        self.assertEqual(group.kills(), 0)


class Group:
    """A control group of our own for memory, of either version."""

    ROOT = "/sys/fs/cgroup"

    def __init__(self, test, path, version):
        self.path = path
        self.version = version
        os.mkdir(path)
        test.addCleanup(self.remove)

    @classmethod
    def make(cls, test):
        """In the group that we are in, as far as somebody lets us."""
        if os.geteuid() != 0:
            test.skipTest("only root makes control groups")
        with open("/proc/self/cgroup", encoding="ascii") as file:
            ours = dict(line.rstrip("\n").split(":", 2)[1:] for line in file)
        try:
            if "memory" in ours:
                return cls(test, cls.inside(cls.ROOT + "/memory", ours["memory"]), 1)
            with open(cls.ROOT + "/cgroup.subtree_control", "w", encoding="ascii") as file:
                file.write("+memory")
            return cls(test, cls.inside(cls.ROOT, "/"), 2)
        except OSError as error:
            test.skipTest("this kernel has no control group for memory that we may divide: %s"
                          % error.strerror)

    @staticmethod
    def inside(root, path):
        """Of a container we see the group as the root."""
        parent = root + path if os.path.isdir(root + path) else root
        return os.path.join(parent, "onion-grater-test-%d" % os.getpid())

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(str(value))

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return file.read()

    def enter(self, pid):
        self.write("cgroup.procs", pid)

    def limit(self, size):
        """None: none."""
        if self.version == 1:
            self.write("memory.limit_in_bytes", -1 if size is None else size)
        else:
            self.write("memory.max", "max" if size is None else size)

    def squeeze(self):
        """What is used now, and no more."""
        size = int(self.read("memory.usage_in_bytes" if self.version == 1 else "memory.current"))
        while True:
            try:
                self.limit(size)
                return
            except OSError:
                size += 4096

    def forbid_kills(self, pid):
        if self.version == 1:
            self.write("memory.oom_control", 1)
        else:
            with open("/proc/%d/oom_score_adj" % pid, "w", encoding="ascii") as file:
                file.write("-1000")

    def kills(self):
        text = self.read("memory.oom_control" if self.version == 1 else "memory.events")
        return int(re.search(r"^oom_kill ([0-9]+)$", text, re.M).group(1))

    def remove(self):
        for pid in self.read("cgroup.procs").split():
            with open(os.path.dirname(self.path) + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(pid)
        harness.wait_until(self.try_to_remove, "the end of the control group")

    def try_to_remove(self):
        try:
            os.rmdir(self.path)
            return True
        except OSError:
            return False


if __name__ == "__main__":
    harness.main()
