"""The test cluster is what the other tests take it for: an API server with RBAC, tokens, and controllers behind it."""
import json
import subprocess
from pathlib import Path

import pytest
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually


def meta(name: str, owner: client.V1ConfigMap | None = None) -> client.V1ObjectMeta:
    references = None
    if owner is not None:
        references = [client.V1OwnerReference(api_version="v1", kind="ConfigMap", name=owner.metadata.name, uid=owner.metadata.uid)]
    return client.V1ObjectMeta(name=name, owner_references=references)


def allow_reading_config_maps(cluster: ThrowawayCluster, namespace: str, subject: client.RbacV1Subject) -> None:
    rbac = client.RbacAuthorizationV1Api(cluster.api())
    rules = [client.V1PolicyRule(api_groups=[""], resources=["configmaps"], verbs=["get", "list"])]
    rbac.create_namespaced_role(namespace, client.V1Role(metadata=meta("reader"), rules=rules))
    reader = client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name="reader")
    rbac.create_namespaced_role_binding(namespace, client.V1RoleBinding(metadata=meta("reader"), role_ref=reader, subjects=[subject]))


def status_of_listing(api: client.ApiClient, namespace: str) -> int:
    try:
        client.CoreV1Api(api).list_namespaced_config_map(namespace)
        return 200
    except client.ApiException as error:
        return error.status


def test_the_api_server_says_the_version_it_was_built_from(cluster: ThrowawayCluster) -> None:
    pinned = next(line.split()[1] for line in Path(__file__).with_name("go.mod").read_text().splitlines()
                  if line.startswith("\tk8s.io/kubernetes "))
    answer = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    assert answer["serverVersion"]["gitVersion"].startswith("v1.")
    if "athanor/kubernetes-" in str((cluster.directory / "bin/kube-apiserver").resolve()):
        assert answer["serverVersion"]["gitVersion"] == pinned
        assert answer["clientVersion"]["gitVersion"] == pinned


def test_a_list_can_be_streamed_and_ends_with_its_bookmark(cluster: ThrowawayCluster, namespace: str) -> None:
    core = client.CoreV1Api(cluster.api())
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("seen")))
    stream = core.list_namespaced_config_map(namespace, watch=True, send_initial_events=True, resource_version_match="NotOlderThan",
                                             allow_watch_bookmarks=True, timeout_seconds=20, _preload_content=False)
    names = []
    for line in stream:
        event = json.loads(line)
        if event["type"] == "BOOKMARK":
            assert event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"
            break
        names.append(event["object"]["metadata"]["name"])
    assert "seen" in names


def test_an_unprivileged_user_is_forbidden_until_a_role_allows_it(cluster: ThrowawayCluster, namespace: str) -> None:
    mallory = cluster.api(cluster.user(f"mallory-{namespace}"))
    assert status_of_listing(mallory, namespace) == 403
    subject = client.RbacV1Subject(kind="User", name=f"mallory-{namespace}", api_group="rbac.authorization.k8s.io")
    allow_reading_config_maps(cluster, namespace, subject)
    eventually(lambda: status_of_listing(mallory, namespace) == 200, "the role's effect")
    assert status_of_listing(mallory, "default") == 403


def test_a_certificate_carries_its_groups(cluster: ThrowawayCluster, namespace: str) -> None:
    deployer = cluster.api(cluster.user(f"carol-{namespace}", "developers", f"deployers-{namespace}"))
    assert status_of_listing(deployer, namespace) == 403
    subject = client.RbacV1Subject(kind="Group", name=f"deployers-{namespace}", api_group="rbac.authorization.k8s.io")
    allow_reading_config_maps(cluster, namespace, subject)
    eventually(lambda: status_of_listing(deployer, namespace) == 200, "the role's effect")


def test_nobody_comes_in_without_a_name(cluster: ThrowawayCluster, namespace: str) -> None:
    assert status_of_listing(cluster.api_with_token("not-a-token"), namespace) == 401


def test_a_service_account_token_works_and_means_that_account(cluster: ThrowawayCluster, namespace: str) -> None:
    robot = cluster.api_with_token(cluster.token(namespace, "default"))
    who = client.AuthenticationV1Api(robot).create_self_subject_review(client.V1SelfSubjectReview())
    assert who.status.user_info.username == f"system:serviceaccount:{namespace}:default"
    assert status_of_listing(robot, namespace) == 403
    allow_reading_config_maps(cluster, namespace, client.RbacV1Subject(kind="ServiceAccount", name="default", namespace=namespace))
    eventually(lambda: status_of_listing(robot, namespace) == 200, "the role's effect")


@pytest.mark.parametrize(("seconds", "status"), [(-30, 403), (-90, 401)])
def test_a_token_expires_a_minute_after_its_time(cluster: ThrowawayCluster, namespace: str, seconds: int, status: int) -> None:
    # The API server grants a minute of clock skew: 403 is somebody known without rights, 401 is nobody.
    assert status_of_listing(cluster.api_with_token(cluster.token(namespace, "default", seconds)), namespace) == status


def test_a_job_gets_its_pod_with_a_service_account(cluster: ThrowawayCluster, namespace: str) -> None:
    api = cluster.api()
    template = client.V1PodTemplateSpec(spec=client.V1PodSpec(restart_policy="Never",
                                                              containers=[client.V1Container(name="main", image="none")]))
    client.BatchV1Api(api).create_namespaced_job(namespace, client.V1Job(metadata=meta("work"), spec=client.V1JobSpec(template=template)))
    core = client.CoreV1Api(api)
    pods = eventually(lambda: core.list_namespaced_pod(namespace, label_selector="job-name=work").items, "the pod of the Job")
    assert pods[0].metadata.owner_references[0].kind == "Job"
    assert pods[0].spec.service_account_name == "default"
    assert any(volume.projected for volume in pods[0].spec.volumes)  # admission mounts the token


def test_what_is_owned_goes_with_its_owner(cluster: ThrowawayCluster, namespace: str) -> None:
    core = client.CoreV1Api(cluster.api())
    owner = core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("owner")))
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("owned", owner)))
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("free")))
    core.delete_namespaced_config_map("owner", namespace)

    def names() -> set[str]:
        return {one.metadata.name for one in core.list_namespaced_config_map(namespace).items}

    eventually(lambda: "owned" not in names(), "the end of what is owned")
    assert "free" in names()


def test_the_schemas_of_its_kinds_are_strict(cluster: ThrowawayCluster, tmp_path: Path) -> None:
    location = subprocess.run([Path(__file__).with_name("api-schemas"), cluster.directory, tmp_path], check=True, capture_output=True,
                              text=True).stdout.strip()
    assert location == f"{tmp_path}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    schema = json.loads((tmp_path / "job-batch-v1.json").read_text())
    spec = schema["definitions"]["io.k8s.api.batch.v1.JobSpec"]
    assert spec["additionalProperties"] is False
    assert spec["required"] == ["template"]
    assert "io.k8s.api.core.v1.PodTemplateSpec" in schema["definitions"]
    assert "io.k8s.api.apps.v1.Deployment" not in schema["definitions"]
