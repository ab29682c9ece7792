#!/usr/bin/python3
"""Who the daemon takes its clients for, on real kernels with real AppArmor profiles.

    tests/vm/test_identity.py [--kernel NAME]... [--case TEXT] [--verbose] [DAEMON]

Boots each kernel of tests/vm/kernels with AppArmor switched on and off and tries every case of
cases.py there (those with TEXT in their name). DAEMON: the program, by default $ONION_GRATER.
Prints one line of TAP for each case and kernel. Where a kernel or QEMU cannot be had its cases are
skipped, with the reason. What a failed guest's kernel said is kept in vm-logs in $TEST_BUILDDIR.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import cases

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("TEST_SRCDIR") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("TEST_BUILDDIR") or os.getcwd()
LOGS = os.path.join(BUILD, "vm-logs")
KERNELS = ("6.1", "6.12", "new")
GUEST_SECONDS = 900  # it is emulated, and may have to share a processor with much else
GUEST_LOST = 125  # run's status where the command was never reached
BEGAN = re.compile(r"session \d+ \((?:profile (?P<profile>.*)|no profile matches|tor itself), "
                   r"uid (?P<uid>\d+)\): began: (?:pid (?P<pid>\d+) )?on [^;]+"
                   r"(?:; (?P<label>.*?))?(?:, executable (?P<program>.*?))?"
                   r"(?:, unit (?P<unit>.*?))?(?:; (?P<missing>.*))?$")
ENDED = re.compile(r"session \d+ \(.*?\): ended: (.*?)(?:; commands: .*)?$")


# --- TAP ------------------------------------------------------------------------------------------


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, name, findings, details=()):
        self.count += 1
        self.failed += bool(findings)
        print("%s %d - %s" % ("not ok" if findings else "ok", self.count, name.replace("#", "")))
        for line in list(findings) + (list(details) if findings else []):
            print("#   " + line)
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason), flush=True)

    def finish(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


# --- what is expected -----------------------------------------------------------------------------


def choose(value, kernel):
    return value.values[kernel] if isinstance(value, cases.ByKernel) else value


class Expected:
    """A case on one kernel: every choice made."""

    def __init__(self, case, kernel, python):
        evidence = "kernel" if kernel == "new" else "proc"

        def pick(value):
            return choose(value, kernel)

        self.profile = pick(case.profile)
        self.label = pick(case.label).replace("EVIDENCE", evidence)
        self.replies = pick(case.replies).split()
        self.ended = pick(case.ended) or cases.CLIENT_ENDED
        self.missing = pick(case.missing)
        self.unit = case.unit
        self.uid = case.uid
        self.program = case.steps.split(" ")[0] if case.program is ... else case.program
        if self.program == "PYTHON":
            self.program = python
        elif self.program and not self.program.startswith("/"):
            self.program = "/run/t/" + self.program

    def summary(self):
        who = "profile " + self.profile if self.profile else "nobody"
        text = "%s, %s" % (who, re.sub(r"(.)\1{20,}", r"\1...", self.label.rstrip(": ")))
        return text + (", then it ends" if self.ended == cases.WRITER else "")

    def is_label(self, text):
        if self.label == cases.UNKNOWN:
            return text and text.startswith(self.label)
        return text == self.label


def judge(expected, result):
    """What is wrong with one result."""
    began = next(filter(None, map(BEGAN.search, result["log"])), None)
    ended = next(filter(None, map(ENDED.search, result["log"])), None)
    replies = [line[7:] for line in result["out"] if line.startswith("reply: ")]
    findings = [line for line in result["out"] if line.startswith("failed")]
    if replies != expected.replies:
        findings.append("the client got %s, expected %s" % (replies, expected.replies))
    if not began:
        return findings + ["the log has no beginning of a session"]
    if began["profile"] != expected.profile:
        findings.append("profile %s, expected %s" % (began["profile"], expected.profile))
    if not expected.is_label(began["label"]):
        findings.append("%s, expected %s" % (began["label"], expected.label))
    if began["program"] not in (None, expected.program):
        findings.append("executable %s, expected %s" % (began["program"], expected.program))
    if began["unit"] != expected.unit:
        findings.append("unit %s, expected %s" % (began["unit"], expected.unit))
    if int(began["uid"]) != result["uid"] or result["pid"] not in (None, int(began["pid"] or -1)):
        findings.append("uid %s, pid %s, expected %s, %s" % (began["uid"], began["pid"],
                                                             result["uid"], result["pid"]))
    if not ended or expected.ended not in ended[1]:
        findings.append("ended: %s, expected %s" % (ended and ended[1], expected.ended))
    if expected.missing not in (began["missing"] or ""):
        findings.append("missing: %s, expected %s" % (began["missing"], expected.missing))
    return findings


def judge_stage(stage, kernel, began, ended):
    """What is wrong with the start and the end of the daemon."""
    findings = []
    says = choose(stage.says, kernel)
    if not began or not began["up"]:
        findings.append("the daemon did not start")
    elif stage.confined and began["label"] != "onion-grater (enforce)":
        findings.append("the daemon runs as \"%s\"" % began["label"])
    if began and not any(says in line for line in began["log"]):
        findings.append("the daemon does not say \"%s\"" % says)
    if not ended or ended["exit"] != 0:
        findings.append("the daemon ended with status %s" % (ended and ended["exit"]))
    return findings + (ended["denials"] if ended else [])


# --- guests ---------------------------------------------------------------------------------------


RUNNING = []


def stop_guests(number, _frame):
    for process in RUNNING:
        process.terminate()
    sys.exit(128 + number)


class Boot:
    """One guest: what it said, in lines of JSON."""

    def __init__(self, kernel, release, folder, with_apparmor):
        self.kernel = kernel
        self.version = ".".join(release.split(".")[:2])
        self.folder = folder
        self.with_apparmor = with_apparmor
        self.results = []
        self.problem = ""

    def stages(self):
        return [stage for stage in cases.STAGES if stage.apparmor == self.with_apparmor]

    def has_cases(self, text):
        return any(text in stage.name + case.name for stage in self.stages()
                   for case in stage.cases)

    def run(self, work, text):
        """Boots; once more if the emulated kernel crashed before our part began."""
        if self.try_once(work, text) == GUEST_LOST and not self.results:
            self.try_once(work, text)
        return self

    def try_once(self, work, text):
        switch = "on" if self.with_apparmor else "off"
        console = os.path.join(LOGS, "%s-%s.console" % (self.kernel, switch))
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", HERE + "/run", "-t", str(GUEST_SECONDS),
             "-a", "apparmor=%d" % self.with_apparmor, "-c", console, "-d", work, "-d", HERE,
             self.folder, "/usr/bin/python3", "-B", HERE + "/guest.py", self.kernel, switch, work,
             text],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        RUNNING.append(process)
        out, errors = process.communicate()
        others = []
        self.problem = ""
        for line in out.decode("utf-8", "replace").splitlines():
            try:
                self.results.append(json.loads(line))
            except ValueError:
                others.append(line)
        if process.returncode != 0:
            others += errors.decode("utf-8", "replace").splitlines()
            self.problem = "the guest ended with status %d: %s" % (process.returncode,
                                                                  " / ".join(others[-12:]))
        return process.returncode

    def find(self, key, **wanted):
        """The first result that has this key, and these values; or None."""
        return next((result for result in self.results if key in result and
                     all(result.get(name) == value for name, value in wanted.items())), None)

    def python(self):
        return (self.find("python") or {"python": ""})["python"]


def report(tap, boot, text, verbose):
    failed = tap.failed
    tap.result("%s: apparmor=%d: the guest" % (boot.version, boot.with_apparmor),
               [boot.problem] if boot.problem else [])
    for stage in boot.stages():
        chosen = [case for case in stage.cases
                  if boot.kernel in case.kernels and text in stage.name + case.name]
        if not chosen:
            continue
        for case in chosen:
            expected = Expected(case, boot.kernel, boot.python())
            result = boot.find("out", stage=stage.name, case=case.name)
            name = "%s: %s%s: %s" % (boot.version, stage.name, case.name, expected.summary())
            details = result["log"] + result["out"] if result else []
            tap.result(name, judge(expected, result) if result else ["it was not tried"], details)
            if verbose and result:
                print("".join("#     %s\n" % line for line in details), end="")
        began = boot.find("up", stage=stage.name)
        ended = boot.find("exit", stage=stage.name)
        tap.result("%s: %sthe daemon itself" % (boot.version, stage.name),
                   judge_stage(stage, boot.kernel, began, ended),
                   (began["log"] if began else []) + (ended["log"] if ended else []))
    if tap.failed == failed:
        os.unlink(os.path.join(LOGS, "%s-%s.console" % (
            boot.kernel, "on" if boot.with_apparmor else "off")))


# --- all of it ------------------------------------------------------------------------------------


def prepare(work, daemon):
    """What the guests need, where they see it."""
    os.chmod(work, 0o755)
    shutil.copy(daemon, work + "/onion-grater")
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c11", "-D_GNU_SOURCE", "-O1",
                    "-pthread", "-o", work + "/client", HERE + "/client.c"], check=True)
    with open(SOURCE + "/apparmor/onion-grater.in", encoding="utf-8") as file:
        policy = file.read().replace("@sbindir@", "/usr/sbin")
    with open(work + "/onion-grater.apparmor", "w", encoding="utf-8") as file:
        file.write(policy)


def missing_tool():
    for program, package in (
            ("/sbin/apparmor_parser", "apparmor"), ("/usr/bin/aa-exec", "apparmor"),
            ("/usr/bin/python3", "python3"), ("setpriv", "util-linux")):
        if not shutil.which(program):
            return "the package %s is not installed" % package
    return ""


def find_kernels(tap, wanted):
    """(name, release, folder) of each kernel that is there; the others are skipped."""
    reason = missing_tool()
    if reason:
        for name in wanted:
            tap.skip("%s: all cases" % name, reason)
        return []
    listed = subprocess.run([HERE + "/kernels", *wanted], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, check=False).stdout.decode()
    found = []
    for line in listed.splitlines():
        name, release, rest = line.split("\t", 2)
        if release == "-":
            tap.skip("%s: all cases" % name, rest)
        else:
            found.append((name, release, rest))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kernel", action="append", choices=KERNELS)
    parser.add_argument("--case", default="", metavar="TEXT")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("daemon", nargs="?", default=os.environ.get("ONION_GRATER"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop_guests)
    if not options.daemon:
        parser.error("the daemon's program belongs here, or into ONION_GRATER")
    tap = Tap()
    kernels = find_kernels(tap, options.kernel or KERNELS)
    os.makedirs(LOGS, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vm.", dir=BUILD) as work:
        if kernels:
            prepare(work, options.daemon)
        boots = [Boot(*kernel, is_on) for is_on in (True, False) for kernel in kernels]
        boots = [boot for boot in boots if boot.has_cases(options.case)]
        # A guest keeps little more than one processor busy.
        with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            for boot in pool.map(lambda boot: boot.run(work, options.case), boots):
                report(tap, boot, options.case, options.verbose)
    if not os.listdir(LOGS):
        os.rmdir(LOGS)
    return tap.finish()


sys.exit(main())
