#!/usr/bin/env python3
"""The log: what was decided and by which rule; never a secret, never a raw byte of a peer."""

import fcntl
import os
import re
import socket
import subprocess
import threading

import harness
from harness import KEY, profile, profile_place

PROFILE = profile("""
commands:
  GETINFO:
    - version
    - 'onions/current'
    - 'hs/client/desc/id/.*'
    - 'address-mappings/all'
    - 'x/.*'
  ADD_ONION:
    - pattern: '(.*) Port=80,(.*)'
      replacement: '{} Port=80,{client-address}:8080'
      response:
        - pattern: '250-PrivateKey=(.*)'
          replacement: '250-PrivateKey={}'
    - 'ED25519-V3:.*'
  DEL_ONION: ['.*']
  HSFETCH: ['.*']
  ONION_CLIENT_AUTH_ADD: ['.*']
  ONION_CLIENT_AUTH_VIEW: ['.*']
  MAPADDRESS: ['.*']
  RESOLVE: ['.*']
  '+LOADCONF': ['']
  '+HSPOST': ['.*']
  SIGNAL:
    - NEWNYM
  TAKEOWNERSHIP:
    - pattern: ''
      reply: ['250 OK']
confs:
  Bridge: ['', '.*']
  HashedControlPassword: ['.*']
  Socks5ProxyPassword: ['.*']
  HTTPSProxyAuthenticator: ['.*']
events:
  HS_DESC:
    response:
      - pattern: '650 HS_DESC (\\S+) .*'
        replacement: '650 HS_DESC {}'
  CONF_CHANGED:
  STREAM:
""")

ONION = b"secretonion" + b"b" * 44 + b"d"
X25519 = b"SECRETclientkey" + b"C" * 28 + b"="
SECRETS = [KEY, ONION, X25519, b"SECRETpassword", b"SECREThex".hex().encode(), b"SECRETbridge",
           b"SECRETcert", b"192.0.2.77", b"SECRETproxy", b"SECRETdata", b"SECRETvalue",
           b"secret.example", b"SECRETsocks", b"SECRETtor", b"16:SECRETHASH", b"SECRETcookie",
           b"SECRETkeyword" * 2]


