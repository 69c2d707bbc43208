"""Revisions from Git, handed out by a real sshd and by git's own http backend: what is followed, what is pinned, what is refused and said."""
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Database
from declarations import Declarations, Migration, Object, chain, condition, kstatus
from git_servers import Authority, HttpsServer, Project, SshServer, run
from kubernetes import client
from operator_process import OperatorProcess

PASSWORD = "only-for-this-test"
Planting = Callable[[str], Project]


@pytest.fixture
def plant(root: Path, tmp_path: Path, namespace: str) -> Planting:
    """Makes a project of the test's own that both servers hand out."""
    return lambda name: Project(root, tmp_path, f"{namespace}-{name}")


@pytest.fixture
def project(plant: Planting) -> Project:
    return plant("orders")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def https(root: Path, authority: Authority) -> Iterator[HttpsServer]:
    made = HttpsServer(root, authority, "reader", PASSWORD)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's home, with a configuration of git that would run a hook at every change of a reference."""
    home = tmp_path_factory.mktemp("operator")
    (home / "hooks").mkdir()
    (home / "hooks/reference-transaction").write_text(f"#!/bin/sh\necho ran >>'{home}/hooked'\n")
    (home / "hooks/reference-transaction").chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\thooksPath = {home}/hooks\n")
    return home


def from_git(declare: Declarations, database: Database, url: str, secret: str | None = "git", **source: str) -> Migration:
    declare.secret("db", url=database.url)
    git: Object = {"url": url, "path": "db", **source}
    if secret:
        git["secretRef"] = {"name": secret}
    return declare.create(declare.body("orders", "db", "", {"source": {"git": git}}))


def with_password(declare: Declarations, authority: Authority, password: str = PASSWORD) -> None:
    declare.secret("git", **{"username": "reader", "password": password, "ca.crt": authority.text()})


def with_key(declare: Declarations, ssh: SshServer, key: Path | None = None, known_hosts: str = "") -> None:
    declare.secret("git", identity=(key or ssh.key).read_text(), known_hosts=known_hosts or ssh.known_hosts)


def unavailable(resource: Object) -> Object:
    return condition(resource, "SourceUnavailable")


def in_doubt(orders: Migration) -> Object:
    """Once it is said that the source cannot be looked at."""
    orders.until(lambda *_: unavailable(orders.read()), "SourceUnavailable")
    return orders.read()


def said(resource: Object) -> str:
    return condition(resource, "Ready")["message"] + " " + resource["status"]["lastError"].get("hint", "")


