"""What a resource waits for before it changes anything: approvals, maintenance windows, backups."""
import hashlib
import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from databases import GATE, Database, run, server_url
from declarations import GROUP, VERSION, WITHIN, Declarations, Migration, chain, condition, kstatus
from kubernetes import client
from operator_process import PROGRAMS, OperatorProcess, rendered
from throwaway_cluster import ThrowawayCluster, eventually

DROPS = chain("a1", "a2", a2="DROP TABLE t_a1;")


class Person:
    """A user who may do in one namespace what a role of the chart says."""

    def __init__(self, server: ThrowawayCluster, namespace: str, name: str, *roles: str) -> None:
        self.name = f"{name}-{namespace}"
        self.namespace = namespace
        self.api = client.CustomObjectsApi(server.api(server.user(self.name)))
        rbac = client.RbacAuthorizationV1Api(server.api())
        rules = [rule for role in roles for rule in rendered("ClusterRole", role)["rules"]]
        rbac.create_namespaced_role(namespace, {"metadata": {"name": name}, "rules": rules})
        rbac.create_namespaced_role_binding(namespace, {
            "metadata": {"name": name}, "subjects": [{"kind": "User", "name": self.name, "apiGroup": "rbac.authorization.k8s.io"}],
            "roleRef": {"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}})
        eventually(lambda: self.api.list_namespaced_custom_object(GROUP, VERSION, namespace, "databasemigrations"), f"{self.name} has the role")

    def approve(self, name: str, plan: str, in_the_name_of: str | None = None) -> None:
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": name},
                "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": in_the_name_of or self.name}}
        self.api.create_namespaced_custom_object(GROUP, VERSION, self.namespace, "migrationapprovals", body)

    def set_target(self, target: str) -> None:
        self.api.patch_namespaced_custom_object(GROUP, VERSION, self.namespace, "databasemigrations", "orders", {"spec": {"targetRevision": target}})


def refused(attempt: object, status: int) -> str:
    with pytest.raises(client.ApiException) as error:
        attempt()
    assert error.value.status == status, error.value.body
    return json.loads(error.value.body)["message"]


@pytest.fixture
def policy_in_force(server: ThrowawayCluster, declare: Declarations) -> None:
    """The admission policy takes effect a moment after it was created."""
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": "probe"},
            "spec": {"migration": "probe", "approvalHash": "0" * 64, "approvedBy": "somebody-else"}}

    def enforced() -> bool:
        try:
            client.CustomObjectsApi(server.api()).create_namespaced_custom_object(GROUP, VERSION, declare.namespace, "migrationapprovals", body,
                                                                                  dry_run="All")
            return False
        except client.ApiException as error:
            return "in one's own name" in error.body

    eventually(enforced, "the admission policy is in force", WITHIN)


def test_a_destructive_plan_waits_for_the_approval_of_an_authorized_user(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                        policy_in_force: None) -> None:
    deployer = Person(declare.server, declare.namespace, "deployer", "athanor-view", "athanor-edit")
    approver = Person(declare.server, declare.namespace, "approver", "athanor-approver")
    orders = declare.migration(database.url, DROPS, targetRevision="a1", policy={"approval": "Destructive"})
    assert condition(orders.at("a1"), "Approved") == {}  # nothing to approve in making a table

    deployer.set_target("a2")
    waiting = orders.because("ApprovalRequired")
    plan = waiting["status"]["plan"]["approvalHash"]
    message = condition(waiting, "Ready")["message"]
    assert plan in message and waiting["status"]["plan"]["destructive"][0] in message
    assert condition(waiting, "Approved")["status"] == "False" and kstatus(waiting) == "InProgress"
    assert orders.event("ApprovalRequired").note == message
    assert database.tables() == {"t_a1"}

    assert "cannot create resource" in refused(lambda: deployer.approve("mine", plan), 403)
    assert "a plan is approved in one's own name" in refused(lambda: approver.approve("forged", plan, deployer.name), 403)
    assert "cannot patch resource" in refused(lambda: approver.set_target("a1"), 403)

    approver.approve("of-yesterday", "0" * 64)
    orders.until(lambda _, ready: "of-yesterday approves 000000000000, which is not the current plan" in ready["message"], "names the stale approval")
    assert database.tables() == {"t_a1"}

    approver.approve("of-today", plan)
    approved = orders.at("a2")
    given = approved["status"]["approval"]
    assert (given["name"], given["approvalHash"], given["approvedBy"]) == ("of-today", plan, approver.name)
    assert given["approvalTime"].startswith("20")
    assert condition(approved, "Approved")["status"] == "True"
    assert approver.name in condition(approved, "Approved")["message"]
    assert database.tables() == set()


