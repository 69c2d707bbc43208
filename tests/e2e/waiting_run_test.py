"""What changes while a run waits for the migration lock: it must not begin with what it knew before."""
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from databases import Database
from declarations import Declarations, Migration, chain, condition
from operator_process import OperatorProcess

LOCK = "1635018866, 1"  # docs/spec/ledger.md: 'athr', 1
WAITS = {"migrationLockWait": "30s"}


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return "--leader-elect=false", "--resync=1h", "--namespace-labels"


@contextmanager
def waiting(orders: Migration, database: Database, declare: Declarations, files: dict[str, str]) -> Iterator[None]:
    """A run of these files waits for the lock, longer than what it has read counts as just read."""
    with database.lock(LOCK):
        declare.change_config_map(orders.name, files)
        orders.because("LockHeld")
        time.sleep(1.5)
        yield


def test_it_does_not_begin_when_the_floor_was_raised(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution=WAITS)
    orders.at("a1")
    with waiting(orders, database, declare, chain("a1", "a2")):
        declare.core.patch_namespace(declare.namespace, {"metadata": {"labels": {"athanor.dev/minimum-approval": "Always"}}})
        time.sleep(1)  # the label is seen: nothing shows that while the run waits
    orders.because("ApprovalRequired")
    assert database.revisions() == ["a1"]


def test_it_does_not_begin_when_its_revision_was_removed(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution=WAITS)
    orders.at("a1")
    with waiting(orders, database, declare, chain("a1", "a2", a2="DROP TABLE t_a1;")):
        declare.change_config_map("orders", {"a2.sql": None})
    orders.because("UpToDate")
    assert database.revisions() == ["a1"] and database.tables() == {"t_a1"}


def test_it_does_not_begin_when_the_secret_names_another_database(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution=WAITS)
    orders.at("a1")
    other = Database()
    try:
        with waiting(orders, database, declare, chain("a1", "a2")):
            declare.change_secret("orders", url=other.url)
        orders.at("a2")
        assert database.revisions() == ["a1"] and other.revisions() == ["a2"]
    finally:
        other.drop()


def test_it_does_not_begin_when_the_schema_was_changed_by_hand(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    orders = declare.migration(database.url, chain("a1"), execution=WAITS, policy={"drift": "Block"})
    orders.at("a1")
    with waiting(orders, database, declare, chain("a1", "a2")):
        database.rows("ALTER TABLE t_a1 ADD by_hand int")
    blocked = orders.because("SchemaChanged")
    assert database.revisions() == ["a1"]
    assert "public.t_a1.by_hand" in condition(blocked, "Drifted")["message"]
    database.rows("ALTER TABLE t_a1 DROP by_hand")
    orders.annotate("athanor.dev/retry-now", "undone")
    orders.at("a2")
