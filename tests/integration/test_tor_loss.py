#!/usr/bin/env python3
"""tor goes away and comes back under live sessions."""

import time

import harness
from harness import FILTERED, LOST, VERSION_REPLY

OK = b"250 OK\r\n"
ABSENT = b"551 tor is not reachable"

PROFILE = harness.profile("""
commands:
  GETINFO: [version, uptime, 'onions/current', 'md/all']
  SIGNAL: [NEWNYM]
  ADD_ONION: ['NEW:ED25519-V3 (?:Flags=Detach )?Port=80']
  DEL_ONION: ['[a-z2-7]{56}']
  TAKEOWNERSHIP: ['']
  DROPOWNERSHIP: ['']
events:
  SIGNAL:
  BW:
  CONF_CHANGED:
    suppress: true
""")


class RealLoss(harness.TestCase):
    """A real tor, killed and started again."""

    def setUp(self):
        self.tor = self.real_tor()
        self.gate = self.daemon(PROFILE, self.tor)

    def wait_signal(self, client):
        """Lets tor make SIGNAL events until the client gets one."""
        with self.tor.login() as direct:
            def got_one():
                self.assertEqual(direct.command(b"SIGNAL CLEARDNSCACHE"), OK)
                return not client.is_silent(0.05)
            harness.wait_until(got_one, "an event after the restart")
        self.assertEqual(client.message(), b"650 SIGNAL CLEARDNSCACHE\r\n")

    def test_events_again(self):
        """a session gets its events again, after each restart, without a word of its own"""
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS CONF_CHANGED SIGNAL"), OK)
        self.wait_signal(client)
        for _ in range(2):
            self.tor.kill()
            self.tor.start()
            self.wait_signal(client)
            while not client.is_silent(0.1):
                self.assertEqual(client.message(), b"650 SIGNAL CLEARDNSCACHE\r\n")
            self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=0\.")

    def test_owner_is_closed(self):
        """a session with an onion service is closed; one that only asks goes on"""
        owner, other = self.connect(self.gate), self.connect(self.gate)
        self.assertRegex(owner.command(b"ADD_ONION NEW:ED25519-V3 Port=80"), rb"^250-ServiceID=")
        self.assertRegex(other.command(b"GETINFO version"), rb"^250-version=")
        self.tor.kill()
        self.assertEqual(owner.rest(), b"")
        self.gate.wait_log("onion service")
        self.assertRegex(other.command(b"GETINFO version"), ABSENT)
        self.tor.start()
        self.assertRegex(other.command(b"GETINFO version"), rb"^250-version=")

    def test_no_service_left(self):
        """a detached service, or one that was removed, closes nobody"""
        client = self.connect(self.gate)
        reply = client.command(b"ADD_ONION NEW:ED25519-V3 Port=80")
        service = reply.split(b"\r\n")[0].split(b"=")[1]
        self.assertEqual(client.command(b"DEL_ONION " + service), OK)
        self.assertRegex(client.command(b"ADD_ONION NEW:ED25519-V3 Flags=Detach Port=80"),
                         rb"^250-ServiceID=")
        self.tor.kill()
        self.assertRegex(client.command(b"GETINFO version"), ABSENT)
        self.tor.start()
        self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=")

    def test_absent_at_start(self):
        """tor is not there when the daemon starts: 551 at once, and later it works"""
        self.tor.kill()
        gate = self.daemon(PROFILE, self.tor)
        client = self.connect(gate)
        self.assertRegex(client.command(b"PROTOCOLINFO 1"), rb"METHODS=NULL,HASHEDPASSWORD\r\n")
        self.assertEqual(client.command(b"AUTHENTICATE"), OK)
        start = time.monotonic()
        for _ in range(3):
            self.assertRegex(client.command(b"GETINFO version"), ABSENT)
        self.assertEqual(client.command(b"GETINFO address"), FILTERED)
        self.assertLess(time.monotonic() - start, harness.scaled(2))
        self.tor.start()
        self.assertRegex(client.command(b"GETINFO version"), rb"^250-version=0\.")


