"""What the integration tests share: a real tor, a scripted tor, the daemon, a raw client, TAP.

Everything that is started lives in one temporary directory and is ended with the test that started
it, also when the test fails. Every wait polls a condition and has a limit; slow builds (sanitizers)
stretch all limits by TEST_TIMEOUT_FACTOR. The daemon is the program named by ONION_GRATER.

A tor of our own never touches a network (DisableNetwork 1) and reads no file of the system's tor.
"""

import atexit
import hashlib
import hmac
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

FACTOR = float(os.environ.get("TEST_TIMEOUT_FACTOR", "1"))
DAEMON = os.environ.get("ONION_GRATER", "")
FILTERED = b"510 Command filtered\r\n"
LOST = b"551 tor connection lost\r\n"
VERSION = b"0.4.9.11"
VERSION_REPLY = b"250-version=" + VERSION + b"\r\n250 OK\r\n"
SERVICE = b"a" * 55 + b"d"
KEY = b"A" * 86 + b"=="
REPORTS = ("AddressSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:")

_base = None
_keeper = None


def scaled(seconds):
    return seconds * FACTOR


def scratch():
    """The directory of this run; its path is short because socket paths must be."""
    global _base
    if _base is None:
        _base = tempfile.mkdtemp(prefix="og.")
        os.chmod(_base, 0o755)
        atexit.register(shutil.rmtree, _base, ignore_errors=True)
    return _base


def fresh_dir(prefix="d", mode=0o700):
    path = tempfile.mkdtemp(prefix=prefix, dir=scratch())
    os.chmod(path, mode)
    return path


def keeper():
    """The pid of a process that ends when this one does, however that comes about."""
    global _keeper
    if _keeper is None:
        _keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        atexit.register(_keeper.communicate)
    return _keeper.pid


def write(path, content, mode=0o600):
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    os.chmod(path, mode)
    return path


