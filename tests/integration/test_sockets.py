#!/usr/bin/env python3
"""Sockets: owner and mode, stale and live ones, who may come in, what strangers get, the end."""

import grp
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys

import harness
from harness import FILTERED, VERSION_REPLY, profile

IS_ROOT = os.getuid() == 0
UID = os.getuid()
BODY = """
commands:
  GETINFO: [version]
"""
GREETING = rb"^250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n250-VERSION Tor=\"[0-9.]+\"\r\n250 OK\r\n"

# What another user sends and gets, in a process of its own.
FOREIGNER = r"""
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
try:
    s.connect(sys.argv[1])
except OSError as error:
    sys.exit("connect: " + error.strerror)
s.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
s.shutdown(socket.SHUT_WR)
while True:
    data = s.recv(4096)
    if not data:
        break
    sys.stdout.buffer.write(data)
"""


def as_user(path, text, uid, gid=None, groups=()):
    """Lets a process of that user talk to a socket; returns (what it got, what went wrong)."""
    done = subprocess.run([sys.executable, "-c", FOREIGNER, path, text], user=uid,
                          group=uid if gid is None else gid, extra_groups=list(groups),
                          cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=harness.scaled(30))
    return done.stdout, done.stderr.decode("latin-1").strip()


def can_run_as_others():
    if not IS_ROOT:
        return False
    try:
        done = subprocess.run([sys.executable, "-c", "print(1)"], user=65534, group=65534,
                              extra_groups=[], cwd="/", stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=harness.scaled(20))
    except OSError:
        return False
    return done.stdout == b"1\n"


class Places(harness.TestCase):
    """The files that sockets are."""

    def mode(self, path):
        return stat.S_IMODE(os.lstat(path).st_mode)

    def test_default_modes(self):
        """0666 where a qualifier restricts, and for the shared socket; the owner is us"""
        gate = self.daemon(profile(BODY), sockets=("app", "control"))
        for name in ("app", "control"):
            self.assertEqual(self.mode(gate.socket_path(name)), 0o666)
            self.assertEqual(os.lstat(gate.socket_path(name)).st_uid, UID)

    def test_group_and_mode(self):
        """group and mode as the profile says; 0660 where a group is given"""
        gid = os.getgid()
        name = grp.getgrgid(gid).gr_name if gid in [g.gr_gid for g in grp.getgrall()] else str(gid)
        gate = self.daemon({
            "a.yml": profile(BODY, name="a", sock="{group: '%s'}" % name),
            "b.yml": profile(BODY, name="b", sock="{mode: '0600'}"),
            "c.yml": profile(BODY, name="c", sock="{mode: '0640', group: '%d'}" % gid),
        }, sockets=("a", "b", "c"))
        for socket_name, mode in (("a", 0o660), ("b", 0o600), ("c", 0o640)):
            status = os.lstat(gate.socket_path(socket_name))
            self.assertEqual((stat.S_IMODE(status.st_mode), status.st_gid), (mode, gid))

    def test_owner(self):
        """another user and group as owner"""
        if not IS_ROOT:
            self.skipTest("only root may give a file away")
        nobody = pwd.getpwuid(65534)
        gate = self.daemon({
            "a.yml": profile(BODY, name="a", sock="{user: '%s', mode: '0600'}" % nobody.pw_name),
            "b.yml": profile(BODY, name="b", sock="{group: '%d'}" % nobody.pw_gid),
        }, sockets=("a", "b"))
        status = os.lstat(gate.socket_path("a"))
        self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (65534, 0o600))
        status = os.lstat(gate.socket_path("b"))
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                         (0, nobody.pw_gid, 0o660))

    def test_own_path(self):
        """a socket at a path of the profile's choice"""
        path = os.path.join(harness.fresh_dir("s", 0o755), "own.sock")
        gate = self.daemon(profile(BODY, sock="{path: '%s'}" % path), self.fake_tor(), sockets=())
        harness.wait_until(lambda: harness.can_connect(path), "the socket")
        with harness.Client(path) as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.stop()
        self.assertFalse(os.path.exists(path))

    def make(self, path, listen):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        if listen:
            listener.listen(4)
        else:
            listener.close()
        return path

    def test_stale(self):
        """a socket that nobody listens on is replaced"""
        directory = harness.fresh_dir("s")
        path = self.make(os.path.join(directory, "x.sock"), listen=False)
        gate = self.daemon(profile(BODY, sock="{path: '%s'}" % path), self.fake_tor(), sockets=())
        harness.wait_until(lambda: harness.can_connect(path), "the socket")
        with harness.Client(path) as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.stop()

    def test_not_replaced(self):
        """a socket that somebody listens on, a file, a directory and a link are left alone"""
        directory = harness.fresh_dir("s")
        paths = {"live": self.make(os.path.join(directory, "live.sock"), listen=True),
                 "file": harness.write(os.path.join(directory, "file.sock"), "data"),
                 "dir": os.path.join(directory, "dir.sock"),
                 "link": os.path.join(directory, "link.sock")}
        os.mkdir(paths["dir"])
        stale = self.make(os.path.join(directory, "stale"), listen=False)
        os.symlink(stale, paths["link"])
        before = {name: os.lstat(path).st_ino for name, path in paths.items()}
        files = {name + ".yml": profile(BODY, name=name, sock="{path: '%s'}" % path)
                 for name, path in paths.items()}
        gate = self.daemon(dict(files, **{"app.yml": profile(BODY)}), self.fake_tor())
        for name in paths:
            self.assertRegex(gate.log(), r"error: \S*/%s\.yml:[0-9]+:[0-9]+: " % name)
        self.assert_works(gate)
        gate.stop()
        self.assertEqual({name: os.lstat(path).st_ino for name, path in paths.items()}, before)
        self.assertTrue(os.path.exists(stale))

    def test_two_daemons(self):
        """a second daemon in the same runtime directory does not start, the first serves on"""
        gate = self.daemon(profile(BODY), self.fake_tor())
        second = subprocess.run(gate.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=harness.scaled(20))
        self.assertEqual(second.returncode, 1, second.stdout)
        self.assert_works(gate)

    def test_replaced_under_us(self):
        """at the end only our own sockets are removed"""
        gate = self.daemon(profile(BODY), sockets=("app",))
        path = gate.socket_path()
        os.unlink(path)
        harness.write(path[:-5] + ".other", "x")
        os.rename(path[:-5] + ".other", path)
        gate.process.terminate()
        self.assertEqual(gate.process.wait(harness.scaled(15)), 0)
        gate.process = None
        self.assertTrue(os.path.exists(path))

    def test_after_a_crash(self):
        """sockets left by a killed daemon are no hindrance to the next one"""
        gate = self.daemon(profile(BODY), self.fake_tor(), sockets=("app", "control"))
        gate.process.kill()
        gate.process.wait()
        self.assertTrue(os.path.exists(gate.socket_path()))
        gate.start(("app", "control"))
        self.assert_works(gate)


