"""Runs in a guest, as root: prepares it, starts the daemon for each stage, tries every case.

    python3 guest.py KERNEL on|off FOLDER TEXT

KERNEL is its name in cases.py, on or off whether AppArmor was switched on at boot. FOLDER holds
`onion-grater`, `client` (built from client.c) and `onion-grater.apparmor` (our own profile). Only
cases with TEXT in their name are tried. What happened goes to the standard output, one line of JSON
each; test_identity.py judges it.

Everything is where an installed onion-grater has it. The guest is thrown away afterwards.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
T = "/run/t"
SYNC = T + "/sync"
PYTHON = os.path.realpath("/usr/bin/python3")
TOR_UID = 4242
DAEMON_UID = 4000
FIRST_UID = 2000
LIMIT = 30
PROGRAMS = ("app", "complaining", "loose", "known", "nameless", "two-words", "liar", "long",
            "other", "rooted")


def say(**what):
    print(json.dumps(what), flush=True)


def wait_until(condition, seconds=LIMIT):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# --- tor ------------------------------------------------------------------------------------------


class TorConnection(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            if word == "PROTOCOLINFO":
                answer = ('250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n'
                          '250-VERSION Tor="0.4.9.11"\r\n')
            elif word == "GETINFO":
                answer = "".join("250-%s=%s\r\n" % (key, {
                    "version": "0.4.9.11",
                    "net/listeners/control": '"unix:/run/tor/control"',
                }.get(key, "")) for key in rest.split())
            else:
                answer = ""
            self.wfile.write((answer + "250 OK\r\n").encode())


class TorServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def ask_as_tor(_signal, _frame):
    """tor connects to the daemon: asked for by SIGUSR1, the reply goes to a file."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LIMIT)
        connection.connect("/run/onion-grater/anybody.sock")
        connection.sendall(b"GETINFO version\r\n")
        reply = connection.makefile("rb").readline()[:3].decode()
    write(SYNC + "/tor-reply.new", reply or "closed")
    os.rename(SYNC + "/tor-reply.new", SYNC + "/tor-reply")


def start_tor():
    os.makedirs("/run/tor", exist_ok=True)
    os.chown("/run/tor", TOR_UID, TOR_UID)
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(TOR_UID)
        os.setuid(TOR_UID)
        server = TorServer("/run/tor/control", TorConnection)
        os.chmod("/run/tor/control", 0o666)
        signal.signal(signal.SIGUSR1, ask_as_tor)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        while True:
            signal.pause()
    if not wait_until(lambda: os.path.exists("/run/tor/control")):
        raise RuntimeError("the scripted tor did not start")
    return pid


# --- the guest ------------------------------------------------------------------------------------


def prepare(folder, with_apparmor):
    # Denials and start-up lines are many; none may be lost, and none needs the slow console.
    write("/proc/sys/kernel/printk_ratelimit_burst", "100000")
    write("/proc/sys/kernel/printk", "1")
    for path in ("/etc/onion-grater", "/etc/onion-grater.d", "/usr/share/onion-grater"):
        shutil.rmtree(path, ignore_errors=True)
    os.makedirs("/etc/onion-grater.d")
    os.makedirs("/etc/onion-grater")
    shutil.copy(HERE + "/guest.yml", "/etc/onion-grater.d/guest.yml")
    os.makedirs("/etc/onion-grater/fenced")
    shutil.copy(HERE + "/fenced.yml", "/etc/onion-grater/fenced/guest.yml")
    for path in (T, SYNC, "/run/onion-grater"):
        os.makedirs(path)
    os.chmod(T, 0o755)
    os.chmod(SYNC, 0o777)
    os.chmod("/run/onion-grater", 0o755)
    for program in PROGRAMS:
        shutil.copy(folder + "/client", T + "/" + program)
    os.chmod(T + "/rooted", 0o4755)
    shutil.copy(HERE + "/script.py", T + "/script")
    for place in (T, "/usr/sbin"):
        shutil.copy(folder + "/onion-grater", place + "/onion-grater")
    for name in ("clients", "system.slice/demo.service", "system.slice/demo2.service"):
        os.makedirs("/sys/fs/cgroup/" + name)
    if with_apparmor:
        load_apparmor(folder)


