"""Databases without passwords: tokens of a ServiceAccount, exchanged at stand-ins of the clouds, and checked by PostgreSQL."""
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud_stand_ins import APPLICATION, EMAIL, POOL, ROLE, SECRET_KEY, SESSION, TENANT, Directory, TlsPostgres, TokenServices, is_rds_token
from databases import GATE
from declarations import Declarations, Migration, Object, chain, condition
from git_servers import Authority
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

AUTH = {"aws": {"aws": {"region": "eu-central-1", "roleARN": ROLE}},
        "gcp": {"gcp": {"workloadIdentityProvider": POOL, "serviceAccountEmail": EMAIL}},
        "azure": {"azure": {"tenantID": TENANT, "clientID": APPLICATION}}}


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, "operator-database-auth", switches=("databaseAuth.enabled",))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "of")


@pytest.fixture(scope="module")
def services(server: ThrowawayCluster, authority: Authority) -> Iterator[TokenServices]:
    made = TokenServices(server, authority)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsPostgres]:
    made = TlsPostgres(tmp_path_factory.mktemp("postgres"), authority)
    directory = Directory(lambda user, token: is_rds_token(token, made.place, user))
    made.trust(directory)
    yield made
    directory.stop()
    made.stop()


@pytest.fixture(scope="module")
def shared_operator(account: Account, folder: Path, services: TokenServices, authority: Authority) -> Iterator[OperatorProcess]:
    running = OperatorProcess(account, folder, "--leader-elect=false", "--resync=1s", "--database-auth", *services.options(),
                              environment={"SSL_CERT_FILE": str(authority.certificate)})
    yield running
    assert running.stop() == 0, running.log()[-3000:]


@pytest.fixture
def database(postgres: TlsPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "db_" + str(abs(hash(request.node.name)) % 10**8)
    postgres.run(f"CREATE DATABASE {name}")
    yield name
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(autouse=True)
def as_before(services: TokenServices, postgres: TlsPostgres) -> None:
    services.token, services.refused = "first-token", ""
    services.shown.clear()
    postgres.password("first-token")


def service_account(declare: Declarations, name: str = "orders-migrator", allowed: bool = True, **annotations: str) -> None:
    labels = {"athanor.dev/allow": "true"} if allowed else {}
    meta = client.V1ObjectMeta(name=name, labels=labels, annotations=annotations)
    declare.core.create_namespaced_service_account(declare.namespace, client.V1ServiceAccount(metadata=meta))


def migration(declare: Declarations, postgres: TlsPostgres, database: str, auth: Object, files: dict[str, str] | None = None, user: str = "migrator",
              **spec: object) -> Migration:
    declare.config_map("orders", files or chain("a1"))
    body = declare.body("orders", "none", "orders", spec)
    body["spec"]["database"] = {"host": "127.0.0.1", "port": postgres.port, "name": database, "user": user,
                                "auth": {"serviceAccountName": "orders-migrator", **auth}}
    return declare.create(body)


def revisions(postgres: TlsPostgres, database: str) -> list[str]:
    return [row[0] for row in postgres.run("SELECT version_num FROM alembic_version", database)]


def everything_told(operator: OperatorProcess, declare: Declarations, orders: Migration) -> str:
    """Log, status and events."""
    events = client.EventsV1Api(declare.server.api()).list_namespaced_event(declare.namespace)
    return operator.log() + json.dumps(orders.read()) + "\n".join(event.note or "" for event in events.items)


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_a_database_is_migrated_and_backed_up_with_a_token(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices,
                                                           database: str, cloud: str) -> None:
    service_account(declare)
    user = "rds" if cloud == "aws" else "migrator"
    orders = migration(declare, postgres, database, AUTH[cloud], chain("a1", "a2", a2="DROP TABLE t_a1;"), user, backup={"when": "Always"})
    done = orders.at("a2")
    assert done["status"]["lastBackup"]["verified"] is True
    assert revisions(postgres, database) == ["a2"]
    assert set(services.shown) == {(cloud, f"system:serviceaccount:{declare.namespace}:orders-migrator")}
    before = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= before + 3, "three more reconciles")
    assert len(services.shown) == 1, "what the provider answered is kept"
    told = everything_told(operator, declare, orders)
    for secret in (SECRET_KEY, SESSION, "X-Amz-Signature", "first-token", "federated", "eyJ"):  # eyJ: any JSON web token
        assert secret not in told


