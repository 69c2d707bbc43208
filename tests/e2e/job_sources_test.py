"""Revisions from Git and Flux in execution mode Job: the pod gets the files of the plan, and nothing to fetch them with. The cluster is this
file's own, with Flux's kinds in it."""
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import install
from databases import GATE, Database
from declarations import Declarations, Migration, Object, chain, condition, kstatus, revision
from flux_sources import SourceController, archive, install_flux
from git_servers import Project, SshServer
from job_objects import delete_job, end_its_time, files_of, jobs_of, stays, the_job
from kubelet import Kubelet, flag
from kubernetes import client
from operator_process import Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

ALONE = ("--leader-elect=false", "--resync=2s", "--job-image=athanor:e2e")
IN_A_JOB = {"mode": "Job", "migrationLockWait": "200ms"}
Start = Callable[..., OperatorProcess]
Push = Callable[[dict[str, str]], str]


@pytest.fixture(scope="module")
def server(own_cluster: ThrowawayCluster) -> ThrowawayCluster:
    install(own_cluster)
    install_flux(own_cluster)
    return own_cluster


@pytest.fixture(scope="module")
def account(server: ThrowawayCluster) -> Iterator[Account]:
    made = Account(server, "operator-job-sources", switches=("jobs.enabled", "flux.enabled"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    return ALONE


@pytest.fixture(scope="module")
def flux(server: ThrowawayCluster) -> Iterator[SourceController]:
    made = SourceController(server)
    yield made
    made.stop()


@pytest.fixture
def project(root: Path, tmp_path: Path, namespace: str) -> Project:
    return Project(root, tmp_path, namespace)


def declared(declare: Declarations, database: Database, source: Object, **spec: object) -> Migration:
    declare.secret("db", url=database.url)
    return declare.create(declare.body("orders", "db", "", {"source": source, "execution": IN_A_JOB, **spec}))


def from_git(declare: Declarations, database: Database, ssh: SshServer, project: Project, recursive: bool = False, **spec: object) -> Migration:
    declare.secret("git-key", identity=ssh.key.read_text(), known_hosts=ssh.known_hosts)
    git = {"url": ssh.url(project), "branch": "main", "path": "db", "secretRef": {"name": "git-key"}}
    return declared(declare, database, {"git": git, "recursive": recursive}, **spec)


def written(declare: Declarations) -> dict[str, str]:
    return {name: text for made in files_of(declare) for name, text in (made.data or {}).items()}


def bulk(name: str, parent: str, size: int) -> str:
    """A revision whose file has so many bytes."""
    text = revision(name, parent)
    line = "-- " + "x" * 96 + "\n"
    return text + line * ((size - len(text)) // len(line))


# ---------------------------------------------------------------- operators that end; first, because the file's own would step in


def test_an_operator_killed_in_the_middle_finds_job_and_files(start: Start, declare: Declarations, database: Database, kubelet: Kubelet,
                                                             project: Project, ssh: SshServer) -> None:
    database.gate()
    first = start(*ALONE)
    project.commit(chain("a1", "a2", "a3", a2=f"CREATE TABLE t_a2 (id int); {GATE}"))
    orders = from_git(declare, database, ssh, project)
    session = database.wait_at_gate()
    orders.because("JobRunning")
    [files] = files_of(declare)
    first.kill()
    project.commit(chain("a1", "a2", "a3", "a4", a2=f"CREATE TABLE t_a2 (id int); {GATE}"))  # the branch goes on meanwhile
    second = start(*ALONE)
    eventually(lambda: second.reconciles(orders.key) >= 2, "the next one reconciles")
    assert database.at_gate() == [session]
    assert [one.metadata.uid for one in files_of(declare)] == [files.metadata.uid] and "a4.sql" not in files.data
    database.open_gate()
    orders.at("a4")
    assert database.history() == [(name, "upgrade") for name in ("a1", "a2", "a3", "a4")]
    assert len(jobs_of(declare)) == 2 and len(kubelet.runs) == 2


def test_a_job_whose_files_were_never_created_is_recreated(start: Start, declare: Declarations, database: Database, kubelet: Kubelet,
                                                        project: Project, ssh: SshServer) -> None:
    kubelet.may_start.clear()
    first = start(*ALONE)
    project.commit(chain("a1", "a2"))
    orders = from_git(declare, database, ssh, project)
    orders.because("JobRunning")
    job = the_job(declare)
    first.kill()
    [files] = eventually(lambda: files_of(declare), "its files are made")  # as if the operator had died before it made them
    declare.core.delete_namespaced_config_map(files.metadata.name, declare.namespace)
    kubelet.may_start.set()
    stays(lambda: not kubelet.runs, "the pod cannot start", seconds=1)
    start(*ALONE)
    orders.at("a2")
    assert the_job(declare).metadata.uid != job.metadata.uid and len(kubelet.runs) == 1
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade")]


# ---------------------------------------------------------------- the way it goes


def test_a_branch_is_followed_commit_by_commit(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                               project: Project, ssh: SshServer) -> None:
    first = project.commit(chain("a1"))
    orders = from_git(declare, database, ssh, project)
    done = orders.at("a1")
    assert (done["status"]["source"]["kind"], done["status"]["source"]["revision"]) == ("git", f"main@{first}")
    job = the_job(declare)
    [files] = files_of(declare)
    assert files.immutable and files.data == chain("a1") and files.metadata.name.startswith(job.metadata.name + "-")
    [owner] = files.metadata.owner_references
    assert (owner.kind, owner.name, owner.uid) == ("Job", job.metadata.name, job.metadata.uid)
    [run] = kubelet.started()
    assert flag(run, "plan-hash") == job.metadata.annotations["athanor.dev/plan"] and kstatus(done) == "Current"

    project.commit(chain("a1", "a2"))
    done = orders.at("a2")
    assert (done["metadata"]["generation"], last_plan(database)) == (1, [2])
    assert database.history() == [("a1", "upgrade"), ("a2", "upgrade")] and len(kubelet.runs) == 2
    pod = json.dumps([job.to_dict() for job in jobs_of(declare)], default=str) + json.dumps(written(declare))
    assert "git-key" not in pod and "PRIVATE KEY" not in pod and ssh.url(project) not in pod


def last_plan(database: Database) -> list[int]:
    """How many plans brought the database where it is."""
    return [count for (count,) in database.rows("SELECT count(DISTINCT plan_hash)::int FROM athanor.history")]


def test_an_artifact_is_followed(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                 flux: SourceController) -> None:
    flux.source(declare.namespace)
    flux.publish(declare.namespace, "main@sha1:1a", archive(chain("a1")))
    orders = declared(declare, database, {"fluxRef": {"kind": "GitRepository", "name": "orders", "path": "db"}})
    assert orders.at("a1")["status"]["source"]["revision"] == "main@sha1:1a"
    flux.publish(declare.namespace, "main@sha1:2b", archive(chain("a1", "a2")))
    assert orders.at("a2")["status"]["source"]["revision"] == "main@sha1:2b"
    assert database.tables() == {"t_a1", "t_a2"} and written(declare) == chain("a1", "a2") and len(jobs_of(declare)) == 2


def test_files_lie_in_the_pod_as_they_do_in_the_repository(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                                          project: Project, ssh: SshServer) -> None:
    project.commit({"a1.sql": revision("a1", ""), "2026/orders/a2.sql": revision("a2", "a1"), "2026/a 3, größer.sql": revision("a3", "a2"),
                    "a1.sql.orig": "no revision", "_draft.sql": "no revision"})
    orders = from_git(declare, database, ssh, project, recursive=True)
    orders.at("a3")
    [run] = kubelet.started()
    place = Path(flag(run, "migrations"))
    found = {os.path.relpath(os.path.join(folder, name), place) for folder, _, names in os.walk(place, followlinks=True) for name in names}
    assert {name for name in found if not name.startswith("..")} == {"a1.sql", "2026/orders/a2.sql", "2026/a 3, größer.sql"}


def test_many_files_come_in_several_config_maps(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                                project: Project, ssh: SshServer) -> None:
    project.commit({"a1.sql": bulk("a1", "", 700_000), "a2.sql": bulk("a2", "a1", 700_000), "a3.sql": bulk("a3", "a2", 900_000),
                    **{f"{name}.sql": revision(name, parent) for parent, name in zip(["a3", *(f"b{n}" for n in range(2000))],
                                                                                      (f"b{n}" for n in range(2000)))}})
    orders = from_git(declare, database, ssh, project)
    orders.at("b1999", within=120)
    made = files_of(declare)
    assert len(made) == 4 and sum(len(one.data) for one in made) == 2003, [len(one.data) for one in made]
    assert {one.metadata.owner_references[0].uid for one in made} == {the_job(declare).metadata.uid}


# ---------------------------------------------------------------- what is refused


def test_what_is_too_much_for_a_job_is_refused_before_anything_is_done(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                      kubelet: Kubelet, project: Project, ssh: SshServer) -> None:
    names = [f"a{number}" for number in range(1, 18)]
    project.commit({f"{name}.sql": bulk(name, parent, 900_000) for parent, name in zip(["", *names], names)})
    orders = from_git(declare, database, ssh, project, policy={"approval": "Always"}, backup={"when": "Always"})
    refused = orders.because("SourceTooLarge")
    assert "17 revision files" in condition(refused, "Ready")["message"] and kstatus(refused) == "Failed"
    assert "spec.source.image" in refused["status"]["lastError"]["hint"] and "InProcess" in refused["status"]["lastError"]["hint"]
    assert refused["status"]["plan"]["revisions"] == 17 and "lastBackup" not in refused["status"]
    stays(lambda: not jobs_of(declare) and not files_of(declare), "nothing is made", seconds=3)
    orders.patch(execution={"mode": "InProcess"}, policy=None, backup=None)
    orders.at("a17", within=60)


def test_a_single_file_that_no_config_map_can_hold_is_named(operator: OperatorProcess, declare: Declarations, database: Database,
                                                            kubelet: Kubelet, project: Project, ssh: SshServer) -> None:
    project.commit({"a1.sql": revision("a1", ""), "a2.sql": bulk("a2", "a1", 1_100_000)})
    orders = from_git(declare, database, ssh, project)
    refused = orders.because("SourceTooLarge")
    assert "db/a2.sql" in condition(refused, "Ready")["message"], condition(refused, "Ready")
    assert database.tables() == set() and not jobs_of(declare)
    project.commit({"a2.sql": revision("a2", "a1")})
    orders.at("a2")


# ---------------------------------------------------------------- trouble


def test_where_no_config_map_may_be_made_it_is_tried_again_without_haste(operator: OperatorProcess, declare: Declarations, database: Database,
                                                                        kubelet: Kubelet, project: Project, ssh: SshServer) -> None:
    hard = {"count/configmaps": "1"}  # that of the cluster's authorities, which every namespace has
    eventually(lambda: declare.core.list_namespaced_config_map(declare.namespace).items, "the namespace's own")
    declare.core.create_namespaced_resource_quota(declare.namespace, {"metadata": {"name": "none"}, "spec": {"hard": hard}})
    eventually(lambda: declare.core.read_namespaced_resource_quota("none", declare.namespace).status.used, "the quota is counted")
    project.commit(chain("a1"))
    orders = from_git(declare, database, ssh, project)
    refused = orders.because("ApiUnavailable")
    assert "exceeded quota" in condition(refused, "Ready")["message"] and kstatus(refused) == "InProgress"
    before = operator.reconciles(orders.key)
    stays(lambda: operator.reconciles(orders.key) <= before + 5, "it does not retry without pause")
    assert not jobs_of(declare) and not kubelet.runs
    declare.core.delete_namespaced_resource_quota("none", declare.namespace)
    trial = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="trial"))
    eventually(lambda: declare.core.create_namespaced_config_map(declare.namespace, trial, dry_run="All"), "admission has seen that")
    orders.annotate("athanor.dev/retry-now", "now")
    orders.at("a1")


def test_the_files_of_a_running_job_may_go(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                           project: Project, ssh: SshServer) -> None:
    """A pod that has begun has them; nothing is made anew."""
    database.gate()
    project.commit(chain("a1", a1=f"CREATE TABLE t_a1 (id int); {GATE}"))
    orders = from_git(declare, database, ssh, project)
    session = database.wait_at_gate()
    [files] = files_of(declare)
    job = the_job(declare)
    declare.core.delete_namespaced_config_map(files.metadata.name, declare.namespace)
    before = operator.reconciles(orders.key)
    orders.annotate("someone", "looks")
    eventually(lambda: operator.reconciles(orders.key) >= before + 2, "it is reconciled")
    assert database.at_gate() == [session] and the_job(declare).metadata.uid == job.metadata.uid
    database.open_gate()
    orders.at("a1")
    assert len(kubelet.runs) == 1


# ---------------------------------------------------------------- what is left behind


def test_nothing_is_left_of_a_job_whose_time_is_over(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                                     project: Project, ssh: SshServer) -> None:
    project.commit(chain("a1"))
    orders = from_git(declare, database, ssh, project)
    orders.at("a1")
    assert len(files_of(declare)) == 1
    end_its_time(declare, the_job(declare))
    eventually(lambda: not jobs_of(declare) and not files_of(declare), "Job and files are collected")
    project.commit(chain("a1", "a2"))
    orders.at("a2")
    orders.delete()
    eventually(lambda: not jobs_of(declare) and not files_of(declare), "they go with the resource too")
    assert database.tables() == {"t_a1", "t_a2"}


def test_the_files_of_a_deleted_job_go_with_it(operator: OperatorProcess, declare: Declarations, database: Database, kubelet: Kubelet,
                                               project: Project, ssh: SshServer) -> None:
    kubelet.may_start.clear()
    project.commit(chain("a1"))
    orders = from_git(declare, database, ssh, project)
    first = the_job(declare)
    [files] = eventually(lambda: files_of(declare), "and its files")
    delete_job(declare, first)
    eventually(lambda: (found := files_of(declare)) and len(found) == 1 and found[0].metadata.uid != files.metadata.uid,
               "those of the next one are there")
    assert the_job(declare).metadata.uid != first.metadata.uid
    kubelet.may_start.set()
    orders.at("a1")


def test_no_right_is_missing(operator: OperatorProcess) -> None:
    """After all that the tests before this one made it do."""
    refused = [line for line in operator.log().splitlines() if re.search(r"forbidden", line)
               and "because it is being terminated" not in line and "exceeded quota" not in line]
    assert refused == []
