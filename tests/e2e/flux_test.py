"""Revisions from the artifacts of Flux sources. The cluster is this file's own: what happens before Flux is installed matters too."""
import subprocess
from collections.abc import Callable, Iterator

import pytest
import yaml
from conftest import install
from databases import Database
from declarations import Declarations, Migration, Object, chain, condition, kstatus
from flux_sources import KINDS, SourceController, archive, install_flux
from kubernetes import client
from operator_process import ROOT, Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

Start = Callable[..., OperatorProcess]
OPTIONS = ("--leader-elect=false", "--resync=10m")  # whatever happens in a test's time is because something was told


@pytest.fixture(scope="module")
def server(own_cluster: ThrowawayCluster) -> ThrowawayCluster:
    install(own_cluster)
    return own_cluster


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    """With the rights that the chart gives when Flux is switched on."""
    made = Account(server, "operator-flux")
    tools = subprocess.run([ROOT / "tests/cluster/tools"], capture_output=True, text=True, check=True).stdout.strip()
    chart = subprocess.run([f"{tools}/helm", "template", "athanor", str(ROOT / "charts/athanor"), "--set", "flux.enabled=true,watch.scope=Cluster,image.repository=localhost/athanor"], capture_output=True,
                           text=True, check=True).stdout
    role = next(one for one in yaml.safe_load_all(chart) if one and one["kind"] == "ClusterRole" and one["metadata"]["name"] == "athanor")
    client.RbacAuthorizationV1Api(server.api()).patch_cluster_role(made.name, {"rules": role["rules"]})
    yield made


@pytest.fixture(scope="module")
def flux(server: ThrowawayCluster) -> Iterator[SourceController]:
    made = SourceController(server)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def watching(server: ThrowawayCluster, account: Account, folder: object) -> Iterator[OperatorProcess]:
    """An operator that was started after Flux was installed."""
    try:
        install_flux(server)
    except client.ApiException as error:
        assert error.status == 409, error  # an earlier test did
    running = OperatorProcess(account, folder, *OPTIONS)
    yield running
    assert running.stop() == 0, running.log()[-3000:]


def from_flux(declare: Declarations, database: Database, kind: str = "GitRepository", name: str = "orders") -> Migration:
    declare.secret(name, url=database.url)
    return declare.create(declare.body(name, name, "", {"source": {"fluxRef": {"kind": kind, "name": name, "path": "db"}}}))


def said(resource: Object) -> str:
    return condition(resource, "Ready")["message"]


def test_flux_may_be_installed_after_the_operator_was_started(server: ThrowawayCluster, start: Start, declare: Declarations, database: Database,
                                                              flux: SourceController) -> None:
    operator = start("--leader-elect=false", "--resync=1s")
    orders = from_flux(declare, database)
    missing = orders.because("SourceNotFound")
    assert said(missing) == f"GitRepository {declare.namespace}/orders: does not exist" and kstatus(missing) == "InProgress"

    install_flux(server)
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")))
    orders.at("a1", within=60)
    flux.publish(declare.namespace, "main@sha1:2b", archive(chain("a1", "a2")))
    assert orders.at("a2")["status"]["source"]["revision"] == "main@sha1:2b"
    assert '"informer":"gitrepositories"' not in operator.log()  # nobody complains of a kind that is missing


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_artifact_is_applied_as_soon_as_it_is_published(watching: OperatorProcess, declare: Declarations, database: Database,
                                                        flux: SourceController, kind: str) -> None:
    flux.source(declare.namespace, kind=kind)
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")), kind)
    orders = from_flux(declare, database, kind)
    resource = orders.at("a1")
    assert resource["status"]["source"] == {"kind": "flux", "revision": "main@sha1:1a", "files": 1, "firstSeenTime": resource["status"]["source"]["firstSeenTime"]}
    flux.publish(declare.namespace, "main@sha1:2b", archive(chain("a1", "a2")), kind)
    resource = orders.at("a2")
    assert (resource["metadata"]["generation"], resource["status"]["source"]["revision"]) == (1, "main@sha1:2b")
    assert database.tables() == {"t_a1", "t_a2"}


def test_an_artifact_that_is_not_what_the_source_says_is_not_used(watching: OperatorProcess, declare: Declarations, database: Database,
                                                                  flux: SourceController) -> None:
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")), digest="sha256:" + "0" * 64)
    orders = from_flux(declare, database)
    refused = orders.because("SourceNotFound")
    assert "the artifact's SHA-256 does not match the Flux source; the artifact was not used" in said(refused)
    assert condition(refused, "SourceUnavailable")["status"] == "True"
    assert database.tables() == set()

    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")))
    assert condition(orders.at("a1"), "SourceUnavailable") == {}


def test_a_source_without_an_artifact_is_waited_for_in_its_own_words(watching: OperatorProcess, declare: Declarations, database: Database,
                                                                     flux: SourceController) -> None:
    orders = from_flux(declare, database)
    assert "does not exist" in said(orders.because("SourceNotFound"))
    flux.source(declare.namespace)
    orders.until(lambda _, ready: "Flux has not reconciled it yet" in ready["message"], "Flux has not reconciled")
    flux.tell(declare.namespace, "GitRepository", "orders", "False", "failed to checkout: no such branch")
    waiting = orders.until(lambda _, ready: "failed to checkout: no such branch" in ready["message"], "in its own words")
    assert kstatus(waiting) == "InProgress"
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")))
    orders.at("a1")


def test_an_artifact_that_is_too_large_is_not_read_to_its_end(watching: OperatorProcess, declare: Declarations, database: Database,
                                                              flux: SourceController) -> None:
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")), size=(256 << 20) + 1)
    orders = from_flux(declare, database)
    refused = orders.because("SourceInvalid")
    assert "the artifact has more than 268435456 bytes" in said(refused) and kstatus(refused) == "Failed"
    assert "spec.ignore" in refused["status"]["lastError"]["hint"]
    assert not any(declare.namespace in path for path in flux.requests)  # it was not even asked for


def test_an_artifact_without_an_end_is_not_waited_for(watching: OperatorProcess, declare: Declarations, database: Database,
                                                      flux: SourceController) -> None:
    flux.files["/endless"] = b""
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", b"not this", url=f"{flux.url}/endless", size=0)
    orders = from_flux(declare, database)
    refused = orders.because("SourceInvalid", within=120)
    assert "the artifact has more than 268435456 bytes" in said(refused) and kstatus(refused) == "Failed"
    flux.publish(declare.namespace, "main@sha1:2b", archive(chain("a1")))
    orders.at("a1")


def test_what_unpacks_to_too_much_is_refused(watching: OperatorProcess, declare: Declarations, database: Database, flux: SourceController) -> None:
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", archive({**chain("a1"), "large.bin": "0" * (513 << 20)}))
    refused = from_flux(declare, database).because("SourceInvalid", within=60)
    assert "unpack" in said(refused)
    assert database.tables() == set()