def test_an_approval_is_for_one_plan_and_not_for_the_next(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    approver = Person(declare.server, declare.namespace, "approver", "athanor-approver")
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1", policy={"approval": "Always"})
    approver.approve("first", orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"])
    orders.at("a1")
    orders.patch(targetRevision="a2")
    waiting = orders.because("ApprovalRequired")
    assert "first approves" in condition(waiting, "Ready")["message"] and "approval" not in waiting["status"]
    assert database.revisions() == ["a1"]


def test_an_approved_plan_runs_where_it_was_approved_and_nowhere_else(operator: OperatorProcess, declare: Declarations,
                                                                       database: Database) -> None:
    """The same files on a database as empty as the first: whoever may edit the resource does not choose where an approved plan runs."""
    approver = Person(declare.server, declare.namespace, "approver", "athanor-approver")
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always"})
    plan = orders.because("ApprovalRequired")["status"]["plan"]
    other = Database()
    try:
        declare.secret("elsewhere", url=other.url)
        orders.patch(database={"urlFrom": {"secretKeyRef": {"name": "elsewhere", "key": "url"}}})
        moved = orders.until(lambda status, _: status["plan"]["approvalHash"] != plan["approvalHash"], "another hash")
        assert moved["status"]["plan"]["contentHash"] == plan["contentHash"]
        approver.approve("of-the-first", plan["approvalHash"])
        orders.until(lambda _, ready: "of-the-first approves" in ready["message"], "names the approval of another place")
        assert other.tables() == set() and database.tables() == set()

        orders.patch(database={"urlFrom": {"secretKeyRef": {"name": "orders", "key": "url"}}})
        orders.at("a1")  # back where it was approved for
        assert database.rows("SELECT DISTINCT plan_hash FROM athanor.history") == [(plan["contentHash"],)]
    finally:
        other.drop()


def test_an_approval_is_not_for_the_namesake_of_a_deleted_resource(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    approver = Person(declare.server, declare.namespace, "approver", "athanor-approver")
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always"})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    orders.delete()
    approver.approve("of-the-deleted", plan)
    anew = declare.create(declare.body("orders", "orders", "orders", {"policy": {"approval": "Always"}}))
    waiting = anew.because("ApprovalRequired")
    assert waiting["status"]["plan"]["approvalHash"] != plan and "of-the-deleted approves" in condition(waiting, "Ready")["message"]
    approver.approve("of-this-one", waiting["status"]["plan"]["approvalHash"])
    assert anew.at("a1")["status"]["approval"]["name"] == "of-this-one"


def test_the_rest_of_an_approved_plan_runs_when_the_connection_was_lost_in_the_middle(operator: OperatorProcess, declare: Declarations,
                                                                                       database: Database) -> None:
    approver = Person(declare.server, declare.namespace, "approver", "athanor-approver")
    database.gate()
    files = chain("a1", "a2", "a3", a2=f"{GATE} CREATE TABLE t_a2 (id bigint);")
    orders = declare.migration(database.url, files, policy={"approval": "Always"})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    approver.approve("of-all-three", plan)
    lost = database.wait_at_gate()
    eventually(lambda: database.revisions() == ["a1"], "the first revision is in")
    database.rows(f"SELECT pg_terminate_backend({lost})")
    database.open_gate()
    done = orders.at("a3")
    assert done["status"]["approval"]["approvalHash"] == plan
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade"), ("a3", "upgrade")]
    assert len(orders.events("ApprovalRequired")) == 1


def test_a_closed_maintenance_window_names_the_time_it_opens(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    leap_year = next(year for year in range(date.today().year, 2200) if year % 4 == 0 and date(year, 2, 29) > date.today())
    orders = declare.migration(database.url, chain("a1"), execution={"windows": [{"schedule": "30 2 29 2 *", "duration": "1h"}]})
    waiting = orders.because("OutsideWindow")
    assert f"{leap_year}-02-29T02:30:00+00:00" in condition(waiting, "Ready")["message"]
    assert kstatus(waiting) == "InProgress" and waiting["status"]["phase"] == "Waiting"
    assert database.revisions() == []
    orders.patch(execution={"windows": [{"schedule": "* * * * *", "duration": "1h"}]})
    orders.at("a1")


def test_a_window_may_be_open_for_a_whole_weekend(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    declare.migration(database.url, chain("a1"), execution={"windows": [{"schedule": "* * * * *", "duration": "48h"}]}).at("a1")


def restored(dump: Path, database: Database, into: str) -> None:
    done = subprocess.run([PROGRAMS / "athanor", "restore", dump, "--into", into], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DATABASE_URL": database.url})
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_backup_is_taken_before_anything_is_destroyed_and_can_be_restored(operator: OperatorProcess, declare: Declarations,
                                                                           database: Database) -> None:
    orders = declare.migration(database.url, DROPS, targetRevision="a1", backup={"when": "Destructive"})
    assert condition(orders.at("a1"), "BackedUp") == {}
    database.rows("INSERT INTO t_a1 VALUES (42)")
    orders.patch(targetRevision="a2")
    resource = orders.at("a2")

    taken = resource["status"]["lastBackup"]
    assert condition(resource, "BackedUp")["status"] == "True" and condition(resource, "BackedUp")["reason"] == "BackupTaken"
    assert (taken["revision"], taken["verified"]) == ("a1", True)
    dump = Path(taken["location"])
    assert dump.parent == operator.backups / orders.namespace / "orders"  # where the documentation says
    assert (hashlib.sha256(dump.read_bytes()).hexdigest(), dump.stat().st_size) == (taken["sha256"], taken["sizeBytes"])
    assert str(dump) in orders.event("BackupTaken").note
    assert operator.metric(f'athanor_backup_size_bytes{{name="orders",namespace="{orders.namespace}"}}') == taken["sizeBytes"]

    assert database.tables() == set()
    earlier = f"{database.name}_earlier"
    try:
        restored(dump, database, earlier)
        assert run(database.parts._replace(path=f"/{earlier}").geturl(), "SELECT id, version_num FROM t_a1, alembic_version") == [(42, "a1")]
    finally:
        run(server_url(), f'DROP DATABASE IF EXISTS "{earlier}"')


def test_without_the_backup_that_is_required_nothing_is_changed(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    (operator.backups / declare.namespace).mkdir()
    (operator.backups / declare.namespace / "dumps").write_text("a file where a folder must be")
    orders = declare.migration(database.url, chain("a1"), backup={"path": "dumps"})
    failed = orders.because("BackupFailed")
    assert kstatus(failed) == "Failed"
    assert condition(failed, "BackedUp")["status"] == "False"
    assert failed["status"]["lastError"]["code"] == "backup-refused" and "is not a folder" in failed["status"]["lastError"]["message"]
    assert database.tables() == set() and database.revisions() == []
    assert orders.event("BackupFailed").type == "Warning"

    orders.patch(backup={"required": False})
    orders.at("a1")


def test_a_backup_outside_of_the_namespaces_folder_is_refused(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    elsewhere = operator.backups / "another-namespace" / "orders"
    orders: Migration = declare.migration(database.url, chain("a1"), backup={"path": str(elsewhere)})
    failed = orders.because("BackupFailed")
    assert f"spec.backup.path '{elsewhere}' leaves {orders.namespace}/" in condition(failed, "Ready")["message"]
    assert "relative to that folder" in failed["status"]["lastError"]["hint"]
    assert database.tables() == set() and not elsewhere.exists()


def test_a_schema_that_was_changed_by_hand_is_reported_and_blocks_a_run_where_the_policy_says_so(
        operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    drifted = f'athanor_schema_drifted{{name="orders",namespace="{declare.namespace}"}}'
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1", policy={"drift": "Block"})
    assert (condition(orders.at("a1"), "Drifted")["status"], condition(orders.read(), "Drifted")["reason"]) == ("False", "SchemaUnchanged")
    assert operator.metric(drifted) == 0

    database.rows("ALTER TABLE t_a1 ADD COLUMN by_hand int")
    orders.patch(targetRevision="a2")
    held = orders.because("SchemaChanged")
    message = condition(held, "Drifted")["message"]
    assert condition(held, "Drifted")["status"] == "True" and "+ column public.t_a1.by_hand" in message
    assert kstatus(held) == "Failed" and "athanor drift --accept" in condition(held, "Ready")["message"]
    assert orders.event("SchemaChanged").type == "Warning"
    assert operator.metric(drifted) == 1
    assert database.revisions() == ["a1"]

    accepted = subprocess.run([PROGRAMS / "athanor", "drift", "--accept"], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DATABASE_URL": database.url})
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "accepted: + column public.t_a1.by_hand" in accepted.stdout
    orders.annotate("athanor.dev/retry-now", "accepted")
    assert condition(orders.at("a2"), "Drifted")["status"] == "False"
