"""A database in a pod and the chart with the operator, for every file of this folder."""
import itertools
import os
from collections.abc import Iterator

import pytest
from node import HERE, NAMESPACE, OPERATOR_VALUES, ROOT, kubectl, run, sql

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def node() -> Iterator[None]:
    assert os.environ.get("KUBECONFIG"), "no node: run `make test-pods`"
    for name in ("shop", NAMESPACE):
        kubectl("apply", "-f", "-", stdin=f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")
    kubectl("label", "--overwrite", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("-n", "shop", "apply", "-f", HERE / "postgres.yaml")
    kubectl("-n", "shop", "rollout", "status", "statefulset/postgres", "--timeout=120s")
    run("helm", "upgrade", "--install", "athanor", ROOT / "charts/athanor", "-n", NAMESPACE, "--wait", "--timeout", "180s", "--set", f"{OPERATOR_VALUES},image.tag=node")
    yield


@pytest.fixture
def database() -> str:
    """The name of a database of the test's own."""
    name = f"own_{os.getpid()}_{next(_numbers)}"
    sql("postgres", f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"web-{os.getpid()}-{next(_numbers)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