def wait_until(condition, what, timeout=10):
    """Polls until `condition()` is true and returns its value; fails with `what` otherwise."""
    end = time.monotonic() + scaled(timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %g s in vain: %s" % (scaled(timeout), what))
        time.sleep(0.01)


def can_connect(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
            return True
        except OSError:
            return False


# --- messages of the control protocol -----------------------------------------------------------


class MessageReader:
    """Cuts a byte stream into whole messages (replies and events), framing checked."""

    def __init__(self):
        self.pending = b""
        self.lines = []
        self.in_data = False

    def feed(self, data):
        self.pending += data

    def next(self):
        """One whole message, or None while it is not complete."""
        while True:
            line, end, rest = self.pending.partition(b"\n")
            if not end:
                return None
            self.pending = rest
            self.lines.append(line + b"\n")
            if self._is_last(line + b"\n"):
                message, self.lines = b"".join(self.lines), []
                return message

    def _is_last(self, line):
        if not line.endswith(b"\r\n"):
            raise AssertionError("line without CRLF: %r" % line)
        if self.in_data:
            self.in_data = line != b".\r\n"
            return False
        if not re.match(rb"[0-9]{3}[-+ ]", line):
            raise AssertionError("not a line of a reply: %r" % line)
        self.in_data = line[3:4] == b"+"
        return line[3:4] == b" "

    def is_between(self):
        return not self.pending and not self.lines


class CommandReader:
    """Cuts what a controller sends into commands, as tor does (a line, or a "+" block)."""

    def __init__(self):
        self.pending = b""
        self.block = b""

    def feed(self, data):
        self.pending += data
        while True:
            line, end, rest = self.pending.partition(b"\n")
            if not end:
                return
            self.pending = rest
            line += b"\n"
            if self.block or line.startswith(b"+"):
                is_end = self.block and line in (b".\n", b".\r\n")
                self.block += line
                if not is_end:
                    continue
                line, self.block = self.block, b""
            yield line


def split_messages(data):
    reader = MessageReader()
    reader.feed(data)
    found = []
    while True:
        message = reader.next()
        if message is None:
            break
        found.append(message)
    if not reader.is_between():
        raise AssertionError("unfinished message at the end: %r" % data[-200:])
    return found


# --- a client -----------------------------------------------------------------------------------


class Client:
    """A raw connection to a control socket: bytes out, whole messages in.

    path: of a Unix socket, or host and port, or a connected socket."""

    def __init__(self, path, timeout=20):
        self.timeout = scaled(timeout)
        self.reader = MessageReader()
        self.received = b""
        if isinstance(path, socket.socket):
            self.socket = path
            self.socket.settimeout(self.timeout)
        elif isinstance(path, tuple):
            self.socket = socket.create_connection(path, self.timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(self.timeout)
            self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def recv(self, size=65536):
        """The bytes of one read; b"" at the end."""
        try:
            data = self.socket.recv(size)
        except socket.timeout:
            raise AssertionError("no answer within %g s" % self.timeout) from None
        except ConnectionResetError:
            data = b""
        self.received += data
        return data

    def message(self):
        """The next whole message, reply or event, as raw bytes."""
        while True:
            message = self.reader.next()
            if message is not None:
                return message
            data = self.recv()
            if not data:
                raise AssertionError("the connection ended inside or before a reply; received %r"
                                     % self.received[-300:])
            self.reader.feed(data)

    def messages(self, count):
        return [self.message() for _ in range(count)]

    def command(self, line):
        """Sends one line (CRLF is added) and returns its whole reply."""
        self.send(line + b"\r\n")
        return self.message()

    def rest_or_message(self):
        """The next whole message, or what there was of one before the connection ended."""
        while True:
            message = self.reader.next()
            if message is not None:
                return message
            data = self.recv()
            if not data:
                return b"".join(self.reader.lines) + self.reader.pending
            self.reader.feed(data)

    def rest(self):
        """Everything up to the end of the connection, which must come."""
        data = self.reader.pending
        self.reader.pending = b""
        while True:
            more = self.recv()
            if not more:
                return data
            data += more

    def is_silent(self, seconds=0.1):
        """Whether nothing, and no end, arrives for a moment."""
        ready, _, _ = select.select([self.socket], [], [], seconds)
        return not ready and self.reader.is_between()


# --- a scripted tor -----------------------------------------------------------------------------


def answer_as_tor(command):
    """A short plausible reply to one command."""
    name, _, arguments = command.strip().partition(b" ")
    name = name.upper()
    if name == b"GETINFO":
        values = {b"version": VERSION}
        return b"".join(b"250-%s=%s\r\n" % (key, values.get(key, b"value of " + key))
                        for key in arguments.split()) + b"250 OK\r\n"
    if name == b"GETCONF":
        keys = arguments.split()
        return b"".join(b"250%s%s=1\r\n" % (b" " if i == len(keys) - 1 else b"-", key)
                        for i, key in enumerate(keys)) or b"250 OK\r\n"
    if name == b"ADD_ONION":
        key = b"250-PrivateKey=ED25519-V3:" + KEY + b"\r\n" if b"NEW:" in arguments else b""
        return b"250-ServiceID=" + SERVICE + b"\r\n" + key + b"250 OK\r\n"
    if name == b"QUIT":
        return b"250 closing connection\r\n"
    return b"250 OK\r\n"


class Login:
    """How the scripted tor lets controllers in; methods: as METHODS= of PROTOCOLINFO."""

    SERVER_KEY = b"Tor safe cookie authentication server-to-controller hash"
    CLIENT_KEY = b"Tor safe cookie authentication controller-to-server hash"

    def __init__(self, methods="NULL", cookie=b"", cookie_file="", password=None, lies=False):
        self.methods = methods
        self.cookie = cookie
        self.cookie_file = cookie_file
        self.password = password
        self.lies = lies
        self.proof = None

    def protocolinfo(self):
        file = ' COOKIEFILE="%s"' % self.cookie_file if self.cookie_file else ""
        return ('250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s%s\r\n250-VERSION Tor="%s"\r\n250 OK\r\n'
                % (self.methods, file, VERSION.decode())).encode()

    def challenge(self, command):
        nonce = bytes.fromhex(command.split()[2].decode())
        server_nonce = os.urandom(32)
        message = self.cookie + nonce + server_nonce
        server_hash = hmac.new(self.SERVER_KEY, message, hashlib.sha256).digest()
        self.proof = hmac.new(self.CLIENT_KEY, message, hashlib.sha256).digest()
        if self.lies:
            server_hash = bytes(32)
        return ("250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n"
                % (server_hash.hex().upper(), server_nonce.hex().upper())).encode()

    def accepts(self, command):
        _, _, secret = command.strip().partition(b" ")
        if self.methods == "NULL":
            return True
        if self.proof is not None:
            return secret.lower() == self.proof.hex().encode()
        if self.password is not None:
            quoted = self.password.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            return secret == b'"' + quoted + b'"' or secret.lower() == self.password.hex().encode()
        return secret.lower() == self.cookie.hex().encode()


class ListenerProcess:
    """A process that begins to listen for others.

    The kernel notes for a Unix socket which process that was, and the daemon takes this one for
    tor. Were it the test itself, so would every client of the test be.
    """

    _only = None

    def __init__(self):
        self.socket, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                keep = theirs.fileno()
                os.closerange(3, keep)
                os.closerange(keep + 1, 65536)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self._serve(theirs)
            finally:
                os._exit(0)
        theirs.close()

    @staticmethod
    def _serve(requests):
        while True:
            data, fds, _, _ = socket.recv_fds(requests, 1, 1)
            if not data:
                return
            with socket.socket(fileno=fds[0]) as listener:
                listener.listen(64)
            requests.send(b".")

    @classmethod
    def listen(cls, listener):
        if cls._only is None:
            cls._only = cls()
        socket.send_fds(cls._only.socket, [b"."], [listener.fileno()])
        if cls._only.socket.recv(1) != b".":
            raise AssertionError("the listening process has ended")


class FakeConnection:
    """One controller's connection to the scripted tor: what it sent, and a way to send."""

    def __init__(self, tor, sock):
        self.tor = tor
        self.socket = sock
        self.raw = b""
        self.login = []
        self.commands = []
        self.is_closed = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def close(self):
        """Ends the connection in both directions."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _run(self):
        reader = CommandReader()
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            self.raw += data
            for command in reader.feed(data):
                self._take(command)
        self.is_closed = True
        self.socket.close()

    def _take(self, command):
        answer = None if self.tor.is_mute else self._login_answer(command)
        if answer is not None:
            self.login.append(command)
            self.send(answer)
            if answer.startswith(b"5"):
                self.close()
            return
        self.commands.append(command)
        self.tor.commands.append(command)
        answer = self.tor.answer(self, command)
        if answer:
            self.send(answer)

    def _login_answer(self, command):
        word = command.split(None, 1)[0].upper() if command.strip() else b""
        if word == b"PROTOCOLINFO":
            return self.tor.login.protocolinfo()
        if word == b"AUTHCHALLENGE":
            return self.tor.login.challenge(command)
        if word == b"AUTHENTICATE":
            if self.tor.login.accepts(command):
                return b"250 OK\r\n"
            return b"515 Authentication failed: Wrong secret\r\n"
        if command.strip() == b"GETINFO net/listeners/control":
            return b'250-net/listeners/control="%s"\r\n250 OK\r\n' % self.tor.listeners.encode()
        if command.strip() == b"GETINFO onions/detached":
            return b"250-onions/detached=\r\n250 OK\r\n"
        return None


def set_process_name(name):
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)


class FakeTor:
    """A server that speaks as tor does, or as badly as the test wants.

    answer(connection, command): called for every command after the login, returns the reply or
    None. With is_mute set the login, too, goes to it. With is_this_process the daemon takes this
    process for tor.
    """

    def __init__(self, answer=None, login=None, tcp=False, path=None, is_this_process=False):
        self.answer = answer or (lambda connection, command: answer_as_tor(command))
        self.login = login or Login()
        self.is_mute = False
        self.is_this_process = is_this_process
        self.commands = []  # all that came after a login, over all connections, as they came
        self.connections = []
        self.socket = None
        self.tcp = tcp
        self.path = path or os.path.join(fresh_dir("t"), "control")
        self.listeners = "unix:" + self.path
        self.thread = None
        self.start()

    def start(self):
        if self.tcp:
            self.socket = socket.create_server(("127.0.0.1", 0))
            self.listeners = "127.0.0.1:%d" % self.socket.getsockname()[1]
        else:
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(self.path)
            if self.is_this_process:
                # Of our own user only what is called tor is taken for tor.
                set_process_name("tor")
                self.socket.listen(64)
            else:
                ListenerProcess.listen(self.socket)
        self.thread = threading.Thread(target=self._run, args=(self.socket,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return "tcp:" + self.listeners if self.tcp else "unix:" + self.path

    def _run(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            connection = FakeConnection(self, sock)
            self.connections.append(connection)
            connection.thread.start()

    def stop(self):
        """Goes away: no listener, all connections ended."""
        if self.socket is not None:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.socket.close()
            self.socket = None
        if not self.tcp and os.path.exists(self.path):
            os.unlink(self.path)
        for connection in self.connections:
            connection.close()

    def wait_commands(self, count):
        wait_until(lambda: len(self.commands) >= count,
                   "tor was to get %d commands" % count)
        return list(self.commands)

    def wait_connection(self, index=0):
        wait_until(lambda: len(self.connections) > index, "a connection to tor")
        return self.connections[index]


# --- a real tor ---------------------------------------------------------------------------------


class RealTor:
    """A throwaway tor without network. auth: "null", "cookie" or "password"."""

    PASSWORD = "a \"quoted\" back\\slash"

    def __init__(self, auth="null", tcp=False):
        self.directory = fresh_dir("r")
        self.path = os.path.join(self.directory, "control")
        self.cookie_file = os.path.join(self.directory, "cookie")
        self.port_file = os.path.join(self.directory, "port")
        self.torrc = os.path.join(self.directory, "torrc")
        self.log_file = os.path.join(self.directory, "log")
        self.tcp = tcp
        self.process = None
        write(self.torrc, self._configuration(auth))
        write(self.torrc + ".defaults", "")
        self.start()

    def _configuration(self, auth):
        # As a last resort it ends with us. Not owned by ourselves: stem takes over a tor that is owned
        # by its own process; nor by our parent, which may end before.
        lines = ["DataDirectory %s/data" % self.directory, "DisableNetwork 1", "SocksPort 0",
                 "ControlSocket unix:%s RelaxDirModeCheck" % self.path, "RunAsDaemon 0",
                 "SafeLogging 0", "Log notice stdout", "AvoidDiskWrites 1",
                 "__OwningControllerProcess %d" % keeper()]
        if self.tcp:
            lines += ["ControlPort 127.0.0.1:auto", "ControlPortWriteToFile " + self.port_file]
        if auth == "cookie":
            lines += ["CookieAuthentication 1", "CookieAuthFile " + self.cookie_file]
        elif auth == "password":
            hashed = subprocess.run([tor_program(), "--quiet", "--hash-password", self.PASSWORD],
                                    stdout=subprocess.PIPE, check=True, timeout=scaled(20))
            lines += ["HashedControlPassword " + hashed.stdout.decode().strip().split("\n")[-1]]
        return "\n".join(lines) + "\n"

    def start(self):
        if os.path.exists(self.port_file):
            os.unlink(self.port_file)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [tor_program(), "-f", self.torrc, "--defaults-torrc", self.torrc + ".defaults"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(self._is_up, "tor's control socket; see its log", 30)
        except AssertionError:
            self.stop()
            with open(self.log_file, errors="replace") as log:
                sys.stdout.write("".join("# tor: " + line for line in log.readlines()[-10:]))
            raise

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("tor ended with status %d" % self.process.returncode)
        if self.tcp and not (os.path.exists(self.port_file) and os.path.getsize(self.port_file)):
            return False
        return can_connect(self.path)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    stop = kill

    @property
    def address(self):
        if self.tcp:
            with open(self.port_file) as file:
                return "tcp:" + re.search("^PORT=(.*)$", file.read(), re.M).group(1)
        return "unix:" + self.path

    def login(self):
        """A raw connection of our own to it, logged in (auth "null" only)."""
        client = Client(self.path)
        if client.command(b"AUTHENTICATE") != b"250 OK\r\n":
            raise AssertionError("tor refused a plain AUTHENTICATE")
        return client


def tor_program():
    return shutil.which("tor") or shutil.which("tor", path="/usr/sbin:/usr/local/sbin")


# --- the daemon ---------------------------------------------------------------------------------


def profile(body="", name="app", qualifiers=None, sock="true"):
    """The text of a profile for this user with a socket of its own."""
    lines = ["- name: " + name, "  socket: " + sock]
    lines += ["  " + line for line in (qualifiers or "users: ['%d']" % os.getuid()).split("\n")]
    lines += ["  " + line for line in body.strip("\n").split("\n") if line.strip()]
    return "\n".join(lines) + "\n"


def profile_place(text, needle):
    """Line and column, from 1, of the first `needle` in a profile's text."""
    at = text.index(needle)
    return "%d:%d" % (text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


class Daemon:
    """onion-grater with profile directories and a runtime directory of its own.

    profiles: {"file.yml": text} or one text; wrapper: the words of what executes it. stop() ends it
    and checks that it ended well.
    """

    def __init__(self, profiles, tor="unix:/nonexistent/tor", config="", args=(), debug=True,
                 directories=None, sockets=("app",), runtime_mode=0o700, env=None, wrapper=()):
        self.root = fresh_dir("o", 0o755)
        self.runtime = os.path.join(self.root, "run")
        os.mkdir(self.runtime)
        os.chmod(self.runtime, runtime_mode)
        self.profile_dir = os.path.join(self.root, "p")
        os.mkdir(self.profile_dir, 0o755)
        self.log_file = os.path.join(self.root, "log")
        self.config_file = write(os.path.join(self.root, "conf.yml"), config)
        self.directories = directories or [self.profile_dir]
        if isinstance(profiles, (str, bytes)):
            profiles = {"app.yml": profiles}
        for name, text in profiles.items():
            self.put(name, text)
        self.arguments = [*wrapper, DAEMON, "--config", self.config_file,
                          "--runtime-dir", self.runtime,
                          "--tor-control", tor if isinstance(tor, str) else tor.address]
        for directory in self.directories:
            self.arguments += ["--profiles", directory]
        self.arguments += (["--debug"] if debug else []) + list(args)
        # A sanitizer keeps freed memory for a while: little of it, so that growth can be judged.
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.env = dict(os.environ, ASAN_OPTIONS=options.lstrip(":"), **(env or {}))
        self.process = None
        self.start(sockets)

    def put(self, name, text):
        """Writes a profile file in one step, so that a reload never sees half of it."""
        path = os.path.join(self.profile_dir, name)
        os.replace(write(path + ".new", text, 0o644), path)

    def remove(self, name):
        os.unlink(os.path.join(self.profile_dir, name))

    def start(self, sockets):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.env)
        try:
            for name in sockets:
                wait_until(lambda n=name: self._is_serving(n), "the daemon's socket " + name, 15)
        except AssertionError:
            self.kill()
            self.show_log()
            raise

    def _is_serving(self, name):
        if self.process.poll() is not None:
            raise AssertionError("the daemon ended with status %d" % self.process.returncode)
        return can_connect(self.socket_path(name))

    def socket_path(self, name="app"):
        return os.path.join(self.runtime, name + ".sock")

    def connect(self, name="app", timeout=20):
        return Client(self.socket_path(name), timeout)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_file, "rb") as file:
            return file.read().decode("latin-1")

    def wait_log(self, text, since=0):
        """Waits for a text, or a compiled expression, in the log; returns the whole log."""
        def found():
            log = self.log()[since:]
            return text.search(log) if hasattr(text, "search") else text in log
        try:
            wait_until(found, "%r in the log" % (text,))
        except AssertionError:
            self.show_log()
            raise
        return self.log()

    def show_log(self, lines=25):
        for line in self.log().split("\n")[-lines:]:
            print("# log: " + line)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def memory_limit_kib(self):
        """How much a test may make the daemon grow."""
        with open(DAEMON, "rb") as program:
            return (8 if b"__asan_init" not in program.read() else 32) * 1024

    def memory_kib(self):
        with open("/proc/%d/status" % self.pid) as file:
            return int(re.search(r"VmRSS:\s+([0-9]+)", file.read()).group(1))

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def stop(self):
        """SIGTERM must end it with status 0, without its sockets and without a report."""
        if self.process is None:
            return
        process, self.process = self.process, None
        was_running = process.poll() is None
        if was_running:
            process.terminate()
        try:
            status = process.wait(scaled(15))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.show_log()
            raise AssertionError("the daemon did not end within %g s of SIGTERM"
                                 % scaled(15)) from None
        log = self.log()
        if any(report in log for report in REPORTS):
            self.show_log(60)
            raise AssertionError("a sanitizer reported an error")
        if not was_running or status != 0:
            self.show_log()
            raise AssertionError("the daemon ended with status %d%s"
                                 % (status, "" if was_running else " by itself"))
        left = [name for name in os.listdir(self.runtime) if name.endswith(".sock")]
        if left:
            raise AssertionError("sockets left behind: %s" % left)


def check_profiles(directories, config="", extra=()):
    """Runs --check; returns (exit status, all output)."""
    root = fresh_dir("c")
    arguments = [DAEMON, "--check", "--config", write(os.path.join(root, "conf.yml"), config),
                 "--runtime-dir", root]
    for directory in directories:
        arguments += ["--profiles", directory]
    done = subprocess.run(arguments + list(extra), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=scaled(20))
    return done.returncode, done.stdout.decode("latin-1")


# --- tests and TAP ------------------------------------------------------------------------------


class TestCase(unittest.TestCase):
    """A test whose tors and daemons are ended, and checked, with it."""

    maxDiff = 2000
    longMessage = True

    def fake_tor(self, *args, **kwargs):
        tor = FakeTor(*args, **kwargs)
        self.addCleanup(tor.stop)
        return tor

    def real_tor(self, *args, **kwargs):
        tor = RealTor(*args, **kwargs)
        self.addCleanup(tor.stop)
        return tor

    def daemon(self, *args, **kwargs):
        daemon = Daemon(*args, **kwargs)
        self.addCleanup(daemon.stop)
        return daemon

    def connect(self, daemon, name="app", **kwargs):
        client = daemon.connect(name, **kwargs)
        self.addCleanup(client.close)
        return client

    def assert_works(self, daemon, name="app"):
        """A fresh session on the same daemon gets what it asks for."""
        with daemon.connect(name) as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count = 0
        self.failed_part = False

    def startTest(self, test):
        super().startTest(test)
        self.failed_part = False

    def _line(self, status, test, directive=""):
        self.count += 1
        text = test.shortDescription() if isinstance(test, unittest.TestCase) else None
        name = test.id().split(".", 1)[-1] if hasattr(test, "id") else str(test)
        print("%s %d - %s%s%s" % (status, self.count, name.replace("#", " "),
                                  ": " + text.replace("#", " ") if text else "", directive),
              flush=True)

    def _failure(self, test, error):
        self.failed_part = True
        self._line("not ok", test)
        for line in "".join(traceback.format_exception(*error)).split("\n"):
            print("# " + line.encode("ascii", "backslashreplace").decode()[:400])
        sys.stdout.flush()

    def addSuccess(self, test):
        if not self.failed_part:
            self._line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failure(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failure(test, err)

    def addSkip(self, test, reason):
        self._line("ok", test, " # SKIP " + reason)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            super().addSubTest(test, subtest, err)
            self._failure(subtest, err)


def missing(needs):
    """Why this file cannot run here, or None."""
    if "tor" in needs and tor_program() is None:
        return "no tor program found (Debian: tor)"
    if "stem" in needs:
        try:
            import stem  # noqa: F401
        except ImportError:
            return "python3-stem is not there for " + sys.executable
    return None


def _interrupted(number, _frame):
    raise SystemExit("ended by signal %d" % number)


def main(needs=()):
    """Runs the tests of the calling file and prints TAP."""
    sys.dont_write_bytecode = True
    if not DAEMON or not os.access(DAEMON, os.X_OK):
        print("Bail out! ONION_GRATER does not name the program under test: %r" % DAEMON)
        sys.exit(99)
    reason = missing(needs)
    if reason:
        print("1..0 # SKIP " + reason)
        sys.exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, _interrupted)
    signal.alarm(int(scaled(240)))
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        suite = loader.loadTestsFromNames(sys.argv[1:], sys.modules["__main__"])
    else:
        suite = loader.loadTestsFromModule(sys.modules["__main__"])
    result = TapResult()
    suite.run(result)
    print("1..%d" % result.count, flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)
