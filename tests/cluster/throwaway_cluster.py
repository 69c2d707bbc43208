"""The test cluster for pytest: fixtures, and what a test may do to a cluster. tests/support/pytest loads it as a plugin.

`cluster` is shared by all tests of a run: each test takes a `namespace` of its own and leaves the programs alone. A test that
crashes or freezes them takes `own_cluster`, which lives as long as its file.
"""
import ctypes
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from kubernetes import client, config

if "ATHANOR_CLUSTER" in os.environ:  # run by ctest: a killed ctest takes its tests along, and they their clusters
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

COMMAND = Path(__file__).with_name("throwaway-cluster")
T = TypeVar("T")


class ThrowawayCluster:
    """A running cluster in a folder. Every call is one run of the command, so a test may use it from any thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kubeconfig = directory / "kubeconfig"
        self.server = (directory / "server").read_text().strip()

    @staticmethod
    def start(directory: Path, *options: str) -> "ThrowawayCluster":
        """Ends with this process, however that ends."""
        ThrowawayCluster._run("start", str(directory), "--with-parent", *options)
        return ThrowawayCluster(directory)

    def stop(self) -> None:
        self.command("stop")

    def command(self, verb: str, *arguments: str) -> str:
        """crash, resume, restart, freeze, thaw, compact, forget: see tests/cluster/throwaway-cluster."""
        return self._run(verb, str(self.directory), *arguments)

    def user(self, name: str, *groups: str) -> Path:
        """A kubeconfig with a client certificate; RBAC grants it nothing yet."""
        return Path(self.command("user", name, *groups))

    def token(self, namespace: str, account: str, seconds: int = 3600) -> str:
        return self.command("token", namespace, account, str(seconds))

    def api(self, kubeconfig: Path | None = None) -> client.ApiClient:
        return config.new_client_from_config(str(kubeconfig or self.kubeconfig))

    def api_with_token(self, token: str) -> client.ApiClient:
        settings = client.Configuration(host=self.server)
        settings.ssl_ca_cert = str(self.directory / "pki/ca.crt")
        return client.ApiClient(settings, header_name="Authorization", header_value=f"Bearer {token}")

    def kubectl(self, *arguments: str, kubeconfig: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.directory / "bin/kubectl", "--kubeconfig", kubeconfig or self.kubeconfig, *arguments], input=stdin,
                              capture_output=True, text=True)

    @staticmethod
    def _run(*arguments: str) -> str:
        done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"throwaway-cluster {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()


def eventually(found: Callable[[], T], what: str, within: float = 60.0) -> T:
    """The first true answer of `found`; the test fails when there is none in time. The API's errors count as no answer."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = found()
            if last:
                return last
        except client.ApiException as error:
            last = f"{error.status} {error.reason}"
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {within:.0f} s; last seen: {last!r}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowawayCluster]:
    """The cluster that ATHANOR_CLUSTER names, as ctest does; one of this run without."""
    if named := os.environ.get("ATHANOR_CLUSTER"):
        yield ThrowawayCluster(Path(named))
        return
    started = ThrowawayCluster.start(tmp_path_factory.mktemp("cluster"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowawayCluster]:
    """A cluster of the file's own, to be mistreated."""
    started = ThrowawayCluster.start(tmp_path_factory.mktemp("own-cluster"))
    yield started
    started.stop()


_numbers = itertools.count(1)


@pytest.fixture
def namespace(cluster: ThrowawayCluster) -> Iterator[str]:
    """A namespace of the test's own, with its default service account; removed afterwards, without waiting for it."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    core = client.CoreV1Api(cluster.api())
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    eventually(lambda: core.read_namespaced_service_account("default", name), f"the default service account of {name}")
    yield name
    core.delete_namespace(name)
