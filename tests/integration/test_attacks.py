#!/usr/bin/env python3
"""Raw-byte batteries: every way that is known to slip past a filter of the control protocol.

Each variant is sent with `GETINFO version` right behind it in the same segment. What the client gets
must be the expected answer and then the version; what tor got must be exactly the approved commands.
The numbers are those of the list of bypass classes that the program is written against.
"""

import time

import harness
from harness import FILTERED, VERSION_REPLY

OK = b"250 OK\r\n"
ASK = b"GETINFO version\r\n"
HEX = b"A" * 40

PROFILE = harness.profile("""
commands:
  GETINFO:
    - version
    - 'ns/name/.*'
    - 'one|two'
    - 'dir/.'
    - 'md/all'
    - 'uptime'
  SIGNAL:
    - NEWNYM
  ADD_ONION:
    - pattern: '(.*) Port=80,(.*)'
      replacement: '{} Port=80,{client-address}:8080 Port=81,{}'
    - 'NEW:BEST .*'
    - 'ED25519-V3:.*'
  DEL_ONION: ['.*']
  ONION_CLIENT_AUTH_ADD: ['.*']
  '+HSPOST': ['.*']
  HSFETCH: ['.*']
  SETCIRCUITPURPOSE: ['.*']
  MAPADDRESS: ['.*']
  EXTENDCIRCUIT: ['.*']
  CLOSESTREAM: ['.*']
  USEFEATURE: ['.*']
  TAKEOWNERSHIP: ['']
  RESOLVE: ['.*']
  GETCONF: ['']
confs:
  DisableNetwork: ['0', '1']
  Nickname: ['.*']
  SocksPort: ['', '.*']
  ContactInfo: ['"[a-z ]*"']
events:
  BW:
  CIRC:
    suppress: true
""")


