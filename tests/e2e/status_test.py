"""A status is never behind what the operator knows: gates, waits, what is pending."""
import json

import psycopg2
import pytest
from databases import GATE, Database, run, server_url
from declarations import Declarations, chain, condition, kstatus
from kubernetes import client, watch
from operator_process import OperatorProcess
from throwaway_cluster import eventually

DIVIDES = "SELECT 1 / 0;"


def gated(name: str, then: str = "") -> str:
    return f"{GATE} {then or f'CREATE TABLE t_{name} (id bigint);'}"


def message(resource: dict) -> str:
    return condition(resource, "Ready")["message"]


# ---------------------------------------------------------------- gates


def test_a_status_is_not_ready_any_more_when_only_the_content_changed_and_the_run_begins(operator: OperatorProcess, declare: Declarations,
                                                                                        database: Database) -> None:
    database.gate()
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    declare.change_config_map("orders", chain("a1", "a2", a2=gated("a2")))
    database.wait_at_gate()
    seen = orders.read()  # the generation is the same, so only the status can tell
    assert kstatus(seen) == "InProgress" and condition(seen, "Ready")["status"] == "False"
    def tells_of_the_run() -> bool:
        now = orders.read()
        return "a2" in message(now) or condition(now, "Ready")["reason"] == "Applying"
    eventually(tells_of_the_run, "the status tells of the run")
    database.open_gate()
    orders.at("a2")


def test_the_error_of_a_fixed_file_is_withdrawn_before_the_run_begins(operator: OperatorProcess, declare: Declarations,
                                                                               database: Database) -> None:
    database.gate()
    orders = declare.migration(database.url, chain("a1", "a2", a2=DIVIDES))
    assert kstatus(orders.because("StatementFailed")) == "Failed"
    declare.change_config_map("orders", chain("a1", "a2", a2=gated("a2")))
    database.wait_at_gate()
    seen = orders.read()
    assert kstatus(seen) == "InProgress" and condition(seen, "Stalled") == {}
    database.open_gate()
    orders.at("a2")