def load_apparmor(folder):
    shutil.copy(HERE + "/../../apparmor/abstractions/onion-grater-client",
                "/etc/apparmor.d/abstractions/")
    with open(HERE + "/guest.apparmor", encoding="utf-8") as file:
        policy = file.read()
    policy += 'profile "%s" %s/long { file, network unix, unix, signal, ptrace, }\n' % (
        "l" * 200, T)
    write(T + "/policy", policy)
    parser = ["/sbin/apparmor_parser", "-K", "-r"]
    subprocess.run(parser + [T + "/policy"], check=True)
    os.mkdir("/sys/kernel/security/apparmor/policy/namespaces/inside")
    subprocess.run(parser + ["-n", "inside", T + "/policy"], check=True)
    subprocess.run(parser + [folder + "/onion-grater.apparmor"], check=True)


def set_hidepid(is_on):
    subprocess.run(["mount", "-o", "remount,hidepid=%d" % (2 if is_on else 0), "/proc"], check=True)


def denials():
    """What AppArmor denied the daemon; the kernel's spelling of the rest differs."""
    log = subprocess.run(["dmesg"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line for line in log.splitlines()
            if 'apparmor="DENIED"' in line and 'profile="onion-grater"' in line]


# --- the daemon -----------------------------------------------------------------------------------


class Daemon:
    def __init__(self, stage):
        write("/etc/onion-grater/onion-grater.yml", stage.config)
        shutil.rmtree("/run/onion-grater", ignore_errors=True)
        os.mkdir("/run/onion-grater")
        user = DAEMON_UID if stage.unprivileged else 0
        os.chown("/run/onion-grater", user, user)
        self.log = T + "/daemon.log"
        self.taken = 0
        place = "/usr/sbin" if stage.confined else T
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([place + "/onion-grater", "--debug"], stderr=log,
                                            user=user, group=user, extra_groups=[])
        self.began = []
        wait_until(lambda: self.process.poll() is not None or self.has_begun())
        self.is_up = self.process.poll() is None

    def has_begun(self):
        self.began += self.lines()
        return any(" started: " in line for line in self.began)

    def lines(self):
        """What it has logged since the last call."""
        with open(self.log, "rb") as log:
            log.seek(self.taken)
            data = log.read()
        data = data[:data.rfind(b"\n") + 1]
        self.taken += len(data)
        return data.decode("ascii", "replace").splitlines()

    def label(self):
        try:
            with open("/proc/%d/attr/current" % self.process.pid, encoding="utf-8") as file:
                return file.read().strip()
        except OSError:
            return ""

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.state() == "T")

    def state(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# --- one case -------------------------------------------------------------------------------------


def command_of(case):
    words = [PYTHON if word == "PYTHON" else word for word in shlex.split(case.steps)]
    if not words[0].startswith("/"):
        words[0] = T + "/" + words[0]
    return words


def take_pid(pid, uid, steps):
    """Starts a program under this pid."""
    program, *rest = steps.split(" ")
    for _ in range(50):
        write("/proc/sys/kernel/ns_last_pid", str(pid - 1))
        process = subprocess.Popen([T + "/" + program] + rest, stdout=subprocess.PIPE, user=uid,
                                   group=uid, extra_groups=[])
        if process.pid == pid:
            return process
        process.kill()
        process.communicate()
    raise RuntimeError("pid %d cannot be had" % pid)


def enter_cgroup(name):
    write("/sys/fs/cgroup/%s/cgroup.procs" % name, str(os.getpid()))


def remove(*names):
    for name in names:
        if os.path.exists(SYNC + "/" + name):
            os.unlink(SYNC + "/" + name)


class Client:
    """One client, and the processes that it starts: none outlives it."""

    def __init__(self, case, uid):
        self.uid = uid
        self.cgroup = case.cgroup or "clients"
        self.other = None
        # A group of processes of its own would keep the pid from being used again.
        enter_cgroup(self.cgroup)
        self.process = subprocess.Popen(
            command_of(case), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, user=uid, group=uid, extra_groups=list(case.groups))
        enter_cgroup("")
        self.pid = self.process.pid

    def connector(self, case):
        """The pid of the process that connects, as far as it is known here."""
        hidden = (" zombie ", "unshare -Upf", " tcp ")
        return None if any(words in case.steps for words in hidden) else self.pid

    def direct(self, case, daemon):
        """The part of the case that the client cannot do itself."""
        if " orphan " in case.steps:
            self.process.wait(LIMIT)
        if " ready " in case.steps or " swap " in case.steps:
            wait_until(lambda: os.path.exists(SYNC + "/ready"))
        if case.reuse:
            self.other = take_pid(self.pid, self.uid, case.reuse)
        if " catch" in case.reuse:
            wait_until(lambda: os.path.exists(SYNC + "/hand"))
        if case.frozen:
            daemon.process.send_signal(signal.SIGCONT)
            time.sleep(0.2)
        write(SYNC + "/go", "")

    def finish(self):
        """What the client and its children said, which is over when the last of them is."""
        try:
            out, _ = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            write("/sys/fs/cgroup/%s/cgroup.kill" % self.cgroup, "1")
            out, _ = self.process.communicate()
            out += b"failed: took longer than %d s\n" % LIMIT
        if self.other:
            if self.other.args[-1] == "hold":
                self.other.kill()
            out += self.other.communicate(timeout=LIMIT)[0]
        return out.decode("utf-8", "replace").splitlines()


def try_case(case, uid, daemon):
    remove("ready", "go", "hand")
    daemon.lines()
    if case.frozen:
        daemon.freeze()
    if case.sysctl:
        write("/proc/sys/" + case.sysctl, "1")
    client = Client(case, case.uid if case.uid is not None else uid)
    problems = []
    try:
        client.direct(case, daemon)
    except (RuntimeError, subprocess.TimeoutExpired) as problem:
        problems.append("failed: %s" % problem)
    daemon.process.send_signal(signal.SIGCONT)
    out = client.finish() + problems
    if case.sysctl:
        write("/proc/sys/" + case.sysctl, "0")
    return {"out": out, "log": session_lines(daemon), "pid": client.connector(case),
            "uid": client.uid}


def try_as_tor(tor, daemon):
    remove("tor-reply")
    daemon.lines()
    os.kill(tor, signal.SIGUSR1)
    out = ["failed: no reply"]
    if wait_until(lambda: os.path.exists(SYNC + "/tor-reply")):
        with open(SYNC + "/tor-reply", encoding="utf-8") as file:
            out = ["reply: " + file.read()]
    return {"out": out, "log": session_lines(daemon), "pid": tor, "uid": TOR_UID}


def session_lines(daemon):
    """What the daemon says, up to the end of the session."""
    lines = []

    def has_ended():
        lines.extend(daemon.lines())
        return any(re.search(r"\): (ended|came and went)", line) for line in lines)

    wait_until(has_ended, 5)
    return lines


# --- all of it ------------------------------------------------------------------------------------


def run_stage(stage, chosen, tor):
    set_hidepid(stage.hidepid)
    daemon = Daemon(stage)
    say(stage=stage.name, up=daemon.is_up, label=daemon.label(),
        log=daemon.began + daemon.lines())
    for number, case in enumerate(chosen):
        if daemon.process.poll() is not None:
            break
        began = time.monotonic()
        if case.steps.startswith("TOR "):
            result = try_as_tor(tor, daemon)
        else:
            result = try_case(case, FIRST_UID + number, daemon)
        say(stage=stage.name, case=case.name, seconds=round(time.monotonic() - began, 2), **result)
    daemon.stop()
    say(stage=stage.name, exit=daemon.process.returncode, log=daemon.lines(),
        denials=denials() if stage.confined else [])


def main():
    kernel, switch, folder, text = sys.argv[1:]
    os.umask(0o022)
    with_apparmor = switch == "on"
    prepare(folder, with_apparmor)
    tor = start_tor()
    say(prepared=True, python=PYTHON)
    try:
        for stage in cases.STAGES:
            chosen = [case for case in stage.cases
                      if kernel in case.kernels and text in stage.name + case.name]
            if stage.apparmor == with_apparmor and chosen:
                run_stage(stage, chosen, tor)
    finally:
        os.kill(tor, signal.SIGKILL)
        os.waitpid(tor, 0)


main()
