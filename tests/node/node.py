"""The node as its tests use it: kubectl, helm, the database's pod, and what is declared on it."""
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMESPACE = "athanor-system"
PASSWORD = "only-for-this-test"
OPERATOR_VALUES = ("image.repository=localhost/athanor,image.pullPolicy=Never,jobs.enabled=true,watch.scope=Cluster,policy.defaultSslMode=disable,"
                   "jobs.sourceImages={localhost}")


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


# ---------------------------------------------------------------- what the node itself does


def operator_processes() -> list[int]:
    """Operators in pods of this node. Others may run on this machine, outside of its control groups."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if arguments[0].endswith(b"athanor-operator") and "kubepods" in (folder / "cgroup").read_text():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


@contextmanager
def operators_paused() -> Iterator[None]:
    paused = operator_processes()
    assert paused, "no operator runs in a pod"
    for process in paused:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in paused:
            os.kill(process, signal.SIGCONT)


def throwaway_node(verb: str, *arguments: str) -> None:
    run(HERE / "throwaway-node", verb, os.environ["ATHANOR_NODE"], *arguments)


def tag_image(name: str, other: str) -> None:
    """One image under two names."""
    programs = run(HERE / "programs").strip()
    run(f"{programs}/ctr", "--address", f"{os.environ['ATHANOR_NODE']}/containerd.sock", "--namespace", "k8s.io", "images", "tag", "--force", name, other)
