"""Faults that users of other operators reported in public, tried on this one."""
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from databases import Database
from declarations import GROUP, VERSION, Declarations, chain, condition, kstatus
from git_servers import Project, SshServer
from kubernetes import client
from operator_process import OperatorProcess, die_with_parent, free_port
from throwaway_cluster import ThrowawayCluster, eventually

Start = Callable[..., OperatorProcess]
MIGRATION_LOCK = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"


def message(resource: dict) -> str:
    return condition(resource, "Ready")["message"]


def ended(operator: OperatorProcess) -> None:
    assert operator.stop() == 0, operator.log()[-3000:]


def approve(declare: Declarations, plan: str) -> None:
    """In the own name of whoever the cluster takes this client for."""
    who = client.AuthenticationV1Api(declare.server.api()).create_self_subject_review({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"})
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": "while-away"},
            "spec": {"migration": "orders", "approvalHash": plan, "approvedBy": who.status.user_info.username}}
    client.CustomObjectsApi(declare.server.api()).create_namespaced_custom_object(GROUP, VERSION, declare.namespace, "migrationapprovals", body)


# ---------------------------------------------------------------- operators of a test's own come first: that of the file would step in


def test_an_approval_given_while_no_operator_runs_counts_for_the_next(start: Start, declare: Declarations, database: Database) -> None:
    first = start("--resync=2s")
    orders = declare.migration(database.url, chain("a1", "a2", a2="DROP TABLE t_a1;"), targetRevision="a1", policy={"approval": "Destructive"})
    orders.at("a1")
    orders.patch(targetRevision="a2")
    plan = orders.because("ApprovalRequired")["status"]["plan"]["approvalHash"]
    ended(first)
    approve(declare, plan)
    assert database.tables() == {"t_a1"}
    start("--resync=2s")
    assert orders.at("a2")["status"]["approval"]["name"] == "while-away"
    assert database.tables() == set()


# ---------------------------------------------------------------- conflicts


def test_a_client_that_annotates_all_the_time_delays_no_status(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    """Every write of a status meets a resourceVersion that is gone."""
    declare.config_map("orders", chain("a1", "a2", "a3"))
    declare.secret("orders", url=database.url)
    ending = threading.Event()
    written = [0]

    def annotate() -> None:
        while not ending.wait(0.01):
            try:
                orders.annotate("example.org/beat", str(written[0]))
                written[0] += 1
            except client.ApiException:
                continue

    orders = declare.create(declare.body("orders", "orders", "orders", {"suspend": True}))
    orders.because("Suspended")
    annotating = threading.Thread(target=annotate)
    annotating.start()
    try:
        eventually(lambda: written[0] > 20, "the client annotates")
        begun = time.monotonic()
        orders.patch(suspend=False)
        orders.at("a3")
        took = time.monotonic() - begun
        before = written[0]
        eventually(lambda: written[0] > before + 20, "the client still annotates")
    finally:
        ending.set()
        annotating.join()
    print(f"Ready after {took:.2f} s, {written[0]} annotations")
    assert took < 5, f"Ready after {took:.1f} s"


# ---------------------------------------------------------------- databases that go away


class Forwarder:
    """A port that leads to the server, while it is there."""

    def __init__(self, database: Database) -> None:
        self.target = (database.parts.hostname, database.parts.port)
        self.port = free_port()
        self.url = database.parts._replace(netloc=f"{database.parts.username}:{database.parts.password}@127.0.0.1:{self.port}", path=f"/{database.name}").geturl()
        self.listener: socket.socket | None = None
        self.connections: list[socket.socket] = []

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self) -> None:
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for one in self.connections:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its other end was sooner
        self.connections = []

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self.target)
            self.connections += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@pytest.fixture
def forwarder(database: Database) -> Iterator[Forwarder]:
    made = Forwarder(database)
    made.open()
    yield made
    made.close()


def test_a_database_that_was_away_for_long_is_served_with_the_next_retry(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                         forwarder: Forwarder) -> None:
    orders = declare.migration(forwarder.url, chain("a1"))
    orders.at("a1")
    forwarder.close()
    declare.change_config_map("orders", chain("a1", "a2"))
    gone = orders.until(lambda status, ready: ready["reason"] == "DatabaseUnreachable" and status.get("failures", 0) >= 4, "is tried again and again",
                        within=60)
    assert kstatus(gone) == "InProgress"
    forwarder.open()
    promised = gone["status"]["nextRetryTime"]
    done = orders.at("a2", within=60)
    late = datetime.now(timezone.utc) - datetime.fromisoformat(promised)
    print(f"Ready {late.total_seconds():.1f} s after the retry that the status promised")
    assert late.total_seconds() < 10  # whole seconds are told, and a retry may have begun just before the server came back
    assert not {"failures", "nextRetryTime", "lastError"} & done["status"].keys()


