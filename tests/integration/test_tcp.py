#!/usr/bin/env python3
"""Clients over TCP from this machine: by their user, by the processes that hold the connection; tor
itself; the options."""

import os
import re
import signal
import socket
import subprocess
import sys

import harness
from harness import FILTERED, VERSION_REPLY

IS_ROOT = os.getuid() == 0
UID = os.getuid()
OTHER = 1234
ASK = b"GETINFO version\r\nGETINFO status/clients-seen\r\n"
PYTHON = os.path.realpath(sys.executable)

# Sends a text to HOST PORT, from BIND if given, and prints what it gets.
TALKER = r"""
import socket, sys, time
host, port, text, bind = sys.argv[1:5]
target = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
s = socket.socket(target[0])
s.settimeout(20)
if bind:
    s.bind(socket.getaddrinfo(bind, 0, type=socket.SOCK_STREAM)[0][4])
s.connect(target[4])
s.sendall(text.encode())
s.shutdown(socket.SHUT_WR)
while True:
    data = s.recv(4096)
    if not data:
        break
    sys.stdout.buffer.write(data)
"""

def free_port(host="127.0.0.1", family=socket.AF_INET):
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def talk(host, port, text=ASK, bind="", uid=None, prefix=()):
    """What another process gets that says something over TCP."""
    as_user = {"user": uid, "group": uid, "extra_groups": []} if uid is not None else {}
    done = subprocess.run([*prefix, sys.executable, "-c", TALKER, host, str(port), text.decode(),
                           bind], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=harness.scaled(40), **as_user)
    if done.returncode:
        raise AssertionError("the client failed: " + done.stderr.decode("latin-1")[-500:])
    return done.stdout


def profile(name="tcp", users=None, hosts=None, extra="", allowed="version"):
    lines = ["- name: " + name, "  commands: {GETINFO: ['%s']}" % allowed]
    if users is not None:
        lines += ["  apparmor-profiles: ['*']", "  users: %s" % users]
    if hosts is not None:
        lines += ["  hosts: %s" % hosts]
    return "\n".join(lines + ["  " + line for line in extra.split("\n") if line]) + "\n"


OURS = ["%d" % UID]
SERVED = VERSION_REPLY + FILTERED


class TcpTest(harness.TestCase):
    def start(self, text, *args, tor=None, host="127.0.0.1", family=socket.AF_INET, **more):
        self.tor = tor or self.fake_tor()
        self.port = free_port(host, family)
        return self.daemon(text, self.tor, sockets=("control",),
                           args=("--listen-port", str(self.port), *args), **more)

    def client(self, host="127.0.0.1"):
        client = harness.Client((host, self.port))
        self.addCleanup(client.close)
        return client

    def assert_refused(self, gate, text, since=0):
        gate.wait_log(text, since)
        self.assertEqual(self.tor.commands, [])


