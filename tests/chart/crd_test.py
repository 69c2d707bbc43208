"""The CRDs as the API server and kubectl's user see them: what is accepted, what is refused with which words, what is explained."""
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart_tools import CRDS, ROOT, SAMPLES, Object, crd, fields, objects, schema
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

GROUP, VERSION = "athanor.dev", "v1alpha1"
PLURALS = ["databasemigrations", "migrationapprovals"]
GOOD: Object = {"database": {"urlFrom": {"secretKeyRef": {"name": "orders-db", "key": "url"}}}, "source": {"configMaps": [{"name": "orders"}]}}
HASH = "9f2c4be1d07a35c88e614f0b7d92a3c5e1f60b8472d9ac35e07f4b1628d3c95a"
POLICY_REFUSES = "a plan is approved in one's own name"


def approval(name: str, approver: str, plan: str = HASH) -> Object:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": name},
            "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": approver}}


def migration(spec: Object, name: str = "orders") -> Object:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "DatabaseMigration", "metadata": {"name": name}, "spec": spec}


def create(api: client.ApiClient, namespace: str, body: Object, dry_run: bool = True) -> Object:
    more = {"dry_run": "All"} if dry_run else {}
    plural = body["kind"].lower() + "s"
    return client.CustomObjectsApi(api).create_namespaced_custom_object(GROUP, VERSION, namespace, plural, body, field_validation="Strict",
                                                                        **more)


def refusal(api: client.ApiClient, namespace: str, body: Object, dry_run: bool = True) -> str:
    try:
        create(api, namespace, body, dry_run)
    except client.ApiException as error:
        return json.loads(error.body)["message"]
    return "accepted"


def changed(spec: Object, change: Object) -> Object:
    """A merge patch: null takes a field away."""
    spec = copy.deepcopy(spec)
    for name, value in change.items():
        if value is None:
            spec.pop(name, None)
        elif isinstance(value, dict) and isinstance(spec.get(name), dict):
            spec[name] = changed(spec[name], value)
        else:
            spec[name] = value
    return spec


@pytest.fixture(scope="module", autouse=True)
def installed(cluster: ThrowawayCluster) -> None:
    """Applied as a user does; other files of the run may have done so already."""
    done = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    assert done.returncode == 0, done.stderr
    api = client.ApiextensionsV1Api(cluster.api())
    for plural in PLURALS:
        def established() -> bool:
            conditions = api.read_custom_resource_definition(f"{plural}.{GROUP}").status.conditions or []
            return any(c.type == "Established" and c.status == "True" for c in conditions)
        eventually(established, f"{plural} is established")
    # The admission policy takes effect a moment after it was created.
    eventually(lambda: POLICY_REFUSES in refusal(cluster.api(), "default", approval("probe", "somebody-else")), "the policy is enforced")


@pytest.mark.parametrize("plural", PLURALS)
def test_the_schema_is_structural_and_its_names_are_accepted(cluster: ThrowawayCluster, plural: str) -> None:
    conditions = client.ApiextensionsV1Api(cluster.api()).read_custom_resource_definition(f"{plural}.{GROUP}").status.conditions
    found = {condition.type: condition.status for condition in conditions}
    assert found["NamesAccepted"] == "True"
    assert found.get("NonStructuralSchema", "False") == "False"


@pytest.mark.parametrize("plural", PLURALS)
def test_every_field_is_described_and_bounded(plural: str) -> None:
    for path, field in fields(schema(plural)):
        if path in ("apiVersion", "kind", "metadata"):
            continue
        kind = field.get("type")
        assert field.get("description") or path.endswith("[]"), f"{path} has no description"
        if kind == "string":
            assert "maxLength" in field or "enum" in field, f"{path} has no maxLength"
        if kind == "array":
            assert "maxItems" in field and "x-kubernetes-list-type" in field, f"{path} has no maxItems or no list type"
        if "additionalProperties" in field:
            assert "maxProperties" in field, f"{path} has no maxProperties"
        for rule in field.get("x-kubernetes-validations", []):
            assert rule.get("message") and rule.get("reason"), f"{path}: {rule['rule']} has no message or no reason"


