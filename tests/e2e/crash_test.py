"""Operators and API servers that die, freeze and come back at bad moments. Every test here uses the cluster of this file."""
import re
import signal
import time
from collections.abc import Callable

import pytest
from conftest import install
from databases import GATE, Database
from declarations import Declarations, chain, kstatus, revision
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

ALONE = ("--leader-elect=false", "--resync=2s")
Start = Callable[..., OperatorProcess]
GATED = chain("a1", "a2", "a3", a2=f"CREATE TABLE t_a2 (id int); {GATE}")
ONCE = [("a1", "upgrade"), ("a2", "upgrade"), ("a3", "upgrade")]


@pytest.fixture(scope="module")
def server(own_cluster: ThrowawayCluster) -> ThrowawayCluster:
    install(own_cluster)
    return own_cluster


def test_a_migration_of_a_killed_operator_is_completed_by_the_next(start: Start, declare: Declarations, database: Database) -> None:
    database.gate()
    first = start(*ALONE)
    orders = declare.migration(database.url, GATED)
    session = database.wait_at_gate()
    running = orders.because("Applying")
    assert kstatus(running) == "InProgress" and running["status"]["phase"] == "Migrating"
    assert running["status"]["progress"]["total"] == 3
    first.kill()

    start(*ALONE)
    eventually(lambda: session not in database.at_gate(), "the server notices", within=10)
    database.wait_at_gate()
    database.open_gate()
    resource = orders.at("a3")
    assert kstatus(resource) == "Current" and "progress" not in resource["status"]
    assert database.history() == ONCE and database.tables() == {"t_a1", "t_a2", "t_a3"}


def test_two_operators_without_an_election_are_kept_apart_by_the_lock(start: Start, declare: Declarations, database: Database) -> None:
    database.gate()
    operators = [start(*ALONE), start(*ALONE)]
    orders = declare.migration(database.url, GATED, execution={"migrationLockWait": "100ms"})
    database.wait_at_gate()
    assert re.search(r"pid \d+.*athanor-operator", orders.event("LockHeld").note)
    assert len(database.at_gate()) == 1
    database.open_gate()
    orders.at("a3")
    for one in operators:
        assert one.stop() == 0
    assert database.history() == ONCE
    assert kstatus(orders.at("a3")) == "Current"


def test_a_standby_takes_over_from_a_leader_that_was_killed(start: Start, declare: Declarations, account: Account, database: Database) -> None:
    first = start("--leader-elect=true")
    eventually(first.leads, "the first one leads")
    second = start("--leader-elect=true")
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1")
    orders.at("a1")
    assert first.leads() and second.reconciles(orders.key) == 0
    assert 'leader_election_master_status{name="athanor-operator"} 0' in second.scrape()
    holder = account.lease().spec.holder_identity
    first.kill()
    orders.patch(targetRevision="a2")
    orders.at("a2", within=60)
    assert second.leads() and account.lease().spec.holder_identity not in ("", holder)
    assert account.lease().spec.lease_transitions == 1
    assert second.stop() == 0


def test_an_operator_that_is_stopped_ends_at_a_safe_point_and_releases_the_lease(start: Start, declare: Declarations, account: Account,
                                                                                     database: Database) -> None:
    database.gate()
    first = start("--leader-elect=true")
    orders = declare.migration(database.url, GATED)
    database.wait_at_gate()
    first.signal(signal.SIGTERM)
    eventually(lambda: "stopping" in first.log(), "it has heard")
    assert first.process.poll() is None and account.lease().spec.holder_identity  # it works, so it leads
    database.open_gate()
    assert first.process.wait(30) == 0
    assert account.lease().spec.holder_identity == ""
    revisions = database.revisions()
    assert revisions in (["a2"], ["a3"]) and database.history() == ONCE[:int(revisions[0][1])]
    if revisions == ["a2"]:
        interrupted = orders.because("Interrupted")
        assert kstatus(interrupted) == "InProgress" and interrupted["status"]["currentRevision"] == "a2"

    begun = time.monotonic()
    start("--leader-elect=true")
    orders.at("a3")
    assert time.monotonic() - begun < 10  # a Lease that was given back is not waited for
    assert database.history() == ONCE


