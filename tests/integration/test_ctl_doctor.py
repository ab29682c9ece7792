#!/usr/bin/env python3
"""onion-graterctl doctor on set-ups in which one thing is not well: it is found, and what stands below
it mends it. What else is wrong with the machine that runs the tests is none of their business."""

import json
import os
import socket
import subprocess
import sys
import unittest

import harness
from ctlrun import as_user, ctl, is_printable
from harness import Login, profile

UID = os.getuid()
BODY = "commands:\n  GETINFO: [version]\n"
only_root = unittest.skipUnless(UID == 0, "only root can become another user")


class DoctorCase(harness.TestCase):
    def setUp(self):
        self.directory = harness.fresh_dir("c", 0o755)
        self.tor = None
        self.gate = None

    def set_up(self, tor=None, profiles=None, config="", runs=True):
        """A tor, a daemon in front of it, and the configuration that both share."""
        self.tor = tor or self.fake_tor()
        self.gate = self.daemon(profiles or profile(BODY), self.tor, debug=False)
        self.config = harness.write(
            os.path.join(self.directory, "c.yml"),
            "runtime-dir: %s\ntor-control: %s\nprofiles: [%s]\n%s"
            % (self.gate.runtime, self.tor.address, self.gate.profile_dir, config), 0o644)
        if not runs:
            self.gate.stop()

    def doctor(self, *arguments, prefix=()):
        result = ctl("doctor", "--config", self.config, *arguments, prefix=prefix)
        self.assertEqual(result.stderr, "")
        self.assertTrue(is_printable(result.stdout), result.stdout)
        return result

    def findings(self, prefix=()):
        result = self.doctor("--json", prefix=prefix)
        report = json.loads(result.stdout)
        for level in ("problem", "warning"):
            self.assertEqual(report[level + "s"],
                             sum(finding["level"] == level for finding in report["findings"]))
        self.assertEqual(result.returncode, 1 if report["problems"] else 0)
        return report["findings"]

    def about(self, topic, level=None, prefix=()):
        return [finding for finding in self.findings(prefix) if finding["topic"] == topic and
                level in (None, finding["level"])]

    def one(self, topic, level, text, prefix=()):
        found = [finding for finding in self.about(topic, level, prefix) if text in finding["text"]]
        self.assertEqual(len(found), 1, self.findings(prefix))
        return found[0]

    def mend(self, topic, level, text):
        """Finds it, does what it says, and finds it no more."""
        remedy = self.one(topic, level, text)["remedy"]
        path = os.path.dirname(os.environ["ONION_GRATERCTL"]) + ":" + os.environ["PATH"]
        subprocess.run(remedy, shell=True, check=True, timeout=harness.scaled(20),
                       env=dict(os.environ, PATH=path), stdout=subprocess.DEVNULL)
        self.assertEqual([finding for finding in self.about(topic, level)
                          if text in finding["text"]], [])


