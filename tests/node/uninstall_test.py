"""The end of a release; the last file that runs."""
from node import NAMESPACE, declare, kubectl, revision, run, sql, wait_ready


def test_the_release_can_be_uninstalled(database: str) -> None:
    declare("left", database, {"e1": revision("e1", "", "CREATE TABLE left_behind (id int);")})
    wait_ready("left")
    run("helm", "uninstall", "athanor", "-n", NAMESPACE, "--wait", "--timeout", "120s")
    assert "left" in kubectl("-n", "shop", "get", "dbm")
    assert sql(database, "SELECT version_num FROM alembic_version") == "e1"
