#!/usr/bin/env python3
"""The admin socket: who may use it, what it says of the daemon, its sessions and its decisions, and
what it can order."""

import json
import os
import re
import socket
import subprocess
import sys
import unittest

import harness
from adminsocket import Admin
from harness import profile

UID = os.getuid()
BODY = """
commands:
  GETINFO: [version]
  GETCONF:
    - pattern: 'SocksPort'
      replacement: 'SOCKSPort'
events:
  BW:
  SIGNAL: {response: [{pattern: '.*', replacement: ''}]}
"""


class AdminCase(harness.TestCase):
    def setUp(self):
        self.tor = self.fake_tor()
        self.gate = self.daemon(profile(BODY), self.tor, debug=False)

    def ask(self, request, path=None):
        with Admin(self.gate, request, path) as admin:
            return admin.items()

    def one(self, request, kind):
        items = [item for item in self.ask(request) if item["type"] == kind]
        self.assertEqual(len(items), 1, items)
        return items[0]

    def error(self, request):
        return self.one(request, "error")

    def session(self):
        return self.one("status", "session")


class Status(AdminCase):
    def test_the_daemon(self):
        items = self.ask("status")
        self.assertEqual(items[-1], {"type": "end"})
        daemon = items[0]
        self.assertEqual([daemon["type"], daemon["pid"], daemon["uid"], daemon["protocol"]],
                         ["daemon", self.gate.pid, UID, 1])
        self.assertEqual(daemon["complain"], "off")
        policy = self.one("status", "policy")
        self.assertEqual([policy["profiles"], policy["errors"], policy["failed"]], [1, 0, False])
        self.assertEqual(self.one("status", "tor")["state"], "unknown")
        listeners = {item["address"]: item["profile"] for item in items
                     if item["type"] == "listener"}
        self.assertEqual(listeners, {self.gate.socket_path("app"): "app",
                                     self.gate.socket_path("control"): None})

    def test_a_session(self):
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            client.command(b"GETINFO address")
            client.command(b"GETCONF SocksPort")
            client.command(b"PROTOCOLINFO 1")
            session = self.session()
            self.assertEqual([session["profiles"], session["uid"], session["pid"]],
                             [["app"], UID, os.getpid()])
            self.assertEqual([session[key] for key in (
                "allowed", "rewritten", "rejected", "answered")], [1, 1, 1, 1])
            self.assertEqual([session["tor"], session["transport"], session["socket"]],
                             ["ready", "unix", self.gate.socket_path("app")])
            self.assertGreater(session["bytes_to_client"], 100)
            self.assertEqual(session["bytes_from_client"], 17 + 17 + 19 + 16)
            self.assertEqual(self.one("status", "tor")["version"], harness.VERSION.decode())
        harness.wait_until(lambda: not [i for i in self.ask("status") if i["type"] == "session"],
                           "the session to go")
        counters = {i["name"]: i["value"] for i in self.ask("status") if i["type"] == "counter"}
        self.assertEqual([counters[key] for key in ("allowed", "rewritten", "rejected")], [1, 1, 1])

    def test_events_are_counted(self):
        with self.connect(self.gate) as client:
            client.command(b"SETEVENTS BW SIGNAL")
            tor = self.tor.wait_connection()
            tor.send(b"650 BW 1 2\r\n650 SIGNAL NEWNYM\r\n650 CIRC 1 BUILT\r\n650 BW 3 4\r\n")
            client.messages(2)
            session = self.session()
            self.assertEqual([session["events_passed"], session["events_withheld"]], [2, 2])

    def test_whom_no_profile_serves(self):
        with self.connect(self.gate, "control") as client:
            client.command(b"GETINFO version")
            session = self.session()
            self.assertEqual(session["profiles"], [])
            self.assertIn("no profile", session["no_match"])

    def test_the_oldest_session_comes_first(self):
        with self.connect(self.gate), self.connect(self.gate), self.connect(self.gate):
            numbers = [i["number"] for i in self.ask("status") if i["type"] == "session"]
            self.assertEqual(numbers, sorted(numbers))
            self.assertEqual(len(numbers), 3)

    def test_limits(self):
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            limits = {i["name"]: i for i in self.ask("status") if i["type"] == "limit"}
            self.assertEqual([limits["sessions"]["used"], limits["sessions"]["max"]], [1, 1024])
            self.assertEqual(limits["sessions-per-uid"]["used"], 1)

    def test_a_tor_that_is_away(self):
        self.tor.stop()
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            tor = self.one("status", "tor")
            self.assertEqual(tor["state"], "unreachable")
            self.assertTrue(tor["reason"])