def test_a_branch_over_https_is_followed_commit_by_commit(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                                         https: HttpsServer, authority: Authority) -> None:
    first = project.commit(chain("a1"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main")
    resource = orders.at("a1")
    assert (resource["status"]["source"]["kind"], resource["status"]["source"]["revision"]) == ("git", f"main@{first}")
    assert unavailable(resource) == {}

    second = project.commit(chain("a1", "a2"))
    resource = orders.at("a2")
    assert (resource["metadata"]["generation"], resource["status"]["source"]["revision"]) == (1, f"main@{second}")
    assert database.tables() == {"t_a1", "t_a2"}
    assert PASSWORD not in json.dumps(resource) + operator.log()


@pytest.mark.parametrize("kind", ["tag", "commit"])
def test_a_tag_and_a_commit_stay_where_they_are(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                               https: HttpsServer, authority: Authority, kind: str) -> None:
    first = project.commit(chain("a1"))
    project.tag("v1")
    with_password(declare, authority)
    named = {"tag": ("v1", "v2"), "commit": (first, "")}[kind]
    orders = from_git(declare, database, https.url(project), **{kind: named[0]})
    resource = orders.at("a1")
    assert resource["status"]["source"]["revision"] == {"tag": f"v1@{first}", "commit": first}[kind]
    second = project.commit(chain("a1", "a2"))
    project.tag("v2")
    before = operator.reconciles(orders.key)
    orders.until(lambda *_: operator.reconciles(orders.key) >= before + 3, "three more reconciles")
    assert database.revisions() == ["a1"]

    orders.patch(source={"git": {kind: named[1] or second}})
    assert orders.at("a2")["status"]["source"]["revision"] == {"tag": f"v2@{second}", "commit": second}[kind]


def test_a_wrong_password_is_reported_and_the_right_one_is_enough(operator: OperatorProcess, declare: Declarations, database: Database,
                                                             project: Project, https: HttpsServer, authority: Authority) -> None:
    project.commit(chain("a1"))
    with_password(declare, authority, "not-the-one")
    orders = from_git(declare, database, https.url(project), branch="main")
    refused = orders.because("SourceNotFound")
    assert "the server rejected the username or password" in said(refused) and "correct the Secret that git.secretRef names" in said(refused)
    assert kstatus(refused) == "InProgress"  # mending the Secret is enough
    assert unavailable(refused)["status"] == "True"
    assert {status for _, status in https.requests} == {401}
    assert "not-the-one" not in json.dumps(refused) + operator.log()

    declare.change_secret("git", password=PASSWORD)
    assert unavailable(orders.at("a1", within=60)) == {}


def test_a_server_with_an_untrusted_certificate_gets_no_request(operator: OperatorProcess, declare: Declarations, database: Database,
                                                              project: Project, https: HttpsServer, tmp_path: Path) -> None:
    project.commit(chain("a1"))
    with_password(declare, Authority(tmp_path / "another"))
    orders = from_git(declare, database, https.url(project), branch="main")
    assert "certificate" in said(orders.because("SourceNotFound"))
    assert https.requests == []  # nor was it shown the password


def test_a_branch_over_ssh_is_followed(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                       ssh: SshServer) -> None:
    first = project.commit(chain("a1"))
    with_key(declare, ssh)
    orders = from_git(declare, database, ssh.url(project), branch="main")
    assert orders.at("a1")["status"]["source"]["revision"] == f"main@{first}"
    second = project.commit(chain("a1", "a2"))
    assert orders.at("a2")["status"]["source"]["revision"] == f"main@{second}"
    key = ssh.key.read_bytes()
    cache = [path for path in Path(operator.log_file.parent).glob("athanor.*/git/**/*") if path.is_file()]
    assert cache and not [path for path in cache if key in path.read_bytes()]  # ssh reads the key from memory


def test_a_host_with_another_key_is_refused(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                            ssh: SshServer) -> None:
    project.commit(chain("a1"))
    key, another = ssh.authorize(f"{declare.namespace}-client"), ssh.make_key(f"{declare.namespace}-host")
    with_key(declare, ssh, key, known_hosts=f"[127.0.0.1]:{ssh.port} {Path(f'{another}.pub').read_text()}")
    orders = from_git(declare, database, ssh.url(project), branch="main")
    refused = orders.because("SourceNotFound")
    assert "Host key verification failed: the host's key is not in known_hosts" in said(refused)
    assert ssh.accepted(key) == 0
    declare.change_secret("git", known_hosts=ssh.known_hosts)
    orders.at("a1", within=60)
    assert ssh.accepted(key) > 0


def test_a_key_that_the_host_does_not_know_is_refused(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                                      ssh: SshServer) -> None:
    project.commit(chain("a1"))
    with_key(declare, ssh, key=ssh.make_key(f"{declare.namespace}-stranger"))
    refused = from_git(declare, database, ssh.url(project), branch="main").because("SourceNotFound")
    assert "Permission denied (publickey)" in said(refused) and "correct the Secret that git.secretRef names" in said(refused)


def test_while_a_repository_is_unreachable_nothing_starts_and_the_status_says_so(operator: OperatorProcess, declare: Declarations,
                                                                               database: Database, project: Project, https: HttpsServer,
                                                                               authority: Authority) -> None:
    first = project.commit(chain("a1", "a2"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main")
    orders.at("a2")
    https.stop()
    stale = in_doubt(orders)
    assert (kstatus(stale), unavailable(stale)["reason"]) == ("Current", "SourceNotFound")
    assert unavailable(stale)["message"].startswith(f"using the last snapshot, main@{first}: {https.url(project)}: ")
    version = stale["metadata"]["resourceVersion"]
    before = operator.reconciles(orders.key)
    orders.until(lambda *_: operator.reconciles(orders.key) >= before + 3, "three more reconciles")
    assert orders.read()["metadata"]["resourceVersion"] == version  # the same doubt is written once

    database.rows("DROP TABLE t_a2")
    database.rows("UPDATE alembic_version SET version_num = 'a1'")
    waiting = orders.because("SourceNotFound")
    assert (kstatus(waiting), waiting["status"]["pendingRevisions"]) == ("InProgress", ["a2"])
    assert database.tables() == {"t_a1"}

    third = project.commit(chain("a1", "a2", "a3"))  # nobody has seen it yet
    https.start()
    after = orders.at("a3", within=90)
    assert (after["status"]["source"]["revision"], unavailable(after)) == (f"main@{third}", {})
    assert database.tables() == {"t_a1", "t_a2", "t_a3"}


def test_a_resource_changed_meanwhile_reports_it_immediately(operator: OperatorProcess, declare: Declarations, database: Database,
                                                              project: Project, https: HttpsServer, authority: Authority) -> None:
    project.commit(chain("a1", "a2"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main")
    orders.at("a2")
    https.stop()
    in_doubt(orders)
    orders.patch(targetRevision="a2")
    failed = orders.because("SourceNotFound")
    assert "127.0.0.1" in said(failed) and kstatus(failed) == "InProgress"
    orders.until(lambda status, ready: ready["reason"] == "SourceNotFound" and status["failures"] >= 2, "still so")
    https.start()
    orders.at("a2", within=60)


def test_what_a_repository_does_not_have_is_named(operator: OperatorProcess, declare: Declarations, database: Database, project: Project,
                                                  https: HttpsServer, authority: Authority) -> None:
    project.commit(chain("a1"))
    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="release")
    stalled = orders.because("SourceNotFound")
    assert kstatus(stalled) == "Failed" and "has no branch 'release'" in said(stalled)
    project.commit(chain("a1"), branch="release")
    orders.at("a1")  # found without a change of anything

    moved = project.bare.with_name("moved.git")
    project.bare.rename(moved)
    assert kstatus(in_doubt(orders)) == "Current"
    orders.annotate("athanor.dev/retry-now", "1")
    gone = orders.because("SourceNotFound")
    assert "not found" in said(gone) and "correct the URL" in said(gone) and kstatus(gone) == "InProgress"
    moved.rename(project.bare)
    orders.at("a1", within=90)


def test_nothing_in_a_repository_is_run_and_no_submodule_is_fetched(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                    plant: Planting, https: HttpsServer, authority: Authority,
                                                                    folder: Path) -> None:
    other, project = plant("other"), plant("orders")
    other.commit(chain("b1"))
    project.git("submodule", "--quiet", "add", str(other.bare), "db/other")
    modules = f'[submodule "other"]\n\tpath = db/other\n\turl = {https.url(other)}\n'
    (project.tree / ".gitmodules").write_text(modules)
    (project.tree / ".gitattributes").write_text("*.sql filter=evil\n")
    project.commit(chain("a1"))
    # What is planted works: git itself, with this home, runs the hook.
    run("git", "-C", project.tree, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "-m", "x",
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})
    (folder / "hooked").unlink()

    with_password(declare, authority)
    orders = from_git(declare, database, https.url(project), branch="main")
    orders.patch(source={"recursive": True})
    assert orders.at("a1")["status"]["resolvedRevisions"] == ["a1"]
    (project.tree / ".gitmodules").write_text(f"{modules}\tupdate = !touch {folder}/ran\n")
    project.commit(chain("a1", "a2"))
    assert "disallowed submodule update setting" in said(orders.because("SourceNotFound"))
    assert any(project.bare.name in path for path, _ in https.requests) and not any(other.bare.name in path for path, _ in https.requests)
    assert not (folder / "hooked").exists() and not (folder / "ran").exists()


@pytest.mark.parametrize(("url", "why"), [
    ("file:///etc", "must begin with https:// or ssh://"),
    ("/etc", "must begin with https:// or ssh://"),
    ("ext::sh -c id", "must begin with https:// or ssh://"),
    ("git://example.org/x.git", "must begin with https:// or ssh://"),
    ("http://example.org/x.git", "must begin with https:// or ssh://"),
    ("git@example.org:x.git", "git@host:path is written ssh://git@host/path"),
    ("https://reader:secret@example.org/x.git", "must not contain credentials"),
    ("ssh://-oProxyCommand=id/x.git", "is not a valid repository URL"),
])
def test_other_protocols_are_refused_by_the_api_server(declare: Declarations, database: Database, url: str, why: str) -> None:
    with pytest.raises(client.ApiException) as refused:
        from_git(declare, database, url, secret=None, branch="main")
    assert refused.value.status == 422
    assert why in json.loads(refused.value.body)["message"]