FORMER = {path for plural in PLURALS for part in ("spec", "status") for path, field in fields(schema(plural)["properties"].get(part, {}), part)
          if field.get("description", "").startswith("Former name of ")}


def test_every_field_of_the_spec_is_documented() -> None:
    page = (ROOT / "docs/spec/database-migration.md").read_text()
    for path, _ in fields(schema("databasemigrations")["properties"]["spec"], "spec"):
        if "[]" in path and path.endswith("[]"):
            continue
        name = path.rsplit(".", 1)[-1].removesuffix("[]")
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`|spec\.[a-zA-Z.]*{name}\b", page), f"{path} is not on the page"
    page = (ROOT / "docs/spec/migration-approval.md").read_text()
    for path, _ in fields(schema("migrationapprovals")["properties"]["spec"]):
        assert f"`{path}`" in page, f"{path} is not on the page"


def test_a_resource_that_nobody_observed_yet_is_not_reported_as_done(cluster: ThrowawayCluster, namespace: str) -> None:
    made = create(cluster.api(), namespace, migration(GOOD))
    assert made["status"] == {"observedGeneration": -1}


def test_defaults_are_those_of_the_documentation(cluster: ThrowawayCluster, namespace: str) -> None:
    spec = create(cluster.api(), namespace, migration(changed(GOOD, {"backup": {}, "execution": {
        "windows": [{"schedule": "0 2 * * *", "duration": "1h"}]}})))["spec"]
    assert spec["targetRevision"] == "head"
    assert spec["suspend"] is False and spec["dryRun"] is False
    assert spec["database"]["versionTable"] == "alembic_version" and "port" not in spec["database"]
    assert spec["source"] == {"configMaps": [{"name": "orders"}], "recursive": False, "format": "auto"}
    assert spec["policy"] == {"downgrade": "Refuse", "directionCooldown": "10m", "approval": "Never", "approvals": 1, "drift": "Ignore",
                              "driftInterval": "10m", "rehearsal": "Never"}
    assert spec["backup"] == {"when": "Always", "compression": 6, "required": True}
    assert spec["execution"] == {"mode": "InProcess", "migrationLockWait": "5s", "tableLockTimeout": "2s", "tableLockBudget": "10m",
                                 "statementTimeout": "0s", "jobTTL": "1h",
                                 "windows": [{"schedule": "0 2 * * *", "duration": "1h", "timeZone": "UTC"}]}


REFUSED = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text())


@pytest.mark.parametrize("case", REFUSED, ids=[case["title"] for case in REFUSED])
def test_a_spec_is_refused_with(cluster: ThrowawayCluster, case: Object) -> None:
    message = refusal(cluster.api(), "default", migration(changed(GOOD, case["spec"])))
    without_value = re.sub(r'Invalid value: "(?:[^"\\]|\\.)*": ', "Invalid value: ", message)  # it precedes the words
    assert case["message"] in message or case["message"] in without_value, message


SOURCES: Object = {"path": "/migrations/orders", "configMaps": [{"name": "orders"}], "git": {"url": "https://git.example.org/a", "branch": "main"},
                   "fluxRef": {"kind": "GitRepository", "name": "orders"}, "image": {"reference": "registry.example.org/orders:1", "path": "/sql"}}
KEY: Object = {"secretKeyRef": {"name": "orders-db", "key": "value"}}
DATABASES: Object = {"url": "postgresql://db.example.org/app", "urlFrom": KEY, "host": "db.example.org", "hostFrom": KEY}


def subsets(whole: Object) -> list[Object]:
    names = sorted(whole)
    return [{name: whole[name] for index, name in enumerate(names) if chosen >> index & 1} for chosen in range(1 << len(names))]


@pytest.mark.parametrize("source", subsets(SOURCES), ids=lambda source: "+".join(source) or "none")
def test_exactly_one_source_is_accepted(cluster: ThrowawayCluster, source: Object) -> None:
    execution = {"mode": "Job"} if "image" in source else {}
    message = refusal(cluster.api(), "default", migration({**GOOD, "source": source, "execution": execution}))
    found = [words for words in ("set one of path", "only one of path") if words in message]
    assert found == ([] if len(source) == 1 else ["only one of path"] if source else ["set one of path"]), message
    assert (message == "accepted") == (len(source) == 1)


@pytest.mark.parametrize("database", subsets(DATABASES), ids=lambda database: "+".join(database) or "nothing")
def test_a_database_is_named_in_exactly_one_way(cluster: ThrowawayCluster, database: Object) -> None:
    parts = {"name": "app", "user": "athanor"} if {"host", "hostFrom"} & set(database) else {}
    message = refusal(cluster.api(), "default", migration({**GOOD, "database": {**database, **parts}}))
    ways = len({"host" if name == "hostFrom" else name for name in database})
    assert ("set url, urlFrom, or host" in message) == (ways == 0), message
    assert ("only one of url, urlFrom and host" in message) == (ways > 1), message
    assert ("only one of host and hostFrom" in message) == ({"host", "hostFrom"} <= set(database)), message
    assert (message == "accepted") == (len(database) == 1), message


@pytest.mark.parametrize("target", ["head", "heads", "base", "8c1f0a2b7d3e", "8c1", "billing@head", "release-a", "v1.4_final", "x" * 255])
def test_a_target_is_accepted(cluster: ThrowawayCluster, target: str) -> None:
    create(cluster.api(), "default", migration(changed(GOOD, {"targetRevision": target})))


@pytest.mark.parametrize("duration", ["0", "0s", "250ms", "2s", "10m", "1h", "1h30m", "24h", "1m30s500ms"])
def test_a_duration_is_accepted(cluster: ThrowawayCluster, duration: str) -> None:
    create(cluster.api(), "default", migration(changed(GOOD, {"execution": {"migrationLockWait": duration}})))


@pytest.mark.parametrize("url", ["https://git.example.org/orders.git", "https://git.example.org:8443/a/b", "ssh://git@git.example.org/orders",
                                 "ssh://git.example.org:2222/~me/orders", "https://[2001:db8::1]/orders"])
def test_a_repository_is_accepted(cluster: ThrowawayCluster, url: str) -> None:
    create(cluster.api(), "default", migration(changed(GOOD, {"source": {"configMaps": None, "git": {"url": url, "branch": "feature/x-1"}}})))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sample_is_accepted(cluster: ThrowawayCluster, namespace: str, sample: Path) -> None:
    documents = objects(sample.read_text())
    assert any(document["kind"] == "DatabaseMigration" for document in documents)
    for document in documents:
        # The approver creates an approval herself.
        user = ["--as", document["spec"]["approvedBy"], "--as-group", "system:masters"] if document["kind"] == "MigrationApproval" else []
        done = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-n", namespace, *user, "-f", "-", stdin=yaml.dump(document))
        assert done.returncode == 0, f"{document['kind']}: {done.stderr}"


@pytest.fixture
def crds_of_before(cluster: ThrowawayCluster) -> Iterator[None]:
    """The schemas with the names that fields had."""
    api = client.ApiextensionsV1Api(cluster.api())
    for plural in PLURALS:
        older = copy.deepcopy(crd(plural))
        properties = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        rename_back(properties)
        if plural == "migrationapprovals":
            properties["spec"]["required"] = ["migration", "planHash", "approvedBy"]
            older["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": ".spec.migration"}]
        done = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.dump(older))
        assert done.returncode == 0, done.stderr
    yield
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))


def rename_back(properties: Object) -> None:
    for name, field in list(properties.items()):
        former = field.get("description", "")
        if former.startswith("Former name of "):
            new = re.split(r"[.;]", former.removeprefix("Former name of "))[0].strip()
            properties[name] = properties.pop(new)
        rename_back(field.get("properties", {}))
        rename_back(field.get("items", {}).get("properties", {}))


def test_what_was_stored_under_a_former_name_is_still_seen(cluster: ThrowawayCluster, namespace: str, crds_of_before: None) -> None:
    eventually(lambda: "unknown field" in refusal(cluster.api(), namespace, migration(changed(GOOD, {"execution": {"tableLockTimeout": "1s"}}))),
               "the schema of before is served")
    made = create(cluster.api(), namespace, migration(changed(GOOD, {"execution": {"lockTimeout": "100ms"}})), dry_run=False)
    assert made["spec"]["execution"]["lockWait"] == "5s", "servers store defaults"
    made["status"] = {"observedGeneration": 1, "plan": {"hash": HASH}, "nextRetry": "2026-11-21T02:10:00Z"}
    client.CustomObjectsApi(cluster.api()).replace_namespaced_custom_object_status(GROUP, VERSION, namespace, "databasemigrations", "orders", made)
    given = approval("rejected", "alice")
    given["spec"] |= {"planHash": given["spec"].pop("approvalHash"), "decision": "Reject"}
    user = ["--as", "alice", "--as-group", "system:masters"]
    assert cluster.kubectl("create", "-n", namespace, *user, "-f", "-", stdin=yaml.dump(given)).returncode == 0

    assert cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS)).returncode == 0
    eventually(lambda: refusal(cluster.api(), namespace, migration(changed(GOOD, {"execution": {"tableLockTimeout": "1s"}}), "another")) == "accepted",
               "the schema of now is served")
    read = client.CustomObjectsApi(cluster.api()).get_namespaced_custom_object(GROUP, VERSION, namespace, "databasemigrations", "orders")
    assert (read["spec"]["execution"]["lockTimeout"], read["spec"]["execution"]["tableLockTimeout"]) == ("100ms", "2s")
    assert read["status"]["plan"] == {"hash": HASH} and read["status"]["nextRetry"] == "2026-11-21T02:10:00Z"
    read = client.CustomObjectsApi(cluster.api()).get_namespaced_custom_object(GROUP, VERSION, namespace, "migrationapprovals", "rejected")
    assert read["spec"]["planHash"] == HASH
    # Whoever does not touch the field may still write: labels, a suspension, the status.
    for kind, name in (("dbm", "orders"), ("mapp", "rejected")):
        done = cluster.kubectl("label", kind, name, "-n", namespace, "team=shop")
        assert done.returncode == 0, done.stderr
    assert cluster.kubectl("patch", "dbm", "orders", "-n", namespace, "--type=merge", "-p", '{"spec":{"suspend":true}}').returncode == 0
    done = cluster.kubectl("patch", "dbm", "orders", "-n", namespace, "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Stalled"}}')
    assert done.returncode == 0, done.stderr
    # The way out.
    done = cluster.kubectl("patch", "dbm", "orders", "-n", namespace, "--type=merge", "-p",
                           '{"spec":{"execution":{"lockTimeout":null,"tableLockTimeout":"100ms"}}}')
    assert done.returncode == 0, done.stderr


def test_an_approval_is_not_given_under_the_former_name(cluster: ThrowawayCluster) -> None:
    given = approval("probe", "alice")
    given["spec"]["planHash"] = HASH
    assert "spec.planHash: Forbidden: has been renamed to approvalHash" in refusal(cluster.api(), "default", given)


def test_every_sample_is_listed() -> None:
    page = (SAMPLES / "README.md").read_text()
    for sample in SAMPLES.glob("*.yaml"):
        assert f"]({sample.name})" in page


def test_the_samples_use_every_field_of_the_spec() -> None:
    used: set[str] = set()

    def collect(value: object, path: str) -> None:
        if isinstance(value, dict):
            for name, child in value.items():
                used.add(f"{path}.{name}")
                collect(child, f"{path}.{name}")
        elif isinstance(value, list):
            used.add(f"{path}[]")
            for child in value:
                collect(child, f"{path}[]")

    for sample in SAMPLES.glob("*.yaml"):
        for document in objects(sample.read_text()):
            if document["kind"] == "DatabaseMigration":
                collect(document["spec"], "spec")
    # Deliberately in none: a password in the open, what standalone mode alone reads, and each way of reading each secret.
    left_out = re.compile(r"\.(url|password|env)$|From\.|podTemplate\.(metadata\.annotations|spec\.)")
    missing = [path for path, _ in fields(schema("databasemigrations")["properties"]["spec"], "spec")
               if path not in used and not left_out.search(path) and path not in FORMER]
    assert missing == []


def test_a_full_status_is_accepted_and_shown_in_columns(cluster: ThrowawayCluster, namespace: str) -> None:
    custom = client.CustomObjectsApi(cluster.api())
    made = create(cluster.api(), namespace, migration(GOOD), dry_run=False)
    now = "2026-11-21T02:10:00Z"
    made["status"] = {
        "observedGeneration": 1, "phase": "Waiting", "currentRevision": "a1,b1", "currentRevisions": ["a1", "b1"], "targetRevision": "heads",
        "resolvedRevisions": ["a2", "b2"], "databaseID": HASH[:32], "pendingCount": 2, "pendingRevisions": ["a2", "b2"],
        "policy": {"raised": ["approval from Never to Destructive"]},
        "source": {"kind": "ConfigMaps", "revision": "orders@41", "files": 2, "firstSeenTime": now},
        "plan": {"approvalHash": HASH, "contentHash": HASH, "direction": "upgrade", "revisions": 2, "summary": ["upgrade a2"], "warnings": ["w"], "destructive": ["a2:7 drops column"],
                 "sqlSHA256": HASH},
        "approval": {"name": "x", "approvalHash": HASH, "approvedBy": "alice", "approvalTime": now, "required": 2, "given": 1, "approvers": ["alice"]},
        "progress": {"done": 1, "total": 2, "revision": "b2", "rows": 5}, "job": {"name": "orders-1", "phase": "Running"},
        "lastBackup": {"location": "/b/1", "revision": "a1,b1", "startTime": now, "durationMilliseconds": 5, "sizeBytes": 6, "sha256": HASH, "verified": True},
        "lastError": {"code": "lock-timeout", "message": "m", "hint": "h", "sqlState": "55P03", "revision": "a2", "line": 3, "statement": "s", "failureTime": now,
                      "blockers": [{"pid": 7, "application": "psql", "user": "me", "transactionStartTime": now, "query": "q"}]},
        "rehearsal": {"approvalHash": HASH, "copy": "schema", "passed": True, "completionTime": now, "durationMilliseconds": 5, "statements": 1,
                      "message": "up, down and up again", "locks": ["ACCESS EXCLUSIVE on orders"], "rewrites": ["orders"]},
        "failures": 1, "nextRetryTime": now,
        "history": [{"completionTime": now, "direction": "upgrade", "from": "base", "to": "a1", "revisions": 1, "durationMilliseconds": 2, "outcome": "applied", "runID": "r"}],
        "conditions": [{"type": "Ready", "status": "False", "reason": "LockHeld", "message": "held by pid 7", "lastTransitionTime": now, "observedGeneration": 1}],
    }
    declared = {path for path, _ in fields(schema("databasemigrations")["properties"]["status"]) if f"status.{path}" not in FORMER}
    written = custom.replace_namespaced_custom_object_status(GROUP, VERSION, namespace, "databasemigrations", "orders", made,
                                                             field_validation="Strict")["status"]
    assert written == made["status"]
    assert {path for path in declared if "[]" not in path and "." not in path} == set(written)
    table = cluster.kubectl("get", "dbm", "-n", namespace).stdout.splitlines()
    assert table[0].split() == ["NAME", "READY", "CURRENT", "TARGET", "PENDING", "PHASE", "AGE"]
    assert table[1].split()[:6] == ["orders", "False", "a1,b1", "heads", "2", "Waiting"]
    wide = cluster.kubectl("get", "databasemigrations", "-o", "wide", "-n", namespace).stdout
    assert "LockHeld" in wide and "held by pid 7" in wide
    assert "orders" in cluster.kubectl("get", "athanor", "-n", namespace).stdout
    assert "orders" in cluster.kubectl("get", "dbm", "-n", namespace, "--field-selector", "status.phase=Waiting,spec.execution.mode=InProcess").stdout
    assert "orders" not in cluster.kubectl("get", "dbm", "-n", namespace, "--field-selector", "status.phase=Ready").stdout


def test_the_status_cannot_be_written_with_the_spec(cluster: ThrowawayCluster, namespace: str) -> None:
    body = migration(GOOD)
    body["status"] = {"observedGeneration": 7, "phase": "Ready"}
    assert create(cluster.api(), namespace, body)["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("path", ["dbm", "dbm.spec", "dbm.spec.database.urlFrom.secretKeyRef", "dbm.spec.execution.windows.schedule",
                                  "dbm.spec.execution.migrationLockWait", "dbm.spec.backup.retention.maxAge", "dbm.status.plan.destructive", "mapp.spec.approvedBy"])
def test_kubectl_explains(cluster: ThrowawayCluster, path: str) -> None:
    plural = PLURALS[0] if path.startswith("dbm") else PLURALS[1]
    node = schema(plural)
    for name in path.split(".")[1:]:
        node = node.get("items", node)["properties"][name]
    # kubectl has a table of resources, which it fills again after a while when it lacks one.
    explained = cluster.kubectl("explain", path)
    assert explained.returncode == 0, explained.stderr
    assert " ".join(node["description"].split())[:60] in " ".join(explained.stdout.split())


def test_an_approval_is_given_in_ones_own_name(cluster: ThrowawayCluster, namespace: str) -> None:
    done = cluster.kubectl("create", "role", "approver", "--verb=create,get,update,patch,delete", "--resource=migrationapprovals.athanor.dev", "-n", namespace)
    assert done.returncode == 0, done.stderr
    alice, bob, carol = (f"{name}-{namespace}" for name in ("alice", "bob", "carol"))
    assert cluster.kubectl("create", "rolebinding", "approvers", "--role=approver", f"--user={alice}", f"--user={bob}", "-n", namespace).returncode == 0
    as_alice, as_bob, as_carol = (cluster.api(cluster.user(name)) for name in (alice, bob, carol))

    def forge() -> str:
        message = refusal(as_alice, namespace, approval("forged", bob))
        return "" if "cannot create" in message else message  # the role takes a moment

    assert f"spec.approvedBy is '{bob}', but this request comes from '{alice}': a plan is approved in one's own name" in eventually(forge, "the role is in force")
    assert "cannot create resource" in refusal(as_carol, namespace, approval("hers", carol))

    made = create(as_alice, namespace, approval("hers", alice), dry_run=False)
    custom = client.CustomObjectsApi(as_bob)
    made["metadata"]["labels"] = {"seen-by": "bob"}  # metadata is open to others
    made = custom.replace_namespaced_custom_object(GROUP, VERSION, namespace, "migrationapprovals", "hers", made)
    for change in ({"approvedBy": bob}, {"approvalHash": "0" * 64}, {"migration": "another"}, {"message": "changed my mind"}):
        with pytest.raises(client.ApiException) as refused:
            custom.patch_namespaced_custom_object(GROUP, VERSION, namespace, "migrationapprovals", "hers", {"spec": change})
        assert "an approval cannot be changed: delete it and create another" in refused.value.body or POLICY_REFUSES in refused.value.body


def written_status(custom: client.CustomObjectsApi, group: str, status: Object) -> Object:
    """As the operator writes it."""
    now = custom.get_namespaced_custom_object(group, VERSION, "default", "databasemigrations", "orders")["metadata"]
    body = {"apiVersion": f"{group}/{VERSION}", "kind": "DatabaseMigration", "status": status,
            "metadata": {key: now[key] for key in ("name", "namespace", "uid", "resourceVersion")}}
    return custom.replace_namespaced_custom_object_status(group, VERSION, "default", "databasemigrations", "orders", body,
                                                          field_manager="athanor-operator")


def owners(migration: Object) -> Object:
    """Who set what of the status."""
    return {entry["manager"]: entry["fieldsV1"] for entry in migration["metadata"]["managedFields"] if entry.get("subresource") == "status"}


def test_a_status_is_one_value_also_of_objects_that_an_older_crd_let_in(cluster: ThrowawayCluster) -> None:
    """docs/adr/0014. The CRD of before is ours under another group, with a status whose fields have owners of their own."""
    group = "older.athanor.dev"
    newer = copy.deepcopy(crd("databasemigrations"))
    newer["metadata"]["name"], newer["spec"]["group"] = f"databasemigrations.{group}", group
    newer["spec"]["names"] = {**newer["spec"]["names"], "shortNames": [], "categories": []}
    older = copy.deepcopy(newer)
    assert older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].pop("x-kubernetes-map-type") == "atomic"

    def install(definition: Object) -> None:
        done = cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(definition))
        assert done.returncode == 0, done.stderr
        # kubectl fails at once while the CRD has no conditions yet.
        wait = ("wait", "--for=condition=Established", f"crd/databasemigrations.{group}", "--timeout=5s")
        eventually(lambda: cluster.kubectl(*wait).returncode == 0, "the CRD is established")

    install(older)
    custom = client.CustomObjectsApi(cluster.api())
    try:
        eventually(lambda: cluster.kubectl("get", f"databasemigrations.{group}").returncode == 0, "the older CRD is served")
        custom.create_namespaced_custom_object(group, VERSION, "default", "databasemigrations", {**migration(GOOD), "apiVersion": f"{group}/{VERSION}"})
        ready = {"type": "Ready", "status": "True", "reason": "Applied", "message": "", "lastTransitionTime": "2026-11-22T00:00:00Z"}
        before = written_status(custom, group, {"observedGeneration": 1, "phase": "Ready", "conditions": [ready]})
        assert set(owners(before)["athanor-operator"]["f:status"]) == {"f:observedGeneration", "f:phase", "f:conditions"}
        custom.patch_namespaced_custom_object_status(group, VERSION, "default", "databasemigrations", "orders", {"status": {"targetRevision": "a lie"}})

        install(newer)

        def one_value() -> Object | None:
            now = written_status(custom, group, {"observedGeneration": 1, "phase": "Ready", "conditions": [ready]})
            return now if owners(now).get("athanor-operator") == {"f:status": {}} else None

        after = eventually(one_value, "the newer CRD is served")
        assert after["status"] == {"observedGeneration": 1, "phase": "Ready", "conditions": [ready]}, "nobody else's word stays"
        assert list(owners(after)) == ["athanor-operator"]
    finally:
        cluster.kubectl("delete", "crd", f"databasemigrations.{group}")


def decided(**more: object) -> Object:
    body = approval("x", "whoever")
    body["spec"].update(more)
    return body


def refused_by_the_schema(cluster: ThrowawayCluster, body: Object) -> str:
    """What the CRD says; the admission policy is asked first, so the name is the requesting user's own."""
    me = client.AuthenticationV1Api(cluster.api()).create_self_subject_review({}).status.user_info.username
    body["spec"]["approvedBy"] = me
    return refusal(cluster.api(), "default", body)


@pytest.mark.parametrize("more, message", [
    ({}, "accepted"), ({"decision": "Reject", "reason": "not before the archive is complete"}, "accepted"),
    ({"expiresAt": "2026-11-21T18:00:00Z"}, "accepted"), ({"expiresAt": "2026-11-21T18:00:00.5+01:00", "decision": "Approve"}, "accepted"),
    ({"decision": "Perhaps"}, 'supported values: "Approve", "Reject"'), ({"expiresAt": "tomorrow"}, "expiresAt"),
    ({"decision": "Reject", "expiresAt": "2026-11-21T18:00:00Z"}, "a rejection does not expire"), ({"reason": ""}, "spec.reason"),
    ({"reason": "x" * 257}, "spec.reason")])
def test_a_decision_is_taken_or_refused(cluster: ThrowawayCluster, more: Object, message: str) -> None:
    assert message in refused_by_the_schema(cluster, decided(**more))


def test_an_approval_approves_unless_it_says_otherwise(cluster: ThrowawayCluster) -> None:
    me = client.AuthenticationV1Api(cluster.api()).create_self_subject_review({}).status.user_info.username
    assert create(cluster.api(), "default", approval("x", me))["spec"]["decision"] == "Approve"


@pytest.mark.parametrize("approvals", [0, 11, "two"])
def test_a_number_of_approvals_is_bounded(cluster: ThrowawayCluster, approvals: object) -> None:
    assert "spec.policy.approvals" in refusal(cluster.api(), "default", migration(changed(GOOD, {"policy": {"approvals": approvals}})))


@pytest.mark.parametrize("plan", ["9f2c", HASH.upper(), HASH + "0"])
def test_an_approval_names_a_whole_hash(cluster: ThrowawayCluster, plan: str) -> None:
    message = refusal(cluster.api(), "default", approval("x", "whoever", plan))
    assert "spec.approvalHash" in message and ("64 hexadecimal digits" in message or "may not be more than 64" in message), message


def test_the_crds_are_found_by_their_short_names_and_category() -> None:
    for plural, short in zip(PLURALS, ("dbm", "mapp")):
        names = crd(plural)["spec"]["names"]
        assert names["shortNames"] == [short] and names["categories"] == ["athanor"]
