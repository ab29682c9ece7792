#!/usr/bin/env python3
"""onionbalance of Debian, unmodified, through its shipped profile: with a backend on another tor of
the private network it publishes the descriptor of the common address, and that is fetched."""

import os
import re
import subprocess

import harness
import realapp
from harness import scaled

PAGE = b"a page of the backend"


class Onionbalance(realapp.TestCase):
    PROFILE = SOCKET = "onionbalance"
    PROGRAMS = ("onionbalance", "onionbalance-config")
    GRANTED = ("SIGNAL NEWNYM", "HSFETCH {other}")
    ALSO_REFUSED = (
        "SIGNAL DORMANT", "GETINFO dir/status-vote/current/consensus", "GETINFO md/all address",
        "GETINFO desc/all-recent", "HSFETCH {other} SERVER=127.0.0.1", "HSPOST HSADDRESS={other}",
        "SETEVENTS HS_DESC STREAM", "SETEVENTS STATUS_GENERAL", "GETCONF HiddenServiceOptions",
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = harness.fresh_dir("c")
        subprocess.run([realapp.program("onionbalance-config"), "--hs-version", "v3", "-n", "1",
                        "--no-interactive", "--output", cls.directory], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cls.directory,
                       timeout=scaled(60), check=True)
        cls.config = os.path.join(cls.directory, "config.yaml")
        with open(cls.config, encoding="ascii") as file:
            config = file.read()
        cls.frontend = re.search("key: ([a-z2-7]{56})\\.key", config).group(1)
        cls.backend = cls.start_backend()
        harness.write(cls.config, re.sub("address: .*", "address: %s.onion" % cls.backend, config))

    @classmethod
    def start_backend(cls):
        """The tor of a backend that knows the common address; its own address."""
        server = realapp.WebServer(PAGE)
        cls.addClassCleanup(server.stop)
        directory = harness.fresh_dir("b")
        harness.write(os.path.join(directory, "ob_config"),
                      "MasterOnionAddress %s.onion\n" % cls.frontend)
        cls.net.client(socks=(), torrc=[
            "HiddenServiceDir " + directory, "HiddenServicePort 80 127.0.0.1:%d" % server.port,
            "HiddenServiceOnionBalanceInstance 1"])
        with open(os.path.join(directory, "hostname"), encoding="ascii") as file:
            return file.read().partition(".")[0]

    def test_publish(self):
        """fetches the backend's descriptor, publishes its own; a visitor gets the backend's page"""
        onionbalance = self.application([
            "onionbalance", "-s", self.socket_path, "-c", self.config, "--is-testnet",
            "-v", "debug"])
        onionbalance.wait_output("Onionbalance initialized")
        onionbalance.wait_output("This is the first time we see a descriptor for instance "
                                 + self.backend, 60)
        onionbalance.wait(lambda: "allowed +HSPOST" in self.gate.log(), "it to publish", 60)
        page = realapp.fetch(self.tor, self.frontend + ".onion")
        self.assertEqual(page, PAGE)
        output = onionbalance.output()
        self.assertNotIn("Traceback", output)
        self.assertNotIn(self.other, output)
        lines = self.session_of(onionbalance)
        self.assertEqual([], [line for line in lines if "rejected" in line])

    def test_services_of_others(self):
        """what others look for is not seen; what it asked for itself is, with the descriptor"""
        with self.tor.login() as direct, self.gate.connect(self.SOCKET) as client:
            direct.command(b"SETEVENTS HS_DESC")
            self.assertEqual(client.command(b"SETEVENTS HS_DESC HS_DESC_CONTENT"), b"250 OK\r\n")
            other, backend = self.other.encode(), self.backend.encode()
            self.until(direct, b"HSFETCH " + other, b" RECEIVED " + other)
            content = self.until(client, b"HSFETCH " + backend, b"650+HS_DESC_CONTENT " + backend)
            self.assertIn(b"hs-descriptor 3\r\n", content)
            self.assertNotIn(other, client.received)

    @staticmethod
    def until(client, command, expected):
        """Sends a command until an event tells what it was for."""
        def attempt():
            client.send(command + b"\r\n")
            while True:
                message = client.message()
                if expected in message:
                    return message
                if b" FAILED " in message:
                    return None
        return harness.wait_until(attempt, repr(expected), 30)


if __name__ == "__main__":
    realapp.main(Onionbalance)
