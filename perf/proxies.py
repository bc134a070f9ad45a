"""The proxies that are compared, and the proof that each passes bodies through unchanged."""

import hashlib
import http.client
import pathlib
import time
from dataclasses import dataclass, field

from lab import BenchError, Process, find_program, free_port

SMALL = "The quick brown fox jumps over the lazy dog, one hundred bytes of it, then home it goes. " + \
    "Good night."
ROUTE = "      - {{ match: {{ prefix: {prefix} }}, cluster: backend{terms} }}"

# Five filters that an edge would run; none of them answers the request itself.
FIVE_FILTERS = """
      - headers: { request: { set: { x-tenant: one } } }
      - cors: { origins: [{ exact: "https://app.example.com" }] }
      - fault: { abort: { status: 503, percent: 0% } }
      - health_answer: { liveness: /livez, readiness: /readyz }
      - headers: { response: { set: { x-frame-options: DENY } } }"""

# What keeps failures away, all of it, on the cluster and on the route.
RESILIENT_CLUSTER = """
    balance: peak_ewma
    limits: { connections: 2000, pending: 2000, requests: 2000, retries: 100 }
    breaker: {}
    outlier_detection: {}"""
RESILIENT_ROUTE = ", retries: { on: [connect-failure, 5xx], attempts: 3 }"


@dataclass
class Proxy:
    """One started proxy."""

    name: str
    process: Process
    port: int
    log: pathlib.Path = None  # its access log
    samples: list = field(default_factory=list)


def start_backend(lab):
    files = lab.folder / "files"
    files.mkdir()
    for name, size in (("10k", 10 * 1024), ("1m", 1024 * 1024)):
        # Bytes that differ at every offset a proxy could confuse, the same in every run.
        blocks = (hashlib.sha256(f"{name} {i}".encode()).digest() for i in range(size // 32))
        (files / name).write_bytes(b"".join(blocks))
    (lab.folder / "sink").touch()  # the static module answers 405 to a POST only of what exists
    port = free_port()
    config = lab.fill("backend.conf", "backend.conf", backend=port, small=SMALL)
    lab.start([find_program("nginx"), "-e", lab.folder / "backend.log", "-c", config],
              lab.load_core, port)
    return port


def start_slow_backend(lab, backend, delay):
    """An endpoint that answers as the backend does, `delay` later."""
    return start_sluice(lab, [f"127.0.0.1:{backend}"], core=lab.load_core,
                        filters=f"\n      - fault: {{ delay: {delay} }}")


def start_nginx(lab, endpoints, json_log=False, balance=""):
    port = free_port()
    log = "access_log off;"
    if json_log:
        log = lab.fill("nginx_json_log.conf", "nginx_json_log.conf").read_text()
    servers = "\n".join(f"    server {endpoint} max_fails=0;" for endpoint in endpoints)
    config = lab.fill("nginx.conf", f"nginx-{port}.conf", port=port, log=log, servers=servers,
                      balance=balance)
    process = lab.start([find_program("nginx"), "-e", lab.folder / "nginx.log", "-c", config],
                        lab.proxy_core, port)
    return Proxy("nginx", process, port, lab.folder / "nginx-access.log" if json_log else None)


def start_haproxy(lab, endpoints, balance="roundrobin"):
    port = free_port()
    servers = "\n".join(f"  server s{i} {endpoint}" for i, endpoint in enumerate(endpoints))
    config = lab.fill("haproxy.cfg", f"haproxy-{port}.cfg", port=port, servers=servers,
                      balance=balance)
    return Proxy("haproxy", lab.start([find_program("haproxy"), "-db", "-f", config],
                                      lab.proxy_core, port), port)


def start_sluice(lab, endpoints, name="sluice", json_log=False, filters="", routes=0, workers=1,
                 cluster="", route="", clusters=0, core=None):
    """`filters` as YAML list items; `routes` routes by prefix instead of one; `cluster` and `route`
    as further fields; `clusters` others of ten endpoints each, which nothing goes to."""
    port, admin = free_port(), free_port()
    log = lab.folder / "sluice-access.log"
    if json_log:
        filters += f"\n      - access_log: {{ path: {log}, format: json }}"
    lines = [ROUTE.format(prefix=f"/service-{i}/", terms=route) for i in range(1, routes + 1)]
    if not routes:
        lines = [ROUTE.format(prefix="/", terms=route)]
    others = [f"  - {{ name: other-{i}, endpoints: ["
              + ", ".join(f"127.1.{i // 250}.{i % 250 + 1}:{9000 + j}" for j in range(10))
              + "] }" for i in range(clusters)]
    stats = pathlib.Path(f"/dev/shm/sluice.bench-{port}")
    lab.leftovers.append(stats)
    config = lab.fill("sluice.yaml", f"sluice-{port}.yaml", endpoints=", ".join(endpoints),
                      port=port, admin=admin, workers=workers, filters=filters or "[]",
                      routes="\n".join(lines), cluster=cluster, clusters="\n".join(others))
    process = lab.start([lab.sluice, "run", "-c", config],
                        lab.proxy_core if core is None else core, port)
    return Proxy(name, process, port, log if json_log else None)


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def prove(lab, proxy):
    """Fails unless what the workloads send and fetch comes through `proxy` byte by byte."""

    def expect(what, got, wanted):
        if got != wanted:
            raise BenchError(f"{proxy.name}: {what}: got {got[0]} with {len(got[1])} bytes, "
                             f"expected {wanted[0]} with {len(wanted[1])} bytes, or others")

    expect("a small GET", request(proxy.port, "GET", "/service-1/item"), (200, SMALL.encode()))
    for name in ("10k", "1m"):
        wanted = (lab.folder / "files" / name).read_bytes()
        expect(f"GET of {name}", request(proxy.port, "GET", f"/files/{name}"), (200, wanted))
    sent = hashlib.sha256(b"post").digest() * 512  # 16 KiB
    expect("a POST", request(proxy.port, "POST", "/sink", sent), (200, b"taken"))
    expect("a kept POST", request(proxy.port, "POST", "/keep", sent), (200, b"taken"))
    kept = [path for path in (lab.folder / "backend-bodies").rglob("*") if path.is_file()]
    arrived = [path.read_bytes() for path in kept]
    for path in kept:
        path.unlink()
    if arrived != [sent]:
        raise BenchError(f"{proxy.name}: the body of a POST did not reach the backend unchanged")


def take_log_lines(proxy):
    """How many lines the access log got since the last call; it is emptied."""
    time.sleep(1.5)  # both write what they hold at least once a second
    with open(proxy.log, "rb") as log:
        lines = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
    with open(proxy.log, "rb+") as log:
        log.truncate(0)
    return lines
