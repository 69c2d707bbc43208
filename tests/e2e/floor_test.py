"""The least that whoever runs the operator asks for, whatever a resource declares."""
from collections.abc import Iterator

import pytest
from databases import Database
from declarations import Declarations, chain, condition, kstatus
from kubernetes import client
from operator_process import OperatorProcess

DROPS = chain("a1", "a2", a2="DROP TABLE t_a1;")


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return ("--leader-elect=false", "--resync=1h", "--minimum-approval=Destructive", "--inline-passwords=refuse", "--namespace-labels")


def label(declare: Declarations, **labels: str) -> None:
    named = {f"athanor.dev/{name.replace('_', '-')}": value for name, value in labels.items()}
    declare.core.patch_namespace(declare.namespace, {"metadata": {"labels": named}})


def test_a_resource_that_asks_for_no_approval_waits_for_one_all_the_same(operator: OperatorProcess, declare: Declarations,
                                                                         database: Database) -> None:
    orders = declare.migration(database.url, DROPS, policy={"approval": "Never"})
    waiting = orders.because("ApprovalRequired")
    assert waiting["status"]["policy"]["raised"] == ["approval from Never to Destructive"]
    assert database.revisions() == []
    plan = waiting["status"]["plan"]["approvalHash"]
    me = client.AuthenticationV1Api(declare.server.api()).create_self_subject_review({}).status.user_info.username
    client.CustomObjectsApi(declare.server.api()).create_namespaced_custom_object(
        "athanor.dev", "v1alpha1", declare.namespace, "migrationapprovals",
        {"apiVersion": "athanor.dev/v1alpha1", "kind": "MigrationApproval", "metadata": {"name": "go"},
         "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": me}})
    orders.at("a2")


def test_labels_of_the_namespace_raise_the_floor_at_once(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    label(declare, minimum_approval="Always")
    orders = declare.migration(database.url, chain("a1"))
    assert orders.because("ApprovalRequired")["status"]["policy"]["raised"] == ["approval from Never to Always"]
    label(declare, minimum_approval="Never")  # no lower than the operator's own
    assert "policy" in orders.at("a1")["status"]
    label(declare, minimum_ssl_mode="verify-full")
    orders.annotate("athanor.dev/retry-now", "with TLS")
    refused = orders.until(lambda _, ready: ready["status"] == "False", "is not connected to in plain text")
    assert condition(refused, "Ready")["reason"] in ("DatabaseUnreachable", "CredentialsNotFound")


def test_a_password_in_the_resource_is_refused(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    declare.config_map("orders", chain("a1"))
    body = declare.body("orders", "orders", "orders", {})
    body["spec"]["database"] = {"host": database.parts.hostname, "port": database.parts.port, "name": database.name, "user": "app",
                                "password": "my-secret-value"}
    orders = declare.create(body)
    refused = orders.because("InvalidManifest")
    assert "spec.database.password: this operator refuses passwords in a resource" in condition(refused, "Ready")["message"]
    assert kstatus(refused) == "Failed" and "my-secret-value" not in operator.log()
