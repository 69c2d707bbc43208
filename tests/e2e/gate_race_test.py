"""No gate opens early: the content of a source changes, the operator is stopped for a random time, and whoever waits for the new revision must
still wait until that is committed. The revision itself waits for a row that the test inserts, so "before" is no matter of luck.

A slice runs in `make test`. The long run, ten minutes on a quiet machine:

    ATHANOR_GATE_TRIES=1000 make test TESTS=e2e.gate_race_test       # ATHANOR_GATE_SEED=… repeats one
"""
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from databases import Database
from declarations import Declarations, revision
from kubernetes import client
from operator_process import PROGRAMS, OperatorProcess, die_with_parent
from throwaway_cluster import ThrowawayCluster

TRIES = int(os.environ.get("ATHANOR_GATE_TRIES", "20"))
SEED = int(os.environ.get("ATHANOR_GATE_SEED", str(random.SystemRandom().randrange(1 << 31))))


@pytest.fixture(scope="module")
def options() -> tuple[str, ...]:
    """A stopped leader would lose its Lease, and that is another test."""
    return "--leader-elect=false", "--resync=2s"


def gated(name: str, parent: str, number: int) -> str:
    """A revision that ends once `gate` has its number."""
    return revision(name, parent, f"DO $$ BEGIN LOOP EXIT WHEN EXISTS (SELECT FROM gate WHERE n = {number}); PERFORM pg_sleep(0.005); END LOOP; END $$;",
                    "SELECT 1;")


def digest(files: dict[str, str]) -> str:
    """As documented: LC_ALL=C sha256sum *.sql | sha256sum."""
    import hashlib
    listed = "".join(f"{hashlib.sha256(files[name].encode()).hexdigest()}  {name}\n" for name in sorted(files))
    return "sha256:" + hashlib.sha256(listed.encode()).hexdigest()


class Pod:
    """The init container of a pod, which begins its application when this has ended well."""

    def __init__(self, folder: Path, url: str, revision_id: str) -> None:
        self.log = folder / f"{revision_id}-{random.randrange(1 << 30)}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([PROGRAMS / "athanor", "wait", f"--revision={revision_id}", "--timeout=60s", "--interval=100ms"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"DATABASE_URL": url, "PATH": os.defpath},
                                            preexec_fn=die_with_parent)


def pause(operator: OperatorProcess, before: float, lasting: float) -> threading.Thread:
    def work() -> None:
        time.sleep(before)
        operator.signal(signal.SIGSTOP)
        time.sleep(lasting)
        operator.signal(signal.SIGCONT)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_no_pod_begins_before_its_revision(operator: OperatorProcess, declare: Declarations, database: Database, server: ThrowawayCluster,
                                           tmp_path: Path) -> None:
    print(f"seed {SEED}, {TRIES} tries")
    chance = random.Random(SEED)
    database.rows("CREATE TABLE gate (n int)")
    database.rows("INSERT INTO gate VALUES (0)")
    files = {"r00000.sql": gated("r00000", "", 0)}
    orders = declare.migration(database.url, files, targetRevision="head")
    orders.at("r00000")
    core = client.CoreV1Api(server.api())
    pinned = False
    for number in range(1, TRIES + 1):
        name, parent = f"r{number:05d}", f"r{number - 1:05d}"
        files[f"{name}.sql"] = gated(name, parent, number)
        pins = chance.random() < 0.5
        patient = pins and chance.random() < 0.2  # kubectl wait too, which can rely on a changed generation alone
        paused = pause(operator, chance.uniform(0, 0.05), chance.uniform(0, 0.4))
        early = [Pod(tmp_path, database.url, name) for _ in range(chance.randrange(2))]
        source: dict[str, object] = {"revision": digest(files) if pins else None}
        steps = [lambda: core.patch_namespaced_config_map("orders", declare.namespace, {"data": {f"{name}.sql": files[f"{name}.sql"]}})]
        if pins or pinned:
            steps.append(lambda: orders.patch(source=source, targetRevision=name if pins else "head"))
        if chance.random() < 0.5:
            steps.reverse()
        for step in steps:
            step()
            time.sleep(chance.uniform(0, 0.02))
        pinned = pins
        pods = [*early, Pod(tmp_path, database.url, name)]
        waits = subprocess.Popen([server.directory / "bin/kubectl", "--kubeconfig", server.kubeconfig, "wait", "--for=condition=Ready", "dbm/orders",
                                  "-n", declare.namespace, "--timeout=60s"], stdout=subprocess.DEVNULL) if patient else None
        time.sleep(chance.uniform(0.05, 0.5))
        label = f"try {number}, seed {SEED}"
        assert all(pod.process.poll() is None for pod in pods), f"{label}: a pod began before {name}: {[pod.log.read_text() for pod in pods]}"
        assert waits is None or waits.poll() is None, f"{label}: kubectl wait passed before {name}"
        database.rows(f"INSERT INTO gate VALUES ({number})")
        for pod in pods:
            assert pod.process.wait(60) == 0, f"{label}: {pod.log.read_text()}"
        assert database.revisions() == [name], label
        assert waits is None or waits.wait(60) == 0, label
        paused.join()
