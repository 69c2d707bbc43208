"""The chart on a real API server with Helm: installed, upgraded, uninstalled; and what its service account may and may not do."""
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart_tools import CHART, CRDS, IMAGE, Object, objects, tool
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

NAMESPACE = "athanor-system"
GOOD = {"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "orders"},
        "spec": {"database": {"urlFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}, "source": {"configMaps": [{"name": "orders"}]}}}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(own_cluster: ThrowawayCluster) -> ThrowawayCluster:
    """With the namespaces that releases watch."""
    core = client.CoreV1Api(own_cluster.api())
    for name in (NAMESPACE, "shop", "warehouse", "elsewhere"):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"} if name == NAMESPACE else {}
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=labels)))
        eventually(lambda: core.read_namespaced_service_account("default", name), "a default service account")
    return own_cluster


def helm(server: ThrowawayCluster, *arguments: object) -> str:
    image = IMAGE if arguments[0] in ("install", "upgrade") else ()
    done = tool("helm", "--kubeconfig", server.kubeconfig, "--namespace", NAMESPACE, *arguments, *image)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def release(server: ThrowawayCluster) -> Iterator[str]:
    """The name of a release of the test's own. CRDs belong to one release: the next takes them over."""
    name = f"athanor-{next(_numbers)}"
    yield name
    tool("helm", "--kubeconfig", server.kubeconfig, "--namespace", NAMESPACE, "uninstall", name, "--ignore-not-found")


@pytest.fixture(scope="module")
def kept_release(server: ThrowawayCluster) -> str:
    """A release for the whole cluster, for tests that only look. It goes with the cluster."""
    install(server, "kept", "--set", "watch.scope=Cluster")
    return "kept-athanor"


def install(server: ThrowawayCluster, release: str, *options: object, chart: Path = CHART) -> str:
    return helm(server, "install", release, chart, "--take-ownership", *options)


def crd_names(server: ThrowawayCluster) -> set[str]:
    listed = client.ApiextensionsV1Api(server.api()).list_custom_resource_definition()
    return {item.metadata.name for item in listed.items if item.spec.group == "athanor.dev"}


def test_a_release_goes_and_the_resources_stay(server: ThrowawayCluster, release: str) -> None:
    assert "serves every namespace" in install(server, release, "--set", "watch.scope=Cluster")
    assert crd_names(server) == {"databasemigrations.athanor.dev", "migrationapprovals.athanor.dev"}
    eventually(lambda: server.kubectl("apply", "-n", "shop", "-f", "-", stdin=yaml.dump(GOOD)).returncode == 0, "a resource is accepted")
    uid = server.kubectl("get", "dbm", "orders", "-n", "shop", "-o", "jsonpath={.metadata.uid}").stdout

    result = helm(server, "uninstall", release)
    assert "databasemigrations.athanor.dev" in result
    assert client.AppsV1Api(server.api()).list_namespaced_deployment(NAMESPACE).items == []
    assert server.kubectl("get", "dbm", "orders", "-n", "shop", "-o", "jsonpath={.metadata.uid}").stdout == uid != ""
    assert server.kubectl("get", "validatingadmissionpolicybinding", "migrationapprovals.athanor.dev").returncode == 0

    helm(server, "install", release, CHART)  # under its own name again, with nothing to say
    assert server.kubectl("get", "dbm", "orders", "-n", "shop", "-o", "jsonpath={.metadata.uid}").stdout == uid


def test_an_upgrade_brings_the_crds_along(server: ThrowawayCluster, release: str, tmp_path: Path) -> None:
    older = tmp_path / "athanor"
    shutil.copytree(CHART, older)
    file = older / "templates/crds/athanor.dev_databasemigrations.yaml"
    file.write_text(file.read_text().replace("Declares the revision that one PostgreSQL database should have.", "As it was once."))
    api = client.ApiextensionsV1Api(server.api())

    def description() -> str:
        versions = api.read_custom_resource_definition("databasemigrations.athanor.dev").spec.versions
        return versions[0].schema.open_apiv3_schema.description

    install(server, release, chart=older)
    assert description() == "As it was once."
    helm(server, "upgrade", release, CHART, "--set", "jobs.enabled=true,replicaCount=3")
    assert description() == "Declares the revision that one PostgreSQL database should have."
    deployment = client.AppsV1Api(server.api()).read_namespaced_deployment(release, NAMESPACE)
    assert deployment.spec.replicas == 3
    assert any(argument.startswith("--job-image=") for argument in deployment.spec.template.spec.containers[0].args)
    helm(server, "rollback", release, "1")
    assert description() == "As it was once."


