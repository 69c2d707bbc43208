"""Database servers that mean harm, a hundred at a time: others are served, deletions free their workers, and a stop ends in time."""
import contextlib
import itertools
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from databases import Database
from declarations import Declarations, chain
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

_numbers = itertools.count(1)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


class BadServer:
    """Speaks PostgreSQL up to a point. `mode`: tarpit (never answers), quiet (logs everybody in, answers nothing), drip (an answer without
    an end, byte by byte), notices (floods), reset."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"postgresql://app:secret@127.0.0.1:{self.port}/app"

    def close(self) -> None:
        self.open = False
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), peer:
            if self.mode == "reset":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if self.mode == "tarpit":
                while self.open and peer.recv(1024):
                    pass
                return
            self._log_in(peer)
            while self.open:
                if self.mode == "drip":
                    peer.sendall(b"N")
                    time.sleep(0.05)
                elif self.mode == "notices":
                    peer.sendall(message(b"N", b"SNOTICE\0C00000\0M" + b"x" * 60_000 + b"\0\0") * 16)
                else:
                    time.sleep(0.05)

    def _log_in(self, peer: socket.socket) -> None:
        while True:
            size, code = struct.unpack("!II", self._exactly(peer, 8))
            self._exactly(peer, size - 8)
            if code == 196608:
                break
            peer.sendall(b"N")
        answer = message(b"R", struct.pack("!I", 0))
        for name, value in {"server_version": "15.20", "client_encoding": "UTF8", "server_encoding": "UTF8", "standard_conforming_strings": "on",
                            "integer_datetimes": "on", "DateStyle": "ISO, MDY"}.items():
            answer += message(b"S", name.encode() + b"\0" + value.encode() + b"\0")
        peer.sendall(answer + message(b"K", struct.pack("!II", 4242, 1)) + message(b"Z", b"I"))

    @staticmethod
    def _exactly(peer: socket.socket, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = peer.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got


@pytest.fixture
def bad() -> Iterator[Callable[[str], BadServer]]:
    made: list[BadServer] = []

    def begin(mode: str) -> BadServer:
        made.append(BadServer(mode))
        return made[-1]

    yield begin
    for one in made:
        one.close()


@pytest.fixture
def crowd(server: ThrowawayCluster, account: Account) -> Iterator[Callable[[], Declarations]]:
    """Declarations in a namespace of their own, as often as it is called."""
    core = client.CoreV1Api(server.api())
    made: list[str] = []

    def begin() -> Declarations:
        name = f"crowd-{os.getpid()}-{next(_numbers)}"
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        made.append(name)
        return Declarations(server, name, account.labels)

    yield begin
    for name in made:  # the next test's operator would observe them
        client.CustomObjectsApi(server.api()).delete_collection_namespaced_custom_object("athanor.dev", "v1alpha1", name, "databasemigrations")
        core.delete_namespace(name)


def active(operator: OperatorProcess) -> float:
    return operator.metric('controller_runtime_active_workers{controller="databasemigration"}')


def declare_many(declare: Declarations, servers: list[BadServer], count: int) -> list[str]:
    declare.config_map("revisions", chain("a1"))
    names = [f"bad-{number}" for number in range(count)]
    for number, name in enumerate(names):
        body = declare.body(name, name, "revisions", {})
        body["spec"]["database"] = {"url": servers[number % len(servers)].url}
        declare.create(body)
    return names


def test_a_hundred_bad_servers_keep_nobody_else_waiting(start: Callable[..., OperatorProcess], bad: Callable[[str], BadServer],
                                                        crowd: Callable[[], Declarations], declare: Declarations, database: Database) -> None:
    operator = start("--leader-elect=false", "--resync=1h")
    servers = [bad(mode) for mode in ("tarpit", "quiet", "drip", "notices", "tarpit")]
    for _ in range(4):
        declare_many(crowd(), servers, 25)
    eventually(lambda: active(operator) >= 4, "the bad servers keep workers busy")
    began = time.monotonic()
    declare.migration(database.url, chain("a1", "a2")).at("a2", within=90)
    print(f"Ready after {time.monotonic() - began:.1f} s beside a hundred bad servers")
    assert time.monotonic() - began < 60


def test_a_deletion_ends_the_observation_of_its_server(start: Callable[..., OperatorProcess], bad: Callable[[str], BadServer],
                                                declare: Declarations) -> None:
    operator = start("--leader-elect=false", "--resync=1h")
    for mode in ("tarpit", "quiet", "drip"):
        server = bad(mode)
        name = declare_many(declare, [server], 1)[0] if mode == "tarpit" else f"bad-{mode}"
        if mode != "tarpit":
            body = declare.body(name, name, "revisions", {})
            body["spec"]["database"] = {"url": server.url}
            declare.create(body)
        eventually(lambda: server.connections > 0 and active(operator) == 1, f"the {mode} server is being observed")
        began = time.monotonic()
        client.CustomObjectsApi(declare.server.api()).delete_namespaced_custom_object("athanor.dev", "v1alpha1", declare.namespace,
                                                                                      "databasemigrations", name)
        eventually(lambda: active(operator) == 0, f"the worker at the {mode} server is free again", within=8)
        print(f"{mode}: free after {time.monotonic() - began:.1f} s")


def test_a_stop_ends_whatever_the_servers_do(start: Callable[..., OperatorProcess], bad: Callable[[str], BadServer], crowd: Callable[[], Declarations]) -> None:
    operator = start("--leader-elect=false", "--resync=1h")
    servers = [bad(mode) for mode in ("tarpit", "quiet", "drip", "notices")]
    declare_many(crowd(), servers, 16)
    eventually(lambda: active(operator) >= 4, "the bad servers keep workers busy")
    began = time.monotonic()
    operator.signal(signal.SIGTERM)
    assert operator.process.wait(30) == 0
    print(f"ended after {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < 20
