"""A platform team's first day: the image on a node, the chart installed, a database in a pod migrated in both execution modes, and the
operator's pod killed in the middle. Run by `make test-pods`, which starts the node."""
import json

from node import NAMESPACE, declare, kubectl, revision, run, sql, wait_ready
from throwaway_cluster import eventually


def test_the_release_says_it_is_ready() -> None:
    assert "Phase:          Succeeded" in run("helm", "test", "athanor", "-n", NAMESPACE, "--timeout", "120s")


def test_a_database_is_migrated_by_the_operator() -> None:
    declare("orders", "shop", {"a00000000001": revision("a00000000001", "", "CREATE TABLE orders (id bigint);")})
    wait_ready("orders")
    assert sql("shop", "SELECT version_num FROM alembic_version") == "a00000000001"


def test_a_database_is_migrated_by_a_job() -> None:
    declare("stock", "jobs", {"b00000000001": revision("b00000000001", "", "CREATE TABLE stock (id bigint);")}, execution={"mode": "Job"})
    wait_ready("stock")
    assert sql("jobs", "SELECT version_num FROM alembic_version") == "b00000000001"
    jobs = json.loads(kubectl("-n", "shop", "get", "jobs", "-o", "json"))["items"]
    assert len(jobs) == 1 and jobs[0]["metadata"]["ownerReferences"][0]["kind"] == "DatabaseMigration"


def test_revisions_are_read_from_an_image() -> None:
    declare("prices", "images", {}, source={"image": {"reference": "localhost/revisions:1", "path": "/migrations/versions"}},
            execution={"mode": "Job"})
    wait_ready("prices")
    assert sql("images", "SELECT version_num FROM alembic_version") == "c00000000001"
    assert sql("images", "SELECT to_regclass('prices')") == "prices"


def test_a_killed_operator_is_succeeded_in_the_middle_of_a_migration() -> None:
    declare("orders", "shop", {
        "a00000000001": revision("a00000000001", "", "CREATE TABLE orders (id bigint);"),
        "a00000000002": revision("a00000000002", "a00000000001", "SELECT pg_sleep(8);\nALTER TABLE orders ADD COLUMN note text;")})
    eventually(lambda: sql("shop", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1", "the migration runs")
    holder = kubectl("-n", NAMESPACE, "get", "lease", "athanor", "-o", "jsonpath={.spec.holderIdentity}")
    pods = kubectl("-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/component=operator", "-o", "jsonpath={.items[*].metadata.name}").split()
    leader = next(pod for pod in pods if holder.startswith(pod))
    kubectl("-n", NAMESPACE, "delete", "pod", leader, "--grace-period=0", "--force", "--wait=false")
    wait_ready("orders", 180)
    assert sql("shop", "SELECT version_num FROM alembic_version") == "a00000000002"
    assert sql("shop", "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'note'") == "1"
    assert kubectl("-n", NAMESPACE, "get", "lease", "athanor", "-o", "jsonpath={.spec.holderIdentity}") != holder