class Requests(AdminCase):
    def test_errors(self):
        for request, code in (("nothing", "request"), ("status x=y", "request"),
                              ("watch uid=x", "request"), ("watch verdict=maybe", "request"),
                              ("watch events=x", "request"), ("close", "request"),
                              ("close session=x", "request"), ("close session=77", "not-found"),
                              ("complain profile=app", "request"),
                              ("complain profile=app on=x", "request"),
                              ("complain profile=nobody on=yes", "not-found"),
                              ("refusals last=x", "request"), ("", "request")):
            self.assertEqual(self.error(request)["code"], code, request)

    def test_another_version(self):
        with Admin(self.gate) as admin:
            admin.socket.sendall(b"2 status\n")
            self.assertEqual(admin.item()["code"], "version")
            self.assertIsNone(admin.line())

    def test_garbage_and_too_much(self):
        for data in (b"\n", b"\0" * 100 + b"\n", b"GET / HTTP/1.1\r\n\r\n", b"1 " + b"x" * 5000):
            with Admin(self.gate) as admin:
                admin.socket.sendall(data)
                self.assertEqual(admin.item()["code"], "request", data[:10])
                self.assertIsNone(admin.line())

    def test_in_pieces_and_half_closed(self):
        with Admin(self.gate) as admin:
            for byte in b"1 status\r\n":
                admin.socket.sendall(bytes([byte]))
            admin.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(admin.items()[-1], {"type": "end"})

    def test_nobody_is_kept_waiting(self):
        """connections without a request, and one that does not read, are in nobody's way"""
        silent = [Admin(self.gate) for _ in range(10)]
        self.assertEqual(self.ask("status")[-1], {"type": "end"})
        for admin in silent:
            admin.socket.close()

    def test_too_many(self):
        silent = [Admin(self.gate) for _ in range(16)]
        with Admin(self.gate, "status") as admin:
            self.assertEqual(admin.item()["code"], "busy")
        with self.connect(self.gate) as client:
            self.assertEqual(client.command(b"GETINFO version"), harness.VERSION_REPLY)
        for admin in silent:
            admin.socket.close()
        harness.wait_until(lambda: self.ask("status")[-1] == {"type": "end"}, "room")

    def test_mode_of_the_socket(self):
        status = os.stat(self.gate.socket_path("admin"))
        self.assertEqual([status.st_mode & 0o7777, status.st_uid], [0o660, UID])

    @unittest.skipIf(UID != 0, "only root can be somebody else")
    def test_others_are_denied(self):
        """also where the socket's mode would let them in: the kernel says who they are"""
        path = self.gate.socket_path("admin")
        code = ("import os,socket,sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                "s = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                "s.sendall(b'1 status\\n')\nprint(s.makefile().read())")
        command = [sys.executable, "-c", code, path]
        closed = subprocess.run(command, capture_output=True, text=True, check=False,
                                timeout=harness.scaled(20))
        self.assertIn("PermissionError", closed.stderr)
        os.chmod(path, 0o666)
        os.chmod(os.path.dirname(path), 0o755)
        answer = subprocess.run(command, capture_output=True, text=True, check=False,
                                timeout=harness.scaled(20)).stdout
        self.assertEqual(json.loads(answer.splitlines()[0])["code"], "denied")
        self.assertNotIn("daemon", answer)

    def test_a_profile_cannot_take_its_place(self):
        self.gate.put("admin.yml", profile("commands: {GETINFO: [version]}", name="admin"))
        self.gate.reload()
        self.gate.wait_log("onion-grater's own, for admins")
        self.assertEqual(self.ask("status")[0]["type"], "daemon")