class Attacks(harness.TestCase):
    """Each battery has a tor of its own that records every byte."""

    def setUp(self):
        self.tor = self.fake_tor()
        self.gate = self.daemon(PROFILE, self.tor)
        self.client = self.connect(self.gate)
        self.client.send(ASK)
        self.assertEqual(self.client.message(), VERSION_REPLY)
        self.sent = [ASK]

    def send(self, data, replies, to_tor=b""):
        """One variant: `replies` answers to the client, `to_tor` at tor, then a plain question."""
        with self.subTest(bytes=data[:70]):
            self.sent += list(harness.CommandReader().feed(to_tor)) + [ASK]
            self.client.send(data + ASK)
            got = self.client.messages(len(replies) + 1)
            self.assertEqual(got, list(replies) + [VERSION_REPLY])
            tor_got = self.tor.wait_commands(len(self.sent))
            if tor_got != self.sent:
                self.sent = list(tor_got)
                self.fail("tor got %r at the end, expected %r"
                          % (tor_got[-3:], list(to_tor.splitlines()) + [ASK]))

    def refuse(self, *variants, count=1):
        for variant in variants:
            self.send(variant, [FILTERED] * count)
        self.finish()

    def finish(self):
        """The daemon and this session are well, and another one too."""
        self.assert_works(self.gate)
        self.sent.append(ASK)
        self.assertEqual(self.tor.wait_commands(len(self.sent)), self.sent)

    def end_session(self, data, answer=b"500 line too long\r\n"):
        """A session of its own that ends with `answer` and leaves nothing at tor."""
        before = len(self.tor.commands)
        with self.subTest(bytes=data[:50], size=len(data)), self.gate.connect() as client:
            try:
                client.send(data)
            except OSError:
                pass
            self.assertEqual(client.rest(), answer)
            self.assertEqual(len(self.tor.commands), before)

    def test_01_nul(self):
        """NUL anywhere"""
        self.refuse(
            b"ADD_ONION NEW:BEST Port=80,unix:/run/tor/control\0,x\r\n",
            b"ADD_ONION NEW:BEST Port=80,1\0\r\n",
            b"ADD_ONION\0 NEW:BEST Port=80,1\r\n",
            b"GETINFO version\0\r\n",
            b"GETINFO version\0 address\r\n",
            b"GETINFO version\0\n",
            b"GETINFO\0version\r\n",
            b"GETINFO\0junk version\r\n",
            b"\0GETINFO version\r\n",
            b"GETINFO ns/name/\0\r\n",
            b"QUIT\0x\r\n",
            b"QUIT\0\r\n",
            b"AUTHENTICATE\0\r\n",
            b"PROTOCOLINFO\0 1\r\n",
            b"SIGNAL NEWNYM\0HALT\r\n",
            b"SETCONF DisableNetwork=0\0\r\n",
            b'SETCONF ContactInfo="a\0b"\r\n',
            b'SETCONF Nickname="a\\000b"\r\n',
            b'SETCONF Nickname="a\\x00b"\r\n',
            b"\0\r\n", b"\0\n", b"\0" * 100 + b"\n",
            b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\0\r\nx\r\n.\r\n",
            b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\na\0b\r\n.\r\n",
            b"+FOO\0\r\nSIGNAL NEWNYM\r\n.\r\n")

    def test_02_white_space(self):
        """bare CR, VT, FF, TAB and the other control characters"""
        variants = []
        for space in (b"\r", b"\x0b", b"\x0c", b"\t", b"\x1c", b"\x1f", b"\x7f", b"\x01", b"\x08",
                      b"\x1b"):
            variants += [
                b"GETINFO" + space + b"version\r\n",
                b"GETINFO version" + space + b" address\r\n",
                b"GETINFO version" + space + b"address\r\n",
                b"GETINFO version" + space + b"\r\n",
                b"GETINFO version" + space + b" \r\n",
                b"GETINFO ns/name/a" + space + b"address\r\n",
                b"SETCONF DisableNetwork=0" + space + b"ControlPort=1\r\n",
                b"SETCONF Nickname=a" + space + b"ControlPort=1\r\n",
                b'SETCONF Nickname="a' + space + b'"\r\n',
                b"SIGNAL" + space + b"NEWNYM\r\n",
                space + b"GETINFO version\r\n",
                b"ADD_ONION NEW:BEST Port=80,1" + space + b"Port=81,10.0.0.1:22\r\n",
            ]
        self.refuse(*variants)

    def test_03_no_separator_after_quote(self):
        """a pair right behind a closing quote is a pair"""
        self.refuse(
            b'SETCONF DisableNetwork="0"ControlPort=1\r\n',
            b'SETCONF DisableNetwork="0"ControlPort="1"\r\n',
            b'SETCONF ContactInfo="a"ControlPort\r\n',
            b'SETCONF ContactInfo="a"ContactInfo="b"Bridge\r\n',
            b'SETCONF Nickname="x"ControlPort=1\r\n',
            b'RESETCONF SocksPort=""ControlPort\r\n',
            b'SETCONF Nickname="\\""ControlPort=1\r\n',
            b'SETCONF Nickname="\\\\"ControlPort=1\r\n',
            b'SETCONF Nickname="x"=y\r\n',
            b'SETCONF Nickname="x""y"\r\n')
        self.send(b'SETCONF DisableNetwork="0"ContactInfo="a b"\r\n', [OK],
                  b'SETCONF DisableNetwork="0" ContactInfo="a b"\r\n')
        self.finish()

    def test_04_quotes_in_the_middle(self):
        """a quote that does not follow the = is an ordinary byte"""
        self.refuse(
            b'SETCONF DisableNetwork=0" ControlPort=1 x"\r\n',
            b'SETCONF Nickname=x" ControlPort=1 y="\r\n',
            b"SETCONF Nickname=' ControlPort=1'\r\n",
            b"SETCONF Nickname=x\\ ControlPort=1\r\n",
            b'SETCONF "Nickname"=x\r\n', b'SETCONF Nick"name=x\r\n',
            b'SETCONF Nickname = x\r\n', b'SETCONF =x\r\n', b'SETCONF "\r\n',
            b'SETCONF Nickname="\r\n', b'SETCONF Nickname="a\r\n', b'SETCONF Nickname="a\\"\r\n',
            b'SETCONF Nickname="a\\q"\r\n', b'SETCONF Nickname="\\x1"\r\n',
            b'SETCONF Nickname="\\777"\r\n',
            b'SETCONF Nickname="a\\nControlPort 1"\r\n',
            b'SETCONF Nickname="a\\x0aControlPort 1"\r\n',
            b'SETCONF Nickname="a\\012ControlPort 1"\r\n')
        self.send(b'SETCONF Nickname=x"y"\r\n', [OK], b'SETCONF Nickname=x"y"\r\n')
        self.send(b"SETCONF Nickname='x'\r\n", [OK], b"SETCONF Nickname='x'\r\n")
        self.finish()

    def test_05_blocks(self):
        """blocks that are none, the reverse, and every end of one"""
        nym = b"SIGNAL NEWNYM\r\n"
        self.send(b" +FOO\r\n" + nym + b".\r\n", [FILTERED, OK, FILTERED], nym)
        self.send(b"\t+FOO\r\n" + nym + b".\r\n", [FILTERED, OK, FILTERED], nym)
        self.send(b"\0+FOO\r\n" + nym + b".\r\n", [FILTERED, OK, FILTERED], nym)
        self.send(b"+FOO\r\nX\r\n.\n" + nym + b".\r\n", [FILTERED, OK, FILTERED], nym)
        self.send(b"+FOO\nX\n.\n", [FILTERED])
        self.send(b"+FOO\r\n.\r\n" + nym, [FILTERED, OK], nym)
        self.send(b"+\r\n" + nym + b".\r\n", [FILTERED])
        self.send(b"++\r\n" + nym + b".\r\n", [FILTERED])
        self.send(b"+ GETINFO version\r\n" + nym + b".\r\n", [FILTERED])
        self.send(b"+GETINFO version\r\n" + nym + b".\r\n", [FILTERED])
        self.send(b"+SIGNAL NEWNYM\r\nx\r\n.\r\n", [FILTERED])
        self.send(b"+QUIT\r\nx\r\n.\r\n", [FILTERED])
        self.send(b"+AUTHENTICATE\r\nx\r\n.\r\n", [FILTERED])
        self.send(b"+LOADCONF\r\n" + nym + b".\r\n", [FILTERED])
        self.send(b"LOADCONF\r\n", [FILTERED])
        self.send(b"HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n", [FILTERED])
        for line in (b". \r\n", b".\r\r\n", b"..\r\n", b" .\r\n", b".\0\r\n", b".x\r\n", b"\r\n",
                     b".\t\n", b"+FOO\r\n", b".\r"):
            self.send(b"+FOO\r\n" + line + nym + b".\r\n", [FILTERED])
        self.send(b"+hspost HSADDRESS=" + b"a" * 56 + b"\r\na\n..\r\n.b\n.\n", [OK],
                  b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\na\r\n..\r\n.b\r\n.\r\n")
        self.finish()

    def test_06_reply_count(self):
        """commands that tor answers never, twice or without an end are not forwarded"""
        onion = b"a" * 56
        self.refuse(
            b"ADD_ONION NEW:BEST ClientAuth=bob Port=82\r\n",
            b"ADD_ONION NEW:BEST Port=82 clientauth=bob\r\n",
            b"ADD_ONION NEW:BEST Port=82 ClientAuth=bob:cookie Flags=BasicAuth\r\n",
            b"+HSPOST\r\nx\r\n.\r\n",
            b"+HSPOST SERVER=" + HEX + b"\r\nx\r\n.\r\n",
            b"ONION_CLIENT_AUTH_ADD " + onion + b" x25519:" + b"A" * 43 + b"= ClientName="
            + b"n" * 17 + b"\r\n",
            b"ONION_CLIENT_AUTH_ADD " + onion + b" x25519:" + b"A" * 43 + b"= clientname="
            + b"n" * 300 + b"\r\n",
            b"GETINFO ns/name/x\ry\r\n",
            b"ONION_CLIENT_AUTH_ADD\r\n", b"ONION_CLIENT_AUTH_ADD " + onion + b"\r\n")

    def test_06_reply_without_end(self):
        """a tor that answers twice ends that session only"""
        self.tor.answer = lambda connection, command: (
            b"552+=\r\nUnrecognized key \"x\r\ny\"\r\n.\r\n" if b"uptime" in command
            else harness.answer_as_tor(command))
        with self.gate.connect() as client:
            client.send(b"GETINFO uptime\r\nGETINFO version\r\n")
            seen = client.rest()
        self.assertNotIn(b"0.4.9.11\r\n250 OK", seen.split(b"551")[0])
        self.tor.wait_commands(3)
        self.assertEqual(self.client.command(b"GETINFO version"), VERSION_REPLY)

    def test_07_abbreviated_options(self):
        """option names are whole or refused; tor gets the profile's spelling"""
        self.refuse(
            *[command + b" " + name + value + b"\r\n"
              for command, value in ((b"GETCONF", b""), (b"SETCONF", b"=0"), (b"RESETCONF", b""))
              for name in (b"D", b"DisableN", b"disablenetwor", b"DisableNetworkX", b"S", b"Nick",
                           b"SocksPor", b"SocksPorts", b"__SocksPort", b"SocksPortLines",
                           b"+SocksPort", b"/SocksPort", b"-Nickname", b"Nickname.", b"*")])
        self.send(b"GETCONF disablenetwork\r\n", [b"250 DisableNetwork=1\r\n"],
                  b"GETCONF DisableNetwork\r\n")
        self.send(b"SETCONF SOCKSPORT=0\r\n", [OK], b"SETCONF SocksPort=0\r\n")
        self.send(b"RESETCONF socksPORT\r\n", [OK], b"RESETCONF SocksPort\r\n")
        self.finish()

    def test_08_repeated_options(self):
        """every pair of a command is judged"""
        self.refuse(
            b"SETCONF DisableNetwork=0 DisableNetwork=2\r\n",
            b"SETCONF DisableNetwork=2 DisableNetwork=0\r\n",
            b"SETCONF Nickname=a Nickname=b HiddenServiceDir=/x\r\n",
            b"SETCONF Nickname=a HiddenServiceDir\r\n",
            b"SETCONF SocksPort=1 SocksPort=2 DisableNetwork\r\n",
            b"RESETCONF SocksPort ControlPort\r\n",
            b"SETCONF SocksPort=0" + b" SocksPort=1" * 300 + b" Bridge=x\r\n")
        self.send(b"SETCONF SocksPort=1  SocksPort=2 Nickname=a\r\n", [OK],
                  b"SETCONF SocksPort=1 SocksPort=2 Nickname=a\r\n")
        self.finish()

    def test_09_several_keys(self):
        """every key of a command is judged"""
        self.refuse(
            b"GETINFO version address\r\n", b"GETINFO address version\r\n",
            b"GETINFO version  address\r\n", b"GETINFO  address\r\n",
            b"GETINFO version version version address version\r\n",
            b"GETCONF DisableNetwork Bridge\r\n", b"GETCONF Bridge DisableNetwork\r\n",
            b"GETINFO version,address\r\n", b"GETINFO version;address\r\n",
            b"GETINFO " + b"version " * 120 + b"address\r\n")
        self.send(b"GETINFO  uptime   version \r\n",
                  [b"250-uptime=value of uptime\r\n250-version=0.4.9.11\r\n250 OK\r\n"],
                  b"GETINFO uptime version\r\n")
        self.finish()

    def test_10_anchoring(self):
        """patterns are anchored as a group, at both ends"""
        self.refuse(
            b"GETINFO onex\r\n", b"GETINFO xone\r\n", b"GETINFO twox\r\n", b"GETINFO xtwo\r\n",
            b"GETINFO one/two\r\n", b"GETINFO one|two\r\n", b"GETINFO dir/\r\n",
            b"GETINFO dir/ab\r\n", b"GETINFO versionx\r\n", b"GETINFO version/../address\r\n",
            b"SIGNAL NEWNYMX\r\n", b"SIGNAL NEWNYM HALT\r\n", b"SIGNAL HALT NEWNYM\r\n",
            b"SIGNAL\r\n", b"SIGNAL \r\n",
            b"SETCONF DisableNetwork=10\r\n", b"SETCONF DisableNetwork=01\r\n",
            b"SETCONF DisableNetwork=\r\n", b"SETCONF DisableNetwork\r\n")
        self.send(b"GETINFO one two\r\n",
                  [b"250-one=value of one\r\n250-two=value of two\r\n250 OK\r\n"],
                  b"GETINFO one two\r\n")
        self.finish()

    def test_11_case(self):
        """a rewriting rule applies to a command in any case; keys keep theirs"""
        made = b"ADD_ONION NEW:BEST Port=80,127.0.0.1:8080 Port=81,127.0.0.1:1\r\n"
        reply = harness.answer_as_tor(made)
        for word in (b"ADD_ONION", b"add_onion", b"Add_Onion", b"aDD_oNION"):
            self.send(word + b" NEW:BEST Port=80,1\r\n", [reply], made)
        self.send(b"signal NEWNYM\r\n", [OK], b"SIGNAL NEWNYM\r\n")
        self.send(b"gEtInFo version\r\n", [VERSION_REPLY], b"GETINFO version\r\n")
        self.refuse(b"getinfo VERSION\r\n", b"GETINFO Version\r\n", b"signal newnym\r\n",
                    b"signal halt\r\n", b"getinfo address\r\n", b"add_onion NEW:BEST\r\n",
                    b"setevents stream\r\n")

    def test_12_long_lines(self):
        """a line over the limit ends the session as soon as that is known, and is never cut"""
        limit = 16 * 1024
        self.end_session(b"GETINFO ns/name/" + b"x" * limit)
        self.end_session(b"GETINFO ns/name/" + b"x" * limit + b"\r\n")
        self.end_session(b"x" * (1024 * 1024))
        self.end_session(b"\0" * (limit + 1))
        self.end_session(b" " * (limit + 1) + b"GETINFO version\r\n")
        self.end_session(b"SIGNAL " + b" " * limit + b"NEWNYM\r\n")
        self.end_session(b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + b"x" * (limit + 1))
        self.end_session(b"+FOO\r\n" + b"line\r\n" * (129 * 1024 // 6 + 1000))
        self.end_session(b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n"
                         + b"line\r\n" * (129 * 1024 // 6 + 1000) + b".\r\n")
        longest = b"GETINFO ns/name/" + b"x" * (limit - 18)
        self.send(longest + b"\r\n", [b"250-%s=value of %s\r\n250 OK\r\n"
                                      % ((longest[8:],) * 2)], longest + b"\r\n")
        block = b"line\r\n" * 5000
        self.send(b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + block + b".\r\n", [OK],
                  b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\n" + block + b".\r\n")
        self.finish()

    def test_12_many_keys(self):
        """thousands of keys in one command make no flood at tor"""
        self.refuse(b"GETINFO " + b"md/all " * 2000 + b"\r\n",
                    b"GETINFO " + b"version " * 1500 + b"\r\n",
                    b"GETCONF " + b"SocksPort " * 1500 + b"\r\n",
                    b"SETCONF " + b"SocksPort=1 " * 1300 + b"\r\n")

    def test_12_flood_without_reading(self):
        """a client that sends and never reads is stopped, and costs no memory"""
        before = self.gate.memory_kib()
        with self.gate.connect() as flood:
            flood.socket.settimeout(harness.scaled(0.5))
            data, sent = b"GETINFO ns/name/" + b"x" * 1000 + b"\r\n", 0
            try:
                while sent < 200 * 1024 * 1024:
                    sent += flood.socket.send(data * 50)
            except OSError:
                pass
            self.assertLess(sent, 50 * 1024 * 1024, "the flood was never stopped")
            self.assertLess(self.gate.memory_kib() - before, self.gate.memory_limit_kib())
            self.assertEqual(self.client.command(b"GETINFO version"), VERSION_REPLY)

    def test_13_cuts(self):
        """a command in any two segments; LF alone; CR and LF apart"""
        line = b"SIGNAL NEWNYM\r\nGETINFO uptime\n"
        reply = OK + b"250-uptime=value of uptime\r\n250 OK\r\n"
        for cut in range(1, len(line)):
            self.client.send(line[:cut])
            time.sleep(0.001)
            self.client.send(line[cut:])
            self.assertEqual(b"".join(self.client.messages(2)), reply, "cut at %d" % cut)
            self.sent += [b"SIGNAL NEWNYM\r\n", b"GETINFO uptime\r\n"]
        for byte in line:
            self.client.send(bytes([byte]))
            time.sleep(0.001)
        self.assertEqual(b"".join(self.client.messages(2)), reply)
        self.sent += [b"SIGNAL NEWNYM\r\n", b"GETINFO uptime\r\n"]
        self.finish()

    def test_13_unfinished(self):
        """nothing of an unfinished line or block goes to tor"""
        for tail in (b"SIGNAL NEWNYM", b"SIGNAL NEWNYM\r", b"S", b"+HSPOST HSADDRESS=" + b"a" * 56
                     + b"\r\nx\r\n.", b"+HSPOST HSADDRESS=" + b"a" * 56 + b"\r\nSIGNAL NEWNYM\r\n"):
            with self.subTest(tail=tail), self.gate.connect() as client:
                client.send(ASK + tail)
                self.assertEqual(client.message(), VERSION_REPLY)
                self.sent.append(ASK)
                client.half_close()
                self.assertEqual(client.rest(), b"")
        self.finish()

    def test_14_events_inside_data(self):
        """events and long blocks reach a slow reader one after the other"""
        block = b"250+md/all=\r\n" + b"data %s\r\n" % (b"x" * 60) * 8000 + b".\r\n250 OK\r\n"

        def answer(connection, command):
            if command.startswith(b"GETINFO md/all"):
                return b"650 BW 0 0\r\n" + block + b"650 BW 1 1\r\n" * 42
            return harness.answer_as_tor(command)
        self.tor.answer = answer
        self.assertEqual(self.client.command(b"SETEVENTS BW"), OK)
        self.client.send(b"GETINFO md/all\r\nGETINFO address\r\nGETINFO md/all\r\n" + ASK)
        got = []
        while got.count(VERSION_REPLY) == 0:
            got.append(self.client.message())
        self.assertEqual([m for m in got if not m.startswith(b"650")],
                         [block, FILTERED, block, VERSION_REPLY])
        self.assertEqual(len([m for m in got if m.startswith(b"650")]), 86)

    def test_15_data_looks_like_protocol(self):
        """what stands in a block is data, whatever it looks like"""
        block = (b"250+md/all=\r\n250 OK\r\n650 CIRC 1 BUILT\r\n515 Bad\r\n250-version=lie\r\n..\r\n"
                 b"\r\n. \r\n..250 OK\r\n650+NS\r\n.\r\n250 OK\r\n")
        self.tor.answer = lambda connection, command: (
            block if b"md/all" in command else harness.answer_as_tor(command))
        self.send(b"GETINFO md/all\r\nGETINFO address\r\nGETINFO md/all\r\n",
                  [block, FILTERED, block], b"GETINFO md/all\r\nGETINFO md/all\r\n")
        self.finish()

    def test_18_events_not_asked(self):
        """events that this client did not ask for, or may not have, are dropped"""
        events = (b"650 CIRC 1 BUILT\r\n650 STREAM 1 NEW\r\n650-CONF_CHANGED\r\n650-Bridge=x\r\n"
                  b"650 OK\r\n650+NS\r\nsecret\r\n.\r\n650 OK\r\n650 bw 1 1\r\n650  BW 1 1\r\n"
                  b"650 BWX 1\r\n")
        self.tor.answer = lambda connection, command: (
            events + harness.answer_as_tor(command) + events)
        self.send(b"SIGNAL NEWNYM\r\n", [OK], b"SIGNAL NEWNYM\r\n")
        self.refuse(b"SETEVENTS STREAM\r\n", b"SETEVENTS BW STREAM\r\n", b"SETEVENTS DEBUG\r\n",
                    b"SETEVENTS BW,STREAM\r\n", b"SETEVENTS *\r\n")
        self.send(b"SETEVENTS CIRC\r\n", [OK])
        self.finish()

    def test_19_authentication(self):
        """AUTHENTICATE and AUTHCHALLENGE never reach tor, and do no harm"""
        for line in (b"AUTHENTICATE 00", b"AUTHENTICATE", b'AUTHENTICATE "', b"AUTHENTICATE zz",
                     b"authenticate " + b"0" * 64, b'AUTHENTICATE "a" "b"'):
            self.send(line + b"\r\n", [OK])
        self.refuse(b"AUTHCHALLENGE SAFECOOKIE 00\r\n", b"authchallenge SAFECOOKIE\r\n",
                    b"AUTHCHALLENGE\r\n")

    def test_19_before_login(self):
        """what tor would take for another protocol before the login is a refused command"""
        for line in (b"GET / HTTP/1.0\r\n", b"POST / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n",
                     b"\0\0\0\x01\n"):
            with self.gate.connect() as client:
                client.send(line + b"QUIT\r\n")
                self.assertEqual(client.rest(), FILTERED + b"250 closing connection\r\n")
        self.finish()

    def test_20_crash(self):
        """commands that want arguments have them or are not forwarded"""
        self.refuse(b"SETCIRCUITPURPOSE\r\n", b"SETCIRCUITPURPOSE \r\n", b"setcircuitpurpose\r\n",
                    b"EXTENDCIRCUIT\r\n", b"CLOSESTREAM 1\r\n", b"DEL_ONION\r\n", b"HSFETCH\r\n",
                    b"ADD_ONION\r\n", b"ADD_ONION NEW:BEST\r\n", b"ADD_ONION NEW:BEST \r\n")

    def test_20_targets(self):
        """whatever a rule allows, these are no targets of an onion service"""
        own = self.gate.socket_path().encode()
        tor = self.tor.path.encode()
        targets = (b"localhost:1", b"127.1:1", b"0x7f.1:1", b"2130706433:1", b"example.com:80",
                   b"0:9051", b"unix:relative", b"unix:", b"UNIX:/x", b"unix:/a/../b", b"[::1",
                   b"::1]:1", b"127.0.0.1:0", b"127.0.0.1:65536", b"127.0.0.1:-1", b"+80", b"080",
                   b"127.0.0.1:+80", b"127.0.0.1:", b"127.0.0.1:80:80", b"1.2.3.4.5:1", b"$x",
                   b"unix:" + tor, b"unix:" + own, b"unix:" + own.replace(b"app.sock", b"./app.sock"))
        self.refuse(*[b"ADD_ONION NEW:BEST Port=82," + target + b"\r\n" for target in targets],
                    *[b"ADD_ONION NEW:BEST Port=82 port=83," + target + b"\r\n"
                      for target in targets],
                    b"ADD_ONION NEW:BEST Port=,80\r\n", b"ADD_ONION NEW:BEST Port=\r\n",
                    b"ADD_ONION NEW:BEST Port=0\r\n", b"ADD_ONION NEW:BEST Port=80-90\r\n",
                    b"ADD_ONION NEW:BEST Port=82,1,2\r\n", b"ADD_ONION NEW:BEST Port\r\n",
                    b'ADD_ONION NEW:BEST Port="82"\r\n')

    def test_21_not_ascii(self):
        """bytes that are not ASCII separate nothing and fold into nothing"""
        variants = [b"\xc5\xbfIGNAL NEWNYM\r\n", b"GET\xc4\xb0NFO version\r\n",
                    b"GETINFO version\xc2\xb9\r\n", b"\xef\xbb\xbfGETINFO version\r\n"]
        for space in (b"\xc2\xa0", b"\xe2\x80\xa8", b"\xc2\x85", b"\xa0", b"\x85", b"\xff",
                      b"\xe3\x80\x80", b"\x80"):
            variants += [b"GETINFO" + space + b"version\r\n",
                         b"GETINFO version" + space + b"address\r\n",
                         b"GETINFO version " + space + b"\r\n",
                         b"SETCONF Nickname=a" + space + b"b\r\n",
                         b"GETINFO ns/name/" + space + b"\r\n"]
        self.refuse(*variants)

    def test_22_echo(self):
        """no answer repeats the client's bytes, and the log has none of them raw"""
        self.refuse(b"\x1b[31mRED\x07\r\n", b"%s%n%d\r\n", b"GETINFO \x1b]0;x\x07\r\n",
                    b"FOO\xff\xfe\r\n", b"A" * 5000 + b"\r\n", b"a\\r\\nb\r\n",
                    b"\x9b31m\r\n", b"GETINFO \r250 OK\r\n")
        with open(self.gate.log_file, "rb") as log:
            data = log.read()
        self.assertEqual([], sorted({b for b in data if b != 10 and not 0x20 <= b <= 0x7e}))
        self.assertNotIn(b"A" * 1000, data)


class Events(harness.TestCase):
    """Rewriting of what tor sends; 16 and 17 of the list."""

    PROFILE = harness.profile("""
commands:
  GETINFO:
    - version
    - pattern: 'circuit-status'
      unmatched-response: drop
      response:
        - pattern: '250([-+])circuit-status=.*'
          replacement: '250{}circuit-status='
        - pattern: '([0-9]+) (BUILT|LAUNCHED) .*'
          replacement: '{} {}'
        - pattern: '250 OK'
          replacement: '250 OK'
events:
  STREAM:
    unmatched-response: drop
    response:
      - pattern: '650 STREAM ([0-9]+) ([A-Z]+) ([0-9]+) \\S+'
        replacement: '650 STREAM {} {} {} hidden:0'
  CONF_CHANGED:
    response:
      - pattern: '650-CONF_CHANGED'
        replacement: '650-CONF_CHANGED'
      - pattern: '650-DisableNetwork=.'
        replacement: '650-DisableNetwork=1'
      - pattern: '650 OK'
        replacement: '650 OK'
  HS_DESC:
    response:
      - pattern: '650 HS_DESC (\\S+) .*'
        replacement: '650 HS_DESC {}'
  BW:
    response:
      - pattern: '650 BW (.*)'
        replacement: '{}'
""")

    def setUp(self):
        self.tor = self.fake_tor()
        self.gate = self.daemon(self.PROFILE, self.tor)
        self.client = self.connect(self.gate)
        self.assertEqual(self.client.command(b"SETEVENTS STREAM CONF_CHANGED HS_DESC BW"), OK)
        self.upstream = self.tor.wait_connection()

    def say(self, event, *expected):
        with self.subTest(event=event):
            self.upstream.send(event + b"650 HS_DESC MARK x\r\n")
            got = []
            while not got or got[-1] != b"650 HS_DESC MARK\r\n":
                got.append(self.client.message())
            self.assertEqual(got[:-1], list(expected))

    def test_16_text_of_others(self):
        """names that others chose cannot forge an event or a field"""
        self.say(b"650 STREAM 5 NEW 0 a:80\r\n", b"650 STREAM 5 NEW 0 hidden:0\r\n")
        self.say(b'650 STREAM 5 NEW 0 a:80 SOCKS_USERNAME="x 650 BW 1 1"\r\n')
        self.say(b'650 STREAM 5 NEW 0 a:80 SOCKS_USERNAME="\\r\\n650 BW 1 1"\r\n')
        self.say(b"650 STREAM 5 NEW 0 a:80\r250 OK\r\n")
        self.say(b"650 HS_DESC a\rb c\r\n")
        self.say(b"650 HS_DESC \x1b[0m c\r\n")
        self.assertEqual(self.client.command(b"GETINFO version"), VERSION_REPLY)

    def test_17_not_matching(self):
        """a rule that does not match lets nothing through"""
        self.say(b"650-CONF_CHANGED\r\n650-DisableNetwork=0\r\n650 OK\r\n",
                 b"650-CONF_CHANGED\r\n650-DisableNetwork=1\r\n650 OK\r\n")
        self.say(b"650-CONF_CHANGED\r\n650-Bridge=secret\r\n650 OK\r\n")
        self.say(b"650-CONF_CHANGED\r\n650-DisableNetwork=0\r\n650-Bridge\r\n650 OK\r\n")
        self.say(b"650+CONF_CHANGED\r\nsecret\r\n.\r\n650 OK\r\n")
        self.say(b"650-STREAM 5 NEW 0 a:80\r\n650 secret\r\n")
        self.say(b"650+HS_DESC x y\r\nsecret\r\n.\r\n650 OK\r\n")
        self.say(b"650-HS_DESC x y\r\n650 z\r\n")

    def test_17_broken_framing(self):
        """an event whose rewriting broke its framing is withheld"""
        self.say(b"650 BW 250 OK\r\n")
        self.say(b"650 BW 650-x\r\n")
        self.say(b"650 BW x\r\n")
        self.say(b"650 BW .\r\n")
        self.say(b"650 BW 650 BW 5\r\n", b"650 BW 5\r\n")

    def test_17_reply_lines(self):
        """lines of a reply that no pattern matches are dropped where the rule says so"""
        replies = {
            b"250-circuit-status=3 BUILT secret\r\n250 OK\r\n":
                b"250-circuit-status=\r\n250 OK\r\n",
            b"250+circuit-status=\r\n3 BUILT secret\r\nsecret\r\n250 OK secret\r\n.\r\n250 OK\r\n":
                b"250+circuit-status=\r\n3 BUILT\r\n.\r\n250 OK\r\n",
            b"250+circuit-status=\r\n.\r\n250 OK\r\n":
                b"250+circuit-status=\r\n.\r\n250 OK\r\n",
        }
        for reply, expected in replies.items():
            with self.subTest(reply=reply):
                self.tor.answer = lambda connection, command, r=reply: r
                self.assertEqual(self.client.command(b"GETINFO circuit-status"), expected)


if __name__ == "__main__":
    harness.main()
