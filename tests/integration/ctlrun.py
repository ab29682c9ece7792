"""Running onion-graterctl, and a stand-in for the daemon's admin socket."""

import json
import os
import socket
import subprocess
import threading

import harness

CTL = os.environ.get("ONION_GRATERCTL", "")
HOSTILE = "\x1b[31mred\x1b]0;title\x07\r\n\x9b1m"


def environment(**more):
    """Without what the terminal of whoever runs the tests would add."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("NO_COLOR", "TERM", "COLUMNS", "LINES")}
    return {**env, "TERM": "xterm", **more}


def ctl(*arguments, prefix=(), timeout=30):
    """Runs it to its end; output is text, one character a byte."""
    return subprocess.run([*prefix, CTL, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, encoding="latin-1", env=environment(),
                          timeout=harness.scaled(timeout), check=False)


def as_user(uid, gid=None):
    return ("setpriv", "--reuid", str(uid), "--regid", str(gid or uid), "--clear-groups")


def is_printable(text):
    return all(" " <= c <= "~" or c == "\n" for c in text)


class FakeAdmin:
    """Answers each connection with the same bytes, and closes; or does what `serve` does with the
    connection. Requests are noted, unless they are not read."""

    def __init__(self, answer=b"", serve=None, reads=True):
        self.answer = answer
        self.reads = reads
        self.serve = serve or self.send
        self.requests = []
        self.directory = harness.fresh_dir("f", 0o755)
        self.path = os.path.join(self.directory, "admin.sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.listen(16)
        threading.Thread(target=self._run, daemon=True).start()

    @staticmethod
    def lines(*items, end=True):
        items = list(items) + ([{"type": "end"}] if end else [])
        return b"".join(json.dumps(item).encode() + b"\n" for item in items)

    def send(self, connection):
        connection.sendall(self.answer)

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                if self.reads:
                    self.requests.append(connection.makefile("rb").readline())
                self.serve(connection)
            except OSError:
                pass

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