class Daemon(DoctorCase):
    def test_it_runs(self):
        self.set_up()
        self.one("daemon", "ok", "the daemon runs, version ")
        self.assertEqual(self.about("version") + self.about("reload") + self.about("limits"), [])
        self.one("profiles", "ok", "1 profile, without a warning")
        self.one("socket", "ok", "3 sockets with the right modes and owners")
        self.assertEqual(self.about("runtime-dir"), [])

    def test_text(self):
        self.set_up()
        text = self.doctor().stdout
        self.assertRegex(text, r"(?m)^ok             the daemon runs, version ")
        self.assertRegex(text, r"(?m)^\d+ problems?, \d+ warnings?(, \d+ not seen: ask as root)?$")

    def test_it_does_not_run(self):
        self.set_up(runs=False)
        # Another one may run on this machine, with other sockets.
        finding, = self.about("daemon", "problem")
        self.assertRegex(finding["text"], "is not running|no admin socket of it")
        self.assertRegex(finding["remedy"], "^(systemctl|service) .*onion-grater")
        self.assertEqual(self.about("socket"), [])

    def test_complain_mode(self):
        self.set_up()
        ctl("complain", "app", "on", "--config", self.config)
        self.one("complain-mode", "warning", "complain mode is on")

    def test_errors_of_profiles(self):
        self.set_up(profiles={"app.yml": profile(BODY), "bad.yml": "- nam: x\n"})
        finding = self.one("profiles", "problem", "bad.yml:1:3: error: a profile has no key 'nam'")
        self.assertEqual(finding["remedy"],
                         "onion-graterctl check --profiles " + self.gate.profile_dir)
        self.gate.remove("bad.yml")
        self.one("profiles", "ok", "1 profile, without a warning")
        ctl_reload = "onion-graterctl reload"
        self.assertEqual(self.one("reload", "problem", "had 1 error")["remedy"], ctl_reload)
        self.assertEqual(ctl("reload", "--config", self.config).returncode, 0)
        self.assertEqual(self.about("reload"), [])

    def test_warnings_of_check(self):
        self.set_up(profiles=profile("commands:\n  GETINFO: ['a|b']\n"))
        self.one("profiles", "warning", "check has ")

    def test_no_profile(self):
        self.set_up(profiles={"app.yml": profile(BODY), "empty.yml": ""})
        os.unlink(os.path.join(self.gate.profile_dir, "app.yml"))
        self.one("profiles", "warning", "there is no profile")

    def test_a_bad_configuration(self):
        self.set_up()
        harness.write(self.config, "runtime-dir: %s\nnothing: x\n" % self.gate.runtime)
        self.one("profiles", "problem", "c.yml:2:1: error: ")

    def test_limits(self):
        self.set_up()
        for _ in range(2):
            with self.gate.connect() as client:
                client.send(b"GETINFO " + b"x" * 20000)
                client.rest()
        self.one("limits", "warning", "line-length 2 times")


class Sockets(DoctorCase):
    def test_modes(self):
        self.set_up()
        os.chmod(self.gate.socket_path(), 0o600)
        self.mend("socket", "warning", "app.sock has mode 0600 in place of 0666")
        os.chmod(self.gate.socket_path("admin"), 0o666)
        self.mend("socket", "warning", "admin.sock has mode 0666 in place of 0660")

    @only_root
    def test_owners(self):
        self.set_up()
        os.chown(self.gate.socket_path(), 4711, 4712)
        self.mend("socket", "warning", "app.sock belongs to 4711:4712 in place of ")

    def test_as_the_profile_says(self):
        self.set_up(profiles=profile(BODY, sock="{group: '%d', mode: '0640'}" % os.getgid()))
        self.one("socket", "ok", "3 sockets with the right modes and owners")

    def test_a_profile_that_came_later(self):
        self.set_up()
        self.gate.put("b.yml", profile(BODY, name="b"))
        finding = self.one("socket", "problem", "b.sock is not there")
        self.assertEqual(finding["remedy"], "onion-graterctl reload")
        ctl("reload", "--config", self.config)
        self.one("socket", "ok", "4 sockets")

    def test_an_open_directory(self):
        self.set_up()
        os.chmod(self.gate.runtime, 0o777)
        self.mend("runtime-dir", "problem", "others than its owner may write")


