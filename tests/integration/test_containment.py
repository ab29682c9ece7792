#!/usr/bin/env python3
"""The daemon inside its containment: which layers stand, and that its whole life works in there.

With "containment: required" a forbidden system call ends the daemon (SIGSYS), and so would fail the
test that runs it: every daemon has to end well.
"""

import grp
import os
import pwd
import re
import signal
import socket
import subprocess
import sys

import harness
from adminsocket import Admin
from harness import FILTERED, VERSION_REPLY, profile

UID = os.getuid()
IS_ROOT = UID == 0
BODY = """
commands:
  GETINFO: [version, 'net/listeners/.*']
  SIGNAL: [NEWNYM]
  ADD_ONION: ['NEW:ED25519-V3 Flags=DiscardPK Port=80']
events:
  BW:
"""
PROFILE = profile(BODY)
PYTHON = os.path.realpath(sys.executable)
BY_PROGRAM = profile(BODY, name="program", qualifiers="executables: [%s]" % PYTHON)
WHOLE = "containment: no_new_privs, Landlock, seccomp"
LEFT_OUT = "Landlock, which would hide what is needed: "
HAS_LANDLOCK = True  # whether this kernel has it; found out by main
CAPABILITIES = {0: "CAP_CHOWN", 1: "CAP_DAC_OVERRIDE", 2: "CAP_DAC_READ_SEARCH",
                10: "CAP_NET_BIND_SERVICE", 19: "CAP_SYS_PTRACE"}


def is_sanitized():
    with open(harness.DAEMON, "rb") as program:
        return b"__asan_init" in program.read()


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def capabilities_of(pid):
    """The names of those that it has, and has a right to."""
    status = status_of(pid)
    bits = int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapAmb"], 16)
    return {CAPABILITIES.get(n, "capability %d" % n) for n in range(64) if bits >> n & 1}


def own_capabilities():
    return capabilities_of(os.getpid())


def another_group():
    """A group that this process is not in, or None."""
    groups = set(os.getgroups()) | {os.getegid()}
    return next((entry for entry in grp.getgrall() if entry.gr_gid not in groups), None)


class TestCase(harness.TestCase):
    def contained(self, profiles, tor="unix:/nonexistent/tor", how=None, **kwargs):
        """A daemon that is contained whole, and says so; how: another value of the option."""
        args = tuple(kwargs.pop("args", ())) + ("--containment", how or REQUIRED)
        gate = self.daemon(profiles, tor, args=args, **kwargs)
        # Its sockets are there before.
        gate.wait_log(" started: ")
        if how is None and not is_sanitized() and HAS_LANDLOCK:
            gate.wait_log(WHOLE)
        return gate


REQUIRED = "required"


