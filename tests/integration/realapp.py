"""What the tests with real applications share: a private tor network, the daemon with a profile as
it is shipped, applications as Debian has them, and what each of those tests asks of a profile.

    class Something(realapp.TestCase):
        PROFILE = "something"           # profiles/something.yml, nothing else is loaded
        PROGRAMS = ("something",)       # what must be installed (Debian package or path)

One network serves a file. `self.tap()` stands between an application and the daemon and keeps every
byte of both directions; who connects through it is judged as this test is. Applications run with an
environment and a home of their own, and end with their test.
"""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
import testnet
from harness import FILTERED, scaled

PROFILES = os.path.join(os.environ.get("TEST_SRCDIR", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..")), "profiles")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
ONION = re.compile(rb"[a-z2-7]{56}")

# Connects as whoever runs it, says what it is told to, and prints what comes back.
OUTSIDER = r"""
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(float(sys.argv[2]))
    client.connect(sys.argv[1])
    client.sendall(sys.argv[3].encode() + b"\r\nQUIT\r\n")
    for data in iter(lambda: client.recv(4096), b""):
        sys.stdout.write(data.decode("latin-1"))
"""


def program(name):
    return shutil.which(name, path=PATH)


def python_with(module):
    """A python3 that has the module, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([python, "-c", "import " + module], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                              timeout=scaled(60), check=False)
        if done.returncode == 0:
            return python
    return None


def shipped(name):
    """The text of a shipped profile. Where it is for root or a group that we are not of, ours take
    their place, as its first lines tell everybody to do."""
    with open(os.path.join(PROFILES, name + ".yml"), encoding="ascii") as file:
        text = file.read()
    if "\n  groups: [adm]\n" in text:
        text = text.replace("groups: [adm]", "groups: [%s]" % group_of("adm"))
    if os.getuid() != 0:
        text = text.replace("\n  users: [root]\n", "\n  users: ['%d']\n" % os.getuid())
    return text


def group_of(name):
    """Makes us, and whom we start, a member of the group. Gives its name; or a group of ours, where
    root alone could do so."""
    import grp
    try:
        number = grp.getgrnam(name).gr_gid
    except KeyError:
        number = os.getgid()
    if os.getuid() == 0:
        os.setgroups(sorted(set(os.getgroups()) | {number}))
    elif number not in os.getgroups():
        return "'%d'" % os.getgid()
    return name


# --- what stands between ------------------------------------------------------------------------


class Tap:
    """A socket that leads to another one, and remembers what passed."""

    def __init__(self, target):
        self.target = target
        self.path = os.path.join(harness.fresh_dir("a"), "tap")
        self.sent = []       # of the applications, one entry a connection
        self.received = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.pairs = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            gate = socket.socket(socket.AF_UNIX)
            gate.connect(self.target)
            self.sent.append(bytearray())
            self.received.append(bytearray())
            self.pairs.append((client, gate))
            threading.Thread(target=self._pump, args=(client, gate, self.sent[-1]),
                             daemon=True).start()
            threading.Thread(target=self._pump, args=(gate, client, self.received[-1]),
                             daemon=True).start()

    @staticmethod
    def _pump(source, sink, copy):
        try:
            for data in iter(lambda: source.recv(65536), b""):
                copy.extend(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def commands(self):
        """All commands of the applications."""
        found = []
        for sent in self.sent:
            found += list(harness.CommandReader().feed(bytes(sent)))
        return found

    def has(self, command):
        return any(line.startswith(command) for line in self.commands())

    def to_client(self):
        return b"".join(bytes(data) for data in self.received)

    def messages(self):
        """All whole messages that the applications got; their framing is checked."""
        found = []
        for received in self.received:
            reader = harness.MessageReader()
            reader.feed(bytes(received))
            found += list(iter(reader.next, None))
        return found

    def exchanges(self):
        """(command, reply) in order, without events."""
        for sent, received in zip(self.sent, self.received):
            reader = harness.MessageReader()
            reader.feed(bytes(received))
            replies = [m for m in iter(reader.next, None) if not m.startswith(b"6")]
            yield from zip(harness.CommandReader().feed(bytes(sent)), replies)

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for sock in [self.listener] + [sock for pair in self.pairs for sock in pair]:
            sock.close()


# --- an application -----------------------------------------------------------------------------


class Application:
    """A program with a home of its own, ended with whatever it started."""

    def __init__(self, arguments, home=None, env=None, terminal=None, cwd=None):
        self.home = home or harness.fresh_dir("h")
        self.output_file = os.path.join(harness.fresh_dir("x"), "output")
        # It ends with us, also if we are killed.
        self.arguments = ["setpriv", "--pdeathsig", "KILL", *arguments]
        environment = {"HOME": self.home, "TMPDIR": self.home, "PATH": PATH, "LANG": "C.UTF-8",
                       "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
                       "XDG_RUNTIME_DIR": self.home, **(env or {})}
        with open(self.output_file, "wb") as output:
            self.process = subprocess.Popen(
                self.arguments, env=environment, cwd=cwd or self.home, start_new_session=True,
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=output if terminal is None else terminal,
                stderr=subprocess.STDOUT if terminal is None else output)

    @property
    def name(self):
        return os.path.basename(self.arguments[3])

    def output(self):
        with open(self.output_file, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def is_alive(self):
        return self.process.poll() is None

    def wait_output(self, expression, timeout=60):
        """Waits for a line that matches; returns the match."""
        def found():
            match = re.search(expression, self.output(), re.M)
            if match is None and not self.is_alive():
                match = re.search(expression, self.output(), re.M)
                if match is None:
                    raise AssertionError("%s ended with status %d"
                                         % (self.name, self.process.returncode))
            return match
        return self.shown(lambda: harness.wait_until(
            found, "%s to write %r" % (self.name, expression), timeout))

    def wait(self, condition, what, timeout=30):
        def checked():
            if not self.is_alive():
                raise AssertionError("%s ended with status %d"
                                     % (self.name, self.process.returncode))
            return condition()
        return self.shown(lambda: harness.wait_until(checked, what, timeout))

    def shown(self, action):
        """Does it; if it fails, the application's words are shown."""
        try:
            return action()
        except AssertionError:
            for line in self.output().split("\n")[-25:]:
                print("# %s: %s" % (self.name, line.encode("ascii", "replace").decode()))
            raise

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def wait_end(self, timeout=30):
        try:
            return self.process.wait(scaled(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError("%s did not end" % self.name) from None

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


# --- through the network ------------------------------------------------------------------------


def socks_connect(address, host, port, timeout=60):
    """A connection through tor's SOCKS port; ConnectionError if tor says no."""
    client = socket.create_connection(address, scaled(timeout))
    try:
        client.sendall(b"\5\1\0")
        name = host.encode()
        if client.recv(2) != b"\5\0":
            raise ConnectionError("not a SOCKS port")
        client.sendall(b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack("!H", port))
        answer = client.recv(10)
        if answer[:2] != b"\5\0":
            raise ConnectionError("tor cannot connect: %r" % answer)
        return client
    except BaseException:
        client.close()
        raise


def http(address, host, request, timeout=60):
    """Sends a whole request to port 80 of the host; returns status and body."""
    import http.client
    with socks_connect(address, host, 80, timeout) as client:
        client.sendall(request)
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.status, response.read()


def fetch(tor, host, path="/", timeout=120):
    """The body of a page of an onion service, however many tries that takes.

    A relay that did not have the descriptor yet is not asked again for a quarter of an hour, unless
    tor forgets that for a new identity.
    """
    request = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, host)

    def attempt():
        try:
            return [http(tor.socks[0], host, request.encode(), timeout / 4)]
        except OSError:
            with tor.login() as direct:
                direct.command(b"SIGNAL NEWNYM")
            time.sleep(1)
            return None
    status, body = harness.wait_until(attempt, "%s%s through tor" % (host[:8], path), timeout)[0]
    if status != 200:
        raise AssertionError("status %d of %s" % (status, path))
    return body


class SecretStream:
    """An open stream of another application, which keeps it apart by a name and a password."""

    secrets = (b"somebody.example", b"s3cretNonce")

    def __init__(self, tor):
        self.tor = tor

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.server.getsockname()[1]
        self.client = socket.create_connection(self.tor.socks[0], scaled(60))
        name, password = self.secrets
        self._ask(b"\5\1\2", b"\5\2")
        self._ask(b"\1" + bytes([len(name)]) + name + bytes([len(password)]) + password, b"\1\0")
        self._ask(b"\5\1\0\1\x7f\0\0\1" + struct.pack("!H", self.server.getsockname()[1]), b"\5\0")
        return self

    def _ask(self, question, answer):
        self.client.sendall(question)
        got = self.client.recv(10)
        if got[:2] != answer:
            raise AssertionError("the SOCKS port says %r" % got)

    def shows(self, direct):
        """Whether tor itself tells of it, with its secrets."""
        lists = direct.command(b"GETINFO circuit-status") + direct.command(b"GETINFO stream-status")
        return self.target.encode() in lists and all(word in lists for word in self.secrets)

    def __exit__(self, *_):
        self.client.close()
        self.server.close()


class WebServer:
    """Answers every connection with one text."""

    def __init__(self, text):
        self.text = text
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.settimeout(scaled(10))
                try:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                                   b"Connection: close\r\n\r\n%s" % (len(self.text), self.text))
                except OSError:
                    pass

    def stop(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


# --- tests --------------------------------------------------------------------------------------

# What hardly any profile grants. Each is a line, refused with exactly 510.
REFUSED = (
    "GETINFO address", "GETINFO entry-guards", "GETINFO orconn-status", "GETINFO config-text",
    "GETINFO config-file", "GETINFO address-mappings/all", "GETINFO circuit-status",
    "GETINFO stream-status", "GETINFO net/listeners/control", "GETINFO onions/detached",
    "GETINFO version address", "GETINFO process/pid", "GETINFO ns/all",
    "GETCONF Bridge", "GETCONF HashedControlPassword", "GETCONF ControlSocket",
    "SETCONF ControlPort=1", "SETCONF __OwningControllerProcess=1", "RESETCONF SocksPort",
    "SETCONF HiddenServiceDir=/tmp/x HiddenServicePort=80", "SAVECONF", "TAKEOWNERSHIP",
    "SIGNAL HALT", "SIGNAL SHUTDOWN", "SIGNAL RELOAD", "SIGNAL NEWNYM", "DROPGUARDS",
    "EXTENDCIRCUIT 0", "CLOSECIRCUIT 1", "ATTACHSTREAM 1 1", "MAPADDRESS 1.2.3.4=5.6.7.8",
    "RESOLVE example.invalid", "LOADCONF", "POSTDESCRIPTOR", "HSFETCH {other}", "DEL_ONION {other}",
    "ONION_CLIENT_AUTH_VIEW", "ONION_CLIENT_AUTH_REMOVE {other}",
    "GETINFO hs/service/desc/id/{other}", "GETINFO hs/client/desc/id/{other}",
    "ADD_ONION NEW:BEST Port=22", "ADD_ONION NEW:BEST Port=80,10.0.0.1:17600",
    "ADD_ONION NEW:BEST Flags=Detach Port=80,17600", "ADD_ONION NEW:BEST Port=80,127.0.0.1:22",
    "ADD_ONION NEW:BEST Port=80,unix:/run/tor/control",
    "SETEVENTS DEBUG", "SETEVENTS STREAM", "SETEVENTS CIRC", "SETEVENTS GUARD",
    "SETEVENTS SIGNAL ORCONN", "USEFEATURE VERBOSE_NAMES", "FOO",
)


class TestCase(harness.TestCase):
    PROFILE = ""
    PROGRAMS = ()
    SOCKET = "control"
    GRANTED = ()        # of REFUSED, what this profile does grant
    ALSO_REFUSED = ()   # and what it does not grant besides

    @classmethod
    def setUpClass(cls):
        cls.net = testnet.Testnet()
        cls.addClassCleanup(cls.net.stop)
        cls.net.start()
        cls.tor = cls.net.client()
        cls.gate = harness.Daemon({cls.PROFILE + ".yml": shipped(cls.PROFILE)}, cls.tor,
                                  sockets=(cls.SOCKET,), runtime_mode=0o755)
        cls.addClassCleanup(cls.gate.stop)
        # Of somebody else, at the same tor.
        cls.other_server = WebServer(b"somebody else's page")
        cls.addClassCleanup(cls.other_server.stop)
        with cls.tor.login() as direct:
            cls.other = cls.add_onion(direct, b"Flags=Detach", cls.other_server.port)

    @staticmethod
    def add_onion(direct, flags, port):
        """A service made at tor itself; its address."""
        reply = direct.command(b"ADD_ONION NEW:ED25519-V3 %s Port=80,127.0.0.1:%d" % (flags, port))
        return ONION.search(reply).group().decode()

    @property
    def socket_path(self):
        return self.gate.socket_path(self.SOCKET)

    def tap(self):
        tap = Tap(self.socket_path)
        self.addCleanup(tap.stop)
        return tap

    def application(self, *args, **kwargs):
        application = Application(*args, **kwargs)
        self.addCleanup(application.stop)
        return application

    def at_tor(self, command):
        """A command of our own to tor itself."""
        with self.tor.login() as direct:
            return direct.command(command.encode())

    def session_of(self, application):
        """What the daemon's log says of the application's sessions; it is known by its pid."""
        log = self.gate.log().split("\n")
        began = [re.search(r"session ([0-9]+) .* began: pid %d " % application.process.pid, line)
                 for line in log]
        numbers = {match.group(1) for match in began if match}
        self.assertTrue(numbers, "no session of " + application.name)
        return [line for line in log if set(re.findall(r"session ([0-9]+) ", line)) & numbers]

    def assert_got_nothing(self, data, *foreign):
        """Nothing of others, and no secret of tor, is in what an application received."""
        foreign = [self.other, self.tor.control_path, self.tor.data, self.gate.runtime, *foreign]
        self.assertEqual([], [text for text in foreign if text.encode() in data])

    def test_refused(self):
        """what the profile does not grant is refused on the same socket, and tor is as it was"""
        with self.tor.login() as direct:
            before = direct.command(b"GETINFO config-text")
        with self.gate.connect(self.SOCKET) as client:
            for line in self.refused_lines():
                with self.subTest(line=line.partition(" ")[0]):
                    self.assertEqual(client.command(line.encode()), FILTERED, line)
            self.assertEqual(client.command(b"+LOADCONF\r\nControlPort 1\r\n."), FILTERED)
            self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=")
        with self.tor.login() as direct:
            self.assertEqual(direct.command(b"GETINFO config-text"), before)
            self.assertIn(self.other.encode(), direct.command(b"GETINFO onions/detached"))
        self.assertTrue(self.tor.process.poll() is None)

    def refused_lines(self):
        unknown = set(self.GRANTED) - set(REFUSED)
        self.assertEqual(unknown, set(), "not in the list")
        return [line.format(other=self.other) for line in REFUSED + tuple(self.ALSO_REFUSED)
                if line not in self.GRANTED]

    def test_somebody_else(self):
        """whom the profile does not name gets nothing of it"""
        if "\n  users: ['*']\n" in shipped(self.PROFILE):
            return
        if os.getuid() != 0:
            self.skipTest("root alone can be somebody else")
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                               "/usr/bin/env", "python3", "-c", OUTSIDER, self.socket_path,
                               str(scaled(20)), "GETINFO version"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, cwd="/", timeout=scaled(60), check=True)
        self.assertEqual(done.stdout.replace(b"\r\n", b"\n"),
                         FILTERED.replace(b"\r\n", b"\n") + b"250 closing connection\n")


def main(case):
    """As harness.main, where the network and the application are there."""
    reason = testnet.missing()
    if reason is None and program("setpriv") is None:
        reason = "no setpriv found (Debian: util-linux)"
    for name in case.PROGRAMS:
        if reason is None and program(name) is None:
            reason = "%s is not installed (tests/install-deps apps)" % name
    if reason is not None:
        print("1..0 # SKIP " + reason)
        sys.exit(0)
    harness.main(needs=("tor",))