class Watch(AdminCase):
    def watch(self, filters=""):
        admin = Admin(self.gate, ("watch " + filters).strip())
        self.addCleanup(admin.socket.close)
        self.assertEqual(admin.item()["type"], "watching")
        return admin

    def test_decisions(self):
        admin = self.watch()
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            began = admin.until(type="session-began")
            self.assertEqual([began["profiles"], began["uid"]], [["app"], UID])
            decision = admin.until(type="decision")
            self.assertEqual([decision["verdict"], decision["command"], decision["reason"]],
                             ["allowed", "GETINFO version", None])
            self.assertEqual(decision["rule"]["line"],
                             int(harness.profile_place(profile(BODY), "version").split(":")[0]))
            client.command(b"GETINFO address")
            rejected = admin.until(verdict="rejected")
            self.assertEqual(rejected["command"], "GETINFO address")
            self.assertTrue(rejected["reason"])
        self.assertEqual(admin.until(type="session-ended")["reason"], "client closed the connection")

    def test_values_stay_hidden(self):
        admin = self.watch()
        with self.connect(self.gate) as client:
            client.command(b"AUTHENTICATE \"s3cret\"")
            client.command(b"GETINFO ip-to-country/203.0.113.9")
        while (item := admin.item())["type"] != "session-ended":
            self.assertNotIn("s3cret", json.dumps(item))
            self.assertNotIn("203.0.113.9", json.dumps(item))

    def test_values_for_root(self):
        if UID != 0:
            self.assertEqual(self.error("watch values=yes")["code"], "denied")
            return
        admin = self.watch("values=yes")
        with self.connect(self.gate) as client:
            client.command(b"AUTHENTICATE \"s3cret\"")
            self.assertNotIn("s3cret", json.dumps(admin.until(type="decision")))
            client.command(b"GETINFO ip-to-country/203.0.113.9")
            self.assertIn("203.0.113.9", admin.until(verdict="rejected")["command"])
            client.command(b"GETCONF SocksPort")
            rewritten = admin.until(verdict="rewritten")
            self.assertEqual([rewritten["command"], rewritten["sent"]],
                             ["GETCONF SocksPort", "SOCKSPort"])

    @unittest.skipIf(UID != 0, "only root can be somebody else")
    def test_values_for_the_group(self):
        """members of the service's group may watch, but see no values"""
        os.chmod(os.path.dirname(self.gate.socket_path("admin")), 0o755)
        code = ("import os,socket,sys\nos.setgroups([]); os.setgid(int(sys.argv[2]));"
                "os.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                "s.sendall(sys.argv[3].encode() + b'\\n')\nprint(s.makefile().readline())")
        for request, expected in (("1 status", "daemon"), ("1 watch values=yes", "denied")):
            answer = subprocess.run(
                [sys.executable, "-c", code, self.gate.socket_path("admin"), str(os.getgid()),
                 request], capture_output=True, text=True, check=True, timeout=harness.scaled(20))
            self.assertIn(expected, answer.stdout)

    def test_filters(self):
        rejected, of_other, events = (self.watch("verdict=rejected"), self.watch("profile=other"),
                                      self.watch("events=yes"))
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            client.command(b"GETINFO address")
            client.command(b"SETEVENTS BW")
            self.tor.wait_connection().send(b"650 BW 1 2\r\n650 CIRC 1 BUILT\r\n")
            client.message()
            self.assertEqual(rejected.item()["command"], "GETINFO address")
            self.assertTrue(events.until(type="event", name="BW")["passed"])
            self.assertFalse(events.until(type="event", name="CIRC")["passed"])
        self.assertTrue(events.until(type="session-ended"))
        of_other.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            of_other.line()

    def test_who_does_not_read_loses_lines_and_keeps_nobody(self):
        admin = self.watch()
        with self.connect(self.gate) as client:
            for _ in range(200):
                client.send(b"GETINFO address\r\n" * 50)
                for _ in range(50):
                    self.assertEqual(client.message(), harness.FILTERED)
        seen, left_out = 0, 0
        admin.socket.settimeout(1)
        try:
            while True:
                item = admin.item()
                seen += item["type"] == "decision"
                left_out += item["count"] if item["type"] == "left-out" else 0
        except TimeoutError:
            pass
        self.assertGreater(left_out, 0)
        # The begin and the end of the session are lines, too.
        self.assertIn(seen + left_out - 10000, (0, 1))

    def test_the_end_of_the_daemon(self):
        admin = self.watch()
        self.gate.stop()
        self.assertEqual(admin.items()[-1], {"type": "end"})
        self.assertFalse(os.path.exists(self.gate.socket_path("admin")))


class Orders(AdminCase):
    def test_reload(self):
        self.gate.put("new.yml", profile("commands: {GETINFO: [version]}", name="new"))
        self.gate.put("app.yml", profile("commands: {GETINFO: [uptime]}"))
        items = self.ask("reload")
        changes = {i["profile"]: i["what"] for i in items if i["type"] == "change"}
        self.assertEqual(changes, {"new": "added", "app": "altered"})
        reloaded = [i for i in items if i["type"] == "reloaded"][0]
        self.assertEqual([reloaded["ok"], reloaded["profiles"], reloaded["errors"]], [True, 2, 0])
        with self.connect(self.gate, "new") as client:
            client.command(b"GETINFO version")
            self.gate.remove("new.yml")
            items = self.ask("reload")
            self.assertEqual([i["what"] for i in items if i["type"] == "change"], ["removed"])
            self.assertEqual(
                [i["sessions_closed"] for i in items if i["type"] == "reloaded"], [1])
            client.rest()

    def test_reload_with_errors(self):
        self.gate.put("app.yml", "- name: app\n  comands: {}\n")
        items = self.ask("reload")
        messages = [i for i in items if i["type"] == "message"]
        self.assertEqual([messages[0]["severity"], messages[0]["line"]], ["error", 2])
        self.assertIn("comands", messages[0]["text"])
        self.assertTrue(self.one("status", "profile")["kept"])
        self.assertGreater(self.one("status", "policy")["errors"], 0)
        self.assert_works(self.gate)

    def test_close(self):
        with self.connect(self.gate) as client, self.connect(self.gate) as other:
            client.command(b"GETINFO version")
            other.command(b"GETINFO version")
            number = [i["number"] for i in self.ask("status") if i["type"] == "session"][0]
            self.assertEqual(self.one("close session=%d" % number, "closed")["session"], number)
            self.assertEqual(client.rest(), b"")
            self.assertEqual(other.command(b"GETINFO version"), harness.VERSION_REPLY)
        self.gate.wait_log("ended: closed by an admin")

    def test_complain(self):
        with self.connect(self.gate) as before:
            self.assertEqual(before.command(b"GETINFO address"), harness.FILTERED)
            self.assertTrue(self.one("complain profile=app on=yes", "complain")["on"])
            self.gate.wait_log("complain mode is on for profile app")
            self.assertEqual(before.command(b"GETINFO address"), harness.FILTERED,
                             "a session has what was true when it began")
            with self.connect(self.gate) as client:
                self.assertNotEqual(client.command(b"GETINFO address"), harness.FILTERED)
                self.gate.wait_log("complain: profile app, uid ")
                self.assertEqual(self.one("status", "daemon")["complain"], "some")
                self.assertTrue(self.one("status", "profile")["complain"])
                self.ask("reload")
                with self.connect(self.gate) as again:
                    self.assertNotEqual(again.command(b"GETINFO address"), harness.FILTERED,
                                        "a reload keeps it")
                    off = self.one("complain profile=app on=no", "complain")
                    self.assertEqual(off["sessions_closed"], 2)
                    again.rest()
                client.rest()
            self.assertEqual(before.command(b"GETINFO version"), harness.VERSION_REPLY)
        with self.connect(self.gate) as client:
            self.assertEqual(client.command(b"GETINFO address"), harness.FILTERED)
        self.assertEqual(self.one("status", "daemon")["complain"], "off")

    def test_complain_never_forwards_what_ends_tor(self):
        self.ask("complain profile=app on=yes")
        with self.connect(self.gate) as client:
            for command in (b"SIGNAL HALT", b"SETCONF ControlPort=9999", b"AUTHCHALLENGE SAFECOOKIE"):
                self.assertEqual(client.command(command), harness.FILTERED, command)


class Refusals(AdminCase):
    def test_the_last_ones(self):
        self.assertEqual(self.ask("refusals"), [{"type": "end"}])
        with self.connect(self.gate) as client:
            client.command(b"GETINFO address")
            client.command(b"ADD_ONION ED25519-V3:c2VjcmV0 Port=80,10.1.2.3:80")
        refusals = self.ask("refusals")[:-1]
        self.assertEqual([refusal["profiles"] for refusal in refusals], [["app"], ["app"]])
        self.assertEqual(refusals[0]["complaint"],
                         "complain: profile app, uid %d, label none, exe none: GETINFO address" % UID)
        self.assertNotIn("c2V", json.dumps(refusals))
        self.assertNotIn("10.1.2.3", json.dumps(refusals))
        last = self.ask("refusals last=1 profile=app")
        self.assertEqual([last[0]["command"][:9], len(last)], ["ADD_ONION", 2])
        self.assertEqual(self.ask("refusals profile=other"), [{"type": "end"}])


class Metrics(AdminCase):
    NAME = re.compile(r'^onion_grater_[a-z_]+(\{[a-z]+="[^"\\\n]*"\})? -?[0-9.]+$')

    def check(self, text):
        """That it is Prometheus' text format; the values by names."""
        kinds, values = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, kinds)
                kinds[name] = kind
            elif not line.startswith("# HELP "):
                self.assertRegex(line, self.NAME)
                name, value = line.rsplit(" ", 1)
                self.assertNotIn(name, values)
                self.assertIn(name.partition("{")[0], kinds)
                self.assertEqual(name.partition("{")[0].endswith("_total"),
                                 kinds[name.partition("{")[0]] == "counter", name)
                values[name] = float(value)
        return values

    def test_over_the_socket(self):
        with self.connect(self.gate) as client:
            client.command(b"GETINFO version")
            client.command(b"GETINFO address")
            values = self.check(self.one("metrics", "metrics")["text"])
        self.assertEqual(values["onion_grater_sessions"], 1)
        self.assertEqual(values['onion_grater_commands_total{outcome="rejected"}'], 1)
        self.assertEqual(values["onion_grater_tor_up"], 1)
        self.assertEqual(values['onion_grater_limit{limit="sessions"}'], 1024)

    def test_file(self):
        folder = harness.fresh_dir("m")
        path = os.path.join(folder, "onion-grater.prom")
        gate = self.daemon(profile(BODY), self.tor, config="metrics-file: %s\n" % path)
        harness.wait_until(lambda: os.path.exists(path), "the metrics")
        with open(path, encoding="ascii") as file:
            self.check(file.read())
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        self.assertEqual(os.listdir(folder), ["onion-grater.prom"])
        gate.stop()
        self.assertEqual(os.listdir(folder), [])

    def test_file_that_cannot_be_written(self):
        gate = self.daemon(profile(BODY), self.tor, config="metrics-file: /nonexistent/x.prom\n")
        gate.wait_log("metrics-file /nonexistent/x.prom cannot be written")
        self.assert_works(gate)


if __name__ == "__main__":
    harness.main()