def test_annotations_of_the_service_account_say_who_it_is(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices,
                                                          database: str) -> None:
    service_account(declare)
    orders = migration(declare, postgres, database, {"azure": {}})
    refused = orders.because("CredentialsNotFound")
    assert "has no annotation azure.workload.identity/client-id" in condition(refused, "Ready")["message"]
    declare.core.patch_namespaced_service_account("orders-migrator", declare.namespace, {"metadata": {"annotations": {
        "azure.workload.identity/client-id": APPLICATION, "azure.workload.identity/tenant-id": TENANT}}})
    orders.annotate("athanor.dev/retry-now", "1")
    orders.at("a1")


def test_a_service_account_must_be_allowed_by_its_label(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices,
                                                        database: str) -> None:
    orders = migration(declare, postgres, database, AUTH["azure"])
    ready = condition(orders.because("CredentialsNotFound"), "Ready")
    assert f"ServiceAccount {declare.namespace}/orders-migrator does not exist" in ready["message"]
    service_account(declare, allowed=False)
    orders.annotate("athanor.dev/retry-now", "1")
    orders.until(lambda _, ready: "does not have the label athanor.dev/allow" in ready.get("message", ""), "the label is missing")
    assert services.shown == [], "the provider is shown no token"
    declare.core.patch_namespaced_service_account("orders-migrator", declare.namespace, {"metadata": {"labels": {"athanor.dev/allow": "true"}}})
    orders.annotate("athanor.dev/retry-now", "2")
    orders.at("a1")
    declare.core.patch_namespaced_service_account("orders-migrator", declare.namespace, {"metadata": {"labels": {"athanor.dev/allow": None}}})
    orders.because("CredentialsNotFound")  # at once, although a token is kept


def test_a_refusal_is_told_by_its_code(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices, database: str) -> None:
    service_account(declare)
    services.refused = "AccessDenied"
    orders = migration(declare, postgres, database, AUTH["aws"], user="rds")
    message = condition(orders.because("CredentialsNotFound"), "Ready")["message"]
    assert f"AWS gives ServiceAccount {declare.namespace}/orders-migrator no token for the database: AccessDenied (status 403)" in message
    assert "eyJ" not in everything_told(operator, declare, orders), "the answer repeats the token"
    services.refused = ""
    orders.annotate("athanor.dev/retry-now", "1")
    orders.at("a1")


def test_a_token_that_expires_during_a_run_hurts_nothing(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices,
                                                         database: str) -> None:
    postgres.run("CREATE TABLE gate (open boolean)", database)
    service_account(declare)
    orders = migration(declare, postgres, database, AUTH["azure"], chain("a1", "a2", a1=GATE))
    at_gate = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%FROM gate%' AND pid <> pg_backend_pid()"
    eventually(lambda: postgres.run(at_gate, database), "the run waits")
    services.token = "second-token"
    postgres.password("second-token")
    postgres.run("INSERT INTO gate VALUES (true)", database)
    orders.at("a2")
    assert [kind for kind, _ in services.shown] == ["azure"] * len(services.shown)
    # The next observation connects anew: the kept token is refused, and another is asked for at once.
    before = operator.reconciles(orders.key)
    eventually(lambda: operator.reconciles(orders.key) >= before + 3, "three more reconciles")
    assert condition(orders.read(), "Ready")["status"] == "True"
    assert not orders.events("AuthenticationFailed")
    assert len(services.shown) == 2


def test_a_server_that_is_not_verified_gets_no_token(operator: OperatorProcess, declare: Declarations, postgres: TlsPostgres, services: TokenServices,
                                                     database: str, tmp_path: Path) -> None:
    service_account(declare)
    declare.secret("other", **{"ca.crt": Authority(tmp_path / "other").text()})
    auth = {"serviceAccountName": "orders-migrator", **AUTH["azure"]}
    declare.config_map("orders", chain("a1"))
    body = declare.body("orders", "none", "orders", {})
    body["spec"]["database"] = {"host": "127.0.0.1", "port": postgres.port, "name": database, "user": "migrator", "auth": auth,
                                "tls": {"rootCertificateFrom": {"secretKeyRef": {"name": "other", "key": "ca.crt"}}}}
    orders = declare.create(body)
    orders.until(lambda _, ready: "certificate" in ready.get("message", ""), "the certificate is not accepted")
    assert postgres.run("SELECT to_regclass('alembic_version')", database) == [(None,)]
