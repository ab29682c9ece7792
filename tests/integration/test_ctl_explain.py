#!/usr/bin/env python3
"""onion-graterctl explain: the conversations of the tests, options, exit status, JSON, limits."""

import glob
import json
import os
import random
import re
import subprocess
import unittest

import harness
from harness import profile, write

CTL = os.environ.get("ONION_GRATERCTL", "")
CONVERSATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conversations")
PROFILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "profiles")
TOR_VERSION = re.compile(rb'VERSION Tor="[^"]*"')

PLAIN = profile("""
commands:
  GETINFO: [version]
events:
  BW:
""", name="plain")


def explain(*arguments, stdin=b""):
    return subprocess.run([CTL, "explain", "--config", "/dev/null", *arguments], input=stdin,
                          capture_output=True, timeout=harness.scaled(120), check=False)


def document(result):
    """The JSON of a result; it is one line of printable ASCII."""
    assert re.fullmatch(rb"[ -~]*\n", result.stdout), result
    return json.loads(result.stdout)


def decode(text):
    """The bytes that a line of a conversation stands for."""
    def replace(match):
        escape = match[1]
        if escape[0] == "{":
            count, _, what = escape[1:].partition("}")
            return what * int(count)
        return {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}.get(escape) or chr(int(escape[1:], 16))
    return re.sub(r"\\(x..|\{[0-9]+\}.|.)", replace, text).encode("latin-1")


def stream(dialogue, mark):
    return b"".join(decode(line[3:]) for line in dialogue.split("\n") if line.startswith(mark))


def joined(items, member):
    return "".join(item[member] or "" for item in items).encode("latin-1")


class Conversations(unittest.TestCase):
    """What explain says of them is what the session core and the daemon do."""

    def check(self, path, where):
        with open(path) as file:
            text = file.read()
        rules, dialogue = re.search(r"^profile:\n(.*?)^dialogue:\n(.*)", text, re.S | re.M).groups()
        if re.search(r"^[CTS]! ", dialogue, re.M):
            return False  # losses of tor are not explained
        client = re.search(r"^client: (.*)", text, re.M)
        who = ["--host", client[1]] if client else ["--user", "4711"]
        rules = write(os.path.join(where, "rules.yml"), rules)
        result = explain("--json", "--profile-file", rules, *who, stdin=text.encode("latin-1"))
        items = document(result)["items"]
        seen, expected = joined(items, "client-gets"), stream(dialogue, "S: ")
        # An item has what came of it together, whatever stood between.
        self.assertEqual(sorted(TOR_VERSION.sub(b"", seen).split(b"\n")),
                         sorted(TOR_VERSION.sub(b"", expected).split(b"\n")))
        # What the session asks of its own accord is nobody's command.
        asked = stream(dialogue, "T< ")
        if client:
            asked = asked.replace(b"SETEVENTS STREAM\r\n", b"", 1)
            asked = asked.replace(b"GETINFO stream-status \r\n", b"")
        self.assertEqual(joined(items, "to-tor"), asked)
        refused = any(item["verdict"] in ("refused", "not-read") for item in items)
        self.assertEqual(result.returncode, 1 if refused else 0)
        return True

    def test_conversations(self):
        where, seen = harness.fresh_dir("explain"), 0
        for path in sorted(glob.glob(os.path.join(CONVERSATIONS, "*.txt"))):
            with self.subTest(os.path.basename(path)):
                seen += self.check(path, where)
        self.assertGreater(seen, 25)


