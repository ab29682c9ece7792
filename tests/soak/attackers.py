"""The others: floods, half lines, garbage, readers that do not read, hoarders of descriptors, users
whom no profile serves, and every known way around a filter."""

import os
import pwd
import select
import socket
import struct
import subprocess
import sys
import time

import harness

FILTERED = b"510 Command filtered\r\n"


def raw(world, name="app"):
    client = harness.Client(world.gate.socket_path(name), 10)
    world.count("connections of attackers")
    return client


def push(client, data, seconds):
    """Sends as much as is taken in that time."""
    client.socket.setblocking(False)
    end = time.monotonic() + seconds
    while data and time.monotonic() < end:
        if select.select([], [client.socket], [], 0.2)[1]:
            try:
                data = data[client.socket.send(data):]
            except OSError:
                break
    client.socket.settimeout(5)


def drain(client, seconds, size=65536, pause=0.0):
    """Reads for that time; how much it was."""
    end, got = time.monotonic() + seconds, 0
    client.socket.settimeout(0.3)
    while time.monotonic() < end:
        try:
            data = client.socket.recv(size)
        except socket.timeout:
            continue
        except OSError:
            break
        if not data:
            break
        got += len(data)
        if pause:
            time.sleep(pause)
    return got


def flood(world):
    """Thousands of commands without reading, then a look at what came, then gone."""
    with raw(world) as client:
        push(client, b"GETINFO version\r\nSIGNAL HALT\r\n" * 4000, 2)
        drain(client, 1)
    world.count("floods")


def large_replies(world):
    """Megabytes are asked for, and read byte by byte."""
    with raw(world) as client:
        push(client, b"GETINFO " + b"config/names " * 20 + b"\r\n", 1)
        push(client, (b"GETINFO " + b"config/names " * 20 + b"\r\n") * 50, 1)
        drain(client, 8, size=1, pause=0.02)
    world.count("slow readers")


def half_lines(world):
    """Lines that never end, with a secret in them; then the rest of one, or not."""
    clients = [raw(world) for _ in range(10)]
    for client in clients:
        client.send(b"GETINFO " + world.secret().encode())
    world.pause(6)
    for client in clients:
        try:
            if world.random.random() < 0.5:
                client.send(b"\r\n")
                client.message()
        except (OSError, AssertionError):
            pass
        client.close()
    world.count("half lines", 10)


def trickle(world):
    """A byte now and then."""
    with raw(world) as client:
        try:
            for byte in b"GETINFO version\r\n":
                client.send(bytes((byte,)))
                if not world.pause(0.4):
                    break
        except OSError:
            pass
    world.count("trickles")


def garbage(world):
    """Any bytes, some of them lines."""
    with raw(world) as client:
        data = world.random.randbytes(world.random.randrange(1, 30000))
        push(client, data.replace(b"\0", b"\r\n") + world.secret().encode() + b"\r\n", 1)
        drain(client, 0.5)
    world.count("garbage")


def resets(world):
    """Asks for much and is gone at once, with a reset where the transport knows it."""
    for _ in range(20):
        with raw(world) as client:
            client.send(b"SETEVENTS BW\r\nGETINFO config/names\r\n" * 5)
        try:
            tcp = socket.create_connection(("127.0.0.1", world.tcp_port), 5)
        except OSError:
            continue
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tcp.sendall(b"GETINFO version\r\n" * 10)
        tcp.close()
    world.count("resets", 20)


