#!/usr/bin/env python3
"""Profile directories: everything that can be wrong with them, precedence, masks, reload."""

import os
import re
import socket
import subprocess

import harness
from harness import FILTERED, VERSION_REPLY, profile, profile_place, write

GOOD = profile("""
commands:
  GETINFO: [version]
""")
OTHER = profile("""
commands:
  GETINFO: [version]
""", name="other")
CHANGED = profile("""
commands:
  GETINFO: [uptime]
""")
UID = "users: ['%d']" % os.getuid()


def bad(body):
    return profile(body, name="bad")


# name, text of the file, the place of the message in it (None: no line of its own), words in it
BAD_FILES = (
    ("unknown-key", bad("comands:\n  GETINFO: [version]\n"), "comands", "comands"),
    ("unknown-command", bad("commands:\n  NOSUCH: ['x']\n"), "NOSUCH", "NOSUCH"),
    ("unknown-rule-key", bad("commands:\n  GETINFO:\n    - pattern: x\n      replace: y\n"),
     "replace", "replace"),
    ("bad-pattern", bad("commands:\n  GETINFO: ['(version']\n"), "'(version'", None),
    ("python-pattern", bad("commands:\n  GETINFO: ['a{,3}']\n"), "'a{,3}'", None),
    ("group-too-many",
     bad("commands:\n  GETINFO:\n    - pattern: '(a)b'\n      replacement: '{} {}'\n"),
     "'{} {}'", None),
    ("group-number",
     bad("commands:\n  GETINFO:\n    - pattern: '(a)b'\n      replacement: '{1}'\n"), "'{1}'", None),
    ("unknown-field",
     bad("commands:\n  GETINFO:\n    - pattern: 'a'\n      replacement: '{client-adress}'\n"),
     "'{client-adress}'", None),
    ("reply-and-replacement",
     bad("commands:\n  GETINFO:\n    - pattern: a\n      replacement: b\n      reply: ['250 OK']\n"),
     None, None),
    ("reply-no-framing", bad("commands:\n  GETINFO:\n    - pattern: a\n      reply: ['nothing']\n"),
     "'nothing'", None),
    ("unknown-event", bad("events:\n  NOSUCHEVENTS:\n    suppres: true\n"), "suppres", "suppres"),
    ("duplicate-key", bad("commands:\n  GETINFO: [a]\n  GETINFO: [b]\n"), "GETINFO: [b]", None),
    ("duplicate-key-case", bad("commands:\n  GETINFO: [a]\n  getinfo: [b]\n"), "getinfo: [b]", None),
    ("duplicate-profile-key", bad("confs:\n  A:\nconfs:\n  B:\n"), None, None),
    ("anchor", bad("commands:\n  GETINFO: &x [version]\n"), None, None),
    ("alias", bad("commands:\n  GETINFO: *x\n"), None, None),
    ("tag", bad("commands:\n  GETINFO: !!set [version]\n"), None, None),
    ("not-a-list", bad("commands:\n  GETINFO: version\n"), "version", None),
    ("not-a-mapping", bad("commands: [GETINFO]\n"), "[GETINFO]", None),
    ("scalar-file", "just text\n", "just", None),
    ("bad-yaml", "- name: [\n", None, None),
    ("two-documents", GOOD + "---\n" + OTHER, None, None),
    ("deep", "- name: x\n  commands: " + "[" * 500 + "]" * 500 + "\n", None, None),
    ("deeper", "[" * 200000, None, None),
    ("utf8", b"- name: a\xff\xfe\n", None, None),
    ("utf8-late", GOOD.encode() + b"# \xc3\x28\n", None, None),
    ("nul", GOOD.encode() + b"\0\n", None, None),
    ("control-in-template",
     bad("commands:\n  GETINFO:\n    - pattern: a\n      replacement: \"a\\nb\"\n"), None, None),
    ("socket-nobody", "- name: bad\n  socket: true\n  commands:\n    GETINFO: [version]\n", None, None),
    ("socket-mode", "- name: bad\n  %s\n  socket:\n    mode: '9'\n" % UID, "'9'", None),
    ("bad-host", "- name: bad\n  hosts: ['10.0.0.300']\n", "'10.0.0.300'", None),
)


