"""What goes wrong, what the resource says about it, and that mending it is enough."""
import json
import re
import subprocess

import pytest
from databases import Database
from declarations import GROUP, PLURAL, VERSION, Declarations, Migration, chain, condition, kstatus
from kubernetes import client
from operator_process import OperatorProcess
from throwaway_cluster import eventually

LOCK = "1635018866, 1"  # docs/spec/ledger.md: 'athr', 1


def message(resource: dict) -> str:
    return condition(resource, "Ready")["message"]


def parts(database: Database, user: str) -> dict:
    """A database by its parts, with the password of the Secret `orders`."""
    return {"host": database.parts.hostname, "port": database.parts.port, "name": database.name, "user": user,
            "passwordFrom": {"secretKeyRef": {"name": "orders", "key": "password"}}}


# ---------------------------------------------------------------- credentials


def test_a_rotated_password_is_used_by_the_next_run(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    owner = database.owner("before-the-rotation")
    declare.config_map("orders", chain("a1", "a2"))
    declare.secret("orders", password="before-the-rotation\n")  # with the newline of an editor
    orders = declare.create(declare.body("orders", "", "orders", {"database": parts(database, owner), "targetRevision": "a1"}))
    orders.at("a1")
    database.rows(f"ALTER ROLE \"{owner}\" PASSWORD 'after the rotation: @/?'")
    declare.change_secret("orders", password="after the rotation: @/?")
    orders.patch(targetRevision="a2")
    orders.at("a2")
    assert set(database.rows("SELECT database_user FROM athanor.history")) == {(owner,)}


def test_a_wrong_password_is_reported_without_showing_it_and_recovered_from(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    owner = database.owner("the-right-one")
    declare.config_map("orders", chain("a1"))
    declare.secret("orders", password="xK9-the-wrong-one")
    orders = declare.create(declare.body("orders", "", "orders", {"database": parts(database, owner)}))
    failed = orders.because("AuthenticationFailed")
    assert kstatus(failed) == "InProgress" and condition(failed, "Reconciling")["reason"] == "Retrying"
    status = failed["status"]
    assert status["failures"] >= 1 and status["nextRetryTime"] >= status["lastError"]["failureTime"] and status["phase"] == "Retrying"
    assert status["lastError"]["code"] == "authentication-failed"
    assert orders.event("AuthenticationFailed").type == "Warning"
    declare.change_secret("orders", password="the-right-one")
    done = orders.at("a1")
    assert not {"lastError", "failures", "nextRetryTime"} & done["status"].keys()
    assert "xK9" not in operator.log() + json.dumps(failed) and "the-right-one" not in operator.log()


def test_a_missing_secret_is_named_and_noticed_when_it_appears(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    declare.config_map("orders", chain("a1"))
    orders = declare.create(declare.body("orders", "credentials", "orders", {}))
    failed = orders.because("CredentialsNotFound")
    assert f"Secret {orders.namespace}/credentials does not exist" in message(failed) and kstatus(failed) == "InProgress"
    declare.secret("credentials", uri=database.url)
    orders.until(lambda _, ready: f"Secret {orders.namespace}/credentials has no value at the key url" in ready["message"], "names the key")
    declare.change_secret("credentials", url=database.url)
    orders.at("a1")


def test_a_secret_in_another_namespace_is_out_of_reach(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    declare.config_map("orders", chain("a1"))
    body = declare.body("orders", "orders", "orders", {})
    reference = body["spec"]["database"]["urlFrom"]["secretKeyRef"]
    elsewhere = f"{declare.namespace}-elsewhere"
    declare.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=elsewhere)))
    try:
        secret = client.V1Secret(metadata=client.V1ObjectMeta(name="orders"), string_data={"url": database.url})
        declare.core.create_namespaced_secret(elsewhere, secret)

        reference["name"] = f"{elsewhere}/orders"
        assert "spec.database.urlFrom.secretKeyRef.name: Invalid value" in refusal(declare, body)
        reference.update(name="orders", namespace=elsewhere)
        assert 'unknown field "spec.database.urlFrom.secretKeyRef.namespace"' in refusal(declare, body)
        # A client that does not ask for strictness gets the field dropped, and then it is a Secret of the own namespace that is missing.
        client.CustomObjectsApi(declare.server.api()).create_namespaced_custom_object(GROUP, VERSION, declare.namespace, PLURAL, body,
                                                                                      field_validation="Ignore")
        orders = Migration(declare.server, declare.namespace, "orders")
        assert f"Secret {declare.namespace}/orders does not exist" in message(orders.because("CredentialsNotFound"))
        assert database.revisions() == []
    finally:
        declare.core.delete_namespace(elsewhere)


# ---------------------------------------------------------------- declarations


def refusal(declare: Declarations, body: dict) -> str:
    with pytest.raises(client.ApiException) as error:
        declare.create(body)
    return json.loads(error.value.body)["message"]


def test_the_api_server_refuses_a_spec_that_contradicts_itself(declare: Declarations, database: Database) -> None:
    body = declare.body("orders", "orders", "orders", {})
    body["spec"]["database"]["url"] = database.url
    assert "spec.database.url: Forbidden: only one of url, urlFrom and host (or hostFrom) may be set" in refusal(declare, body)
    body = declare.body("orders", "orders", "orders", {"targetRevision": "+1"})
    assert "a declared target may not be relative, a range, or `current`" in refusal(declare, body)


def test_a_spec_that_only_the_operator_refuses_names_the_field(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution={"windows": [{"schedule": "99 * * * *", "duration": "1h"}]})
    refused = orders.because("InvalidManifest")
    assert "spec.execution.windows[0].schedule" in message(refused) and "minute" in message(refused)
    assert kstatus(refused) == "Failed" and database.revisions() == []
    assert orders.event("InvalidManifest").type == "Warning"
    orders.patch(execution={"windows": None})
    orders.at("a1")


def test_a_missing_config_map_is_named_and_noticed_when_it_appears(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    declare.secret("orders", url=database.url)
    orders = declare.create(declare.body("orders", "orders", "revisions", {}))
    failed = orders.because("SourceNotFound")
    assert f"ConfigMap {orders.namespace}/revisions does not exist" in message(failed)
    declare.config_map("revisions", chain("a1"))
    orders.at("a1")


def test_a_broken_file_is_named_with_its_line_and_noticed_when_it_is_fixed(operator: OperatorProcess, declare: Declarations,
                                                                           database: Database) -> None:
    files = chain("a1")
    orders = declare.migration(database.url, {"a1.sql": files["a1.sql"].replace("-- Revises:", "-- Revisses:")})
    refused = orders.because("SourceInvalid")
    assert "a1.sql:4" in message(refused) and kstatus(refused) == "Failed"
    declare.change_config_map("orders", files)
    orders.at("a1")


def test_an_unknown_target_is_distinguished_from_an_ambiguous_one(operator: OperatorProcess, declare: Declarations,
                                                                            database: Database) -> None:
    orders = declare.migration(database.url, {**chain("a1", "a2"), "b2.sql": chain("a1", "b2")["b2.sql"]}, targetRevision="c3")
    assert "c3" in message(orders.because("TargetNotFound"))
    orders.patch(targetRevision="head")
    assert kstatus(orders.because("TargetAmbiguous")) == "Failed"
    orders.patch(targetRevision="heads")
    assert orders.at("a2,b2")["status"]["currentRevisions"] == ["a2", "b2"]


# ---------------------------------------------------------------- databases


def test_a_lock_held_elsewhere_is_waited_for_and_its_holder_named(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    with database.lock(LOCK) as holder:
        orders = declare.migration(database.url, chain("a1"), execution={"migrationLockWait": "200ms"})
        waiting = orders.because("LockHeld")
        assert f"pid {holder}" in message(waiting)
        assert kstatus(waiting) == "InProgress" and waiting["status"]["phase"] == "Waiting" and "lastError" not in waiting["status"]
        assert f"pid {holder}" in orders.event("LockHeld").note
        assert database.revisions() == []
    orders.at("a1")


FAILURES = 'athanor_migrations_failed_total{reason="StatementFailed"}'


def test_a_statement_that_fails_is_reported_and_not_repeated_until_a_human_says_so(operator: OperatorProcess, declare: Declarations,
                                                                              database: Database) -> None:
    failures = operator.metric(FAILURES)
    orders = declare.migration(database.url, chain("a1", "a2", a2="INSERT INTO prepared_by_hand VALUES ('my-secret-value');"))
    failed = orders.because("StatementFailed")
    error = failed["status"]["lastError"]
    assert (error["code"], error["sqlState"], error["revision"], error["line"]) == ("statement-failed", "42P01", "a2", 7)
    assert "INSERT INTO prepared_by_hand" in error["statement"] and "my-secret-value" not in json.dumps(failed) + operator.log()
    assert kstatus(failed) == "Failed" and (failed["status"]["currentRevision"], failed["status"]["pendingCount"]) == ("a1", 1)
    assert database.history() == [("a1", "upgrade")]
    assert orders.event("StatementFailed").type == "Warning"

    before = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= before + 2, "two resyncs")
    assert operator.metric(FAILURES) == failures + 1  # observed, not run
    assert operator.reconciles(orders.key) <= before + 5
    assert orders.read()["metadata"]["resourceVersion"] == failed["metadata"]["resourceVersion"]

    orders.annotate("athanor.dev/retry-now", "first")
    eventually(lambda: operator.metric(FAILURES) == failures + 2, "it is tried once more")
    database.rows("CREATE TABLE prepared_by_hand (value text)")
    orders.annotate("athanor.dev/retry-now", "second")
    done = orders.at("a2")
    assert "lastError" not in done["status"] and database.rows("SELECT * FROM prepared_by_hand") == [("my-secret-value",)]


def test_fixing_the_file_is_all_that_a_failed_statement_needs(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2", a2="SELECT 1/0;"))
    assert orders.because("StatementFailed")["status"]["lastError"]["sqlState"] == "22012"
    declare.change_config_map("orders", chain("a1", "a2"))
    orders.at("a2")


def test_a_changed_file_of_an_applied_revision_is_noticed(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    declare.change_config_map("orders", {"a1.sql": chain("a1", a1="CREATE TABLE another (id int);")["a1.sql"]})
    changed = orders.because("ChecksumMismatch")
    assert "a1" in message(changed) and kstatus(changed) == "Failed"
    declare.change_config_map("orders", chain("a1"))
    orders.at("a1")


def test_a_database_that_is_not_there_is_waited_for(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.parts._replace(path=f"/{database.name}_later").geturl(), chain("a1"))
    failed = orders.because("DatabaseUnreachable")
    assert kstatus(failed) == "InProgress" and "does not exist" in message(failed)
    assert f"{database.name}_later" not in message(failed)  # what a Secret says is nobody else's to read
    assert "athanor@" not in json.dumps(failed)
    declare.change_secret("orders", url=database.url)
    orders.at("a1")


# ---------------------------------------------------------------- metrics


def test_metrics_are_well_formed_and_bear_the_names_that_dashboards_know(operator: OperatorProcess, declare: Declarations,
                                                                        database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    text = operator.scrape()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert {"controller_runtime_reconcile_total", "controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_time_seconds",
            "controller_runtime_active_workers", "controller_runtime_max_concurrent_reconciles", "workqueue_depth", "workqueue_adds_total",
            "workqueue_retries_total", "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds", "workqueue_unfinished_work_seconds",
            "workqueue_longest_running_processor_seconds", "rest_client_requests_total", "leader_election_master_status",
            "athanor_migrations_applied_total", "athanor_step_duration_seconds", "athanor_lock_wait_seconds", "athanor_pending_revisions",
            "athanor_resources", "athanor_watch_failures", "process_resident_memory_bytes", "process_cpu_seconds_total"} <= names
    host = re.search(r'rest_client_requests_total\{code="200",host="([^"]*)",method="GET"\}', text)
    assert host and "@" not in host.group(1), text
    assert operator.metric('controller_runtime_reconcile_total{controller="databasemigration",result="success"}') > 0
    assert re.search(r'rest_client_requests_total\{code="200",host="[^"]*",method="PATCH"\}', text)
    assert 'code="<error>"' not in text


def test_no_right_is_missing(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    """After all that the tests before this one made it do."""
    orders = declare.migration(database.url, chain("a1"))
    orders.event("Applied")
    refused = [line for line in operator.log().splitlines() if "forbidden" in line and "because it is being terminated" not in line]
    assert refused == []
