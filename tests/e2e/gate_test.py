"""charts/athanor-gate through its example, installed, upgraded and rolled back by the real Helm on the real API server, with Deployments, pods
(their init containers run as processes) and the operator. A release is done when its pods are, and no pod begins before its revision."""
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from databases import GATE, Database
from declarations import Migration, condition, kstatus, revision, tools
from gate_pods import GatePods
from kubernetes import client
from operator_process import ROOT, Account, OperatorProcess
from throwaway_cluster import ThrowawayCluster, eventually

SECRET = """apiVersion: v1
kind: Secret
metadata: {name: shop-db}
stringData: {url: {{ .Values.url | quote }}}
"""


class Release:
    """The example chart with the database's Secret in it, so that one `helm install` has everything."""

    def __init__(self, server: ThrowawayCluster, namespace: str, account: Account, folder: Path, url: str) -> None:
        self.server = server
        self.namespace = namespace
        self.chart = folder / "shop"
        shutil.copytree(ROOT / "deploy/gates/shop", self.chart)
        shutil.copytree(ROOT / "charts/athanor-gate", self.chart / "charts/athanor-gate")
        (self.chart / "templates/secret.yaml").write_text(SECRET)
        for file in (self.chart / "migrations").iterdir():
            file.unlink()
        self.values = yaml.safe_load((self.chart / "values.yaml").read_text())
        self.values |= {"url": url, "replicas": 2}
        self.values["migrations"]["labels"] = account.labels
        self.migration = Migration(server, namespace, "web-shop")

    def revise(self, name: str, parent: str = "", up: str = "") -> None:
        """The release's next content: one more file, and the target."""
        (self.chart / f"migrations/{name}.sql").write_text(revision(name, parent, up))
        self.values["migrations"]["targetRevision"] = name

    def helm(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True)

    def command(self, *arguments: object) -> list[str]:
        (self.chart / "values.yaml").write_text(yaml.dump(self.values))
        return list(map(str, [tools() / "helm", "--kubeconfig", self.server.kubeconfig, "--namespace", self.namespace, *arguments]))

    def ok(self, *arguments: object) -> str:
        done = self.helm(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self) -> str:
        return self.ok("install", "web", self.chart, "--wait", "--timeout=60s")

    def upgrade(self, *options: str) -> str:
        return self.ok("upgrade", "web", self.chart, "--wait", "--timeout=60s", *options)


@pytest.fixture
def release(server: ThrowawayCluster, namespace: str, account: Account, database: Database, tmp_path: Path) -> Release:
    core = client.CoreV1Api(server.api())
    eventually(lambda: core.read_namespaced_service_account("default", namespace), "the default service account")
    return Release(server, namespace, account, tmp_path, f"{database.url}?sslmode=disable")  # this server has no TLS


@pytest.fixture
def pods(server: ThrowawayCluster, namespace: str, tmp_path: Path) -> Iterator[GatePods]:
    running = GatePods(server, namespace, tmp_path / "pods")
    yield running
    running.stop()


def test_a_fresh_release_needs_no_order_by_hand_and_neither_do_upgrade_scaling_and_rollback(
        operator: OperatorProcess, release: Release, pods: GatePods, database: Database, server: ThrowawayCluster, namespace: str) -> None:
    release.revise("a1")
    assert "Pods wait until the database has revision a1" in release.install()
    assert database.revisions() == ["a1"] and len(pods.begun()) == 2
    assert kstatus(release.migration.read()) == "Current"

    release.revise("a2", "a1")
    release.upgrade()
    assert database.revisions() == ["a2"] and len(pods.begun()) == 4
    names = [one.metadata.name for one in client.CoreV1Api(server.api()).list_namespaced_config_map(namespace).items if "migrations" in one.metadata.name]
    assert len(names) == 1  # the one of the release before is gone with it

    release.ok("rollback", "web", "1", "--wait", "--timeout=60s")
    kept = release.migration.because("AheadAccepted")
    assert kstatus(kept) == "Current" and database.revisions() == ["a2"]
    assert len(pods.begun()) == 6  # pods of the old release start on the newer schema

    assert server.kubectl("scale", "deployment/web", "--replicas=5", "-n", namespace).returncode == 0
    eventually(lambda: len(pods.begun()) == 9, "more pods begin at once", within=20)
    release.upgrade("--force-conflicts")  # and forward again, over what kubectl scaled


