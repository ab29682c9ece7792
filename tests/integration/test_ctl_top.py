#!/usr/bin/env python3
"""onion-graterctl top on a terminal of 80 columns and 24 lines, which is a pseudo terminal here: what
it shows, its keys, another size, a daemon that goes and comes back, and that the terminal is given
back in whatever way it ends."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unittest

import harness
from ctlrun import CTL, HOSTILE, FakeAdmin, ctl, environment
from harness import profile

BODY = "commands:\n  GETINFO: [version]\n"


class Screen:
    """What a terminal shows: as much of xterm as ncurses makes use of here."""

    def __init__(self, rows, columns):
        self.rows = rows
        self.columns = columns
        self.clear()
        self.row = self.column = 0
        self.pending = ""
        self.is_alternate = False
        self.last = " "

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.clear()
        self.row = self.column = 0

    def feed(self, data):
        text = self.pending + data.decode("latin-1")
        self.pending = ""
        while text:
            match = re.match(r"\x1b(\[([?]?)([0-9;]*)([@-~])|[()].|[=>78])", text)
            if match:
                if match.group(4):
                    self.control(match.group(2), match.group(3), match.group(4))
                text = text[match.end():]
            elif text.startswith("\x1b") and len(text) < 20:
                self.pending = text
                return
            else:
                self.put(text[0])
                text = text[1:]

    def put(self, c):
        if c == "\r":
            self.column = 0
        elif c == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif c == "\b":
            self.column = max(self.column - 1, 0)
        elif c < " " or c > "~":
            raise AssertionError("byte %r on the screen" % c)
        else:
            if self.column >= self.columns:
                self.column = 0
                self.row = min(self.row + 1, self.rows - 1)
            # What was drawn for another size may come late.
            if self.row < self.rows and self.column < self.columns:
                self.cells[self.row][self.column] = c
            self.last = c
            self.column += 1

    def control(self, private, arguments, final):
        numbers = [int(number or 0) for number in arguments.split(";")]
        first = numbers[0] or 1
        if private:
            if "1049" in arguments.split(";"):
                self.is_alternate = final == "h"
        elif final == "H":
            self.row = min(first, self.rows) - 1
            self.column = (numbers[1] or 1) - 1 if len(numbers) > 1 else 0
        elif final == "d":
            self.row = min(first, self.rows) - 1
        elif final == "G":
            self.column = first - 1
        elif final == "A":
            self.row = max(self.row - first, 0)
        elif final == "B":
            self.row = min(self.row + first, self.rows - 1)
        elif final == "C":
            self.column += first
        elif final == "D":
            self.column = max(self.column - first, 0)
        elif final == "b":
            for _ in range(first):
                self.put(self.last)
        elif final == "J":
            if numbers[0] == 2:
                self.clear()
            else:
                self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
                for row in range(self.row + 1, self.rows):
                    self.cells[row] = [" "] * self.columns
        elif final == "K":
            if numbers[0] == 1:
                self.cells[self.row][:self.column + 1] = [" "] * (self.column + 1)
            else:
                self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif final == "X":
            for column in range(self.column, min(self.column + first, self.columns)):
                self.cells[self.row][column] = " "
        elif final == "P":
            del self.cells[self.row][self.column:self.column + first]
            self.cells[self.row] += [" "] * (self.columns - len(self.cells[self.row]))
        elif final == "@":
            self.cells[self.row][self.column:self.column] = [" "] * first
            del self.cells[self.row][self.columns:]
        elif final == "L":
            for _ in range(first):
                self.cells.insert(self.row, [" "] * self.columns)
            del self.cells[self.rows:]
        elif final == "M":
            for _ in range(first):
                del self.cells[self.row]
            self.cells += [[" "] * self.columns for _ in range(self.rows - len(self.cells))]
        elif final not in "mrlht":
            raise AssertionError("a control that is not known: %s%s" % (arguments, final))

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines())


class Top:
    """top on a terminal of its own."""

    def __init__(self, *arguments, rows=24, columns=80, env=()):
        self.screen = Screen(rows, columns)
        self.bytes = b""
        self.status = None
        ready, go = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.close(go)
                os.read(ready, 1)
                os.execve(CTL, [CTL, "top", "--interval", "1", *arguments],
                          environment(**dict(env)))
            finally:
                os._exit(99)
        os.close(ready)
        self.before = termios.tcgetattr(self.fd)
        self.resize(rows, columns)
        os.close(go)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def pump(self, seconds=0.05):
        """Takes what is there; false at the end."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.bytes += data
        self.screen.feed(data)
        return bool(data)

    def wait(self, condition, what):
        end = time.monotonic() + harness.scaled(20)
        while not condition(self.screen):
            if time.monotonic() > end:
                raise AssertionError("waited in vain for %s on\n%s" % (what, self.screen.text()))
            if not self.pump() and not condition(self.screen):
                raise AssertionError("it ended before %s: %r" % (what, self.bytes[-300:]))

    def wait_text(self, pattern):
        self.wait(lambda screen: re.search(pattern, screen.text()), pattern)

    def wait_without(self, text):
        """A picture is drawn line by line: what it no longer has may be there a moment longer."""
        self.wait(lambda screen: text not in screen.text(), "no more of " + text)

    def press(self, keys):
        os.write(self.fd, keys)

    def end(self):
        """The exit status, once all that it wrote is read."""
        end = time.monotonic() + harness.scaled(20)
        pid = 0
        while pid == 0 and time.monotonic() < end:
            self.pump()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise AssertionError("it does not end")
        self.status = status
        # The terminal outlives what ran on it as long as we hold it.
        while select.select([self.fd], [], [], 0)[0] and self.pump(0):
            pass
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitpid(self.pid, 0)[1]
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class TopCase(harness.TestCase):
    def setUp(self):
        self.tor = self.fake_tor()

    def start(self, *arguments, **kwargs):
        top = Top(*arguments, **kwargs)
        self.addCleanup(top.close)
        return top

    def on(self, gate, *arguments, **kwargs):
        return self.start("--runtime-dir", gate.runtime, *arguments, **kwargs)

    def gate_with(self, *names):
        return self.daemon({name + ".yml": profile(BODY, name=name) for name in names}, self.tor,
                           debug=False, sockets=names)

    def assert_restored(self, top):
        self.assertFalse(top.screen.is_alternate)
        self.assertIn(b"\x1b[?1049l", top.bytes)
        self.assertLess(top.bytes.rindex(b"\x1b[?25l"), top.bytes.rindex(b"\x1b[?25h"))
        try:
            after = termios.tcgetattr(top.fd)
        except termios.error:
            return
        self.assertEqual(after, top.before)


