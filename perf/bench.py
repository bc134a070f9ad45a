#!/usr/bin/env python3
"""Compares what a request costs through nginx, HAProxy and Sluice; README.md says how. `./dev bench`
builds Sluice and runs this."""

import argparse
import os
import pathlib
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import proxies
from lab import BenchError, Lab, measure

ROOT = pathlib.Path(__file__).resolve().parent.parent
IDLE_CONNECTIONS = 8000
# The proxy has its core to itself. If it waits for it more than this, others ran there, and what
# it cost may be theirs in part: such figures are shown and not judged.
MOST_WAITING = 0.05


def say(text):
    print(text, file=sys.stderr, flush=True)


def median_of(proxy, what):
    return statistics.median(getattr(sample, what) for sample in proxy.samples)


# ---- what must hold ------------------------------------------------------------------------------


@dataclass
class Finding:
    """One figure to reach: what was measured against what was asked."""

    text: str
    value: float
    limit: float
    unit: str = ""

    def row(self, workload, disturbed):
        verdict = "holds" if self.value <= self.limit else "**missed**"
        if disturbed:
            verdict = "not judged: disturbed"
        return f"| {workload} | {self.text} | {self.value:.2f}{self.unit} | " \
               f"{self.limit:g}{self.unit} | {verdict} |"


def ratio(running, name, limit):
    """CPU a request of Sluice over that of `name`, if both ran."""
    cpu = {proxy.name: median_of(proxy, "cpu_us") for proxy in running}
    if "sluice" not in cpu or name not in cpu:
        return []
    return [Finding(f"Sluice / {name}", cpu["sluice"] / cpu[name], limit)]


def ratio_to_better(running, limit):
    cpu = {proxy.name: median_of(proxy, "cpu_us") for proxy in running}
    peers = {name: value for name, value in cpu.items() if name != "sluice"}
    if "sluice" not in cpu or not peers:
        return []
    best = min(peers, key=peers.get)
    return [Finding(f"Sluice / {best} (the better peer)", cpu["sluice"] / peers[best], limit)]


def difference(running, limit):
    """Median over the rounds of the second's CPU a request less the first's."""
    first, second = running
    pairs = zip(first.samples, second.samples)
    value = statistics.median(after.cpu_us - before.cpu_us for before, after in pairs)
    return [Finding(f"{second.name} less {first.name}", value, limit, " us")]


def ratio_of_two(running, limit):
    first, second = running
    return [Finding(f"{second.name} / {first.name}",
                    median_of(second, "cpu_us") / median_of(first, "cpu_us"), limit)]


# ---- workloads -----------------------------------------------------------------------------------


class Comparison:
    """The same load on each proxy in turn, in rounds, and the table of it."""

    def __init__(self, title, path="/service-1/item", options=(), json_log=False,
                 peers=("nginx", "haproxy", "sluice"), judge=lambda running: []):
        self.title = title
        self.path = path
        self.options = options
        self.json_log = json_log
        self.peers = peers
        self.judge = judge
        self.rounds = None  # as the command line says

    def start(self, lab, backend, allowed):
        endpoints = [f"127.0.0.1:{backend}"]
        starters = {
            "nginx": lambda: proxies.start_nginx(lab, endpoints, self.json_log),
            "haproxy": lambda: proxies.start_haproxy(lab, endpoints),
            "sluice": lambda: proxies.start_sluice(lab, endpoints, json_log=self.json_log),
        }
        running = [starters[name]() for name in self.peers if name in allowed]
        for proxy in running:
            proxies.prove(lab, proxy)
        return running

    def load_of(self, _proxy):
        return self.path, self.options

    def run(self, lab, backend, arguments):
        running = self.start(lab, backend, arguments.peers)
        if not running:
            return None
        for proxy in running:
            measure(lab, proxy.process, proxy.port, *self.load_of(proxy), 1)  # warms it
            if proxy.log:
                proxies.take_log_lines(proxy)
        rounds = arguments.rounds or (3 if arguments.quick else self.rounds or 5)
        for number in range(rounds):
            # Each round begins with another one, so that none always follows the same.
            turn = number % len(running)
            for proxy in running[turn:] + running[:turn]:
                path, options = self.load_of(proxy)
                sample = measure(lab, proxy.process, proxy.port, path, options, arguments.seconds)
                proxy.samples.append(sample)
                say(f"  {number + 1}/{rounds} {proxy.name:14} {sample.cpu_us:8.2f} us, "
                    f"waiting {sample.waiting:.1%}")
                if proxy.log:
                    self.check_log(proxy, sample)
        disturbed = any(median_of(proxy, "waiting") > MOST_WAITING for proxy in running)
        return self.table(running), self.judge(running), disturbed

    @staticmethod
    def check_log(proxy, sample):
        lines = proxies.take_log_lines(proxy)
        if lines < sample.requests * 0.999:
            raise BenchError(f"{proxy.name} logged {lines} of {sample.requests} requests: what it "
                             "leaves out it does not pay for")

    @staticmethod
    def table(running):
        lines = ["| proxy | CPU us/request | requests/s | p50 ms | p99 ms | RSS MiB | waiting |",
                 "|---|---|---|---|---|---|---|"]
        for proxy in running:
            lines.append(
                f"| {proxy.name} | {median_of(proxy, 'cpu_us'):.2f} | "
                f"{median_of(proxy, 'rate'):.0f} | {median_of(proxy, 'p50_us') / 1000:.2f} | "
                f"{median_of(proxy, 'p99_us') / 1000:.2f} | "
                f"{proxy.process.rss() / (1 << 20):.1f} | "
                f"{median_of(proxy, 'waiting'):.1%} |")
        return lines


