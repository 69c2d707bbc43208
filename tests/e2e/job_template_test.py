"""What a pod template may say: where a pod runs and with how much. Everything else is refused, whatever this API server knows."""
import json
import time
from collections.abc import Iterator

import pytest
from databases import Database
from declarations import GROUP, PLURAL, VERSION, Declarations, Migration, chain, condition, kstatus
from job_objects import jobs_of
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

SPEC = {"nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "imagePullSecrets", "runtimeClassName",
        "dnsPolicy", "dnsConfig", "volumes", "containers"}
CONTAINER = {"name", "resources", "volumeMounts"}
VOLUME = {"name", "emptyDir", "configMap", "downwardAPI"}
MOUNT = {"name", "mountPath", "readOnly"}
METADATA = {"labels", "annotations"}


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, f"operator-template-{time.time_ns()}", switches=("jobs.enabled",))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return "--leader-elect=false", "--resync=1h", "--job-image=athanor:e2e"


def fields_of(server: ThrowawayCluster, kind: str) -> set[str]:
    """As the API server describes them itself."""
    document = json.loads(server.kubectl("get", "--raw", "/openapi/v3/api/v1").stdout)
    found = set(document["components"]["schemas"][f"io.k8s.api.core.v1.{kind}"]["properties"])
    assert len(found) > 1, kind
    return found


def templates(server: ThrowawayCluster) -> Iterator[tuple[str, dict]]:
    """Every field that a template may not set, and a template that sets it."""
    def container(**members: object) -> dict:
        return {"containers": [{"name": "athanor", **members}]}

    for field in sorted(fields_of(server, "PodSpec") - SPEC):
        yield f"spec.{field}", {"spec": {field: "default"}}
    for field in sorted(fields_of(server, "Container") - CONTAINER):
        yield f"spec.containers[0].{field}", {"spec": container(**{field: True})}
    for field in sorted(fields_of(server, "ResourceRequirements") - {"requests", "limits"}):
        yield f"spec.containers[0].resources.{field}", {"spec": container(resources={field: []})}
    for field in sorted(fields_of(server, "VolumeMount") - MOUNT):
        yield f"spec.containers[0].volumeMounts[0].{field}", {"spec": container(volumeMounts=[{"name": "a", "mountPath": "/tmp", field: "x"}])}
    for field in sorted(fields_of(server, "Volume") - VOLUME):
        yield f"spec.volumes[0].{field}", {"spec": {"volumes": [{"name": "a", field: {}}]}}


def declare_with(declare: Declarations, database: Database, template: dict, name: str = "orders") -> Migration:
    declare.config_map(name, chain("a1"))
    declare.secret(name, url=database.url)
    return declare.create(declare.body(name, name, name, {"execution": {"mode": "Job", "podTemplate": template}}))


def put_template(orders: Migration, template: dict) -> None:
    def put() -> bool:
        body = orders.read()
        body["spec"]["execution"]["podTemplate"] = template
        try:
            orders.api.replace_namespaced_custom_object(GROUP, VERSION, orders.namespace, PLURAL, orders.name, body)
            return True
        except client.ApiException as error:
            assert error.status == 409, error.body
            return False

    eventually(put, "the template is put in place")


def test_no_field_outside_the_list_gets_through(operator: OperatorProcess, declare: Declarations, database: Database,
                                                server: ThrowawayCluster) -> None:
    orders = declare_with(declare, database, {"spec": {"hostNetwork": True}})
    refused = 0
    for field, template in templates(server):
        put_template(orders, template)
        said = orders.because("InvalidManifest")
        assert f"spec.execution.podTemplate.{field}: " in condition(said, "Ready")["message"], field
        assert kstatus(said) == "Failed" if refused == 0 else True
        refused += 1
    assert refused > 80
    assert jobs_of(declare) == [] and database.revisions() == []


def test_the_pod_of_an_allowed_template_satisfies_the_restricted_standard(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                         server: ThrowawayCluster) -> None:
    declare.core.patch_namespace(declare.namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    declare_with(declare, database, {
        "metadata": {"labels": {"network": "databases"}, "annotations": {"example.org/team": "shop"}},
        "spec": {"nodeSelector": {"pool": "batch"}, "dnsPolicy": "ClusterFirst", "volumes": [{"name": "scratch", "emptyDir": {}}],
                 "containers": [{"name": "athanor", "resources": {"limits": {"memory": "1Gi"}},
                                 "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]}]}})
    pod = eventually(lambda: declare.core.list_namespaced_pod(declare.namespace).items, "the pod is admitted", 30)[0]
    assert [one.image for one in pod.spec.containers] == ["athanor:e2e"]
    assert pod.spec.automount_service_account_token is False and pod.spec.node_selector == {"pool": "batch"}
