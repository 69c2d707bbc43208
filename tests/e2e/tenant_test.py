"""A tenant who may write DatabaseMigrations and nothing else, and people who approve: what holds against whom. The cluster is this file's own,
because its admission policy is taken away."""
import datetime
import hashlib
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import yaml
from conftest import install
from databases import Database, server_url
from declarations import GROUP, VERSION, WITHIN, Declarations, chain, condition, kstatus
from kubernetes import client
from operator_process import ROOT, OperatorProcess
from policy_test import Person
from throwaway_cluster import ThrowawayCluster, eventually

DROPS = chain("a1", "a2", a2="DROP TABLE t_a1;")


@pytest.fixture(scope="module")
def server(own_cluster: ThrowawayCluster) -> ThrowawayCluster:
    install(own_cluster)
    return own_cluster


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return "--leader-elect=false", "--resync=1h"


@pytest.fixture
def person(server: ThrowawayCluster, declare: Declarations) -> Callable[[str], Person]:
    return lambda name: Person(server, declare.namespace, name, "athanor-approver")


def decide(person: Person, name: str, plan: str, **more: object) -> None:
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": name},
            "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": person.name, **more}}
    person.api.create_namespaced_custom_object(GROUP, VERSION, person.namespace, "migrationapprovals", body, field_validation="Strict")


def test_two_people_approve_and_one_of_them_twice_is_not_enough(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                person: Callable[[str], Person]) -> None:
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always", "approvals": 2})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    ann, bob = person("ann"), person("bob")
    decide(ann, "one", plan)
    decide(ann, "again", plan)
    waiting = orders.until(lambda status, _: status.get("approval", {}).get("given") == 1, "one of two")
    assert waiting["status"]["approval"]["required"] == 2 and waiting["status"]["approval"]["approvers"] == [ann.name]
    assert f"waits for approvals by different people: 1 of 2 ({ann.name})" in condition(waiting, "Approved")["message"]
    assert database.revisions() == []
    decide(bob, "two", plan)
    done = orders.at("a1")
    assert done["status"]["approval"]["approvers"] == [ann.name, bob.name]