def test_the_operator_and_helm_own_different_fields(server: ThrowawayCluster, release: str) -> None:
    """What the operator writes (a Lease) is not in the release, and an upgrade that changes nothing changes nothing."""
    install(server, release)
    apps = client.AppsV1Api(server.api())
    before = apps.read_namespaced_deployment(release, NAMESPACE).metadata.generation
    helm(server, "upgrade", release, CHART)
    assert apps.read_namespaced_deployment(release, NAMESPACE).metadata.generation == before
    kinds = {document["kind"] for document in objects(helm(server, "get", "manifest", release))}
    assert "Lease" not in kinds


def test_pods_satisfy_the_restricted_level(server: ThrowawayCluster, release: str) -> None:
    install(server, release, "--set-json", 'backup={"enabled":true,"volume":{"emptyDir":{}}}')
    template = client.AppsV1Api(server.api()).read_namespaced_deployment(release, NAMESPACE).spec.template
    body = client.V1Pod(metadata=client.V1ObjectMeta(name="probe", labels=template.metadata.labels), spec=template.spec)
    core = client.CoreV1Api(server.api())
    core.create_namespaced_pod(NAMESPACE, body, dry_run="All")

    hooks = [document for document in objects(helm(server, "get", "hooks", release)) if document["kind"] == "Pod"]
    assert len(hooks) == 1
    assert server.kubectl("create", "--dry-run=server", "-f", "-", stdin=yaml.dump(hooks[0])).returncode == 0

    body.spec.containers[0].security_context.allow_privilege_escalation = True  # the level is really enforced
    with pytest.raises(client.ApiException) as refused:
        core.create_namespaced_pod(NAMESPACE, body, dry_run="All")
    assert "violates PodSecurity" in refused.value.body


# ---------------------------------------------------------------- rights

Right = tuple[str, str, str]  # group, resource (or resource:name), verb


def expected(mode: str) -> set[Right]:
    """What rights.yaml says of a mode; every row of it has its reason."""
    rows = yaml.safe_load(Path(__file__).with_name("rights.yaml").read_text())
    assert all(len(row["why"]) > 20 for row in rows)
    return {(row["group"], row["resource"], verb) for row in rows if row["mode"] == mode for verb in row["verbs"]}


WATCHED = expected("watched")
LABELS = expected("policy.namespaceLabels")
JOBS = expected("jobs.enabled")
FLUX = expected("flux.enabled")
AUTH = expected("databaseAuth.enabled")
METRICS = expected("metrics.authentication")
PLANS = expected("policy.publishPlans")
ADMISSION = expected("cluster")


def election(lease: str) -> set[Right]:
    return {(group, resource.replace("LEASE", lease), verb) for group, resource, verb in expected("leaderElection.enabled")}


def rights(server: ThrowawayCluster, account: str, namespace: str) -> set[Right]:
    """Everything the account may do in a namespace, as the API server's authorizer lists it, beyond what every account may."""

    def of(user: str) -> set[Right]:
        api = server.api()
        api.set_default_header("Impersonate-User", f"system:serviceaccount:{NAMESPACE}:{user}")
        review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=namespace))
        status = client.AuthorizationV1Api(api).create_self_subject_rules_review(review).status
        assert not status.incomplete
        return {(group, f"{resource}:{name}" if name else resource, verb) for rule in status.resource_rules for group in rule.api_groups
                for resource in rule.resources for verb in rule.verbs for name in rule.resource_names or [""]}

    return of(account) - of("nobody-in-particular")


def test_rights_are_limited_to_the_own_namespace_by_default(server: ThrowawayCluster, release: str) -> None:
    install(server, release)
    assert rights(server, release, NAMESPACE) == WATCHED | PLANS | ADMISSION | election(release)
    assert rights(server, release, "shop") == ADMISSION
    helm(server, "upgrade", release, CHART, "--set", "leaderElection.enabled=false,replicaCount=1,policy.publishPlans=false")
    assert rights(server, release, NAMESPACE) == WATCHED | ADMISSION


def test_cluster_wide_rights_are_exactly_these(server: ThrowawayCluster, release: str) -> None:
    install(server, release, "--set", "watch.scope=Cluster")
    assert rights(server, release, "elsewhere") == WATCHED | PLANS | LABELS | ADMISSION
    assert rights(server, release, NAMESPACE) == WATCHED | PLANS | LABELS | ADMISSION | election(release)


def test_rights_in_listed_namespaces_are_exactly_these(server: ThrowawayCluster, release: str) -> None:
    install(server, release, "--set", "watch.scope=Namespaces,watch.namespaces={shop,warehouse},jobs.enabled=true,flux.enabled=true,databaseAuth.enabled=true")
    assert rights(server, release, "shop") == rights(server, release, "warehouse") == WATCHED | PLANS | JOBS | FLUX | AUTH | ADMISSION
    assert rights(server, release, NAMESPACE) == election(release) | ADMISSION
    assert rights(server, release, "elsewhere") == ADMISSION


