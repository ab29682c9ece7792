#!/usr/bin/env python3
"""Whose an onion service is, with a real tor; and logging in with a cookie file of the program's."""

import base64
import os
import stat

import harness
from harness import FILTERED

ONIONS = """
commands:
  GETINFO: [version]
onions:
  create:
    virtual-ports: [80]
    targets: [8080]
    flags: [Detach, DiscardPK]
    max-services: 4
  delete: own
  events: own
  fetch: true
  client-auth-keys: own
"""
PROFILES = harness.profile(ONIONS, "one") + harness.profile(ONIONS, "two")
ADD = b"ADD_ONION NEW:BEST Flags=DiscardPK Port=80,8080\r\n"
DETACH = b"ADD_ONION NEW:BEST Flags=DiscardPK,Detach Port=80,8080\r\n"


def service_of(reply):
    if not reply.startswith(b"250-ServiceID="):
        raise AssertionError("no service: %r" % reply)
    return reply.split(b"\r\n")[0].partition(b"=")[2]


class Onions(harness.TestCase):
    def setUp(self):
        self.tor = self.real_tor()
        self.gate = self.daemon(PROFILES, self.tor, sockets=("one", "two"))

    def add(self, client, command=ADD):
        client.send(command)
        return service_of(client.message())

    def detached(self):
        """The services that tor says are detached."""
        with self.tor.login() as direct:
            reply = direct.command(b"GETINFO onions/detached")
        return {word for word in reply.replace(b"=", b"\r\n").split() if len(word) == 56}

    def assert_refused(self, client, command):
        self.assertEqual(client.command(command), FILTERED, command)

    def test_own_service(self):
        """made and removed in one segment, by its address, which the client knows beforehand"""
        client = self.connect(self.gate, "one")
        with self.tor.login() as direct:
            reply = direct.command(b"ADD_ONION NEW:BEST Port=80,8080")
            service, key = service_of(reply), reply.split(b"PrivateKey=")[1].split(b"\r\n")[0]
            self.assertEqual(direct.command(b"DEL_ONION " + service), b"250 OK\r\n")
        client.send(b"ADD_ONION " + key + b" Port=80,8080\r\nDEL_ONION " + service
                    + b"\r\nDEL_ONION " + service + b"\r\nGETINFO version\r\n")
        self.assertEqual(service_of(client.message()), service)
        self.assertEqual(client.message(), b"250 OK\r\n")
        self.assertEqual(client.message(), FILTERED)
        self.assertRegex(client.message(), b"^250-version=")
        self.gate.wait_log("rejected DEL_ONION ...: the onion service is not the client's own")

    def test_other_sessions(self):
        """a service of a connection is this session's alone, and ends with it"""
        first, second = self.connect(self.gate, "one"), self.connect(self.gate, "one")
        service = self.add(first)
        self.assert_refused(second, b"DEL_ONION " + service)
        self.assert_refused(self.connect(self.gate, "two"), b"DEL_ONION " + service)
        self.assertEqual(first.command(b"DEL_ONION " + service), b"250 OK\r\n")

    def test_detached_service(self):
        """a detached service is its profile's, whichever session, and nobody else's"""
        first = self.connect(self.gate, "one")
        services = [self.add(first, DETACH) for _ in range(3)]
        first.close()
        other = self.connect(self.gate, "two")
        for service in services:
            self.assert_refused(other, b"DEL_ONION " + service)
        self.assertEqual(self.detached(), set(services))
        # Its login asks tor for the list: with three entries, and then with one and none.
        while services:
            with self.gate.connect("one") as second:
                self.assertEqual(second.command(b"DEL_ONION " + services[0]), b"250 OK\r\n")
                self.assert_refused(second, b"DEL_ONION " + services[0])
            services.pop(0)
            self.assertEqual(self.detached(), set(services))

    def test_detached_with_tor(self):
        """a detached service is gone with tor, not with our connection to it"""
        client = self.connect(self.gate, "one")
        service = self.add(client, DETACH)
        self.tor.kill()
        self.tor.start()

        def answer():
            reply = client.command(b"GETINFO version")
            return reply if reply.startswith(b"250") else None
        harness.wait_until(answer, "tor to be back")
        self.assert_refused(client, b"DEL_ONION " + service)
        self.assertEqual(self.detached(), set())

    def test_max_services(self):
        """the limit counts what is on its way, and what other sessions have detached"""
        first, second = self.connect(self.gate, "one"), self.connect(self.gate, "one")
        self.add(first, DETACH)
        second.send(ADD * 5)
        replies = second.messages(5)
        services = [service_of(reply) for reply in replies[:3]]
        self.assertEqual(replies[3:], [FILTERED] * 2)
        second.send(b"DEL_ONION " + services[0] + b"\r\n" + ADD + ADD)
        self.assertEqual(second.message(), b"250 OK\r\n")
        service_of(second.message())
        self.assertEqual(second.message(), FILTERED)
        self.add(self.connect(self.gate, "two"))

    def test_last_words(self):
        """a client that closes behind its command: the command is carried out"""
        client = self.connect(self.gate, "one")
        service = self.add(client, DETACH)
        client.send(b"DEL_ONION " + service + b"\r\n")
        client.close()
        harness.wait_until(lambda: not self.detached(), "the service to be gone")

    def test_keys(self):
        """keys for others' services: each profile sees and removes its own"""
        with self.tor.login() as direct:
            service = service_of(direct.command(b"ADD_ONION NEW:BEST Port=80,8080"))
            other = service_of(direct.command(b"ADD_ONION NEW:BEST Port=80,8080"))
        key = b" x25519:" + base64.b64encode(os.urandom(32))
        one, two = self.connect(self.gate, "one"), self.connect(self.gate, "two")
        one.send(b"ONION_CLIENT_AUTH_ADD " + service + key + b"\r\nONION_CLIENT_AUTH_VIEW "
                 + service + b"\r\n")
        self.assertEqual(one.message(), b"250 OK\r\n")
        self.assertIn(b"CLIENT " + service + key, one.message())
        self.assert_refused(two, b"ONION_CLIENT_AUTH_ADD " + service + key)
        self.assert_refused(two, b"ONION_CLIENT_AUTH_VIEW " + service)
        self.assert_refused(two, b"ONION_CLIENT_AUTH_REMOVE " + service)
        self.assertEqual(two.command(b"ONION_CLIENT_AUTH_ADD " + other + key), b"250 OK\r\n")
        for client, mine, theirs in ((one, service, other), (two, other, service)):
            listing = client.command(b"ONION_CLIENT_AUTH_VIEW")
            self.assertIn(mine, listing)
            self.assertNotIn(theirs, listing)
        one.close()
        again = self.connect(self.gate, "one")
        self.assertEqual(again.command(b"ONION_CLIENT_AUTH_REMOVE " + service), b"250 OK\r\n")
        self.assertEqual(again.command(b"ONION_CLIENT_AUTH_VIEW"),
                         b"250-ONION_CLIENT_AUTH_VIEW\r\n250 OK\r\n")


