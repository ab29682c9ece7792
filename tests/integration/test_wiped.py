#!/usr/bin/env python3
"""What is secret does not stay in the daemon's memory: when a login, a command or a reply is over, its
cookie, password or key is nowhere in it. Buffers of the kernel are not looked at."""

import os
import re

import harness
from harness import VERSION_REPLY

OK = b"250 OK\r\n"
WORD = b"correct-horse-battery-staple-77"
STORED = b"StoredKeyOfTheClient" + b"q" * 60 + b"Q=="
MADE = b"KeyThatTorMadeForIt0" + b"w" * 60 + b"W=="
FOUND = b"KeyThatTheClientAdds" + b"e" * 22 + b"="
OPTION = b"password-of-a-proxy-4711"
REFUSED = b"whatever-was-refused-0815"

PROFILE = harness.profile("""
commands:
  GETINFO: [version, address]
  ADD_ONION: ['ED25519-V3:.* Port=80', 'NEW:BEST Port=80']
  ONION_CLIENT_AUTH_ADD: ['.*']
confs:
  Socks5ProxyPassword: ['.*']
""")


def answer(_connection, command):
    if b"NEW:BEST" in command:
        return (b"250-ServiceID=" + harness.SERVICE + b"\r\n250-PrivateKey=ED25519-V3:" + MADE
                + b"\r\n250 OK\r\n")
    return harness.answer_as_tor(command)


class Wiped(harness.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root may look into a process that is not dumpable")
        with open(harness.DAEMON, "rb") as program:
            if b"__asan_init" in program.read():
                self.skipTest("a sanitizer has memory without end")

    def memory(self, gate):
        """All that can be written to, in pieces."""
        with open("/proc/%d/maps" % gate.pid, encoding="ascii", errors="replace") as file:
            maps = [re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line) for line in file]
        with open("/proc/%d/mem" % gate.pid, "rb", buffering=0) as file:
            for found in filter(None, maps):
                begin, end = (int(number, 16) for number in found.groups())
                file.seek(begin)
                try:
                    yield file.read(end - begin)
                except OSError:
                    continue

    def assert_nowhere(self, gate, **secrets):
        pieces = list(self.memory(gate))
        self.assertTrue(any(b"onion-grater" in piece for piece in pieces), "the wrong memory")
        for name, secret in secrets.items():
            with self.subTest(secret=name):
                self.assertFalse(any(secret in piece for piece in pieces))

    def daemon_with(self, login, **more):
        return self.daemon(PROFILE, self.fake_tor(answer, login=login), debug=False, **more)

    def test_cookie(self):
        """tor's cookie, and what proves that we have it"""
        for methods in ("COOKIE", "SAFECOOKIE"):
            with self.subTest(methods=methods):
                cookie = os.urandom(32)
                path = harness.write(os.path.join(harness.fresh_dir("c"), "cookie"), cookie)
                login = harness.Login(methods, cookie=cookie, cookie_file=path)
                gate = self.daemon_with(login, config="control-cookie-path: %s\n" % path)
                client = self.connect(gate)
                self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
                self.assert_nowhere(gate, cookie=cookie, hexadecimal=cookie.hex().encode(),
                                    capitals=cookie.hex().upper().encode())

    def test_password(self):
        """the password of tor's control port"""
        path = harness.write(os.path.join(harness.fresh_dir("w"), "password"), WORD + b"\n")
        gate = self.daemon_with(harness.Login("HASHEDPASSWORD", password=WORD),
                                config="control-password-file: %s\n" % path)
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assert_nowhere(gate, word=WORD, hexadecimal=WORD.hex().encode(),
                            capitals=WORD.hex().upper().encode())

    def test_keys(self):
        """keys in commands and replies, whole, byte by byte and in the middle of others"""
        gate = self.daemon_with(harness.Login())
        client = self.connect(gate)
        lines = (b"ADD_ONION ED25519-V3:" + STORED + b" Port=80", b"ADD_ONION NEW:BEST Port=80",
                 b"ONION_CLIENT_AUTH_ADD " + harness.SERVICE + b" x25519:" + FOUND,
                 b'SETCONF Socks5ProxyPassword="' + OPTION + b'"',
                 b"AUTHENTICATE " + WORD.hex().encode(), b'AUTHENTICATE "' + WORD + b'"',
                 b"GETCONF " + REFUSED)
        secrets = {"stored": STORED, "made": MADE, "found": FOUND, "option": OPTION, "word": WORD,
                   "hexadecimal": WORD.hex().encode(), "refused": REFUSED}
        for line in lines:
            self.assertRegex(client.command(line), rb"^(250|510)")
        self.assert_nowhere(gate, **secrets)
        for line in lines:
            for byte in line:
                client.send(bytes([byte]))
            self.assertRegex(client.command(b""), rb"^(250|510)")
        self.assert_nowhere(gate, **secrets)
        client.send(b"\r\n".join(lines * 3) + b"\r\n")
        client.messages(3 * len(lines))
        self.assert_nowhere(gate, **secrets)
        client.close()
        self.assert_works(gate)
        self.assert_nowhere(gate, **secrets)


if __name__ == "__main__":
    harness.main()
