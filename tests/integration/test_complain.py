#!/usr/bin/env python3
"""Complain mode, and from its log to a profile: a program in front of a real tor, its log learnt
from, and the same program through the draft in a daemon that refuses."""

import os
import re
import subprocess
import unittest

import harness
from harness import profile

CTL = os.environ.get("ONION_GRATERCTL", "")
UID = os.getuid()
COMPLAINT = "complain: profile %s, uid " + str(UID) + ", label "
SECRET_KEY = "c2VjcmV0" * 10 + "c2VjcmV=="
NARROW = profile("""
commands:
  GETINFO: [version]
events:
  SIGNAL: {suppress: true}
""")


def ctl(*arguments, stdin=""):
    return subprocess.run([CTL, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=harness.scaled(30), check=False)


def complaints(log):
    """The commands that the log complains of, in their order."""
    return [match.group(1) for match in re.finditer(r"complain: profile .*?, exe \S+: (.*)", log)]


class Complain(harness.TestCase):
    """Against a tor that notes what it gets."""

    def setUp(self):
        self.tor = self.fake_tor()

    def start(self, profiles=NARROW, args=("--complain",), config="", **kwargs):
        return self.daemon(profiles, self.tor, args=args, config=config, debug=False, **kwargs)

    def test_it_is_said_at_start_with_each_session_and_for_each_command(self):
        gate = self.start()
        gate.wait_log("warning: complain mode is on")
        with self.connect(gate) as client:
            client.command(b"GETINFO version")
            gate.wait_log("complain mode: what no profile allows is forwarded")
            self.assertNotIn("complain: profile", gate.log())
            self.assertNotEqual(client.command(b"GETINFO address"), harness.FILTERED)
            gate.wait_log(COMPLAINT % "app")
        self.assertIn(b"GETINFO address\r\n", self.tor.wait_commands(2))
        gate.wait_log("complain mode: 1 commands passed that no profile allows")
        self.assertEqual(complaints(gate.log()), ["GETINFO address"])
        since = len(gate.log())
        gate.reload()
        gate.wait_log("complain mode is on", since)

    def test_only_what_nobody_allows_is_complained_of(self):
        gate = self.start()
        with self.connect(gate) as client:
            client.command(b"GETINFO version uptime")
            client.command(b"SETEVENTS SIGNAL BW")
            client.command(b"GETINFO version")
        gate.wait_log("ended")
        self.assertEqual(complaints(gate.log()), ["GETINFO uptime", "SETEVENTS BW"])

    def test_events_that_no_profile_lists_arrive(self):
        gate = self.start()
        with self.connect(gate) as client:
            self.assertEqual(client.command(b"SETEVENTS SIGNAL BW"), b"250 OK\r\n")
            self.assertIn(b"SETEVENTS BW\r\n", self.tor.wait_commands(1))
            self.tor.wait_connection().send(b"650 SIGNAL NEWNYM\r\n650 BW 1 2\r\n")
            self.assertEqual(client.message(), b"650 BW 1 2\r\n")

    def test_clients_without_a_profile(self):
        gate = self.start(sockets=("app", "control"))
        with self.connect(gate, "control") as client:
            self.assertNotEqual(client.command(b"GETINFO version"), harness.FILTERED)
        gate.wait_log(COMPLAINT % "none")

    def test_by_configuration(self):
        gate = self.start(args=(), config="complain: true\n")
        with self.connect(gate) as client:
            self.assertNotEqual(client.command(b"GETINFO uptime"), harness.FILTERED)
        gate = self.start(args=(), config="complain: no\n")
        with self.connect(gate) as client:
            self.assertEqual(client.command(b"GETINFO uptime"), harness.FILTERED)
        self.assertNotIn("complain", gate.log())

    def test_bad_configuration(self):
        status, output = harness.check_profiles([], "complain: maybe\n")
        self.assertEqual(status, 2)
        self.assertIn("true or false belongs here", output)

    def test_what_is_never_forwarded(self):
        gate = self.start()
        with self.connect(gate) as client:
            for command in (b"SIGNAL HALT", b"SETCONF ControlPort=1", b"ADD_ONION NEW:BEST",
                            b"SETCONF ClientTransportPlugin=\"x exec /bin/sh\"", b"NONSENSE",
                            b"ADD_ONION NEW:BEST Port=80,localhost:80",
                            b"ADD_ONION NEW:BEST Port=80,unix:" + gate.socket_path().encode(),
                            b"ADD_ONION NEW:BEST Port=80,unix:" + self.tor.path.encode(),
                            b"AUTHCHALLENGE SAFECOOKIE 00", b"GETINFO a\x01b",
                            b"+LOADCONF\r\nControlPort 1\r\n."):
                with self.subTest(command=command):
                    self.assertEqual(client.command(command), harness.FILTERED)
            self.assertEqual(client.command(b"TAKEOWNERSHIP"), b"250 OK\r\n")
            self.assertEqual(client.command(b"RESETCONF __OwningControllerProcess"), b"250 OK\r\n")
            client.command(b"GETINFO version")
        sent = b"".join(self.tor.wait_commands(1))
        for word in (b"HALT", b"ControlPort", b"exec", b"localhost", b"OWNERSHIP", b"Owning"):
            self.assertNotIn(word, sent)

    def test_the_log_has_no_values(self):
        gate = self.start()
        with self.connect(gate) as client:
            for command in ("ADD_ONION ED25519-V3:%s Port=80,10.1.2.3:4567 Flags=Detach" % SECRET_KEY,
                            "SETCONF Bridge=\"10.1.2.3:443 sekret\"", "HSFETCH " + "a" * 56,
                            "GETINFO ns/id/" + "AB" * 20, "MAPADDRESS sekret.example=10.1.2.3",
                            "ONION_CLIENT_AUTH_ADD %s x25519:sekret ClientName=sekret" % ("a" * 56),
                            "EXTENDCIRCUIT 0 " + "AB" * 20, "GETINFO sekret"):
                client.command(command.encode())
        gate.wait_log("ended")
        log = gate.log()
        for value in ("sekret", SECRET_KEY, "10.1.2.3", "a" * 56, "AB" * 20, "secret"):
            self.assertNotIn(value, log)
        self.assertEqual(complaints(log), [
            "ADD_ONION ED25519-V3:(key) Port=80,(address):4567 Flags=Detach",
            "SETCONF Bridge=(value)", "HSFETCH (onion)", "GETINFO ns/id/(fingerprint)",
            "MAPADDRESS (name)=(address)", "ONION_CLIENT_AUTH_ADD (onion) x25519:(key) "
            "ClientName=(name)", "EXTENDCIRCUIT 0 (fingerprint)", "GETINFO (unknown)"])

    def test_repeated_ones_are_said_once_unless_they_are_grave(self):
        gate = self.start()
        with self.connect(gate) as client:
            for _ in range(50):
                client.command(b"GETINFO uptime")
            for _ in range(3):
                client.command(b"SIGNAL RELOAD")
        gate.wait_log("ended")
        self.assertEqual(complaints(gate.log()), ["GETINFO uptime"] + ["SIGNAL RELOAD"] * 3)

    def test_a_chatty_program_is_learnt_whole(self):
        """more complaints than a client has lines elsewhere"""
        gate = self.start()
        wanted = ["ORPort", "Nickname", "Log", "DirPort", "User", "Bridge", "Sandbox", "NumCPUs"]
        ports = list(range(1000, 1150))
        with self.connect(gate) as client:
            for name in wanted:
                client.command(b"GETCONF " + name.encode())
            for port in ports:
                client.command(b"ADD_ONION NEW:BEST Port=%d" % port)
        gate.wait_log("ended")
        self.assertEqual(complaints(gate.log()), ["GETCONF " + name for name in wanted] +
                         ["ADD_ONION NEW:BEST Port=%d" % port for port in ports])
        self.assertNotIn("left out", gate.log())

    def test_without_it(self):
        gate = self.start(args=())
        with self.connect(gate) as client:
            self.assertEqual(client.command(b"GETINFO uptime"), harness.FILTERED)
        self.assertNotIn("complain", gate.log())


class Learn(harness.TestCase):
    """From a program to its profile."""

    @classmethod
    def setUpClass(cls):
        cls.tor = harness.RealTor("cookie")
        cls.addClassCleanup(cls.tor.stop)

    def program(self, gate):
        """What an application on stem does; every call has to work."""
        import stem.control
        controller = stem.control.Controller.from_socket_file(gate.socket_path("control"))
        try:
            controller.authenticate()
            self.assertTrue(str(controller.get_version()))
            self.assertEqual(controller.get_info("process/pid"), str(self.tor.process.pid))
            controller.get_info(["version", "traffic/read", "traffic/written"])
            controller.get_conf("SocksPort")
            controller.set_conf("MaxCircuitDirtiness", "700")
            controller.reset_conf("MaxCircuitDirtiness")
            controller.add_event_listener(lambda event: None, "BW", "HS_DESC")
            controller.msg("TAKEOWNERSHIP")
            controller.signal("NEWNYM")
            first = controller.create_ephemeral_hidden_service({80: 5000}, detached=False)
            self.assertEqual(len(first.service_id), 56)
            controller.remove_ephemeral_hidden_service(first.service_id)
            again = controller.create_ephemeral_hidden_service(
                {80: 5011}, key_type=first.private_key_type, key_content=first.private_key)
            self.assertEqual(again.service_id, first.service_id)
            self.assertIn(first.service_id, controller.list_ephemeral_hidden_services())
            controller.remove_ephemeral_hidden_service(again.service_id)
        finally:
            controller.close()

    def test_program_log_draft_program(self):
        learning = self.daemon({}, self.tor, args=("--complain",), debug=False,
                               sockets=("control",))
        self.program(learning)
        learning.wait_log("ended")
        log = learning.log()
        self.assertNotRegex(log, r"\): rejected [A-Z]")
        self.assertNotIn("ED25519-V3:" + "A", log)

        result = ctl("learn", "--name", "app", stdin=log)
        self.assertEqual(result.returncode, 0, result.stderr)
        draft = result.stdout
        self.assertIn("- name: 'app'", draft)
        self.assertIn("- '%d'" % UID, draft)
        check = ctl("check", harness.write(os.path.join(harness.fresh_dir(), "app.yml"), draft))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr + draft)
        self.assertNotIn(": error: ", check.stdout + check.stderr)

        strict = self.daemon({"app.yml": draft}, self.tor, debug=False, sockets=("control",))
        self.program(strict)
        strict.wait_log("ended")
        self.assertNotRegex(strict.log(), r"\): rejected [A-Z]")
        self.assertIsNone(self.tor.process.poll())
        with strict.connect("control") as client:
            for command in (b"GETINFO address", b"SIGNAL HALT", b"SETCONF SocksPort=1",
                            b"ADD_ONION NEW:BEST Port=80,22"):
                self.assertEqual(client.command(command), harness.FILTERED)


