#!/usr/bin/env python3
"""Sockets that the service manager passes in (LISTEN_FDS)."""

import os
import re
import socket
import subprocess
import sys

import harness
from harness import FILTERED, VERSION_REPLY
from test_tcp import OURS, profile

# Puts descriptors where a service manager does, and becomes the program.
MANAGER = r"""
import fcntl, os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 300) for fd in fds]
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.closerange(3 + len(fds), 400)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Passed(harness.TestCase):
    """Sockets of the service manager."""

    def passed(self, profiles, sockets, names, tor=None, wait=True, **more):
        """A daemon that gets these sockets."""
        test = self

        class PassedDaemon(harness.Daemon):
            def start(self, sockets_to_wait_for):
                fds = [sock.fileno() for sock in sockets]
                command = [sys.executable, "-c", MANAGER, ",".join(map(str, fds)), ":".join(names)]
                with open(self.log_file, "ab") as log:
                    self.process = subprocess.Popen(command + self.arguments, pass_fds=fds,
                                                    stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=log, env=self.env)
                test.addCleanup(self.kill)
                if wait:
                    self.wait_log(" started: ")

        gate = PassedDaemon(profiles, tor or self.fake_tor(), sockets=(), **more)
        self.addCleanup(gate.stop)
        return gate

    def unix(self, name="passed", mode=0o666, credentials=True):
        path = os.path.join(harness.fresh_dir("u", 0o755), name)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, credentials)
        listener.bind(path)
        os.chmod(path, mode)
        listener.listen(64)
        return listener, path

    def tcp(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return listener, listener.getsockname()

    def ask(self, place):
        with harness.Client(place) as client:
            return client.command(b"GETINFO version")

    def test_unix_of_profile(self):
        """a Unix socket in place of the profile's own; it is not removed at the end"""
        listener, path = self.unix()
        gate = self.passed(harness.profile("commands: {GETINFO: [version]}"), [listener], ["app"])
        self.assertEqual(self.ask(path), VERSION_REPLY)
        self.assertFalse(os.path.exists(gate.socket_path("app")))
        self.assertTrue(os.path.exists(gate.socket_path("control")))
        gate.stop()
        self.assertTrue(os.path.exists(path))

    def test_waiting_client(self):
        """a client that connected and wrote before the daemon was there is served"""
        listener, path = self.unix()
        client = harness.Client(path)
        self.addCleanup(client.close)
        client.send(b"GETINFO version\r\n")
        self.passed(harness.profile("commands: {GETINFO: [version]}"), [listener], ["app"])
        self.assertEqual(client.message(), VERSION_REPLY)

    def test_no_credentials(self):
        """a Unix socket that does not pass credentials is warned of, and serves"""
        listener, path = self.unix(credentials=False)
        gate = self.passed(harness.profile("commands: {GETINFO: [version]}"), [listener], ["app"])
        self.assertIn("PassCredentials=yes", gate.log())
        self.assertEqual(self.ask(path), VERSION_REPLY)

    def test_shared(self):
        """by its name, or without one, a Unix socket is the shared one"""
        for name in ("control.sock", "onion-grater.socket", ""):
            with self.subTest(name=name):
                listener, path = self.unix()
                gate = self.passed(profile(users=OURS), [listener], [name])
                self.assertEqual(self.ask(path), VERSION_REPLY)
                self.assertFalse(os.path.exists(gate.socket_path("control")))

    def test_tcp(self):
        """TCP listeners: all profiles for such clients, or the one of that name"""
        any_listener, any_place = self.tcp()
        one_listener, one_place = self.tcp()
        other_listener, other_place = self.tcp()
        gate = self.passed(profile(users=OURS) + profile("second", users=OURS),
                           [any_listener, one_listener, other_listener],
                           ["onion-grater.socket", "second", "third"])
        self.assertEqual(self.ask(any_place), VERSION_REPLY)
        self.assertEqual(self.ask(one_place), VERSION_REPLY)
        self.assertEqual(self.ask(other_place), FILTERED)
        gate.wait_log("(profile tcp, second, uid")
        gate.wait_log("(profile second, uid")
        gate.wait_log(re.compile(r"warning: .*third, which does not exist"))
        self.assertTrue(os.path.exists(gate.socket_path("control")))

    def test_reload(self):
        """passed sockets stay; the profile may come later"""
        listener, path = self.unix()
        gate = self.passed({"a.yml": profile(users=OURS)}, [listener], ["app"])
        self.assertEqual(self.ask(path), FILTERED)
        gate.put("app.yml", harness.profile("commands: {GETINFO: [version]}"))
        gate.reload()
        gate.wait_log("reloaded: 2 profiles")
        self.assertEqual(self.ask(path), VERSION_REPLY)
        gate.remove("app.yml")
        gate.reload()
        gate.wait_log("reloaded: 1 profiles")
        self.assertEqual(self.ask(path), FILTERED)

    def test_too_open(self):
        """a socket that lets in more than the profile's would serves nobody"""
        text = harness.profile("commands: {GETINFO: [version]}", qualifiers="groups: ['*']",
                               sock="{group: '%d', mode: '0660'}" % os.getgid())
        for mode, answer in ((0o666, FILTERED), (0o660, VERSION_REPLY)):
            with self.subTest(mode="%o" % mode):
                listener, path = self.unix(mode=mode)
                gate = self.passed(text, [listener], ["app"])
                self.assertEqual(self.ask(path), answer)
                self.assertEqual("nobody is served there" in gate.log(), answer == FILTERED)

    def test_unusable(self):
        """what does not listen is named and not used"""
        pair = socket.socketpair()
        listener, path = self.unix()
        with pair[0], pair[1], socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            gate = self.passed(harness.profile("commands: {GETINFO: [version]}"),
                               [pair[0], datagrams, listener], ["app", "app", "app"])
            self.assertEqual(self.ask(path), VERSION_REPLY)
        self.assertIn("does not listen", gate.log())
        self.assertIn("no stream socket", gate.log())

    def test_other_process(self):
        """descriptors for another process are left alone"""
        gate = self.daemon(harness.profile("commands: {GETINFO: [version]}"), self.fake_tor(),
                           env={"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "app"})
        self.assert_works(gate)
        self.assertNotIn("passed", gate.log())


if __name__ == "__main__":
    harness.main()
