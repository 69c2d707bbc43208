"""The operator's listener under clients that mean harm, in the memory its pod is given: the Lease is renewed in time and metrics are served."""
import contextlib
import datetime
import os
import resource
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

MIB = 1 << 20
CLIENTS = 400
SECONDS = 30


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return ("--leader-elect=true", "--resync=1h")


@pytest.fixture
def little(shared_operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """With the descriptors of a small container. The memory limit of one is what is asserted below."""
    pid = shared_operator.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, before[1]))
    yield shared_operator
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def resident(operator: OperatorProcess) -> int:
    pages = int(Path(f"/proc/{operator.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors(operator: OperatorProcess) -> int:
    return len(os.listdir(f"/proc/{operator.process.pid}/fd"))


def flood(port: int, begin: bytes, piece: bytes, until: float) -> None:
    """Sends for as long as the other side takes it, again and again."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as peer:
            peer.sendall(begin)
            while time.monotonic() < until:
                peer.sendall(piece)


def hold(port: int, count: int, until: float) -> None:
    """Half-open requests, one after the other opened anew when the server ends it."""
    peers: list[socket.socket] = []
    while time.monotonic() < until:
        while len(peers) < count:
            try:
                peer = socket.create_connection(("127.0.0.1", port), timeout=2)
                peer.sendall(b"GET / HTTP/1.1\r\n")
                peer.setblocking(False)
                peers.append(peer)
            except OSError:
                break
        time.sleep(0.2)
        alive = []
        for peer in peers:
            try:
                ended = peer.recv(1) == b""
            except BlockingIOError:
                ended = False
            except OSError:
                ended = True
            if ended:
                peer.close()
            else:
                alive.append(peer)
        peers = alive
    for peer in peers:
        peer.close()


def renewed(account: Account) -> datetime.datetime:
    return account.lease().spec.renew_time


def scraped(process: OperatorProcess, until: float) -> str:
    """A client that is slow to send, as on a busy machine, may be the oldest unfinished one and lose its place: it tries again."""
    while True:
        try:
            return process.scrape()
        except (ConnectionError, urllib.error.URLError):
            if time.monotonic() > until:
                raise


def test_neither_half_open_nor_slow_nor_huge_clients_cost_the_lease(little: OperatorProcess, account: Account) -> None:
    memory = resident(little)
    until = time.monotonic() + SECONDS
    megabyte = b"a" * MIB
    attacks: list[Callable[[], None]] = [
        lambda: hold(little.port, CLIENTS, until),
        lambda: flood(little.port, b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ", megabyte, until),
        lambda: flood(little.port, b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + megabyte + b"\r\n",
                      until),
        lambda: flood(little.port, b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", megabyte, until),
        lambda: flood(little.port, b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3fffffff\r\n", megabyte, until),
    ]
    threads = [threading.Thread(target=attack, daemon=True) for attack in attacks]
    for thread in threads:
        thread.start()
    last, worst_gap, slowest, most, grown, scrapes = renewed(account), 0.0, 0.0, 0, 0, 0
    changed = time.monotonic()
    while time.monotonic() < until - 1:
        now = renewed(account)
        if now != last:
            last, changed = now, time.monotonic()
        worst_gap = max(worst_gap, time.monotonic() - changed)
        began = time.monotonic()
        assert "athanor_resources" in scraped(little, began + 4)
        slowest = max(slowest, time.monotonic() - began)
        scrapes += 1
        most = max(most, descriptors(little))
        grown = max(grown, resident(little) - memory)
        time.sleep(0.5)
    for thread in threads:
        thread.join(20)
    print(f"{scrapes} scrapes, the slowest {slowest:.2f} s; a renewal every {worst_gap:.1f} s; {most} descriptors; {grown / MIB:.1f} MiB more")
    assert worst_gap < 5, "a renewal every two seconds"
    assert little.leads() and little.process.poll() is None
    assert slowest < 4 and scrapes > 10
    assert most < 128
    assert grown < 32 * MIB


def own_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-days", "1", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


def test_the_metrics_are_for_those_who_may_get_them(server: ThrowawayCluster, account: Account, tmp_path: Path,
                                                    namespace: str) -> None:
    api = server.api()
    rbac = client.RbacAuthorizationV1Api(api)
    name = f"{account.name}-metrics"
    rbac.create_cluster_role({"metadata": {"name": name}, "rules": [
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]}]})
    rbac.create_cluster_role_binding({"metadata": {"name": name}, "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"},
                                      "subjects": [{"kind": "User", "name": account.name, "apiGroup": "rbac.authorization.k8s.io"}]})
    rbac.create_cluster_role({"metadata": {"name": f"{name}-reader"}, "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]})
    rbac.create_cluster_role_binding({"metadata": {"name": f"{name}-reader"},
                                      "roleRef": {"kind": "ClusterRole", "name": f"{name}-reader", "apiGroup": "rbac.authorization.k8s.io"},
                                      "subjects": [{"kind": "ServiceAccount", "name": "scraper", "namespace": namespace}]})
    core = client.CoreV1Api(api)
    for one in ("scraper", "other"):
        core.create_namespaced_service_account(namespace, {"metadata": {"name": one}})
    certificate, key = own_certificate(tmp_path, "metrics")
    trust = ssl.create_default_context(cafile=str(certificate))

    class Served(OperatorProcess):
        def ready(self) -> bool:
            assert self.process.poll() is None, self.log()[-3000:]
            with contextlib.suppress(OSError):
                return self.get("/readyz") == 200
            return False

        def get(self, path: str, token: str = "") -> int:
            request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
            try:
                with urllib.request.urlopen(request, timeout=5, context=trust) as answer:
                    return answer.status
            except urllib.error.HTTPError as refused:
                return refused.code

    operator = Served(account, tmp_path, "--leader-elect=false", "--metrics-authentication", "--tls-cert-file", str(certificate),
                      "--tls-private-key-file", str(key))
    try:
        scraper = server.token(namespace, "scraper")
        assert operator.get("/healthz") == 200
        assert operator.get("/metrics") == 401
        assert operator.get("/metrics", "made-up") == 401
        eventually(lambda: operator.get("/metrics", server.token(namespace, "scraper")) == 200, "the roles take effect")
        assert operator.get("/metrics", server.token(namespace, "other")) == 403
        assert scraper not in operator.log()
    finally:
        assert operator.stop() == 0
        for suffix in ("", "-reader"):
            rbac.delete_cluster_role(f"{name}{suffix}")
            rbac.delete_cluster_role_binding(f"{name}{suffix}")
