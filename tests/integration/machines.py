"""Other machines, played by network namespaces: `gate` with the daemon, `one` and `two`, each with a
cable to it (10.97.1.0/24 and 10.97.2.0/24, fd97:1::/64 and fd97:2::/64; the gate is .1, they are .2).
It takes root to make them."""

import os
import shutil
import socket
import subprocess
import sys

import harness

IS_ROOT = os.getuid() == 0

# Connects to HOST PORT, or listens there, and passes the socket on by the descriptor PIPE.
SOCKET_MAKER = r"""
import socket, sys
action, host, port, pipe = sys.argv[1:5]
if action == "connect":
    made = socket.create_connection((host, int(port)), 20)
else:
    made = socket.create_server((host, int(port)))
with socket.socket(fileno=int(pipe)) as pipe:
    socket.send_fds(pipe, [b"x"], [made.fileno()])
"""


def missing():
    """None, or why there can be no network namespaces."""
    if not IS_ROOT:
        return "root only may make network namespaces"
    if not shutil.which("ip"):
        return "there is no ip program (Debian: iproute2)"
    name = "og-probe-%d" % os.getpid()
    done = subprocess.run(["ip", "netns", "add", name], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=harness.scaled(20))
    if done.returncode:
        return "root may make no network namespaces here: " + done.stdout.decode().strip()
    subprocess.run(["ip", "netns", "del", name], check=True, timeout=harness.scaled(20))
    return None


class Machines:
    """What plays with them, a test or a class of tests, calls make_machines first."""

    machine_prefix = "og%d" % os.getpid()

    def make_machines(self, add_cleanup):
        for name in ("gate", "one", "two"):
            self.ip("netns", "add", self.ns(name))
            add_cleanup(self.ip, "netns", "del", self.ns(name), check=False)
            self.ip("-n", self.ns(name), "link", "set", "lo", "up")
        self.cable("one", 1)
        self.cable("two", 2)

    def ns(self, name):
        return self.machine_prefix + name

    def inside(self, name):
        """What a command line begins with to run there."""
        return ("ip", "netns", "exec", self.ns(name))

    def ip(self, *args, check=True):
        subprocess.run(["ip", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=None if check else subprocess.DEVNULL, check=check,
                       timeout=harness.scaled(20))

    def link(self, name, number):
        """A cable without addresses: gN at the gate, cN at the other end."""
        self.ip("-n", self.ns("gate"), "link", "add", "g%d" % number, "type", "veth", "peer",
                "name", "c%d" % number, "netns", self.ns(name))
        self.ip("-n", self.ns("gate"), "link", "set", "g%d" % number, "up")
        self.ip("-n", self.ns(name), "link", "set", "c%d" % number, "up")

    def address(self, name, device, number, host):
        self.ip("-n", self.ns(name), "address", "add", "10.97.%d.%d/24" % (number, host), "dev",
                device)
        self.ip("-n", self.ns(name), "address", "add", "fd97:%d::%d/64" % (number, host), "dev",
                device, "nodad")

    def addresses(self, name, number):
        self.address("gate", "g%d" % number, number, 1)
        self.address(name, "c%d" % number, number, 2)

    def cable(self, name, number):
        self.link(name, number)
        self.addresses(name, number)

    def gate_daemon(self, text, tor, *args, **more):
        """The daemon at the gate, on TCP port 9051 of what `args` say. The caller stops it."""
        test = self

        class GateDaemon(harness.Daemon):
            def start(self, sockets):
                self.arguments = [*test.inside("gate")] + self.arguments
                super().start(sockets)

        return GateDaemon(text, tor, sockets=("control",), args=("--listen-port", "9051", *args),
                          **more)

    def connect_from(self, name, host, port):
        """A connected socket of a program in that machine."""
        return self._socket(name, "connect", host, port)

    def listen_in(self, name, host, port=0):
        return self._socket(name, "listen", host, port)

    def _socket(self, name, action, host, port):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(harness.scaled(20))
            subprocess.run([*self.inside(name), sys.executable, "-c", SOCKET_MAKER, action, host,
                            str(port), str(theirs.fileno())], pass_fds=[theirs.fileno()],
                           stdin=subprocess.DEVNULL, check=True, cwd="/",
                           timeout=harness.scaled(40))
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        return socket.socket(fileno=descriptors[0])
