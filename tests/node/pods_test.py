"""A platform team's first day: the image on a node, the chart installed, a database in a pod migrated in both execution modes, and the
operator's pod killed in the middle. Run by `make test-pods`, which starts the node."""
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from throwaway_cluster import eventually

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMESPACE = "athanor-system"


def run(*command: object, stdin: str | None = None, check: bool = True) -> str:
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def kubectl(*arguments: object, stdin: str | None = None, check: bool = True) -> str:
    return run("kubectl", *arguments, stdin=stdin, check=check)


def sql(database: str, statement: str) -> str:
    return kubectl("-n", "shop", "exec", "postgres-0", "--", "psql", "-h", "/tmp", "-U", "shop", "-d", database, "-Atc", statement, check=False).strip()


def revision(identifier: str, parent: str, body: str) -> str:
    return (f"-- {identifier}\n--\n-- Revision: {identifier}\n-- Revises: {parent}\n-- Created: 2026-11-21T02:10:00+00:00\n\n"
            f"-- athanor:upgrade\n{body}\n")


def declare(name: str, database: str, revisions: dict[str, str], **spec: object) -> None:
    files = {f"{identifier}_{name}.sql": text for identifier, text in revisions.items()}
    kubectl("apply", "-n", "shop", "-f", "-", stdin=yaml.dump_all([
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": files},
        {"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": name}, "spec": {
            "database": {"host": "postgres.shop.svc", "name": database, "user": "shop",
                         "passwordFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}},
            "source": {"configMaps": [{"name": name}]}, **spec}}]))


def wait_ready(name: str, seconds: int = 120) -> None:
    done = subprocess.run(["kubectl", "-n", "shop", "wait", f"dbm/{name}", "--for=condition=Ready", f"--timeout={seconds}s"],
                          capture_output=True, text=True)
    assert done.returncode == 0, kubectl("-n", "shop", "get", "dbm", name, "-o", "yaml")


@pytest.fixture(scope="module", autouse=True)
def node() -> Iterator[None]:
    assert os.environ.get("KUBECONFIG"), "no node: run `make test-pods`"
    for name in ("shop", NAMESPACE):
        kubectl("create", "namespace", name)
    kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("-n", "shop", "apply", "-f", HERE / "postgres.yaml")
    kubectl("-n", "shop", "rollout", "status", "statefulset/postgres", "--timeout=120s")
    run("helm", "install", "athanor", ROOT / "charts/athanor", "-n", NAMESPACE, "--wait", "--timeout", "180s",
        "--set", "image.repository=localhost/athanor,image.tag=node,image.pullPolicy=Never,jobs.enabled=true,watch.scope=Cluster,"
        "jobs.sourceImages={localhost}")
    yield


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


def test_the_release_can_be_uninstalled() -> None:
    run("helm", "uninstall", "athanor", "-n", NAMESPACE, "--wait", "--timeout", "120s")
    assert "orders" in kubectl("-n", "shop", "get", "dbm")
    assert sql("shop", "SELECT version_num FROM alembic_version") == "a00000000002"