class Explain(unittest.TestCase):
    def setUp(self):
        self.dir = harness.fresh_dir("explain")
        self.plain = write(os.path.join(self.dir, "plain.yml"), PLAIN)

    def test_exit_status(self):
        broken = write(os.path.join(self.dir, "broken.yml"), "- comands: x\n")
        plain = ["--profile-file", self.plain]
        for status, arguments in (
                (0, [*plain, "GETINFO version"]), (1, [*plain, "GETINFO address"]),
                (1, [*plain, "GETINFO version", "GETINFO address"]), (0, [*plain, "PROTOCOLINFO"]),
                (0, plain), (2, [*plain, "--nosuch"]), (2, [*plain, "--host", "x", "QUIT"]),
                (2, [*plain, "--user", "no-such-user", "QUIT"]),
                (2, [*plain, "--group", "no-such-group", "QUIT"]),
                (2, [*plain, "--label", "", "QUIT"]), (2, [*plain, "--executable", "x", "QUIT"]),
                (2, [*plain, "--unit", "", "QUIT"]), (2, [*plain, "--profile", "nosuch", "QUIT"]),
                (2, [*plain, "--socket", "nosuch", "QUIT"]),
                (2, [*plain, "--host", "10.0.0.1", "--user", "0", "QUIT"]),
                (2, [*plain, "--server", "10.0.0.1", "QUIT"]),
                (2, ["--profile-file", broken, "QUIT"]),
                (2, ["--profile-file", "/nonexistent", "QUIT"]),
                (2, ["--profiles", "/nonexistent", "QUIT"])):
            with self.subTest(arguments=arguments):
                result = explain(*arguments)
                self.assertEqual(result.returncode, status, result)
                self.assertEqual(bool(result.stdout), status != 2)
                self.assertEqual(bool(result.stderr), status == 2)

    def test_identity(self):
        text = """
- name: of-user
  apparmor-profiles: [the-label]
  users: ['4711']
  groups: ['4712']
  executables: [/bin/app]
  units: ['app@*.service']
  commands:
    GETINFO: [version]
- name: of-host
  hosts: [10.1.0.0/16, 'fd00::/8']
  commands:
    GETINFO:
    - pattern: x
      reply: ['250-x=1', '250 OK']
    ADD_ONION:
    - pattern: 'NEW:ED25519-V3 Port=80'
      replacement: 'NEW:ED25519-V3 Port=80,{client-address}:8080'
"""
        path = write(os.path.join(self.dir, "who.yml"), text)
        whole = {"--user": "4711", "--group": "4712", "--label": "the-label",
                 "--executable": "/bin/app", "--unit": "app@1.service"}
        other = {"--user": ("users", "4713"), "--group": ("groups", "4713"),
                 "--label": ("apparmor-profiles", "unconfined"),
                 "--executable": ("executables", "/bin/other"), "--unit": ("units", "app.service")}

        def ask(command, **options):
            flat = [word for item in options["who"].items() for word in item]
            return document(explain("--json", "--profile-file", path, *flat, command))
        told = ask("GETINFO version", who=whole)
        self.assertEqual([profile["name"] for profile in told["profiles"]], ["of-user"])
        self.assertEqual([by["qualifier"] for by in told["profiles"][0]["by"]],
                         ["users", "groups", "apparmor-profiles", "executables", "units"])
        self.assertEqual((told["items"][0]["verdict"], told["near-profiles"]), ("allowed", []))
        for option, (lacks, value) in other.items():
            with self.subTest(option):
                told = ask("GETINFO version", who={**whole, option: value})
                self.assertEqual(told["profiles"], [])
                self.assertEqual((told["near-profiles"][0]["name"],
                                  told["near-profiles"][0]["lacks"]), ("of-user", lacks))
                self.assertEqual(told["items"][0]["other-profiles"][0]["name"], "of-user")
        for host, target in (("10.1.2.3", "10.1.2.3:8080"), ("::ffff:10.1.2.3", "10.1.2.3:8080")):
            told = ask("ADD_ONION NEW:ED25519-V3 Port=80", who={"--host": host})
            self.assertEqual(told["profiles"][0]["name"], "of-host")
            self.assertEqual(told["items"][0]["to-tor"],
                             "ADD_ONION NEW:ED25519-V3 Port=80,%s\r\n" % target)
        told = ask("GETINFO x", who={"--host": "fd00::1"})
        self.assertEqual(told["items"][0]["verdict"], "answered")
        told = ask("GETINFO x", who={"--host": "192.0.2.1"})
        self.assertEqual(told["near-profiles"][0]["lacks"], "hosts")
        told = ask("GETINFO x", who={"--profile": "of-host"})
        self.assertEqual((told["forced"], told["profiles"][0]["name"]), (True, "of-host"))

    def test_places(self):
        told = document(explain("--json", "--profile-file", self.plain, "GETINFO version"))
        rule = told["items"][0]["rule"]
        with open(self.plain) as file:
            line = file.read().split("\n")[rule["line"] - 1]
        self.assertEqual(line[rule["column"] - 1:], "version]")
        self.assertEqual((rule["file"], rule["text"], rule["profile"]),
                         (self.plain, "version", "plain"))

    def test_suggestion_helps(self):
        told = document(explain("--json", "--profile-file", self.plain, "GETINFO version a.b'c"))
        item = told["items"][0]
        self.assertEqual([key["verdict"] for key in item["keys"]], ["allowed", "refused"])
        pattern = re.search("- (.*)\n", item["suggestion"])[1]
        self.assertEqual(pattern, "'a\\.b''c'")
        widened = write(os.path.join(self.dir, "wider.yml"),
                        PLAIN.replace("[version]", "[version, %s]" % pattern))
        self.assertEqual(explain("--profile-file", widened, "GETINFO version a.b'c").returncode, 0)

    def test_recording(self):
        rows = [{"ev": "start"}, {"c": 1, "ev": "open"},
                {"c": 1, "dir": ">", "data": "PROTOCOLINFO 1\r\nGETINFO ver"},
                {"c": 1, "dir": ">", "data": "sion\r\nGETINFO address\r\nSETEVENTS BW\r\n"},
                {"c": 1, "dir": "<", "data": "250-PROTOCOLINFO 1\r\n250 OK\r\n250-version=1\r\n2"},
                {"c": 1, "dir": "<", "data": "50 OK\r\n250-address=192.0.2.1\r\n250 OK\r\n250 OK\r\n"},
                {"c": 1, "dir": "<", "data": "650 BW 1 2\r\n"}, {"c": 1, "ev": "close"}]
        recording = "".join(json.dumps(row) + "\n" for row in rows).encode()
        told = document(explain("--json", "--profile-file", self.plain, stdin=recording))
        self.assertEqual([(item["type"], item["verdict"]) for item in told["items"]],
                         [("command", "local"), ("command", "allowed"), ("command", "refused"),
                          ("command", "subscribed"), ("event", "delivered")])
        self.assertEqual([item["client-gets"] for item in told["items"]][1:],
                         ["250-version=1\r\n250 OK\r\n", "510 Command filtered\r\n",
                          "250 OK\r\n", "650 BW 1 2\r\n"])
        self.assertEqual(len(told["items"][2]["notes"]), 1)

    def test_shipped_profiles(self):
        names = sorted(glob.glob(os.path.join(PROFILES, "*.yml")))
        self.assertTrue(names)
        for path in names:
            with self.subTest(os.path.basename(path)):
                told = document(explain("--json", "--profiles", PROFILES, "--profile",
                                        os.path.basename(path)[:-4], "GETINFO config-text",
                                        "LOADCONF", "SETCONF ControlPort=1"))
                self.assertEqual([item["verdict"] for item in told["items"]], ["refused"] * 3)

    def test_hostile_input(self):
        chance = random.Random(4)
        inputs = [bytes(chance.randrange(256) for _ in range(5000)) for _ in range(10)]
        inputs += [b"GETINFO version\n" * 3000, b"250 OK\n" * 3000, b"+LOADCONF\n" + b"a\n" * 100000,
                   b"GETINFO version\n250+version=\n" + b"a\n" * 100000 + b".\n250 OK\n",
                   b"x" * 1000000, b"{" * 100000, b"T> \\{9999999}a\n" * 100, b"\0" * 1000,
                   b"SETEVENTS BW\n" + b"650 BW 1\x1b[2J2\n" * 1000, b"GETINFO " + b"a " * 6000]
        for i, text in enumerate(inputs):
            with self.subTest(i):
                result = explain("--json", "--profile-file", self.plain, stdin=text)
                self.assertIn(result.returncode, (0, 1), result.stderr)
                document(result)
                result = explain("--profile-file", self.plain, stdin=text)
                self.assertIn(result.returncode, (0, 1), result.stderr)
                self.assertRegex(result.stdout, rb"\A[ -~\n]*\Z")

    def test_input_is_bounded(self):
        result = explain("--profile-file", self.plain, stdin=b"x" * (16 * 1024 * 1024 + 1))
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"larger than 16384 KiB", result.stderr)


if __name__ == "__main__":
    if not os.access(CTL, os.X_OK):
        print("Bail out! ONION_GRATERCTL does not name the program under test: %r" % CTL)
        raise SystemExit(99)
    harness.main()
