"""What the benchmarks stand on: pinned processes that always end, their CPU time and memory as the
kernel accounts it, and wrk as the load."""

import ctypes
import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """Something that makes a measurement impossible or worthless, in words for the user."""


@dataclass
class Sample:
    """What one wrk run says, and what its proxy paid for it."""

    cpu_us: float  # CPU microseconds a request
    rate: float  # requests a second
    p50_us: int
    p99_us: int
    requests: int
    waiting: float  # share of the time that others kept the proxy from its core


class Process:
    """A started program and those it forks, pinned to one core."""

    def __init__(self, command, core, log):
        libc = ctypes.CDLL(None)

        def before_exec():
            os.sched_setaffinity(0, {core})
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        self.command = command
        self.log = log
        with open(log, "ab") as out:
            # A session of its own: Ctrl-C reaches only us, and we end it in order.
            self.popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, preexec_fn=before_exec)

    def pids(self):
        """Its process and that one's children (nginx has a master and a worker)."""
        pid = self.popen.pid
        children = []
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            children += pathlib.Path(path).read_text().split()
        return [pid] + [int(child) for child in children]

    def threads(self):
        """Of each of its threads the nanoseconds that it has run, and has waited for a core while it
        could have run, from the scheduler."""
        threads = {}
        for pid in self.pids():
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    run, waited = pathlib.Path(path).read_text().split()[:2]
                except OSError:  # it has ended
                    continue
                threads[path] = (int(run), int(waited))
        return threads

    def rss(self):
        """Resident bytes."""
        total = 0
        for pid in self.pids():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        return total

    def await_port(self, port):
        """Until it listens on `port`."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        text = pathlib.Path(self.log).read_text(errors="replace")[-2000:]
        raise BenchError(f"{' '.join(map(str, self.command))} does not listen on {port}:\n{text}")

    def stop(self):
        for number, patience in ((signal.SIGTERM, 2), (signal.SIGTERM, 3), (signal.SIGKILL, 5)):
            if self.popen.poll() is not None:
                return
            self.popen.send_signal(number)
            try:
                self.popen.wait(patience)
                return
            except subprocess.TimeoutExpired:
                pass


class Lab:
    """A temporary folder, two cores, and the processes of a run. A context manager: whatever
    happens, what it started has ended when it closes."""

    def __init__(self, sluice):
        self.sluice = sluice
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("two cores are needed: one for the proxy, one for wrk and the backend")
        self.proxy_core, self.load_core = cores[0], cores[1]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.leftovers = []  # files outside of the folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.leftovers:
            path.unlink(missing_ok=True)

    def start(self, command, core, port):
        process = Process(command, core, self.folder / f"output-{port}.txt")
        self.processes.append(process)
        process.await_port(port)
        return process

    def stop(self, process):
        process.stop()
        self.processes.remove(process)

    def stop_all(self):
        while self.processes:
            self.stop(self.processes[-1])

    def fill(self, template, name, **values):
        """A file of the run's folder made from perf/peers/`template`."""
        values.setdefault("folder", self.folder)
        values.setdefault("user", "user root;" if os.geteuid() == 0 else "")
        text = string.Template((HERE / "peers" / template).read_text()).substitute(values)
        path = self.folder / name
        path.write_text(text)
        return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise BenchError(f"{name} is not installed; ./dev bench installs it")
    return path


def load(lab, port, path, options, seconds, connections=64):
    """One wrk run against `port`; its numbers as a dict."""
    command = [find_program("taskset"), "-c", str(lab.load_core), find_program("wrk"),
               "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", str(HERE / "wrk.lua"), f"http://127.0.0.1:{port}{path}", "--", *options]
    out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         check=False)
    found = re.search(r"^RESULT (.*)$", out.stdout, re.MULTILINE)
    if not found:
        raise BenchError(f"wrk failed:\n{out.stdout}{out.stderr}")
    numbers = {key: int(value) for key, value in
               (pair.split("=") for pair in found[1].split())}
    if numbers["errors"] or not numbers["requests"]:
        raise BenchError(f"wrk on port {port}{path}: {numbers['errors']} errors in "
                         f"{numbers['requests']} requests:\n{out.stdout}")
    return numbers


def since(before, after):
    """What threads() has counted from one call to a later one, by thread."""
    return [(run - before.get(thread, (0, 0))[0], waited - before.get(thread, (0, 0))[1])
            for thread, (run, waited) in after.items()]


def kept_away(threads):
    """How long others kept these threads, which share one core, from it: while a thread waits, the
    others of its own proxy may be what runs, but for no longer than they did run. The one whose
    waiting they explain least tells."""
    total = sum(run for run, _ in threads)
    return max([waited - (total - run) for run, waited in threads] + [0])


def measure(lab, process, port, path, options, seconds):
    before, begin = process.threads(), time.monotonic_ns()
    numbers = load(lab, port, path, options, seconds)
    threads = since(before, process.threads())
    elapsed = time.monotonic_ns() - begin
    return Sample(cpu_us=sum(run for run, _ in threads) / 1000 / numbers["requests"],
                  waiting=kept_away(threads) / elapsed,
                  rate=numbers["requests"] / numbers["duration_us"] * 1e6,
                  p50_us=numbers["p50_us"], p99_us=numbers["p99_us"],
                  requests=numbers["requests"])
