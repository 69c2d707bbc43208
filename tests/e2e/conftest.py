"""The fixtures of this folder: a cluster with the CRDs, a user with the chart's rights, an operator, databases, declarations."""
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Database
from declarations import Declarations
from git_servers import SshServer, served_folder
from kubelet import Kubelet
from kubernetes import client
from operator_process import ROOT, Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

_numbers = itertools.count(1)


def install(server: ThrowawayCluster) -> None:
    """The CRDs and the policy of approvals, as a user applies them; other files of the run may have done so already."""
    done = server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    assert done.returncode == 0, done.stderr
    api = client.ApiextensionsV1Api(server.api())

    def established(plural: str) -> bool:
        conditions = api.read_custom_resource_definition(f"{plural}.athanor.dev").status.conditions or []
        return any(one.type == "Established" and one.status == "True" for one in conditions)

    for plural in ("databasemigrations", "migrationapprovals"):
        eventually(lambda: established(plural), f"{plural} is established")


@pytest.fixture(scope="module")
def server(cluster: ThrowawayCluster) -> ThrowawayCluster:
    """The shared cluster. A file that breaks its cluster has a fixture of this name of its own."""
    install(cluster)
    return cluster


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, f"operator-{os.getpid()}-{next(_numbers)}")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    """Of the file's operator: as the chart starts it but for a shorter resync. A file that needs others has a fixture of this name of its own."""
    return "--leader-elect=true", "--resync=2s"


@pytest.fixture(scope="module")
def shared_operator(account: Account, folder: Path, options: tuple[str, ...]) -> Iterator[OperatorProcess]:
    """One for a whole file."""
    running = OperatorProcess(account, folder, *options)
    if "--leader-elect=true" in options:
        eventually(running.leads, "the operator leads")
    yield running
    assert running.stop() == 0, running.log()[-3000:]


@pytest.fixture
def operator(shared_operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The file's operator. What it logged during a test is shown when that fails."""
    before = len(shared_operator.log())
    yield shared_operator
    print(shared_operator.log()[before:][-20_000:])


@pytest.fixture
def start(account: Account, folder: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Starts operators of a test's own; those that still run at its end are killed."""
    started: list[OperatorProcess] = []

    def begin(*options: str) -> OperatorProcess:
        started.append(OperatorProcess(account, folder, *options))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        print(f"--- operator {one.process.pid}, exit code {one.process.returncode}\n{one.log()[-10_000:]}")


@pytest.fixture
def namespace(server: ThrowawayCluster) -> Iterator[str]:
    name = f"e2e-{os.getpid()}-{next(_numbers)}"
    core = client.CoreV1Api(server.api())
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name)


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.drop()


@pytest.fixture
def declare(server: ThrowawayCluster, namespace: str, account: Account) -> Declarations:
    return Declarations(server, namespace, account.labels)


@pytest.fixture
def kubelet(server: ThrowawayCluster, namespace: str, tmp_path: Path) -> Iterator[Kubelet]:
    """Runs the pods of this namespace as processes."""
    serving = Kubelet(server, namespace, tmp_path / "kubelet")
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """What the servers of Git hand out."""
    made = served_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def ssh() -> Iterator[SshServer]:
    made = SshServer()
    yield made
    made.stop()