def test_no_pod_begins_while_its_revision_runs(operator: OperatorProcess, release: Release, pods: GatePods, database: Database) -> None:
    release.revise("a1")
    release.install()
    before = pods.begun()
    database.gate()
    release.revise("a2", "a1", f"CREATE TABLE t_a2 (id int); {GATE}")
    upgrading = subprocess.Popen(release.command("upgrade", "web", release.chart, "--wait", "--timeout=60s"), stdout=subprocess.DEVNULL)
    database.wait_at_gate()
    eventually(lambda: pods.waiting_for("a2"), "a pod of the new release waits")
    time.sleep(1)
    assert pods.begun() == before and upgrading.poll() is None
    database.open_gate()
    assert upgrading.wait(60) == 0
    assert len(pods.begun()) == 4


def test_a_revision_that_fails_keeps_the_new_pods_out_and_the_rollback_ends_healthy(operator: OperatorProcess, release: Release, pods: GatePods,
                                                                                    database: Database) -> None:
    release.revise("a1")
    release.install()
    before = pods.begun()
    release.revise("a2", "a1", "CREATE TABLE broken (id nosuchtype);")
    done = release.helm("upgrade", "web", release.chart, "--wait", "--rollback-on-failure", "--timeout=15s")
    assert done.returncode != 0
    assert all(not gated.begun for gated in pods.waiting_for("a2"))
    release.migration.at("a1")
    assert database.revisions() == ["a1"] and before <= pods.begun()
    assert '"status":"deployed"' in release.ok("status", "web", "-o", "json").replace(" ", "")


def test_pods_wait_as_long_as_no_operator_runs(operator: OperatorProcess, release: Release, pods: GatePods, database: Database) -> None:
    release.revise("a1")
    release.install()
    operator.signal(signal.SIGSTOP)
    try:
        release.revise("a2", "a1")
        release.ok("upgrade", "web", release.chart)
        eventually(lambda: pods.waiting_for("a2"), "a pod of the new release waits")
        waits = release.server.kubectl("wait", "--for=condition=Ready", "dbm/web-shop", "-n", release.namespace, "--timeout=2s")
        assert waits.returncode != 0  # the generation is another one: the old Ready counts for nothing
        assert len(pods.begun()) == 2 and kstatus(release.migration.read()) == "InProgress"
    finally:
        operator.signal(signal.SIGCONT)
    eventually(lambda: len(pods.begun()) == 4, "the pods begin", within=30)
    assert database.revisions() == ["a2"]


def test_a_server_that_is_not_there_yet_is_waited_for(operator: OperatorProcess, release: Release, pods: GatePods, database: Database) -> None:
    release.revise("a1")
    late = database.parts._replace(path=f"/{database.name}_late", query="sslmode=disable").geturl()
    release.values["url"] = late
    installing = subprocess.Popen(release.command("install", "web", release.chart, "--wait", "--timeout=60s"), stdout=subprocess.DEVNULL)
    eventually(lambda: len(pods.waiting_for("a1")) == 2, "both pods wait")
    assert not pods.begun()
    database.rows(f'CREATE DATABASE "{database.name}_late"')
    try:
        assert installing.wait(60) == 0
        assert len(pods.begun()) == 2
    finally:
        release.ok("uninstall", "web")
        database.rows(f'DROP DATABASE "{database.name}_late" WITH (FORCE)')