class Secrets(harness.TestCase):
    def answer(self, connection, command):
        if command.startswith(b"ADD_ONION"):
            return (b"250-ServiceID=" + ONION + b"\r\n250-PrivateKey=ED25519-V3:" + KEY
                    + b"\r\n250 OK\r\n650 HS_DESC CREATED " + ONION + b" SECRETtor\r\n")
        if command.startswith(b"GETCONF"):
            return b"250-Bridge=obfs4 192.0.2.77:443 SECRETbridge\r\n250 Bridge=SECRETcert\r\n"
        if command.startswith(b"ONION_CLIENT_AUTH_VIEW"):
            return (b"250-ONION_CLIENT_AUTH_VIEW\r\n250-CLIENT " + ONION + b" x25519:" + X25519
                    + b"\r\n250 OK\r\n")
        if command.startswith(b"GETINFO onions"):
            return b"250-onions/current=" + ONION + b"\r\n250 OK\r\n"
        if command.startswith(b"GETINFO address"):
            return b"250+address-mappings/all=\r\nsecret.example 192.0.2.77\r\n.\r\n250 OK\r\n"
        if command.startswith((b"GETINFO x/", b"GETINFO hs")):
            return b"551 SECRETtor 192.0.2.77\r\n"
        if command.startswith(b"MAPADDRESS"):
            return b"250 secret.example=192.0.2.77\r\n"
        if command.startswith(b"SETEVENTS"):
            return (b"250 OK\r\n650 HS_DESC UPLOADED " + ONION + b" x\r\n650 HS_DESC \x1bSECRETtor\r\n"
                    b"650-CONF_CHANGED\r\n650-Bridge=SECRETbridge\r\n650 OK\r\n"
                    b'650 STREAM 1 NEW 0 secret.example:80 SOCKS_USERNAME="SECRETsocks"\r\n'
                    b"650 WARN SECRETtor\r\n")
        return harness.answer_as_tor(command)

    COMMANDS = (
        b"SETEVENTS HS_DESC CONF_CHANGED STREAM",
        b'AUTHENTICATE "SECRETpassword"', b'AUTHENTICATE\t"SECRETpassword"', b"SECRETpassword",
        b"ADD_ONION\tED25519-V3:" + KEY + b" Port=80,1", b"GETCONF SECRETpassword",
        b"RESETCONF SECRETvalue Bridge SECRETpassword=1",
        b"AUTHENTICATE " + b"SECREThex".hex().encode(),
        b"AUTHCHALLENGE SAFECOOKIE " + b"SECREThex".hex().encode(),
        b"ADD_ONION ED25519-V3:" + KEY + b" Port=80,1",
        b"ADD_ONION ED25519-V3:" + KEY + b" Port=81,10.0.0.1:22",
        b"ADD_ONION ED25519-V3:" + KEY + b" Port=81,secret.example:22",
        b"ADD_ONION ED25519-V3:" + KEY + b" ClientAuthV3=SECRETvalue Port=81,1 SECRETkeyword"
        + b"SECRETkeyword=1",
        b"ADD_ONION SECRETvalue", b"DEL_ONION " + ONION, b"DEL_ONION SECRETvalue",
        b"HSFETCH " + ONION, b"ONION_CLIENT_AUTH_ADD " + ONION + b" x25519:" + X25519,
        b"ONION_CLIENT_AUTH_ADD " + ONION + b" x25519:" + X25519 + b" ClientName=SECRETvalue",
        b"ONION_CLIENT_AUTH_VIEW " + ONION, b"ONION_CLIENT_AUTH_VIEW",
        b"ONION_CLIENT_AUTH_REMOVE " + ONION, b"MAPADDRESS secret.example=192.0.2.77",
        b"RESOLVE secret.example", b"GETINFO hs/client/desc/id/" + ONION,
        b"GETINFO hs/service/desc/id/" + ONION, b"GETINFO onions/current",
        b"GETINFO address-mappings/all", b"GETINFO x/SECRETvalue", b"GETINFO SECRETvalue",
        b'SETCONF Bridge="obfs4 192.0.2.77:443 SECRETbridge cert=SECRETcert"',
        b"SETCONF Bridge=SECRETbridge Socks5ProxyPassword=SECRETproxy",
        b"SETCONF HashedControlPassword=16:SECRETHASH HTTPSProxyAuthenticator=SECRETproxy",
        b"SETCONF ClientTransportPlugin=SECRETvalue", b"SETCONF Bridge=SECRETbridge SocksPort=1",
        b'SETCONF Bridge="SECRETbridge', b"GETCONF Bridge", b"RESETCONF Bridge=SECRETbridge",
        b"+LOADCONF\r\nBridge SECRETdata\r\n.", b"+HSPOST HSADDRESS=" + ONION
        + b"\r\nSECRETdata\r\n.", b"+POSTDESCRIPTOR purpose=SECRETvalue\r\nSECRETdata\r\n.",
        b"SIGNAL SECRETvalue", b"USEFEATURE SECRETvalue", b"SETEVENTS SECRETvalue",
        b"EXTENDCIRCUIT 0 SECRETvalue", b"ATTACHSTREAM 1 2 SECRETvalue", b"QUIT SECRETvalue",
    )

    def test_no_secret(self):
        """with --debug, nothing secret of either side is in the log"""
        tor = self.fake_tor(self.answer)
        gate = self.daemon(PROFILE, tor)
        for command in self.COMMANDS:
            with gate.connect() as client:
                client.send(b"SETEVENTS HS_DESC CONF_CHANGED STREAM\r\n" + command
                            + b"\r\nQUIT\r\n")
                client.rest()
        self.search(gate)

    def test_no_secret_in_trouble(self):
        """neither where tor's answer, its login or its end goes wrong"""
        path = harness.write(os.path.join(harness.fresh_dir("k"), "pw"), b"SECRETpassword")
        tor = self.fake_tor(login=harness.Login("HASHEDPASSWORD", password=b"SECRETpassword"))
        gate = self.daemon(PROFILE, tor, args=("--control-password-file", path))
        for answer in (b"250-SECRETtor\r\n250 OK\r\n", b"SECRETtor\r\n", b"999 SECRETtor\r\n",
                       b"250-version=\x1bSECRETtor\r\n", b"650 SECRETtor\r\n250 OK\r\n"):
            tor.answer = lambda connection, command, a=answer: a
            with gate.connect() as client:
                client.send(b"GETINFO x/SECRETvalue\r\nADD_ONION ED25519-V3:" + KEY + b" Port=80,1\r\n")
                client.rest()
        for greeting in (b"250-AUTH METHODS=SECRETtor\r\n250 OK\r\n", b"515 SECRETtor\r\n"):
            tor.login.protocolinfo = lambda g=greeting: g
            with gate.connect() as client:
                client.send(b"GETINFO version\r\n")
                client.message()
        self.search(gate)

    def search(self, gate):
        gate.stop()
        with open(gate.log_file, "rb") as file:
            log = file.read()
        self.assertGreater(len(log), 1000)
        self.assertEqual([], [s for s in SECRETS if s.lower() in log.lower()])
        self.assertNotIn(b"secret", re.sub(rb"/[^\s:]*", b"", log).lower())