class TwoSluices(Comparison):
    """Two configurations of Sluice in turns. `variants`: name, then what start_sluice takes."""

    def __init__(self, title, variants, judge, loads=None, rounds=9):
        super().__init__(title, peers=("sluice",), judge=judge)
        self.variants = variants
        self.loads = loads or {}
        self.rounds = rounds

    def start(self, lab, backend, allowed):
        if "sluice" not in allowed:
            return []
        return [proxies.start_sluice(lab, [f"127.0.0.1:{backend}"], name=name, **settings)
                for name, settings in self.variants.items()]

    def load_of(self, proxy):
        return self.loads.get(proxy.name, (self.path, self.options))


class OneIsSlow(Comparison):
    """Four endpoints, of which one takes 50 ms longer: who keeps away from it?"""

    SLUICES = ("round_robin", "least_request", "peak_ewma")

    def start(self, lab, backend, allowed):
        slow = proxies.start_slow_backend(lab, backend, "50ms")
        endpoints = [f"127.0.0.{i}:{backend}" for i in (1, 2, 3)] + [f"127.0.0.1:{slow.port}"]
        running = []
        if "nginx" in allowed:
            running.append(proxies.start_nginx(lab, endpoints, balance="least_conn;"))
            running[-1].name = "nginx least_conn"
        if "haproxy" in allowed:
            running.append(proxies.start_haproxy(lab, endpoints, balance="leastconn"))
            running[-1].name = "haproxy leastconn"
        if "sluice" in allowed:
            running += [proxies.start_sluice(lab, endpoints, name=f"sluice {policy}",
                                             cluster=f"    balance: {policy}")
                        for policy in self.SLUICES]
        return running


class ManyClusters(TwoSluices):
    """As TwoSluices, and what the second one's further clusters take."""

    def table(self, running):
        return super().table(running) + ["", f"Memory: {self.more_memory(running):.1f} MiB more."]

    @staticmethod
    def more_memory(running):
        first, second = running
        return (second.process.rss() - first.process.rss()) / (1 << 20)


class Idle:
    """Connections that have done one request and wait: what each costs in memory."""

    title = f"{IDLE_CONNECTIONS:,} idle keep-alive connections"

    def run(self, lab, backend, arguments):
        lines = ["| proxy | RSS before, MiB | bytes a connection |", "|---|---|---|"]
        findings = []
        starters = {"nginx": proxies.start_nginx, "haproxy": proxies.start_haproxy,
                    "sluice": proxies.start_sluice}
        for name, start in starters.items():
            if name not in arguments.peers:
                continue
            proxy = start(lab, [f"127.0.0.1:{backend}"])
            base, each = self.measure(proxy)
            lines.append(f"| {name} | {base / (1 << 20):.1f} | {each:.0f} |")
            say(f"  {name}: {base / (1 << 20):.1f} MiB, {each:.0f} bytes a connection")
            if name == "sluice":
                findings = [Finding("RSS a connection", each, 1200, " B"),
                            Finding("RSS before", base / (1 << 20), 15, " MiB")]
            lab.stop(proxy.process)
        return (lines, findings, False) if len(lines) > 2 else None

    @staticmethod
    def measure(proxy):
        ask = b"GET /service-1/item HTTP/1.1\r\nHost: idle.example.com\r\n\r\n"
        body = proxies.SMALL.encode()
        held = []

        def open_one():
            connection = socket.create_connection(("127.0.0.1", proxy.port), 10)
            held.append(connection)
            connection.sendall(ask)
            answer = b""
            while not answer.endswith(body):
                piece = connection.recv(4096)
                if not piece:
                    raise BenchError(f"{proxy.name} closed connection {len(held)}: {answer!r}")
                answer += piece

        try:
            open_one()
            base = proxy.process.rss()
            for _ in range(IDLE_CONNECTIONS):
                open_one()
            time.sleep(1)  # what is given back at the end of a turn has been
            return base, (proxy.process.rss() - base) / IDLE_CONNECTIONS
        finally:
            for connection in held:
                connection.close()


