#!/usr/bin/env python3
"""onionshare-cli of Debian, unmodified, through its shipped profile on a private tor network:
shares, drop boxes, persistent shares; what it publishes is fetched through tor."""

import base64
import glob
import json
import os
import re

import harness
import realapp
from realapp import fetch

ADDRESS = r"http://([a-z2-7]{56})\.onion"
PRIVATE_KEY = r"Private key: ([A-Z2-7]{52})"


class OnionShare(realapp.TestCase):
    PROFILE = "onionshare"
    PROGRAMS = ("onionshare-cli",)
    ALSO_REFUSED = (
        "ADD_ONION NEW:ED25519-V3 Port=80,17599", "ADD_ONION NEW:ED25519-V3 Port=80,17651",
        "ADD_ONION NEW:ED25519-V3 Port=80,0.0.0.0:17600",
        "ADD_ONION NEW:ED25519-V3 Port=80,17600 Port=22,22",
        "ADD_ONION NEW:ED25519-V3 Flags=V3Auth,Detach Port=80,17600",
        "ADD_ONION NEW:BEST Port=443,17600", "GETCONF SocksPort", "SIGNAL ACTIVE",
        "SETCONF HiddenServiceSingleHopMode=1", "GETINFO status/bootstrap-phase",
    )
    test_somebody_else = None  # it is for everybody

    def share(self, socket_path, *arguments, home=None):
        """Starts it as a user does who chose "Connect using socket file" in its settings."""
        home = home or harness.fresh_dir("h")
        settings = os.path.join(home, ".config", "onionshare", "onionshare.json")
        os.makedirs(os.path.dirname(settings), exist_ok=True)
        harness.write(settings, json.dumps({
            "connection_type": "socket_file", "auth_type": "no_auth",
            "socket_file_path": socket_path}))
        return self.application(["onionshare-cli", "--config", settings, *arguments], home=home)

    def published(self, onionshare):
        onion = onionshare.wait_output(ADDRESS).group(1)
        self.assertTrue(self.is_at_tor(onion))
        return onion

    def is_at_tor(self, onion):
        return self.at_tor("GETINFO hs/service/desc/id/" + onion).startswith(b"250")

    def file(self, content):
        return harness.write(os.path.join(harness.fresh_dir("f"), "letter.txt"), content)

    def download(self, onion):
        host = onion + ".onion"
        self.assertIn(b"letter.txt", fetch(self.tor, host))
        return fetch(self.tor, host, "/download")

    def allow_visitor(self, onion, key):
        """What the recipient of a private address does."""
        key = base64.b64encode(base64.b32decode(key + "====")).decode()
        reply = self.at_tor("ONION_CLIENT_AUTH_ADD %s x25519:%s" % (onion, key))
        self.assertRegex(reply, b"^25[02] ")

    def assert_gone(self, onion):
        harness.wait_until(lambda: not self.is_at_tor(onion), "the service to be gone from tor")

    def test_share(self):
        """a public share is downloaded through its onion service, which ends with the program"""
        content = os.urandom(200000).hex()
        onionshare = self.share(self.socket_path, "--public", self.file(content))
        onion = self.published(onionshare)
        self.assertEqual(self.download(onion).decode(), content)
        onionshare.wait_output("transfer is complete")
        onionshare.interrupt()
        onionshare.wait_end()
        self.assert_gone(onion)

    def test_receive(self):
        """a private drop box: a visitor with the key sends a file; nothing of others is seen"""
        tap = self.tap()
        inbox = harness.fresh_dir("i")
        onionshare = self.share(tap.path, "--receive", "--data-dir", inbox)
        onion = self.published(onionshare)
        key = onionshare.wait_output(PRIVATE_KEY).group(1)
        host = onion + ".onion"
        with self.assertRaises(OSError, msg="without the key"):
            realapp.http(self.tor.socks[0], host, b"GET / HTTP/1.0\r\n\r\n")
        self.allow_visitor(onion, key)
        fetch(self.tor, host)
        body = (b'--cut\r\nContent-Disposition: form-data; name="file[]"; filename="gift.txt"\r\n'
                b"Content-Type: text/plain\r\n\r\na gift\r\n--cut--\r\n")
        status, _ = realapp.http(self.tor.socks[0], host, (
            b"POST /upload HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n"
            b"Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
            % (host.encode(), len(body))) + body)
        self.assertEqual(status, 302)
        found = harness.wait_until(lambda: glob.glob(inbox + "/*/*/gift.txt"), "the file")
        with open(found[0], "rb") as file:
            self.assertEqual(file.read(), b"a gift")
        onionshare.interrupt()
        onionshare.wait_end()
        self.assert_gone(onion)
        self.assertTrue(tap.has(b"SETEVENTS") and tap.has(b"DEL_ONION " + onion.encode()))
        self.assert_granted(tap)
        self.assert_sees_own(tap, onion)

    def test_persistent(self):
        """a persistent share has the same address again, by a key that the program stored"""
        home, file = harness.fresh_dir("h"), self.file("again")
        onions = []
        for run in range(2):
            tap = self.tap()
            onionshare = self.share(tap.path, "--public", "--persistent", home + "/session",
                                    "--no-autostop-sharing", file, home=home)
            onions.append(self.published(onionshare))
            self.assertEqual(self.download(onions[-1]), b"again")
            onionshare.interrupt()
            onionshare.wait_end()
            self.assert_gone(onions[-1])
            self.assert_granted(tap)
            self.assert_sees_own(tap, onions[-1])
            added = [command for command in tap.commands() if b" Port=80," in command]
            self.assertEqual(len(added), 1)
            self.assertEqual(added[0].startswith(b"ADD_ONION ED25519-V3:"), run == 1)
            # The key is the program's own, and it is told once.
            self.assertEqual(len(re.findall(rb"250-PrivateKey=", tap.to_client())), 2 - run)
        self.assertEqual(onions[0], onions[1])

    def assert_granted(self, tap):
        """The program asked for nothing that the profile does not have."""
        self.assertEqual([], [command for command, reply in tap.exchanges()
                              if reply == harness.FILTERED])

    def assert_sees_own(self, tap, onion):
        self.assert_got_nothing(tap.to_client())
        probe = b"ClientAuthV3=E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"
        probes = {realapp.ONION.search(reply).group().decode() for command, reply in tap.exchanges()
                  if probe in command}
        events = [message for message in tap.messages() if message.startswith(b"650")]
        self.assertTrue([event for event in events if b" UPLOADED " in event], events)
        seen = {word.decode() for event in events for word in realapp.ONION.findall(event)}
        self.assertLessEqual(seen, {onion} | probes)
        # Relays are left out.
        self.assertNotIn(b"$", b"".join(events))

    def test_services_of_others(self):
        """of somebody else's service there is no event and no state, and it cannot be deleted"""
        with self.tor.login() as direct, self.gate.connect(self.SOCKET) as client:
            direct.command(b"SETEVENTS HS_DESC")
            self.assertEqual(client.command(b"SETEVENTS HS_DESC"), b"250 OK\r\n")
            other = self.add_onion(direct, b"Flags=DiscardPK", self.other_server.port).encode()
            while True:
                message = direct.message()
                if b" UPLOADED " + other in message:
                    break
            client.send(b"ADD_ONION NEW:ED25519-V3 Port=80,17650\r\n")
            own = None
            while own is None or b" UPLOADED " + own not in message:
                message = client.message()
                if message.startswith(b"250-ServiceID="):
                    own = realapp.ONION.search(message).group()
            client.send(b"GETINFO onions/current\r\n")
            while not message.startswith(b"250"):
                message = client.message()
            self.assertEqual(message, b"250-onions/current=%s\r\n250 OK\r\n" % own)
            self.assertNotIn(other, client.received)
        self.assertEqual(fetch(self.tor, self.other + ".onion"), b"somebody else's page")


if __name__ == "__main__":
    realapp.main(OnionShare)