class ScriptedLoss(harness.TestCase):
    """A scripted tor that counts what it got."""

    def setUp(self):
        self.answers = True
        self.tor = self.fake_tor(
            lambda connection, command:
            harness.answer_as_tor(command) if self.answers else None)
        self.gate = self.daemon(PROFILE, self.tor)

    def lose(self):
        for connection in list(self.tor.connections):
            connection.close()

    def test_in_flight(self):
        """commands on their way are answered 551, in their turn; none is sent twice"""
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.answers = False
        client.send(b"GETINFO uptime\r\nGETINFO address\r\nSIGNAL NEWNYM\r\nAUTHENTICATE\r\n"
                    b"GETINFO uptime version\r\n")
        self.tor.wait_commands(4)
        self.assertTrue(client.is_silent(0.05))
        self.lose()
        self.assertEqual(client.messages(5), [LOST, FILTERED, LOST, OK, LOST])
        self.answers = True
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(self.tor.commands,
                         [b"GETINFO version\r\n", b"GETINFO uptime\r\n", b"SIGNAL NEWNYM\r\n",
                          b"GETINFO uptime version\r\n", b"GETINFO version\r\n"])

    def test_half_a_reply(self):
        """what came of a short reply before the loss is not passed on"""
        halves = (b"2", b"250", b"250-", b"250-uptime=1", b"250-uptime=1\r", b"250-uptime=1\r\n",
                  b"250-uptime=1\r\n250", b"250-uptime=1\r\n250 OK", b"250-uptime=1\r\n250 OK\r",
                  b"250+uptime=\r\n", b"250+uptime=\r\nx\r\n", b"250+uptime=\r\nx\r\n.\r\n",
                  b"650 BW 1", b"650+NS\r\n")
        client = self.connect(self.gate)
        for half in halves:
            with self.subTest(half=half):
                def answer(connection, command, half=half):
                    connection.send(half)
                    connection.close()
                self.tor.answer = answer
                self.assertEqual(client.command(b"GETINFO uptime"), LOST)
        self.tor.answer = lambda connection, command: harness.answer_as_tor(command)
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)

    def test_half_a_long_reply(self):
        """a long reply that was passed on in part ends the session: nobody may take it for whole"""
        def answer(connection, command):
            connection.send(b"250+md/all=\r\n" + b"line\r\n" * 200000)
            connection.close()
        self.tor.answer = answer
        client = self.connect(self.gate)
        client.send(b"GETINFO md/all\r\nGETINFO version\r\n")
        self.assertNotIn(b"250 OK", client.rest())
        self.tor.answer = lambda connection, command: harness.answer_as_tor(command)
        self.assert_works(self.gate)

    def test_takeownership(self):
        """a session that owned tor is closed; after DROPOWNERSHIP it is not"""
        owner, former = self.connect(self.gate), self.connect(self.gate)
        self.assertEqual(owner.command(b"TAKEOWNERSHIP"), OK)
        self.assertEqual(former.command(b"TAKEOWNERSHIP"), OK)
        self.assertEqual(former.command(b"DROPOWNERSHIP"), OK)
        self.lose()
        self.assertEqual(owner.rest(), b"")
        self.assertEqual(former.command(b"GETINFO version"), VERSION_REPLY)

    def test_many_sessions(self):
        """thirty sessions with different events: each asks again for its own, once"""
        clients = [self.connect(self.gate) for _ in range(30)]
        for number, client in enumerate(clients):
            events = b"SETEVENTS BW" if number % 2 else b"SETEVENTS SIGNAL CONF_CHANGED"
            self.assertEqual(client.command(events), OK)
        for turn in (2, 3):
            self.lose()
            self.tor.wait_commands(30 * turn)
            recent = self.tor.commands[30 * (turn - 1):]
            self.assertEqual(sorted(recent), [b"SETEVENTS BW\r\n"] * 15
                             + [b"SETEVENTS SIGNAL\r\n"] * 15)
            for connection in self.tor.connections[-30:]:
                connection.send(b"650 BW 1 1\r\n650 SIGNAL NEWNYM\r\n650 CONF_CHANGED\r\n")
            for number, client in enumerate(clients):
                self.assertEqual(client.message(),
                                 b"650 BW 1 1\r\n" if number % 2 else b"650 SIGNAL NEWNYM\r\n")
        self.assertTrue(all(client.is_silent(0) for client in clients))

    def test_events_refused_after_restart(self):
        """a tor that no longer gives the events ends the session, with a reason"""
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS BW"), OK)
        self.tor.answer = lambda connection, command: b"552 Unrecognized event \"BW\"\r\n"
        self.lose()
        self.assertEqual(client.rest(), b"")
        self.gate.wait_log("refused the events")

    def test_absent_and_back(self):
        """while tor is away every command is answered at once; events come back by themselves"""
        client = self.connect(self.gate)
        self.assertEqual(client.command(b"SETEVENTS BW"), OK)
        self.tor.stop()
        self.assertRegex(client.command(b"GETINFO version"), rb"^551 tor ")
        self.assertEqual(client.command(b"SIGNAL HALT"), FILTERED)
        self.tor.start()
        self.tor.wait_commands(2)
        self.assertEqual(self.tor.commands[-1], b"SETEVENTS BW\r\n")
        self.tor.connections[-1].send(b"650 BW 9 9\r\n")
        self.assertEqual(client.message(), b"650 BW 9 9\r\n")

    def test_lost_in_login(self):
        """a tor that closes during the login: 551 for what waits, and nothing of it was sent"""
        client = self.connect(self.gate)
        normal, self.tor.is_mute = self.tor.answer, True
        self.tor.answer = lambda connection, command: connection.close()
        self.assertRegex(client.command(b"GETINFO version"), rb"^551 ")
        self.tor.is_mute, self.tor.answer = False, normal
        self.assertEqual(client.command(b"GETINFO version"), VERSION_REPLY)
        self.assertEqual(self.tor.commands.count(b"GETINFO version\r\n"), 1)

    def test_quiet_log(self):
        """a tor that is away for long fills no log"""
        self.tor.stop()
        client = self.connect(self.gate)
        for _ in range(50):
            client.command(b"GETINFO version")
        lines = [line for line in self.gate.log().split("\n")
                 if "tor cannot be reached" in line or "not reachable" in line]
        self.assertEqual(len(lines), 1, lines)


if __name__ == "__main__":
    harness.main(needs=("tor",))