WORKLOADS = {
    "small": Comparison(
        "Small GET, keep-alive, default chain",
        judge=lambda r: ratio(r, "nginx", 0.92) + ratio(r, "haproxy", 0.88)),
    "log": Comparison(
        "Small GET with a JSON access log", json_log=True, peers=("nginx", "sluice"),
        judge=lambda r: ratio(r, "nginx", 0.95)),
    "10k": Comparison(
        "10 KiB response", path="/files/10k", judge=lambda r: ratio_to_better(r, 0.95)),
    "post": Comparison(
        "16 KiB POST", path="/sink", options=("post=16384",),
        judge=lambda r: ratio_to_better(r, 0.95)),
    "1m": Comparison(
        "1 MiB response", path="/files/1m", judge=lambda r: ratio(r, "haproxy", 0.6)),
    "connect": Comparison(
        "A new connection per request", options=("close",),
        judge=lambda r: ratio_to_better(r, 1.0)),
    "idle": Idle(),
    "routes": TwoSluices(
        "10 routes against 10,000, a request for the last",
        {"10 routes": {"routes": 10}, "10,000 routes": {"routes": 10000}},
        loads={"10 routes": ("/service-10/item", ()), "10,000 routes": ("/service-10000/item", ())},
        judge=lambda r: difference(r, 0.15)),
    "spread": TwoSluices(
        "10 routes against 10,000, requests for each in turn",
        {"10 routes": {"routes": 10}, "10,000 routes": {"routes": 10000}},
        loads={"10 routes": ("/", ("spread=10",)), "10,000 routes": ("/", ("spread=10000",))},
        judge=lambda r: []),
    "chain": TwoSluices(
        "5 native filters against none",
        {"no filters": {}, "5 filters": {"filters": proxies.FIVE_FILTERS}},
        judge=lambda r: difference(r, 0.5)),
    "resilient": TwoSluices(
        "Retries, limits, breaker, outlier detection and peak_ewma against none",
        {"round robin": {}, "all of it": {"cluster": proxies.RESILIENT_CLUSTER,
                                          "route": proxies.RESILIENT_ROUTE}},
        judge=lambda r: difference(r, 0.4)),
    "clusters": ManyClusters(
        "1,000 further clusters of 10 endpoints against none",
        {"1 cluster": {}, "1,001 clusters": {"clusters": 1000}},
        judge=lambda r: difference(r, 0.1) + [
            Finding("memory of 1,000 clusters", ManyClusters.more_memory(r), 20, " MiB")]),
    "slow": OneIsSlow("Four endpoints, one of them slower by 50 ms"),
    "workers": TwoSluices(
        "2 workers on the proxy's core against 1",
        {"1 worker": {"workers": 1}, "2 workers": {"workers": 2}},
        judge=lambda r: ratio_of_two(r, 1.05)),
}


# ---- the run -------------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="CPU microseconds a request, Sluice against nginx and HAProxy.",
        epilog="Workloads: " + "; ".join(f"{name}: {w.title}" for name, w in WORKLOADS.items()))
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="all if none is named")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 second: a first look")
    parser.add_argument("--rounds", type=int, help="rounds of each workload")
    parser.add_argument("--seconds", type=int, help="length of one measurement")
    parser.add_argument("--peers", default="nginx,haproxy,sluice", help="which proxies run")
    parser.add_argument("--sluice", default=str(ROOT / "build/release/sluice"), help="the binary")
    arguments = parser.parse_args()
    for name in arguments.workloads:
        if name not in WORKLOADS:
            parser.error(f"no workload '{name}'; there are: {', '.join(WORKLOADS)}")
    arguments.peers = arguments.peers.split(",")
    unknown = set(arguments.peers) - {"nginx", "haproxy", "sluice"}
    if unknown:
        parser.error(f"no peer '{', '.join(unknown)}'; there are: nginx, haproxy, sluice")
    arguments.seconds = arguments.seconds or (1 if arguments.quick else 3)
    return arguments


def versions(arguments):
    commands = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"],
                "sluice": [arguments.sluice, "version"]}
    texts = []
    for name in arguments.peers:
        out = subprocess.run(commands[name], capture_output=True, text=True, check=False,
                             env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"})
        lines = (out.stdout + out.stderr).strip().splitlines()
        texts.append(lines[0] if lines else name)
    return texts


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    summary = []
    print(f"Measured on {os.cpu_count()} cores, Linux {os.uname().release}: "
          f"{'; '.join(versions(arguments))}. Medians; CPU from the scheduler's accounting.\n")
    for name in arguments.workloads or WORKLOADS:
        workload = WORKLOADS[name]
        say(f"{name}: {workload.title}")
        with Lab(arguments.sluice) as lab:
            backend = proxies.start_backend(lab)
            result = workload.run(lab, backend, arguments)
        if result is None:
            say("  not measured: none of the proxies it compares runs")
            continue
        lines, findings, disturbed = result
        print(f"### {workload.title}\n\n" + "\n".join(lines) + "\n", flush=True)
        if disturbed:
            print(f"Disturbed: others ran on a proxy's core for over {MOST_WAITING:.0%} of the time "
                  "while it wanted to. Not to be quoted.\n", flush=True)
        summary += [finding.row(workload.title, disturbed) for finding in findings]
    if summary:
        print("### Figures to reach\n\n| workload | figure | measured | at most | |\n"
              "|---|---|---|---|---|\n" + "\n".join(summary))


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
