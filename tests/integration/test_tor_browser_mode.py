#!/usr/bin/env python3
"""tor-browser-mode on a real tor network: two machines use one tor at the same time, and each learns
of its own streams and circuits only. The machines are network namespaces, which takes root."""

import re
import struct
import subprocess
import sys
import threading
import time

import harness
import machines
import testnet
from harness import wait_until

PROFILE = """
- name: browser
  hosts: ['10.97.0.0/16', 'fd97::/16']
  tor-browser-mode: true
  commands:
    GETINFO: [version, circuit-status, stream-status]
  events:
    STREAM:
    STREAM_BW:
    CIRC:
    CIRC_MINOR:
    CIRC_BW:
"""
EVENTS = b"SETEVENTS STREAM STREAM_BW CIRC CIRC_MINOR CIRC_BW"
GATES = {"one": "10.97.1.1", "two": "10.97.2.1"}
ADDRESSES = {"one": "10.97.1.2", "two": "10.97.2.2"}
SAY_UDP = r"""
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.sendto(bytes.fromhex(sys.argv[3]), (sys.argv[1], int(sys.argv[2])))
"""
OTHER = {"one": "two", "two": "one"}


class Stream:
    """A stream of a program in a machine through the tor at the gate. Its SOCKS user name says whose
    it is, and pretends to be the other machine's."""

    def __init__(self, test, machine, label, port):
        self.socket = test.connect_from(machine, GATES[machine], test.socks[GATES[machine]])
        self.socket.settimeout(harness.scaled(30))
        self.user = ("of-%s-%s SOURCE_ADDR=%s:4000 x" % (machine, label, ADDRESSES[OTHER[machine]]))
        self.port = port

    def open(self):
        user = self.user.encode()
        self.socket.sendall(b"\5\1\2")
        self.expect(b"\5\2")
        self.socket.sendall(b"\1" + bytes([len(user)]) + user + b"\1x")
        self.expect(b"\1\0")
        self.socket.sendall(b"\5\1\0\1\x7f\0\0\1" + struct.pack("!H", self.port))
        self.expect(b"\5\0\0\1")
        return self

    def expect(self, wanted):
        got = b""
        while len(got) < len(wanted):
            more = self.socket.recv(len(wanted) - len(got))
            if not more:
                break
            got += more
        if got != wanted:
            raise AssertionError("SOCKS said %r" % got)

    def close(self):
        self.socket.close()


class Watcher(harness.Client):
    """A session of a machine's. Keeps all events, and everything that it has received."""

    def __init__(self, test, machine):
        super().__init__(test.connect_from(machine, GATES[machine], 9051))
        self.machine = machine
        self.events = []

    def ask(self, line):
        """The reply to a command; events before it are kept."""
        self.send(line + b"\r\n")
        while True:
            message = self.message()
            if not message.startswith(b"650"):
                return message
            self.events.append(message.decode())

    def subscribe(self):
        self.expect_ok(EVENTS)
        return self

    def expect_ok(self, line):
        reply = self.ask(line)
        if reply != b"250 OK\r\n":
            raise AssertionError("%r was answered %r" % (line, reply))

    def found(self, pattern):
        """The matches among the events so far; what has arrived is read first."""
        self.ask(b"GETINFO version")
        return [match for match in (re.match(pattern, event) for event in self.events) if match]

    def wait_events(self, pattern, count):
        wait_until(lambda: len(self.found(pattern)) >= count,
                   "%s was to get %d events like %r; it has %r"
                   % (self.machine, count, pattern, self.events), 20)
        return self.found(pattern)

    def status(self, key):
        """The ids that GETINFO lists, in the form that tor gives as many."""
        reply = self.ask(b"GETINFO " + key.encode()).decode()
        inline = re.fullmatch(r"250-%s=([^\r\n]*)\r\n250 OK\r\n" % key, reply)
        block = re.fullmatch(r"250\+%s=\r\n(.*\r\n)\.\r\n250 OK\r\n" % key, reply, re.S)
        if not inline and not block:
            raise AssertionError("not a reply to %s: %r" % (key, reply))
        entries = (block.group(1).split("\r\n")[:-1] if block
                   else [inline.group(1)] if inline.group(1) else [])
        if bool(block) != (len(entries) > 1):
            raise AssertionError("%d entries in this form: %r" % (len(entries), reply))
        return sorted(int(entry.split(" ")[0]) for entry in entries)


