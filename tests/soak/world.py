"""What the parts of the soak test share: the tor and the daemon under test, every secret that was
used, what was counted, and what surprised."""

import collections
import os
import random
import re
import subprocess
import tempfile
import threading
import time

import harness

GRACE = 15  # seconds after a trouble of tor's in which sessions may notice it
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Secrets:
    """Texts that must never be in the log. Short ones would be there by chance."""

    SHORTEST = 9

    def __init__(self):
        self.texts = set()
        self.lock = threading.Lock()

    def add(self, *texts):
        """Keeps them, and gives back the first."""
        with self.lock:
            for text in texts:
                text = text.encode() if isinstance(text, str) else text
                if len(text) >= self.SHORTEST:
                    self.texts.add(text)
                    self.texts.add(text.hex().encode())
        return texts[0]

    def add_bytes(self, data):
        """A binary secret, as hex and base64 show it."""
        import base64
        self.add(data.hex(), base64.b64encode(data).rstrip(b"="))

    def found_in(self, path):
        """The lines of the file that hold one of them; all letters in either case."""
        with tempfile.NamedTemporaryFile(dir=harness.scratch()) as patterns:
            patterns.write(b"\n".join(sorted(self.texts)) + b"\n")
            patterns.flush()
            done = subprocess.run(["grep", "-a", "-i", "-F", "-f", patterns.name, path],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                                  env=dict(os.environ, LC_ALL="C"))
        if done.returncode > 1:
            raise RuntimeError("grep failed: %r" % done.stderr)
        return done.stdout.splitlines()


class World:
    """Everything that an actor gets. `pace` stretches all pauses."""

    def __init__(self, seed, pace):
        self.random = random.Random(seed)
        self.pace = pace
        self.secrets = Secrets()
        self.counts = collections.Counter()
        self.surprises = []
        self.latencies = []
        self.lock = threading.Lock()
        self.resting = threading.Event()
        self.tor = None
        self.gate = None
        self.tcp_port = None
        self.troubles = 0
        self.last_trouble = 0.0
        self.cookies = set()

    # --- randomness ---

    def word(self, length=16, letters=LETTERS):
        return "".join(self.random.choice(letters) for _ in range(length))

    def secret(self, length=16, letters=LETTERS):
        return self.secrets.add(self.word(length, letters))

    def onion(self):
        """A syntactically right address that nobody has."""
        import base64
        import hashlib
        key = self.random.randbytes(32)
        digest = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()
        return self.secrets.add(base64.b32encode(key + digest[:2] + b"\x03").decode().lower())

    # --- what happens ---

    def count(self, name, number=1):
        with self.lock:
            self.counts[name] += number

    def surprise(self, text):
        self.count("surprises")
        with self.lock:
            if len(self.surprises) < 200:
                self.surprises.append("%s  %s" % (time.strftime("%H:%M:%S"), text))

    def trouble(self):
        """To be called before and after something is done to tor."""
        with self.lock:
            self.troubles += 1
            self.last_trouble = time.monotonic()

    def is_excused(self, troubles):
        """Whether tor was in trouble since there were `troubles`, or a moment ago."""
        return self.troubles != troubles or time.monotonic() - self.last_trouble < GRACE

    def pause(self, seconds):
        """False: the round is over, come to an end."""
        return not self.resting.wait(seconds * self.pace)

    # --- sessions ---

    def connect(self, name="app"):
        return Talk(self, harness.Client(self.gate.socket_path(name)))

    def connect_tcp(self):
        return Talk(self, harness.Client(("127.0.0.1", self.tcp_port)))


class Ended(Exception):
    """tor went, and the session or its command with it."""


class Talk:
    """A session of a well-behaved client: each command has the reply that it must have, or tor was
    in trouble."""

    def __init__(self, world, client):
        self.world = world
        self.client = client
        self.troubles = world.troubles
        self.events = []
        world.count("sessions")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def _lost(self, why):
        if not self.world.is_excused(self.troubles):
            self.world.surprise(why)
        self.world.count("replies lost with tor")
        raise Ended(why)

    def next_reply(self, what):
        while True:
            try:
                message = self.client.message()
            except (AssertionError, OSError) as error:
                self._lost("%s: %s" % (what, str(error)[:160]))
            if not message.startswith(b"650"):
                return message
            self.events.append(message)
            self.world.count("events")

    def send(self, text):
        try:
            self.client.send(text)
        except OSError as error:
            self._lost("%s: %s" % (text[:20], error))

    def expect(self, pattern, what):
        reply = self.next_reply(what)
        self.world.count("commands")
        if re.match(pattern, reply):
            return reply
        if reply.startswith(b"551 "):
            self._lost("%s was answered %r" % (what, reply[:80]))
        else:
            self.world.surprise("%s was answered %r" % (what, reply[:120]))
        return reply

    def ask(self, command, pattern=rb"250"):
        """Sends one command; `pattern` is how its reply must begin."""
        command = command.encode() if isinstance(command, str) else command
        self.send(command + b"\r\n")
        return self.expect(pattern, command.split(b" ", 1)[0].decode())