def test_the_source_is_waited_for_and_named(operator: OperatorProcess, release: Release, pods: GatePods) -> None:
    """The resource comes before its ConfigMap, and with a revision of another content."""
    release.revise("a1")
    release.install()
    release.migration.patch(source={"revision": "sha256:" + "0" * 64})
    outdated = release.migration.because("SourceOutdated")
    message = condition(outdated, "Ready")["message"]
    assert "not at spec.source.revision sha256:0000" in message and "the source is at web-shop-migrations-" in message and "(sha256:" in message
    assert kstatus(outdated) == "InProgress" and condition(outdated, "Reconciling")["reason"] == "SourceOutdated"
    assert outdated["status"]["currentRevision"] == "a1"
    release.upgrade("--force-conflicts")  # over the patch
    release.migration.at("a1")


HOOKS = {"migrations": {"targetRevision": "a1", "gate": {"image": "x"}}}


def test_the_hook_set_runs_in_order_and_a_hook_that_waits_for_its_own_release_deadlocks(
        operator: OperatorProcess, server: ThrowawayCluster, namespace: str, account: Account, database: Database, tmp_path: Path) -> None:
    chart = tmp_path / "hooked"
    (chart / "templates").mkdir(parents=True)
    (chart / "migrations").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: hooked\nversion: 1.0.0\n")
    (chart / "migrations/a1.sql").write_text(revision("a1", ""))
    (chart / "values.yaml").write_text(yaml.dump(HOOKS))
    label = "\n".join(f"    {key}: {value}" for key, value in account.labels.items())
    text = (ROOT / "deploy/gates/helm-hooks/hooks.yaml").read_text()
    hooks = text.replace("kind: DatabaseMigration\nmetadata:\n", f"kind: DatabaseMigration\nmetadata:\n  labels:\n{label}\n")
    (chart / "templates/hooks.yaml").write_text(hooks)
    core = client.CoreV1Api(server.api())
    core.create_namespaced_secret(namespace, {"metadata": {"name": "shop-db"}, "stringData": {"url": database.url}})

    def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(list(map(str, [tools() / "helm", "--kubeconfig", server.kubeconfig, "-n", namespace, *arguments])), capture_output=True,
                              text=True)

    # Nobody runs the Job's pod here: what its container would say is asked of the same program.
    installing = subprocess.Popen([*map(str, [tools() / "helm", "--kubeconfig", server.kubeconfig, "-n", namespace, "install", "web", chart, "--timeout=60s"])],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    Migration(server, namespace, "web").at("a1")
    batch = client.BatchV1Api(server.api())
    job = eventually(lambda: batch.read_namespaced_job("web-wait-for-schema", namespace), "the Job is made")
    container = job.spec.template.spec.containers[0]
    assert container.args == ["wait", "--revision=a1", "--timeout=10m"]
    pod = eventually(lambda: core.list_namespaced_pod(namespace, label_selector=f"job-name={job.metadata.name}").items, "its pod")[0]
    core.patch_namespaced_pod_status(pod.metadata.name, namespace, {"status": {"phase": "Succeeded", "containerStatuses": [
        {"name": "athanor", "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}]}})
    assert installing.wait(60) == 0, installing.stderr.read() if installing.stderr else ""

    # The mistake: the Job is a hook, and what it waits for is an object of the release.
    (chart / "migrations/a2.sql").write_text(revision("a2", "a1"))
    parts = hooks.split("---")
    annotations = parts[1][parts[1].index("  annotations:"):parts[1].index("spec:")]
    parts[1] = parts[1].replace(annotations, "").replace("name: {{ .Release.Name }}\n", "name: late\n", 1)
    (chart / "templates/hooks.yaml").write_text("---".join(parts))
    done = helm("upgrade", "web", chart, "--timeout=4s", "--set", "migrations.targetRevision=a2")
    assert done.returncode != 0 and "pre-upgrade" in done.stderr
    assert server.kubectl("get", "dbm", "late", "-n", namespace).returncode != 0
    assert database.revisions() == ["a1"]
