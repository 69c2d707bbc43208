"""Execution mode Job: what a user declares and sees, with the real Job controller and a kubelet that runs pods as processes."""
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import GATE, Database
from declarations import GROUP, VERSION, Declarations, Migration, chain, condition, kstatus
from job_objects import delete_job, end_its_time, files_of, jobs_of, stays, the_job
from kubelet import Kubelet, flag
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

JOBS = ("--job-image=athanor:e2e", "--source-image=images.example.org")
ALONE = ("--leader-elect=false", "--resync=2s", *JOBS)
Start = Callable[..., OperatorProcess]
GATED = chain("a1", "a2", "a3", a2=f"CREATE TABLE t_a2 (id int); {GATE}")
ONCE = [("a1", "upgrade"), ("a2", "upgrade"), ("a3", "upgrade")]
IN_A_JOB = {"mode": "Job", "migrationLockWait": "200ms"}


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, f"operator-jobs-{time.time_ns()}", switches=("jobs.enabled",))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return ALONE


def events_of(migration: Migration) -> set[str]:
    """Reasons; those of Jobs lack what the newer API of events insists on."""
    listed = client.CoreV1Api(migration.server.api()).list_namespaced_event(migration.namespace).items
    return {event.reason for event in listed if event.involved_object.kind == "DatabaseMigration"}


def last_run(resource: dict) -> dict:
    return resource["status"]["history"][0]


# ---------------------------------------------------------------- operators that end; first, because the file's own would step in


FAILURES = 'athanor_migrations_failed_total{reason="StatementFailed"}'


def fails_in_the_second(declare: Declarations, database: Database) -> tuple[Migration, dict]:
    orders = declare.migration(database.url, chain("a1", "a2", "a3", a2="INSERT INTO prepared_by_hand VALUES ('my-secret-value');"),
                               execution=IN_A_JOB)
    return orders, orders.because("StatementFailed")


