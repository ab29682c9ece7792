#!/usr/bin/env python3
"""Clients from elsewhere: by their address, over interfaces that come and go. Other machines are
network namespaces, which takes root."""

import re
import signal
import subprocess
import sys

import harness
import machines
from adminsocket import Admin
from harness import FILTERED
from test_tcp import ASK, SERVED, profile, talk


class Namespaces(machines.Machines, harness.TestCase):
    """Other machines, new ones for each test."""

    WHY_NOT = None

    @classmethod
    def setUpClass(cls):
        cls.WHY_NOT = machines.missing()

    def setUp(self):
        if self.WHY_NOT:
            self.skipTest(self.WHY_NOT)
        self.make_machines(self.addCleanup)

    def start(self, text, *args, tor=None, **more):
        self.tor = tor or self.fake_tor()
        gate = self.gate_daemon(text, self.tor, *args, **more)
        self.addCleanup(gate.stop)
        return gate

    def ask(self, name, host, text=ASK, bind=""):
        return talk(host, 9051, text, bind, prefix=self.inside(name))

    def test_hosts(self):
        """each machine gets the profile that lists its address, over IPv4 and IPv6"""
        text = (profile("one", hosts=["10.97.1.2", "fd97:1::2"])
                + profile("two", hosts=["10.97.2.0/24", "fd97:2::/64"],
                          allowed="status/clients-seen"))
        two = FILTERED + b"250-status/clients-seen=value of status/clients-seen\r\n250 OK\r\n"
        for family, listen in ((4, "0.0.0.0"), (6, "::")):
            with self.subTest(family=family):
                gate = self.start(text, "--listen-address", listen)
                address = "10.97.%d.%d" if family == 4 else "fd97:%d::%d"
                self.assertEqual(self.ask("one", address % (1, 1), bind=address % (1, 2)), SERVED)
                self.assertEqual(self.ask("two", address % (2, 1)), two)
                self.address("one", "c1", 1, 9 + family)
                self.assertEqual(self.ask("one", address % (1, 1), bind=address % (1, 9 + family)),
                                 FILTERED * 2)
                gate.wait_log("no profile lists the client's address")
                gate.wait_log("(profile one, another machine): began: on TCP port 9051")
                above_debug = [line for line in gate.log().split("\n") if " debug: " not in line]
                self.assertNotRegex("".join(above_debug), r"10\.97\.|fd97:")
                gate.stop()

    def test_local_is_not_remote(self):
        """a client of this machine does not become a remote one by its address, or by leaving"""
        gate = self.start(profile("any", hosts=["*"]) + profile("nets", hosts=["10.97.0.0/16"]),
                          "--listen-address", "0.0.0.0")
        for host, bind in (("127.0.0.1", ""), ("10.97.1.1", ""), ("10.97.1.1", "10.97.2.1"),
                           ("10.97.1.1", "127.0.0.1")):
            self.assertEqual(self.ask("gate", host, bind=bind), FILTERED * 2, (host, bind))
        leaving = ("import socket\ns = socket.create_connection(('10.97.1.1', 9051), 20, "
                   "('10.97.2.1', 0))\ns.sendall(b'GETINFO version\\r\\n')\n")
        since = len(gate.log())
        gate.signal(signal.SIGSTOP)
        subprocess.run(["ip", "netns", "exec", self.ns("gate"), sys.executable, "-c", leaving],
                       check=True, timeout=harness.scaled(20))
        gate.signal(signal.SIGCONT)
        gate.wait_log(re.compile("uid unknown.*: ended"), since)
        self.assertNotIn("another machine", gate.log())
        self.assertEqual(self.tor.commands, [])
        self.assertEqual(self.ask("one", "10.97.1.1"), SERVED)

    def test_variables(self):
        """{client-address} is the other machine's"""
        rule = "{pattern: 'x', replacement: '{client-address}/{server-address}'}"
        self.start(profile(hosts=["*"]).replace("'version'", rule), "--listen-address", "0.0.0.0")
        self.ask("two", "10.97.2.1", b"GETINFO x\r\n")
        self.assertEqual(self.tor.wait_commands(1), [b"GETINFO 10.97.2.2/10.97.2.1\r\n"])

    def test_limit(self):
        """one machine's sessions have a limit that others do not feel"""
        gate = self.start(profile(hosts=["*"]), "--listen-address", "0.0.0.0",
                          config="limits:\n  sessions-per-address: 2\n")
        holding = ("import socket, sys, time\n"
                   "held = [socket.create_connection(('10.97.1.1', 9051), 20) for _ in range(3)]\n"
                   "print(held[2].recv(99), flush=True)\ntime.sleep(60)\n")
        holder = subprocess.Popen(["ip", "netns", "exec", self.ns("one"), sys.executable, "-c",
                                   holding], stdout=subprocess.PIPE)
        try:
            self.assertIn(b"551 ", holder.stdout.readline())
            gate.wait_log("a client of another machine was turned away")
            self.assertEqual(gate.log().count("(limits: sessions-per-address)"), 1)
            with Admin(gate, "status") as admin:
                reached = {item["name"]: item["reached"] for item in admin.items()
                           if item["type"] == "limit" and item["reached"]}
            self.assertEqual(reached, {"sessions-per-address": 1})
            self.assertEqual(self.ask("two", "10.97.2.1"), SERVED)
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()

    def test_remote_tor(self):
        """the machine that tor runs on cannot be told from tor"""
        gate = self.start(profile(hosts=["*"]), "--listen-address", "0.0.0.0",
                          "--tor-control", "tcp:10.97.1.2:9999")
        self.assertEqual(self.ask("one", "10.97.1.1"), FILTERED * 2)
        gate.wait_log("(tor itself, another machine)")
        self.assertIn(b"551 ", self.ask("two", "10.97.2.1"))

    def test_interface(self):
        """an interface that appears later, gets its addresses later, goes and comes again"""
        gate = self.start(profile(hosts=["10.97.3.2", "fd97:3::2"]), "--listen-interface", "g3")
        gate.wait_log("there is no such interface; waiting for it")
        for _ in range(2):
            since = len(gate.log())
            self.link("one", 3)
            gate.wait_log("listening on TCP port 9051 on g3", since)
            self.addresses("one", 3)
            self.assertEqual(self.ask("one", "10.97.3.1"), SERVED)
            self.assertEqual(self.ask("one", "fd97:3::1"), SERVED)
            with self.assertRaises(AssertionError):
                self.ask("two", "10.97.2.1")
            self.ip("-n", self.ns("gate"), "link", "del", "g3")
            gate.wait_log("there is no such interface; waiting for it", since)
        self.assertEqual(gate.log().count("waiting for it"), 3)

    def test_link_local(self):
        """link-local addresses on an interface"""
        self.ip("-n", self.ns("gate"), "address", "add", "fe80::77/64", "dev", "g1", "nodad")
        self.ip("-n", self.ns("one"), "address", "add", "fe80::78/64", "dev", "c1", "nodad")
        gate = self.start(profile(hosts=["fe80::78"]), "--listen-interface", "g1",
                          "--listen-address", "fe80::77")
        gate.wait_log("listening on TCP port 9051 on g1")
        self.assertEqual(self.ask("one", "fe80::77%c1", bind="fe80::78%c1"), SERVED)
        self.assertEqual(self.ask("gate", "fe80::77%g1"), FILTERED * 2)

    def test_late_address(self):
        """an address that no interface has yet"""
        gate = self.start(profile(hosts=["*"]), "--listen-address", "10.97.4.1")
        self.assertIn("no interface has the address", gate.log())
        self.cable("two", 4)
        self.assertEqual(self.ask("two", "10.97.4.1"), SERVED)


if __name__ == "__main__":
    harness.main()
