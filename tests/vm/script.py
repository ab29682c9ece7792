#!/usr/bin/python3
"""A client that is a script; its AppArmor profile is attached to its path."""
import socket
import sys

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("/run/onion-grater/%s.sock" % sys.argv[1])
    connection.sendall(b"GETINFO version\r\n")
    reply = b""
    while not reply.endswith((b"250 OK\r\n", b"510 Command filtered\r\n")):
        data = connection.recv(4096)
        if not data:
            reply = b"closed"
            break
        reply += data
print("reply:", reply.splitlines()[-1][:6].decode().split()[0])