class Tor(DoctorCase):
    def test_it_is_asked_for_nothing_else(self):
        self.set_up()
        self.one("tor", "ok", "tor %s answers at %s" % (harness.VERSION.decode(),
                                                        self.tor.address))
        asked = [connection.raw for connection in self.tor.connections]
        self.assertGreater(len(asked), 0)
        self.assertEqual(set(asked) - {b""}, {b"PROTOCOLINFO 1\r\n"})

    def test_a_real_one(self):
        if harness.tor_program() is None:
            self.skipTest("no tor program found (Debian: tor)")
        self.set_up(tor=self.real_tor("cookie"))
        self.one("tor", "ok", "tor 0.")
        if UID == 0:
            self.one("tor-reach", "ok", "reaches tor's control port")
            self.one("tor-cookie", "ok", "may read tor's cookie")
        self.assertEqual(self.about("tor-open") + self.about("tor-login"), [])

    def test_over_tcp(self):
        self.set_up(tor=self.fake_tor(tcp=True))
        self.one("tor", "ok", "answers at tcp:127.0.0.1:")
        self.one("tor-open", "problem", "asks for no authentication")

    def test_a_password(self):
        self.set_up(tor=self.fake_tor(login=Login("HASHEDPASSWORD", password=b"x")))
        self.one("tor-login", "problem", "no control-password-file is configured")
        harness.write(self.config, open(self.config).read() +
                      "control-password-file: /etc/hostname\n", 0o644)
        self.assertEqual(self.about("tor-login"), [])

    def test_it_is_not_there(self):
        self.set_up()
        self.tor.stop()
        finding, = self.about("tor", "problem")
        self.assertRegex(finding["text"], "there is no control port|tor does not run|not installed")
        self.assertIsNotNone(finding["remedy"])
        self.assertEqual(self.about("tor-reach"), [])

    def test_nobody_listens(self):
        self.set_up()
        self.tor.stop()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.tor.path)
        self.assertEqual(len(self.about("tor", "problem")), 1)
        os.unlink(self.tor.path)

    def test_the_daemon_cannot_log_in(self):
        self.set_up(tor=self.fake_tor(login=Login("HASHEDPASSWORD", password=b"x")))
        with self.gate.connect() as client:
            client.command(b"GETINFO version")
        self.one("tor-login", "problem", "the daemon says of tor: refused: ")

    def test_another_server(self):
        self.set_up(tor=self.fake_tor(answer=lambda connection, command: b"500 what?\r\n"))
        self.tor.is_mute = True
        self.one("tor", "problem", "does not answer as tor does")

    def test_a_cookie_for_everybody(self):
        cookie = harness.write(os.path.join(self.directory, "cookie"), bytes(32), 0o644)
        login = Login("COOKIE,SAFECOOKIE", cookie=bytes(32), cookie_file=cookie)
        self.set_up(tor=self.fake_tor(login=login))
        self.mend("tor-open", "problem", "everybody may read tor's cookie, " + cookie)
        os.chmod(cookie, 0o644)
        os.chmod(self.directory, 0o700)
        self.assertEqual(self.about("tor-open"), [])


