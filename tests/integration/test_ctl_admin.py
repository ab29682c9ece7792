#!/usr/bin/env python3
"""onion-graterctl with the daemon that runs: status, watch, reload, close, complain, metrics and
explain --last."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

import harness
from ctlrun import CTL, as_user, ctl, environment, is_printable
from harness import profile

UID = os.getuid()
BODY = """
commands:
  GETINFO: [version]
  SIGNAL:
    - pattern: NEWNYM
      replacement: CLEARDNSCACHE
events:
  BW:
"""
SECRET = b"ED25519-V3:" + harness.KEY


class AdminCase(harness.TestCase):
    def setUp(self):
        self.tor = self.fake_tor()
        self.gate = self.start(profile(BODY))

    def start(self, profiles, **kwargs):
        return self.daemon(profiles, self.tor, debug=False, **kwargs)

    def ctl(self, verb, *arguments, **kwargs):
        return ctl(verb, "--runtime-dir", self.gate.runtime, *arguments, **kwargs)

    def good(self, verb, *arguments):
        result = self.ctl(verb, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout

    def status(self):
        return json.loads(self.good("status", "--json"))

    def busy_client(self):
        client = self.connect(self.gate)
        for command in (b"GETINFO version", b"SIGNAL NEWNYM", b"GETINFO address"):
            client.command(command)
        return client


class Status(AdminCase):
    def test_text(self):
        self.busy_client()
        text = self.good("status")
        self.assertTrue(is_printable(text))
        self.assertRegex(text, r"(?m)^onion-grater   version \S+, process %d, user " % self.gate.pid)
        self.assertRegex(text, r"(?m)^tor            unix:\S+, reachable for \d+s, version 0\.4")
        self.assertRegex(text, r"(?m)^profiles       1 profile of 1 file, .*; 0 errors, 0 warnings$")
        self.assertIn("app.sock for app\n", text)
        row = re.search(r"(?m)^ *NO .*\n(.*)$", text).group(1).split()
        self.assertEqual([row[1], row[3], row[7:10]], ["app", str(os.getpid()), ["1", "1", "1"]])
        self.assertNotIn("\x1b", text)

    def test_json(self):
        self.busy_client()
        status = self.status()
        self.assertEqual(set(status), {"daemon", "tor", "policy", "messages", "profiles",
                                       "listeners", "limits", "counters", "sessions", "left-out"})
        self.assertEqual(status["daemon"]["pid"], self.gate.pid)
        session, = status["sessions"]
        self.assertEqual([session["profiles"], session["uid"], session["pid"], session["allowed"],
                          session["rewritten"], session["rejected"]],
                         [["app"], UID, os.getpid(), 1, 1, 1])
        self.assertEqual(session["user"], status["daemon"]["user"])

    def test_each_member_is_in_the_manual(self):
        """What status, watch and reload write is what onion-graterctl(8) describes."""
        self.busy_client()
        self.gate.put("bad.yml", "- nam: x\n")
        path = os.path.join(os.environ.get("TEST_SRCDIR", "../.."), "man", "onion-graterctl.8")
        with open(path) as file:
            manual = file.read()
        manual = manual[manual.index(".Sh JSON"):manual.index(".Sh ENVIRONMENT")]
        words = set(re.findall(r"[a-z][a-z_-]+", manual))
        found = set()

        def collect(value):
            if isinstance(value, dict):
                for key, member in value.items():
                    found.add(key)
                    collect(member)
            elif isinstance(value, list):
                for item in value:
                    collect(item)

        status = self.status()
        status["counters"] = {}
        collect(status)
        collect(json.loads(self.ctl("reload", "--json").stdout))
        collect(json.loads(self.good("explain", "--last", "--json")))
        self.assertGreater(len(found), 60)
        self.assertEqual(sorted(found - words), [])

    def test_load_errors(self):
        self.gate.put("bad.yml", "- nam: x\n")
        self.gate.reload()
        self.gate.wait_log("bad.yml:1:3")
        text = self.good("status")
        self.assertRegex(text, r"(?m)^profiles .*; 1 error, ")
        self.assertRegex(text, r"bad\.yml:1:3: error: a profile has no key 'nam'")

    def test_hostile_names(self):
        """What stands in a profile reaches no terminal, and is shown as check shows it."""
        self.gate.put("evil.yml", '- name: "a\\e[31m\\r\\n"\n  users: [x]\n')
        path = os.path.join(self.gate.profile_dir, "evil.yml")
        shown = "%s:1:9: error: 'a\\x1B[31m\\x0D\\x0A' is no name" % path
        for text in (self.ctl("reload").stdout, self.good("status"), ctl("check", path).stdout):
            self.assertTrue(is_printable(text), text)
            self.assertIn(shown, text)

    def test_hostile_programs(self):
        """The path of a client's program is its own choice, too."""
        path = os.path.join(harness.fresh_dir("x", 0o755), "\x1b[31m\n\x07app")
        with open(os.path.realpath("/proc/self/exe"), "rb") as program:
            harness.write(path, program.read(), 0o755)
        self.gate = self.start(profile(BODY, qualifiers="users: ['%d']\nexecutables: ['/x']" % UID))
        client = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                  "s.sendall(b'GETINFO version\\r\\n'); print(s.recv(99), flush=True); "
                  "sys.stdin.read()")
        process = subprocess.Popen([path, "-c", client, self.gate.socket_path()],
                                   env=dict(os.environ, PYTHONHOME=sys.prefix),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertIn(b"510 Command filtered", process.stdout.readline())
            text = self.good("status") + self.good("explain", "--last")
            self.assertEqual(self.status()["sessions"][0]["executable"], path)
        finally:
            process.communicate()
        self.assertTrue(is_printable(text), text)
        self.assertIn("\\x1B[31m\\x0A\\x07app", text)

    def test_the_configuration_names_the_place(self):
        config = harness.write(os.path.join(harness.fresh_dir(), "c.yml"),
                               "runtime-dir: %s\n" % self.gate.runtime)
        self.assertEqual(ctl("status", "--config", config).returncode, 0)
        result = ctl("status", "--config", config + ".no")
        self.assertEqual(result.returncode, 2)
        result = ctl("status", "--config", harness.write(config, "nothing: x\n"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("c.yml:1:1", result.stderr)
        self.assertEqual(ctl("status", "--socket", self.gate.socket_path("admin")).returncode, 0)

    @unittest.skipUnless(UID == 0, "only root can become another user")
    def test_others_are_denied(self):
        os.chmod(self.gate.runtime, 0o755)
        for verb, *more in (("status",), ("watch",), ("reload",), ("close", "1"),
                            ("complain", "app", "on"), ("metrics",), ("top",),
                            ("explain", "--last")):
            result = self.ctl(verb, *more, prefix=as_user(4711))
            self.assertEqual((result.returncode, result.stdout), (1, ""), verb)
            self.assertRegex(result.stderr, "permission denied: do this as root")
        # Where the file lets them in, the daemon does not.
        os.chmod(self.gate.socket_path("admin"), 0o666)
        result = self.ctl("status", prefix=as_user(4711))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, "do this as root")
        self.assertEqual(self.status()["daemon"]["complain"], "off")

    def test_output_that_goes_nowhere(self):
        self.busy_client()
        for words in (("status",), ("status", "--json"), ("reload",), ("complain", "app", "off"),
                      ("metrics",), ("watch", "--json"), ("explain", "--last"), ("doctor",)):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([CTL, words[0], "--runtime-dir", self.gate.runtime,
                                         *words[1:]], stdin=subprocess.DEVNULL, stdout=full,
                                        stderr=subprocess.PIPE, env=environment(), check=False,
                                        timeout=harness.scaled(20))
            self.assertEqual(result.returncode, 1, words)
            self.assertIn(b"standard output: ", result.stderr, words)

    def test_usage(self):
        for words in (("status", "x"), ("status", "--no"), ("close",), ("close", "x"),
                      ("close", "1", "2"), ("complain", "app"), ("complain", "app", "maybe"),
                      ("watch", "--verdict", "x"), ("watch", "--session", "x"),
                      ("watch", "--user", "no such user"), ("top", "--sort", "x"),
                      ("top", "--interval", "0"), ("metrics", "x"), ("reload", "--socket"),
                      ("doctor", "x"), ("explain", "--last", "GETINFO x"),
                      ("explain", "--last", "--label", "x"),
                      ("explain", "--last", "--profile-file", "x")):
            result = ctl(*words)
            self.assertEqual((result.returncode, result.stdout), (2, ""), words)
            self.assertRegex(result.stderr, "^onion-graterctl %s: " % words[0], words)
        for verb in ("status", "top", "watch", "reload", "close", "complain", "metrics", "doctor"):
            result = ctl(verb, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, "^usage: onion-graterctl %s " % verb)


class Watching:
    """watch in the background, its lines one by one."""

    def __init__(self, gate, *arguments, json_lines=True):
        more = ["--json"] if json_lines else []
        self.process = subprocess.Popen(
            [CTL, "watch", "--runtime-dir", gate.runtime, *more, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment())
        self.is_json = json_lines
        if json_lines:
            self.first = self.line()

    def line(self):
        line = self.process.stdout.readline()
        return json.loads(line) if self.is_json and line else line.decode("latin-1")

    def end(self):
        out, err = self.process.communicate(timeout=harness.scaled(20))
        return self.process.returncode, out, err

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Watch(AdminCase):
    def wait_watchers(self, count):
        harness.wait_until(lambda: self.status()["daemon"]["watchers"] == count,
                           "%d watchers" % count)

    def test_lines_come_at_once(self):
        with Watching(self.gate) as watch:
            self.assertEqual(watch.first["type"], "watching")
            client = self.connect(self.gate)
            client.command(b"GETINFO version")
            self.assertEqual(watch.line()["type"], "session-began")
            self.assertEqual([watch.line()[key] for key in ("verdict",)], ["allowed"])
            client.command(b"GETINFO address")
            line = watch.line()
            self.assertEqual([line["verdict"], line["command"]], ["rejected", "GETINFO address"])
            client.close()
            self.assertEqual(watch.line()["type"], "session-ended")

    def test_text(self):
        with Watching(self.gate, json_lines=False) as watch:
            self.wait_watchers(1)
            self.busy_client()
            lines = [watch.line() for _ in range(4)]
            self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d session \d+ \(app, \S+\) began: pid %d, "
                             % os.getpid())
            self.assertRegex(lines[1], r" allowed GETINFO version \(\S+app\.yml:\d+:\d+\)$")
            self.assertRegex(lines[2], r" rewritten SIGNAL NEWNYM \(")
            self.assertNotIn("CLEARDNSCACHE", lines[2])
            self.assertRegex(lines[3], r" rejected GETINFO address: no rule allows these arguments$")
            self.assertTrue(is_printable("".join(lines)))

    def test_filters(self):
        with Watching(self.gate, "--verdict", "rejected") as rejected, \
                Watching(self.gate, "--profile", "other") as other, \
                Watching(self.gate, "--user", str(UID)) as own, \
                Watching(self.gate, "--uid", "4711") as stranger:
            self.busy_client()
            self.assertEqual(rejected.line()["command"], "GETINFO address")
            self.assertEqual(own.line()["type"], "session-began")
            for watch in (other, stranger):
                self.assertEqual(watch.interrupt()[:2], (0, b""))

    def test_one_session_and_its_events(self):
        client = self.connect(self.gate)
        client.command(b"SETEVENTS BW")
        number = str(self.status()["sessions"][0]["number"])
        with Watching(self.gate, "--session", number, "--events") as watch:
            self.tor.wait_connection().send(b"650 BW 1 2\r\n")
            line = watch.line()
            self.assertEqual([line["type"], line["name"], line["passed"]], ["event", "BW", True])

    def test_values_are_masked(self):
        with Watching(self.gate, "--verdict", "rejected") as masked, \
                Watching(self.gate, "--verdict", "rejected", "--values") as shown:
            self.connect(self.gate).command(b"ADD_ONION " + SECRET + b" Port=80,81")
            self.assertNotIn(harness.KEY.decode(), json.dumps(masked.line()))
            if UID == 0:
                self.assertIn(harness.KEY.decode(), json.dumps(shown.line()))
            else:
                self.assertRegex(shown.end()[2].decode(), "only root")

    def test_it_ends_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with Watching(self.gate) as watch:
                self.assertEqual(watch.interrupt(number), (0, b"", b""))
        self.wait_watchers(0)

    def test_its_reader_goes_away(self):
        """Also while nothing happens: whoever reads has closed, and there is nothing to write."""
        with Watching(self.gate) as watch:
            watch.process.stdout.close()
            self.assertEqual(watch.process.wait(harness.scaled(20)), 0)
            self.assertEqual(watch.process.stderr.read(), b"")
            watch.process.stdout = open(os.devnull)
        result = subprocess.run(
            "%s watch --json --runtime-dir %s | head -n 1" % (CTL, self.gate.runtime), shell=True,
            capture_output=True, timeout=harness.scaled(20), check=False)
        self.assertEqual(json.loads(result.stdout)["type"], "watching")
        self.assertEqual(result.stderr, b"")

    def test_the_daemon_stops(self):
        with Watching(self.gate) as watch:
            self.gate.stop()
            status, _, said = watch.end()
            self.assertEqual((status, said), (0, b"onion-graterctl watch: the daemon has stopped\n"))

    def test_the_daemon_is_killed(self):
        gate = self.start(profile(BODY))
        with Watching(gate) as watch:
            gate.kill()
            gate.process = None
            status, _, said = watch.end()
            self.assertEqual(status, 1)
            self.assertIn(b"the answer was cut: the daemon has stopped", said)


class Orders(AdminCase):
    def test_reload(self):
        self.assertRegex(self.good("reload"), r"^reloaded: 1 profile of 1 file, 0 errors, ")
        self.gate.put("b.yml", profile(BODY, name="b"))
        self.gate.put("app.yml", profile(BODY + "  HS_DESC:\n"))
        text = self.good("reload")
        self.assertRegex(text, r"(?m)^added          b$")
        self.assertRegex(text, r"(?m)^altered        app$")
        client = self.connect(self.gate, "b")
        client.command(b"GETINFO version")
        self.gate.remove("b.yml")
        reloaded = json.loads(self.good("reload", "--json"))
        self.assertEqual(reloaded["changes"], [{"what": "removed", "profile": "b"}])
        self.assertEqual(reloaded["reloaded"]["sessions_closed"], 1)
        self.assertEqual(client.rest(), b"")

    def test_reload_with_errors(self):
        self.gate.put("app.yml", "- nam: x\n")
        result = self.ctl("reload")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertRegex(result.stdout, r"(?m)^\S+app\.yml:1:3: error: a profile has no key 'nam'")
        self.assertRegex(result.stdout, r"(?m)^reloaded: 1 profile of 1 file, 2 errors, ")
        result = self.ctl("reload", "--json")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(json.loads(result.stdout)["messages"][0]["severity"], "error")
        self.assertIn("the last good version", self.good("status"))
        self.assert_works(self.gate)

    def test_reload_that_does_not_take(self):
        """A directory of profiles that cannot be read: nothing is known of what is in it."""
        os.rename(self.gate.profile_dir, self.gate.profile_dir + ".away")
        try:
            result = self.ctl("reload")
        finally:
            os.rename(self.gate.profile_dir + ".away", self.gate.profile_dir)
        self.assertEqual(result.returncode, 1)
        self.assertIn("not reloaded: the profiles from before stay in use\n", result.stdout)
        self.assertIn("the last reload failed", self.good("status"))

    def test_close(self):
        client = self.busy_client()
        other = self.busy_client()
        number = str(self.status()["sessions"][0]["number"])
        self.assertEqual(self.good("close", number), "session %s closed\n" % number)
        self.assertEqual(client.rest(), b"")
        self.assertEqual(other.command(b"GETINFO version"), harness.VERSION_REPLY)
        result = self.ctl("close", number)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("there is no session " + number, result.stderr)

    def test_complain(self):
        self.assertIn("complain mode is on for sessions of profile app",
                      self.good("complain", "app", "on"))
        client = self.connect(self.gate)
        self.assertNotEqual(client.command(b"GETINFO address"), harness.FILTERED)
        self.assertIn("complain mode  ON: ", self.good("status"))
        self.assertEqual(self.status()["daemon"]["complain"], "some")
        self.assertIn("complain mode is off for profile app; 1 session that had it closed\n",
                      self.good("complain", "app", "off"))
        self.assertEqual(client.rest(), b"")
        with self.gate.connect() as after:
            self.assertEqual(after.command(b"GETINFO address"), harness.FILTERED)
        result = self.ctl("complain", "no \x1b", "on")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(is_printable(result.stdout + result.stderr))

    def test_metrics(self):
        self.busy_client()
        text = self.good("metrics")
        self.assertRegex(text, r'(?m)^onion_grater_commands_total\{outcome="rejected"\} 1$')
        path = os.path.join(harness.fresh_dir(), "out.prom")
        self.assertEqual(self.good("metrics", "-o", path), "")
        with open(path) as file:
            self.assertIn("onion_grater_sessions 1\n", file.read())
        self.assertEqual(os.stat(path).st_mode & 0o444, 0o444)
        self.assertEqual(os.listdir(os.path.dirname(path)), ["out.prom"])
        result = self.ctl("metrics", "--output", "/nonexistent/x")
        self.assertEqual(result.returncode, 1)


class Last(AdminCase):
    def test_nothing_yet(self):
        self.assertEqual(self.good("explain", "--last"),
                         "nothing was refused since the daemon has started\n")
        self.assertEqual(json.loads(self.good("explain", "--last", "--json"))["refusal"], None)

    def test_what_and_why_and_what_to_add(self):
        client = self.connect(self.gate)
        client.command(b"GETINFO address")
        client.command(b"SIGNAL RELOAD")
        text = self.good("explain", "--last")
        self.assertRegex(text, r"(?m)^refused        SIGNAL RELOAD$")
        self.assertRegex(text, r"(?m)^because        no rule allows ")
        self.assertIn("To allow it, add this to profile app in %s/app.yml:\n"
                      % self.gate.profile_dir, text)
        self.assertIn("onion-graterctl check %s/app.yml\n" % self.gate.profile_dir, text)

    def test_the_lines_allow_it(self):
        """Added to the profile as they are, and after a reload, the command passes."""
        client = self.connect(self.gate)
        client.command(b"GETCONF SocksPort")
        last = json.loads(self.good("explain", "--last", "--json"))
        self.assertEqual([last["profile"], last["granted"], last["shipped"], last["messages"]],
                         ["app", True, None, []])
        self.assertEqual(last["file"], self.gate.profile_dir + "/app.yml")
        self.gate.put("app.yml", profile(BODY) + last["rules"])
        self.good("reload")
        with self.gate.connect() as again:
            self.assertEqual(again.command(b"GETCONF SocksPort"), b"250 SocksPort=1\r\n")

    def test_without_values(self):
        client = self.connect(self.gate)
        client.command(b"ADD_ONION " + SECRET + b" Port=80,10.1.2.3:81")
        client.command(b"HSFETCH " + harness.SERVICE)
        for arguments in ((), ("--json",)):
            text = self.good("explain", "--last", *arguments)
            for value in (harness.KEY, harness.SERVICE, b"10.1.2.3"):
                self.assertNotIn(value.decode(), text)

    def test_what_no_rule_can_allow(self):
        self.connect(self.gate).command(b"FROBNICATE x")
        text = self.good("explain", "--last")
        self.assertIn("No rule of a profile can allow it.\n", text)
        self.assertTrue(is_printable(text))

    def test_of_one_profile(self):
        self.gate.put("b.yml", profile(BODY, name="b"))
        self.good("reload")
        with self.gate.connect("b") as other:
            other.command(b"GETINFO uptime")
        self.connect(self.gate).command(b"GETINFO address")
        self.assertRegex(self.good("explain", "--last", "--profile", "b"), "GETINFO uptime")
        self.assertRegex(self.good("explain", "--last"), "GETINFO address")
        self.assertEqual(self.good("explain", "--last", "--profile", "c"),
                         "nothing was refused to clients of profile c since the daemon has "
                         "started\n")

    def test_nobody_is_served(self):
        """On the shared socket, where there is no profile for anybody."""
        with self.gate.connect("control") as client:
            client.command(b"GETINFO version")
        text = self.good("explain", "--last")
        self.assertRegex(text, r"(?m)^client         user \S+, profile none; ")
        self.assertRegex(text, r"(?m)^  users:\n    - '%d'$" % UID)
        self.assertIn("as /etc/onion-grater.d/NAME.yml:\n", text)


if __name__ == "__main__":
    harness.main()