class Loopback(TcpTest):
    """Clients of this machine."""

    def test_user(self):
        """a client of a listed user is served; what it sees and what the log says"""
        gate = self.start(profile(users=OURS))
        client = self.client()
        self.assertRegex(client.command(b"PROTOCOLINFO"), rb"^250-PROTOCOLINFO 1\r\n")
        self.assertEqual(client.command(b"AUTHENTICATE"), b"250 OK\r\n")
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(client.command(b"GETINFO address"), FILTERED)
        gate.wait_log("session 2 (profile tcp, uid %d): began: on TCP port %d" % (UID, self.port))
        above_debug = "".join(line for line in gate.log().split("\n") if " debug: " not in line)
        self.assertNotIn("127.0.0.1", above_debug)
        self.assertIn("from 127.0.0.1:%d to" % client.socket.getsockname()[1], gate.log())

    def test_other_user(self):
        """the user decides: neither a stranger nor root is served for being there"""
        if not IS_ROOT:
            self.skipTest("root only may become another user")
        gate = self.start(profile(users=[str(OTHER)]))
        self.assertEqual(talk("127.0.0.1", self.port), FILTERED * 2)
        self.assertEqual(talk("127.0.0.1", self.port, uid=OTHER + 1), FILTERED * 2)
        self.assert_refused(gate, "no profile lists this user")
        self.assertEqual(talk("127.0.0.1", self.port, uid=OTHER), SERVED)

    def test_hosts_are_for_others(self):
        """hosts does not let in a client of this machine, whatever it lists"""
        gate = self.start(profile(hosts=["*"]) + profile("b", hosts=["127.0.0.1"]))
        self.assertEqual(talk("127.0.0.1", self.port), FILTERED * 2)
        self.assert_refused(gate, "no profile is for local clients")

    def test_ipv6(self):
        """over IPv6 as over IPv4, with the address in the templates"""
        gate = self.start(profile(users=OURS, allowed="version").replace(
            "['version']", "[{pattern: 'x', replacement: 'ip={client-address}/{server-port}'}]"),
            "--listen-address", "::1", host="::1", family=socket.AF_INET6)
        with harness.Client(("::1", self.port)) as client:
            client.send(b"GETINFO x\r\n")
            self.assertEqual(self.tor.wait_commands(1),
                             [b"GETINFO ip=::1/%d\r\n" % self.port])
        gate.stop()

    def test_templates(self):
        """address and port of both ends of the connection"""
        rule = "{pattern: 'x', replacement: '%s'}" % "/".join(
            "{%s}" % name for name in ("client-address", "client-port", "server-address",
                                       "server-port"))
        self.start(profile(users=OURS).replace("'version'", rule))
        client = self.client()
        client.send(b"GETINFO x\r\n")
        ends = (*client.socket.getsockname(), *client.socket.getpeername())
        self.assertEqual(self.tor.wait_commands(1), [b"GETINFO %s/%d/%s/%d\r\n" % tuple(
            end.encode() if isinstance(end, str) else end for end in ends)])

    def stopped(self, gate, act):
        """Lets a client act while the daemon cannot look."""
        gate.signal(signal.SIGSTOP)
        try:
            act()
        finally:
            gate.signal(signal.SIGCONT)

    def test_gone(self):
        """what a client sent that was gone before it was looked at is nobody's"""
        gate = self.start(profile(users=["*"]).replace("['*']", "['*']", 1)
                          + profile("ours", users=OURS) + profile("any", hosts=["*"]))

        def act():
            with socket.create_connection(("127.0.0.1", self.port)) as client:
                client.sendall(ASK)
        for _ in range(3):
            since = len(gate.log())
            self.stopped(gate, act)
            gate.wait_log(re.compile(r"uid unknown\): ended: "), since)
        self.assertNotIn("profile ours", gate.log())
        self.assertNotIn("another machine", gate.log())

    def test_half_closed(self):
        """a client that said all and waits for the answer is still there"""
        gate = self.start(profile(users=OURS))
        got = []

        def act():
            client = self.client()
            client.send(ASK)
            client.half_close()
            got.append(client)
        self.stopped(gate, act)
        self.assertEqual(got[0].rest(), SERVED)

    def test_limit(self):
        """the limit of a user counts for TCP, too, together with Unix sockets"""
        gate = self.start(profile(users=OURS), config="limits:\n  sessions-per-uid: 3\n")
        gate.wait_log("came and went")
        clients = [self.client() for _ in range(2)] + [self.connect(gate, "control")]
        for client in clients:
            client.command(b"PROTOCOLINFO")
        with harness.Client(("127.0.0.1", self.port)) as more:
            self.assertRegex(more.rest(), rb"^551 [^\r\n]+\r\n$")
        gate.wait_log("a client of uid %d was turned away" % UID)

    def test_churn(self):
        """clients that come and go all the time keep nobody waiting and leave nothing behind"""
        gate = self.start(profile(users=OURS, extra="executables: ['/nonexistent']\n")
                          + profile("plain", users=OURS))
        for _ in range(300):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self.assertEqual(talk("127.0.0.1", self.port), SERVED)
        if IS_ROOT:
            harness.wait_until(lambda: len(os.listdir("/proc/%d/fd" % gate.pid)) < 30,
                               "few descriptors")


