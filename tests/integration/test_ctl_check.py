#!/usr/bin/env python3
"""onion-graterctl check: exit status, forms of output, files, directories and standard input."""

import json
import os
import re
import subprocess
import unittest

import harness
from harness import profile, write

CTL = os.environ.get("ONION_GRATERCTL", "")
COMPAT = os.environ.get("TEST_COMPAT_DIR", "")

CLEAN = profile("commands:\n  GETINFO: [version]\n")
NOTED = profile("commands:\n  GETINFO: [address]\n")
DOUBTFUL = profile("commands:\n  GETINFO: ['ns/id/.*']\n")
BROKEN = profile("comands:\n  GETINFO: [version]\ncommands:\n  NOSUCH: ['x']\n")


def check(*arguments, stdin=""):
    return subprocess.run([CTL, "check", *arguments], input=stdin, capture_output=True, text=True,
                          timeout=harness.scaled(60), check=False)


def codes(result):
    """(line, severity, code) of each message of the text form."""
    found = re.findall(r"^\S+?:(\d+):\d+: (\w+): .* \[([a-z-]+)\]$", result.stdout, re.M)
    return [(int(line), severity, code) for line, severity, code in found]


class Check(unittest.TestCase):
    def setUp(self):
        self.dir = harness.fresh_dir("check")

    def file(self, name, text):
        return write(os.path.join(self.dir, name), text)

    def test_exit_status(self):
        clean, noted = self.file("clean.yml", CLEAN), self.file("noted.yml", NOTED)
        doubtful, broken = self.file("doubtful.yml", DOUBTFUL), self.file("broken.yml", BROKEN)
        for status, arguments in (
                (0, [clean]), (0, ["--werror", clean]), (0, ["--werror", "--verbose", noted]),
                (0, [doubtful]), (1, ["--werror", doubtful]), (1, [broken]), (1, [clean, broken]),
                (2, [clean, "/nonexistent.yml"]), (2, ["/nonexistent.yml", broken]),
                (2, [self.dir]), (2, ["--nosuch"]), (2, ["--profiles", self.dir, clean]),
                (2, ["--profiles"]), (2, ["--profiles", "/nonexistent"]),
                (1, ["--profiles", self.dir])):
            with self.subTest(arguments=arguments):
                self.assertEqual(check(*arguments).returncode, status)

    def test_pipes(self):
        reader, writer = os.pipe()
        os.write(writer, DOUBTFUL.encode())
        os.close(writer)
        result = subprocess.run([CTL, "check", "/dev/fd/%d" % reader], pass_fds=[reader],
                                capture_output=True, text=True, check=False,
                                timeout=harness.scaled(60))
        os.close(reader)
        self.assertIn("[wide-pattern]", result.stdout)

    def test_too_much(self):
        for path in (self.file("huge.yml", "#" * (1024 * 1024 + 1)), "/dev/zero"):
            result = check(path)
            self.assertEqual(result.returncode, 2)
            self.assertIn("larger than 1024 KiB", result.stderr)

    def test_text(self):
        doubtful = self.file("doubtful.yml", DOUBTFUL)
        result = check(doubtful)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], "^%s:\\d+:\\d+: warning: .* \\[wide-pattern\\]$"
                         % re.escape(doubtful))
        self.assertEqual(lines[1], "1 file, 1 profile: 0 errors, 1 warning, 0 notes")
        self.assertEqual(result.stderr, "")

    def test_all_errors_of_a_file(self):
        result = check(self.file("broken.yml", BROKEN))
        self.assertEqual([row[1:] for row in codes(result)], [("error", "load")] * 2)

    def test_notes_are_shown_if_asked_for(self):
        noted = self.file("noted.yml", NOTED)
        quiet, loud = check(noted), check("--verbose", noted)
        self.assertEqual(codes(quiet), [])
        self.assertIn("1 note (--verbose shows them)", quiet.stdout)
        self.assertEqual([row[1:] for row in codes(loud)], [("note", "grants-key")])
        self.assertNotIn("--verbose", loud.stdout)

    def test_order(self):
        text = profile("events:\n  INFO:\ncommands:\n  GETINFO: ['.*']\n  SIGNAL: ['.*']\n")
        first, second = self.file("a.yml", text), self.file("b.yml", DOUBTFUL)
        result = check("--verbose", second, first)
        places = [(name, int(line)) for name, line in
                  re.findall(r"^(\S+?):(\d+):\d+: ", result.stdout, re.M)]
        self.assertEqual(places, sorted(places))
        self.assertEqual({name for name, _ in places}, {first, second})

    def test_standard_input(self):
        result = check("-", stdin=DOUBTFUL)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^stdin:\d+:\d+: warning: ")
        self.assertEqual(check("-", stdin="").returncode, 0)
        self.assertEqual(check("-", stdin="x" * 2000000).returncode, 2)

    def test_json(self):
        doubtful, broken = self.file("doubtful.yml", DOUBTFUL), self.file("broken.yml", BROKEN)
        noted = self.file('no"ted.yml', NOTED)
        result = check("--json", "--verbose", doubtful, broken, noted)
        self.assertEqual(result.returncode, 1)
        report = json.loads(result.stdout)
        self.assertEqual({key: report[key] for key in report if key != "messages"},
                         {"files": 3, "profiles": 2, "errors": 2, "warnings": 1, "notes": 1,
                          "left-out": 0})
        for message in report["messages"]:
            self.assertEqual(set(message),
                             {"file", "line", "column", "severity", "code", "text"})
        self.assertEqual([(m["file"], m["severity"], m["code"]) for m in report["messages"]],
                         [(broken, "error", "load"), (broken, "error", "load"),
                          (doubtful, "warning", "wide-pattern"), (noted, "note", "grants-key")])
        quiet = json.loads(check("--json", noted).stdout)
        self.assertEqual((quiet["notes"], quiet["messages"]), (1, []))

    def test_directories(self):
        """Precedence and masks hold, and profiles for one client are looked at together."""
        high, low = harness.fresh_dir("high"), harness.fresh_dir("low")
        qualifiers = "users: ['*']\napparmor-profiles: ['*']"
        plain = profile("commands:\n  GETINFO: [uptime]\n", name="a", qualifiers=qualifiers,
                        sock="false")
        hidden = profile("commands:\n  GETINFO:\n"
                         "    - {pattern: uptime, reply: ['250-uptime=1', '250 OK']}\n", name="b",
                         qualifiers=qualifiers, sock="false")
        write(os.path.join(low, "a.yml"), plain)
        write(os.path.join(low, "b.yml"), hidden)
        write(os.path.join(low, "masked.yml"), DOUBTFUL)
        write(os.path.join(low, "replaced.yml"), DOUBTFUL)
        write(os.path.join(high, "replaced.yml"), CLEAN)
        os.symlink("/dev/null", os.path.join(high, "masked.yml"))
        result = check("--profiles", high, "--profiles", low)
        self.assertEqual([row[1:] for row in codes(result)], [("warning", "overlap")])
        self.assertIn("3 files, 3 profiles", result.stdout)
        alone = check(os.path.join(low, "a.yml"), os.path.join(low, "b.yml"))
        self.assertEqual(codes(alone), [])

    def test_existing_profiles(self):
        """What a reviewer would say of profiles that are in use elsewhere."""
        if not os.path.isdir(COMPAT):
            self.skipTest("there are no profiles of others beside this tree")
        expected = {
            "onioncircuits": {"trailing-space"},
            "onionshare": {"free-deletion"},
            "tor-browser": {"wide-pattern"},
            "tor-connection-assistant": {"wide-value"},
        }
        for name, wanted in expected.items():
            with self.subTest(name):
                result = check(os.path.join(COMPAT, "tails", name + ".yml"))
                found = {code for _, severity, code in codes(result)
                         if severity == "warning" and code != "load"}
                self.assertEqual((result.returncode, found), (0, wanted))
        notes = check("--verbose", os.path.join(COMPAT, "tails", "onioncircuits.yml"))
        self.assertIn("STREAM tells where all applications connect to", notes.stdout)


if __name__ == "__main__":
    if not os.access(CTL, os.X_OK):
        print("Bail out! ONION_GRATERCTL does not name the program under test: %r" % CTL)
        raise SystemExit(99)
    harness.main()
