"""charts/athanor-gate through its example, and what deploy/gates/ ships: rendered, accepted by the API server, and judged by real Lua, CEL and
sha256sum. What Helm and the operator do with it is in tests/e2e/gate_test.py."""
import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from chart_tools import CRDS, ROOT, Object, objects, one, tool
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

GATES = ROOT / "deploy/gates"
GOLDEN = ROOT / "tests/golden/gate/shop.yaml"
STATUSES = ("True", "False", None)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example, with the library chart in it as `helm dependency update` puts it there."""
    chart = tmp_path / "shop"
    shutil.copytree(GATES / "shop", chart)
    shutil.copytree(ROOT / "charts/athanor-gate", chart / "charts/athanor-gate")
    return chart


def render(chart: Path, *options: str, name: str = "web") -> list[Object]:
    done = tool("helm", "template", name, chart, "--namespace", "shop", *options)
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def refusal(chart: Path, *options: str) -> str:
    done = tool("helm", "template", "web", chart, *options)
    assert done.returncode != 0, done.stdout
    return done.stderr


def config_maps(documents: list[Object]) -> dict[str, dict[str, str]]:
    return {document["metadata"]["name"]: document["data"] for document in documents if document["kind"] == "ConfigMap"}


def revision(name: str, parent: str = "", more: str = "") -> str:
    return f"-- Revision {name}\n--\n-- Revision: {name}\n-- Revises: {parent}\n\n-- athanor:upgrade\nSELECT 1;\n{more}"


# ---------------------------------------------------------------- the chart


def test_the_example_renders_as_it_did(shop: Path) -> None:
    done = tool("helm", "template", "web", shop, "--namespace", "shop")
    assert done.returncode == 0, done.stderr
    if os.environ.get("ATHANOR_ACCEPT"):
        GOLDEN.write_text(done.stdout)
        pytest.skip("accepted")
    assert done.stdout == GOLDEN.read_text(), "ATHANOR_ACCEPT=1 accepts the new output"


def test_the_dependency_of_the_example_can_be_fetched_as_it_is_written(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    shutil.copytree(GATES / "shop", tmp_path / "deploy/gates/shop")
    done = tool("helm", "dependency", "update", tmp_path / "deploy/gates/shop")
    assert done.returncode == 0, done.stderr
    assert config_maps(render(tmp_path / "deploy/gates/shop"))


def test_helm_lints_both_charts(shop: Path) -> None:
    for chart in (shop, ROOT / "charts/athanor-gate"):
        done = tool("helm", "lint", "--strict", chart)
        assert done.returncode == 0, done.stdout


def test_the_revision_is_what_sha256sum_prints(shop: Path) -> None:
    (shop / "migrations/Z_last.sql").write_text(revision("3c8e0f2a5b71", "2b7d9e1f4a60", "SELECT '<a & b>', E'\\t\t\\\\ \u00e4\u20ac {{ x }}';\r\n"))
    (shop / "migrations/_fragment.sql").write_text("not a revision")
    printed = subprocess.run("rm _fragment.sql; LC_ALL=C sha256sum *.sql | sha256sum", shell=True, cwd=shutil.copytree(shop / "migrations", shop.parent / "m"),
                             capture_output=True, text=True, check=True).stdout.split()[0]
    documents = render(shop)
    assert one(documents, "DatabaseMigration", "web-shop")["spec"]["source"]["revision"] == f"sha256:{printed}"
    (data,) = config_maps(documents).values()
    assert sorted(data) == sorted(path.name for path in (shop / "migrations").iterdir() if not path.name.startswith("_"))
    for name, text in data.items():
        assert text.encode() == (shop / "migrations" / name).read_bytes(), name


def test_a_change_of_content_is_another_config_map_and_another_declaration(shop: Path) -> None:
    before = render(shop)
    assert render(shop) == before
    file = next((shop / "migrations").glob("*.sql"))
    file.write_text(file.read_text() + "-- a word more\n")
    after = render(shop)
    assert config_maps(before).keys().isdisjoint(config_maps(after).keys())
    specs = [one(documents, "DatabaseMigration", "web-shop")["spec"] for documents in (before, after)]
    assert specs[0]["source"] != specs[1]["source"] and specs[0]["source"]["revision"] != specs[1]["source"]["revision"]
    assert specs[1]["source"]["configMaps"] == [{"name": next(iter(config_maps(after)))}]
    assert all(document["immutable"] for document in after if document["kind"] == "ConfigMap")


def test_large_histories_take_several_config_maps_and_full_ones_stay(shop: Path) -> None:
    for number in range(4):
        (shop / f"migrations/4{number}00000000.sql").write_text(revision(f"4{number}00000000", more="-- " + "x" * 400_000 + "\n"))
    before = config_maps(render(shop))
    (shop / "migrations/4900000000.sql").write_text(revision("4900000000"))
    after = config_maps(render(shop))
    assert len(before) == len(after) == 2 and len(before.keys() & after.keys()) == 1
    assert all(sum(map(len, data.values())) <= 900_000 for data in after.values())
    assert len({name for data in after.values() for name in data}) == 7


def test_the_downgrade_policy_is_keep_and_the_target_is_pinned(shop: Path) -> None:
    spec = one(render(shop), "DatabaseMigration", "web-shop")["spec"]
    assert spec["policy"] == {"downgrade": "Keep"} and spec["targetRevision"] == "2b7d9e1f4a60"
    more = one(render(shop, "--set", "migrations.spec.policy.approval=Destructive,migrations.spec.execution.mode=Job"), "DatabaseMigration", "web-shop")
    assert more["spec"]["policy"] == {"downgrade": "Keep", "approval": "Destructive"} and more["spec"]["execution"] == {"mode": "Job"}


def gate(documents: list[Object]) -> Object:
    return one(documents, "Deployment", "web")["spec"]["template"]["spec"]["initContainers"][0]


def test_the_gate_is_the_program_itself_with_no_shell_and_no_token(shop: Path) -> None:
    container = gate(render(shop))
    assert container["command"] == ["/usr/local/bin/athanor"]
    assert container["args"] == ["wait", "--revision=2b7d9e1f4a60", "--timeout=10m"]
    assert container["env"] == [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "url"}}},
                                {"name": "PGSSLMODE", "value": "verify-full"}, {"name": "PGSSLROOTCERT", "value": "system"},
                                {"name": "ATHANOR_UNVERIFIED_REQUIRE_AUTH", "value": "!password,!md5"}]
    assert container["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert "volumeMounts" not in container


def test_the_gate_reads_a_database_that_is_named_in_parts(shop: Path) -> None:
    database = {"host": "db", "port": 6432, "name": "shop", "userFrom": {"secretKeyRef": {"name": "s", "key": "user"}},
                "passwordFrom": {"secretKeyRef": {"name": "s", "key": "password"}}, "sslMode": "require", "requireAuth": "md5", "schema": "app", "versionTable": "v"}
    (shop / "values.yaml").write_text(yaml.dump({"image": "x", "replicas": 1, "migrations": {
        "files": "migrations/*.sql", "targetRevision": "2b7d9e1f4a60", "database": database, "gate": {"image": "athanor:1"}}}))
    container = gate(render(shop))
    plain = {entry["name"]: entry.get("value") or entry["valueFrom"]["secretKeyRef"]["key"] for entry in container["env"]}
    assert plain == {"ATHANOR_DATABASE_HOST": "db", "ATHANOR_DATABASE_PORT": "6432", "ATHANOR_DATABASE_NAME": "shop", "ATHANOR_DATABASE_USER": "user",
                     "ATHANOR_DATABASE_PASSWORD": "password", "PGSSLMODE": "require", "PGREQUIREAUTH": "md5"}
    assert container["args"][-2:] == ["--set=version_table=v", "--set=version_table_schema=app"]


@pytest.mark.parametrize("database, variables", [
    ({}, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
    ({"sslMode": "require"}, {"PGSSLMODE": "require", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
    ({"sslMode": "disable"}, {"PGSSLMODE": "disable", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
    ({"sslMode": "disable", "requireAuth": "md5"}, {"PGSSLMODE": "disable", "PGREQUIREAUTH": "md5"}),
    ({"sslMode": "verify-ca"}, {"PGSSLMODE": "verify-ca", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
    ({"host": None, "url": "postgresql://u@h/d?sslmode=disable"}, {"PGSSLMODE": "disable", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
    ({"host": None, "url": "postgresql://u@h/d"}, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system", "ATHANOR_UNVERIFIED_REQUIRE_AUTH": "!password,!md5"}),
])
def test_the_gate_trusts_a_server_no_more_than_the_operator_does(shop: Path, database: Object, variables: dict[str, str]) -> None:
    parts = {"host": "db", "name": "shop", "user": "u", "passwordFrom": {"secretKeyRef": {"name": "s", "key": "password"}}, **database}
    (shop / "values.yaml").write_text(yaml.dump({"image": "x", "replicas": 1, "migrations": {
        "files": "migrations/*.sql", "targetRevision": "2b7d9e1f4a60", "database": {key: value for key, value in parts.items() if value},
        "gate": {"image": "athanor:1"}}}))
    assert {entry["name"]: entry["value"] for entry in gate(render(shop))["env"] if entry["name"].startswith(("PG", "ATHANOR_UNVERIFIED"))} == variables


@pytest.mark.parametrize("options, says", [
    ("migrations.targetRevision=head", "must be a revision id"),
    ("migrations.targetRevision=", "must be a revision id"),
    ("migrations.targetRevision=2b7d9e", "no revision file has the id 2b7d9e"),
    ("migrations.targetRevision=2b7d9e1f4a60@head", "must be a revision id"),
    ("migrations.files=nowhere/*.sql", "no revision files at nowhere/*.sql"),
    ("migrations.gate.image=", "migrations.gate.image is missing"),
    ("migrations.database=null", "migrations.database is missing"),
    ("migrations.gate.database.urlFrom.secretKeyRef=null", "specifies no database"),
    ("migrations.gate.database.urlFrom.secretKeyRef=null,migrations.gate.database.urlFrom.file=/x", "urlFrom is not a secretKeyRef"),
])
def test_a_value_is_refused_in_words(shop: Path, options: str, says: str) -> None:
    assert says in refusal(shop, "--set", options)


def test_files_that_a_config_map_cannot_hold_are_refused(shop: Path) -> None:
    (shop / "migrations/latin.sql").write_bytes(revision("5a").encode() + b"-- caf\xe9\n")
    assert "latin.sql is not UTF-8" in refusal(shop)
    (shop / "migrations/latin.sql").write_text(revision("5a", more="-- " + "x" * 900_001))
    assert "use spec.source.git or fluxRef" in refusal(shop)
    (shop / "migrations/latin.sql").unlink()
    (shop / "migrations/a b.sql").write_text(revision("5a"))
    assert "a ConfigMap key may contain only" in refusal(shop)


@pytest.fixture(scope="module", autouse=True)
def crds(cluster: ThrowawayCluster) -> None:
    done = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    assert done.returncode == 0, done.stderr
    api = client.ApiextensionsV1Api(cluster.api())
    for plural in ("databasemigrations", "migrationapprovals"):
        def established() -> bool:
            conditions = api.read_custom_resource_definition(f"{plural}.athanor.dev").status.conditions or []
            return any(c.type == "Established" and c.status == "True" for c in conditions)
        eventually(established, f"{plural} is established")


def test_the_api_server_accepts_the_example(cluster: ThrowawayCluster, namespace: str, shop: Path) -> None:
    for document in render(shop):
        document["metadata"]["namespace"] = namespace
        done = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-", stdin=yaml.dump(document))
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", ["argocd/application.yaml", "flux/kustomizations.yaml"])
def test_what_is_shipped_for_others_is_well_formed(cluster: ThrowawayCluster, namespace: str, file: str) -> None:
    ours = [document for document in objects((GATES / file).read_text()) if document["apiVersion"] in ("v1", "athanor.dev/v1alpha1")]
    for document in ours:
        done = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-", stdin=yaml.dump(document))
        assert done.returncode == 0, done.stderr


def test_the_hooks_are_made_in_the_order_of_their_weights(shop: Path) -> None:
    shutil.copy(GATES / "helm-hooks/hooks.yaml", shop / "templates/hooks.yaml")
    done = tool("helm", "template", "web", shop)
    assert done.returncode == 0, done.stderr
    hooks = [document for document in objects(done.stdout) if "helm.sh/hook" in document["metadata"].get("annotations", {})]
    weights = {document["kind"]: int(document["metadata"]["annotations"]["helm.sh/hook-weight"]) for document in hooks}
    assert weights == {"ConfigMap": -20, "DatabaseMigration": -10, "Job": 0}


# ---------------------------------------------------------------- Argo CD

# Every reason of a status, and how healthy Argo CD calls a resource whose Ready has it, Reconciling and Stalled as the operator sets them.
SUSPENDED = {"Suspended", "PlanPublished", "NotSelected", "ApprovalRequired", "ApprovalsUntrusted", "OutsideWindow"}


def reasons() -> list[str]:
    return re.findall(r'std::string_view\("(\w+)"\)\}', (ROOT / "operator/api/condition.cpp").read_text().split("kReasons", 1)[1])


def lua(value: object) -> str:
    if value is None:
        return "nil"
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{lua(key)}] = {lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(lua, value)) + "}"
    return json.dumps(value)


def health(cases: list[Object]) -> list[tuple[str, str]]:
    """What the script says of each, in one run of Lua."""
    script = (GATES / "argocd/health.lua").read_text()
    program = "local function health(obj)\n" + script + "\nend\n"
    for case in cases:
        program += f"do local found = health({lua(case)}); print(found.status .. '\\t' .. tostring(found.message)) end\n"
    done = subprocess.run(["lua5.4", "-"], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t", 1)) for line in done.stdout.splitlines()]


def resource(*, generation: int = 2, observed: int | None = 2, conditions: dict[str, tuple[str, str]] | None = None, **metadata: object) -> Object:
    status = None if observed is None else {"observedGeneration": observed, "conditions": [
        {"type": kind, "status": value, "reason": reason, "message": f"because of {reason}"} for kind, (value, reason) in (conditions or {}).items()]}
    made: Object = {"metadata": {"name": "orders", "generation": generation, **metadata}, "spec": {}}
    return made if status is None else {**made, "status": status}


def test_argo_cd_judges_every_combination_of_conditions() -> None:
    assert len(reasons()) > 30
    cases, expected = [], []
    for reason, ready, reconciling, stalled in itertools.product(reasons(), ("True", "False", "Unknown", None), STATUSES, STATUSES):
        found = {kind: (value, reason) for kind, value in (("Ready", ready), ("Reconciling", reconciling), ("Stalled", stalled)) if value}
        cases.append(resource(conditions=found))
        waits = reason in SUSPENDED and ready is not None
        expected.append("Degraded" if stalled == "True" else "Healthy" if ready == "True" else "Suspended" if waits else "Progressing")
    for case, (status, message), wanted in zip(cases, health(cases), expected, strict=True):
        assert status == wanted, (case, message)
    assert health([resource(conditions={"Ready": ("True", "AheadAccepted")})]) == [("Healthy", "because of AheadAccepted")]


def test_argo_cd_waits_for_a_status_of_this_generation() -> None:
    ready = {"Ready": ("True", "UpToDate")}
    stalled = {"Ready": ("False", "StatementFailed"), "Stalled": ("True", "StatementFailed")}
    cases = [resource(observed=None), resource(observed=-1), resource(observed=1, conditions=ready), resource(observed=1, conditions=stalled),
             resource(observed=1, conditions={"Ready": ("False", "ApprovalRequired")}), resource(conditions=ready, deletionTimestamp="2026-11-21T02:10:00Z"),
             resource(observed=2)]
    assert [status for status, _ in health(cases)] == ["Progressing"] * len(cases)


def test_the_script_in_argocd_cm_is_the_one_that_is_tested() -> None:
    patch = yaml.safe_load((GATES / "argocd/argocd-cm.yaml").read_text())
    assert patch["data"]["resource.customizations.health.athanor.dev_DatabaseMigration"] == (GATES / "argocd/health.lua").read_text()


# ---------------------------------------------------------------- Flux


def test_flux_judges_by_cel_as_kstatus_does(cluster: ThrowawayCluster, namespace: str) -> None:
    """The API server's own CEL, in a policy that refuses every status and says what the three expressions are."""
    (schema,) = [d for d in objects((GATES / "flux/kustomizations.yaml").read_text()) if "healthCheckExprs" in d["spec"]]
    (exprs,) = schema["spec"]["healthCheckExprs"]

    def on_object(expression: str) -> str:
        return re.sub(r"\b(status|metadata)\.", r"object.\1.", re.sub(r"\b(c)\.(type|status)\b", r"\1['\2']", expression))

    told = " + ' ' + ".join(f"string({on_object(exprs[name])})" for name in ("inProgress", "failed", "current"))
    name = f"flux-{namespace}"
    rules = [{"apiGroups": ["athanor.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["databasemigrations/status"]}]
    admission = client.CustomObjectsApi(cluster.api())
    group = ("admissionregistration.k8s.io", "v1")
    admission.create_cluster_custom_object(*group, "validatingadmissionpolicies", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false", "messageExpression": f"'CEL ' + {told}"}]}})
    admission.create_cluster_custom_object(*group, "validatingadmissionpolicybindings", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"],
                 "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}}})
    try:
        custom = client.CustomObjectsApi(cluster.api())
        made = custom.create_namespaced_custom_object("athanor.dev", "v1alpha1", namespace, "databasemigrations", {
            "apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "orders"},
            "spec": {"database": {"url": "postgresql://db/orders"}, "source": {"configMaps": [{"name": "orders"}]}}})

        def judged(observed: int, **conditions: str) -> list[bool]:
            body = {**made, "status": {"observedGeneration": observed, "conditions": [
                {"type": kind, "status": status, "reason": "Pending", "message": "", "lastTransitionTime": "2026-11-21T02:10:00Z", "observedGeneration": 1}
                for kind, status in conditions.items()]}}
            try:
                custom.replace_namespaced_custom_object_status("athanor.dev", "v1alpha1", namespace, "databasemigrations", "orders", body, dry_run="All")
            except client.ApiException as error:
                found = re.search(r"CEL (true|false) (true|false) (true|false)", json.loads(error.body)["message"])
                assert found, error.body
                return [word == "true" for word in found.groups()]
            return []

        eventually(lambda: judged(1), "the policy is enforced")
        for observed, ready, reconciling, stalled in itertools.product((-1, 1), STATUSES, STATUSES, STATUSES):
            conditions = {kind: value for kind, value in (("Ready", ready), ("Reconciling", reconciling), ("Stalled", stalled)) if value}
            here = observed == 1
            assert judged(observed, **conditions) == [not here or reconciling == "True", here and stalled == "True", here and ready == "True"], conditions
    finally:
        for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            admission.delete_cluster_custom_object(*group, plural, name)