def test_token_reviews_need_two_cluster_wide_rights(server: ThrowawayCluster, release: str) -> None:
    install(server, release, "--set", "metrics.authentication=true")
    assert rights(server, release, NAMESPACE) == WATCHED | PLANS | ADMISSION | METRICS | election(release)
    assert rights(server, release, "shop") == METRICS | ADMISSION
    reader = yaml.safe_load(server.kubectl("get", "clusterrole", f"{release}-metrics-reader", "-o", "yaml").stdout)
    assert reader["rules"] == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]


def test_without_jobs_there_is_no_right_to_jobs_or_pods_in_any_scope(server: ThrowawayCluster, release: str) -> None:
    for scope in ("OwnNamespace", "Namespaces", "Cluster"):
        listed = ",watch.namespaces={shop}" if scope == "Namespaces" else ""
        helm(server, "upgrade", "--install", release, CHART, "--take-ownership", "--reset-values", "--set", f"watch.scope={scope}{listed}")
        for namespace in (NAMESPACE, "shop"):
            assert not [right for right in rights(server, release, namespace) if right[0] == "batch" or right[1].startswith("pods")]


@pytest.mark.parametrize("verb, resource, namespace, answer", [
    ("list", "databasemigrations.athanor.dev", "", "yes"), ("get", "secrets", "shop", "yes"), ("list", "secrets", "shop", "no"),
    ("watch", "secrets", "", "no"), ("delete", "databasemigrations.athanor.dev", "shop", "no"), ("create", "jobs.batch", "shop", "no"),
    ("create", "configmaps", "shop", "yes"), ("update", "configmaps", "shop", "no"), ("patch", "configmaps", "shop", "no"),
    ("create", "migrationapprovals.athanor.dev", "shop", "no"), ("get", "leases.coordination.k8s.io/another", NAMESPACE, "no")])
def test_kubectl_says_what_the_operator_may(server: ThrowawayCluster, kept_release: str, verb: str, resource: str, namespace: str,
                                            answer: str) -> None:
    where = ["-n", namespace] if namespace else ["--all-namespaces"]
    result = server.kubectl("auth", "can-i", verb, resource, *where, "--as", f"system:serviceaccount:{NAMESPACE}:{kept_release}")
    assert result.stdout.strip() == answer, result.stderr


def test_people_see_edit_and_approve_by_roles_of_their_own(server: ThrowawayCluster, release: str) -> None:
    install(server, release)
    for user, role in (("viewer", "view"), ("editor", "edit"), ("admin-of-shop", "admin"), ("approver", f"{release}-approver")):
        name = f"{user}-{release}"
        assert server.kubectl("create", "rolebinding", name, f"--clusterrole={role}", f"--user={name}", "-n", "shop").returncode == 0

    def may(user: str, verb: str, resource: str, subresource: str = "") -> bool:
        result = server.kubectl("auth", "can-i", verb, f"{resource}.athanor.dev", f"--subresource={subresource}", "-n", "shop", "--as", f"{user}-{release}")
        return result.stdout.strip() == "yes"

    # Aggregated roles are filled a moment later.
    eventually(lambda: may("viewer", "get", "databasemigrations") and may("admin-of-shop", "create", "databasemigrations"), "the roles are aggregated")
    assert not may("viewer", "create", "databasemigrations")
    assert may("editor", "create", "databasemigrations") and may("editor", "get", "migrationapprovals")
    for user in ("viewer", "editor", "admin-of-shop"):
        for verb in ("create", "update", "patch", "delete", "deletecollection"):
            assert not may(user, verb, "migrationapprovals"), f"{user} can {verb} approvals"
        assert not may(user, "patch", "databasemigrations", "status")
    assert may("approver", "create", "migrationapprovals") and may("approver", "get", "databasemigrations")
    assert not may("approver", "create", "databasemigrations")


def test_two_releases_share_the_crds(server: ThrowawayCluster, release: str) -> None:
    install(server, release, "--set", "watch.scope=OwnNamespace")
    second = f"{release}-second"
    helm(server, "install", second, CHART, "--namespace", "shop", "--set", "watch.scope=OwnNamespace,crds.enabled=false,rbac.userRoles=false")
    assert client.AppsV1Api(server.api()).read_namespaced_deployment(second, "shop").spec.replicas == 2
    helm(server, "uninstall", second, "--namespace", "shop")
    assert len(crd_names(server)) == 2


def test_the_crds_can_be_installed_apart_from_the_chart(server: ThrowawayCluster, release: str) -> None:
    assert server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS)).returncode == 0
    assert "The CRDs and the admission policy for approvals were not installed" in helm(server, "install", release, CHART, "--set", "crds.enabled=false")
