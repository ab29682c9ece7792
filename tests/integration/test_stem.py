#!/usr/bin/env python3
"""stem, unmodified, through the program to a real tor; and the same calls at tor directly."""

import threading

import harness

PROFILE = harness.profile("""
commands:
  GETINFO:
    - version
    - process/pid
    - events/names
    - 'net/listeners/(socks|control)'
    - 'onions/(current|detached)'
    - 'ns/id/[0-9A-F]{40}'
    - pattern: 'status/bootstrap-phase'
      reply: ['250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"', '250 OK']
  SIGNAL: [NEWNYM]
  ADD_ONION:
    - pattern: '(NEW:(?:BEST|ED25519-V3)|ED25519-V3:[A-Za-z0-9+/=]+)((?: Flags=(?:DiscardPK|Detach))?) Port=80,(?:127\\.0\\.0\\.1:)?(\\d+)'
      replacement: '{0}{1} Port=8080,{client-address}:{2}'
  DEL_ONION: ['[a-z2-7]{56}']
confs:
  __OwningControllerProcess:
  DisableNetwork:
  SocksPort:
  MaxCircuitDirtiness: ['\\d+']
  ContactInfo: ['', '[a-z ]*']
events:
  SIGNAL:
  CONF_CHANGED:
    suppress: true
  STATUS_SERVER:
    suppress: true
""")


