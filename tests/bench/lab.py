"""What the benchmarks start, measure and end: processes in a temporary directory."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


class Stop(Exception):
    """Cannot go on; the text says why."""


def connect(place):
    """To a Unix socket, or to "tcp:PORT" of this machine."""
    if place.startswith("tcp:"):
        return socket.create_connection(("127.0.0.1", int(place[4:])))
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(place)
    except OSError:
        client.close()
        raise
    return client


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Lab:
    """The temporary directory and every process that was started."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="og-bench-")
        self.processes = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def start(self, name, argv, **options):
        log = open(self.path(name + ".log"), "ab")
        try:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, **options)
        finally:
            log.close()
        self.processes.append((name, process))
        return process

    def stop(self, process):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                pass
            try:
                process.wait(5)
                break
            except subprocess.TimeoutExpired:
                continue
        self.processes = [pair for pair in self.processes if pair[1] is not process]

    def close(self):
        for _, process in reversed(list(self.processes)):
            self.stop(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, name):
        try:
            with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-10:])
        except OSError:
            return ""

    def wait_for(self, name, process, path):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                connect(path).close()
                return
            except OSError:
                pass
            if process.poll() is not None:
                break
            time.sleep(0.01)
        raise Stop(f"{name} does not listen at {path}:\n{self.log_tail(name)}")


class Target:
    """One way to tor: `argv` runs it so that it listens at `socket`; None is tor itself. What fails
    with one that is_other is not ours to mend."""

    def __init__(self, name, make, auth, is_other=False):
        self.name = name
        self.make = make  # instance name -> (argv, socket, ...)
        self.auth = auth
        self.is_other = is_other
        self.process = None
        self.socket = None

    def start(self, lab, instance):
        argv, self.socket = self.make(instance)
        if argv:
            self.process = lab.start(f"{self.name}-{instance}", argv)
            lab.wait_for(f"{self.name}-{instance}", self.process, self.socket)

    def stop(self, lab):
        if self.process:
            lab.stop(self.process)
            self.process = None


def process_tree(pid):
    """The process and its descendants."""
    pids = [pid]
    for parent in pids:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    pids += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return pids


def cpu_seconds(pid):
    """CPU time of the process, its living descendants and those it has waited for."""
    total = 0
    for each in process_tree(pid):
        try:
            with open(f"/proc/{each}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
        except OSError:
            continue
    return total / TICK


def pss_kib(pid):
    total = 0
    for each in process_tree(pid):
        try:
            with open(f"/proc/{each}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue
    return total