def test_the_status_is_withdrawn_before_a_short_run_and_stays_so_to_its_end(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    before = orders.at("a1")
    statuses = []
    api = client.CustomObjectsApi(declare.server.api())
    declare.change_config_map("orders", chain("a1", "a2"))
    orders.at("a2")
    for event in watch.Watch().stream(api.list_namespaced_custom_object, "athanor.dev", "v1alpha1", declare.namespace, "databasemigrations",
                                      resource_version=before["metadata"]["resourceVersion"], timeout_seconds=2):
        ready = condition(event["object"], "Ready")
        statuses.append((ready["status"], ready["reason"], event["object"]["status"]["currentRevision"]))
    assert statuses[0] == ("False", "Pending", "a1") and statuses[-1] == ("True", "Applied", "a2")
    assert all(ready == "False" for ready, _, _ in statuses[:-1])  # on a slow machine it reports progress too


def test_a_secret_that_names_another_database_withdraws_the_status(operator: OperatorProcess, declare: Declarations,
                                                                       database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    other = Database()
    try:
        other.gate()
        declare.change_config_map("orders", chain("a1", a1=""))  # the same files: nothing but the Secret differs
        declare.change_secret("orders", url=other.url)
        orders.annotate("athanor.dev/retry-now", "the Secret changed")
        other_files = chain("a1", "a2", a2=gated("a2"))
        declare.change_config_map("orders", other_files)
        other.wait_at_gate()
        assert kstatus(orders.read()) == "InProgress"
        other.open_gate()
        orders.at("a2")
    finally:
        declare.change_secret("orders", url=database.url)
        orders.delete()
        other.drop()


# ---------------------------------------------------------------- what is pending


def test_current_and_pending_follow_a_run(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    database.gate()
    orders = declare.migration(database.url, chain("a1", "a2", "a3", a2=gated("a2")))
    database.wait_at_gate()
    seen = orders.until(lambda status, _: status.get("currentRevision") == "a1", "a1 is there")["status"]
    assert (seen["pendingCount"], seen["pendingRevisions"], seen["resolvedRevisions"]) == (2, ["a2", "a3"], ["a3"])
    assert (seen["progress"]["done"], seen["progress"]["total"], seen["progress"]["revision"]) == (1, 3, "a2")
    assert seen["source"]["files"] == 3
    series = f'athanor_pending_revisions{{name="orders",namespace="{orders.namespace}"}}'
    eventually(lambda: operator.metric(series) == 2, "the metric follows the status")
    database.open_gate()
    assert orders.at("a3")["status"]["pendingCount"] == 0


def test_what_is_pending_is_left_out_while_it_is_not_known(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.parts._replace(path=f"/{database.name}_later").geturl(), chain("a1"))
    failed = orders.because("DatabaseUnreachable")
    assert "pendingCount" not in failed["status"]
    series = f'athanor_pending_revisions{{name="orders",namespace="{orders.namespace}"}}'
    assert series not in operator.scrape()


# ---------------------------------------------------------------- locks


def lock_table(database: Database, name: str) -> "psycopg2.extensions.connection":
    connection = psycopg2.connect(database.url, application_name="nightly-report")
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {name}")
    return connection


@pytest.mark.parametrize("timeout", ["20ms", "500ms", "30s"])
def test_the_holder_of_a_table_lock_is_reported_while_it_is_waited_for(operator: OperatorProcess, declare: Declarations, database: Database,
                                                              timeout: str) -> None:
    orders = declare.migration(database.url, chain("a1"), execution={"tableLockTimeout": timeout, "tableLockBudget": "1m"})
    orders.at("a1")
    holder = lock_table(database, "t_a1")
    declare.change_config_map("orders", chain("a1", "a2", a2="ALTER TABLE t_a1 ADD note text;"))
    waiting = orders.because("WaitingForLock")
    pid = holder.info.backend_pid
    assert f"waits for a lock held by pid {pid}, nightly-report, since 20" in message(waiting)
    blockers = waiting["status"]["lastError"]["blockers"]
    assert (blockers[0]["pid"], blockers[0]["application"]) == (pid, "nightly-report")
    assert kstatus(waiting) == "InProgress"
    assert f"pid {pid}" in orders.event("WaitingForLock").note
    holder.close()
    assert "lastError" not in orders.at("a2")["status"]


def test_the_holder_of_the_migration_lock_is_reported_while_it_is_waited_for(operator: OperatorProcess, declare: Declarations,
                                                                        database: Database) -> None:
    with database.lock("1635018866, 1") as holder:
        orders = declare.migration(database.url, chain("a1"), execution={"migrationLockWait": "1m"})
        waiting = orders.because("LockHeld")
        assert f"waits for the migration lock held by pid {holder}" in message(waiting)
        assert waiting["status"]["pendingRevisions"] == ["a1"]
    orders.at("a1")


# ---------------------------------------------------------------- recovery


def test_a_resource_that_is_being_deleted_begins_nothing_and_frees_its_claim(operator: OperatorProcess, declare: Declarations,
                                                                            database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    orders._patch({"metadata": {"finalizers": ["example.org/hold"]}})
    try:
        orders.delete()
        orders.because("Deleting")
        declare.change_config_map("orders", chain("a1", "a2", a2="DROP TABLE t_a1;"))
        successor = declare.create(declare.body("successor", "orders", "orders", {"targetRevision": "a1"}))
        successor.at("a1")
        assert database.revisions() == ["a1"] and kstatus(orders.read()) == "Terminating"
    finally:
        orders._patch({"metadata": {"finalizers": None}})


def test_a_database_that_was_made_read_only_stalls_nothing(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    run(server_url(), f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    declare.change_config_map("orders", chain("a1", "a2"))
    orders.until(lambda _, ready: ready["reason"] in ("Retrying", "Applied"), "waits, or sets it aside for its own session")
    run(server_url(), f'ALTER DATABASE "{database.name}" RESET default_transaction_read_only')
    orders.at("a2")


def test_a_window_that_never_opens_is_an_error_of_the_manifest(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution={"windows": [{"schedule": "0 3 30 2 *", "duration": "1h"}]})
    stalled = orders.because("InvalidManifest")
    assert kstatus(stalled) == "Failed" and "spec.execution.windows[0].schedule" in message(stalled)


def test_a_resource_that_leaves_the_selection_says_so(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    orders._patch({"metadata": {"labels": {key: None for key in declare.labels}}})
    left = orders.because("NotSelected")
    assert condition(left, "Ready")["status"] == "Unknown" and kstatus(left) == "InProgress"
    orders._patch({"metadata": {"labels": declare.labels}})
    orders.at("a1")


# ---------------------------------------------------------------- words


def test_messages_name_what_the_user_wrote(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.parts._replace(path=f"/{database.name}_later").geturl(), chain("a1"))
    failed = orders.because("DatabaseUnreachable")
    text = json.dumps(failed["status"])
    assert f"the key url of Secret {orders.namespace}/orders" in failed["status"]["lastError"]["hint"] and "DATABASE_URL" not in text


def test_a_failed_statement_says_where_the_database_is_and_what_to_fix(operator: OperatorProcess, declare: Declarations,
                                                                       database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2", a2=DIVIDES))
    said = message(orders.because("StatementFailed"))
    assert "the transaction of revision a2 was rolled back" in said and "the database is at a1" in said
    assert "fix line 7 of key a2.sql of ConfigMap orders" in said


def test_a_revision_in_two_config_maps_and_a_key_in_capitals_are_named(operator: OperatorProcess, declare: Declarations,
                                                                      database: Database) -> None:
    declare.config_map("more", {"other.sql": chain("a1")["a1.sql"]})
    body = declare.body("orders", "orders", "orders", {})
    body["spec"]["source"] = {"configMaps": [{"name": "orders"}, {"name": "more"}]}
    declare.config_map("orders", chain("a1"))
    declare.secret("orders", url=database.url)
    orders = declare.create(body)
    said = message(orders.because("SourceInvalid"))
    assert "'a1'" in said and "key a1.sql of ConfigMap orders" in said and "ConfigMap more, key other.sql" in said
    declare.change_config_map("more", {"other.sql": None, "A2.SQL": chain("a1", "a2")["a2.sql"]})
    orders.until(lambda _, ready: "ConfigMap more, key A2.SQL" in ready["message"], "names the key")
    declare.change_config_map("more", {"A2.SQL": None, "README.md": "no revision"})
    orders.at("a1")


def test_a_source_without_revisions_is_named(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, {"README.md": "text", "a1.txt": "text"})
    said = message(orders.because("SourceInvalid"))
    assert "no revision files in the source: ConfigMap orders" in said and "key README.md of ConfigMap orders" in said and "key a1.txt" in said


def test_what_has_to_be_granted_is_named(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    role = f"{database.name}_poor"
    run(server_url(), f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'poor'")
    database.roles.append(role)
    run(database.url, f'REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON DATABASE "{database.name}" TO "{role}"')
    parts = {"host": database.parts.hostname, "port": database.parts.port, "name": database.name, "user": role,
             "passwordFrom": {"secretKeyRef": {"name": "orders", "key": "password"}}}
    declare.config_map("orders", chain("a1"))
    declare.secret("orders", password="poor")
    orders = declare.create(declare.body("orders", "", "orders", {"database": parts}))
    refused = orders.because("InsufficientPrivilege")
    assert "ON SCHEMA public" in refused["status"]["lastError"]["hint"]
    run(database.url, f'REVOKE CREATE ON DATABASE "{database.name}" FROM "{role}"')