def place_of(text, needle):
    return profile_place(text, needle)


class Check(harness.TestCase):
    """--check: exit status and messages."""

    def setUp(self):
        self.directory = harness.fresh_dir("p")

    def put(self, name, content, mode=0o644):
        return write(os.path.join(self.directory, name), content, mode)

    def check(self, directories=None):
        return harness.check_profiles(directories or [self.directory])

    def test_good(self):
        """good files: status 0"""
        self.put("app.yml", GOOD)
        self.put("other.yml", OTHER)
        status, output = self.check()
        self.assertEqual(status, 0, output)
        self.assertNotIn("error:", output)

    def test_empty_directory(self):
        """a directory without profiles is no error"""
        self.put("README", "not a profile")
        self.put("app.yml.bak", "- bad: [")
        self.put(".hidden.yml", "- bad: [")
        self.assertEqual(self.check()[0], 0)

    def test_bad_files(self):
        """each bad file: status 1, and a message with file, line and column"""
        self.put("app.yml", GOOD)
        for name, text, needle, word in BAD_FILES:
            with self.subTest(name):
                path = self.put("bad.yml", text)
                status, output = self.check()
                self.assertEqual(status, 1, output[:500])
                lines = [line for line in output.split("\n") if "error:" in line]
                self.assertTrue(lines, output[:500])
                if needle:
                    place = "%s:%s: error: " % (path, place_of(text, needle))
                    self.assertTrue(any(place in line for line in lines), (place, lines))
                else:
                    self.assertTrue(all(re.search(re.escape(path) + r":[0-9]+:[0-9]+: error: .",
                                                  line) for line in lines), lines)
                if word:
                    self.assertIn(word, "".join(lines))
                self.assertTrue(all(0x20 <= ord(char) <= 0x7e or char == "\n"
                                    for char in output), "raw bytes in the output")
                self.assertLess(len(output), 200000)

    def test_all_errors_at_once(self):
        """one run names the errors of all files, and several of one"""
        self.put("a.yml", bad("commands:\n  NOSUCH: ['x']\n  GETINFO: ['(']\n"))
        self.put("b.yml", "- nam: x\n")
        output = self.check()[1]
        self.assertGreaterEqual(len(re.findall(r"a\.yml:[0-9:]+ error", output)), 2, output)
        self.assertIn("b.yml:1:3: error", output)

    def test_special_files(self):
        """a FIFO, a directory, a socket, a dangling link, a file of 10 MB: named, never waited for"""
        def make_socket(path):
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
        makers = (("FIFO", os.mkfifo), ("directory", os.mkdir), ("socket", make_socket),
                  ("dangling link", lambda path: os.symlink("/nonexistent/x", path)),
                  ("device", lambda path: os.symlink("/dev/zero", path)),
                  ("10 MB", lambda path: write(path, b"# x\n" * 2621440, 0o644)))
        self.put("app.yml", GOOD)
        for name, make in makers:
            with self.subTest(name):
                path = os.path.join(self.directory, "bad.yml")
                make(path)
                status, output = self.check()
                self.assertEqual(status, 1, output)
                self.assertRegex(output, re.escape(path) + ".*error: .")
                if os.path.isdir(path):
                    os.rmdir(path)
                else:
                    os.unlink(path)

    def test_missing_directory(self):
        """a directory that was named and does not exist"""
        missing = os.path.join(self.directory, "none")
        status, output = self.check([missing])
        self.assertEqual(status, 1, output)
        self.assertIn(missing, output)

    def test_unreadable(self):
        """a directory, and a file, that may not be read"""
        if os.getuid() == 0:
            self.skipTest("root may read everything")
        path = self.put("bad.yml", GOOD, 0)
        status, output = self.check()
        self.assertEqual(status, 1)
        self.assertIn(path, output)
        os.chmod(path, 0o644)
        os.chmod(self.directory, 0)
        self.addCleanup(os.chmod, self.directory, 0o700)
        self.assertEqual(self.check()[0], 1)

    def test_writable_by_others(self):
        """what everybody may write to is not trusted"""
        path = self.put("app.yml", GOOD, 0o646)
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn(path, output)
        os.chmod(path, 0o644)
        os.chmod(self.directory, 0o777)
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn(self.directory, output)

    def test_owner(self):
        """what another user owns is not trusted, be it the file or its directory"""
        if os.getuid() != 0:
            self.skipTest("only root may give files away")
        path = self.put("app.yml", GOOD)
        for place in (path, self.directory):
            with self.subTest(place=place):
                os.chown(place, 4242, -1)
                status, output = self.check()
                self.assertEqual(status, 1, output)
                self.assertRegex(output, re.escape(place) + ": error: .*uid 4242.*chown root")
                os.chown(place, 0, -1)
                self.assertEqual(self.check()[0], 0)
        target = write(os.path.join(harness.fresh_dir("p"), "x"), OTHER, 0o644)
        os.symlink(target, os.path.join(self.directory, "link.yml"))
        self.assertEqual(self.check()[0], 0)
        os.chown(target, 4242, -1)
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn("link.yml: error: ", output)

    def test_group_may_write(self):
        """a group that may write is worth a warning, unless it is root's or our own"""
        path = self.put("app.yml", GOOD, 0o664)
        os.chown(path, -1, os.getegid())
        self.assertNotIn("warning", self.check()[1])
        groups = [4242] if os.getuid() == 0 else [g for g in os.getgroups()
                                                  if g not in (0, os.getegid())]
        if not groups:
            self.skipTest("no other group to give the file to")
        for place, mode in ((path, 0o664), (self.directory, 0o775)):
            with self.subTest(place=place):
                os.chmod(place, mode)
                os.chown(place, -1, groups[0])
                status, output = self.check()
                self.assertEqual(status, 0, output)
                self.assertRegex(output, re.escape(place) + ": warning: .*gid %d" % groups[0])
                os.chown(place, -1, os.getegid())

    def test_precedence(self):
        """the first directory wins; an empty file or a link to /dev/null masks"""
        low = harness.fresh_dir("p")
        write(os.path.join(low, "app.yml"), "- bad: [", 0o644)
        write(os.path.join(low, "b.yml"), "- bad: [", 0o644)
        write(os.path.join(low, "c.yml"), "- bad: [", 0o644)
        self.assertEqual(self.check([self.directory, low])[0], 1)
        self.put("app.yml", GOOD)
        self.put("b.yml", "")
        os.symlink("/dev/null", os.path.join(self.directory, "c.yml"))
        status, output = self.check([self.directory, low])
        self.assertEqual(status, 0, output)
        status, output = self.check([low, self.directory])
        self.assertEqual(status, 1, output)

    def test_usage(self):
        """wrong usage and a wrong configuration: status 2; --version and --help: 0"""
        def run(*args):
            done = subprocess.run([harness.DAEMON, *args], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=harness.scaled(20))
            return done.returncode, done.stdout.decode("latin-1")
        config = self.put("conf.yml", "limits:\n  reply-timeout: 1\n  repl-timeout: 1\n")
        self.assertEqual(run("--version")[0], 0)
        self.assertRegex(run("--version")[1], r"onion-grater [0-9]")
        self.assertEqual(run("--help")[0], 0)
        for option in ("--config", "--profiles", "--runtime-dir", "--tor-control", "--check",
                       "--debug", "--control-cookie-path", "--control-password-file",
                       "--client-address", "--version"):
            self.assertIn(option, run("--help")[1])
        for args in (("--nosuch",), ("--tor-control",), ("--tor-control", "9051"), ("extra",),
                     ("--tor-control", "tcp:127.0.0.1:99999"), ("--client-address", "me"),
                     ("--runtime-dir", "relative", "--check"),
                     ("--config", os.path.join(self.directory, "none.yml"), "--check"),
                     ("--config", config, "--check")):
            with self.subTest(args=args):
                status, output = run(*args)
                self.assertEqual(status, 2, output)
                self.assertTrue(output.strip())
        empty = harness.fresh_dir("n")
        self.assertEqual(run("--config", "/dev/null", "--profiles", empty, "--check")[0], 0)
        self.assertRegex(run("--config", config, "--check")[1],
                         re.escape(config) + r":3:3: .*repl-timeout")