def test_a_rejected_plan_stays_rejected_until_there_is_another(operator: OperatorProcess, declare: Declarations, database: Database,
                                                               person: Callable[[str], Person]) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1", policy={"approval": "Always"})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    ann, bob = person("ann"), person("bob")
    decide(bob, "no", plan, decision="Reject", reason="not before the archive is complete")
    rejected = orders.because("PlanRejected")
    assert f"was rejected by {bob.name} in no: not before the archive is complete" in condition(rejected, "Approved")["message"]
    assert kstatus(rejected) == "Failed"
    decide(ann, "yes", plan)
    orders.annotate("athanor.dev/retry-now", "please")
    declare.wait_until_seen()
    assert condition(orders.read(), "Ready")["reason"] == "PlanRejected" and database.revisions() == []
    assert orders.event("PlanRejected").type == "Warning"
    orders.patch(targetRevision="a2")
    decide(ann, "next", orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"])
    orders.at("a2")


def test_an_approval_ends_when_it_says_so_though_nothing_else_happens(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                      person: Callable[[str], Person]) -> None:
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always", "approvals": 2})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=25)  # a loaded machine needs some of them to see it
    decide(person("ann"), "soon-over", plan, expiresAt=soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
    orders.until(lambda status, _: status.get("approval", {}).get("given") == 1, "it counts")
    over = orders.until(lambda status, ready: "approval" not in status and "soon-over expired at" in ready["message"], "it is over")
    assert (datetime.datetime.now(datetime.UTC) - soon).total_seconds() < 20, "noticed at its time, and not at the resync"
    assert "waits for approvals by different people: 0 of 2" in condition(over, "Approved")["message"]
    decide(person("bob"), "alone", plan)
    orders.until(lambda status, _: status.get("approval", {}).get("given") == 1, "one of two again")
    assert database.revisions() == []


def test_the_approver_reads_every_statement(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, DROPS, policy={"approval": "Destructive"})
    waiting = orders.because("ApprovalRequired")
    message = condition(waiting, "Ready")["message"]
    command = message[message.index("kubectl get configmap"):message.index("; to approve it")]
    shown = subprocess.run(["bash", "-c", command.replace("kubectl", f"{declare.server.directory}/bin/kubectl --kubeconfig {declare.server.kubeconfig}", 1)],
                           capture_output=True, text=True, check=True).stdout
    assert "CREATE TABLE t_a1 (id bigint PRIMARY KEY);" in shown and "DESTRUCTIVE\nDROP TABLE t_a1;" in shown
    assert hashlib.sha256(shown.encode()).hexdigest() == waiting["status"]["plan"]["sqlSHA256"]
    name = f"orders-plan-{waiting['status']['plan']['approvalHash'][:12]}"
    made = declare.core.read_namespaced_config_map(name, declare.namespace)
    assert made.metadata.owner_references[0].uid == waiting["metadata"]["uid"]

    # Somebody puts something harmless in its place, and the operator the plan.
    declare.core.delete_namespaced_config_map(name, declare.namespace)
    eventually(lambda: name in {one.metadata.name for one in declare.core.list_namespaced_config_map(declare.namespace).items}, "it is back", WITHIN)
    orders.patch(policy={"approval": "Never"})
    orders.at("a2")
    eventually(lambda: not [one for one in declare.core.list_namespaced_config_map(declare.namespace).items if "-plan-" in one.metadata.name],
               "the text goes with the plan", WITHIN)


def test_a_second_resource_with_another_version_table_needs_the_same_approvals(operator: OperatorProcess, declare: Declarations,
                                                                              database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always"})
    orders.because("ApprovalRequired")
    around = declare.migration(database.url.replace("127.0.0.1", "localhost"), chain("b1"), name="around",
                               database={"urlFrom": {"secretKeyRef": {"name": "around", "key": "url"}}, "versionTable": "around"})
    waiting = around.because("ApprovalRequired")
    assert waiting["status"]["policy"]["raised"] == [f"approval from Never to Always, required by {orders.key} on the same database"]
    assert database.tables() == set()
    orders.patch(suspend=True)
    orders.because("Suspended")
    around.annotate("athanor.dev/retry-now", "now that the other rests")
    declare.wait_until_seen()
    assert condition(around.read(), "Ready")["reason"] == "ApprovalRequired" and database.tables() == set()
    orders.delete()
    around.at("b1")
    assert database.tables() == {"t_b1", "around"}


def test_no_value_of_a_secret_is_shown_whatever_it_was_named_as(operator: OperatorProcess, declare: Declarations) -> None:
    canary = "canary7f3a-9c2e-token"
    declare.secret("token", value=canary)
    declare.config_map("orders", chain("a1"))
    key = {"secretKeyRef": {"name": "token", "key": "value"}}
    plain = {"host": "127.0.0.1", "port": 1, "name": "app", "user": "app"}
    for field in ("host", "name", "user", "port", "url"):
        body = declare.body(f"by-{field}", "token", "orders", {})
        parts = {name: value for name, value in plain.items() if name != field}
        if field == "user":
            parts["port"] = urlsplit(server_url()).port  # a server that answers, with the name in its answer
        body["spec"]["database"] = {"urlFrom": key} if field == "url" else {**parts, f"{field}From": key}
        tried = declare.create(body)
        failed = tried.until(lambda status, ready: ready["status"] == "False" and status["phase"] in ("Retrying", "Stalled"), f"fails by {field}")
        assert canary not in str(failed), failed["status"]
    assert canary not in operator.log() and canary not in operator.scrape()
    events = client.EventsV1Api(declare.server.api()).list_namespaced_event(declare.namespace).items
    assert canary not in str(events)


def test_no_approval_counts_while_the_admission_policy_is_missing_or_changed(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                            server: ThrowawayCluster, person: Callable[[str], Person]) -> None:
    """Last in the file: it takes the policy away, and approvals made before do not count again."""
    admission = client.AdmissionregistrationV1Api(server.api())
    name = "migrationapprovals.athanor.dev"
    orders = declare.migration(database.url, chain("a1"), policy={"approval": "Always"})
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    ann = person("ann")
    admission.delete_validating_admission_policy_binding(name)
    forged = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": "forged"},
              "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": "somebody-important"}}

    def forge() -> bool:
        try:
            ann.api.create_namespaced_custom_object(GROUP, VERSION, declare.namespace, "migrationapprovals", forged)
            return True
        except client.ApiException:
            return False

    eventually(forge, "nothing compares the name any more", WITHIN)
    missing = orders.because("ApprovalsUntrusted", within=60)
    assert f"ValidatingAdmissionPolicyBinding {name} does not exist" in condition(missing, "Approved")["message"]
    assert database.revisions() == [] and kstatus(missing) == "InProgress"

    documents = list(yaml.safe_load_all((ROOT / "crds/approval-policy.yaml").read_text()))
    changed = {**documents[1], "spec": {**documents[1]["spec"], "validationActions": ["Audit"]}}
    admission.create_validating_admission_policy_binding(changed)
    orders.until(lambda _, ready: "the binding of ValidatingAdmissionPolicy" in ready["message"], "the binding is another", within=60)
    admission.delete_validating_admission_policy_binding(name)
    server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds/approval-policy.yaml"))
    waiting = orders.until(lambda _, ready: "forged does not count" in ready["message"], "the forged one is older than the policy", within=60)
    assert condition(waiting, "Ready")["reason"] == "ApprovalRequired" and database.revisions() == []
    ann.approve("mine", plan)
    orders.at("a1")
