"""An operator with more to do than workers."""
import pytest
from databases import GATE, Database
from declarations import Declarations, chain, kstatus, revision
from operator_process import OperatorProcess


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return "--leader-elect=false", "--resync=1h", "--workers=1"


def test_a_changed_source_is_reported_while_every_worker_is_busy(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    other = Database()
    try:
        orders = declare.migration(database.url, chain("a1"))
        orders.at("a1")
        other.gate()
        busy = declare.migration(other.url, {"b1.sql": revision("b1", "", f"{GATE} CREATE TABLE t_b1 (id int);")}, name="busy")
        other.wait_at_gate()
        declare.change_config_map("orders", chain("a1", "a2"))
        withdrawn = orders.until(lambda _, ready: ready["status"] != "True", "is not Ready any more")
        assert kstatus(withdrawn) == "InProgress" and database.revisions() == ["a1"]
        other.open_gate()
        busy.at("b1")
        orders.at("a2")
    finally:
        other.drop()
