"""Which hosts the operator connects to, and whose certificates it trusts there."""
from collections.abc import Callable
from pathlib import Path

from databases import Database
from declarations import Declarations, chain, condition, kstatus
from git_servers import Authority, HttpsServer, Project
from operator_process import OperatorProcess


def test_a_host_that_is_not_listed_is_not_connected_to(start: Callable[..., OperatorProcess], declare: Declarations, database: Database) -> None:
    start("--leader-elect=false", "--database-host=elsewhere.example.org", "--source-host=git.example.org")
    orders = declare.migration(database.url, chain("a1"))
    refused = orders.because("HostNotAllowed")
    assert kstatus(refused) == "Failed"
    message = condition(refused, "Ready")["message"]
    assert "policy.databaseHosts" in refused["status"]["lastError"]["hint"] and database.parts.hostname not in message
    assert database.rows("SELECT to_regclass('alembic_version') IS NULL") == [(True,)]

    billing = declare.body("billing", "orders", "", {"source": {"git": {"url": "https://127.0.0.1:1/billing", "branch": "main"}}})
    refused = declare.create(billing).because("HostNotAllowed")
    assert "spec.source.git.url" in condition(refused, "Ready")["message"]


def test_a_host_that_is_listed_is_connected_to(start: Callable[..., OperatorProcess], declare: Declarations, database: Database) -> None:
    start("--leader-elect=false", f"--database-host={database.parts.hostname}")
    orders = declare.migration(database.url, chain("a1"))
    orders.at("a1")
    # Every host in the URL must be listed, even one that libpq would not try.
    declare.change_secret("orders", url=database.url.replace(f"@{database.parts.hostname}", f"@{database.parts.hostname},elsewhere.example.org"))
    orders.annotate("athanor.dev/retry-now", "1")
    orders.because("HostNotAllowed")


def test_an_extra_certificate_authority_is_trusted(start: Callable[..., OperatorProcess], declare: Declarations, database: Database, root: Path,
                                                   tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    project = Project(root, tmp_path, f"{declare.namespace}-orders")
    project.commit(chain("a1"))
    https = HttpsServer(root, authority, "reader", "secret")
    try:
        declare.secret("orders", url=database.url)
        declare.secret("git", username="reader", password="secret")
        body = declare.body("orders", "orders", "", {
            "source": {"git": {"url": https.url(project), "branch": "main", "path": "db", "secretRef": {"name": "git"}}}})
        distrusting = start("--leader-elect=false")
        orders = declare.create(body)
        orders.because("SourceNotFound")
        distrusting.kill()
        start("--leader-elect=false", f"--extra-ca-file={authority.certificate}")
        orders.at("a1")
    finally:
        https.stop()
