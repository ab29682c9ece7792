#!/usr/bin/env python3
"""Onion Circuits of Debian, unmodified, in a virtual X server through its shipped profile: its
window shows circuits and streams, without what tells applications apart."""

import re
import subprocess

import harness
import realapp


class OnionCircuits(realapp.TestCase):
    PROFILE = SOCKET = "onioncircuits"
    PROGRAMS = ("onioncircuits", "Xvfb", "xdotool")
    GRANTED = ("GETINFO circuit-status", "GETINFO stream-status", "CLOSECIRCUIT 1",
               "SETEVENTS STREAM", "SETEVENTS CIRC")
    ALSO_REFUSED = (
        "CLOSECIRCUIT 1 IfUnused", "CLOSESTREAM 1 1", "SETEVENTS CIRC STREAM BW",
        "SETEVENTS CIRC ADDRMAP", "GETINFO onions/current", "GETINFO traffic/read",
        "SETCONF UseMicrodescriptors=0", "GETCONF EntryNodes",
    )

    def start(self, path):
        server = self.application(["Xvfb", "-displayfd", "1", "-screen", "0", "1024x768x24",
                                   "-nolisten", "tcp", "-noreset"])
        self.display = ":" + server.wait_output("^([0-9]+)$").group(1)
        return self.application(["onioncircuits"], env={
            "DISPLAY": self.display, "TOR_CONTROL_SOCKET": path, "NO_AT_BRIDGE": "1",
            "GDK_BACKEND": "x11", "GSETTINGS_BACKEND": "memory"})

    def xdotool(self, *arguments):
        """What it prints, or None if it fails."""
        done = subprocess.run(["xdotool", *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
                              env={"PATH": realapp.PATH, "DISPLAY": self.display},
                              timeout=harness.scaled(30), check=False)
        return done.stdout.decode() if done.returncode == 0 else None

    def window(self, application):
        return application.wait(lambda: self.xdotool("search", "--name", "^Onion Circuits$"),
                                "the window").split()[-1]

    def focus(self, application, window):
        application.wait(lambda: self.xdotool("windowfocus", window) is not None
                         and self.xdotool("getwindowfocus") == window + "\n", "the focus")

    def close(self, application, window):
        self.focus(application, window)
        self.xdotool("key", "ctrl+q")
        self.assertEqual(application.wait_end(), 0)

    def test_window(self):
        """opens its window, and its key closes it"""
        circuits = self.start(self.socket_path)
        self.close(circuits, self.window(circuits))
        self.assertNotIn("Traceback", circuits.output())

    def test_circuits(self):
        """gets circuits and streams, looks up the relays of the chosen one; sees no names"""
        tap = self.tap()
        circuits = self.start(tap.path)
        window = self.window(circuits)
        circuits.wait(lambda: tap.has(b"GETINFO stream-status"), "what it asks at its start")
        with realapp.SecretStream(self.tor) as stream:
            with self.tor.login() as direct:
                harness.wait_until(lambda: stream.shows(direct), "the stream to be at tor")
                direct.command(b"EXTENDCIRCUIT 0")
                direct.command(b"HSFETCH " + self.other.encode())
            circuits.wait(lambda: re.search(rb"650 CIRC [0-9]+ BUILT", tap.to_client()),
                          "a circuit's event")
            circuits.wait(lambda: b"SUCCEEDED" in tap.to_client()
                          and stream.target.encode() in tap.to_client(), "the stream's event")

            def choose_next():
                self.xdotool("key", "Down")
                return tap.has(b"GETINFO ip-to-country/")
            self.focus(circuits, window)
            circuits.wait(choose_next, "a relay to be looked up")
        circuits.wait(lambda: re.search(rb"650 STREAM [0-9]+ CLOSED", tap.to_client()),
                      "the stream's end")
        self.close(circuits, window)
        self.assertNotIn("Traceback", circuits.output())

        replies = list(tap.exchanges())
        self.assertEqual([], [command for command, reply in replies if reply == harness.FILTERED])
        listed = b"".join(reply for command, reply in replies
                          if command == b"GETINFO circuit-status\r\n")
        self.assertRegex(listed, rb"(?m)^(250-circuit-status=)?[0-9]+ BUILT \$[0-9A-F]{40}~[a-z]+")
        self.assertTrue([command for command, reply in replies
                         if re.match(rb"GETINFO ns/id/[0-9A-F]{40}\r\n", command)
                         and b"\r\nr " in reply])
        # The circuits of somebody else's onion service are there, its address is not.
        self.assertIn(b"PURPOSE=HS_SERVICE_INTRO", listed)
        self.assert_got_nothing(tap.to_client(), "SOURCE_ADDR",
                                *(word.decode() for word in stream.secrets))


if __name__ == "__main__":
    realapp.main(OnionCircuits)
