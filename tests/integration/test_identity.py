#!/usr/bin/env python3
"""Who is at the other end of a Unix socket, and who writes into it. Labels: tests/vm."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import harness
from harness import FILTERED, VERSION_REPLY

RULES = "commands:\n  GETINFO: [version]\n"
ASK = b"GETINFO version\r\n"
NOBODY = 65534
IS_ROOT = os.getuid() == 0

# Connects, hands the connection to the test over its standard input, and does what it is told.
PROGRAM = """
import os, socket
test = socket.socket(fileno=0)
session = None
while True:
    words, fds, _, _ = socket.recv_fds(test, 4096, 1)
    word, _, rest = words.decode().partition(" ")
    if fds:
        session = socket.socket(fileno=fds[0])
    if word == "connect":
        session = socket.socket(socket.AF_UNIX)
        session.connect(rest)
        socket.send_fds(test, [b"."], [session.fileno()])
        continue
    if word == "write":
        session.sendall(b"GETINFO version\\r\\n")
    elif word == "user":
        os.setresgid(int(rest), int(rest), int(rest))
        os.setresuid(int(rest), int(rest), int(rest))
    elif word == "exec":
        os.execv(rest, [rest, "-c", "import socket; test = socket.socket(fileno=0); "
                                    "test.send(b'.'); test.recv(1)"])
    elif word != "take":
        break
    test.send(b".")
