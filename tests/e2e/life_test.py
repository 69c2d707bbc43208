"""What a resource goes through in its life, told by the API server, the database and kubectl."""
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from databases import GATE, Database
from declarations import Declarations, Migration, chain, condition, kstatus, tools
from kubernetes import client
from operator_process import PROGRAMS, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually


LOCK = "1635018866, 1"


def conditions(resource: dict) -> dict[str, str]:
    return {one["type"]: one["status"] for one in resource["status"]["conditions"]}


def test_a_new_resource_brings_its_database_to_the_head_and_says_so(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"))
    version = declare.core.read_namespaced_config_map("orders", declare.namespace).metadata.resource_version
    resource = orders.because("Applied")

    status = resource["status"]
    assert status["observedGeneration"] == resource["metadata"]["generation"] == 1
    assert (status["phase"], status["currentRevision"], status["currentRevisions"]) == ("Ready", "a2", ["a2"])
    assert (status["targetRevision"], status["resolvedRevisions"], status["pendingCount"]) == ("head", ["a2"], 0)
    assert (status["source"]["kind"], status["source"]["revision"]) == ("configMaps", f"orders@{version}")
    run = status["history"][0]
    assert (run["outcome"], run["direction"], run["from"], run["to"], run["revisions"]) == ("applied", "upgrade", "base", "a2", 2)
    assert conditions(resource) == {"Ready": "True", "Planned": "True", "Applied": "True"}
    assert kstatus(resource) == "Current"
    assert not {"lastError", "progress", "nextRetryTime", "failures"} & status.keys()

    assert database.revisions() == ["a2"]
    assert database.tables() == {"t_a1", "t_a2"}
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade")]
    assert set(database.rows("SELECT actor, run_id FROM athanor.history")) == {(f"databasemigration/{orders.key}", run["runID"])}

    event = orders.event("Applied")
    assert (event.type, event.action, event.reporting_controller) == ("Normal", "Migrate", "athanor-operator")
    assert event.note == condition(resource, "Ready")["message"] == "the database is at a2 after an upgrade of 2 revisions"
    assert (event.regarding.kind, event.regarding.uid) == ("DatabaseMigration", resource["metadata"]["uid"])


def test_a_bumped_target_is_applied(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2", "a3"), targetRevision="a1")
    orders.at("a1")
    assert database.tables() == {"t_a1"}
    orders.patch(targetRevision="a3")
    resource = orders.at("a3")
    assert resource["status"]["observedGeneration"] == 2
    assert [(run["from"], run["to"]) for run in resource["status"]["history"]] == [("a1", "a3"), ("base", "a1")]
    assert database.tables() == {"t_a1", "t_a2", "t_a3"}


def test_a_new_file_in_a_config_map_is_applied_without_touching_the_resource(operator: OperatorProcess, declare: Declarations,
                                                                             database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    changed = declare.change_config_map("orders", chain("a1", "a2"))
    resource = orders.at("a2")
    assert resource["metadata"]["generation"] == 1
    assert resource["status"]["source"]["revision"] == f"orders@{changed.metadata.resource_version}"
    assert database.tables() == {"t_a1", "t_a2"}


def test_a_downgrade_is_refused_until_it_is_allowed(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"))
    orders.at("a2")
    orders.patch(targetRevision="a1")
    refused = orders.because("DatabaseAhead")
    assert conditions(refused)["Stalled"] == "True" and kstatus(refused) == "Failed"
    assert "set spec.policy.downgrade to Allow" in condition(refused, "Ready")["message"]
    assert "lastError" not in refused["status"]  # ahead is a position, not an error
    assert database.tables() == {"t_a1", "t_a2"}

    orders.patch(policy={"downgrade": "Allow"})
    waiting = orders.because("DirectionCooldown")
    assert kstatus(waiting) == "InProgress" and "the last change was an upgrade" in condition(waiting, "Ready")["message"]
    assert database.tables() == {"t_a1", "t_a2"}
    orders.patch(policy={"downgrade": "Allow", "directionCooldown": "0s"})
    done = orders.at("a1")
    assert "Stalled" not in conditions(done) and kstatus(done) == "Current"
    assert done["status"]["history"][0]["direction"] == "downgrade"
    assert database.tables() == {"t_a1"}


def test_a_rolled_back_config_map_keeps_the_newer_schema_and_ends_healthy(operator: OperatorProcess, declare: Declarations,
                                                                           database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="head", policy={"downgrade": "Keep"})
    orders.at("a2")
    declare.change_config_map("orders", {"a2.sql": None})
    kept = orders.because("AheadAccepted")
    assert kstatus(kept) == "Current" and conditions(kept)["Ready"] == "True" and "Stalled" not in conditions(kept)
    assert "at a2, ahead of the declared target head" in condition(kept, "Ready")["message"]
    assert database.tables() == {"t_a1", "t_a2"}
    declare.change_config_map("orders", chain("a1", "a2", "a3"))  # and forward again
    orders.at("a3")


def test_a_suspended_resource_leaves_its_database_alone(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), suspend=True)
    resource = orders.because("Suspended")
    assert resource["status"]["phase"] == "Suspended" and kstatus(resource) == "InProgress"
    assert database.tables() == set() and database.rows("SELECT to_regnamespace('athanor')") == [(None,)]
    orders.patch(suspend=False)
    orders.at("a1")


def in_the_second_of_three(declare: Declarations, database: Database) -> Migration:
    """Of which the third is none that is sent to the server ahead of its turn."""
    database.gate()
    orders = declare.migration(database.url, chain("a1", "a2", "a3", a2=f"CREATE TABLE t_a2 (id int); {GATE}",
                                                   a3="-- athanor:step autocommit\nCREATE TABLE t_a3 (id int);"))
    database.wait_at_gate(seconds=1.5)
    return orders


def test_a_resource_that_is_suspended_in_the_middle_stops_after_the_revision_that_runs(operator: OperatorProcess, declare: Declarations,
                                                                                       database: Database) -> None:
    orders = in_the_second_of_three(declare, database)
    orders.patch(suspend=True)
    declare.wait_until_seen()
    database.open_gate()
    suspended = orders.because("Suspended")
    assert database.revisions() == ["a2"] and suspended["status"]["currentRevision"] == "a2"
    assert [(run["from"], run["to"]) for run in suspended["status"]["history"]] == [("base", "a2")]
    orders.patch(suspend=False)
    orders.at("a3")
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade"), ("a3", "upgrade")]


def test_a_resource_that_is_deleted_in_the_middle_begins_no_other_revision(operator: OperatorProcess, declare: Declarations,
                                                                           database: Database) -> None:
    orders = in_the_second_of_three(declare, database)
    orders.delete()
    declare.wait_until_seen()
    database.open_gate()
    eventually(lambda: database.revisions() == ["a2"], "the revision that ran is whole")
    eventually(operator.idle, "the run has ended")
    assert database.revisions() == ["a2"] and "t_a3" not in database.tables()


def test_a_run_that_waits_for_the_lock_does_not_begin_once_its_resource_is_suspended(operator: OperatorProcess, declare: Declarations,
                                                                                     database: Database) -> None:
    with database.lock(LOCK):
        orders = declare.migration(database.url, chain("a1"), execution={"migrationLockWait": "10m"})
        orders.because("LockHeld")
        eventually(lambda: database.sessions("athanor-operator"), "it waits")
        orders.patch(suspend=True)
        orders.because("Suspended")
    seen = operator.reconciles(orders.key)  # the lock is free from here on
    eventually(lambda: operator.reconciles(orders.key) >= seen + 2 and operator.idle(), "it is reconciled again, and nothing runs")
    assert database.revisions() == []


def test_a_dry_run_publishes_its_plan_and_what_it_would_destroy(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2", a2="DROP TABLE t_a1;"), dryRun=True)
    resource = orders.because("PlanPublished")
    plan = resource["status"]["plan"]
    assert re.fullmatch("[0-9a-f]{64}", plan["approvalHash"])
    assert (plan["direction"], plan["revisions"]) == ("upgrade", 2)
    assert plan["summary"] == ["upgrade a1 Revision a1", "upgrade a2 Revision a2"]
    assert len(plan["destructive"]) == 1 and plan["destructive"][0].startswith("a2, line 7: ")
    assert (resource["status"]["pendingCount"], resource["status"]["pendingRevisions"]) == (2, ["a1", "a2"])
    assert resource["status"]["phase"] == "Planned" and conditions(resource)["Ready"] == "False"
    assert database.tables() == set() and database.revisions() == []

    orders.patch(dryRun=False)
    orders.at("a2")
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade")]


def test_a_deleted_resource_is_forgotten_and_its_database_is_not(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    assert "finalizers" not in orders.at("a1")["metadata"]
    series = f'athanor_pending_revisions{{name="orders",namespace="{orders.namespace}"}}'
    assert series in operator.scrape()
    operator.signal(signal.SIGSTOP)
    try:
        orders.delete()  # nothing holds it back, whatever has become of the operator
        with pytest.raises(client.ApiException) as gone:
            orders.read()
        assert gone.value.status == 404
    finally:
        operator.signal(signal.SIGCONT)
    eventually(lambda: series not in operator.scrape(), "the operator forgets it")
    assert database.revisions() == ["a1"] and database.tables() == {"t_a1"}


def test_the_younger_of_two_resources_on_one_database_stalls_until_the_older_goes(operator: OperatorProcess, declare: Declarations,
                                                                                  database: Database) -> None:
    older = declare.migration(database.url, chain("a1"), name="orders")
    older.at("a1")
    younger = declare.create(declare.body("orders-too", "orders", "orders", {}))
    refused = younger.because("DatabaseClaimed")
    assert kstatus(refused) == "Failed" and older.key in condition(refused, "Stalled")["message"]
    assert kstatus(older.read()) == "Current"
    older.delete()
    assert kstatus(younger.at("a1")) == "Current"


def test_two_resources_that_name_one_database_in_two_ways_do_not_undo_each_other(operator: OperatorProcess, declare: Declarations,
                                                                                 database: Database) -> None:
    """Another schema, host name, port: it is one version table, and the server says so."""
    alias = database.url.replace("127.0.0.1", "localhost")
    assert alias != database.url
    files = chain("a1") | chain("b1")
    older = declare.migration(database.url, files, name="orders", targetRevision="a1",
                              policy={"downgrade": "Allow", "directionCooldown": "0s"})
    older.at("a1")
    declare.secret("alias", url=alias)
    database_of_the_younger = {"urlFrom": {"secretKeyRef": {"name": "alias", "key": "url"}}, "schema": "public"}
    younger = declare.create(declare.body("younger", "alias", "orders", {"targetRevision": "b1", "policy": {"downgrade": "Allow", "directionCooldown": "0s"},
                                                                        "database": database_of_the_younger}))
    refused = younger.because("DatabaseClaimed")
    assert older.key in condition(refused, "Stalled")["message"]
    before = operator.reconciles(older.key), operator.reconciles(younger.key)
    eventually(lambda: operator.reconciles(older.key) >= before[0] + 2 and operator.reconciles(younger.key) >= before[1] + 2, "two resyncs")
    assert database.history() == [("a1", "upgrade")] and database.tables() == {"t_a1"}
    assert kstatus(older.read()) == "Current"

    older.patch(suspend=True)  # and whoever waits takes over when it may
    younger.at("a1,b1")


def test_the_steady_state_writes_nothing(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"))
    before = orders.at("a1")["metadata"]["resourceVersion"]
    eventually(lambda: operator.reconciles(orders.key) > 0, "what it logs behind the status")
    reconciles = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= reconciles + 2, "two resyncs")
    assert orders.read()["metadata"]["resourceVersion"] == before
    assert len(orders.events("Applied")) == 1 and orders.events("Applied")[0].series is None


def test_a_resource_that_no_operator_observed_is_not_reported_as_done(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    """The operator does not see a resource without its label."""
    declare.labels = {}
    orders = declare.migration(database.url, chain("a1"))
    assert orders.read()["status"] == {"observedGeneration": -1} and kstatus(orders.read()) == "InProgress"
    waited = declare.server.kubectl("wait", "--for=condition=Ready", "dbm/orders", "-n", orders.namespace, "--timeout=1s")
    assert waited.returncode != 0 and database.tables() == set()


# ---------------------------------------------------------------- tools that people use


def words(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def test_kubectl_shows_what_a_user_wants_to_know(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"))

    def kubectl(*arguments: str) -> str:
        done = declare.server.kubectl(*arguments, "-n", orders.namespace)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "condition met" in kubectl("wait", "--for=condition=Ready", "dbm/orders", "--timeout=30s")
    orders.event("Applied")
    head, row = kubectl("get", "dbm").splitlines()
    assert words(head) == ["NAME", "READY", "CURRENT", "TARGET", "PENDING", "PHASE", "AGE"]
    assert words(row)[:6] == ["orders", "True", "a2", "head", "0", "Ready"]
    head, row = kubectl("get", "athanor", "-o", "wide").splitlines()
    assert words(head) == ["NAME", "READY", "CURRENT", "TARGET", "PENDING", "PHASE", "REASON", "MESSAGE", "AGE"]
    assert words(row)[6:8] == ["Applied", "the database is at a2 after an upgrade of 2 revisions"]

    output = kubectl("describe", "dbm", "orders")
    assert re.search(r"Events:\n\s+Type\s+Reason.*\n.*\n\s+Normal\s+Applied\s.*the database is at a2 after an upgrade of 2 revisions", output), output
    assert "Current Revision:" in output and "Conditions:" in output
    assert "password" not in output.lower() and "athanor@" not in output

    orders.patch(targetRevision="a1")
    assert "condition met" in kubectl("wait", "--for=condition=Stalled", "dbm/orders", "--timeout=30s")
    row = kubectl("get", "dbm").splitlines()[1]
    assert words(row)[:5] == ["orders", "False", "a2", "a1", "Stalled"]  # nothing is pending that anybody knows of


CHART = """apiVersion: v2
name: shop
version: 0.1.0
"""


def helm(server: ThrowawayCluster, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tools() / "helm", "--kubeconfig", server.kubeconfig, *map(str, arguments)], capture_output=True, text=True)


def test_helm_waits_for_a_migration_and_fails_with_it(operator: OperatorProcess, declare: Declarations, database: Database, tmp_path: Path) -> None:
    files = chain("a1", "a2", a2="INSERT INTO t_a1 VALUES (1/0);")
    declare.config_map("orders", files)
    declare.secret("orders", url=database.url)
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(CHART)
    declared = json.dumps(declare.body("orders", "orders", "orders", {"targetRevision": "TARGET"}))  # JSON is YAML
    (tmp_path / "templates/orders.yaml").write_text(declared.replace('"TARGET"', "{{ .Values.target | quote }}"))

    common = ("shop", tmp_path, "--namespace", declare.namespace, "--wait")
    good = helm(declare.server, "install", *common, "--set-string", "target=a1", "--timeout", "40s")
    assert good.returncode == 0, good.stdout + good.stderr
    assert database.revisions() == ["a1"]  # it returned no sooner
    bad = helm(declare.server, "upgrade", *common, "--set-string", "target=a2", "--timeout", "8s")
    assert bad.returncode != 0 and "orders" in bad.stderr, bad.stdout + bad.stderr
    assert kstatus(Migration(declare.server, declare.namespace, "orders").because("StatementFailed")) == "Failed"


def test_a_database_with_tables_is_taken_over_at_its_baseline_and_goes_on_from_there(operator: OperatorProcess, declare: Declarations,
                                                                                     database: Database) -> None:
    database.rows("CREATE TABLE t_a1 (id int)")
    orders = declare.migration(database.url, chain("a1", "a2"), baseline={"revision": "a1"})
    done = orders.at("a2")
    assert database.tables() == {"t_a1", "t_a2"}
    assert [(run["direction"], run["from"], run["to"]) for run in done["status"]["history"]] == [("upgrade", "a1", "a2"), ("stamp", "base", "a1")]
    actor = f"databasemigration/{orders.key}"
    assert database.rows("SELECT revision, outcome, actor FROM athanor.history ORDER BY id") == [("a1", "stamped", actor), ("a2", "applied", actor)]
    assert "stamped with revision a1" in orders.event("Baselined").note


def test_a_script_waits_for_a_resource(operator: OperatorProcess, declare: Declarations, database: Database, server: ThrowawayCluster) -> None:
    def wait(resource: str, kubeconfig: Path = server.kubeconfig, timeout: str = "30s") -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAMS / "athanor", "wait", "--resource", resource, f"--timeout={timeout}"], capture_output=True, text=True,
                              env={"KUBECONFIG": str(kubeconfig), "PATH": os.defpath, "HOME": "/nonexistent"})

    orders = declare.migration(database.url, chain("a1"))
    passed = wait(orders.key)
    assert passed.returncode == 0 and "the database is at a1" in passed.stderr, passed.stderr
    orders.patch(targetRevision="nosuch")
    stalled = wait(orders.key)
    assert stalled.returncode == 6 and "is stalled: TargetNotFound" in stalled.stderr, stalled.stderr
    absent = wait(f"{declare.namespace}/nobody", timeout="1s")
    assert absent.returncode == 6 and "it does not exist yet" in absent.stderr, absent.stderr
    refused = wait(orders.key, server.user("without-rights"))
    assert refused.returncode == 12, refused.stderr