class Stem(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tor = harness.RealTor("cookie")
        cls.addClassCleanup(cls.tor.stop)
        cls.gate = harness.Daemon(PROFILE, cls.tor)
        cls.addClassCleanup(cls.gate.stop)

    def controller(self, path=None):
        import stem.control
        controller = stem.control.Controller.from_socket_file(path or self.gate.socket_path())
        self.addCleanup(controller.close)
        controller.authenticate()
        return controller

    def test_authenticate(self):
        """authenticate() succeeds, the session lives"""
        controller = self.controller()
        self.assertTrue(controller.is_authenticated())
        self.assertTrue(controller.is_alive())

    def test_same_as_tor(self):
        """what is allowed gives what tor itself gives"""
        behind, direct = self.controller(), self.controller(self.tor.path)
        calls = (
            lambda c: c.get_version(),
            lambda c: c.get_info("version"),
            lambda c: c.get_info(["version", "process/pid", "events/names"]),
            lambda c: c.get_info("net/listeners/control"),
            lambda c: c.get_info("onions/detached"),
            lambda c: c.get_pid(),
            lambda c: c.get_conf("DisableNetwork"),
            lambda c: c.get_conf("socksport", multiple=True),
            lambda c: c.get_conf("__owningcontrollerprocess"),
            lambda c: c.get_conf_map(["DisableNetwork", "MaxCircuitDirtiness"]),
            lambda c: c.msg("GETINFO version").raw_content(),
            lambda c: c.msg("GETINFO events/names version").raw_content(),
            lambda c: c.msg("GETCONF DisableNetwork MaxCircuitDirtiness").raw_content(),
            lambda c: c.msg("GETINFO ns/id/" + "A" * 40).raw_content(),
            lambda c: c.msg("DEL_ONION " + "a" * 56).raw_content(),
        )
        for number, call in enumerate(calls):
            with self.subTest(call=number):
                self.assertEqual(call(behind), call(direct))

    def test_local_key(self):
        """a key answered by the profile stands among tor's"""
        info = self.controller().get_info(["version", "status/bootstrap-phase", "process/pid"])
        self.assertIn("PROGRESS=100", info["status/bootstrap-phase"])
        self.assertEqual(info["process/pid"], str(self.tor.process.pid))

    def test_set_conf(self):
        """set_conf and reset_conf of a listed option, refused for others"""
        import stem
        behind, direct = self.controller(), self.controller(self.tor.path)
        behind.set_conf("MaxCircuitDirtiness", "700")
        direct.clear_cache()
        self.assertEqual(direct.get_conf("MaxCircuitDirtiness"), "700")
        behind.set_options([("ContactInfo", "some body"), ("MaxCircuitDirtiness", "800")])
        direct.clear_cache()
        self.assertEqual(direct.get_conf("ContactInfo"), "some body")
        behind.reset_conf("ContactInfo")
        direct.clear_cache()
        self.assertIsNone(direct.get_conf("ContactInfo"))
        for name, value in (("ControlPort", "9051"), ("MaxCircuitDirtiness", "1 ControlPort=1"),
                            ("MaxCircuitDirtiness", '1" ControlPort="1')):
            with self.subTest(name=name), self.assertRaises(stem.ControllerError):
                behind.set_conf(name, value)
        direct.clear_cache()
        self.assertEqual(direct.get_conf("MaxCircuitDirtiness"), "800")
        self.assertIsNone(direct.get_conf("ControlPort"))

    def test_onion_service(self):
        """an ephemeral service through a rewriting rule, seen at tor, and removed"""
        controller = self.controller()
        service = controller.create_ephemeral_hidden_service({80: 4321})
        self.assertEqual(len(service.service_id), 56)
        self.assertEqual(service.private_key_type, "ED25519-V3")
        self.assertEqual(controller.get_info("onions/current"), service.service_id)
        self.assertEqual(controller.list_ephemeral_hidden_services(), [service.service_id])
        self.assertTrue(controller.remove_ephemeral_hidden_service(service.service_id))
        self.assertEqual(controller.get_info("onions/current", ""), "")
        self.assertFalse(controller.remove_ephemeral_hidden_service(service.service_id))

    def test_onion_service_with_key(self):
        """the key of a service brings the same service back, with the rewritten target"""
        controller = self.controller()
        service = controller.create_ephemeral_hidden_service({80: "127.0.0.1:4322"})
        controller.remove_ephemeral_hidden_service(service.service_id)
        again = controller.create_ephemeral_hidden_service(
            {80: 4322}, key_type="ED25519-V3", key_content=service.private_key)
        self.assertEqual(again.service_id, service.service_id)
        self.assertIsNone(again.private_key)
        self.gate.wait_log("rewritten")

    def test_onion_service_ends_with_session(self):
        """a service belongs to its session: closed, it is gone from tor; another's are not seen"""
        first, second = self.controller(), self.controller()
        service = first.create_ephemeral_hidden_service({80: 4323})
        self.assertEqual(second.get_info("onions/current", ""), "")
        self.assertFalse(second.remove_ephemeral_hidden_service(service.service_id))
        first.close()
        key = service.private_key

        def is_free():
            reply = second.msg("ADD_ONION ED25519-V3:%s Port=80,4323" % key)
            return reply.is_ok()
        harness.wait_until(is_free, "the service to be gone from tor")

    def test_onion_service_refused(self):
        """targets that the rule does not name are refused, and tor has no service then"""
        import stem
        controller = self.controller()
        for ports in ({80: "10.0.0.1:22"}, {80: "localhost:22"}, {443: 4321}, {80: 1, 81: 2}):
            with self.subTest(ports=ports), self.assertRaises(stem.ControllerError):
                controller.create_ephemeral_hidden_service(ports)
        self.assertEqual(controller.get_info("onions/current", ""), "")

    def test_address_refused(self):
        """get_info('address') is an operation failure with 510"""
        import stem
        with self.assertRaises(stem.OperationFailed) as caught:
            self.controller().get_info("address")
        self.assertEqual(caught.exception.code, "510")
        self.assertEqual(str(caught.exception.message), "Command filtered")
        self.gate.wait_log("GETINFO")

    def test_one_refused_key(self):
        """one refused key refuses the whole question"""
        import stem
        with self.assertRaises(stem.OperationFailed):
            self.controller().get_info(["version", "address"])

    def test_event_listener(self):
        """a listener gets its events, and none after it was removed"""
        import stem.control
        controller, direct = self.controller(), self.controller(self.tor.path)
        arrived, got = threading.Event(), []

        def listener(event):
            got.append(event.signal)
            arrived.set()
        controller.add_event_listener(listener, stem.control.EventType.SIGNAL)
        direct.signal("CLEARDNSCACHE")
        self.assertTrue(arrived.wait(harness.scaled(10)), "no event came")
        self.assertEqual(got, ["CLEARDNSCACHE"])
        controller.remove_event_listener(listener)
        direct.signal("CLEARDNSCACHE")
        controller.get_info("version")
        self.assertEqual(got, ["CLEARDNSCACHE"])

    def test_event_refused(self):
        """an event that the profile does not list is refused as a whole"""
        import stem
        import stem.control
        controller = self.controller()
        with self.assertRaises(stem.ControllerError):
            controller.add_event_listener(lambda event: None, stem.control.EventType.STREAM)
        self.assertTrue(controller.is_alive())

    def test_signal(self):
        """an allowed signal passes, another is refused and tor lives"""
        import stem
        import stem.control
        controller = self.controller()
        controller.signal(stem.Signal.NEWNYM)
        with self.assertRaises(stem.ControllerError):
            controller.signal(stem.Signal.HALT)
        self.assertIsNone(self.tor.process.poll())

    def test_connect_style(self):
        """stem.connection.connect, as nyx and Onion Circuits use it"""
        import stem.connection
        controller = stem.connection.connect(control_socket=self.gate.socket_path(),
                                             control_port=None)
        self.assertIsNotNone(controller)
        self.addCleanup(controller.close)
        self.assertEqual(str(controller.get_version()), controller.get_info("version").split()[0])

    def test_password_given(self):
        """a client that was given a password gets in, too"""
        import stem.control
        controller = stem.control.Controller.from_socket_file(self.gate.socket_path())
        self.addCleanup(controller.close)
        controller.authenticate(password="whatever")
        self.assertTrue(controller.is_authenticated())

    def test_many_sessions(self):
        """thirty controllers at once, each with its own connection to tor"""
        controllers = [self.controller() for _ in range(30)]
        for controller in controllers:
            self.assertEqual(controller.get_info("process/pid"), str(self.tor.process.pid))

    def test_preamble_raw(self):
        """both preambles of stem on the wire, against tor itself"""
        one_go = (b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER",
                  b"GETCONF __owningcontrollerprocess", b"GETINFO version")
        one_by_one = (b"SETEVENTS ", b"GETCONF __owningcontrollerprocess", b"SETEVENTS SIGNAL",
                      b"SETEVENTS SIGNAL CONF_CHANGED",
                      b"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER", b"GETINFO version")
        for style in (one_go, one_by_one):
            behind = self.connect(self.gate)
            self.assertIn(b"METHODS=NULL", behind.command(b"PROTOCOLINFO 1"))
            self.assertEqual(behind.command(b"AUTHENTICATE"), b"250 OK\r\n")
            for command in style:
                with self.subTest(command=command):
                    self.assertRegex(behind.command(command), rb"^250[- ]")


if __name__ == "__main__":
    harness.main(needs=("tor", "stem"))