"""

# Executes its arguments where openat2 (437 on every architecture) fails with ENOSYS.
WITHOUT_OPENAT2 = """
import ctypes, os, struct, sys
filter = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000)))
buffer = ctypes.create_string_buffer(filter)
program = struct.pack("HP", 4, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def has_apparmor():
    try:
        with open("/sys/module/apparmor/parameters/enabled") as file:
            return file.read().startswith("Y")
    except OSError:
        return False


class Program:
    """Another process that connects; with a copy of the interpreter it has a path of its own."""

    def __init__(self, executable, wrapper=()):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(harness.scaled(20))
        environment = dict(os.environ, PYTHONHOME=sys.base_prefix)
        self.process = subprocess.Popen(list(wrapper) + [executable, "-c", PROGRAM],
                                        stdin=theirs, env=environment)
        theirs.close()

    def connect(self, path):
        self.socket.send(b"connect " + path.encode())
        data, fds, _, _ = socket.recv_fds(self.socket, 1, 1)
        if not fds:
            raise AssertionError("the program did not connect: %r" % data)
        return harness.Client(socket.socket(fileno=fds[0]))

    def tell(self, words, *descriptors):
        socket.send_fds(self.socket, [words.encode()], descriptors)
        if self.socket.recv(1) != b".":
            raise AssertionError("the program did not do this: " + words)

    def end(self):
        """Ends it and waits for it, so that its pid is free."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


class IdentityTest(harness.TestCase):
    def gate_for(self, qualifiers, body=RULES, **kwargs):
        self.tor = self.fake_tor()
        self.gate = self.daemon(harness.profile(body, qualifiers=qualifiers), self.tor, **kwargs)
        return self.gate

    def copy_interpreter(self):
        path = os.path.join(harness.fresh_dir("x", 0o755), "client")
        shutil.copy(os.path.realpath(sys.executable), path)
        os.chmod(path, 0o755)
        return path

    def program(self, executable=sys.executable, wrapper=()):
        program = Program(os.path.realpath(executable), wrapper)
        self.addCleanup(program.end)
        return program

    def session_of(self, program):
        client = program.connect(self.gate.socket_path())
        self.addCleanup(client.close)
        return client

    def write_as(self, client, user=None):
        """Another process, of another program, writes."""
        done = subprocess.run(["printf", "GETINFO version\\r\\n"], stdout=client.socket.fileno(),
                              user=user, timeout=harness.scaled(20))
        self.assertEqual(done.returncode, 0)

    @contextlib.contextmanager
    def standstill(self):
        """The daemon sees nothing of what happens meanwhile, but its outcome."""
        self.gate.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.gate.signal(signal.SIGCONT)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.gate.pid))

    def wait_descriptors(self, count):
        harness.wait_until(lambda: self.descriptors() <= count, "%d descriptors" % count)

    def assert_ended(self, client, reason):
        self.assertEqual(client.rest(), b"")
        self.gate.wait_log(": ended: %s; commands:" % reason)


class Lines(IdentityTest):
    def test_began(self):
        """the first line of a session says who it is"""
        self.gate_for("users: ['%d']" % os.getuid())
        with self.gate.connect() as client:
            client.command(b"GETINFO version")
        self.gate.wait_log("session 2 (profile app, uid %d): began: pid %d on %s; "
                           "no label: no profile asks for one\n"
                           % (os.getuid(), os.getpid(), self.gate.socket_path()))

    def test_several_profiles(self):
        """all profiles that serve a client are named"""
        shared = "- name: %s\n  apparmor-profiles: ['*']\n  users: ['*']\n  " + RULES.replace(
            "\n", "\n  ").rstrip() + "\n"
        gate = self.daemon({"b.yml": shared % "two", "a.yml": shared % "one"}, self.fake_tor(),
                           sockets=("control",))
        with gate.connect("control") as client:
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.wait_log("(profile one, two, uid %d): began: pid %d on "
                      % (os.getuid(), os.getpid()))

    def test_nobody(self):
        """a client without a profile, and what it lacks"""
        self.gate_for("users: ['4000000000']")
        with self.gate.connect() as client:
            self.assertEqual(client.command(b"GETINFO version"), FILTERED)
        self.gate.wait_log("(no profile matches, uid %d): began: pid %d on %s; no label: no "
                           "profile asks for one; no profile lists this user in users\n"
                           % (os.getuid(), os.getpid(), self.gate.socket_path()))

    @unittest.skipIf(has_apparmor(), "AppArmor is enabled here")
    def test_no_apparmor(self):
        """without AppArmor a profile that asks for a label matches nobody, and is warned of"""
        for evidence in ("any", "kernel-only"):
            self.gate_for("users: ['*']\napparmor-profiles: ['unconfined', '/usr/bin/app']",
                          config="apparmor-evidence: %s\n" % evidence)
            with self.gate.connect() as client:
                self.assertEqual(client.command(b"GETINFO version"), FILTERED)
            log = self.gate.wait_log("; no label: AppArmor is not enabled; ")
            self.assertIn("notice: AppArmor is not enabled: ", log)
            self.assertRegex(log, r"warning: \S*app\.yml:4:[0-9]+: AppArmor is not enabled: profile "
                                  r"app asks for an AppArmor label")
            self.assertEqual(self.tor.commands, [])

    def test_evidence_option(self):
        """apparmor-evidence takes two words"""
        directory = harness.fresh_dir("p", 0o755)
        for words, status in (("any", 0), ("kernel-only", 0), ("kernel", 2), ("", 2)):
            with self.subTest(words=words):
                done, output = harness.check_profiles([directory], "apparmor-evidence: '%s'\n"
                                                      % words)
                self.assertEqual(done, status, output)
                done, _ = harness.check_profiles([directory],
                                                 extra=["--apparmor-evidence", words])
                self.assertEqual(done, status)


class Writers(IdentityTest):
    def test_same_user(self):
        """another process of the user may write where nothing but the user is asked"""
        self.gate_for("users: ['%d']" % os.getuid())
        client = self.connect(self.gate)
        for _ in range(3):
            self.write_as(client)
            self.assertEqual(client.message(), VERSION_REPLY)
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    @unittest.skipUnless(IS_ROOT, "only root can be another user")
    def test_other_user(self):
        """another user who got the connection ends it"""
        self.gate_for("users: ['*']")
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.write_as(client, NOBODY)
        self.assert_ended(client, "another process wrote: the user differs")
        self.assertEqual(self.tor.commands, [ASK])
        self.assert_works(self.gate)

    @unittest.skipUnless(IS_ROOT, "only root can be another user")
    def test_bytes_before(self):
        """the client's bytes before those of another user are judged, nothing behind them is"""
        self.gate_for("users: ['*']")
        client = self.connect(self.gate)
        with self.standstill():
            client.send(ASK)
            self.write_as(client, NOBODY)
            client.send(ASK + ASK)
        client.rest()
        self.gate.wait_log(": ended: another process wrote: the user differs; commands: 1 allowed")
        self.assertLessEqual(len(self.tor.commands), 1)

    @unittest.skipUnless(IS_ROOT, "only root can be another user")
    def test_cut_line(self):
        """two processes cannot write one command together"""
        self.gate_for("users: ['*']", "commands:\n  GETINFO: ['.*']\n")
        client = self.connect(self.gate)
        client.send(b"GETINFO config-file ")
        self.write_as(client, NOBODY)
        self.assert_ended(client, "another process wrote: the user differs")
        self.assertEqual(self.tor.commands, [])

    @unittest.skipUnless(IS_ROOT, "only root can be another user")
    def test_any_writer(self):
        """`writer: any`: a portal hands over its connection"""
        self.gate_for("users: ['0']\nwriter: any")
        client = self.connect(self.gate)
        for _ in range(2):
            self.write_as(client, NOBODY)
            self.assertEqual(client.message(), VERSION_REPLY)

    @unittest.skipUnless(IS_ROOT, "only root can be another user")
    def test_any_writer_in_one(self):
        """`writer: any` has to be said by all profiles of a client"""
        text = "".join("- name: %s\n  apparmor-profiles: ['*']\n  users: ['*']\n%s  commands:\n"
                       "    GETINFO: [version]\n" % pair
                       for pair in (("one", "  writer: any\n"), ("two", "")))
        self.tor = self.fake_tor()
        self.gate = self.daemon({"a.yml": text}, self.tor, sockets=("control",))
        client = self.connect(self.gate, "control")
        self.write_as(client, NOBODY)
        self.assert_ended(client, "another process wrote: the user differs")

    @unittest.skipUnless(IS_ROOT, "only root can become another user")
    def test_dropped_privileges(self):
        """a client that becomes another user after connecting is still itself"""
        self.gate_for("users: ['0']")
        program = self.program()
        client = self.session_of(program)
        program.tell("user %d" % NOBODY)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)

    def test_descriptors_sent(self):
        """descriptors that a client sends are closed"""
        self.gate_for("users: ['*']\nexecutables: ['*']")
        clients = [self.connect(self.gate) for _ in range(2)]
        for client in clients:
            client.command(b"GETINFO version")
        before = self.descriptors() if IS_ROOT else 0
        with open("/dev/null") as null:
            for count in (1, 2, 3, 100, 253):
                socket.send_fds(clients[0].socket, [ASK], [null.fileno()] * count)
                self.assertEqual(clients[0].message(), VERSION_REPLY)
        if IS_ROOT:
            self.assertEqual(self.descriptors(), before)
        self.assertEqual(clients[1].command(b"GETINFO version"), VERSION_REPLY)

    @unittest.skipUnless(IS_ROOT, "only root can look into the daemon")
    def test_descriptors_sent_under_a_program(self):
        """the same where the writer's process is looked at as well"""
        path = self.copy_interpreter()
        self.gate_for("users: ['*']\nexecutables: ['%s', '%s']"
                      % (path, os.path.realpath(sys.executable)))
        client = self.connect(self.gate)
        client.command(b"GETINFO version")
        before = self.descriptors()
        with open("/dev/null") as null:
            for count in (1, 2, 3, 253):
                socket.send_fds(client.socket, [ASK], [null.fileno()] * count)
                self.assertEqual(client.message(), VERSION_REPLY)
                self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(self.descriptors(), before)

    def test_without_openat2(self):
        """where the service manager takes openat2 away no executable is known, and the log says so"""
        self.gate_for("users: ['*']\nexecutables: ['%s']" % os.path.realpath(sys.executable),
                      wrapper=(sys.executable, "-c", WITHOUT_OPENAT2))
        self.assertEqual(self.connect(self.gate).command(b"GETINFO version"), FILTERED)
        self.gate.wait_log("no executable can be looked at, as openat2")

    @unittest.skipUnless(IS_ROOT, "only root can look into the daemon")
    def test_many_connections(self):
        """a thousand connections a second leave nothing behind"""
        for asked, answer in (("/nonexistent", FILTERED), ("*", VERSION_REPLY)):
            self.gate_for("users: ['*']\nexecutables: ['%s']" % asked)
            client = self.connect(self.gate)
            self.assertEqual(client.command(b"GETINFO version"), answer)
            before = self.descriptors()
            end = time.monotonic() + 1
            count = 0
            while time.monotonic() < end or count < 1000:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(self.gate.socket_path())
                    # Beyond the limit of one user it is closed at once.
                    with contextlib.suppress(BrokenPipeError):
                        probe.send(ASK[:count % 3 * 16])
                count += 1
            self.wait_descriptors(before)
            self.assertEqual(client.command(b"GETINFO version"), answer)


