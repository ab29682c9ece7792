"""The well-behaved: programs as they are, dialogues of others, and one that measures.

Each function is one visit. It ends by itself, and soon when the round is over; whatever secret it
uses is told to world.secrets."""

import base64
import hashlib
import hmac
import os
import re
import subprocess
import time

import harness

FILTERED = rb"510 Command filtered\r\n"


def note_service(world, reply):
    """The address and the key that a reply tells, kept as secrets."""
    service = re.search(rb"ServiceID=([a-z2-7]{56})", reply)
    key = re.search(rb"PrivateKey=(ED25519-V3:(\S+))", reply)
    if key:
        world.secrets.add(key.group(2).rstrip(b"="))
    if service:
        world.secrets.add(service.group(1))
    return service and service.group(1), key and key.group(1)


def stem_program(world):
    """A program on stem: logs in with a password, looks around, publishes a service."""
    import stem
    import stem.control
    troubles = world.troubles
    password = world.secret(20)
    try:
        with stem.control.Controller.from_socket_file(world.gate.socket_path()) as controller:
            controller.authenticate(password=password)
            controller.add_event_listener(lambda event: world.count("events"), "BW", "SIGNAL")
            controller.get_version()
            controller.get_info(["version", "traffic/read"])
            controller.get_conf("MaxCircuitDirtiness")
            controller.signal("NEWNYM")
            service = controller.create_ephemeral_hidden_service(
                {80: 5000}, key_content="ED25519-V3", await_publication=False)
            world.secrets.add(service.service_id, service.private_key.rstrip("="))
            world.pause(world.random.uniform(0, 3))
            controller.remove_ephemeral_hidden_service(service.service_id)
        world.count("visits of stem")
    except (stem.ControllerError, ValueError) as error:
        if world.is_excused(troubles):
            world.count("visits of stem, lost with tor")
        else:
            world.surprise("stem: %s" % str(error)[:160])


TXTORCON = """
import sys
import txtorcon
from twisted.internet import defer, endpoints, task


async def main(reactor, path):
    tor = await txtorcon.connect(reactor, endpoints.UNIXClientEndpoint(reactor, path))
    print("version", tor.protocol.version)
    await tor.protocol.signal("NEWNYM")
    print("done")


task.react(lambda reactor: defer.ensureDeferred(main(reactor, *sys.argv[1:])))
"""