class OnDaemon(TopCase):
    def test_what_it_shows(self):
        gate = self.gate_with("web", "mail")
        web, mail = self.connect(gate, "web"), self.connect(gate, "mail")
        web.command(b"GETINFO version")
        mail.command(b"GETINFO address")
        top = self.on(gate)
        top.wait_text(r"(?m)^ *NO  PROFILE")
        top.wait_text(r"cmd/s ")
        lines = top.screen.lines()
        self.assertTrue(top.screen.is_alternate)
        self.assertRegex(lines[0], r"^onion-grater \S+  up \d+s  tor reachable  profiles 2$")
        self.assertRegex(lines[1], r"^sessions 2/1024  cmd/s ")
        self.assertRegex(lines[2], r"^<n>umber \[p\]rofile .* \[q\]uit$")
        self.assertRegex(lines[5], r"^ *\d+  web .* 1    0 ")
        self.assertRegex(lines[6], r"^ *\d+  mail .* 0    1 ")
        self.assertEqual(lines[7:], [""] * 17)
        for _ in range(20):
            web.command(b"GETINFO version")
        top.wait_text(r"web .* 21    0 +([1-9]\S*) ")
        top.press(b"q")
        self.assertEqual(top.end(), 0)
        self.assert_restored(top)

    def test_orders(self):
        gate = self.gate_with("a", "b", "c")
        clients = []
        for name in ("b", "c", "a"):
            clients.append(self.connect(gate, name))
            clients[-1].command(b"GETINFO version")
        top = self.on(gate, "--sort", "profile")

        def order(screen):
            return [line.split()[1] for line in screen.lines()[5:8] if line]

        top.wait(lambda screen: order(screen) == ["a", "b", "c"], "the order of profiles")
        top.press(b"n")
        top.wait(lambda screen: order(screen) == ["b", "c", "a"], "the order of numbers")
        top.press(b"x?\x1b[Z")
        end = time.monotonic() + harness.scaled(20)
        while True:
            clients[1].command(b"GETINFO version")
            top.press(b"c")
            top.pump()
            if order(top.screen) == ["c", "b", "a"]:
                break
            self.assertLess(time.monotonic(), end, top.screen.text())
        self.assertIn("<c>ommands", top.screen.lines()[2])

    def test_more_sessions_than_lines(self):
        gate = self.gate_with("web")
        clients = [self.connect(gate, "web") for _ in range(30)]
        for client in clients:
            client.command(b"GETINFO version")
        top = self.on(gate)

        def numbers(screen):
            return [int(line.split()[0]) for line in screen.lines()[5:] if line]

        top.wait(lambda screen: len(numbers(screen)) == 19, "a full screen")
        first = numbers(top.screen)[0]
        top.press(b"\x1bOB\x1bOB")
        top.wait(lambda screen: numbers(screen)[0] == first + 2, "two lines down")
        top.press(b"\x1bOA")
        top.wait(lambda screen: numbers(screen)[0] == first + 1, "one line up")
        top.press(b"\x1b[6~")
        top.wait(lambda screen: numbers(screen)[-1] == first + 29, "the end")
        top.press(b"\x1b[5~\x1b[5~")
        top.wait(lambda screen: numbers(screen)[0] == first, "the beginning")
        top.press(b"\x1bOF")
        top.wait(lambda screen: numbers(screen)[-1] == first + 29 and len(numbers(screen)) == 19,
                 "the end, with a full screen")
        for client in clients[5:]:
            client.close()
        top.wait(lambda screen: len(numbers(screen)) == 5, "those that are left")

    def test_other_sizes(self):
        gate = self.gate_with("web")
        client = self.connect(gate, "web")
        client.command(b"GETINFO version")
        top = self.on(gate)
        top.wait_text(r"(?m)^ *\d+  web ")
        for rows, columns in ((10, 40), (50, 200), (3, 20), (1, 5), (24, 80)):
            top.resize(rows, columns)
            top.wait(lambda screen: screen.lines()[0].startswith("onion-grater"[:columns]),
                     "a screen of %d lines" % rows)
        top.wait_text(r"(?m)^ *\d+  web ")
        top.press(b"q")
        self.assertEqual(top.end(), 0)
        self.assert_restored(top)

    def test_the_daemon_goes_and_comes_back(self):
        gate = self.gate_with("web")
        top = self.on(gate)
        top.wait_text("tor unknown")
        gate.stop()
        top.wait_text("no answer from the daemon; asking again")
        top.wait_text(r"the\s+daemon\s+is\s+not\s+running")
        top.wait_without("PROFILE")
        gate.start(["web"])
        top.wait_text(r"(?m)^onion-grater .* profiles 1$")
        top.wait_without("no answer")
        top.press(b"q")
        self.assertEqual(top.end(), 0)
        self.assert_restored(top)

    def test_signals(self):
        gate = self.gate_with("web")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            top = self.on(gate)
            top.wait_text("profiles 1")
            os.kill(top.pid, number)
            self.assertEqual(top.end(), 0, number)
            self.assert_restored(top)

    def test_its_terminal_goes_away(self):
        gate = self.gate_with("web")
        top = self.on(gate)
        top.wait_text("profiles 1")
        fd, top.fd = top.fd, os.open(os.devnull, os.O_RDWR)
        os.close(fd)
        self.assertEqual(top.end(), 0)


