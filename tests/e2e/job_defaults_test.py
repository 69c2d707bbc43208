"""Jobs whose pods are described by the operator's defaults and by spec.execution.job."""
import json
import time
from collections.abc import Callable, Iterator

import pytest
from databases import Database
from declarations import Declarations, chain, condition
from job_objects import jobs_of, the_job
from kubelet import Kubelet
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster

DEFAULTS = {"nodeSelector": {"pool": "default", "arch": "amd64"}, "imagePullSecrets": [{"name": "mirror"}],
            "resources": {"limits": {"memory": "256Mi"}}, "env": [{"name": "TEAM", "value": "platform"}, {"name": "TZ", "value": "UTC"}],
            "tolerations": [{"key": "batch", "operator": "Exists"}]}


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, f"operator-defaults-{time.time_ns()}", switches=("jobs.enabled",))
    yield made
    made.remove()


def begin(start: Callable[..., OperatorProcess]) -> None:
    start("--leader-elect=false", "--resync=1h", "--job-image=athanor:e2e", "--job-variable=TZ", f"--job-defaults={json.dumps(DEFAULTS)}")


def test_a_pod_has_what_its_resource_sets_and_the_defaults_for_the_rest(start: Callable[..., OperatorProcess], kubelet: Kubelet, declare: Declarations,
                                                                        database: Database) -> None:
    begin(start)
    orders = declare.migration(database.url, chain("a1"), execution={"mode": "Job", "job": {
        "nodeSelector": {"pool": "batch"}, "env": [{"name": "TZ", "value": "Europe/Berlin"}], "resources": {"requests": {"cpu": "500m"}}}})
    orders.at("a1")
    pod = the_job(declare).spec.template.spec
    assert pod.node_selector == {"pool": "batch", "arch": "amd64"}
    assert [one.name for one in pod.image_pull_secrets] == ["mirror"]
    assert [one.key for one in pod.tolerations] == ["batch"]
    (container,) = pod.containers
    variables = {one.name: one.value for one in container.env}
    assert (variables["TEAM"], variables["TZ"]) == ("platform", "Europe/Berlin")
    assert container.resources.requests == {"cpu": "500m"} and container.resources.limits is None
    assert container.image == "athanor:e2e" and pod.automount_service_account_token is False


@pytest.mark.parametrize("field, job", [
    ("serviceAccountName", {"serviceAccountName": "admin"}), ("env[0].name", {"env": [{"name": "LD_PRELOAD", "value": "/mnt/x.so"}]}),
    ("env[0].value", {"env": [{"name": "TZ", "value": "$(DATABASE_URL)"}]}), ("volumes[0].hostPath", {"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}),
    ("volumeMounts[0].mountPath", {"volumeMounts": [{"name": "a", "mountPath": "/usr"}]})])
def test_a_job_uses_only_what_the_operator_allows(start: Callable[..., OperatorProcess], declare: Declarations, database: Database, field: str,
                                                  job: dict) -> None:
    begin(start)
    orders = declare.migration(database.url, chain("a1"), execution={"mode": "Job", "job": job})
    refused = orders.because("InvalidManifest")
    assert f"spec.execution.job.{field}: " in condition(refused, "Ready")["message"]
    assert jobs_of(declare) == [] and database.revisions() == []