class Cookies(harness.TestCase):
    PROFILE = harness.profile("auth: {cookie: true}\ncommands:\n  GETINFO: [version]\n")
    PLAIN = harness.profile("commands:\n  GETINFO: [version]\n")

    def path(self, gate, name="app"):
        return os.path.join(gate.runtime, name + ".cookie")

    def read(self, gate, name="app"):
        with open(self.path(gate, name), "rb") as file:
            return file.read()

    def reload(self, gate):
        since = len(gate.log())
        gate.reload()
        gate.wait_log("reloaded", since)

    def test_file(self):
        """32 random bytes that everybody may read, gone with the daemon"""
        gate, other = self.daemon(self.PROFILE), self.daemon(self.PROFILE)
        self.assertEqual(len(self.read(gate)), 32)
        self.assertNotEqual(self.read(gate), self.read(other))
        self.assertEqual(stat.S_IMODE(os.stat(self.path(gate)).st_mode), 0o644)
        self.assertEqual(sorted(os.listdir(gate.runtime)),
                         ["admin.sock", "app.cookie", "app.sock", "control.sock"])
        gate.stop()
        self.assertEqual(os.listdir(gate.runtime), [])

    def test_rights(self):
        """where the socket has a group, that group reads the file"""
        group = os.getgroups()[0] if os.getgroups() else os.getgid()
        gate = self.daemon(harness.profile("auth: {cookie: true}",
                                           sock="{group: '%d'}" % group))
        status = os.stat(self.path(gate))
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_gid), (0o640, group))

    def test_reload(self):
        """the cookie lives as long as its profile asks for it"""
        gate = self.daemon(self.PROFILE)
        cookie, inode = self.read(gate), os.stat(self.path(gate)).st_ino
        self.reload(gate)
        self.assertEqual((self.read(gate), os.stat(self.path(gate)).st_ino), (cookie, inode))
        os.unlink(self.path(gate))
        self.reload(gate)
        self.assertEqual(self.read(gate), cookie)
        with gate.connect() as client:
            gate.put("app.yml", self.PLAIN)
            self.reload(gate)
            self.assertFalse(os.path.exists(self.path(gate)))
            # The session goes on as it began.
            self.assertIn(b"SERVERHASH=", client.command(b"AUTHCHALLENGE SAFECOOKIE 00"))
        with gate.connect() as client:
            self.assertNotIn(b"COOKIE", client.command(b"PROTOCOLINFO 1"))
            self.assertEqual(client.command(b"AUTHCHALLENGE SAFECOOKIE 00"), FILTERED)
        gate.put("app.yml", self.PROFILE)
        self.reload(gate)
        self.assertNotEqual(self.read(gate), cookie)
        gate.remove("app.yml")
        self.reload(gate)
        self.assertEqual(sorted(os.listdir(gate.runtime)), ["admin.sock", "control.sock"])

    def test_leftovers(self):
        """a file of a former run is replaced; one that belongs to somebody else stays"""
        gate = self.daemon(self.PROFILE)
        gate.process.kill()
        gate.process.wait()
        cookie = self.read(gate)
        harness.write(self.path(gate) + ".new", b"half")
        gate.start(("app",))
        self.assertNotEqual(self.read(gate), cookie)
        # While both exist they cannot have the same inode.
        os.replace(harness.write(self.path(gate) + ".other", b"another program's"), self.path(gate))
        gate.stop()
        self.assertEqual(os.listdir(gate.runtime), ["app.cookie"])

    def test_no_file(self):
        """where the file cannot be made, no cookie is offered, and the log says why"""
        gate = self.daemon(self.PLAIN)
        os.mkdir(self.path(gate))
        gate.put("app.yml", self.PROFILE)
        self.reload(gate)
        gate.wait_log("the cookie file %s cannot be made" % self.path(gate))
        with gate.connect() as client:
            self.assertNotIn(b"COOKIE", client.command(b"PROTOCOLINFO 1"))
        self.assertFalse(os.path.exists(self.path(gate) + ".new"))

    def controller(self, gate):
        import stem.control
        controller = stem.control.Controller.from_socket_file(gate.socket_path())
        self.addCleanup(controller.close)
        return controller

    def test_stem(self):
        """stem's SAFECOOKIE and COOKIE with that file, a real tor behind"""
        import stem.connection
        gate = self.daemon(self.PROFILE, self.real_tor("cookie"))
        info = stem.connection.get_protocolinfo(self.controller(gate))
        self.assertEqual(info.cookie_path, self.path(gate))
        for login in (stem.connection.authenticate_safecookie,
                      stem.connection.authenticate_cookie):
            with self.subTest(login=login.__name__):
                controller = self.controller(gate)
                login(controller, self.path(gate))
                self.assertTrue(controller.get_version())
        controller = self.controller(gate)
        controller.authenticate()
        self.assertTrue(controller.get_version())

    def test_stem_wrong_file(self):
        """with another file stem finds out that it does not talk to whom it thinks"""
        import stem.connection
        gate = self.daemon(self.PROFILE)
        wrong = harness.write(os.path.join(harness.fresh_dir(), "cookie"), os.urandom(32))
        with self.assertRaises(stem.connection.AuthSecurityFailure):
            stem.connection.authenticate_safecookie(self.controller(gate), wrong)

    def test_secret(self):
        """the cookie is in no log"""
        gate = self.daemon(self.PROFILE)
        cookie = self.read(gate).hex()
        with gate.connect() as client:
            client.command(b"AUTHENTICATE " + cookie.encode())
            client.command(b"AUTHCHALLENGE SAFECOOKIE " + cookie.encode())
        self.assertNotIn(cookie, gate.log().lower())


if __name__ == "__main__":
    harness.main(needs=("tor", "stem"))
