#!/usr/bin/env python3
"""Dialogues of real programs as they were recorded, with their habits at the byte level."""

import socket

import harness
from harness import FILTERED, KEY, SERVICE, VERSION_REPLY

OK = b"250 OK\r\n"
CLOSING = b"250 closing connection\r\n"
GREETING = (b'250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n'
            b'250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n')
STORED = b"ED25519-V3:" + KEY
NEW_ONION = (b"250-ServiceID=" + SERVICE + b"\r\n250-PrivateKey=ED25519-V3:" + KEY
             + b"\r\n250 OK\r\n")
OLD_ONION = b"250-ServiceID=" + SERVICE + b"\r\n250 OK\r\n"


class Clients(harness.TestCase):
    def start(self, body, answer=None):
        self.tor = self.fake_tor(answer)
        self.gate = self.daemon(harness.profile(body), self.tor)
        return self.connect(self.gate)

    def dialogue(self, client, *pairs):
        for sent, expected in pairs:
            client.send(sent)
            self.assertEqual(client.message(), expected, "after %r" % sent)

    def test_tor_ctrl(self):
        """tor-ctrl: a probe, then PROTOCOLINFO and QUIT, then all in one write with bare LF"""
        self.start("commands:\n  SIGNAL: [NEWNYM]\n  GETINFO: [version]\n").close()
        with self.gate.connect() as client:
            client.send(b"PROTOCOLINFO\nQUIT\n")
            self.assertEqual(client.rest(), GREETING + CLOSING)
        with self.gate.connect() as client:
            client.send(b'AUTHENTICATE ""\nSIGNAL NEWNYM\nGETINFO version\nGETINFO address\nQUIT\n')
            client.half_close()
            self.assertEqual(client.rest(), OK + OK + VERSION_REPLY + FILTERED + CLOSING)
        self.assertEqual(self.tor.commands, [b"SIGNAL NEWNYM\r\n", b"GETINFO version\r\n"])

    def test_lnd(self):
        """lnd: a space behind the last argument, and its health check"""
        client = self.start("""
commands:
  ADD_ONION: ['(NEW:ED25519-V3|ED25519-V3:[A-Za-z0-9+/=]+) Port=9735,9735']
  DEL_ONION: ['[a-z2-7]{56}']
  GETINFO: ['onions/current']
""")
        self.dialogue(
            client, (b"PROTOCOLINFO 1\r\n", GREETING), (b'AUTHENTICATE ""\r\n', OK),
            (b"ADD_ONION NEW:ED25519-V3 Port=9735,9735 \r\n", NEW_ONION),
            (b"GETINFO onions/current\r\n",
             b"250-onions/current=value of onions/current\r\n250 OK\r\n"),
            (b"DEL_ONION " + SERVICE + b"\r\n", OK),
            (b"ADD_ONION " + STORED + b" Port=9735,9735 \r\n", OLD_ONION))
        self.assertEqual(self.tor.commands[0],
                         b"ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735\r\n")

    def test_tor_browser(self):
        """Tor Browser: lower case, an empty secret, its events and client keys"""
        onion = SERVICE
        client = self.start("""
commands:
  SIGNAL: [NEWNYM]
  GETINFO: ['circuit-status', 'ns/id/[0-9A-F]{40}', 'ip-to-country/[0-9a-f.:]+']
  ONION_CLIENT_AUTH_ADD: ['[a-z2-7]{56} x25519:[A-Za-z0-9+/]{43}=(?: Flags=Permanent)?']
  ONION_CLIENT_AUTH_REMOVE: ['[a-z2-7]{56}']
  ONION_CLIENT_AUTH_VIEW: ['']
confs:
  bridge:
events:
  CIRC:
  STREAM:
""")
        self.dialogue(
            client, (b"authenticate \r\n", OK), (b"SETEVENTS CIRC STREAM\r\n", OK),
            (b"GETINFO circuit-status\r\n",
             b"250-circuit-status=value of circuit-status\r\n250 OK\r\n"),
            (b"GETCONF BRIDGE\r\n", b"250 bridge=1\r\n"),
            (b"onion_client_auth_add " + onion + b" x25519:" + b"B" * 43 + b"=\r\n", OK),
            (b"onion_client_auth_add " + onion + b" x25519:" + b"B" * 43
             + b"= Flags=Permanent\r\n", OK),
            (b"onion_client_auth_view\r\n", OK),
            (b"onion_client_auth_remove " + onion + b"\r\n", OK),
            (b"signal NEWNYM\r\n", OK))
        self.assertEqual(self.tor.commands[1:3],
                         [b"GETINFO circuit-status\r\n", b"GETCONF bridge\r\n"])
        self.assertEqual(self.tor.commands[5], b"ONION_CLIENT_AUTH_VIEW\r\n")

    def test_bine(self):
        """bine: PROTOCOLINFO without a version, several keys in one command"""
        client = self.start("""
commands:
  GETINFO:
    - version
    - pattern: 'status/bootstrap-phase'
      reply: ['250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"', '250 OK']
    - pattern: 'net/listeners/socks'
      response:
        - pattern: '250-net/listeners/socks=.*'
          replacement: '250-net/listeners/socks="127.0.0.1:9150"'
confs:
  SocksPort:
  DisableNetwork:
""")
        self.dialogue(
            client, (b"PROTOCOLINFO\r\n", GREETING), (b"AUTHENTICATE\r\n", OK),
            (b"GETINFO version status/bootstrap-phase net/listeners/socks\r\n",
             b'250-version=0.4.9.11\r\n250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 '
             b'TAG=done SUMMARY="Done"\r\n250-net/listeners/socks="127.0.0.1:9150"\r\n250 OK\r\n'),
            (b"GETCONF SocksPort DisableNetwork\r\n",
             b"250-SocksPort=1\r\n250 DisableNetwork=1\r\n"))
        self.assertEqual(self.tor.commands[0], b"GETINFO version net/listeners/socks\r\n")

    def test_bitcoind(self):
        """bitcoind: two commands back to back; 512 for proof of work makes it try without"""
        client = self.start("""
commands:
  GETINFO: ['net/listeners/socks']
  ADD_ONION:
    - pattern: '.* PoWDefensesEnabled=1 .*'
      reply: ['512 Unrecognized option']
    - 'NEW:ED25519-V3 Port=8333,127\\.0\\.0\\.1:8334'
""")
        self.dialogue(client, (b"PROTOCOLINFO 1\r\n", GREETING), (b"AUTHENTICATE\r\n", OK))
        client.send(b"GETINFO net/listeners/socks\r\nADD_ONION NEW:ED25519-V3 "
                    b"PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\r\n")
        self.assertEqual(client.messages(2),
                         [b"250-net/listeners/socks=value of net/listeners/socks\r\n250 OK\r\n",
                          b"512 Unrecognized option\r\n"])
        self.dialogue(client, (b"ADD_ONION NEW:ED25519-V3 Port=8333,127.0.0.1:8334\r\n", NEW_ONION))

    def test_onionshare(self):
        """OnionShare: the probe with a constant key, a service with client authorisation"""
        client = self.start("""
commands:
  GETINFO: [version, 'onions/current']
  ADD_ONION:
    - '(?:NEW:ED25519-V3|ED25519-V3:[A-Za-z0-9+/=]+)(?: Flags=V3Auth)? Port=(?:1,1|80,176[0-5][0-9])(?: ClientAuthV3=[0-9A-Z]+)?'
  DEL_ONION: ['.+']
confs:
  hiddenservicesinglehopmode:
  __owningcontrollerprocess:
events:
  SIGNAL: {suppress: true}
  CONF_CHANGED: {suppress: true}
  STATUS_SERVER: {suppress: true}
  HS_DESC:
""")
        self.dialogue(
            client, (b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER\r\n", OK),
            (b"GETCONF __owningcontrollerprocess\r\n", b"250 __owningcontrollerprocess=1\r\n"),
            (b"GETCONF hiddenservicesinglehopmode\r\n", b"250 hiddenservicesinglehopmode=1\r\n"),
            (b"ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=1,1 "
             b"ClientAuthV3=E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA\r\n", NEW_ONION),
            (b"DEL_ONION " + SERVICE + b"\r\n", OK),
            (b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER HS_DESC\r\n", OK),
            (b"ADD_ONION NEW:ED25519-V3 Port=80,17601\r\n", NEW_ONION),
            (b"ADD_ONION " + STORED + b" Flags=V3Auth Port=80,17602 ClientAuthV3=" + b"A" * 52
             + b"\r\n", OLD_ONION))
        self.assertIn(b"SETEVENTS HS_DESC\r\n", self.tor.commands)
        self.tor.connections[0].send(b"650 HS_DESC UPLOADED x UNKNOWN y\r\n650 SIGNAL NEWNYM\r\n"
                                     b"650 HS_DESC FAILED x UNKNOWN y\r\n")
        self.assertEqual(client.messages(2), [b"650 HS_DESC UPLOADED x UNKNOWN y\r\n",
                                              b"650 HS_DESC FAILED x UNKNOWN y\r\n"])

    def test_onion_circuits(self):
        """Onion Circuits: events added one by one, a space behind CLOSECIRCUIT's argument"""
        client = self.start("""
commands:
  GETINFO: [version, 'circuit-status', 'stream-status']
  CLOSECIRCUIT: ['\\d+ ']
confs:
  __owningcontrollerprocess:
events:
  SIGNAL: {suppress: true}
  CONF_CHANGED: {suppress: true}
  STATUS_SERVER: {suppress: true}
  STREAM:
  CIRC:
""")
        self.dialogue(
            client, (b"SETEVENTS \r\n", OK), (b"SETEVENTS SIGNAL\r\n", OK),
            (b"SETEVENTS SIGNAL CONF_CHANGED\r\n", OK),
            (b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER CIRC\r\n", OK),
            (b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER CIRC STREAM\r\n", OK),
            (b"CLOSECIRCUIT 230 \r\n", OK))
        self.assertEqual(self.tor.commands, [b"SETEVENTS CIRC\r\n", b"SETEVENTS CIRC STREAM\r\n",
                                             b"CLOSECIRCUIT 230 \r\n"])

    def test_sparrow(self):
        """Sparrow: SIGNAL NEWNYM and gone, the reply unread: the command is carried out"""
        self.start("commands:\n  SIGNAL: [NEWNYM]\n").close()
        for number in range(20):
            with self.gate.connect() as client:
                client.send(b'AUTHENTICATE ""\r\nSIGNAL NEWNYM\r\n')
            self.tor.wait_commands(number + 1)
        self.assertEqual(set(self.tor.commands), {b"SIGNAL NEWNYM\r\n"})

    def test_half_close(self):
        """half-close right after the last command: carried out and answered, then the end"""
        self.start("commands:\n  SIGNAL: [NEWNYM]\n  GETINFO: [version]\n").close()
        for data, expected in (
                (b"GETINFO version\r\n", VERSION_REPLY),
                (b"SIGNAL NEWNYM\r\nGETINFO version\r\nGETINFO address\r\n",
                 OK + VERSION_REPLY + FILTERED),
                (b"GETINFO version\r\n" * 100, VERSION_REPLY * 100),
                (b"GETINFO version\r\nSIGNAL NEW", VERSION_REPLY), (b"", b""), (b"SIGNAL", b"")):
            with self.subTest(data=data[:40]), self.gate.connect() as client:
                client.send(data)
                client.half_close()
                self.assertEqual(client.rest(), expected)

    def test_one_write_replies(self):
        """Eclair takes one read for one reply: a short reply is one write, however tor cuts it"""
        def answer(connection, command):
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            for line in harness.answer_as_tor(command).split(b"\r\n")[:-1]:
                for part in (line[:5], line[5:], b"\r", b"\n"):
                    connection.send(part)
                    harness.time.sleep(0.002)
        client = self.start("commands:\n  ADD_ONION: ['.*']\n  GETINFO: [version, uptime]\n", answer)
        for line, expected in (
                (b"PROTOCOLINFO 1\r\n", GREETING),
                (b"AUTHENTICATE\r\n", OK),
                (b"ADD_ONION NEW:ED25519-V3 Port=9735,9735\r\n", NEW_ONION),
                (b"GETINFO version uptime\r\n",
                 b"250-version=0.4.9.11\r\n250-uptime=value of uptime\r\n250 OK\r\n")):
            for _ in range(5):
                client.send(line)
                self.assertEqual(client.recv(), expected)

    def test_pipeline(self):
        """500 commands in one write, allowed and refused mixed: every answer in its place"""
        client = self.start("commands:\n  GETINFO: ['ns/name/n[0-9]+']\n  SIGNAL: [NEWNYM]\n")
        sent, expected = [], []
        for number in range(500):
            kind = number * 7919 % 5
            name = b"ns/name/n%d" % number
            line, reply = (
                (b"GETINFO " + name, b"250-%s=value of %s\r\n250 OK\r\n" % (name, name)),
                (b"GETINFO address", FILTERED), (b"SIGNAL NEWNYM", OK), (b"AUTHENTICATE", OK),
                (b"NOSUCH %d" % number, FILTERED))[kind]
            sent.append(line + (b"\r\n" if number % 3 else b"\n"))
            expected.append(reply)
        client.socket.settimeout(None)
        client.send(b"".join(sent) + b"QUIT\r\n")
        client.socket.settimeout(client.timeout)
        self.assertEqual(client.messages(500), expected)
        self.assertEqual(client.rest(), CLOSING)
        self.assertEqual(len(self.tor.commands), 200)

    def test_many_getconf(self):
        """txtorcon: some 355 GETCONF, one after the other"""
        client = self.start("confs:\n" + "".join("  Option%d:\n" % n for n in range(355)))
        for number in range(355):
            self.assertEqual(client.command(b"GETCONF option%d" % number),
                             b"250 Option%d=1\r\n" % number)

    def test_hspost(self):
        """onionbalance: +HSPOST with some 200 lines"""
        client = self.start("commands:\n  '+HSPOST': ['.*HSADDRESS=[a-z2-7]{56}']\n")
        data = b"".join(b"line %d %s\r\n" % (n, b"x" * 60) for n in range(200))
        command = (b"+HSPOST SERVER=" + b"A" * 40 + b" SERVER=" + b"B" * 40 + b" HSADDRESS="
                   + SERVICE + b"\r\n" + data + b".\r\n")
        self.dialogue(client, (command, OK))
        self.assertEqual(self.tor.commands, [command])


if __name__ == "__main__":
    harness.main()