class Layers(TestCase):
    def test_status(self):
        """what the kernel says of the running daemon"""
        gate = self.contained(PROFILE, self.fake_tor())
        status = status_of(gate.pid)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "0" if is_sanitized() else "2")
        self.assertEqual(int(status["CapInh"], 16), 0)
        # Before a client is served: nobody waits for it.
        log = gate.log()
        self.assertLess(log.index("containment: no_new_privs"), log.index("listening on"))
        # The scripted tor and its socket belong to this very user.
        self.assertEqual(capabilities_of(gate.pid), set())
        self.assertIn("capabilities: none", log)

    def test_off(self):
        """switched off: a warning, and all rights are kept"""
        gate = self.contained(PROFILE, how="off")
        gate.wait_log("warning: containment is off")
        status = status_of(gate.pid)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("0", "0"))
        self.assertEqual(capabilities_of(gate.pid), own_capabilities())

    def test_by_configuration(self):
        """the key in the configuration, which the command line overrides"""
        gate = self.daemon(PROFILE, config="containment: off\n")
        gate.wait_log("warning: containment is off")
        gate = self.daemon(PROFILE, config="containment: off\n", args=("--containment", "on"))
        gate.wait_log(" started: ")
        self.assertEqual(status_of(gate.pid)["NoNewPrivs"], "1")

    def test_wrong_value(self):
        """what is none of the three words is an error"""
        for value in ("yes", "", "On", "none"):
            status, output = harness.check_profiles([harness.fresh_dir("p", 0o755)],
                                                    "containment: '%s'\n" % value)
            self.assertEqual(status, 2)
            self.assertIn("on, off or required belongs here", output)

    def test_no_core(self):
        """no core file, and no debugger of the same user"""
        gate = self.contained(PROFILE)
        with open("/proc/%d/limits" % gate.pid, encoding="ascii") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 +0 ")
        # A process that may not be dumped has a /proc of root's.
        if not IS_ROOT:
            self.assertEqual(os.stat("/proc/%d/environ" % gate.pid).st_uid, 0)

    def test_capabilities_by_name(self):
        """kept for a profile that asks, and said with the profile's name"""
        group = another_group()
        if not {"CAP_SYS_PTRACE", "CAP_CHOWN"} <= own_capabilities() or not group:
            self.skipTest("root alone has capabilities to keep")
        given = profile(BODY, name="given", sock="{group: '%d'}" % group.gr_gid)
        gate = self.contained({"a.yml": PROFILE, "b.yml": BY_PROGRAM, "c.yml": given},
                              self.fake_tor(), how="on")
        self.assertEqual(capabilities_of(gate.pid), {"CAP_SYS_PTRACE", "CAP_CHOWN"})
        gate.wait_log("CAP_SYS_PTRACE (profile program asks for executables)")
        gate.wait_log("CAP_CHOWN (profile given gives its socket to a user or group)")

    def test_capabilities_for_tor(self):
        """root goes on reaching a tor of another user"""
        if "CAP_DAC_OVERRIDE" not in own_capabilities():
            self.skipTest("root alone has capabilities to keep")
        tor = self.fake_tor(login=harness.Login("COOKIE", cookie=bytes(32)))
        directory = os.path.dirname(tor.path)
        tor.login.cookie_file = harness.write(os.path.join(directory, "cookie"), bytes(32))
        for path in (tor.login.cookie_file, tor.path, directory):
            os.chown(path, 65534, 65534)
        gate = self.contained(PROFILE, tor)
        self.assertEqual(capabilities_of(gate.pid), {"CAP_DAC_OVERRIDE"})
        self.assert_works(gate)


