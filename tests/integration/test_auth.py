#!/usr/bin/env python3
"""How the program logs in to tor: every method, and every way in which that can go wrong."""

import os
import resource

import harness
from harness import Login, VERSION_REPLY

PROFILE = harness.profile("""
commands:
  GETINFO: [version]
""")
COOKIE = bytes(range(100, 132))
LOGIN_FAILED = rb"^551 tor is not reachable: onion-grater could not log in to tor\r\n"


class Methods(harness.TestCase):
    def ask(self, tor, args=(), expected=VERSION_REPLY):
        """The daemon for this tor, and what a client's question gives."""
        gate = self.daemon(PROFILE, tor, args=args)
        client = self.connect(gate)
        reply = client.command(b"GETINFO version")
        if isinstance(expected, bytes) and not expected.startswith(b"^"):
            self.assertEqual(reply, expected)
        else:
            self.assertRegex(reply, expected)
        return gate, client

    def cookie_tor(self, methods, content=COOKIE, **kwargs):
        """A tor with its cookie beside its control socket, where the daemon may read."""
        path = os.path.join(harness.fresh_dir("k"), "cookie")
        if content is not None:
            harness.write(path, content)
        return self.fake_tor(login=Login(methods, cookie=COOKIE, cookie_file=path, **kwargs),
                             path=os.path.join(os.path.dirname(path), "control"))

    def login_words(self, tor):
        return [command.split()[0] for command in tor.connections[-1].login]

    def test_null(self):
        """NULL: a bare AUTHENTICATE"""
        tor = self.fake_tor()
        self.ask(tor)
        self.assertEqual(tor.connections[0].login[:2],
                         [b"PROTOCOLINFO 1\r\n", b"AUTHENTICATE\r\n"])

    def test_null_before_others(self):
        """a tor that lets everybody in gets no secret"""
        tor = self.cookie_tor("NULL,COOKIE,SAFECOOKIE")
        tor.login.accepts = lambda command: command == b"AUTHENTICATE\r\n"
        self.ask(tor)

    def test_cookie_alone(self):
        """COOKIE, where tor offers nothing better"""
        tor = self.cookie_tor("COOKIE")
        gate, _ = self.ask(tor)
        self.assertEqual(tor.connections[0].login[1].strip().lower(),
                         b"authenticate " + COOKIE.hex().encode())
        self.assertNotIn(COOKIE.hex(), gate.log().lower())

    def test_safecookie(self):
        """SAFECOOKIE goes before COOKIE; the cookie itself is never sent"""
        tor = self.cookie_tor("COOKIE,SAFECOOKIE")
        gate, _ = self.ask(tor)
        self.assertEqual(self.login_words(tor)[:3],
                         [b"PROTOCOLINFO", b"AUTHCHALLENGE", b"AUTHENTICATE"])
        self.assertNotIn(COOKIE.hex().encode(), tor.connections[0].raw.lower())
        with gate.connect() as client:
            client.command(b"GETINFO version")
        nonces = {connection.login[1] for connection in tor.connections}
        self.assertEqual(len(nonces), 2, "the same nonce twice")

    def test_wrong_server_hash(self):
        """a tor that does not know the cookie gets no proof of ours"""
        tor = self.cookie_tor("COOKIE,SAFECOOKIE", lies=True)
        gate, client = self.ask(tor, expected=LOGIN_FAILED)
        self.assertNotIn(b"AUTHENTICATE", self.login_words(tor))
        self.assertNotIn(COOKIE.hex().encode(), tor.connections[0].raw.lower())
        gate.wait_log("tor does not know the cookie")
        tor.login.lies = False
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    def test_bad_challenge_answers(self):
        """a challenge answer that does not parse gets no proof"""
        good_hash, good_nonce = b"SERVERHASH=" + b"A" * 64, b"SERVERNONCE=" + b"B" * 64
        answers = (b"250 OK\r\n", b"250 AUTHCHALLENGE\r\n", b"250 AUTHCHALLENGE " + good_hash
                   + b"\r\n", b"250 AUTHCHALLENGE " + good_nonce + b"\r\n",
                   b"250 AUTHCHALLENGE " + good_hash[:-1] + b" " + good_nonce + b"\r\n",
                   b"250 AUTHCHALLENGE " + good_hash + b"A " + good_nonce + b"\r\n",
                   b"250 AUTHCHALLENGE " + good_hash + b" " + good_nonce[:-2] + b"\r\n",
                   b"250 AUTHCHALLENGE SERVERHASH=" + b"Z" * 64 + b" " + good_nonce + b"\r\n",
                   b"513 no\r\n", b"250-AUTHCHALLENGE " + good_hash + b" " + good_nonce
                   + b"\r\n250 OK\r\n", b"hello\r\n", b"250 AUTHCHALLENGE \0\r\n")
        tor = self.cookie_tor("SAFECOOKIE")
        gate = self.daemon(PROFILE, tor)
        for answer in answers:
            with self.subTest(answer=answer), gate.connect() as client:
                tor.login.challenge = lambda command, a=answer: a
                self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
                self.assertNotIn(b"AUTHENTICATE", self.login_words(tor))
        tor.login.challenge = Login.challenge.__get__(tor.login)
        self.assert_works(gate)

    def test_cookie_file_faults(self):
        """a cookie file that is missing, of the wrong size or no file: 551, and the reason logged"""
        def directory(path):
            os.unlink(path)
            os.mkdir(path)

        def fifo(path):
            os.unlink(path)
            os.mkfifo(path)
        faults = (("missing", os.unlink, "No such file"),
                  ("empty", lambda path: harness.write(path, b""), "0 bytes"),
                  ("short", lambda path: harness.write(path, COOKIE[:31]), "31 bytes"),
                  ("long", lambda path: harness.write(path, COOKIE + b"x"), "33 bytes"),
                  ("huge", lambda path: harness.write(path, b"x" * 10000000), "cookie"),
                  ("a directory", directory, "cookie"), ("a FIFO", fifo, "cookie"))
        for name, spoil, reason in faults:
            with self.subTest(name):
                tor = self.cookie_tor("COOKIE,SAFECOOKIE")
                spoil(tor.login.cookie_file)
                gate, client = self.ask(tor, expected=LOGIN_FAILED)
                log = gate.wait_log("no login to tor")
                self.assertIn(reason, [line for line in log.split("\n") if "no login" in line][0])
                self.assertEqual(self.login_words(tor), [b"PROTOCOLINFO"])
                gate.stop()
                client.close()

    def test_cookie_mended(self):
        """the file is read anew for every login"""
        tor = self.cookie_tor("COOKIE", content=None)
        gate, client = self.ask(tor, expected=LOGIN_FAILED)
        harness.write(tor.login.cookie_file, COOKIE)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        tor.login.cookie = os.urandom(32)
        harness.write(tor.login.cookie_file, tor.login.cookie)
        self.assert_works(gate)

    def test_cookie_unreadable(self):
        """a cookie that may not be read"""
        if os.getuid() == 0:
            self.skipTest("root may read everything")
        tor = self.cookie_tor("COOKIE,SAFECOOKIE")
        os.chmod(tor.login.cookie_file, 0)
        gate, _ = self.ask(tor, expected=LOGIN_FAILED)
        gate.wait_log("Permission denied")

    def test_cookie_path_option(self):
        """--control-cookie-path goes before what tor says"""
        tor = self.cookie_tor("SAFECOOKIE")
        other = harness.write(os.path.join(harness.fresh_dir("k"), "c"), COOKIE)
        harness.write(tor.login.cookie_file, b"wrong" * 7)
        self.ask(tor, args=("--control-cookie-path", other))

    def test_password(self):
        """HASHEDPASSWORD with the password from a file, whatever is in it"""
        for number, password in enumerate((b"simple", b'qu"ote\\', b" spaces ", b"\xc3\xa9",
                                           b"x" * 500)):
            with self.subTest(password=password):
                tor = self.fake_tor(login=Login("HASHEDPASSWORD", password=password))
                path = harness.write(os.path.join(harness.scratch(), "pw%d" % number),
                                     password + b"\n")
                gate, client = self.ask(tor, args=("--control-password-file", path))
                self.assertNotIn(password.decode("latin-1"), gate.log())
                self.assertNotIn(password.hex(), gate.log().lower())
                client.close()
                gate.stop()

    def test_password_first_line(self):
        """the password ends with the first line, whoever wrote the file"""
        contents = (b"secret1", b"secret1\n", b"secret1\r\n", b"secret1\nnote\n",
                    b"secret1\r\nnote\r\n", b"secret1\n\n")
        tor = self.fake_tor(login=Login("HASHEDPASSWORD", password=b"secret1"))
        path = harness.write(os.path.join(harness.fresh_dir("k"), "pw"), b"")
        gate = self.daemon(PROFILE, tor, args=("--control-password-file", path))
        for content in contents:
            with self.subTest(content=content):
                harness.write(path, content)
                self.assert_works(gate)
        for content in (b"secret1\r\r\n", b"secret1 \n", b"\nsecret1\n", b"\r\nsecret1", b"\n"):
            with self.subTest(content=content):
                harness.write(path, content)
                with gate.connect() as client:
                    self.assertRegex(client.command(b"GETINFO version"), LOGIN_FAILED)

    def test_own_shortage(self):
        """without a descriptor for tor or its cookie it is not tor that is blamed"""
        tor = self.cookie_tor("COOKIE")
        gate = self.daemon(PROFILE, tor)
        client = self.connect(gate)
        self.assertEqual(client.command(b"AUTHENTICATE"), b"250 OK\r\n")
        _, hard = resource.prlimit(gate.pid, resource.RLIMIT_NOFILE)
        replies = []
        for files in range(3, 100):
            resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, (files, hard))
            replies.append(client.command(b"GETINFO version"))
            if replies[-1] == VERSION_REPLY:
                break
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self.assertEqual(replies[-1], VERSION_REPLY)
        self.assertRegex(replies[0], rb"^551 tor is not reachable: onion-grater has no descriptor")
        self.assertRegex(replies[-2], LOGIN_FAILED)
        log = gate.wait_log("logged in to tor")
        self.assertEqual(log.count("no descriptor is left for a connection to tor; raise LimitNOFILE"),
                         1)
        self.assertRegex(log, "debug: session .*tor's cookie .*: Too many open files; this is "
                         "onion-grater's own shortage: raise LimitNOFILE")
        self.assertNotIn("cannot be reached", log)
        self.assertNotIn("no login to tor", log)

    def test_own_shortage_of_cookie(self):
        """the same where only the cookie's descriptor is missing: one warning, tor's state stays"""
        tor = self.cookie_tor("COOKIE")
        gate = self.daemon(PROFILE, tor)
        first, client = self.connect(gate), self.connect(gate)
        self.assertEqual(first.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(client.command(b"AUTHENTICATE"), b"250 OK\r\n")
        _, hard = resource.prlimit(gate.pid, resource.RLIMIT_NOFILE)
        if os.getuid() != 0:
            self.skipTest("only root may count the daemon's descriptors")
        used = {int(name) for name in os.listdir("/proc/%d/fd" % gate.pid)}
        free = min(set(range(len(used) + 1)) - used)
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, (free + 1, hard))
        for _ in range(5):
            self.assertRegex(client.command(b"GETINFO version"), LOGIN_FAILED)
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, (hard, hard))
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        log = gate.log()
        self.assertEqual(log.count("warning: tor's cookie"), 1)
        self.assertEqual(log.count("logged in to tor"), 1)
        self.assertNotIn("no login to tor", log)

    def test_password_faults(self):
        """no password file, an empty one, one that everybody may read, a wrong password"""
        directory = harness.fresh_dir("k")
        files = (("none", None, None), ("missing", "missing", None), ("empty", b"", 0o600),
                 ("open", b"secret1", 0o644), ("wrong", b"secret2", 0o600))
        for name, content, mode in files:
            with self.subTest(name):
                tor = self.fake_tor(login=Login("HASHEDPASSWORD", password=b"secret1"))
                args = ()
                if content is not None:
                    path = os.path.join(directory, name)
                    if mode:
                        harness.write(path, content, mode)
                    args = ("--control-password-file", path)
                gate, client = self.ask(tor, args=args, expected=LOGIN_FAILED)
                gate.wait_log("no login to tor")
                self.assertNotIn("secret", gate.log())
                client.close()
                gate.stop()

    def test_nothing_known(self):
        """a tor that offers nothing we know, or nothing at all"""
        for methods in ("GSSAPI", "", "null"):
            with self.subTest(methods=methods):
                tor = self.fake_tor(login=Login(methods))
                gate, client = self.ask(tor, expected=rb"^551 ")
                gate.wait_log("no login to tor")
                self.assertNotIn(b"AUTHENTICATE", self.login_words(tor))
                client.close()
                gate.stop()

    def test_refused(self):
        """a tor that refuses our login: 551, and a later one works"""
        tor = self.fake_tor()
        tor.login.accepts = lambda command: False
        gate, client = self.ask(tor, expected=LOGIN_FAILED)
        gate.wait_log("code 515")
        tor.login.accepts = lambda command: True
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    def test_tcp(self):
        """tor behind tcp:127.0.0.1:PORT"""
        self.ask(self.fake_tor(tcp=True))


