#!/usr/bin/python3
"""What is not to be tried on a machine that is in use, in a guest: no file for anybody (shortage.py),
and a control group without memory (tests/integration/test_memory.py).

    tests/vm/test_shortage.py [DAEMON]

DAEMON: the program, by default $ONION_GRATER. Hands on the TAP of both. Skipped, with the reason,
where QEMU or the kernel cannot be had.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
KERNEL = "6.12"
SECONDS = 900
PARTS = (HERE + "/shortage.py", SOURCE + "/tests/integration/test_memory.py Memory.test_squeezed")
RESULT = re.compile(r"^(ok|not ok) \d+ - (.*)$")


def find_kernel():
    """Its folder, and why there is none."""
    listed = subprocess.run([HERE + "/kernels", KERNEL], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, check=False).stdout.decode()
    _, release, rest = (listed.rstrip("\n").split("\t", 2) + ["-", "no kernel"])[:3]
    return (None, rest) if release == "-" else (rest, "")


def run_guest(kernel, daemon):
    """The guest is emulated, and so slower than any machine that the tests are timed for."""
    script = "\n".join("python3 -B " + part for part in PARTS)
    done = subprocess.run(
        [HERE + "/run", "-t", str(SECONDS), "-d", HERE, "-d", os.path.dirname(daemon), kernel, "env",
         "ONION_GRATER=" + daemon, "TEST_SRCDIR=" + SOURCE, "TEST_TIMEOUT_FACTOR=8", "sh", "-c",
         script],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace").splitlines()


def main():
    daemon = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ONION_GRATER")
    if not daemon:
        sys.exit("the daemon's program belongs here, or into ONION_GRATER")
    kernel, reason = find_kernel()
    status, lines = run_guest(kernel, os.path.abspath(daemon)) if kernel else (77, [reason])
    if status == 77:
        print("1..0 # SKIP " + lines[0])
        return 0
    count = failed = 0
    for line in lines:
        found = RESULT.match(line)
        if found:
            count += 1
            failed += found[1] != "ok"
            line = "%s %d - %s" % (found[1], count, found[2])
        elif not line.startswith("#"):
            line = "# " + line
        print(line)
    if count < len(PARTS):
        print("Bail out! the guest ended with status %d after %d of them" % (status, count))
        return 99
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