class Verbs(unittest.TestCase):
    """The command line of learn and merge."""

    def test_learn_from_files_and_standard_input(self):
        path = harness.write(os.path.join(harness.fresh_dir(), "log"), "GETINFO version\n")
        results = [ctl("learn", path), ctl("learn", stdin="GETINFO version\n"),
                   ctl("learn", "-", stdin="GETINFO version\n"), ctl("learn", path, "-", stdin="")]
        for result in results:
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, results[0].stdout)
        self.assertIn("- 'version'", results[0].stdout)

    def test_learn_refuses(self):
        for arguments, status in ((["learn", "/nonexistent/x"], 2), (["learn", "--nonsense"], 2),
                                  (["learn", "--name", "a b"], 2), (["learn", "--name"], 2),
                                  (["learn"], 1)):
            result = ctl(*arguments)
            self.assertEqual(result.returncode, status, arguments)
            self.assertEqual(result.stdout, "")
            self.assertIn("onion-graterctl learn: ", result.stderr)

    def test_merge(self):
        directory = harness.fresh_dir()
        head = "- apparmor-profiles: ['*']\n  users: ['%d']\n  commands:\n" % UID
        one = harness.write(os.path.join(directory, "one.yml"), head + "    GETINFO: [version]\n")
        two = harness.write(os.path.join(directory, "two.yml"), head + "    GETINFO: [uptime]\n")
        other = harness.write(os.path.join(directory, "other.yml"),
                              head.replace("'%d'" % UID, "root, '%d'" % UID) + "    SIGNAL: [NEWNYM]\n")
        out = os.path.join(directory, "out.yml")
        result = ctl("merge", one, two, "-o", out)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertIn("only another implementation needs the merged one", result.stderr)
        with open(out) as file:
            merged = file.read()
        self.assertIn("    GETINFO:\n      - version\n      - uptime\n", merged)
        self.assertEqual(ctl("merge", one, two).stdout, merged)
        self.assertEqual(os.stat(out).st_mode & 0o777, 0o644)

        result = ctl("merge", one, other, "-o", out)
        self.assertEqual(result.returncode, 1)
        self.assertIn("other.yml:2:3: error: this has another 'users'", result.stderr)
        self.assertIn("one.yml:2", result.stderr)
        with open(out) as file:
            self.assertEqual(file.read(), merged)
        self.assertEqual(sorted(os.listdir(directory)),
                         ["one.yml", "other.yml", "out.yml", "two.yml"])
        for arguments, status in ((["merge"], 2), (["merge", "/nonexistent/x"], 2),
                                  (["merge", "-x", one], 2), (["merge", one, "-o", directory], 1)):
            self.assertEqual(ctl(*arguments).returncode, status, arguments)


if __name__ == "__main__":
    if not os.access(CTL, os.X_OK):
        print("Bail out! ONION_GRATERCTL does not name the program under test: %r" % CTL)
        raise SystemExit(1)
    harness.main(needs=("tor", "stem"))