def test_an_operator_killed_in_the_middle_finds_the_job_it_made(start: Start, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    database.gate()
    first = start(*ALONE)
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    session = database.wait_at_gate()
    orders.because("JobRunning")
    first.kill()
    second = start(*ALONE)
    eventually(lambda: second.reconciles(orders.key) >= 2, "the next one reconciles")
    assert database.at_gate() == [session]  # a pod outlives the operator
    database.open_gate()
    done = orders.at("a3")
    the_job(declare)
    assert database.history() == ONCE and len(kubelet.runs) == 1
    assert [run["runID"] for run in done["status"]["history"]] == [database.rows("SELECT DISTINCT run_id FROM athanor.history")[0][0]]


def test_a_job_that_ends_while_no_operator_runs_is_reported_by_the_next(start: Start, declare: Declarations, database: Database,
                                                                     kubelet: Kubelet) -> None:
    database.gate()
    first = start(*ALONE)
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    database.wait_at_gate()
    first.kill()
    database.open_gate()
    eventually(lambda: the_job(declare).status.succeeded == 1, "the Job ends")
    start(*ALONE)
    done = orders.at("a3")
    assert last_run(done)["revisions"] == 3 and len(done["status"]["history"]) == 1
    the_job(declare)


def test_a_restarted_operator_does_not_repeat_what_a_job_failed_at(start: Start, declare: Declarations, database: Database,
                                                                  kubelet: Kubelet) -> None:
    first = start(*ALONE)
    orders, failed = fails_in_the_second(declare, database)
    first.kill()
    second = start(*ALONE)
    eventually(lambda: second.reconciles(orders.key) >= 2, "two reconciles")
    the_job(declare)
    assert orders.read()["status"]["history"] == failed["status"]["history"]


def test_a_job_deleted_by_hand_is_noticed_at_once(start: Start, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    operator = start("--leader-elect=false", "--resync=10m", *JOBS)
    kubelet.may_start.clear()
    orders = declare.migration(database.url, chain("a1"), execution=IN_A_JOB)
    first = the_job(declare)
    # One reconcile makes the Job and one answers to the event of its creation. The next that time alone brings is far away.
    eventually(lambda: operator.reconciles(orders.key) >= 2 and operator.idle(), "the event of its creation has passed")
    deleted = time.monotonic()
    delete_job(declare, first)
    eventually(lambda: (jobs := jobs_of(declare)) and jobs[0].metadata.uid != first.metadata.uid, "another one is made", within=30)
    assert time.monotonic() - deleted < 8


# ---------------------------------------------------------------- the way it goes


def test_a_job_runs_the_plan_that_was_decided_on(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    orders = declare.migration(database.url, chain("a1", "a2", "a3"), execution=IN_A_JOB)
    done = orders.at("a3")
    job = the_job(declare)
    [owner] = job.metadata.owner_references
    assert (owner.kind, owner.name, owner.uid, owner.controller) == ("DatabaseMigration", "orders", done["metadata"]["uid"], True)
    assert job.metadata.labels["athanor.dev/migration"] == "orders"
    [run] = kubelet.started()
    assert flag(run, "plan-hash") == job.metadata.annotations["athanor.dev/plan"]
    assert database.history() == ONCE
    assert database.rows("SELECT DISTINCT split_part(actor, '@', 1), plan_hash FROM athanor.history") == [
        (f"databasemigration/{orders.key}", flag(run, "plan-hash"))]
    assert done["status"]["job"] == {"name": job.metadata.name, "phase": "Succeeded",
                                     "declaration": job.metadata.annotations["athanor.dev/declaration"]} and kstatus(done) == "Current"
    assert database.url not in json.dumps(job.to_dict(), default=str) + operator.log()


def test_a_run_in_a_job_is_reported_like_one_of_the_operator(operator: OperatorProcess, declare: Declarations, database: Database,
                                                           kubelet: Kubelet) -> None:
    applied = operator.metric('athanor_migrations_applied_total{direction="upgrade"}')
    steps = operator.metric("athanor_step_duration_seconds_count")
    orders = declare.migration(database.url, chain("a1", "a2", "a3"), execution=IN_A_JOB)
    done = orders.at("a3")
    run = last_run(done)
    assert (run["direction"], run["from"], run["to"], run["revisions"], run["outcome"]) == ("upgrade", "base", "a3", 3, "applied")
    assert [(run["runID"],)] == database.rows("SELECT DISTINCT run_id FROM athanor.history")
    assert condition(done, "Ready")["reason"] == "Applied"
    eventually(lambda: {"JobRunning", "Applied"} <= events_of(orders), "both are events")
    stays(lambda: len(orders.read()["status"]["history"]) == 1, "one run, one entry")
    assert operator.metric('athanor_migrations_applied_total{direction="upgrade"}') == applied + 3
    assert operator.metric("athanor_step_duration_seconds_count") == steps + 3


def test_nothing_is_done_while_the_job_runs(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    kubelet.may_end.clear()
    orders = declare.migration(database.url, chain("a1", "a2"), execution=IN_A_JOB)
    eventually(lambda: database.revisions() == ["a2"], "the database is there")
    stays(lambda: kstatus(orders.read()) == "InProgress", "the Job has not ended")
    waiting = orders.because("JobRunning")
    assert the_job(declare).metadata.name in condition(waiting, "Ready")["message"]
    assert waiting["status"]["job"]["phase"] == "Running"
    kubelet.may_end.set()
    assert kstatus(orders.at("a2")) == "Current"


def test_the_progress_of_a_job_is_in_the_status(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    database.gate()
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    database.wait_at_gate()
    seen = orders.until(lambda status, _: status.get("progress", {}).get("done") == 1, "one revision of three is done")
    assert seen["status"]["progress"]["total"] == 3 and seen["status"]["currentRevision"] == "a1"
    assert (seen["status"]["phase"], kstatus(seen)) == ("Migrating", "InProgress")
    database.open_gate()
    assert "progress" not in orders.at("a3")["status"]


# ---------------------------------------------------------------- the ways it ends otherwise


def test_a_statement_that_fails_in_a_job_is_not_repeated_until_a_human_says_so(operator: OperatorProcess, declare: Declarations,
                                                                              database: Database, kubelet: Kubelet) -> None:
    failures = operator.metric(FAILURES)
    orders, failed = fails_in_the_second(declare, database)
    error = failed["status"]["lastError"]
    assert (error["code"], error["sqlState"], error["revision"], error["line"]) == ("statement-failed", "42P01", "a2", 7)
    assert "INSERT INTO prepared_by_hand" in error["statement"] and "my-secret-value" not in json.dumps(failed) + operator.log()
    assert kstatus(failed) == "Failed" and (failed["status"]["currentRevision"], failed["status"]["pendingCount"]) == ("a1", 2)
    assert failed["status"]["job"]["phase"] == "Failed" and last_run(failed)["outcome"] == "statement-failed"
    before = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= before + 2, "two resyncs")
    the_job(declare)  # half of it was applied: what is left is not another attempt
    assert orders.read()["metadata"]["resourceVersion"] == failed["metadata"]["resourceVersion"]
    assert operator.metric(FAILURES) == failures + 1

    orders.annotate("athanor.dev/retry-now", "first")
    eventually(lambda: operator.metric(FAILURES) == failures + 2, "it is tried once more", within=30)
    database.rows("CREATE TABLE prepared_by_hand (value text)")
    orders.annotate("athanor.dev/retry-now", "second")
    done = orders.at("a3")
    assert "lastError" not in done["status"] and database.rows("SELECT * FROM prepared_by_hand") == [("my-secret-value",)]
    assert [run["outcome"] for run in done["status"]["history"]] == ["applied", "statement-failed", "statement-failed"]


def test_fixing_the_file_is_all_that_a_failed_job_needs(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    orders, _ = fails_in_the_second(declare, database)
    declare.change_config_map("orders", chain("a1", "a2", "a3"))
    orders.at("a3")
    assert len(jobs_of(declare)) == 2


def test_a_job_deleted_by_hand_is_recreated(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    kubelet.may_start.clear()
    orders = declare.migration(database.url, chain("a1"), execution=IN_A_JOB)
    first = the_job(declare)
    delete_job(declare, first)
    eventually(lambda: (jobs := jobs_of(declare)) and jobs[0].metadata.uid != first.metadata.uid, "another one is made", within=30)
    kubelet.may_start.set()
    orders.at("a1")
    assert database.history() == [("a1", "upgrade")]


def test_a_config_map_that_changes_before_the_pod_starts_is_of_the_next_run(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                           kubelet: Kubelet) -> None:
    kubelet.may_start.clear()
    orders = declare.migration(database.url, chain("a1", "a2"), execution=IN_A_JOB)
    planned = the_job(declare).metadata.annotations["athanor.dev/plan"]
    declare.change_config_map("orders", chain("a1", "a2", "a3", a2="CREATE TABLE mended (id int);"))
    kubelet.may_start.set()
    [first] = kubelet.started()
    eventually(lambda: first.process.poll() is not None, "it ends")
    assert first.process.returncode == 0, first.message()
    assert database.rows("SELECT DISTINCT plan_hash FROM athanor.history") == [(planned,)] and database.tables() == {"t_a1", "t_a2"}
    changed = orders.because("ChecksumMismatch")  # and the next reconcile sees the changed file
    assert len(jobs_of(declare)) == 1 and kstatus(changed) == "Failed"


@pytest.mark.parametrize("message", ["", "Segmentation fault (core dumped)", '{"success": "perhaps'])
def test_without_a_termination_message_the_ledger_says_what_was_applied(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                        kubelet: Kubelet, message: str) -> None:
    kubelet.instead = message
    orders = declare.migration(database.url, chain("a1", "a2"), execution=IN_A_JOB)
    run = last_run(orders.at("a2"))
    assert (run["revisions"], run["outcome"], run["to"]) == (2, "applied", "a2")


def test_without_a_termination_message_the_ledger_says_why_it_failed(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                     kubelet: Kubelet) -> None:
    kubelet.instead = "Killed"
    orders, failed = fails_in_the_second(declare, database)
    error = failed["status"]["lastError"]
    assert (error["code"], error["sqlState"], error["revision"]) == ("statement-failed", "42P01", "a2")
    assert failed["status"]["currentRevision"] == "a1" and kstatus(failed) == "Failed"
    stays(lambda: len(jobs_of(declare)) == 1, "and it is not repeated")
    orders.annotate("athanor.dev/retry-now", "now")
    eventually(lambda: len(jobs_of(declare)) == 2, "but on demand", within=30)


def test_a_pod_that_is_killed_leaves_the_database_where_it_was(operator: OperatorProcess, declare: Declarations, database: Database,
                                                               kubelet: Kubelet) -> None:
    database.gate()
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    database.wait_at_gate()
    kubelet.started()[0].process.kill()
    failed = orders.because("JobFailed")
    assert "exit code 137" in condition(failed, "Ready")["message"] and kstatus(failed) == "Failed"
    assert failed["status"]["currentRevision"] == "a1" and database.revisions() == ["a1"]
    database.open_gate()
    orders.annotate("athanor.dev/retry-now", "now")
    orders.at("a3")
    assert database.history() == ONCE


def test_a_database_that_moves_back_after_a_job_is_brought_forward_again(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                        kubelet: Kubelet) -> None:
    orders = declare.migration(database.url, chain("a1", "a2"), execution=IN_A_JOB)
    orders.at("a2")
    database.rows("UPDATE alembic_version SET version_num = 'a1'; DROP TABLE t_a2")
    eventually(lambda: database.revisions() == ["a2"], "another Job brings it back", within=30)
    assert len(orders.at("a2")["status"]["history"]) == 2


# ---------------------------------------------------------------- what becomes of Jobs


def test_a_job_goes_with_its_resource_and_the_data_stays(operator: OperatorProcess, declare: Declarations, database: Database,
                                                         kubelet: Kubelet) -> None:
    orders = declare.migration(database.url, chain("a1"), execution=IN_A_JOB)
    orders.at("a1")
    orders.delete()
    core = client.CoreV1Api(declare.server.api())
    eventually(lambda: not jobs_of(declare) and not files_of(declare) and not core.list_namespaced_pod(declare.namespace).items,
               "Job, files and pod are collected")
    assert database.tables() == {"t_a1"}


def test_a_finished_and_deleted_job_is_not_recreated(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    orders = declare.migration(database.url, chain("a1"), execution={**IN_A_JOB, "jobTTL": "90s"})
    done = orders.at("a1")
    job = the_job(declare)
    assert job.spec.ttl_seconds_after_finished == 90
    end_its_time(declare, job)
    eventually(lambda: not jobs_of(declare) and not files_of(declare), "its time is over")
    stays(lambda: not jobs_of(declare), "nothing is pending")
    assert orders.read()["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]


# ---------------------------------------------------------------- revisions in an image

IMAGE = "images.example.org/orders:1"


def in_an_image(declare: Declarations, database: Database, kubelet: Kubelet, folder: Path, files: dict[str, str], **spec: object) -> Migration:
    fill(folder, files)
    kubelet.images[IMAGE] = folder
    declare.secret("orders", url=database.url)
    body = declare.body("orders", "orders", "orders", {"execution": IN_A_JOB, **spec})
    body["spec"]["source"] = {"image": {"reference": IMAGE, "path": "/versions"}}
    return declare.create(body)


def fill(folder: Path, files: dict[str, str]) -> None:
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "versions" / name).write_text(text)


def approve(declare: Declarations, name: str, plan: str) -> None:
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": name},
            "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": "admin"}}
    client.CustomObjectsApi(declare.server.api()).create_namespaced_custom_object(GROUP, VERSION, declare.namespace, "migrationapprovals", body)


def test_a_job_whose_pod_has_not_begun_makes_way_for_what_is_declared_now(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                         kubelet: Kubelet) -> None:
    kubelet.may_start.clear()
    orders = declare.migration(database.url, chain("a1", "a2"), execution=IN_A_JOB)
    first = the_job(declare)
    orders.patch(suspend=True)
    orders.because("Suspended")
    assert jobs_of(declare) == [] and database.revisions() == []
    orders.patch(suspend=False, targetRevision="a1")
    second = eventually(lambda: jobs_of(declare), "another is made", within=30)[0]
    assert second.metadata.uid != first.metadata.uid
    kubelet.may_start.set()
    assert orders.at("a1")["status"]["job"]["name"] == second.metadata.name


def test_a_running_job_is_followed_to_its_end_whatever_is_declared_meanwhile(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                          kubelet: Kubelet) -> None:
    database.gate()
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    database.wait_at_gate()
    orders.patch(execution={"mode": "InProcess"}, targetRevision="a1")
    stays(lambda: kstatus(orders.read()) == "InProgress", "a Job is at work, although the database is at a1", seconds=4)
    orders.patch(suspend=True)
    stays(lambda: orders.read()["status"]["phase"] == "Migrating", "it is not left alone yet", seconds=4)
    database.open_gate()
    suspended = orders.because("Suspended")
    assert suspended["status"]["job"]["phase"] == "Succeeded" and suspended["status"]["currentRevision"] == "a3"
    assert last_run(suspended)["to"] == "a3" and database.history() == ONCE


def test_an_image_is_migrated_by_one_job(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                         tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1", "a2"))
    done = orders.at("a2")
    the_job(declare)
    assert last_run(done)["revisions"] == 2 and kstatus(done) == "Current"


def test_a_database_ahead_of_an_image_s_target_is_not_called_ready(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                   kubelet: Kubelet, tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1", "a2"))
    orders.at("a2")
    orders.patch(targetRevision="a1")
    ahead = orders.because("DatabaseAhead")
    assert condition(ahead, "Ready")["status"] == "False" and kstatus(ahead) == "Failed"
    assert "at a2, ahead of the declared target a1" in condition(ahead, "Ready")["message"]
    assert database.revisions() == ["a2"]
    orders.patch(targetRevision="a2")
    orders.at("a2")


def test_an_image_takes_its_database_back_where_that_is_allowed(operator: OperatorProcess, declare: Declarations, database: Database,
                                                              kubelet: Kubelet, tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1", "a2", "a3"))
    orders.at("a3")
    orders.patch(targetRevision="a1", policy={"downgrade": "Allow", "directionCooldown": "0s"})
    done = orders.at("a1")
    assert database.tables() == {"t_a1"} and kstatus(done) == "Current"
    assert (last_run(done)["direction"], last_run(done)["from"], last_run(done)["to"]) == ("downgrade", "a3", "a1")
    assert [run.command[1] for run in kubelet.started(3)] == ["upgrade", "plan", "downgrade"]
    orders.patch(targetRevision="head")
    orders.at("a3")
    assert database.tables() == {"t_a1", "t_a2", "t_a3"}


def test_a_file_of_an_image_that_changed_after_it_was_applied_is_noticed(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                       kubelet: Kubelet, tmp_path: Path) -> None:
    image = tmp_path / "image"
    orders = in_an_image(declare, database, kubelet, image, chain("a1", "a2"))
    orders.at("a2")
    fill(image, chain("a1", "a2", a1="CREATE TABLE another (id int);"))
    orders.annotate("athanor.dev/retry-now", "now")
    changed = orders.because("ChecksumMismatch")
    assert kstatus(changed) == "Failed" and "a1" in condition(changed, "Ready")["message"]


def test_an_image_is_not_run_again_when_its_job_is_over_and_gone(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                 kubelet: Kubelet, tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1"))
    done = orders.at("a1")
    assert done["status"]["source"] == {**done["status"]["source"], "kind": "image", "revision": IMAGE}
    end_its_time(declare, the_job(declare))
    eventually(lambda: not jobs_of(declare), "its time is over")
    before = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= before + 2, "two resyncs")
    assert not jobs_of(declare) and orders.read()["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]


def test_the_plan_of_an_image_is_approved_and_no_other_runs(operator: OperatorProcess, declare: Declarations, database: Database,
                                                            kubelet: Kubelet, tmp_path: Path) -> None:
    image = tmp_path / "image"
    orders = in_an_image(declare, database, kubelet, image, chain("a1", "a2", a2="DROP TABLE t_a1;"), policy={"approval": "Destructive"})
    waiting = orders.because("ApprovalRequired")
    plan = waiting["status"]["plan"]
    assert plan["revisions"] == 2 and "DROP TABLE t_a1" in plan["destructive"][0] and "upgrade a2" in plan["summary"][1]
    assert database.revisions() == [] and len(kubelet.runs) == 1
    fill(image, chain("a1", "a2", a2="DROP TABLE t_a1; SELECT 'the tag moved';"))
    approve(declare, "first", plan["approvalHash"])
    stale = orders.until(lambda status, _: status.get("lastError", {}).get("code") == "stale-plan", "the plan is no longer that")
    assert database.revisions() == [] and kstatus(stale) == "InProgress"
    again = orders.because("ApprovalRequired", within=150)  # after the pause of a minute
    assert again["status"]["plan"]["approvalHash"] != plan["approvalHash"]
    approve(declare, "second", again["status"]["plan"]["approvalHash"])
    orders.at("a2")
    assert database.tables() == set()


def test_a_backup_is_taken_between_the_plan_and_the_run_of_an_image(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                    kubelet: Kubelet, tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1"), backup={"when": "Always"})
    done = orders.at("a1")
    assert done["status"]["lastBackup"]["verified"] and done["status"]["lastBackup"]["revision"] in ("", "base")
    assert [run.command[1] for run in kubelet.started(2)] == ["plan", "upgrade"]


def test_a_planning_job_is_not_reported_as_migrating(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                                 tmp_path: Path) -> None:
    kubelet.may_end.clear()
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1"), policy={"approval": "Always"})
    planning = orders.because("JobRunning")
    assert planning["status"]["phase"] == "Planning" and "is planning" in condition(planning, "Ready")["message"]
    kubelet.may_end.set()
    waiting = orders.because("ApprovalRequired")
    kubelet.may_end.clear()
    approve(declare, "first", waiting["status"]["plan"]["approvalHash"])
    assert orders.because("JobRunning")["status"]["phase"] == "Migrating"
    kubelet.may_end.set()
    assert orders.at("a1")["status"]["phase"] == "Ready"


def test_a_dry_run_of_an_image_publishes_its_plan(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                                  tmp_path: Path) -> None:
    orders = in_an_image(declare, database, kubelet, tmp_path / "image", chain("a1", "a2"), dryRun=True)
    published = orders.because("PlanPublished")
    assert published["status"]["pendingRevisions"] == ["a1", "a2"] and database.revisions() == []
    stays(lambda: len(jobs_of(declare)) == 1, "nothing runs", seconds=3)


# ---------------------------------------------------------------- both modes, one lock


def second_line(declare: Declarations, database: Database, **spec: object) -> Migration:
    """Another resource with a version table of its own in the same database."""
    body = declare.body("billing", "orders", "billing", dict(spec))
    body["spec"]["database"]["versionTable"] = "billing_version"
    declare.config_map("billing", chain("b1"))
    return declare.create(body)


def test_a_job_waits_for_a_run_of_the_operator(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    database.gate()
    orders = declare.migration(database.url, GATED)
    database.wait_at_gate()
    billing = second_line(declare, database, execution=IN_A_JOB)
    [run] = kubelet.started()
    eventually(lambda: database.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'athanor-job'"),
               "the pod is connected")
    stays(lambda: run.process.poll() is None and "t_b1" not in database.tables(), "the pod waits for the lock", seconds=3)
    database.open_gate()
    orders.at("a3")
    billing.at("b1")
    assert run.process.returncode == 0


def test_a_run_of_the_operator_waits_for_a_job(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet) -> None:
    database.gate()
    orders = declare.migration(database.url, GATED, execution=IN_A_JOB)
    session = database.wait_at_gate()
    billing = second_line(declare, database, execution={"migrationLockWait": "200ms"})
    waiting = billing.because("LockHeld")
    assert f"pid {session}" in condition(waiting, "Ready")["message"] and "athanor-job" in condition(waiting, "Ready")["message"]
    database.open_gate()
    orders.at("a3")
    billing.at("b1")


def test_no_right_is_missing(operator: OperatorProcess) -> None:
    """After all that the tests before this one made it do."""
    refused = [line for line in operator.log().splitlines() if re.search(r"forbidden", line) and "because it is being terminated" not in line]
    assert refused == []
