#!/usr/bin/env python3
"""onion-graterctl enable, disable, env and run: no daemon and no tor is needed."""

import os
import re
import subprocess
import sys
import unittest

import harness
from harness import profile, write

CTL = os.environ.get("ONION_GRATERCTL", "")
SOUND = profile("commands:\n  GETINFO: [version]\n", name="app")
BROKEN = profile("comands:\n  GETINFO: [version]\n", name="app")
UID = os.getuid()


def ctl(*arguments, stdin=""):
    return subprocess.run([CTL, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=harness.scaled(20), check=False)


class Switch(unittest.TestCase):
    def setUp(self):
        self.shipped = harness.fresh_dir("from")
        self.admin = harness.fresh_dir("into")
        self.link = os.path.join(self.admin, "app.yml")
        self.file = write(os.path.join(self.shipped, "app.yml"), SOUND)

    def switch(self, verb, *names):
        return ctl(verb, "--from", self.shipped, "--into", self.admin, *names)

    def test_on_and_off(self):
        self.assertEqual(self.switch("enable", "app").returncode, 0)
        self.assertEqual(os.readlink(self.link), self.file)
        again = self.switch("enable", "app")
        self.assertEqual((again.returncode, again.stdout), (0, "app is on already\n"))
        self.assertEqual(self.switch("disable", "app").returncode, 0)
        self.assertFalse(os.path.lexists(self.link))
        again = self.switch("disable", "app")
        self.assertEqual((again.returncode, again.stdout), (0, "app is off already\n"))

    def test_the_daemon_reads_what_was_switched_on(self):
        self.switch("enable", "app")
        result = subprocess.run([harness.DAEMON, "--config", "/dev/null", "--profiles", self.admin,
                                 "--check"], capture_output=True, text=True, check=False,
                                timeout=harness.scaled(20))
        self.assertIn("1 profiles from 1 files, 0 errors", result.stdout + result.stderr)

    def test_files_of_the_admin_stay(self):
        write(self.link, "")
        for verb in ("enable", "disable"):
            result = self.switch(verb, "app")
            self.assertEqual(result.returncode, 1)
            self.assertIn(self.link, result.stderr)
        self.assertEqual(os.path.getsize(self.link), 0)

    def test_links_to_elsewhere_stay(self):
        os.symlink("/dev/null", self.link)
        self.assertEqual(self.switch("disable", "app").returncode, 1)
        self.assertEqual(self.switch("enable", "app").returncode, 1)
        self.assertEqual(os.readlink(self.link), "/dev/null")

    def test_a_broken_profile_is_not_switched_on(self):
        write(self.file, BROKEN)
        result = self.switch("enable", "app")
        self.assertEqual(result.returncode, 1)
        self.assertIn("comands", result.stderr)
        self.assertFalse(os.path.lexists(self.link))

    def test_one_of_several_fails(self):
        result = self.switch("enable", "nothing", "app")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nothing.yml", result.stderr)
        self.assertTrue(os.path.islink(self.link))

    def test_names(self):
        for verb in ("enable", "disable"):
            for name in ("../app", "/etc/passwd", "", ".app", "a/b", "app.yml"):
                self.assertEqual(self.switch(verb, name).returncode, 2, name)
            self.assertEqual(self.switch(verb).returncode, 2)

    def test_a_typing_error_is_not_off_already(self):
        result = self.switch("disable", "apq")
        self.assertEqual(result.returncode, 1)
        self.assertIn("apq.yml", result.stderr)

    def test_a_profile_that_is_gone_is_switched_off(self):
        self.switch("enable", "app")
        os.unlink(self.file)
        self.assertEqual(self.switch("disable", "app").returncode, 0)
        self.assertFalse(os.path.lexists(self.link))

    def test_relative_directories(self):
        """A link's target counts from where the link is."""
        top = os.path.dirname(self.shipped)
        for verb, exists in (("enable", True), ("disable", False)):
            result = subprocess.run(
                [CTL, verb, "app", "--from", os.path.relpath(self.shipped, top), "--into",
                 os.path.relpath(self.admin, top)],
                cwd=top, capture_output=True, text=True, check=False, timeout=harness.scaled(20))
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(os.path.exists(self.link), exists)


class Environment(unittest.TestCase):
    def setUp(self):
        self.profiles = harness.fresh_dir("p", 0o755)
        self.config = write(os.path.join(harness.fresh_dir("c"), "c.yml"),
                            "runtime-dir: /run/here\nlisten-address: 10.0.0.1\nlisten-port: 951\n")

    def add(self, text, name="app"):
        write(os.path.join(self.profiles, name + ".yml"), text, 0o644)

    def env(self, *arguments):
        return ctl("env", "--config", self.config, "--profiles", self.profiles,
                   "--socks", "127.0.0.1:9050", *arguments)

    def variables(self, name="app"):
        result = self.env(name)
        self.assertEqual(result.returncode, 0, result.stderr)
        shell = subprocess.run(["env", "-i", "sh", "-c", "set -a; " + result.stdout + "exec env"],
                               capture_output=True, text=True, check=True)
        pairs = (line.split("=", 1) for line in shell.stdout.splitlines())
        return {key: value for key, value in pairs if key.startswith("TOR_")}

    def test_own_socket(self):
        self.add("- name: app\n  users: ['%d']\n  socket: true\n" % UID)
        self.assertEqual(self.variables(), {
            "TOR_SKIP_LAUNCH": "1", "TOR_CONTROL_IPC_PATH": "/run/here/app.sock",
            "TOR_SOCKS_HOST": "127.0.0.1", "TOR_SOCKS_PORT": "9050"})

    def test_named_socket(self):
        self.add("- name: app\n  users: ['%d']\n  socket: {path: '/run/a$b\"c.sock'}\n" % UID)
        self.assertEqual(self.variables()["TOR_CONTROL_IPC_PATH"], '/run/a$b"c.sock')

    def test_shared_socket(self):
        self.add("- name: app\n  apparmor-profiles: ['*']\n  users: ['%d']\n" % UID)
        self.assertEqual(self.variables()["TOR_CONTROL_IPC_PATH"], "/run/here/control.sock")

    def test_other_machines(self):
        self.add("- name: app\n  hosts: ['10.0.0.0/24']\n")
        self.assertEqual(self.variables(), {
            "TOR_SKIP_LAUNCH": "1", "TOR_CONTROL_HOST": "10.0.0.1", "TOR_CONTROL_PORT": "951",
            "TOR_SOCKS_HOST": "127.0.0.1", "TOR_SOCKS_PORT": "9050"})

    def test_no_address_for_other_machines(self):
        write(self.config, "runtime-dir: /run/here\n")
        self.add("- name: app\n  hosts: ['10.0.0.0/24']\n")
        result = self.env("app")
        self.assertEqual(result.returncode, 1)
        self.assertIn("listen-port", result.stderr)

    def test_socks(self):
        self.add("- name: app\n  apparmor-profiles: ['*']\n  users: ['%d']\n" % UID)
        good = self.env("--socks", "unix:/run/tor/socks", "app")
        self.assertIn('TOR_SOCKS_IPC_PATH="/run/tor/socks"\n', good.stdout)
        for text in ("nonsense", "unix:relative", "host.name:9050", "9050", ""):
            bad = self.env("--socks", text, "app")
            self.assertEqual((bad.returncode, bad.stdout), (1, ""), text)

    def test_auth(self):
        self.add("- name: app\n  apparmor-profiles: ['*']\n  users: ['%d']\n"
                 "  auth: {cookie: true, password: true}\n" % UID)
        found = self.variables()
        self.assertEqual(found["TOR_CONTROL_COOKIE_AUTH_FILE"], "/run/here/app.cookie")
        self.assertEqual(found["TOR_CONTROL_PASSWD"], '"onion-grater"')
        self.add("- name: app\n  hosts: ['10.0.0.1']\n  auth: {password: true}\n")
        self.assertIn("TOR_CONTROL_PASSWD", self.variables())

    def test_no_such_profile(self):
        self.add("- name: app\n  apparmor-profiles: ['*']\n  users: ['%d']\n" % UID)
        result = self.env("other")
        self.assertEqual(result.returncode, 1)
        self.assertIn("app", result.stderr)
        self.assertEqual(self.env().returncode, 2)

    def test_run(self):
        self.add("- name: app\n  apparmor-profiles: ['*']\n  users: ['%d']\n" % UID)
        options = ("run", "--config", self.config, "--profiles", self.profiles, "app")
        shown = ctl(*options, "--", "sh", "-c", "echo $TOR_CONTROL_IPC_PATH; exit 7")
        self.assertEqual((shown.stdout, shown.returncode), ("/run/here/control.sock\n", 7))
        self.assertEqual(ctl(*options, "--", "/nonexistent").returncode, 127)
        self.assertEqual(ctl(*options, "--", "/").returncode, 126)
        self.assertEqual(ctl(*options, "sh").returncode, 2)
        self.assertEqual(ctl(*options, "--").returncode, 2)


VERBS = ("check", "close", "complain", "disable", "doctor", "enable", "env", "explain", "learn", "merge",
         "metrics", "reload", "run", "status", "top", "watch")


class Usage(unittest.TestCase):
    def test_help_names_every_verb(self):
        shown = ctl("--help")
        self.assertEqual(shown.returncode, 0)
        verbs = re.findall(r"^  ([a-z]+) .*$", shown.stdout, re.M)
        self.assertEqual(sorted(verbs), sorted(VERBS))

    def test_help_of_a_verb(self):
        for verb in VERBS:
            for arguments in (("--help",), ("-h",)):
                shown = ctl(verb, *arguments)
                self.assertEqual((shown.returncode, shown.stderr), (0, ""), verb)
                self.assertTrue(shown.stdout.startswith("usage: onion-graterctl %s " % verb))
                self.assertIn("\n  -", shown.stdout)

    def test_wrong_usage(self):
        """One form for all verbs: what is wrong, nothing on standard output, exit status 2."""
        for arguments in ((), ("nonsense",)):
            result = ctl(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("usage: ", result.stderr)
        for verb in VERBS:
            for option, named in (("--nonsense", "'--nonsense'"), ("-x", "'-x'")):
                result = ctl(verb, option)
                self.assertEqual((result.returncode, result.stdout), (2, ""), verb)
                self.assertEqual(result.stderr,
                                 "onion-graterctl %s: there is no option %s; see onion-graterctl "
                                 "%s --help\n" % (verb, named, verb))

    def test_options_behind_other_words(self):
        for verb in ("check", "enable", "disable", "env", "explain", "learn", "merge"):
            self.assertEqual(ctl(verb, "word", "--help").returncode, 0, verb)
        self.assertEqual(ctl("run", "word", "--help").returncode, 2)

    def test_a_value_is_missing(self):
        for arguments in (("check", "--profiles"), ("merge", "-o"), ("env", "--socks"),
                          ("explain", "--user"), ("learn", "--name"), ("enable", "--from")):
            result = ctl(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("a value is missing behind '%s'" % arguments[1], result.stderr)

    def test_output_that_goes_nowhere(self):
        good = write(os.path.join(harness.fresh_dir("full"), "app.yml"), SOUND)
        for arguments in (("check", good), ("check", "--json", good),
                          ("explain", "--profile-file", good, "GETINFO version"),
                          ("merge", good), ("--help",), ("--version",)):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([CTL, *arguments], stdout=full, stderr=subprocess.PIPE,
                                        text=True, check=False, timeout=harness.scaled(20))
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn("standard output: ", result.stderr, arguments)


if __name__ == "__main__":
    if not os.access(CTL, os.X_OK):
        print("Bail out! ONION_GRATERCTL does not name the program under test: %r" % CTL)
        sys.exit(99)
    harness.main()
