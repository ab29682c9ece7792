"""A private tor network on 127.0.0.1: one directory authority, a few relays and exits, and the
clients that a test wants. Nothing of it reaches another machine.

    net = testnet.Testnet()             # prefix=("ip", "netns", "exec", NAME): in a network namespace
    self.addCleanup(net.stop)
    net.start()                         # the relays, up to their first consensus
    tor = net.client(socks=["127.0.0.1"], torrc=["LearnCircuitBuildTimeout 0"])
    tor.address                         # "unix:..." for onion-grater's --tor-control
    tor.control_path, tor.socks[0]      # its control socket; (host, port) of each SOCKS listener
    tor.restart(); tor.stop()           # a client alone; net.stop() ends all that is left

testnet.missing() says why there can be none. The first consensus takes some 10 seconds, a client
another 3; every wait has a limit. One authority is enough for a consensus, and its votes are made as
fast as tor allows. Ports are picked free at random, in the namespace if there is a prefix.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import harness
from harness import scaled

EXITS = 2
MIDDLES = 3
BANDWIDTH = 1000

# Prints free ports of 127.0.0.1, held together so that they differ.
PORT_PICKER = r"""
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[s.getsockname()[1] for s in held])
"""

# Says over SOCKS that it wants a listener of its own, and whether it got there.
STREAM_PROBE = r"""
import socket, struct, sys
with socket.create_server(("127.0.0.1", 0)) as target, \
        socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as socks:
    socks.settimeout(float(sys.argv[3]))
    socks.sendall(b"\5\1\0")
    assert socks.recv(2) == b"\5\0"
    socks.sendall(b"\5\1\0\1\x7f\0\0\1" + struct.pack("!H", target.getsockname()[1]))
    assert socks.recv(2) == b"\5\0"