class Processes(TcpTest):
    """What is known of the process by the sockets that it holds."""

    def setUp(self):
        if not IS_ROOT:
            self.skipTest("root only may become another user and look at its processes")

    def start_for(self, executable):
        return self.start(profile(users=[str(OTHER)], extra="executables: ['%s']" % executable))

    def test_executable(self):
        """the executable of the one process that holds the connection"""
        gate = self.start_for(PYTHON)
        self.assertEqual(talk("127.0.0.1", self.port, uid=OTHER), SERVED)
        gate.wait_log(re.compile(r"began: pid [0-9]+ on TCP port [0-9]+; .*executable " + PYTHON))

    def test_other_executable(self):
        """another executable of the same user"""
        gate = self.start_for("/usr/bin/true")
        self.assertEqual(talk("127.0.0.1", self.port, uid=OTHER), FILTERED * 2)
        self.assert_refused(gate, "executable " + PYTHON)

    def shared(self, program):
        """What a client gets whose connection a program has inherited."""
        code = TALKER.replace("s.sendall", "s.set_inheritable(True)\nimport subprocess\n"
                              "p = subprocess.Popen(%r, close_fds=False)\n"
                              "time.sleep(0.3)\ns.sendall" % program) + "\np.kill()\n"
        done = subprocess.run([sys.executable, "-c", code, "127.0.0.1", str(self.port),
                               ASK.decode(), ""], user=OTHER, group=OTHER, extra_groups=[], cwd="/",
                              stdout=subprocess.PIPE, timeout=harness.scaled(40))
        return done.stdout

    def test_several_holders(self):
        """all holders have to be alike"""
        gate = self.start_for(PYTHON)
        gate.signal(signal.SIGSTOP)
        sleeper = harness.threading.Timer(1.5, lambda: gate.signal(signal.SIGCONT))
        sleeper.start()
        got = self.shared(["/bin/sleep", "30"])
        sleeper.join()
        self.assertEqual(got, FILTERED * 2)
        self.assert_refused(gate, "several different processes hold the connection")
        gate.signal(signal.SIGSTOP)
        sleeper = harness.threading.Timer(1.5, lambda: gate.signal(signal.SIGCONT))
        sleeper.start()
        got = self.shared([PYTHON, "-c", "import time; time.sleep(30)"])
        sleeper.join()
        self.assertEqual(got, SERVED)

    def test_gone_meanwhile(self):
        """many clients that leave while their process is searched for"""
        gate = self.start_for(PYTHON)
        code = ("import socket, sys\nfor _ in range(400):\n"
                "    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                "    s.sendall(b'GETINFO address\\r\\n')\n    s.close()\n")
        subprocess.run([sys.executable, "-c", code, str(self.port)], user=OTHER, group=OTHER,
                       extra_groups=[], cwd="/", check=True, timeout=harness.scaled(60))
        self.assertEqual(talk("127.0.0.1", self.port, uid=OTHER), SERVED)
        self.assertEqual(self.tor.commands, [b"GETINFO version\r\n"])
        self.assertNotIn("allowed GETINFO address", gate.log())


class TorItself(TcpTest):
    """A connection that tor made matches nothing."""

    def test_by_socket(self):
        """tor's process, known by its control socket"""
        gate = self.start(profile(users=OURS), tor=self.fake_tor(is_this_process=True))
        self.assertEqual(self.client().command(b"GETINFO version"), FILTERED)
        self.assert_refused(gate, "(tor itself, uid %d)" % UID)

    def test_by_port(self):
        """tor's process, known by its control port"""
        gate = self.start(profile(users=OURS), tor=self.fake_tor(tcp=True))
        for _ in range(3):
            self.assertEqual(self.client().command(b"GETINFO version"), FILTERED)
        self.assert_refused(gate, "(tor itself, uid %d)" % UID)

    def test_real_tor_port(self):
        """with a real tor's control port, a client of tor's user is not tor"""
        if harness.tor_program() is None:
            self.skipTest("no tor program found (Debian: tor)")
        if not IS_ROOT:
            self.skipTest("root only may look at the descriptors of tor")
        self.start(profile(users=OURS), tor=self.real_tor(tcp=True))
        for _ in range(3):
            self.assertRegex(self.client().command(b"GETINFO version"), rb"^250-version=0")


class Options(TcpTest):
    """What may be asked for."""

    def run_daemon(self, *args, config=""):
        root = harness.fresh_dir("q")
        return subprocess.run([harness.DAEMON, "--config",
                               harness.write(os.path.join(root, "c.yml"), config), "--runtime-dir",
                               root, "--profiles", root, *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=harness.scaled(20))

    def test_bad_values(self):
        """what is no address, port or interface is refused with status 2"""
        for args in (("--listen-address", "localhost"), ("--listen-address", "10.0.0"),
                     ("--listen-port", "0"), ("--listen-port", "65536"), ("--listen-port", "x"),
                     ("--listen-interface", ""), ("--listen-interface", "a" * 16)):
            with self.subTest(args=args):
                done = self.run_daemon(*args)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(args[0].encode(), done.stdout)
        done = self.run_daemon(config="listen-port: none\n")
        self.assertEqual(done.returncode, 2, done.stdout)

    def test_taken(self):
        """a port in use is an error at the start"""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.run_daemon("--listen-port", str(port))
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(b"TCP port %d: " % port, done.stdout)

    def test_link_local(self):
        """a link-local address alone is an error"""
        done = self.run_daemon("--listen-address", "fe80::1")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(b"--listen-interface", done.stdout)

    def test_configuration(self):
        """the same from the configuration file; the command line wins"""
        first, second = free_port(), free_port()
        gate = self.daemon(profile(users=OURS), self.fake_tor(), sockets=("control",),
                           config="listen-address: 127.0.0.1\nlisten-port: %d\n" % first,
                           args=("--listen-port", str(second)))
        gate.wait_log("listening on TCP port %d" % second)
        with harness.Client(("127.0.0.1", second)) as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        with self.assertRaises(ConnectionRefusedError):
            harness.Client(("127.0.0.1", first))

    def test_none(self):
        """without an option there is no listener for TCP"""
        gate = self.daemon(profile(users=OURS), self.fake_tor(), sockets=("control",))
        self.assertNotIn("TCP port", gate.log())

    def test_own_target(self):
        """no onion service may lead to the listener"""
        port = free_port()
        text = profile(users=OURS) + "  commands: {ADD_ONION: ['.*']}\n"
        text = text.replace("  commands: {GETINFO: ['version']}\n", "")
        tor = self.fake_tor()
        self.daemon(text, tor, sockets=("control",), args=("--listen-port", str(port)))
        with harness.Client(("127.0.0.1", port)) as client:
            self.assertEqual(client.command(b"ADD_ONION NEW:BEST Port=80,127.0.0.1:%d" % port),
                             FILTERED)
            self.assertRegex(client.command(b"ADD_ONION NEW:BEST Port=80,127.0.0.1:%d"
                                            % (port - 1)), rb"^250-ServiceID=")


if __name__ == "__main__":
    harness.main()