def ways_around(world):
    """Variants that must be refused, each with a secret; a plain question behind must be answered."""
    secret = world.secret().encode()
    onion = world.onion().encode()
    variants = [
        b"GETINFO version\0 " + secret, b"GETINFO version\x0b" + secret,
        b"GETINFO version " + secret, b"GETINFO\rversion " + secret,
        b'SETCONF ContactInfo="a"ControlPort=' + secret, b"SETCONF ControlPort=" + secret,
        b"SETCONF Brid=" + secret, b'SETCONF Bridge="\\x' + secret,
        b"ADD_ONION NEW:BEST Port=80," + secret, b"ADD_ONION NEW:BEST Port=80,unix:/" + secret,
        b"ADD_ONION ED25519-V3:" + secret + b" Port=80,22",
        b"+LOADCONF\r\nControlPort " + secret + b"\r\n.",
        b"+HSPOST HSADDRESS=" + onion + b"\r\n" + secret + b"\r\n.",
        b"ONION_CLIENT_AUTH_ADD " + onion + b" x25519:" + secret + b" ClientName=" + b"n" * 20,
        b"ONION_CLIENT_AUTH_VIEW " + onion, b"DEL_ONION " + onion,
        b"MAPADDRESS " + secret + b".example=127.0.0.1 x", b"SIGNAL " + secret,
        b"SETEVENTS BW " + secret, b"AUTHCHALLENGE SAFECOOKIE " + secret,
        b"EXTENDCIRCUIT 0 " + secret, b"GETINFO hs/client/desc/id/" + onion, secret,
        b"\xff\xfe" + secret, b" GETINFO version " + secret, b"TAKEOWNERSHIP",
    ]
    troubles = world.troubles
    with raw(world) as client:
        for variant in world.random.sample(variants, 8):
            try:
                answers = [client.command(variant), client.command(b"GETINFO version")]
            except (AssertionError, OSError) as error:
                if not world.is_excused(troubles):
                    world.surprise("%r: %s" % (variant[:24], str(error)[:120]))
                return
            is_lost = answers[0].startswith(b"551 tor ") and world.is_excused(troubles)
            if answers[0] != FILTERED and not is_lost:
                world.surprise("%r was answered %r" % (variant[:24], answers[0][:80]))
            if not answers[1].startswith(b"250-version=") and not world.is_excused(troubles):
                world.surprise("behind %r came %r" % (variant[:24], answers[1][:80]))
            world.count("ways around, refused")


# As another user: connects, says something or holds many connections, tells what came back.
OTHER = r"""
import os, socket, sys, time
mode, path, text = sys.argv[1:]
clients, got = [], b""
for _ in range(150 if mode == "hoard" else 1):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    try:
        client.connect(path)
        client.sendall(text.encode() + b"\r\n")
    except OSError:
        break
    clients.append(client)
for client in clients[-3:]:
    try:
        got += client.recv(4096)
    except OSError:
        pass
time.sleep(4 if mode == "hoard" else 0)
sys.stdout.buffer.write(got)
"""


def as_another(world, mode, path, text):
    """Root has others do it; anybody else does it himself."""
    options = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    done = subprocess.run([sys.executable, "-I", "-c", OTHER, mode, path, text], cwd="/",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=120, check=False, **options)
    return done.stdout


def outsider(world):
    """Somebody whom no profile serves gets nothing, and nothing of his gets into the log."""
    text = "AUTHENTICATE \"%s\"\r\nGETINFO version\r\nADD_ONION %s" % (world.secret(),
                                                                      world.secret())
    got = as_another(world, "ask", world.gate.socket_path("control"), text)
    if os.getuid() == 0 and (b"250-version" in got or b"ServiceID" in got):
        world.surprise("an outsider was answered %r" % got[:80])
    world.count("outsiders")


def hoarder(world):
    """As many connections as somebody can get, held."""
    as_another(world, "hoard", world.gate.socket_path("control"), "GETINFO " + world.secret())
    world.count("hoarders")


ACTORS = (
    ("flood", flood, 1, 9),
    ("large replies", large_replies, 1, 7),
    ("half lines", half_lines, 1, 5),
    ("trickle", trickle, 1, 5),
    ("garbage", garbage, 1, 3),
    ("resets", resets, 1, 7),
    ("ways around", ways_around, 1, 2),
    ("outsider", outsider, 1, 6),
    ("hoarder", hoarder, 1, 20),
)