def txtorcon_program(world):
    """A program on txtorcon, in a process of its own."""
    troubles = world.troubles
    done = subprocess.run(["/usr/bin/python3", "-c", TXTORCON,
                           world.gate.socket_path("txtorcon")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False)
    if b"done" in done.stdout:
        world.count("visits of txtorcon")
    elif world.is_excused(troubles):
        world.count("visits of txtorcon, lost with tor")
    else:
        world.surprise("txtorcon: %r" % done.stderr[-200:])


def onionshare(world):
    """What onionshare says: its test of tor's abilities, a private service, stored and again."""
    with world.connect() as talk:
        talk.ask("PROTOCOLINFO 1")
        talk.ask("AUTHENTICATE")
        talk.ask("SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER HS_DESC")
        talk.ask("GETINFO version")
        talk.ask("GETCONF __OwningControllerProcess")
        client_key = world.secret(52, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        key = "NEW:ED25519-V3"
        for _ in range(2):
            reply = talk.ask("ADD_ONION %s Flags=V3Auth Port=80,17600 ClientAuthV3=%s"
                             % (key, client_key), rb"250|512")
            service, stored = note_service(world, reply)
            key = stored.decode() if stored else key
            talk.ask("GETINFO onions/current")
            world.pause(world.random.uniform(0, 2))
            if service:
                talk.ask(b"DEL_ONION " + service)
        talk.ask("DEL_ONION " + world.onion(), FILTERED)
        talk.ask("QUIT")
        world.count("visits of onionshare")


def detached(world):
    """A service that outlives its session, taken away by another one; keys for others'."""
    with world.connect() as talk:
        service, _ = note_service(
            world, talk.ask("ADD_ONION NEW:BEST Flags=Detach Port=80,5000", rb"250-ServiceID="))
    if not service:
        return
    other, key = service.decode(), base64.b64encode(world.random.randbytes(32)).decode()
    world.secrets.add(key.rstrip("="))
    with world.connect() as talk:
        talk.ask("ONION_CLIENT_AUTH_ADD %s x25519:%s" % (other, key), rb"25[012]")
        talk.ask("ONION_CLIENT_AUTH_VIEW " + other, rb"250")
        talk.ask("ONION_CLIENT_AUTH_REMOVE " + other, rb"25[01]")
        talk.ask("HSFETCH " + other, rb"250|551")
        # A tor that has been started anew meanwhile has no such service, and so nobody has.
        reply = talk.ask(b"DEL_ONION " + service, rb"250|510")
        if reply.startswith(b"510") and not world.is_excused(talk.troubles):
            world.surprise("DEL_ONION of a detached service was answered %r" % reply)
        world.count("visits for detached services")


def configuration(world):
    """Bridges, a proxy's password, the own address: read, set, and set back."""
    address = world.secrets.add("198.51.100.%d" % world.random.randrange(100, 250))
    bridge = "%s:443 %s" % (address, world.secret(40, "0123456789ABCDEF"))
    with world.connect() as talk:
        talk.ask("AUTHENTICATE \"%s\"" % world.secret())
        talk.ask("GETCONF Bridge", rb"250[- ]Bridge")
        talk.ask('SETCONF Bridge="%s"' % bridge)
        talk.ask("GETCONF Bridge Address", rb"250-")
        talk.ask("SETCONF ContactInfo=%s" % world.secret())
        talk.ask('SETCONF Socks5Proxy=%s:1080 Socks5ProxyUsername=%s Socks5ProxyPassword="%s"'
                 % (address, world.secret(), world.secret()))
        talk.ask("GETCONF Socks5ProxyPassword")
        talk.ask("RESETCONF Socks5Proxy Socks5ProxyUsername Socks5ProxyPassword")
        talk.ask("MAPADDRESS %s.example=%s" % (world.secret(), address), rb"250|512")
        talk.ask("RESOLVE %s.example" % world.secret(), rb"250|5")
        talk.ask("GETINFO config-text", rb"250")
        talk.ask("GETINFO address", rb"250|551 Address")
        world.count("visits for the configuration")


KEYS = (b"Tor safe cookie authentication server-to-controller hash",
        b"Tor safe cookie authentication controller-to-server hash")


def cookie_login(world):
    """Logs in to us with a cookie of the client's own, as lnd does."""
    with world.connect("cookie") as talk:
        reply = talk.ask("PROTOCOLINFO 1", rb"250-PROTOCOLINFO 1")
        path = re.search(rb'COOKIEFILE="([^"]*)"', reply)
        if not path:
            world.surprise("no cookie was offered: %r" % reply[:160])
            return
        with open(path.group(1), "rb") as file:
            cookie = file.read()
        world.secrets.add_bytes(cookie)
        nonce = os.urandom(32)
        world.secrets.add_bytes(nonce)
        reply = talk.ask(b"AUTHCHALLENGE SAFECOOKIE " + nonce.hex().encode(),
                         rb"250 AUTHCHALLENGE SERVERHASH=")
        server_nonce = bytes.fromhex(reply.split(b"SERVERNONCE=")[1].strip().decode())
        proof = hmac.new(KEYS[1], cookie + nonce + server_nonce, hashlib.sha256).hexdigest()
        talk.ask("AUTHENTICATE " + world.secrets.add(proof))
        talk.ask("GETINFO version")
        world.count("visits with a cookie")


def over_tcp(world):
    """Over TCP of this machine, where the kernel is asked who it is."""
    with world.connect_tcp() as talk:
        talk.ask("GETINFO version")
        talk.ask("SETEVENTS BW")
        world.pause(3)
        talk.ask("GETINFO address", FILTERED)
        world.count("visits over TCP")


def watcher(world):
    """Stays as long as it may and reads events, across all that happens to tor."""
    with world.connect() as talk:
        talk.ask("SETEVENTS BW SIGNAL CONF_CHANGED STREAM HS_DESC NOTICE WARN")
        while world.pause(2):
            talk.troubles = world.troubles if not world.is_excused(talk.troubles) else talk.troubles
            talk.send(b"GETINFO version\r\n")
            reply = talk.next_reply("GETINFO")
            if not re.match(rb"250-version|551 tor", reply):
                world.surprise("GETINFO of a watcher was answered %r" % reply[:80])
        world.count("visits of watchers")


def canary(world):
    """Asks four times a second and takes the time: what others do must not show."""
    with world.connect() as talk:
        while world.pause(0.25 / world.pace):
            before, troubles = time.monotonic(), world.troubles
            talk.send(b"GETINFO version\r\n")
            reply = talk.next_reply("GETINFO")
            took = time.monotonic() - before
            if world.is_excused(troubles):
                talk.troubles = world.troubles
            elif not reply.startswith(b"250-version="):
                world.surprise("the canary was answered %r" % reply[:80])
            else:
                with world.lock:
                    world.latencies.append(took)


def guest(world):
    """A client of the profile that comes and goes with reloads."""
    path = world.gate.socket_path("guest")
    try:
        client = harness.Client(path)
    except OSError:
        world.count("visits of guests to a closed door")
        return
    with client:
        try:
            while world.pause(1):
                client.command(b"GETINFO version")
        except (AssertionError, OSError):
            world.count("guests that were sent away")
    world.count("visits of guests")


# name, function, how many at a time, seconds between the visits of one
ACTORS = (
    ("stem", stem_program, 1, 4),
    ("txtorcon", txtorcon_program, 1, 60),
    ("onionshare", onionshare, 1, 3),
    ("detached", detached, 1, 5),
    ("configuration", configuration, 1, 4),
    ("cookie", cookie_login, 1, 3),
    ("tcp", over_tcp, 1, 4),
    ("watcher", watcher, 3, 1),
    ("canary", canary, 1, 0.2),
    ("guest", guest, 2, 2),
)
