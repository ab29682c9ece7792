#!/usr/bin/env python3
"""Replays tests/conversations through the program, with a scripted tor (see the README there)."""

import glob
import os
import re
import time

import harness
import machines

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conversations")
NAMES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\{([0-9]+)\}(.)|(.))")


def unescape(text):
    def replace(match):
        byte, count, char, name = match.groups()
        if byte:
            return chr(int(byte, 16))
        if count:
            return char * int(count)
        return NAMES[name].decode()
    return ESCAPE.sub(replace, text).encode("latin-1")


class ScriptedTor(harness.FakeTor):
    """Answers the login, and nothing else by itself; what came stands in one stream."""

    def __init__(self):
        super().__init__(answer=lambda connection, command: None)

    def got(self):
        return b"".join(self.commands)

    def say(self, data):
        self.connections[-1].send(data)

    def lose(self):
        for connection in self.connections:
            connection.close()

    def refuse(self):
        """Attempts are refused from now on: the socket's file stays, nobody listens."""
        self.socket.shutdown(2)
        self.socket.close()
        self.socket = None
        self.lose()


class Replay:
    def __init__(self, test, path):
        self.test = test
        self.name = os.path.basename(path)
        with open(path) as file:
            lines = file.read().split("\n")
        start, middle = lines.index("profile:"), lines.index("dialogue:")
        self.tor = ScriptedTor()
        test.addCleanup(self.tor.stop)
        text = "\n".join(lines[start + 1:middle]) + "\n"
        address = [line[len("client: "):] for line in lines[:start] if line.startswith("client: ")]
        self.steps = [(number + 1, line) for number, line in enumerate(lines)
                      if number > middle and line and not line.startswith("#")]
        self.client = self.remote(text, address[0]) if address else self.local(text)
        test.addCleanup(self.client.close)
        self.seen = b""
        self.to_see = b""
        self.to_tor = b""
        self.input = b""
        self.kind = None

    def local(self, text):
        times_out = any(line == "T! silent" for _, line in self.steps)
        config = "limits:\n  reply-timeout: %d\n" % harness.scaled(2) if times_out else ""
        self.gate = self.test.daemon(text, self.tor, config=config, sockets=("control",))
        return self.gate.connect("control")

    def remote(self, text, address):
        """A client in another machine, which has that address."""
        why_not = machines.missing()
        if why_not:
            self.test.skipTest(why_not)
        if address != "10.97.1.2":
            self.fail("no machine has the address " + address)
        others = machines.Machines()
        others.make_machines(self.test.addCleanup)
        self.test.addCleanup(others.gate_daemon(text, self.tor, "--listen-address", "0.0.0.0").stop)
        return harness.Client(others.connect_from("one", "10.97.1.1", 9051))

    def fail(self, text):
        self.test.fail("%s: %s" % (self.where or self.name, text))

    def run(self):
        for number, line in self.steps:
            self.where = "%s:%d" % (self.name, number)
            self.step(line[:2], line[3:] if line[2:3] == " " else line[2:])
        self.flush()
        self.expect()
        if not self.is_over and not self.is_gone and not self.client.is_silent(0.02):
            self.fail("more came than was expected: %r" % self.client.recv())

    is_over = False
    is_gone = False  # the client is
    where = ""

    def step(self, kind, text):
        if kind in ("C:", "T>"):
            if kind != self.kind:
                self.flush()
                self.expect()
                self.kind = kind
            self.input += unescape(text)
            return
        self.flush()
        if kind == "T<":
            self.to_tor += unescape(text)
        elif kind == "S:":
            self.to_see += unescape(text)
        else:
            self.expect()
            self.direct(kind, text)

    def direct(self, kind, text):
        if (kind, text) == ("C!", "eof"):
            self.client.half_close()
        elif (kind, text) == ("C!", "gone"):
            self.client.close()
            self.is_gone = True
        elif (kind, text) == ("P!", "removed"):
            self.gate.remove("app.yml")
            self.gate.reload()
        elif (kind, text) == ("T!", "silent"):
            pass  # time passes while the next step is waited for
        elif (kind, text) == ("T!", "lost"):
            self.tor.lose()
        elif (kind, text) == ("T!", "down"):
            self.tor.refuse()
        elif (kind, text) == ("T!", "up"):
            self.tor.start()
        elif (kind, text) == ("S!", "end") and self.is_gone:
            self.wait_end()
        elif (kind, text) == ("S!", "end"):
            rest = self.client.rest()
            self.is_over = True
            if rest:
                self.fail("before the end came: %r" % rest)
        else:
            self.fail("unknown: %s %s" % (kind, text))

    def wait_end(self):
        """Seen from tor's side: nobody else is left."""
        self.is_over = True
        harness.wait_until(lambda: all(connection.is_closed for connection in self.tor.connections),
                           "%s: the end of the session" % self.where)

    def flush(self):
        data, kind, self.input, self.kind = self.input, self.kind, b"", None
        if kind == "C:":
            self.client.send(data)
        elif kind == "T>":
            self.tor.say(data)

    def expect(self):
        """What is expected so far has come, and nothing else."""
        while len(self.seen) < len(self.to_see):
            data = self.client.recv()
            if not data:
                break
            self.seen += data
        if self.seen != self.to_see:
            self.fail("the client got %r, expected %r" % (self.seen[-400:], self.to_see[-400:]))
        end = time.monotonic() + harness.scaled(10)
        while len(self.tor.got()) < len(self.to_tor) and time.monotonic() < end:
            time.sleep(0.002)
        if self.tor.got() != self.to_tor:
            self.fail("tor got %r, expected %r" % (self.tor.got()[-400:], self.to_tor[-400:]))


class Conversations(harness.TestCase):
    pass


def add_test(path):
    name = os.path.basename(path)[:-len(".txt")]

    def test(self):
        Replay(self, path).run()
    with open(path) as file:
        test.__doc__ = file.readline().strip("# \n")
    setattr(Conversations, "test_" + name.replace("-", "_"), test)


for conversation in sorted(glob.glob(os.path.join(DIRECTORY, "*.txt"))):
    add_test(conversation)

if __name__ == "__main__":
    harness.main()