class RealTor(harness.TestCase):
    """The methods as a real tor has them."""

    def setUp(self):
        if harness.tor_program() is None:
            self.skipTest("no tor program found (Debian: tor)")

    def ask(self, tor, args=()):
        client = self.connect(self.daemon(PROFILE, tor, args=args))
        self.assertRegex(client.command(b"PROTOCOLINFO 1"), rb'VERSION Tor="[0-9]+\.[0-9]+\.')
        self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=[0-9.]+")
        return client

    def test_null(self):
        """a tor without authentication"""
        self.ask(self.real_tor("null"))

    def test_safecookie(self):
        """a tor with its cookie, also with the next one after a restart"""
        tor = self.real_tor("cookie")
        client = self.ask(tor)
        tor.kill()
        tor.start()
        self.assertRegex(client.command(b"GETINFO version"), rb"^(250-version|551)")
        self.assertRegex(client.command(b"GETINFO version"), rb"^250-version")

    def test_password(self):
        """a tor with a password"""
        path = harness.write(os.path.join(harness.fresh_dir("k"), "pw"),
                             harness.RealTor.PASSWORD)
        self.ask(self.real_tor("password"), args=("--control-password-file", path))

    def test_tcp(self):
        """a control port on 127.0.0.1, with the cookie"""
        tor = self.real_tor("cookie", tcp=True)
        self.ask(tor, args=("--control-cookie-path", tor.cookie_file))


if __name__ == "__main__":
    harness.main()