class Needs(TestCase):
    """What Landlock would hide."""

    def setUp(self):
        if not HAS_LANDLOCK:
            self.skipTest("this kernel has no Landlock")

    def test_left_out(self):
        """a profile that asks for executables gets them, and the log has its place"""
        gate = self.contained({"b.yml": BY_PROGRAM}, self.fake_tor(), how="on",
                              sockets=("program",))
        gate.wait_log(LEFT_OUT + os.path.join(gate.profile_dir, "b.yml")
                      + ":1:3: profile program asks for executables")
        self.assertIn("containment: no_new_privs, seccomp", gate.log())
        self.assert_works(gate, "program")

    def test_complain(self):
        """complain mode names executables"""
        gate = self.contained(PROFILE, how="on", args=("--complain",))
        gate.wait_log(LEFT_OUT + "complain mode")

    def test_tcp(self):
        """clients over TCP from this machine are searched for, those from elsewhere are not"""
        port = self.free_port()
        shared = profile(BODY, name="shared", sock="false",
                         qualifiers="apparmor-profiles: ['*']\nusers: ['*']")
        remote = profile(BODY, name="remote", sock="false", qualifiers="hosts: [192.0.2.1]")
        gate = self.contained({"a.yml": PROFILE, "b.yml": shared}, how="on",
                              args=("--listen-port", port))
        gate.wait_log(LEFT_OUT)
        gate.stop()
        gate = self.contained({"a.yml": PROFILE, "b.yml": remote}, args=("--listen-port", port))
        gate.put("b.yml", shared)
        gate.reload()
        gate.wait_log(re.compile(r"error: \S*/b\.yml:1:3: profile shared is for clients over TCP"))

    def free_port(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return str(probe.getsockname()[1])

    def test_reload(self):
        """a profile that comes too late: an error that says what to do, and nobody matches it"""
        tor = self.fake_tor()
        gate = self.contained(PROFILE, tor)
        gate.put("b.yml", BY_PROGRAM)
        gate.reload()
        gate.wait_log(re.compile(r"error: \S*/b\.yml:1:3: profile program asks for executables; "
                                 r".* restart onion-grater"))
        gate.wait_log("reloaded: 2 profiles from 2 files, 1 errors")
        with gate.connect("program") as client:
            self.assertEqual(client.command(b"GETINFO version"), FILTERED)
        self.assert_works(gate)
        # Which a restart mends.
        gate.stop()
        gate.arguments[-1] = "on"
        gate.start(("app", "program"))
        self.assert_works(gate, "program")

    def test_required(self):
        """where all layers are required, such a profile keeps the daemon from starting"""
        root = harness.fresh_dir("o", 0o755)
        harness.write(os.path.join(root, "b.yml"), BY_PROGRAM, 0o644)
        done = subprocess.run([harness.DAEMON, "--config", "/dev/null", "--profiles", root,
                               "--runtime-dir", harness.fresh_dir("r"), "--containment",
                               "required"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.scaled(20))
        self.assertEqual(done.returncode, 1)
        self.assertIn("containment is required, and one layer cannot be had: " + LEFT_OUT,
                      done.stdout.decode())


class Places(TestCase):
    """What Landlock leaves, and what is said of the rest."""

    def setUp(self):
        if not HAS_LANDLOCK:
            self.skipTest("this kernel has no Landlock")

    def test_cookie_elsewhere(self):
        """tor names a cookie where the daemon may not read: the log says what to do"""
        path = harness.write(os.path.join(harness.fresh_dir("k"), "cookie"), bytes(32))
        tor = self.fake_tor(login=harness.Login("COOKIE", cookie=bytes(32), cookie_file=path))
        gate = self.contained(PROFILE, tor)
        with gate.connect() as client:
            self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
        gate.wait_log("%s: Permission denied; onion-grater reads only where it was told to when it "
                      "started (containment): name this file in control-cookie-path, and restart "
                      "it" % path)
        gate = self.contained(PROFILE, tor, args=("--control-cookie-path", path))
        self.assert_works(gate)

    def test_new_folders(self):
        """a socket and a link that lead to folders which are new to the daemon"""
        folder, target = harness.fresh_dir("s", 0o755), harness.fresh_dir("l", 0o755)
        gate = self.contained(PROFILE, self.fake_tor())
        gate.put("b.yml", profile(BODY, name="b", sock="{path: %s/b.sock}" % folder))
        harness.write(os.path.join(target, "c.yml"), profile(BODY, name="c"), 0o644)
        os.symlink(os.path.join(target, "c.yml"), os.path.join(gate.profile_dir, "c.yml"))
        gate.reload()
        gate.wait_log("Permission denied; onion-grater makes sockets only in folders where it had "
                      "one when it started (containment): restart it")
        gate.wait_log("Permission denied; onion-grater follows links only to folders that it read "
                      "from when it started (containment): restart it")
        self.assert_works(gate)
        gate.stop()
        gate.start(("app", "c"))
        self.assert_works(gate, "c")
        harness.wait_until(lambda: harness.can_connect(folder + "/b.sock"), "the new socket")

    def test_known_folders(self):
        """a folder that had a socket, and that of a link, can be used again"""
        folder, target = harness.fresh_dir("s", 0o755), harness.fresh_dir("l", 0o755)
        linked = os.path.join(target, "c.yml")
        harness.write(linked, profile(BODY, name="c"), 0o644)
        files = {"a.yml": PROFILE,
                 "b.yml": profile(BODY, name="b", sock="{path: %s/b.sock}" % folder)}
        gate = self.contained(files, self.fake_tor())
        os.symlink(linked, os.path.join(gate.profile_dir, "c.yml"))
        gate.stop()
        gate.start(("app", "c"))
        for name in ("d", "e"):
            gate.put("b.yml", profile(BODY, name="b", sock="{path: %s/%s.sock}" % (folder, name)))
            harness.write(linked + ".new", profile(BODY, name="c" + name), 0o644)
            os.replace(linked + ".new", linked)
            gate.reload()
            path = os.path.join(folder, name + ".sock")
            harness.wait_until(lambda p=path: harness.can_connect(p), "the socket " + path)
            harness.wait_until(lambda n=name: harness.can_connect(gate.socket_path("c" + n)),
                               "the socket of the linked profile")
        self.assertEqual(os.listdir(folder), ["e.sock"])
        self.assertNotIn("Permission denied", gate.log())


class Life(TestCase):
    """Everything that a daemon does from its start to its end, where a wrong call is the end."""

    def assert_quiet(self, gate):
        """Nothing was refused on the way."""
        log = gate.log()
        for word in ("not permitted", "ermission denied", "Function not implemented"):
            self.assertNotIn(word, log)

    def test_reloads(self):
        """profiles, sockets, cookies, users and groups that come and go"""
        gate = self.contained(PROFILE, self.fake_tor())
        # Names that nobody has asked for before: the libraries for them are loaded now.
        user = pwd.getpwuid(UID).pw_name
        group = grp.getgrgid(os.getgid()).gr_name
        versions = (
            profile(BODY + "auth: {cookie: true}\n", name="b", qualifiers="users: [%s]" % user,
                    sock="{group: %s}" % group),
            profile(BODY + "auth: {cookie: true}\n", name="b", sock="{mode: '0600'}",
                    qualifiers="users: [%s, no-such-user-anywhere]\ngroups: [%s]" % (user, group)),
            profile(BODY, name="b", sock="{user: %s, mode: '0600'}" % user))
        for _ in range(3):
            for text in versions:
                gate.put("b.yml", text)
                since = len(gate.log())
                gate.reload()
                gate.wait_log("reloaded: 2 profiles", since)
                self.assert_works(gate, "b")
                self.assertEqual("b.cookie" in os.listdir(gate.runtime), "auth" in text)
            gate.remove("b.yml")
            since = len(gate.log())
            gate.reload()
            gate.wait_log("reloaded: 1 profiles", since)
            self.assertEqual(sorted(os.listdir(gate.runtime)),
                             ["admin.sock", "app.sock", "control.sock"])
        gate.put("bad.yml", "- name: [")
        gate.reload()
        gate.wait_log(re.compile(r"error: \S*/bad\.yml:[0-9]+:"))
        os.unlink(gate.socket_path())
        since = len(gate.log())
        gate.reload()
        gate.wait_log("reloaded", since)
        self.assert_works(gate)
        self.assert_quiet(gate)

    def test_admin(self):
        """the admin socket, all of its verbs, and the file of metrics"""
        folder = harness.fresh_dir("m")
        gate = self.contained(PROFILE, self.fake_tor(),
                              config="metrics-file: %s/og.prom\n" % folder)
        with Admin(gate, "watch") as watcher, gate.connect() as client:
            watcher.until(type="watching")
            client.command(b"GETINFO address")
            session = watcher.until(type="decision")["session"]
            for request in ("status", "metrics", "refusals", "reload", "complain profile=app on=yes",
                            "complain profile=app on=no", "close session=%d" % session, "nothing"):
                with Admin(gate, request) as admin:
                    self.assertEqual(admin.items()[-1]["type"],
                                     "error" if request == "nothing" else "end", request)
            watcher.until(type="session-ended", session=session)
        harness.wait_until(lambda: os.listdir(folder) == ["og.prom"], "the metrics")
        gate.stop()
        self.assertEqual(os.listdir(folder), [])
        self.assert_quiet(gate)

    def test_patterns(self):
        """many patterns, compiled inside"""
        gate = self.contained(PROFILE, self.fake_tor())
        rules = "".join("    - 'key-%d-(?:[a-z]+|[0-9]{2,9})x?'\n" % n for n in range(2000))
        gate.put("b.yml", profile("commands:\n  GETINFO:\n    - version\n" + rules, name="b"))
        gate.reload()
        gate.wait_log("reloaded: 2 profiles")
        with gate.connect("b") as client:
            self.assertRegex(client.command(b"GETINFO key-1999-abcx"), rb"^250-key-1999-abcx=")
            self.assertEqual(client.command(b"GETINFO key-1999-a1"), FILTERED)

    def test_limits(self):
        """without descriptors, and with them again"""
        tor = self.fake_tor()
        gate = self.contained(PROFILE, tor, config="limits: {sessions: 20, sessions-per-uid: 20}\n")
        clients = [gate.connect() for _ in range(30)]
        answered = 0
        for client in clients:
            try:
                answered += client.command(b"GETINFO version") == VERSION_REPLY
            except (AssertionError, OSError):
                pass
            client.close()
        self.assertTrue(15 <= answered <= 20, answered)
        harness.wait_until(lambda: not self.is_turned_away(gate), "room for a session")
        self.assert_works(gate)

    def is_turned_away(self, gate):
        with gate.connect() as client:
            try:
                return client.command(b"GETINFO version") != VERSION_REPLY
            except (AssertionError, OSError):
                return True

    def test_many_sessions(self):
        """hundreds of sessions, one after the other and at once"""
        gate = self.contained(PROFILE, self.fake_tor(),
                              config="limits: {sessions-per-uid: 400}\n", debug=False)
        for _ in range(300):
            self.assert_works(gate)
        clients = [gate.connect() for _ in range(200)]
        for client in clients:
            client.send(b"GETINFO version\r\n")
        for client in clients:
            self.assertEqual(client.message(), VERSION_REPLY)
            client.close()
        self.assert_quiet(gate)

    def test_stopped_and_continued(self):
        """SIGSTOP and SIGCONT interrupt a wait"""
        gate = self.contained(PROFILE, self.fake_tor())
        for _ in range(3):
            gate.signal(signal.SIGSTOP)
            gate.signal(signal.SIGCONT)
            self.assert_works(gate)

    def test_writer(self):
        """a child that writes is looked at"""
        labelled = profile(BODY, qualifiers="users: ['%d']\nunits: ['*']" % UID)
        gate = self.contained(labelled, self.fake_tor())
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        pid = os.fork()
        if pid == 0:
            client.socket.sendall(b"GETINFO version\r\n")
            os._exit(0)
        self.assertEqual(client.message(), VERSION_REPLY)
        os.waitpid(pid, 0)

    def test_log_pipe(self):
        """the log goes to a pipe that fills, and to nobody"""
        gate = self.contained(PROFILE, self.fake_tor(), debug=False)
        arguments = gate.arguments + ["--debug"]
        gate.stop()
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            harness.wait_until(lambda: harness.can_connect(gate.socket_path()), "the socket")
            for _ in range(300):
                self.assert_works(gate)
            process.stderr.close()
            self.assert_works(gate)
        finally:
            process.terminate()
            self.assertEqual(process.wait(harness.scaled(20)), 0)

    def test_ordinary_user(self):
        """a user of its own, as a service has it: no capability, and all of it works"""
        if not IS_ROOT:
            self.skipTest("root alone can start a daemon as another user")
        other = 65534
        tor = self.fake_tor(tcp=True)
        root = harness.fresh_dir("o", 0o755)
        profiles, runtime = os.path.join(root, "p"), os.path.join(root, "run")
        os.mkdir(profiles, 0o755)
        os.mkdir(runtime, 0o755)
        os.chown(runtime, other, other)
        harness.write(os.path.join(profiles, "app.yml"), PROFILE, 0o644)
        program = [harness.DAEMON, "--config", "/dev/null", "--profiles", profiles,
                   "--runtime-dir", runtime, "--tor-control", tor.address, "--containment",
                   "on" if is_sanitized() or not HAS_LANDLOCK else "required"]
        with open(os.path.join(root, "log"), "wb") as log:
            process = subprocess.Popen(program, user=other, group=other, extra_groups=[], stderr=log,
                                       cwd="/")
        path = os.path.join(runtime, "app.sock")
        try:
            harness.wait_until(lambda: harness.can_connect(path), "the socket", 15)
            self.assertEqual(capabilities_of(process.pid), set())
            harness.write(os.path.join(profiles, "b.yml"), profile(BODY, name="b"), 0o644)
            process.send_signal(signal.SIGHUP)
            second = os.path.join(runtime, "b.sock")
            harness.wait_until(lambda: harness.can_connect(second), "the second socket")
            for name in (path, second):
                with harness.Client(name) as client:
                    self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        finally:
            process.terminate()
            self.assertEqual(process.wait(harness.scaled(20)), 0)
        self.assertEqual(os.listdir(runtime), [])


class RealTor(TestCase):
    """A real tor, as it comes, goes and comes again with another cookie."""

    def setUp(self):
        if harness.tor_program() is None:
            self.skipTest("no tor program found (Debian: tor)")

    def session(self, gate):
        with gate.connect() as client:
            self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=[0-9.]+")
            self.assertEqual(client.command(b"SETEVENTS BW"), b"250 OK\r\n")
            client.send(b"ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=80\r\n")
            self.assertRegex(self.reply(client), rb"^250-ServiceID=")
            client.send(b"GETINFO address\r\n")
            self.assertEqual(self.reply(client), FILTERED)

    def reply(self, client):
        """The next message that is no event."""
        while True:
            message = client.message()
            if not message.startswith(b"650"):
                return message

    def cookie(self, tor):
        """What is in tor's cookie file, which may come a moment after its socket."""
        harness.wait_until(lambda: os.path.exists(tor.cookie_file)
                           and os.path.getsize(tor.cookie_file) == 32, "tor's cookie")
        with open(tor.cookie_file, "rb") as file:
            return file.read()

    def test_cookie(self):
        """SAFECOOKIE, over a Unix socket, with a restart that makes a new cookie"""
        tor = self.real_tor("cookie")
        gate = self.contained(PROFILE, tor)
        for _ in range(2):
            self.session(gate)
            old = self.cookie(tor)
            with gate.connect() as client:
                client.command(b"GETINFO version")
                tor.kill()
                client.command(b"GETINFO version")
            os.unlink(tor.cookie_file)
            tor.start()
            self.assertNotEqual(self.cookie(tor), old)
            gate.reload()
        self.session(gate)

    def test_tcp(self):
        """a control port, whose number alone may be connected to"""
        tor = self.real_tor("cookie", tcp=True)
        gate = self.contained(PROFILE, tor, args=("--control-cookie-path", tor.cookie_file))
        self.session(gate)

    def test_password(self):
        """a password that is written anew"""
        path = harness.write(os.path.join(harness.fresh_dir("k"), "pw"), "wrong")
        gate = self.contained(PROFILE, self.real_tor("password"),
                              args=("--control-password-file", path))
        with gate.connect() as client:
            self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
        os.replace(harness.write(path + ".new", harness.RealTor.PASSWORD), path)
        self.session(gate)


def find_layers():
    """What there can be: one daemon is asked; a build with sanitizers has neither Landlock nor
    seccomp."""
    global HAS_LANDLOCK, REQUIRED
    if is_sanitized():
        REQUIRED = "on"
        # There is nothing in such a build that these could ask.
        del globals()["Needs"], globals()["Places"]
        return
    root = harness.fresh_dir("o")
    process = subprocess.Popen([harness.DAEMON, "--config", "/dev/null", "--profiles", root,
                                "--runtime-dir", harness.fresh_dir("r")],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in process.stderr:
        if b"Landlock: " in line:
            HAS_LANDLOCK = False
        if b" started: " in line:
            break
    process.terminate()
    process.communicate(timeout=harness.scaled(20))
    if not HAS_LANDLOCK:
        REQUIRED = "on"


if __name__ == "__main__":
    if os.access(harness.DAEMON, os.X_OK):
        find_layers()
    harness.main()
