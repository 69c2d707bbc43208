"""The operator is upgraded by `helm upgrade` while it builds an index. What is upgraded from is the same code under another tag."""
import json

import pytest
from node import NAMESPACE, OPERATOR_VALUES, ROOT, declare, kubectl, operator_processes, revision, run, sql, tag_image, wait_ready
from throwaway_cluster import eventually

# 1,500 rows, and a build that takes 20 ms for each. In place of the two minutes that a large table takes.
TABLE = """CREATE TABLE parts (id int);
INSERT INTO parts SELECT generate_series(1, 1500);
CREATE FUNCTION slowly(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN id; END $$;"""
INDEX = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY parts_slowly ON parts (slowly(id));\n\n-- athanor:step transaction\nCREATE TABLE after_the_index (id int);"


def upgrade(tag: str, *values: str) -> None:
    run("helm", "upgrade", "athanor", ROOT / "charts/athanor", "-n", NAMESPACE, "--wait", "--timeout", "300s",
        "--set", ",".join([OPERATOR_VALUES, f"image.tag={tag}", *values]))


def images() -> set[str]:
    pods = json.loads(kubectl("-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/component=operator", "-o", "json"))["items"]
    return {container["image"] for pod in pods for container in pod["spec"]["containers"]}


def failures(name: str) -> list[str]:
    """Conditions and events that a deploy tool or a human would call a failure."""
    events = json.loads(kubectl("-n", "shop", "get", "events.events.k8s.io", "-o", "json"))["items"]
    return [one["reason"] for one in events if one["regarding"]["name"] == name and one["reason"] in ("StatementFailed", "Stalled", "InvalidSpec", "MigrationFailed")]


@pytest.mark.parametrize("killed", [False, True], ids=["which ends at a safe point", "which is killed in the middle"])
def test_an_index_that_is_built_while_the_operator_is_upgraded_is_there_once(database: str, killed: bool) -> None:
    tag_image("localhost/athanor:node", "localhost/athanor:next")
    name = database.replace("_", "-")
    # A function in an index could do anything, so the build would wait for an approval. Killed: no time to end at a safe point.
    values = ["policy.minimum.approval=Never", *(["terminationGracePeriodSeconds=12"] if killed else [])]
    upgrade("node", *values)
    first = {"d1": revision("d1", "", TABLE)}
    declare(name, database, first)
    wait_ready(name)
    declare(name, database, first | {"d2": revision("d2", "d1", INDEX)})
    building = "SELECT count(*) FROM pg_stat_progress_create_index"
    eventually(lambda: sql(database, building) == "1", "the index is built")
    before = operator_processes()

    upgrade("next", *values)
    eventually(lambda: images() == {"localhost/athanor:next"}, "only pods of the next version are there", within=180)
    assert not set(before) & set(operator_processes())
    wait_ready(name, 240)
    assert sql(database, "SELECT version_num FROM alembic_version") == "d2"
    assert sql(database, "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                         "WHERE i.indrelid = 'parts'::regclass") == "parts_slowly|t"
    assert sql(database, "SELECT count(*) FROM athanor.history WHERE revision = 'd2' AND outcome = 'applied'") == "1"
    assert failures(name) == []
    upgrade("node")
