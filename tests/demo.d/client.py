"""An application that talks to tor's control port, or to what it takes for it.

Sends three commands and shows each with its reply. Exit status 1 if a reply is not what the demo's
profile makes of it.
"""

import os
import socket
import sys

# Command, what is said about it, how its reply has to begin, what may not be in it.
STEPS = [
    ("GETINFO version",
     "Allowed: tor's own answer.", "250-version=", "510"),
    ("ADD_ONION NEW:ED25519-V3 Port=80",
     "Rewritten: tor was asked for Port=80,127.0.0.1:8080 and Flags=DiscardPK,\n"
     "so the reply has no private key.", "250-ServiceID=", "PrivateKey"),
    ("GETINFO address",
     "Rejected: tor was never asked for this machine's address.",
     "510 Command filtered", "250"),
]


def read_reply(stream):
    """The lines of one reply: the last one has a space behind its code."""
    lines = []
    while not lines or lines[-1][3:4] != " ":
        line = stream.readline()
        if not line:
            sys.exit("the connection was closed in the middle of a reply")
        lines.append(line.rstrip("\r\n"))
    return lines


def ask(stream, command):
    stream.write(command + "\r\n")
    stream.flush()
    return read_reply(stream)


def main():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(os.environ["TOR_CONTROL_IPC_PATH"])
        stream = connection.makefile("rw", encoding="ascii", newline="\n")
        if ask(stream, "AUTHENTICATE") != ["250 OK"]:
            sys.exit("AUTHENTICATE failed")
        for command, meaning, beginning, absent in STEPS:
            lines = ask(stream, command)
            print("    > " + command)
            for line in lines:
                print("    < " + line)
            print("      " + meaning.replace("\n", "\n      ") + "\n")
            if not lines[0].startswith(beginning) or absent in "".join(lines):
                sys.exit("that is not what the profile says")
        ask(stream, "QUIT")


if __name__ == "__main__":
    main()
