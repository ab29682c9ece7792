#!/usr/bin/env python3
"""Each limit, when it is reached, is named by one line of the log and counted under its own name, and
no other is."""

import harness
from adminsocket import Admin
from harness import VERSION_REPLY

LINE = b"x" * 998 + b"\r\n"
BLOCK_HEAD = b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n"
PROFILE = harness.profile("""
commands:
  GETINFO: [version, uptime, 'md/all']
  SIGNAL: [NEWNYM]
  '+HSPOST': ['.*']
""")


def answer(_connection, command):
    if b"md/all" in command:
        return b"250+md/all=\r\n" + LINE * 4000 + b".\r\n250 OK\r\n"
    if b"uptime" in command or b"SIGNAL" in command or b"HSPOST" in command:
        return None
    return harness.answer_as_tor(command)


class Told(harness.TestCase):
    def gate_with(self, **limits):
        text = "limits:\n" + "".join("  %s: %d\n" % (key.replace("_", "-"), value)
                                     for key, value in limits.items())
        self.gate = self.daemon(PROFILE, self.fake_tor(answer), config=text, debug=False)
        # The harness itself comes and goes when it waits for the socket.
        harness.wait_until(lambda: not self.reached(None), "nobody there")
        return self.gate

    def reached(self, name):
        """How often; None: of all, those that were, and sessions that are there."""
        with Admin(self.gate, "status") as admin:
            items = admin.items()
        limits = {item["name"]: item["reached"] for item in items if item["type"] == "limit"}
        if name:
            return limits[name]
        sessions = [item for item in items if item["type"] == "session"]
        return {key: value for key, value in limits.items() if value} or sessions

    def told(self, name, count=1, lines=1):
        """The limit was reached, this often; the log has so many lines that name it."""
        harness.wait_until(lambda: self.reached(name) >= count, "the count of " + name)
        self.assertEqual(self.reached(None), {name: count})
        mark = "limits: %s" % name
        harness.wait_until(lambda: mark in self.gate.log(), "the line of " + name)
        self.assertEqual(sum(mark in line for line in self.gate.log().split("\n")), lines)

    def send(self, data, count=1):
        clients = [self.connect(self.gate, timeout=60) for _ in range(count)]
        for client in clients:
            client.socket.settimeout(harness.scaled(0.3))
            try:
                client.send(data)
            except OSError:
                pass
            client.socket.settimeout(harness.scaled(60))
        return clients

    def too_many(self, name, **limits):
        self.gate_with(**limits)
        first = self.connect(self.gate)
        self.assertEqual(first.command(b"GETINFO version"), VERSION_REPLY)
        second, = self.send(b"")
        self.assertRegex(second.rest(), rb"^551 Too many connections[^\r]*\r\n$")
        self.told(name)
        self.assertEqual(first.command(b"GETINFO version"), VERSION_REPLY)

    def test_sessions(self):
        """sessions in all"""
        self.too_many("sessions", sessions=1)

    def test_sessions_per_uid(self):
        """sessions of a user"""
        self.too_many("sessions-per-uid", sessions_per_uid=1)

    def test_reply_buffer(self):
        """replies that are not read"""
        self.gate_with(reply_buffer=131072)
        self.send(b"GETINFO md/all\r\n")
        self.told("reply-buffer")

    def test_command_buffer(self):
        """commands that tor does not answer, and so does not get"""
        self.gate_with(command_buffer=16384)
        self.send(BLOCK_HEAD + LINE * 60 + b".\r\n" + BLOCK_HEAD + LINE * 60 + b".\r\n")
        self.told("command-buffer")

    def test_commands_in_flight(self):
        """commands without an answer"""
        self.gate_with(commands_in_flight=3)
        self.send(b"SIGNAL NEWNYM\r\n" * 4)
        self.told("commands-in-flight")

    def test_line_length(self):
        """a long line"""
        self.gate_with(line_length=512)
        client, = self.send(b"GETINFO " + b"x" * 600 + b"\r\n")
        self.assertEqual(client.rest(), b"500 line too long\r\n")
        self.told("line-length")

    def test_block_length(self):
        """a long block"""
        self.gate_with(block_length=1024)
        client, = self.send(BLOCK_HEAD + LINE * 2)
        self.assertEqual(client.rest(), b"500 line too long\r\n")
        self.told("block-length")

    def test_keys_per_command(self):
        """many keys"""
        self.gate_with(keys_per_command=2)
        client, = self.send(b"GETINFO version version version\r\n")
        self.assertEqual(client.message(), harness.FILTERED)
        self.told("keys-per-command")

    def test_reply_timeout(self):
        """a tor that is silent"""
        self.gate_with(reply_timeout=1)
        client, = self.send(b"GETINFO uptime\r\n")
        self.assertEqual(client.rest(), b"551 tor connection failed\r\n")
        # The problem, and the end of the session.
        self.told("reply-timeout", lines=2)

    def test_write_timeout(self):
        """a client that does not read"""
        self.gate_with(write_timeout=1, reply_buffer=8388608)
        self.send(b"GETINFO md/all\r\n")
        self.told("write-timeout")

    def test_all_buffers(self):
        """memory of all together: one line for it, and one for each session that it ends"""
        self.gate_with(all_buffers=2097152, reply_buffer=131072, command_buffer=16384)
        # Of the twenty lines that a user has at once two are left for ends.
        clients = self.send(BLOCK_HEAD + LINE * 125, count=18)
        harness.wait_until(lambda: self.reached("all-buffers"), "the count")
        self.gate.wait_log("ended: it held most of the memory")
        log = self.gate.log()
        self.assertEqual(log.count("(limits: all-buffers): the largest are closed"), 1)
        ended = log.count("ended: it held most of the memory")
        self.assertTrue(0 < ended < len(clients), ended)
        self.assertLessEqual(set(self.reached(None)), {"all-buffers", "log-lines-per-minute"})

    def test_log_lines(self):
        """lines of the log"""
        self.gate_with(log_lines_per_minute=2)
        client, = self.send(b"FOO\r\n" * 50)
        self.assertEqual(client.messages(50), [harness.FILTERED] * 50)
        harness.wait_until(lambda: "limits: log-lines-per-minute" in self.gate.log(), "the line", 60)
        self.assertGreater(self.reached("log-lines-per-minute"), 40)
        self.assertEqual(set(self.reached(None)), {"log-lines-per-minute"})


if __name__ == "__main__":
    harness.main()
