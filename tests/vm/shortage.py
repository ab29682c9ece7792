"""Runs in a guest, as root: no process may open another file (ENFILE), which nobody would try on a
machine that is in use. What happens to memory in control groups of version 2 is that of
tests/integration/test_memory.py.

    ONION_GRATER=PROGRAM python3 shortage.py
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import harness  # noqa: E402
from harness import VERSION_REPLY  # noqa: E402

UID = 4000
OK = b"250 OK\r\n"
PROFILE = harness.profile("commands:\n  GETINFO: [version]\n")


def set_most_files(count):
    with open("/proc/sys/fs/file-max", "w", encoding="ascii") as file:
        file.write(str(count))


def count_files():
    with open("/proc/sys/fs/file-nr", encoding="ascii") as file:
        return int(file.read().split()[0])


class Unprivileged(harness.Daemon):
    """root may open files beyond the limit."""

    def start(self, sockets):
        for path in (self.runtime, self.config_file):
            os.chown(path, UID, UID)
        self.arguments = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups",
                          *self.arguments]
        super().start(sockets)


class Files(harness.TestCase):
    def setUp(self):
        self.tor = self.fake_tor()
        os.chmod(os.path.dirname(self.tor.path), 0o755)
        os.chmod(self.tor.path, 0o666)
        self.gate = Unprivileged(PROFILE, self.tor)
        self.addCleanup(self.gate.stop)
        self.gate.wait_log("came and went")
        self.addCleanup(set_most_files, 100000)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.gate.pid))

    def ask(self, client, line):
        try:
            client.send(line + b"\r\n")
        except OSError:
            pass
        return client.rest_or_message()

    def served(self):
        with self.gate.connect() as client:
            return self.ask(client, b"GETINFO version") == VERSION_REPLY

    def test_files(self):
        """no file for anybody: who comes is told or waits, who is there goes on; then all is well"""
        self.assertTrue(self.served())
        before = self.descriptors()
        old = self.connect(self.gate)
        self.assertEqual(old.command(b"GETINFO version"), VERSION_REPLY)
        set_most_files(count_files() + 60)
        clients, waiting, told = [], [], 0
        while len(waiting) + told < 6:
            self.assertLess(len(clients), 500)
            clients.append(self.connect(self.gate, timeout=0.3))
            try:
                told += self.ask(clients[-1], b"AUTHENTICATE") != OK
            except AssertionError:
                waiting.append(clients[-1])
            self.assertEqual(old.command(b"GETINFO version"), VERSION_REPLY)
        self.gate.wait_log("the machine is short of it")
        set_most_files(100000)
        for client in waiting:
            client.socket.settimeout(harness.scaled(20))
            self.assertEqual(client.rest_or_message(), OK)
        self.assertTrue(self.served())
        self.assertEqual(old.command(b"GETINFO version"), VERSION_REPLY)
        for client in clients + [old]:
            client.close()
        # One more holds tor's process, which could not be looked at closely before.
        harness.wait_until(lambda: self.descriptors() <= before + 1, "as few as before")


if __name__ == "__main__":
    harness.main()