class Who(harness.TestCase):
    """Qualifiers, by what the kernel says about the peer."""

    ASK = r"PROTOCOLINFO 1\r\nAUTHENTICATE\r\nGETINFO version\r\nQUIT\r\n"
    END = b"250 OK\r\n250 closing connection\r\n"

    def setUp(self):
        self.tor = self.fake_tor()

    def gate(self, qualifiers, sock="true"):
        return self.daemon(profile(BODY, qualifiers=qualifiers, sock=sock), self.tor,
                           runtime_mode=0o755)

    def served(self, gate, *args, name="app", **kwargs):
        got, error = as_user(gate.socket_path(name), self.ASK, *args, **kwargs)
        self.assertEqual(error, "")
        replies = harness.split_messages(got)
        self.assertEqual(len(replies), 4, got)
        self.assertRegex(replies[0], GREETING)
        self.assertEqual(replies[1], b"250 OK\r\n")
        self.assertEqual(replies[3], b"250 closing connection\r\n")
        self.assertIn(replies[2], (VERSION_REPLY, FILTERED))
        return replies[2] == VERSION_REPLY

    def test_stranger(self):
        """nobody's client: the login is answered, the rest refused, tor never connected to"""
        gate = self.gate("users: ['%d']" % (UID + 7))
        with gate.connect() as client:
            self.assertRegex(client.command(b"PROTOCOLINFO 1"), GREETING)
            self.assertEqual(client.command(b"AUTHENTICATE"), b"250 OK\r\n")
            for line in (b"GETINFO version", b"GETINFO address", b"SETEVENTS", b"GETCONF x",
                         b"SIGNAL NEWNYM", b"FOO", b"AUTHCHALLENGE SAFECOOKIE 00", b"",
                         b"ADD_ONION NEW:BEST Port=80"):
                self.assertEqual(client.command(line), FILTERED)
            self.assertEqual(client.command(b"QUIT"), b"250 closing connection\r\n")
            self.assertEqual(client.rest(), b"")
        self.assertEqual(self.tor.connections, [])
        gate.wait_log("no profile matches")

    def test_shared_socket(self):
        """the shared socket serves profiles without one of their own, and only those"""
        gate = self.daemon({
            "own.yml": profile(BODY, name="own", qualifiers="apparmor-profiles: ['*']\nusers: ['%d']" % UID),
            "shared.yml": "- name: shared\n  apparmor-profiles: ['*']\n  users: ['%d']\n"
                          "  commands:\n    GETINFO: [uptime]\n" % UID,
        }, self.tor, sockets=("own", "control"))
        with gate.connect("control") as client:
            self.assertEqual(client.command(b"GETINFO version"), FILTERED)
            self.assertRegex(client.command(b"GETINFO uptime"), rb"^250-uptime=")
        with gate.connect("own") as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
            self.assertEqual(client.command(b"GETINFO uptime"), FILTERED)

    def test_shared_needs_both(self):
        """without a socket both apparmor-profiles and users are asked; a label matches nobody yet"""
        def shared(name, *lines):
            return "- name: %s\n%s  commands:\n    GETINFO: [%s]\n" % (
                name, "".join("  %s\n" % line for line in lines), name)
        gate = self.daemon({
            "a.yml": shared("version", "users: ['*']"),
            "b.yml": shared("uptime", "apparmor-profiles: ['*']"),
            "c.yml": shared("dormant", "apparmor-profiles: ['/usr/bin/x']", "users: ['*']"),
            "d.yml": shared("md/all", "hosts: ['*']"),
        }, self.tor, sockets=("control",))
        with gate.connect("control") as client:
            for key in (b"version", b"uptime", b"dormant", b"md/all"):
                self.assertEqual(client.command(b"GETINFO " + key), FILTERED)
        self.assertEqual(self.tor.connections, [])
        self.assertRegex(gate.log(), r"warning: \S*c\.yml:[0-9]+:[0-9]+: .*label")

    def test_users(self):
        """users, by name and number"""
        if not can_run_as_others():
            self.skipTest("only root may become another user")
        gate = self.gate("users: ['%s', '4711']" % pwd.getpwuid(65534).pw_name)
        self.assertTrue(self.served(gate, 65534))
        self.assertTrue(self.served(gate, 4711))
        self.assertFalse(self.served(gate, 0))
        self.assertFalse(self.served(gate, 4712))
        self.assertFalse(self.served(gate, 4712, gid=65534, groups=(4711, 65534)))

    def test_groups(self):
        """groups, primary and supplementary"""
        if not can_run_as_others():
            self.skipTest("only root may become another user")
        gate = self.gate("groups: ['4711']")
        self.assertTrue(self.served(gate, 1234, gid=4711))
        self.assertTrue(self.served(gate, 1234, gid=1234, groups=(5, 4711, 6)))
        self.assertTrue(self.served(gate, 1234, groups=list(range(5000, 5200)) + [4711]))
        self.assertFalse(self.served(gate, 4711, gid=1234))
        self.assertFalse(self.served(gate, 1234, groups=(4710, 4712)))
        self.assertFalse(self.served(gate, 0, gid=0))

    def test_users_and_groups(self):
        """every qualifier that is present must match"""
        if not can_run_as_others():
            self.skipTest("only root may become another user")
        gate = self.gate("users: ['1234']\ngroups: ['4711', '4712']")
        self.assertTrue(self.served(gate, 1234, gid=4712))
        self.assertFalse(self.served(gate, 1234, gid=1234))
        self.assertFalse(self.served(gate, 1235, gid=4711))

    def test_unknown_names(self):
        """a user or group that does not exist matches nobody, and is warned of"""
        gate = self.gate("users: ['og-no-such-user']")
        with gate.connect() as client:
            self.assertEqual(client.command(b"GETINFO version"), FILTERED)
        self.assertRegex(gate.log(), r"warning: \S*app\.yml:[0-9]+:[0-9]+: .*og-no-such-user")

    def test_socket_mode_keeps_out(self):
        """the kernel keeps out who may not write to the socket"""
        if not can_run_as_others():
            self.skipTest("only root may become another user")
        gate = self.gate("users: ['*']", "{group: '4711', mode: '0660'}")
        self.assertTrue(self.served(gate, 1234, gid=4711))
        got, error = as_user(gate.socket_path(), self.ASK, 1234)
        self.assertEqual(got, b"")
        self.assertIn("Permission denied", error)

    def test_sessions_per_uid(self):
        """one user's sessions have a limit that others do not feel"""
        gate = self.daemon(profile(BODY, qualifiers="users: ['%d', '1234']" % UID), self.tor,
                           config="limits:\n  sessions-per-uid: 5\n", runtime_mode=0o755)
        gate.wait_log("came and went")
        clients = []
        for _ in range(5):
            client = self.connect(gate)
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
            clients.append(client)
        with gate.connect() as sixth:
            self.assertRegex(sixth.rest(), rb"^5[0-9][0-9] [^\r\n]+\r\n$")
        if can_run_as_others():
            self.assertTrue(self.served(gate, 1234))
        clients.pop().close()
        harness.wait_until(lambda: self.tor.connections[4].is_closed, "the end of a session")
        self.assert_works(gate)

    def test_sessions_limit(self):
        """all sessions together have a limit; the answer is a clean refusal"""
        gate = self.daemon(profile(BODY), self.tor, config="limits:\n  sessions: 3\n")
        gate.wait_log("came and went")
        clients = [self.connect(gate) for _ in range(3)]
        for client in clients:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        for _ in range(10):
            with gate.connect() as more:
                self.assertRegex(more.rest(), rb"^5[0-9][0-9] [^\r\n]+\r\n$")
        for client in clients:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)