class TorBrowserMode(machines.Machines, harness.TestCase):
    WHY_NOT = None

    @classmethod
    def setUpClass(cls):
        cls.WHY_NOT = machines.missing() or testnet.missing()
        if cls.WHY_NOT:
            return
        cls.gate = cls()
        cls.gate.make_machines(cls.addClassCleanup)
        net = testnet.Testnet(prefix=cls.gate.inside("gate"))
        cls.addClassCleanup(net.stop)
        net.start()
        cls.tor = net.client(socks=sorted(GATES.values()), torrc=["DNSPort 10.97.1.1:5353"])
        cls.socks = dict(cls.tor.socks)
        cls.targets = {}
        for name in GATES:
            listener = cls.gate.listen_in("gate", "127.0.0.1")
            cls.addClassCleanup(listener.close)
            cls.targets[name] = listener

    def setUp(self):
        if self.WHY_NOT:
            self.skipTest(self.WHY_NOT)
        self.watchers = []
        self.daemon_at_gate = self.gate_daemon(PROFILE, self.tor, "--listen-address", "0.0.0.0")
        self.addCleanup(self.daemon_at_gate.stop)

    def watch(self, machine):
        watcher = Watcher(self, machine)
        self.addCleanup(watcher.close)
        self.watchers.append(watcher)
        watcher.ask(b"GETINFO version")
        return watcher

    def port(self, machine):
        return self.targets[machine].getsockname()[1]

    def open(self, wanted):
        """Opens streams at the same time; wanted: (machine, label) of each."""
        streams = [Stream(self, machine, label, self.port(machine)) for machine, label in wanted]
        failures = []

        def run(stream):
            try:
                stream.open()
            except (AssertionError, OSError) as failure:
                failures.append("%s: %s" % (stream.user, failure))
        threads = [threading.Thread(target=run, args=(stream,)) for stream in streams]
        for stream in streams:
            self.addCleanup(stream.close)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        return streams

    def assert_saw_own_only(self):
        """Not a byte of the other machine's got to anybody, and no circuit's path in an event."""
        for watcher in self.watchers:
            other = OTHER[watcher.machine]
            text = watcher.received.decode("latin-1")
            self.assertNotIn("of-" + other, text)
            self.assertNotIn(":%d " % self.port(other), text)
            self.assertNotRegex(text, r" SOURCE_ADDR=%s:[0-9]+ PURPOSE" % ADDRESSES[other])
            self.assertNotRegex(text, r"650 CIRC(_MINOR|_BW)? (?![0-9]+ CLOSED\r\n)")

    def own_of(self, watcher, labels):
        """(stream ids, circuit ids) of the machine's streams, as its events tell, all of it checked."""
        pattern = r'650 STREAM ([0-9]+) SUCCEEDED ([0-9]+) .*SOCKS_USERNAME="of-%s-([^ ]*) ' % (
            watcher.machine)
        events = watcher.wait_events(pattern, len(labels))
        self.assertEqual(sorted(event.group(3) for event in events), sorted(labels))
        for event in events:
            self.assertTrue(watcher.found(r"650 STREAM %s NEW 0 127.0.0.1:%d SOURCE_ADDR=%s:"
                                          % (event.group(1), self.port(watcher.machine),
                                             ADDRESSES[watcher.machine])))
        return (sorted(int(event.group(1)) for event in events),
                sorted({int(event.group(2)) for event in events}))

    def test_side_by_side(self):
        """streams opened at the same time, in events and in GETINFO, to the end of their circuits"""
        one, two = self.watch("one").subscribe(), self.watch("two").subscribe()
        silent = self.watch("one")
        streams = self.open([(name, label) for label in "abc" for name in ("one", "two")])
        ids = {}
        for watcher in (one, two):
            own, circuits = self.own_of(watcher, "abc")
            ids[watcher.machine] = set(own)
            for session in [watcher] + ([silent] if watcher is one else []):
                self.assertEqual(session.status("circuit-status"), circuits)
                self.assertEqual(session.status("stream-status"), own)
            self.circuits = circuits
        self.assertFalse(ids["one"] & ids["two"])
        self.assertEqual(silent.events, [])
        self.assertIn("of-one-a", silent.received.decode())
        both = one.ask(b"GETINFO version circuit-status stream-status")
        self.assertEqual([line.split(b"=")[0] for line in both.split(b"\r\n") if line[:4] == b"250+"],
                         [b"250+circuit-status", b"250+stream-status"])
        self.close_streams(one, two, silent, streams)
        self.close_circuits(one, two)
        self.assert_saw_own_only()

    def close_streams(self, one, two, silent, streams):
        for stream in streams:
            if "of-one" in stream.user and "of-one-a" not in stream.user:
                stream.close()
        one.wait_events(r"650 STREAM [0-9]+ CLOSED ", 2)
        for session in (one, silent):
            wait_until(lambda s=session: len(s.status("circuit-status")) == 1, "one circuit left")
            self.assertEqual(len(session.status("stream-status")), 1)
        self.assertEqual(len(two.status("stream-status")), 3)
        streams[0].close()
        one.wait_events(r"650 STREAM [0-9]+ CLOSED ", 3)
        self.assertEqual(one.status("circuit-status"), [])
        self.assertEqual(one.status("stream-status"), [])

    def close_circuits(self, one, two):
        """By tor's own control port: each client hears of those that its streams used."""
        with self.tor.login() as control:
            for number in self.circuits:
                control.command(b"CLOSECIRCUIT %d" % number)
        closed = two.wait_events(r"650 CIRC ([0-9]+) CLOSED\r\n$", len(self.circuits))
        self.assertEqual(sorted(int(event.group(1)) for event in closed), self.circuits)
        self.assertEqual(one.found(r"650 CIRC"), [])

    def test_reconnecting(self):
        """what was open before a session began is nobody's; what comes then is its machine's"""
        first = self.watch("one").subscribe()
        self.open([("one", "old"), ("two", "old")])
        self.own_of(first, ["old"])
        first.close()
        again, two = self.watch("one").subscribe(), self.watch("two").subscribe()
        for watcher in (again, two):
            self.assertEqual(watcher.status("circuit-status"), [])
            self.assertEqual(watcher.status("stream-status"), [])
        new = self.open([("two", "new"), ("one", "new")])
        for watcher in (again, two):
            own, circuits = self.own_of(watcher, ["new"])
            self.assertEqual(watcher.status("circuit-status"), circuits)
            self.assertEqual(watcher.status("stream-status"), own)
            self.assertFalse(watcher.found('.*"of-%s-old' % watcher.machine))
        two.expect_ok(b"SETEVENTS")
        count = len(two.events)
        new[0].close()
        wait_until(lambda: two.status("stream-status") == [], "the stream's end, unasked for")
        self.assertEqual(len(two.events), count)
        self.assert_saw_own_only()

    def test_restart(self):
        """ids of before a restart of tor, given to another machine's streams after it"""
        one, two = self.watch("one").subscribe(), self.watch("two").subscribe()
        self.open([("one", "before-%d" % i) for i in range(6)])
        before = set(self.own_of(one, ["before-%d" % i for i in range(6)])[0])
        self.tor.restart()
        for watcher in (one, two):
            wait_until(lambda w=watcher: w.ask(b"GETINFO version").startswith(b"250-"),
                       "tor is found again", 20)
            self.assertEqual(watcher.status("circuit-status"), [])
            self.assertEqual(watcher.status("stream-status"), [])
            watcher.events.clear()
        labels, reused = [], set()
        end = time.monotonic() + harness.scaled(20)
        while not reused and time.monotonic() < end:
            label = "after-%d" % len(labels)
            self.open([("two", label)])
            labels.append(label)
            reused = before & set(self.own_of(two, labels)[0])
        self.assertTrue(reused, "no id of %r came again: %r" % (before, two.events))
        self.assertEqual(one.status("stream-status"), [])
        self.assertEqual(one.status("circuit-status"), [])
        self.assertEqual(one.events, [])
        self.open([("one", "after")])
        own, circuits = self.own_of(one, ["after"])
        self.assertEqual(one.status("circuit-status"), circuits)
        self.assertFalse(set(own) & set(two.status("stream-status")))
        self.assert_saw_own_only()

    def ask_name(self, machine, name):
        """Asks tor's DNSPort for the address of a name, whatever bytes are in it."""
        labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
        query = b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
        subprocess.run([*self.inside(machine), sys.executable, "-c", SAY_UDP, "10.97.1.1", "5353",
                        query.hex()], check=True, cwd="/", timeout=harness.scaled(20))

    def test_forged_names(self):
        """line breaks in names that tor writes into events: what they forge gets nothing of others"""
        old = self.open([("two", "old")])
        one, two = self.watch("one").subscribe(), self.watch("two").subscribe()
        new = self.open([("two", "new")])
        two.wait_events("650 STREAM [0-9]+ SUCCEEDED ", 1)
        with self.tor.login() as control:
            entries = control.command(b"GETINFO stream-status").decode()
        theirs = re.findall(r"^([0-9]+) SUCCEEDED ([0-9]+) 127.0.0.1:%d" % self.port("two"), entries,
                            re.M)
        self.assertEqual(len(theirs), 2, entries)
        for number, circuit in theirs:
            self.ask_name("one", b"x:0\r\n650 STREAM %s NEW 0 a:1 SOURCE_ADDR=10.97.1.2:1\r\n"
                          b"650 STREAM 9999%s NEW 0 a:1" % (number.encode(), number.encode()))
            # A part between dots has 63 bytes at most.
            self.ask_name("one", b"x:0\r\n650 STREAM 9999%s SENTCONNECT %s a.b:1\r\n"
                          b"650 STREAM 1 NEW 0 a:1" % (number.encode(), circuit.encode()))
        one.wait_events(r"650 STREAM 9999[0-9]+ SENTCONNECT", 2)
        self.assertEqual(one.status("stream-status"), [])
        self.assertEqual(one.status("circuit-status"), [])
        for stream in old + new:
            stream.close()
        with self.tor.login() as control:
            wait_until(lambda: b"127.0.0.1:" not in control.command(b"GETINFO stream-status"),
                       "the streams' end")
        one.ask(b"GETINFO version")
        self.ask_name("one", b"x:0\r\n650-STREAM_BW 1 2\r\n650-a")
        self.daemon_at_gate.wait_log("somebody has put line breaks into a name")
        text = one.received.decode("latin-1")
        self.assertNotIn("of-two", text)
        self.assertNotIn(":%d " % self.port("two"), text)

    def test_local_client(self):
        """a client of this machine: the mode is off, which the log says"""
        profile = PROFILE + "  apparmor-profiles: ['*']\n  users: ['*']\n"
        local = self.gate_daemon(profile, self.tor, "--listen-port", "9052")
        self.addCleanup(local.stop)
        local.wait_log("tor-browser-mode is off for clients of this machine")
        with local.connect("control") as client:
            self.open([("one", "seen"), ("two", "seen")])
            text = client.command(b"GETINFO stream-status").decode()
            self.assertIn(":%d" % self.port("one"), text)
            self.assertIn(":%d" % self.port("two"), text)
        local.wait_log("tor-browser-mode is off: a client of this machine cannot be told")


if __name__ == "__main__":
    harness.main()