def test_a_demoted_server_does_not_block_a_namespace(operator: OperatorProcess, declare: Declarations, database: Database, server: ThrowawayCluster) -> None:
    core = client.CoreV1Api(server.api())
    name = f"{declare.namespace}-demoted"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    theirs = Declarations(server, name, declare.labels)
    orders = theirs.migration(database.url, chain("a1"))
    orders.at("a1")
    database.rows(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    theirs.change_config_map("orders", chain("a1", "a2"))
    time.sleep(0.2)  # a run may have begun
    begun = time.monotonic()
    core.delete_namespace(name)

    def gone() -> bool:
        try:
            core.read_namespace(name)
            return False
        except client.ApiException as error:
            return error.status == 404

    eventually(gone, "the namespace is gone", within=60)
    print(f"gone after {time.monotonic() - begun:.1f} s")
    time.sleep(2.5)  # a resync
    assert f"{name}/orders" not in operator.scrape()


# ---------------------------------------------------------------- poolers


@pytest.fixture
def pooled(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database's URL through a real PgBouncer that pools transactions."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    for one in (folder, *folder.parents[:3]):
        if one != Path("/tmp"):
            one.chmod(0o755)
    port = free_port()
    (folder / "users.txt").write_text(f'"{database.parts.username}" "{database.parts.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={database.parts.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = plain\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\nunix_socket_dir =\nignore_startup_parameters = extra_float_digits,options\n")
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*drop, "/usr/sbin/pgbouncer", folder / "pgbouncer.ini"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   preexec_fn=die_with_parent)
    eventually(lambda: "process up" in (folder / "log").read_text(), "PgBouncer is up")
    yield database.parts._replace(netloc=f"{database.parts.username}:{database.parts.password}@127.0.0.1:{port}", path=f"/{database.name}",
                                  query="require_auth=password").geturl()  # auth_type = plain
    process.kill()
    process.wait()


def test_a_transaction_pooler_is_refused_and_keeps_no_lock(operator: OperatorProcess, declare: Declarations, database: Database, pooled: str) -> None:
    orders = declare.migration(pooled, chain("a1"))
    refused = orders.because("PoolerRefused")
    hint = refused["status"]["lastError"]["hint"]
    assert "use the URL of the server itself" in hint and "allow_session_pooler" not in hint  # which is no field of a resource
    assert kstatus(refused) == "Failed" and database.tables() == set()
    eventually(lambda: database.rows(MIGRATION_LOCK) == [(0,)], "no lock is left", within=5)
    declare.change_secret("orders", url=database.url)
    orders.at("a1")
    eventually(lambda: database.rows(MIGRATION_LOCK) == [(0,)], "no lock is left", within=5)


# ---------------------------------------------------------------- what is there already


def test_an_empty_version_table_beside_foreign_tables_is_migrated_from_the_base(operator: OperatorProcess, declare: Declarations,
                                                                                database: Database) -> None:
    database.rows("CREATE TABLE foreign_one (id int)")
    database.rows("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)")
    declare.migration(database.url, chain("a1", "a2")).at("a2")
    assert database.tables() == {"foreign_one", "t_a1", "t_a2"}


def test_a_table_that_is_there_already_is_named_and_so_is_what_to_do(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    database.rows("CREATE TABLE t_a1 (id int)")
    database.rows("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)")
    failed = declare.migration(database.url, chain("a1")).because("StatementFailed")
    said = message(failed) + failed["status"]["lastError"].get("hint", "")
    assert '"t_a1" already exists' in said and "a1.sql" in said, said
    assert database.revisions() == []


# ---------------------------------------------------------------- large revisions


def large(count: int) -> dict[str, str]:
    """Revisions of 3 MiB in all."""
    text = "-- " + "x" * 120 + "\n"
    padding = text * ((3 << 20) // count // len(text))
    return {name: body + padding for name, body in chain(*[f"a{number}" for number in range(1, count + 1)]).items()}


def test_three_mebibytes_fit_several_config_maps(operator: OperatorProcess, declare: Declarations, database: Database) -> None:
    files = large(4)
    assert sum(map(len, files.values())) > 3_000_000
    for name, text in files.items():
        declare.config_map(name.removesuffix(".sql"), {name: text})
    declare.secret("orders", url=database.url)
    body = declare.body("orders", "orders", "", {"source": {"configMaps": [{"name": name.removesuffix(".sql")} for name in files]}})
    orders = declare.create(body)
    assert orders.at("a4")["status"]["source"]["files"] == 4
    assert database.revisions() == ["a4"]


def test_one_revision_of_three_mebibytes_comes_from_git(operator: OperatorProcess, declare: Declarations, database: Database, root: Path, ssh: SshServer,
                                                        tmp_path: Path, namespace: str) -> None:
    project = Project(root, tmp_path, f"{namespace}-large")
    project.commit(large(1))
    declare.secret("db", url=database.url)
    declare.secret("git", identity=ssh.key.read_text(), known_hosts=ssh.known_hosts)
    source = {"git": {"url": ssh.url(project), "path": "db", "branch": "main", "secretRef": {"name": "git"}}}
    declare.create(declare.body("orders", "db", "", {"source": source})).at("a1")
    assert database.revisions() == ["a1"]


def test_the_api_server_says_that_one_config_map_is_too_small(declare: Declarations) -> None:
    """What a user sees; docs/spec says which sources take more."""
    with pytest.raises(client.ApiException) as error:
        declare.config_map("orders", large(1))
    assert error.value.status in (413, 422) and ("Too long" in error.value.body or "too large" in error.value.body)
