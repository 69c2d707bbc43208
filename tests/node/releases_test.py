"""An application chart with charts/athanor-gate on real pods: install, upgrade, rollback, failing pods, a node that is lost, more replicas. Each
pod of the application writes down which revision its database had when it began."""
import random
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
import yaml
from node import PASSWORD, ROOT, kubectl, operators_paused, revision, run, sql, throwaway_node
from throwaway_cluster import eventually

# What begins is what is tested: a row (pod, revision it was made for, revision that it found), then nothing.
APPLICATION = """image: {{ .Values.image }}
          readinessProbe: {exec: {command: [test, -e, /tmp/begun]}, periodSeconds: 1}
          command: [bash, -ec]
          args:
            - |
              {{- if .Values.broken }}
              exit 1
              {{- end }}
              trap exit TERM
              psql -qc "INSERT INTO begun SELECT '$HOSTNAME', '{{ .Values.migrations.targetRevision }}', version_num FROM alembic_version" "$DATABASE_URL"
              touch /tmp/begun
              sleep infinity & wait"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: shop-db}
stringData: {url: {{ .Values.url | quote }}}
"""


class Release:
    """The example chart with its Secret in it, so that one `helm install` has everything."""

    def __init__(self, namespace: str, database: str, folder: Path) -> None:
        self.namespace = namespace
        self.database = database
        self.chart = folder / "shop"
        shutil.copytree(ROOT / "deploy/gates/shop", self.chart)
        shutil.copytree(ROOT / "charts/athanor-gate", self.chart / "charts/athanor-gate")
        (self.chart / "templates/secret.yaml").write_text(SECRET)
        deployment = self.chart / "templates/deployment.yaml"
        text = deployment.read_text()
        assert "image: {{ .Values.image }}" in text
        deployment.write_text(text.replace("image: {{ .Values.image }}", APPLICATION))
        for file in (self.chart / "migrations").iterdir():
            file.unlink()
        self.values = yaml.safe_load((self.chart / "values.yaml").read_text())
        self.values |= {"url": f"postgresql://shop:{PASSWORD}@postgres.shop.svc/{database}", "replicas": 2, "image": "localhost/postgres:1", "broken": False}
        self.values["migrations"]["gate"] |= {"image": "localhost/athanor:node", "imagePullPolicy": "Never"}
        self.revise("a1", "", "CREATE TABLE begun (pod text, wanted text, found text);")

    def revise(self, name: str, parent: str, body: str) -> None:
        """The release's next content: one more file, and the target."""
        (self.chart / f"migrations/{name}.sql").write_text(revision(name, parent, body))
        self.values["migrations"]["targetRevision"] = name

    def helm(self, verb: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        (self.chart / "values.yaml").write_text(yaml.dump(self.values))
        where = [str(self.chart)] if verb in ("install", "upgrade") else []
        done = subprocess.run(["helm", "-n", self.namespace, verb, "web", *where, *options], capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr + kubectl("-n", self.namespace, "get", "pods,dbm", "-o", "wide")
        return done

    def at(self) -> str:
        return sql(self.database, "SELECT version_num FROM alembic_version")

    def begun(self, wanted: str) -> int:
        """How many pods of this revision began. No pod of any ever found an older one."""
        assert sql(self.database, "SELECT * FROM begun WHERE found < wanted") == ""
        return int(sql(self.database, f"SELECT count(DISTINCT pod) FROM begun WHERE wanted = '{wanted}'"))

    def ready_pods(self) -> int:
        return int(kubectl("-n", self.namespace, "get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}") or "0")

    def reason(self) -> str:
        return kubectl("-n", self.namespace, "get", "dbm", "web-shop", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].reason}")


@pytest.fixture
def release(namespace: str, database: str, tmp_path: Path) -> Release:
    return Release(namespace, database, tmp_path)


def test_a_fresh_release_needs_no_order_by_hand_and_neither_do_upgrade_scaling_and_rollback(release: Release) -> None:
    release.helm("install", "--wait", "--timeout=120s")
    assert release.at() == "a1" and release.begun("a1") == 2

    release.revise("a2", "a1", "SELECT pg_sleep(2); CREATE TABLE two (id int);")
    release.helm("upgrade", "--wait", "--timeout=120s")
    assert release.at() == "a2" and release.begun("a2") == 2

    release.helm("rollback", "1", "--wait", "--timeout=120s")
    assert release.at() == "a2" and release.reason() == "AheadAccepted"
    assert release.ready_pods() == 2 and release.begun("a1") == 4  # pods of the old release, on the newer schema

    kubectl("-n", release.namespace, "scale", "deployment/web", "--replicas=4")
    kubectl("-n", release.namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    assert release.begun("a1") == 6


def test_failing_pods_take_the_release_back_and_the_old_pods_keep_running(release: Release) -> None:
    release.helm("install", "--wait", "--timeout=120s")
    old = kubectl("-n", release.namespace, "get", "pods", "-o", "name").split()
    release.revise("a2", "a1", "CREATE TABLE two (id int);")
    release.values["broken"] = True
    done = release.helm("upgrade", "--rollback-on-failure", "--timeout=30s", check=False)
    assert done.returncode != 0, done.stdout
    assert '"status":"deployed"' in release.helm("status", "-o", "json").stdout.replace(" ", "")
    # The schema had moved before the pods failed; it stays, and nobody calls the rollback failed.
    assert release.at() == "a2"
    eventually(lambda: release.reason() == "AheadAccepted", "the newer schema is kept")
    assert release.ready_pods() == 2
    assert set(old) <= set(kubectl("-n", release.namespace, "get", "pods", "-o", "name").split())


def test_no_pod_begins_before_its_revision_when_only_the_content_changes(namespace: str, database: str) -> None:
    """Twenty tries with the operator paused for random times, over the target `head`: no generation changes, so nothing but the gate is left."""
    url = f"postgresql://shop:{PASSWORD}@postgres.shop.svc/{database}"
    files = {"r00.sql": revision("r00", "", "CREATE TABLE begun (wanted text, found text);")}

    def config_map() -> dict:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": files}

    kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.dump_all([
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "stringData": {"url": url}}, config_map(),
        {"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "web"}, "spec": {
            "database": {"urlFrom": {"secretKeyRef": {"name": "web", "key": "url"}}}, "source": {"configMaps": [{"name": "web"}]}}}]))
    kubectl("-n", namespace, "wait", "dbm/web", "--for=condition=Ready", "--timeout=60s")
    environment = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "web", "key": "url"}}}]

    def pod(name: str) -> dict:
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1,
            "initContainers": [{"name": "wait", "image": "localhost/athanor:node", "imagePullPolicy": "Never", "command": ["/usr/local/bin/athanor"],
                                "args": ["wait", f"--revision={name}", "--timeout=90s", "--interval=200ms"], "env": environment}],
            "containers": [{"name": "web", "image": "localhost/postgres:1", "imagePullPolicy": "Never", "env": environment, "command": [
                "psql", "-qc", f"INSERT INTO begun SELECT '{name}', version_num FROM alembic_version"], "args": [url]}]}}

    def pause(before: float, lasting: float) -> None:
        time.sleep(before)
        with operators_paused():
            time.sleep(lasting)

    for number in range(1, 21):
        name = f"r{number:02}"
        files[f"{name}.sql"] = revision(name, f"r{number - 1:02}", f"SELECT pg_sleep({random.uniform(0, 0.5):.2f});")
        pausing = threading.Thread(target=pause, args=(random.uniform(0, 0.5), random.uniform(0, 4)))  # less than a Lease lasts
        pausing.start()
        kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.dump_all([config_map(), pod(name)]))
        pausing.join()
    for number in range(1, 21):
        kubectl("-n", namespace, "wait", f"pod/r{number:02}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    assert sql(database, "SELECT count(*), count(*) FILTER (WHERE found < wanted) FROM begun") == "20|0"


def test_pods_of_a_lost_node_and_of_a_deleted_pod_begin_again(release: Release) -> None:
    release.helm("install", "--wait", "--timeout=120s")
    kubectl("-n", release.namespace, "delete", "pod", "--all", "--grace-period=0", "--force")
    eventually(lambda: release.begun("a1") == 4 and release.ready_pods() == 2, "other pods begin")

    throwaway_node("halt", "kubelet")
    try:
        kubectl("wait", "node/athanor-node", "--for=condition=Ready=Unknown", "--timeout=120s")
        eventually(lambda: release.ready_pods() == 0, "its pods count no more")
        release.revise("a2", "a1", "CREATE TABLE two (id int);")
        release.helm("upgrade")
    finally:
        throwaway_node("resume", "kubelet")
    kubectl("wait", "node/athanor-node", "--for=condition=Ready", "--timeout=120s")
    kubectl("-n", release.namespace, "rollout", "status", "deployment/web", "--timeout=120s")
    assert release.at() == "a2" and release.begun("a2") == 2