@only_root
class OtherUsers(DoctorCase):
    """The daemon as a user of its own, and doctor as root and as somebody else."""

    SERVICE = 4711

    def set_up_service(self):
        """tor's files are root's; the daemon is not."""
        cookie = harness.write(os.path.join(self.directory, "cookie"), bytes(32), 0o600)
        tor = self.fake_tor(login=Login("COOKIE,SAFECOOKIE", cookie=bytes(32), cookie_file=cookie))
        os.chmod(os.path.dirname(tor.path), 0o755)
        os.chmod(tor.path, 0o660)
        self.set_up(tor=tor)
        self.gate.stop()
        os.chown(self.gate.runtime, self.SERVICE, self.SERVICE)
        self.gate.arguments = [*as_user(self.SERVICE), *self.gate.arguments]
        os.chmod(self.gate.config_file, 0o644)
        os.chmod(self.gate.profile_dir, 0o755)
        os.chmod(self.gate.runtime, 0o755)
        self.gate.start(["app"])
        return tor, cookie

    def test_the_service_does_not_reach_tor(self):
        tor, cookie = self.set_up_service()
        self.one("tor-reach", "problem", "user 4711 may not connect to " + tor.address)
        self.one("tor-cookie", "problem", "user 4711 may not read tor's cookie, " + cookie)
        os.chmod(tor.path, 0o666)
        os.chmod(cookie, 0o644)
        self.one("tor-reach", "ok", "user 4711 reaches")
        self.one("tor-cookie", "ok", "user 4711 may read")
        self.one("socket", "ok", "3 sockets with the right modes and owners")
        self.assertEqual(self.about("runtime-dir"), [])

    def test_membership(self):
        tor, _ = self.set_up_service()
        os.chown(tor.path, 0, 4712)
        self.one("group", "problem", "user 4711 is not in group 4712")
        self.gate.stop()
        at = self.gate.arguments.index("--clear-groups")
        self.gate.arguments[at:at + 1] = ["--groups", "4712"]
        self.gate.start(["app"])
        self.one("group", "ok", "user 4711 is in group 4712")
        self.one("tor-reach", "ok", "user 4711 reaches")

    def test_a_program_in_the_group_of_tor(self):
        tor, _ = self.set_up_service()
        os.chown(tor.path, 0, 4712)
        program = subprocess.Popen(["setpriv", "--reuid", "4713", "--regid", "4713", "--groups",
                                    "4712", "sleep", "1000"])
        try:
            harness.wait_until(
                lambda: open("/proc/%d/comm" % program.pid).read() == "sleep\n", "the program")
            finding = self.one("group-others", "warning",
                               "sleep (process %d) runs in group 4712" % program.pid)
            self.assertIn("SupplementaryGroups=", finding["remedy"])
        finally:
            program.kill()
            program.wait()
        self.assertEqual([finding for finding in self.about("group-others")
                          if "4712" in finding["text"]], [])

    def test_what_others_may_not_see(self):
        """Not seen is said so, and never taken for good or bad."""
        self.set_up_service()
        stranger = as_user(4714)
        self.one("daemon", "not-seen", "which you may not ask", stranger)
        self.one("tor", "not-seen", "you may not ask tor", stranger)
        self.one("tor-reach", "not-seen", "reaches tor's control port", stranger)
        self.one("socket", "ok", "3 sockets with the right modes and owners", stranger)
        os.chmod(self.config, 0o600)
        self.one("profiles", "not-seen", "may not read the configuration", stranger)
        self.assertIn("not seen: ask as root", self.doctor(prefix=stranger).stdout)


class Leftovers(DoctorCase):
    def test_an_old_process(self):
        self.set_up()
        script = harness.write(os.path.join(self.directory, "onion-grater"),
                               "import time\nprint('up', flush=True)\ntime.sleep(1000)\n", 0o755)
        old = subprocess.Popen([sys.executable, "-u", script], stdout=subprocess.PIPE)
        try:
            old.stdout.readline()
            finding = self.one("old-process", "problem", "process %d " % old.pid)
            self.assertEqual(finding["remedy"], "kill %d" % old.pid)
        finally:
            old.kill()
            old.communicate()
        # One that is only told the name is none.
        other = subprocess.Popen([sys.executable, "-c", "import sys; print(flush=True); "
                                  "sys.stdin.read()", script],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            other.stdout.readline()
            self.assertEqual([finding for finding in self.about("old-process")
                              if "process %d " % other.pid in finding["text"]], [])
        finally:
            other.communicate()

    @only_root
    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.set_up(config="listen-port: %d\n" % port)
            finding = self.one("port", "problem", "port %d, at which the daemon is to listen" % port)
            self.assertIn("(process %d)" % os.getpid(), finding["text"])
        self.assertEqual(self.about("port", "problem"), [])

    @only_root
    def test_a_port_that_is_ours(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.set_up()
        self.gate.stop()
        self.gate.arguments += ["--listen-port", str(port)]
        self.gate.start(["app"])
        with open(self.config, "a") as file:
            file.write("listen-port: %d\n" % port)
        self.assertEqual([finding for finding in self.about("port")
                          if str(port) in finding["text"]], [])

    def test_a_port_of_others_is_not_seen(self):
        if UID != 0:
            self.skipTest("only root can become another user")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.set_up(config="listen-port: %d\n" % taken.getsockname()[1])
            self.one("port", "not-seen", "which processes listen", as_user(4714))


if __name__ == "__main__":
    harness.main()