class Life(harness.TestCase):
    """Connections that come and go, and the end of the daemon."""

    def test_connect_and_close(self):
        """a connection without a byte leaves no line above debug, and opens none to tor"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor, debug=False)
        since = len(gate.log())
        for _ in range(30):
            gate.connect().close()
        with gate.connect() as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.wait_log("ended:", since)
        lines = gate.log()[since:].strip().split("\n")
        self.assertEqual(len(lines), 3, lines)
        self.assertEqual(len(tor.connections), 1)

    def test_idle_needs_no_tor(self):
        """an open connection that asks nothing of tor opens none to it"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor)
        client = self.connect(gate)
        for line in (b"AUTHENTICATE", b"GETINFO address", b"FOO"):
            client.command(line)
        self.assertEqual(tor.connections, [])

    def test_own_connection_each(self):
        """each session has a connection to tor of its own, closed with it"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor)
        clients = [self.connect(gate) for _ in range(3)]
        for client in clients:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(len(tor.connections), 3)
        clients[1].close()
        harness.wait_until(lambda: tor.connections[1].is_closed, "the end of its connection")
        self.assertFalse(tor.connections[0].is_closed or tor.connections[2].is_closed)

    def test_reset(self):
        """clients that vanish in the middle of everything"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor)
        for data in (b"G", b"GETINFO version", b"GETINFO version\r\n" * 50, b"+FOO\r\nx\r\n",
                     b"QUIT\r\nGETINFO version\r\n", b"x" * 100000):
            for _ in range(5):
                client = gate.connect()
                try:
                    client.send(data)
                except OSError:
                    pass
                client.close()
        self.assert_works(gate)

    def test_sigterm(self):
        """SIGTERM under load: status 0, sockets gone, every client at its end"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor, sockets=("app", "control"))
        clients = [self.connect(gate) for _ in range(10)]
        for client in clients:
            client.send(b"GETINFO version\r\nGETINFO ver")
            self.assertEqual(client.message(), VERSION_REPLY)
        gate.stop()
        for client in clients:
            self.assertEqual(client.rest(), b"")
        self.assertIn("stopping", gate.log())

    def test_sigint(self):
        """SIGINT is as good as SIGTERM"""
        gate = self.daemon(profile(BODY))
        gate.signal(signal.SIGINT)
        self.assertEqual(gate.process.wait(harness.scaled(15)), 0)
        self.assertFalse(os.path.exists(gate.socket_path()))
        gate.process = None

    def test_many_connections(self):
        """sixty sessions at once, five times over; no descriptor is left behind"""
        tor = self.fake_tor()
        gate = self.daemon(profile(BODY), tor)
        for _ in range(5):
            clients = [gate.connect() for _ in range(60)]
            for client in clients:
                client.send(b"GETINFO version\r\n")
            for client in clients:
                self.assertEqual(client.message(), VERSION_REPLY)
            for client in clients:
                client.close()
            harness.wait_until(lambda: all(c.is_closed for c in tor.connections), "the ends")
        if IS_ROOT:
            harness.wait_until(lambda: len(os.listdir("/proc/%d/fd" % gate.pid)) < 20,
                               "few descriptors")


if __name__ == "__main__":
    harness.main()