"""


def missing():
    """None, or why there can be no network."""
    if harness.tor_program() is None:
        return "no tor program found (Debian: tor)"
    if gencert_program() is None:
        return "no tor-gencert program found (Debian: tor)"
    return None


def gencert_program():
    return shutil.which("tor-gencert") or shutil.which("tor-gencert", path="/usr/bin:/usr/sbin")


class Node:
    """One tor of the network: a directory, a torrc, a process."""

    def __init__(self, net, name, lines):
        self.net = net
        self.name = name
        self.directory = os.path.join(net.directory, name)
        self.data = os.path.join(self.directory, "data")
        self.torrc = os.path.join(self.directory, "torrc")
        self.log_file = os.path.join(self.directory, "log")
        self.process = None
        os.makedirs(os.path.join(self.data, "keys"), 0o700)
        self.lines = ["DataDirectory " + self.data, "RunAsDaemon 0", "Log notice stdout",
                      "SafeLogging 0", "AvoidDiskWrites 1", "TestingTorNetwork 1",
                      "OutboundBindAddress 127.0.0.1", "LearnCircuitBuildTimeout 0",
                      "CircuitBuildTimeout 20",
                      "__OwningControllerProcess %d" % os.getpid()] + list(lines)
        harness.write(self.torrc + ".defaults", "")

    def arguments(self, more=(), authority=None):
        lines = self.lines + [authority or self.net.authority]
        harness.write(self.torrc, "\n".join(lines) + "\n")
        return [*self.net.prefix, harness.tor_program(), "-f", self.torrc, "--defaults-torrc",
                self.torrc + ".defaults", *more]

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, cwd="/")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        with open(self.log_file, "rb") as file:
            return file.read().decode("latin-1")

    def show_log(self, lines=12):
        for line in self.log().split("\n")[-lines:]:
            print("# %s: %s" % (self.name, line))
        sys.stdout.flush()

    def wait(self, condition, what, timeout):
        """As harness.wait_until, but a tor that ended is not waited for, and its log is shown."""
        def checked():
            if self.process is None or self.process.poll() is not None:
                raise AssertionError("tor %s ended" % self.name)
            return condition()
        try:
            return harness.wait_until(checked, "%s: %s" % (self.name, what), timeout)
        except AssertionError:
            self.show_log()
            raise


class Client(Node):
    """A tor without a relay, with a control socket and SOCKS listeners."""

    def __init__(self, net, name, socks, torrc):
        control = os.path.join(net.directory, name, "control")
        ports = net.free_ports(len(socks))
        super().__init__(net, name, [
            "ControlSocket unix:%s RelaxDirModeCheck" % control, "CookieAuthentication 0",
            # From the authority, which has all of it, and without a pause between requests.
            "FetchDirInfoEarly 1"])
        self.control_path = control
        self.socks = list(zip(socks, ports))
        self.lines += ["SocksPort %s:%d" % (host, port) for host, port in self.socks]
        if not socks:
            self.lines += ["SocksPort 0"]
        self.lines += list(torrc)

    @property
    def address(self):
        return "unix:" + self.control_path

    def login(self):
        """A raw connection of our own to it, logged in."""
        client = harness.Client(self.control_path)
        if client.command(b"AUTHENTICATE") != b"250 OK\r\n":
            raise AssertionError("tor refused a plain AUTHENTICATE")
        return client

    def start(self, timeout=60):
        """Starts it, and waits until it can open a stream through the network."""
        since = len(self.log()) if os.path.exists(self.log_file) else 0
        super().start()
        self.wait(lambda: "Bootstrapped 100%" in self.log()[since:], "Bootstrapped 100%", timeout)
        self.wait(lambda: harness.can_connect(self.control_path), "control socket", 10)
        if self.socks:
            self.wait(self.stream_works, "a stream through the network", timeout)

    def stream_works(self):
        host, port = self.socks[0]
        done = subprocess.run([*self.net.prefix, sys.executable, "-c", STREAM_PROBE, host,
                               str(port), str(scaled(10))], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                              timeout=scaled(60))
        return done.returncode == 0

    def restart(self):
        self.stop()
        self.start()


class Testnet:
    """The network. torrc: lines for every relay."""

    def __init__(self, prefix=(), exits=EXITS, middles=MIDDLES, torrc=()):
        self.prefix = tuple(prefix)
        self.directory = harness.fresh_dir("n", 0o755)
        self.authority = ""
        self.torrc = list(torrc)
        self.bandwidths = os.path.join(self.directory, "bandwidths")
        self.clients = []
        self.relays = []
        ports = self.free_ports(2 + exits + middles)
        self.directory_port = ports.pop()
        self._add_relay("auth", ports.pop(), self._authority_lines())
        for i in range(exits):
            self._add_relay("exit%d" % i, ports.pop(), [
                "ExitRelay 1", "ExitPolicy accept *:*", "ExitPolicyRejectPrivate 0",
                # An exit that has no consensus yet knows none.
                "RefuseUnknownExits 0"])
        for i in range(middles):
            self._add_relay("middle%d" % i, ports.pop(), ["ExitRelay 0"])

    def free_ports(self, count):
        done = subprocess.run([*self.prefix, sys.executable, "-c", PORT_PICKER, str(count)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                              timeout=scaled(20))
        return [int(word) for word in done.stdout.split()]

    def _add_relay(self, name, port, lines):
        node = Node(self, name, [
            "Nickname " + name, "Address 127.0.0.1", "ORPort 127.0.0.1:%d" % port, "SocksPort 0",
            "ContactInfo %s@test.invalid" % name, "AssumeReachable 1",
            "ServerDNSDetectHijacking 0", "ServerDNSTestAddresses", "ServerDNSAllowBrokenConfig 1",
            "ServerDNSResolvConfFile /dev/null", *lines, *self.torrc])
        node.port = port
        self.relays.append(node)

    def _authority_lines(self):
        return ["ExitRelay 0", "AuthoritativeDirectory 1", "V3AuthoritativeDirectory 1",
                "DirPort 127.0.0.1:%d" % self.directory_port, "AuthDirMaxServersPerAddr 0",
                "AuthDirVoteStableGuaranteeMinUptime 1", "MinUptimeHidServDirectoryV2 0",
                "TestingDirAuthVoteHSDir *",
                "V3BandwidthsFile " + self.bandwidths,
                "V3AuthVotingInterval 20", "V3AuthVoteDelay 4", "V3AuthDistDelay 4",
                "V3AuthNIntervalsValid 50", "TestingV3AuthInitialVotingInterval 10",
                "TestingV3AuthInitialVoteDelay 2", "TestingV3AuthInitialDistDelay 2",
                "ConsensusParams cc_alg=2 hs_service_max_rdv_failures=1"]

    # --- keys ---

    def _make_certificate(self):
        """The authority's signing keys; returns the fingerprint that names it."""
        keys = os.path.join(self.relays[0].data, "keys", "authority_")
        done = subprocess.run([gencert_program(), "--create-identity-key", "--passphrase-fd", "0",
                               "-m", "12", "-a", "127.0.0.1:%d" % self.directory_port,
                               "-i", keys + "identity_key", "-s", keys + "signing_key",
                               "-c", keys + "certificate"], input=b"testnet\n",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=scaled(60))
        if done.returncode:
            raise AssertionError("tor-gencert failed: %r" % done.stdout[-300:])
        with open(keys + "certificate") as file:
            return re.search("^fingerprint ([0-9A-F]{40})$", file.read(), re.M).group(1)

    def _make_identities(self, v3):
        """Every relay's identity, all at once; returns their fingerprints by name."""
        # tor wants some authority before it makes a key.
        some = ("DirAuthority x orport=1 v3ident=%s 127.0.0.1:2 %s" % (v3, "F" * 40))
        makers = [subprocess.Popen(node.arguments(["--quiet", "--list-fingerprint"], some),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd="/")
                  for node in self.relays]
        found = {}
        for node, maker in zip(self.relays, makers):
            text = maker.communicate(timeout=scaled(60))[0].decode()
            match = re.search("^%s ([0-9A-F ]+)$" % node.name, text, re.M)
            if not match:
                raise AssertionError("tor made no key for %s: %r" % (node.name, text[-300:]))
            found[node.name] = match.group(1).replace(" ", "")
        return found

    # --- life ---

    def start(self):
        """Starts the relays, and waits for a consensus that has all of them."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self):
        v3 = self._make_certificate()
        names = self._make_identities(v3)
        authority = self.relays[0]
        # What nobody has measured has a bandwidth of 0 in the first consensus.
        harness.write(self.bandwidths, "%d\n" % time.time() + "".join(
            "node_id=$%s bw=%d nick=%s\n" % (names[name], BANDWIDTH, name) for name in names))
        self.authority = ("DirAuthority auth orport=%d no-v2 v3ident=%s 127.0.0.1:%d %s"
                          % (authority.port, v3, self.directory_port, names["auth"]))
        # Guards and exits are not the same relays, as in a real network.
        guards = [names[node.name] for node in self.relays if not node.name.startswith("exit")]
        authority.lines += ["TestingDirAuthVoteGuard " + ",".join(guards[:3]),
                            "TestingDirAuthVoteGuardIsStrict 1",
                            # A vote in five seconds, when all relays have said that they are there.
                            "TestingV3AuthVotingStartOffset %d" % ((time.time() + 9) % 10)]
        for node in self.relays:
            node.start()
        consensus = os.path.join(authority.data, "cached-microdesc-consensus")
        authority.wait(lambda: os.path.exists(consensus) and self._is_complete(consensus),
                       "a consensus with all relays", 60)

    def _is_complete(self, consensus):
        with open(consensus) as file:
            text = file.read()
        return len(re.findall("^r ", text, re.M)) == len(self.relays)

    def client(self, socks=("127.0.0.1",), torrc=(), name=None, start=True):
        """A new client with a SOCKS listener on each of the addresses, up to its first stream."""
        client = Client(self, name or "client%d" % len(self.clients), list(socks), torrc)
        self.clients.append(client)
        if start:
            client.start()
        return client

    def stop(self):
        for node in self.clients + self.relays:
            node.stop()
