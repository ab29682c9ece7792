#!/usr/bin/env python3
"""The machine has no descriptors or no memory, for everybody: sessions wait and live on, accepting
pauses and resumes, nobody spins, nothing is left behind. The calls that fail are those of scarce.c;
how a shortage of the daemon's own looks is in test_limits.py."""

import errno
import mmap
import os
import shlex
import shutil
import struct
import subprocess
import time

import harness
from harness import VERSION_REPLY

OK = b"250 OK\r\n"
HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = ("accept", "send", "recvmsg", "read", "epoll_add", "socket")
ENTRY = struct.Struct("=ii")
SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
NO_MEMORY = (errno.ENOMEM, errno.ENOBUFS)
NO_CONNECTION = b"551 tor is not reachable: onion-grater has no descriptor or no memory left\r\n"
PROFILE = harness.profile("""
commands:
  GETINFO: [version, 'md/all']
  ADD_ONION: ['NEW:BEST Port=80']
events:
  BW:
""")


def compiler():
    return shlex.split(os.environ.get("CC", "cc"))


def build():
    """The library that is preloaded."""
    path = os.path.join(harness.scratch(), "scarce.so")
    if not os.path.exists(path):
        subprocess.run([*compiler(), "-shared", "-fPIC", "-o", path,
                        os.path.join(HERE, "scarce.c"), "-ldl"], check=True)
    return path


class Scarce(harness.TestCase):
    def setUp(self):
        with open(harness.DAEMON, "rb") as program:
            if b"__asan_init" in program.read():
                self.skipTest("a sanitizer has to be the first library")
        if not shutil.which(compiler()[0]):
            self.skipTest("no C compiler found")
        path = harness.write(os.path.join(harness.fresh_dir("s"), "table"),
                             bytes(ENTRY.size * len(CALLS)))
        with open(path, "r+b") as file:
            self.table = mmap.mmap(file.fileno(), 0)
        self.tor = self.fake_tor()
        self.gate = self.daemon(PROFILE, self.tor, env={"LD_PRELOAD": build(), "SCARCE": path})
        self.gate.wait_log("came and went")

    def set(self, call, error):
        """From now on the call fails with this error; 0: it works."""
        ENTRY.pack_into(self.table, ENTRY.size * CALLS.index(call), error, 0)

    def failed(self, call):
        return ENTRY.unpack_from(self.table, ENTRY.size * CALLS.index(call))[1]

    def session(self):
        client = self.connect(self.gate, timeout=60)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        return client

    def assert_rests(self, call):
        """The call is tried again now and then, not all the time."""
        before = self.failed(call)
        time.sleep(1)
        self.assertLess(self.failed(call) - before, 500)


class Accepting(Scarce):
    def test_accept(self):
        """no new client, for whatever reason: those that are there go on, the others wait"""
        served = self.session()
        for error in SHORTAGES:
            with self.subTest(error=errno.errorcode[error]):
                self.set("accept", error)
                waiting = [self.connect(self.gate, timeout=60) for _ in range(5)]
                for client in waiting:
                    client.send(b"GETINFO version\r\n")
                harness.wait_until(lambda: self.failed("accept"), "a failure")
                self.assertEqual(served.command(b"GETINFO version"), VERSION_REPLY)
                self.assert_rests("accept")
                self.assertTrue(all(client.is_silent(0) for client in waiting))
                self.set("accept", 0)
                self.assertEqual([client.message() for client in waiting], [VERSION_REPLY] * 5)
                for client in waiting:
                    client.close()
        self.assertEqual(self.gate.log().count("no new clients for now"), 1, "once a minute")

    def test_watching(self):
        """clients that are accepted but cannot be watched wait, too"""
        served = self.session()
        self.set("epoll_add", errno.ENOMEM)
        waiting = [self.connect(self.gate, timeout=60) for _ in range(5)]
        for client in waiting:
            client.send(b"GETINFO version\r\n")
        harness.wait_until(lambda: self.failed("epoll_add"), "a failure")
        self.assertEqual(served.command(b"GETINFO version"), VERSION_REPLY)
        self.assert_rests("epoll_add")
        self.set("epoll_add", 0)
        self.assertEqual([client.message() for client in waiting], [VERSION_REPLY] * 5)

    def test_reload(self):
        """a socket that is new while it cannot be watched is served later"""
        self.set("epoll_add", errno.ENOMEM)
        self.gate.put("late.yml", PROFILE.replace("name: app", "name: late"))
        self.gate.reload()
        harness.wait_until(lambda: harness.can_connect(self.gate.socket_path("late")), "its socket")
        self.set("epoll_add", 0)
        self.assert_works(self.gate, "late")


class Sessions(Scarce):
    def test_send(self):
        """what cannot be sent to a client or to tor is sent later, whole and once"""
        block = b"250+md/all=\r\n" + (b"x" * 98 + b"\r\n") * 20000 + b".\r\n250 OK\r\n"
        self.tor.answer = lambda connection, command: (
            block if b"md/all" in command else harness.answer_as_tor(command))
        owner, watcher, reader = (self.session() for _ in range(3))
        self.assertRegex(owner.command(b"ADD_ONION NEW:BEST Port=80"), rb"^250-ServiceID=")
        self.assertEqual(watcher.command(b"SETEVENTS BW"), OK)
        events = next(c for c in self.tor.connections if b"SETEVENTS BW\r\n" in c.commands)
        for error in NO_MEMORY:
            with self.subTest(error=errno.errorcode[error]):
                before = len(self.tor.commands)
                reader.send(b"GETINFO md/all\r\n")
                self.set("send", error)
                for client in (owner, watcher):
                    client.send(b"GETINFO version\r\n" * 20)
                events.send(b"650 BW 1 1\r\n")
                harness.wait_until(lambda: self.failed("send") > 3, "failures")
                self.assert_rests("send")
                self.set("send", 0)
                self.assertEqual(owner.messages(20), [VERSION_REPLY] * 20)
                got = sorted(watcher.messages(21))
                self.assertEqual(got, [VERSION_REPLY] * 20 + [b"650 BW 1 1\r\n"])
                self.assertEqual(reader.message(), block)
                self.assertEqual(len(self.tor.commands) - before, 41)
        self.assertEqual(self.gate.log().count("the machine has no memory"), 1, "once a minute")

    def test_receive(self):
        """what cannot be received now is received later"""
        served = self.session()
        for call in ("recvmsg", "read"):
            for error in NO_MEMORY:
                with self.subTest(error=errno.errorcode[error]):
                    self.set(call, error)
                    served.send(b"GETINFO version\r\n")
                    harness.wait_until(lambda name=call: self.failed(name), "a failure")
                    self.assert_rests(call)
                    self.set(call, 0)
                    self.assertEqual(served.message(), VERSION_REPLY)

    def test_connect(self):
        """no connection to tor: 551 at once, and the session goes on"""
        for error in SHORTAGES:
            with self.subTest(error=errno.errorcode[error]):
                client = self.connect(self.gate)
                self.assertEqual(client.command(b"AUTHENTICATE"), OK)
                self.set("socket", error)
                for _ in range(3):
                    self.assertEqual(client.command(b"GETINFO version"), NO_CONNECTION)
                self.set("socket", 0)
                self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)


if __name__ == "__main__":
    harness.main()