class Programs(IdentityTest):
    def setUp(self):
        self.allowed = self.copy_interpreter()

    def gate_for_program(self):
        return self.gate_for("users: ['*']\nexecutables: ['%s']" % self.allowed)

    def test_path(self):
        """a program is known by its path, and its copy elsewhere is not"""
        self.gate_for_program()
        program = self.program(self.allowed)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        self.gate.wait_log("; no label: no profile asks for one, executable %s\n" % self.allowed)
        copy = self.copy_interpreter()
        program = self.program(copy)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), FILTERED)
        self.gate.wait_log(", executable %s; no profile" % copy)

    def test_deleted(self):
        """a program whose file was removed or replaced has no path"""
        self.gate_for_program()
        program = self.program(self.allowed)
        os.rename(self.copy_interpreter(), self.allowed)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), FILTERED)

    def test_named_deleted(self):
        """nor can a file be named so that it looks like one that was"""
        path = self.allowed + " (deleted)"
        os.rename(self.allowed, path)
        self.gate_for("users: ['*']\nexecutables: ['%s', '%s']" % (self.allowed, path))
        program = self.program(path)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), FILTERED)

    def namespaced(self, options, command="exec \"$@\""):
        """The wrapper that starts a program in namespaces of its own."""
        wrapper = ["unshare"] + options + ["sh", "-c", command, "sh"]
        try:
            done = subprocess.run(wrapper + ["true"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            self.skipTest("no unshare program")
        if done.returncode != 0:
            self.skipTest("no namespaces here")
        return wrapper

    def test_mount_namespace(self):
        """another binary at the right path in a mount namespace of its own is not that program"""
        self.gate_for_program()
        evil = self.copy_interpreter()
        wrapper = self.namespaced(["--map-root-user", "--mount"],
                                  "mount --bind %s %s && exec \"$@\"" % (evil, self.allowed))
        program = self.program(self.allowed, wrapper)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), FILTERED)
        self.gate.wait_log("; the client's executable is not known\n")

    def test_pid_namespace(self):
        """nor is a program in a pid namespace, where others can write in its name"""
        self.gate_for_program()
        wrapper = self.namespaced(["--map-root-user", "--pid", "--fork", "--kill-child"])
        program = self.program(self.allowed, wrapper)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), FILTERED)
        self.gate.wait_log("; the client's executable is not known\n")

    def test_same_program(self):
        """another process of the program may write, and the first one again"""
        self.gate_for_program()
        first, second = self.program(self.allowed), self.program(self.allowed)
        client = self.session_of(first)
        second.tell("take", client.socket.fileno())
        for program in (first, second, second, first):
            program.tell("write")
            self.assertEqual(client.message(), VERSION_REPLY)
        first.end()
        second.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)

    def test_other_program(self):
        """another program that got the connection ends it"""
        self.gate_for_program()
        program = self.program(self.allowed)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        client.send(ASK)
        self.assert_ended(client, "another process wrote: the executable differs")

    def test_other_program_after_the_end(self):
        """also when the program is gone"""
        self.gate_for_program()
        program = self.program(self.allowed)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        program.end()
        client.send(ASK)
        self.assert_ended(client, "another process wrote: the executable differs")

    def program_with_pid(self, pid, executable):
        """A program that got this free pid."""
        for _ in range(200):
            try:
                with open("/proc/sys/kernel/ns_last_pid", "w") as file:
                    file.write(str(pid - 1))
            except OSError as error:
                self.skipTest("pids cannot be chosen: %s" % error)
            program = self.program(executable)
            if program.process.pid == pid:
                return program
            program.end()
        return self.skipTest("the pid %d was not to be had" % pid)

    def test_pid_taken(self):
        """a program that got the pid of the one that connected is not that one"""
        self.gate_for_program()
        evil = self.copy_interpreter()
        first = self.program(self.allowed)
        client = self.session_of(first)
        first.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        first.end()
        second = self.program_with_pid(first.process.pid, evil)
        second.tell("take", client.socket.fileno())
        second.tell("write")
        self.assert_ended(client, "another process wrote: the executable differs")

    def test_exec(self):
        """who connects and then becomes an allowed program cannot leave the writing to another"""
        self.gate_for_program()
        program = self.program(self.copy_interpreter())
        with self.standstill():
            client = self.session_of(program)
            program.tell("exec " + self.allowed)
        client.send(ASK)
        self.assert_ended(client, "another process wrote: the executable differs")
        self.assertEqual(self.tor.commands, [])

    def test_gone(self):
        """a client that has exited before anybody looked has no path"""
        self.gate_for_program()
        program = self.program(self.allowed)
        with self.standstill():
            client = self.session_of(program)
            program.tell("write")
            program.end()
        self.assertEqual(client.message(), FILTERED)

    def test_last_words(self):
        """a client that writes and exits: its bytes count only if the kernel can tell whose"""
        self.gate_for_program()
        program = self.program(self.allowed)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        with self.standstill():
            program.tell("write")
            program.end()
        answer = client.recv()
        if answer:
            self.assertEqual(answer, VERSION_REPLY)
        else:
            self.gate.wait_log(": ended: the client exited before its last bytes were read;")