def test_an_operator_that_is_stopped_twice_cancels_what_runs(start: Start, declare: Declarations, account: Account,
                                                                 database: Database) -> None:
    database.gate()
    first = start("--leader-elect=true")
    orders = declare.migration(database.url, GATED)
    database.wait_at_gate()
    first.signal(signal.SIGTERM)
    eventually(lambda: "stopping" in first.log(), "it has heard")
    first.signal(signal.SIGTERM)
    assert first.process.wait(5) == 0  # the first signal alone would have left the statement ten seconds
    assert account.lease().spec.holder_identity == ""
    assert database.revisions() == ["a1"] and database.history() == ONCE[:1]
    assert kstatus(orders.because("Interrupted")) == "InProgress"
    assert orders.events("Interrupted"), "pending events are written before the end"


def test_a_migration_ends_while_the_api_server_is_down_and_is_reported_afterwards(start: Start, server: ThrowawayCluster, declare: Declarations,
                                                                             database: Database) -> None:
    database.gate()
    start(*ALONE)
    orders = declare.migration(database.url, GATED)
    database.wait_at_gate()
    server.command("crash", "apiserver")
    database.open_gate()
    eventually(lambda: database.revisions() == ["a3"], "the migration ends", within=30)
    server.command("resume", "apiserver")
    resource = orders.at("a3")
    assert [(run["from"], run["to"], run["outcome"]) for run in resource["status"]["history"]] == [("base", "a3", "applied")]
    assert database.history() == ONCE
    declare.change_config_map("orders", chain("a1", "a2", "a3", "a4", a2=f"CREATE TABLE t_a2 (id int); {GATE}"))
    orders.at("a4")


def test_a_leader_without_an_api_server_ends_at_a_safe_point_and_its_successor_goes_on(start: Start, server: ThrowawayCluster,
                                                                                    declare: Declarations, account: Account,
                                                                                    database: Database) -> None:
    database.gate()
    leader = start("--leader-elect=true")
    orders = declare.migration(database.url, GATED)
    database.wait_at_gate()
    server.command("crash", "apiserver")
    # Ten seconds without a renewal, and ten that a running statement may still take.
    assert leader.process.wait(45) == 1
    assert "leadership was lost" in leader.log()
    assert database.revisions() == ["a1"] and database.history() == ONCE[:1] and not database.at_gate()
    server.command("resume", "apiserver")

    start("--leader-elect=true")
    database.wait_at_gate()
    database.open_gate()
    resource = orders.at("a3", within=60)
    assert kstatus(resource) == "Current" and database.history() == ONCE


def test_a_frozen_api_server_does_not_hold_up_a_migration(start: Start, server: ThrowawayCluster, declare: Declarations,
                                                         database: Database) -> None:
    database.gate()
    start(*ALONE)
    # An autocommit step is sent only when everything before it is done and told.
    index = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_a2_id ON t_a2 (id);"
    orders = declare.migration(database.url, GATED | {"a3.sql": revision("a3", "a2", index)})
    database.wait_at_gate(1.1)  # progress is told once a second: it is due again
    server.command("freeze", "apiserver")
    try:
        database.open_gate()
        eventually(lambda: database.revisions() == ["a3"], "the migration ends", within=10)
    finally:
        server.command("thaw", "apiserver")
    orders.at("a3", within=60)
    assert database.history() == ONCE


@pytest.mark.parametrize("how", [("forget",), ("restart", "etcd")])
def test_changes_are_noticed_after_history_went_away(start: Start, server: ThrowawayCluster, declare: Declarations, database: Database,
                                                    how: tuple[str, ...]) -> None:
    operator = start("--leader-elect=false", "--resync=1h")  # nothing but a watch can tell
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1")
    orders.at("a1")
    server.command(*how)
    eventually(lambda: orders.patch(targetRevision="head"), "the API server takes a write again")
    orders.at("a2")
    declare.change_config_map("orders", chain("a1", "a2", "a3"))
    orders.at("a3")
    assert operator.stop() == 0
