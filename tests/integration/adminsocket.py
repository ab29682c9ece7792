"""A client of the admin socket, as plain as can be."""

import json
import re
import socket

import harness


class Admin:
    """One connection of the admin socket."""

    def __init__(self, gate, request=None, path=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(harness.scaled(20))
        self.socket.connect(path or gate.socket_path("admin"))
        self.pending = b""
        if request is not None:
            self.socket.sendall(b"1 " + request.encode() + b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def line(self):
        """The next line as it is, or None at the end."""
        while b"\n" not in self.pending:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                if self.pending:
                    raise AssertionError("half a line: %r" % self.pending)
                return None
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        if re.search(rb"[^ -~]", line):
            raise AssertionError("a byte that is not printable: %r" % line)
        return line

    def item(self):
        line = self.line()
        return None if line is None else json.loads(line)

    def items(self):
        found = []
        while (item := self.item()) is not None:
            found.append(item)
        return found

    def until(self, **members):
        """The first line with these members."""
        while True:
            item = self.item()
            if item is None:
                raise AssertionError("the end came first")
            if all(item.get(key) == value for key, value in members.items()):
                return item
