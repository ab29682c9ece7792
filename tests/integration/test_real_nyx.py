#!/usr/bin/env python3
"""nyx of Debian, unmodified, in a terminal through its shipped profile: it shows what it may see,
asks for a new identity, and can change nothing."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading

import harness
import realapp

RIGHT = "\033OC"
ENTER = "\r"
CURSOR = re.compile(r"\033\[[0-9;?]*[A-Za-z]|\033[()][A-Z0-9]|\033[=>]|[\016\017]")


class Terminal:
    """What a program draws, in the order in which it draws it, and keys for it."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.drawn = bytearray()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.drawn.extend(data)

    def text(self, since=0):
        """The words, with one blank wherever the cursor moved."""
        return re.sub(" +", " ", CURSOR.sub(" ", bytes(self.drawn[since:]).decode("latin-1")))

    def press(self, keys):
        at = len(self.drawn)
        os.write(self.master, keys.encode())
        return at

    def close(self):
        os.close(self.slave)
        self.thread.join(harness.scaled(5))
        os.close(self.master)


class Nyx(realapp.TestCase):
    PROFILE = SOCKET = "nyx"
    PROGRAMS = ("nyx",)
    GRANTED = ("GETINFO circuit-status", "GETINFO stream-status", "GETINFO process/pid",
               "GETINFO ns/all", "GETINFO net/listeners/control", "SIGNAL NEWNYM")
    ALSO_REFUSED = (
        "SIGNAL RELOAD", "SIGNAL ACTIVE", "SIGNAL CLEARDNSCACHE", "SETCONF Nickname=x",
        "SETCONF BandwidthRate=1", "RESETCONF ORPort", "GETINFO exit-policy/full",
        "GETINFO config/defaults", "GETINFO onions/current", "GETINFO version config-text",
        "GETINFO status/bootstrap-phase", "SETEVENTS HS_DESC", "SETEVENTS INFO",
        "ADD_ONION NEW:ED25519-V3 Port=80", "GETCONF ContactInfo",
    )

    def start(self, path):
        terminal = Terminal()
        self.addCleanup(terminal.close)
        nyx = self.application(["nyx", "--socket", path], env={"TERM": "xterm"},
                               terminal=terminal.slave)
        nyx.screen = terminal
        return nyx

    @staticmethod
    def see(nyx, expression, since=0):
        try:
            return nyx.wait(lambda: re.search(expression, nyx.screen.text(since)),
                            "%r on the screen" % expression)
        except AssertionError:
            print("# drawn: %r" % nyx.screen.text(since)[-1500:])
            raise

    def end(self, nyx):
        self.see(nyx, "q again to confirm", nyx.screen.press("q"))
        nyx.screen.press("q")
        self.assertEqual(nyx.wait_end(), 0)

    def test_pages(self):
        """comes up, shows tor and its circuits, turns its pages, ends when told to"""
        nyx = self.start(self.socket_path)
        self.see(nyx, "page 1 / 5")
        self.see(nyx, "pid: %d" % self.tor.process.pid)
        self.see(nyx, "Download")
        # The circuits, with relays of this network by name.
        at = nyx.screen.press(RIGHT)
        self.see(nyx, "CIRCUIT|OUTBOUND", at)
        self.see(nyx, "(auth|middle|exit)[0-9]*", at)
        self.see(nyx, "RelayBandwidthBurst|BandwidthRate", nyx.screen.press(RIGHT))
        self.see(nyx, "Command filtered", nyx.screen.press(RIGHT))
        self.see(nyx, "Control Interpreter", nyx.screen.press(RIGHT))
        self.see(nyx, "Download", nyx.screen.press(RIGHT))
        self.end(nyx)

    def test_acts(self):
        """a new identity reaches tor; a reload and options of any kind do not"""
        tap = self.tap()
        with self.tor.login() as direct:
            self.assertEqual(direct.command(b"SETEVENTS SIGNAL CONF_CHANGED"), b"250 OK\r\n")
            nyx = self.start(tap.path)
            self.see(nyx, "Download")
            self.see(nyx, "new identity", nyx.screen.press("n"))
            self.assertEqual(direct.message(), b"650 SIGNAL NEWNYM\r\n")
            for _ in range(4):
                nyx.screen.press(RIGHT)
            self.see(nyx, "Control Interpreter")
            self.see(nyx, "blank line to stop", nyx.screen.press(ENTER))
            for line in ("SETCONF MaxCircuitDirtiness=77", "SIGNAL RELOAD", "SIGNAL HALT",
                         "GETINFO entry-guards"):
                self.see(nyx, "Command filtered", nyx.screen.press(line + ENTER))
            self.see(nyx, "version=0", nyx.screen.press("GETINFO version" + ENTER))
            nyx.screen.press(ENTER)
            self.end(nyx)
            # Nothing else of it came to tor.
            self.assertTrue(direct.is_silent(0.3), direct.received)
            self.assertNotIn(b"77", direct.command(b"GETCONF MaxCircuitDirtiness"))
        replies = dict(tap.exchanges())
        for command in (b"SIGNAL RELOAD\r\n", b"SETCONF MaxCircuitDirtiness=77\r\n",
                        b"SIGNAL HALT\r\n"):
            self.assertEqual(replies[command], harness.FILTERED, command)
        self.assertEqual(replies[b"SIGNAL NEWNYM\r\n"], b"250 OK\r\n")
        self.assertTrue([m for m in tap.messages() if m.startswith(b"650 BW ")])
        self.assertEqual(replies[b"GETINFO net/listeners/control\r\n"],
                         b"250-net/listeners/control=\r\n250 OK\r\n")
        self.assert_got_nothing(tap.to_client(), self.tor.torrc)

    def test_no_passwords(self):
        """the names by which applications keep streams apart are left out of what it reads"""
        with realapp.SecretStream(self.tor) as stream, self.gate.connect(self.SOCKET) as client:
            with self.tor.login() as direct:
                harness.wait_until(lambda: stream.shows(direct), "the stream to be at tor")
            circuits = client.command(b"GETINFO circuit-status")
            self.assertRegex(circuits, rb"[0-9]+ BUILT \$[0-9A-F]{40}~")
            streams = client.command(b"GETINFO stream-status")
            self.assertIn(stream.target.encode(), streams)
            self.assertEqual([], [word for word in stream.secrets if word in circuits + streams])


if __name__ == "__main__":
    realapp.main(Nyx)