class Units(IdentityTest):
    UNIT = "og-test-%d.service" % os.getpid()

    def make_unit(self):
        """A control group with a unit's name, as systemd makes them."""
        mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"]
        mounts = [path for path in mounts if os.path.exists(path + "/cgroup.procs")]
        if not mounts:
            self.skipTest("no hierarchy of control groups that systemd would use")
        path = os.path.join(mounts[0], self.UNIT)
        try:
            os.mkdir(path)
        except OSError as error:
            self.skipTest("no control group can be made: %s" % error)
        self.addCleanup(lambda: harness.wait_until(lambda: self.remove(path), "an empty group"))
        return path

    @staticmethod
    def remove(path):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def test_unit(self):
        """a unit's process is served, and no other"""
        self.gate_for("users: ['*']\nunits: ['og-test-*.service']")
        group = self.make_unit()
        program = self.program()
        try:
            with open(os.path.join(group, "cgroup.procs"), "w") as file:
                file.write(str(program.process.pid))
        except OSError as error:
            self.skipTest("no process can be put into a control group: %s" % error)
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        self.gate.wait_log(", unit %s\n" % self.UNIT)
        self.assertEqual(self.connect(self.gate).command(b"GETINFO version"), FILTERED)
        client.send(ASK)
        self.assert_ended(client, "another process wrote: its unit is not known")


