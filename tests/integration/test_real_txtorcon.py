#!/usr/bin/env python3
"""txtorcon of Debian, unmodified, through its shipped profile: a program on it makes an onion
service, fetches from it through tor, and takes it away."""

import os
import re
import sys

import harness
import realapp

PAGE = b"a page of a program on txtorcon"
PROGRAM = '''
import sys
import txtorcon
from twisted.internet import defer, endpoints, task
from twisted.web import client, resource, server


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        return %r


async def main(reactor, path, wanted):
    tor = await txtorcon.connect(reactor, endpoints.UNIXClientEndpoint(reactor, path))
    print("version", tor.protocol.version, flush=True)
    if wanted == "service":
        port = await tor.create_onion_endpoint(80, version=3).listen(server.Site(Page()))
        service = port.getHost().onion_uri
        print("onion", service, flush=True)
        url = "http://%%s/" %% service
    else:
        url = wanted
    response = await tor.web_agent().request(b"GET", url.encode())
    print("body", (await client.readBody(response)).decode(), flush=True)
    if wanted == "service":
        await port.onion_service.remove()
        print("removed", flush=True)
    await tor.protocol.signal("NEWNYM")
    print("done", flush=True)


task.react(lambda reactor: defer.ensureDeferred(main(reactor, *sys.argv[1:])))
''' % PAGE

# Each is asked for by a method of the library, and refused.
NOSY = '''
import sys
import txtorcon
from twisted.internet import defer, endpoints, task


async def main(reactor, path):
    tor = await txtorcon.connect(reactor, endpoints.UNIXClientEndpoint(reactor, path))
    protocol = tor.protocol
    for question in (
            lambda: protocol.get_info("address"), lambda: protocol.get_info("entry-guards"),
            lambda: protocol.set_conf("ControlPort", "1"), lambda: protocol.signal("RELOAD"),
            tor.create_state,
            lambda: tor.create_filesystem_onion_service([(80, 40000)], "/nonexistent", version=3)):
        try:
            await question()
            print("got it", flush=True)
        except Exception as error:
            print("refused:", error, flush=True)
    print("done", bool(protocol.transport.connected), flush=True)


task.react(lambda reactor: defer.ensureDeferred(main(reactor, *sys.argv[1:])))
'''


class Txtorcon(realapp.TestCase):
    PROFILE = SOCKET = "txtorcon"
    GRANTED = ("SIGNAL NEWNYM", "GETINFO onions/detached")
    ALSO_REFUSED = (
        "GETCONF SocksPolicy", "GETCONF SocksPort Bridge", "SETCONF SocksPort=1",
        "ADD_ONION NEW:BEST Port=80,17600", "ADD_ONION NEW:BEST Port=22,40000",
        "ADD_ONION NEW:BEST Flags=NonAnonymous Port=80,40000", "SETEVENTS NEWCONSENSUS",
        "SETEVENTS CONF_CHANGED ADDRMAP", "SETCONF __LeaveStreamsUnattached=1",
    )

    def run_program(self, text, *arguments):
        script = harness.write(os.path.join(harness.fresh_dir("t"), "program.py"), text)
        return self.application([realapp.python_with("txtorcon"), script, *arguments])

    def test_onion_service(self):
        """an onion service, fetched through tor by the same program, and removed"""
        tap = self.tap()
        program = self.run_program(PROGRAM, tap.path, "service")
        onion = program.wait_output(r"^onion ([a-z2-7]{56})\.onion$").group(1)
        program.wait_output("^body %s$" % PAGE.decode())
        program.wait_output("^removed$")
        program.wait_output("^done$")
        self.assertEqual(program.wait_end(), 0, program.output())
        self.assertFalse(self.at_tor("GETINFO hs/service/desc/id/" + onion).startswith(b"250"))
        self.assertTrue(tap.has(b"ADD_ONION NEW:ED25519-V3"))
        self.assertTrue(tap.has(b"DEL_ONION " + onion.encode()))
        # Of tor's options it read the one that it needs.
        self.assertEqual({command.strip().upper() for command in tap.commands()
                          if command.startswith(b"GETCONF")}, {b"GETCONF SOCKSPORT"})
        self.assertEqual([], [command for command, reply in tap.exchanges()
                              if reply == harness.FILTERED])
        events = [message for message in tap.messages() if message.startswith(b"650")]
        self.assertTrue([event for event in events if b" UPLOADED " + onion.encode() in event])
        self.assertEqual(set(realapp.ONION.findall(b"".join(events))), {onion.encode()})
        self.assert_got_nothing(tap.to_client())

    def test_fetch(self):
        """a page of somebody else's onion service, without a tap"""
        realapp.fetch(self.tor, self.other + ".onion")
        program = self.run_program(PROGRAM, self.socket_path, "http://%s.onion/" % self.other)
        program.wait_output("^body somebody else's page$")
        program.wait_output("^done$")
        self.assertEqual(program.wait_end(), 0, program.output())

    def test_nosy(self):
        """what the library can ask for besides is refused, and the program goes on"""
        with self.tor.login() as direct:
            direct.command(b"SETEVENTS SIGNAL CONF_CHANGED")
            program = self.run_program(NOSY, self.socket_path)
            program.wait_output("^done True$")
            self.assertTrue(direct.is_silent(0.2), direct.received)
        self.assertEqual(len(re.findall("^refused: .*Command filtered", program.output(), re.M)), 6,
                         program.output())
        self.assertNotIn("got it", program.output())


if __name__ == "__main__":
    if realapp.python_with("txtorcon") is None:
        print("1..0 # SKIP python3-txtorcon is not installed (tests/install-deps apps)")
        sys.exit(0)
    realapp.main(Txtorcon)