class Answers(TopCase):
    def test_hostile_names(self):
        fake = FakeAdmin(FakeAdmin.lines(
            {"type": "daemon", "version": HOSTILE, "complain": HOSTILE},
            {"type": "tor", "state": HOSTILE},
            {"type": "session", "number": 7, "profiles": [HOSTILE], "uid": 4711,
             "label": HOSTILE, "age_ms": 5}))
        self.addCleanup(fake.stop)
        top = self.start("--socket", fake.path)
        top.wait_text(r"(?m)^ *7 \\x1B\[31")
        # The screen itself refuses what is not printable; here is what it would not have seen.
        self.assertNotIn(b"\x1b[31mred", top.bytes)
        self.assertNotIn(b"title\x07", top.bytes)
        self.assertNotIn(b"\x9b", top.bytes)

    def test_a_daemon_that_hangs(self):
        """Keys are heard all the same."""
        hangs = []

        def serve(connection):
            if hangs:
                connection.recv(1)
            connection.sendall(FakeAdmin.lines({"type": "daemon", "version": "x"}))

        fake = FakeAdmin(serve=serve)
        self.addCleanup(fake.stop)
        top = self.start("--socket", fake.path)
        top.wait_text("onion-grater x")
        hangs.append(True)
        count = len(fake.requests)
        harness.wait_until(lambda: top.pump() and len(fake.requests) > count, "a question")
        began = time.monotonic()
        top.press(b"q")
        self.assertEqual(top.end(), 0)
        self.assertLess(time.monotonic() - began, harness.scaled(4))
        self.assert_restored(top)

    def test_a_cut_answer(self):
        answers = [FakeAdmin.lines({"type": "daemon", "version": "x"}),
                   FakeAdmin.lines({"type": "daemon", "version": "x"}, end=False)]

        def serve(connection):
            connection.sendall(answers.pop(0) if len(answers) > 1 else answers[0])

        fake = FakeAdmin(serve=serve)
        self.addCleanup(fake.stop)
        top = self.start("--socket", fake.path)
        top.wait_text("onion-grater x")
        top.wait_text(r"the\s+answer\s+was\s+cut")

    def test_colours(self):
        fake = FakeAdmin(FakeAdmin.lines({"type": "daemon", "version": "x"},
                                         {"type": "tor", "state": "unreachable"}))
        self.addCleanup(fake.stop)
        for env, has_colours in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
            top = self.start("--socket", fake.path, env=env)
            top.wait_text("tor unreachable")
            self.assertEqual(b"\x1b[31m" in top.bytes, has_colours, env)
            top.close()

    def test_no_daemon_no_screen(self):
        top = self.start("--socket", "/nonexistent/admin.sock")
        self.assertEqual(top.end(), 1)
        self.assertNotIn(b"\x1b", top.bytes)
        self.assertIn(b"the daemon is not running", top.bytes)

    def test_no_terminal(self):
        fake = FakeAdmin(FakeAdmin.lines({"type": "daemon"}))
        self.addCleanup(fake.stop)
        result = ctl("top", "--socket", fake.path)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("this needs a terminal", result.stderr)
        top = self.start("--socket", fake.path, env={"TERM": "no-such-terminal"})
        self.assertEqual(top.end(), 2)
        self.assertIn(b"TERM names no terminal", top.bytes)


class StatusOnATerminal(TopCase):
    def test_width_and_colours(self):
        fake = FakeAdmin(FakeAdmin.lines(
            {"type": "daemon", "version": "x"}, {"type": "tor", "state": "unreachable"},
            {"type": "session", "number": 7, "profiles": ["a" * 50, "b" * 50], "uid": 0,
             "label": "c" * 100}))
        self.addCleanup(fake.stop)
        for env, has_colours in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            pid, fd = pty.fork()
            if pid == 0:
                os.execve(CTL, [CTL, "status", "--socket", fake.path], environment(**env))
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            said = b""
            while True:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    break
                said += data
            os.close(fd)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            self.assertEqual(b"\x1b[31m" in said, has_colours, env)
            plain = re.sub(rb"\x1b\[[0-9]*m", b"", said).decode()
            self.assertNotIn("\x1b", plain)
            self.assertLessEqual(max(map(len, plain.split("\r\n"))), 80)


if __name__ == "__main__":
    if "xterm" not in os.popen("infocmp -1 xterm 2>/dev/null | head -n 2").read():
        print("1..0 # SKIP this machine has no description of xterm (Debian: ncurses-base)")
        sys.exit(0)
    harness.main()