class TorItself(IdentityTest):
    def test_tor(self):
        """a connection that tor made reaches tor neither the first time nor later"""
        self.tor = self.fake_tor(is_this_process=True)
        self.gate = self.daemon(harness.profile(RULES, qualifiers="users: ['*']"), self.tor)
        client = self.connect(self.gate)
        client.send(ASK)
        self.assert_ended(client, "the client is tor itself")
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"GETINFO version"), FILTERED)
        self.gate.wait_log("(tor itself, uid %d): began: pid %d on " % (os.getuid(), os.getpid()))
        self.assertEqual(self.tor.commands, [])
        program = self.program()
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)

    def test_stand_in(self):
        """what is not called tor and runs as our own user is no tor"""
        self.tor = self.fake_tor(is_this_process=True)
        harness.set_process_name("stand-in")
        self.gate = self.daemon(harness.profile(RULES, qualifiers="users: ['*']"), self.tor)
        for _ in range(2):
            client = self.connect(self.gate)
            client.send(ASK)
            self.assertEqual(client.message(), VERSION_REPLY)

    def test_tor_has_gone(self):
        """tor's pid means nothing once another process is tor"""
        self.tor = self.fake_tor(is_this_process=True)
        self.gate = self.daemon(harness.profile(RULES, qualifiers="users: ['*']"), self.tor)
        client = self.connect(self.gate)
        client.send(ASK)
        self.assert_ended(client, "the client is tor itself")
        self.tor.stop()
        self.tor.is_this_process = False
        self.tor.start()
        program = self.program()
        client = self.session_of(program)
        program.tell("write")
        self.assertEqual(client.message(), VERSION_REPLY)
        self.assert_works(self.gate)


if __name__ == "__main__":
    harness.main()