class Lines(harness.TestCase):
    def setUp(self):
        self.tor = self.fake_tor()

    def line(self, gate, word):
        log = gate.wait_log(word)
        return [line for line in log.split("\n") if word in line][-1]

    def test_decisions(self):
        """allowed, rewritten, answered and rejected, each with the rule that decided"""
        gate = self.daemon(PROFILE, self.tor)
        client = self.connect(gate)
        path = os.path.join(gate.profile_dir, "app.yml")

        def place(needle):
            return "%s:%s" % (path, profile_place(PROFILE, needle))
        client.command(b"GETINFO version")
        self.assertRegex(self.line(gate, " allowed "),
                         r"allowed GETINFO version: " + re.escape(place("version")) + "$")
        client.command(b"ADD_ONION NEW:BEST Port=80,1")
        line = self.line(gate, " rewritten ")
        self.assertIn("ADD_ONION", line)
        self.assertIn("%s:%s:" % (path, place("pattern: '(.*) Port").split(":")[1]), line)
        client.command(b"TAKEOWNERSHIP")
        self.assertIn("TAKEOWNERSHIP", self.line(gate, "answered TAKEOWNERSHIP"))
        client.command(b"GETINFO address")
        self.assertRegex(self.line(gate, " rejected "), r"rejected GETINFO address: .")
        client.command(b"SETCONF SocksPort=1")
        self.assertRegex(self.line(gate, "rejected SETCONF"), r"rejected SETCONF SocksPort.*: .")

    def test_session_lines(self):
        """one line for the start and one for the end of a session, with who and why"""
        gate = self.daemon(PROFILE, self.tor, debug=False)
        with gate.connect() as client:
            client.command(b"GETINFO version")
            client.command(b"GETINFO address")
            client.command(b"QUIT")
            client.rest()
        gate.wait_log("ended:")
        lines = [line for line in gate.log().split("\n") if "session 2" in line or
                 "session 1 " in line]
        began = [line for line in lines if "began" in line]
        ended = [line for line in lines if "ended" in line]
        self.assertEqual((len(began), len(ended)), (1, 1), lines)
        self.assertIn("profile app", began[0])
        self.assertIn("uid %d" % os.getuid(), began[0])
        self.assertIn("pid %d" % os.getpid(), began[0])
        self.assertRegex(ended[0], "2 allowed.* 1 rejected")
        self.assertEqual(len([line for line in lines if "rejected GETINFO" in line]), 1)
        self.assertEqual([line for line in lines if " allowed GETINFO" in line], [])

    def test_peer_bytes_escaped(self):
        """what a client calls a command is not in the log; one line stays one line"""
        gate = self.daemon(PROFILE, self.tor)
        client = self.connect(gate)
        for line in (b"\x1b[31mFOO\x07", b"FOO\\x41 bar", b"\xff\xfe\xfd", b"\0\0", b"A\rB",
                     b"onion-grater: error: forged", b"X" * 9000):
            client.command(line)
        gate.wait_log("rejected")
        with open(gate.log_file, "rb") as file:
            log = file.read()
        self.assertEqual([], sorted({b for b in log if b != 10 and not 0x20 <= b <= 0x7e}))
        for line in log.decode().strip().split("\n"):
            self.assertRegex(line, r"^onion-grater: (debug|info|notice|warning|error): ")
            self.assertLess(len(line), 1000)
        self.assertIn(b"rejected (unknown command)", log)
        self.assertEqual([], [word for word in (b"FOO", b"forged", b"XXXX", b"31m") if word in log])

    def test_rate_limit(self):
        """a client that is refused without end fills no log; what was left out is counted"""
        gate = self.daemon(PROFILE, self.tor, debug=False)
        client = self.connect(gate)
        client.send(b"GETINFO address\r\n" * 2000)
        client.messages(2000)
        for _ in range(300):
            with gate.connect() as other:
                other.command(b"FOO")
        self.assertLess(len(gate.log().split("\n")), 150)
        gate.stop()
        left_out = [int(number) for number in re.findall(r"([0-9]+) more lines", gate.log())]
        self.assertGreater(sum(left_out), 2000)

    def test_rate_limit_debug(self):
        """with --debug, too, there is a limit: every line is written or counted"""
        gate = self.daemon(PROFILE, self.tor)
        client = self.connect(gate)
        count = 12000
        for _ in range(count // 50):
            client.send(b"GETINFO version\r\n" * 50)
            client.messages(50)
        client.close()
        gate.wait_log(" ended: ")
        gate.stop()
        left_out = sum(int(number) for number in re.findall(r"([0-9]+) more lines", gate.log()))
        log = gate.log()
        written = log.count(" allowed GETINFO version") + log.count(" from tor: ")
        self.assertGreater(left_out, 0)
        self.assertGreaterEqual(written, 2000)
        # Three lines a command; the login has some, too, and the harness looks whether the socket
        # is there.
        self.assertTrue(3 * count <= left_out + written <= 3 * count + 20, (left_out, written))


class Journal(harness.TestCase):
    """Under systemd, with a socket of ours in the place of the journal's."""

    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("only root can put a journal of its own in the place of the system's")
        self.gate = JournalDaemon(PROFILE, self.fake_tor())
        self.addCleanup(self.gate.stop)

    def test_entries(self):
        """what is about a client has fields"""
        with self.gate.connect() as client:
            client.command(b"GETINFO address")
            entry = self.gate.entry("rejected")
        self.assertRegex(entry["MESSAGE"], r"^session [0-9]+ \(profile app, uid 0\): rejected ")
        self.assertEqual([entry[name] for name in (
            "PRIORITY", "SYSLOG_IDENTIFIER", "OG_PROFILE", "OG_UID", "OG_COMMAND")],
            ["4", "onion-grater", "app", "0", "GETINFO address"])
        self.assertIn("session %s (" % entry["OG_SESSION"], entry["MESSAGE"])
        self.assertEqual(entry["OG_REASON"], "no rule allows these arguments")
        self.assertEqual(len(entry["MESSAGE_ID"]), 32)
        self.assertIn("ended: ", self.gate.entry("ended: ")["MESSAGE"])

    def test_profile(self):
        """a mistake in a profile has its place"""
        self.gate.put("bad.yml", "- name: bad\n  comands: {}\n")
        self.gate.reload()
        entry = self.gate.entry("comands")
        self.assertEqual(entry["OG_RULE"], os.path.join(self.gate.profile_dir, "bad.yml") + ":2:3")
        self.assertEqual(entry["PRIORITY"], "3")

    def test_hostile(self):
        """no byte of a client's or of a profile's begins another field"""
        self.gate.put("app.yml", profile("commands: {GETINFO: [version]}\nusers: ['0']",
                                         name='"app=x PRIORITY=0"', qualifiers="groups: ['*']",
                                         sock="{path: %s/app.sock}" % self.gate.runtime))
        self.gate.reload()
        self.gate.wait_log("reloaded: 1 profiles")
        with self.gate.connect() as client:
            client.command(b"GETINFO a\x0bPRIORITY=0\x00MESSAGE=forged")
            entry = self.gate.entry("rejected")
        self.assertEqual([entry["OG_PROFILE"], entry["PRIORITY"]], ["app=x PRIORITY=0", "4"])
        self.assertNotIn("forged", "".join(entry.values()))

    def test_lines_without_fields(self):
        """go where standard error goes, with their priority"""
        self.gate.wait_log("started: ")
        for line in self.gate.log().strip().split("\n"):
            self.assertRegex(line, r"^<[0-7]>")

    def test_no_journal(self):
        """is none there, nothing is lost"""
        self.gate.journal.close()
        since = len(self.gate.log())
        with self.gate.connect() as client:
            client.command(b"GETINFO address")
        self.gate.wait_log("rejected GETINFO address", since)


class JournalDaemon(harness.Daemon):
    """In a mount namespace where /run/systemd/journal holds `journal`, and told that its standard
    error output is a journal's stream."""

    HIDE = ("mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && "
            "mount --bind \"$0\" /run/systemd/journal && exec \"$@\"")

    def start(self, sockets):
        folder = harness.fresh_dir("j", 0o755)
        self.journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.journal.bind(os.path.join(folder, "socket"))
        self.journal.settimeout(harness.scaled(10))
        harness.write(self.log_file, "")
        status = os.stat(self.log_file)
        self.env["JOURNAL_STREAM"] = "%d:%d" % (status.st_dev, status.st_ino)
        self.arguments = ["unshare", "--mount", "--propagation", "private", "sh", "-c", self.HIDE,
                          folder] + self.arguments
        super().start(sockets)

    def entry(self, text):
        """The next entry whose message has the text."""
        while True:
            lines = self.journal.recv(65536).decode("ascii").rstrip("\n").split("\n")
            fields = [line.split("=", 1) for line in lines]
            entry = dict(fields)
            if len(entry) != len(fields):
                raise AssertionError("a field twice: %r" % lines)
            if text in entry["MESSAGE"]:
                return entry


class UnreadDaemon(harness.Daemon):
    """Its standard error output is a small pipe that nobody reads before read_log()."""

    def start(self, sockets):
        harness.write(self.log_file, "")
        self.pipe, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 16384)
        with os.fdopen(writer, "wb") as stderr:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL,
                                            stdout=stderr, stderr=stderr, env=self.env)
        for name in sockets:
            harness.wait_until(lambda n=name: self._is_serving(n), "the daemon's socket " + name)

    def read_log(self):
        """Copies the pipe to the log file from now on."""
        def copy():
            with open(self.log_file, "ab", 0) as log, os.fdopen(self.pipe, "rb", 0) as source:
                for data in iter(lambda: source.read(65536), b""):
                    log.write(data)
        self.reader = threading.Thread(target=copy, daemon=True)
        self.reader.start()


class Unread(harness.TestCase):
    def test_nobody_reads(self):
        """a log that nobody reads holds no client; what was lost is counted"""
        gate = UnreadDaemon(PROFILE, self.fake_tor())
        self.addCleanup(gate.stop)
        client = self.connect(gate)
        count = 1000
        for _ in range(count):
            self.assertEqual(client.command(b"GETINFO version"), harness.VERSION_REPLY)
        self.assert_works(gate)
        gate.read_log()
        # The reader may come after the next line.
        harness.wait_until(lambda: client.command(b"GETINFO version") and
                           "lines could not be written" in gate.log(), "the count")
        lost = int(re.search("warning: ([0-9]+) lines could not be written", gate.log()).group(1))
        self.assertGreater(lost, count // 2)
        gate.stop()
        gate.reader.join(harness.scaled(10))
        self.assertIn("stopping", gate.log())


if __name__ == "__main__":
    harness.main()