class Running(harness.TestCase):
    """The daemon with bad files beside good ones, and with files that change."""

    def setUp(self):
        self.tor = self.fake_tor()

    def works(self, gate, name="app"):
        with gate.connect(name) as client:
            return client.command(b"GETINFO version") == VERSION_REPLY

    def reload(self, gate):
        since = len(gate.log())
        gate.reload()
        gate.wait_log("reloaded:", since)
        return gate.log()[since:]

    def test_runs_with_the_good_ones(self):
        """bad files are named in the log, the good ones serve"""
        files = {"app.yml": GOOD}
        for number, (name, text, _, _) in enumerate(BAD_FILES):
            files["bad%d-%s.yml" % (number, name)] = text
        gate = self.daemon(files, self.tor)
        self.assertTrue(self.works(gate))
        for name in files:
            if name != "app.yml":
                self.assertIn("/%s:" % name, gate.log())
        self.assertFalse(os.path.exists(gate.socket_path("bad")))

    def test_no_directory(self):
        """without a directory that it was told of the daemon does not start"""
        root = harness.fresh_dir("x")
        config = write(os.path.join(root, "c"), "")
        done = subprocess.run([harness.DAEMON, "--config", config, "--profiles", root + "/none",
                               "--runtime-dir", root], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=harness.scaled(20))
        self.assertEqual(done.returncode, 1)
        self.assertIn(root.encode() + b"/none", done.stdout)

    def test_socket_places(self):
        """a socket path that is too long, or in a directory that others may write to"""
        open_dir = harness.fresh_dir("w", 0o777)
        long_path = os.path.join(harness.scratch(), "l" * 120 + ".sock")
        gate = self.daemon({
            "app.yml": GOOD,
            "long.yml": profile(name="long", sock="{path: '%s'}" % long_path),
            "open.yml": profile(name="open", sock="{path: '%s/open.sock'}" % open_dir),
            "gone.yml": profile(name="gone", sock="{path: '%s/none/x.sock'}" % open_dir),
        }, self.tor)
        self.assertTrue(self.works(gate))
        log = gate.log()
        for name in ("long", "open", "gone"):
            self.assertRegex(log, r"error: \S*/%s\.yml:[0-9]+:[0-9]+: .*socket" % name)
        self.assertEqual(os.listdir(open_dir), [])

    def test_sticky_directory(self):
        """the sticky bit does not make a directory of everybody's a place for a socket"""
        open_dir = harness.fresh_dir("w", 0o1777)
        gate = self.daemon({
            "app.yml": GOOD,
            "open.yml": profile(name="open", sock="{path: '%s/open.sock'}" % open_dir),
        }, self.tor)
        self.assertEqual(os.listdir(open_dir), [])
        self.assertTrue(self.works(gate))

    def test_reload_adds(self):
        """a new profile appears with its socket, live sessions go on"""
        gate = self.daemon({"app.yml": GOOD}, self.tor)
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.put("other.yml", OTHER)
        self.reload(gate)
        self.assertTrue(self.works(gate, "other"))
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    def test_reload_removes(self):
        """a removed profile: its sessions are closed, its socket is gone; others are not touched"""
        gate = self.daemon({"app.yml": GOOD, "other.yml": OTHER}, self.tor,
                           sockets=("app", "other"))
        client, other = self.connect(gate), self.connect(gate, "other")
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(other.command(b"GETINFO version"), VERSION_REPLY)
        gate.remove("other.yml")
        self.reload(gate)
        self.assertEqual(other.rest(), b"")
        self.assertFalse(os.path.exists(gate.socket_path("other")))
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.put("other.yml", OTHER)
        self.reload(gate)
        self.assertTrue(self.works(gate, "other"))

    def test_reload_changes(self):
        """a session keeps the rules that it began with; the next one has the new ones"""
        gate = self.daemon({"app.yml": GOOD}, self.tor)
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.put("app.yml", CHANGED)
        self.reload(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(client.command(b"GETINFO uptime"), FILTERED)
        with gate.connect() as fresh:
            self.assertEqual(fresh.command(b"GETINFO version"), FILTERED)
            self.assertRegex(fresh.command(b"GETINFO uptime"), rb"^250-uptime=")

    def test_reload_bad(self):
        """a file that has become bad keeps its last good version, until it is mended"""
        gate = self.daemon({"app.yml": GOOD, "other.yml": OTHER}, self.tor,
                           sockets=("app", "other"))
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        for text in ("- name: [\n", profile("comands:\n"), b"\xff\xfe\0", "x" * 2000000):
            gate.put("app.yml", text)
            log = self.reload(gate)
            self.assertIn("/app.yml:", log)
            self.assertTrue(self.works(gate))
            self.assertTrue(self.works(gate, "other"))
            self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        gate.put("app.yml", CHANGED)
        self.reload(gate)
        with gate.connect() as fresh:
            self.assertEqual(fresh.command(b"GETINFO version"), FILTERED)

    def test_reload_bad_from_the_start(self):
        """a file that was never good has no last good version"""
        gate = self.daemon({"app.yml": GOOD, "other.yml": "- name: ["}, self.tor)
        self.assertFalse(os.path.exists(gate.socket_path("other")))
        gate.put("other.yml", OTHER)
        self.reload(gate)
        self.assertTrue(self.works(gate, "other"))

    def test_reload_socket_moves(self):
        """a profile whose socket moves to another path"""
        gate = self.daemon({"app.yml": GOOD}, self.tor)
        place = os.path.join(gate.runtime, "moved.sock")
        gate.put("app.yml", GOOD.replace("socket: true", "socket: {path: '%s'}" % place))
        self.reload(gate)
        self.assertFalse(os.path.exists(gate.socket_path("app")))
        self.assertTrue(self.works(gate, "moved"))

    def test_reload_directory_gone(self):
        """a directory that has gone: nothing is reloaded, the former profiles serve"""
        gate = self.daemon({"app.yml": GOOD}, self.tor)
        os.rename(gate.profile_dir, gate.profile_dir + ".away")
        since = len(gate.log())
        gate.reload()
        gate.wait_log("not reloaded", since)
        self.assertTrue(self.works(gate))
        os.rename(gate.profile_dir + ".away", gate.profile_dir)
        self.reload(gate)
        self.assertTrue(self.works(gate))

    def test_many_reloads(self):
        """fifty reloads under a live session leave nothing behind"""
        gate = self.daemon({"app.yml": GOOD}, self.tor)
        client = self.connect(gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        descriptors = len(os.listdir("/proc/%d/fd" % gate.pid)) if os.getuid() == 0 else 0
        for number in range(50):
            if number % 2:
                gate.remove("other.yml")
            else:
                gate.put("other.yml", OTHER)
            gate.reload()
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.reload(gate)
        harness.wait_until(lambda: not os.path.exists(gate.socket_path("other")), "the end of it")
        if descriptors:
            self.assertEqual(len(os.listdir("/proc/%d/fd" % gate.pid)), descriptors)


if __name__ == "__main__":
    harness.main()
