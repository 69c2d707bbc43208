"""helm, kubeconform and kube-score for the tests of this folder, and the files they look at."""
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/athanor"
IMAGE = ("--set", "image.repository=registry.example.org/athanor")  # which the chart asks for
CRDS = ROOT / "crds"
SAMPLES = ROOT / "deploy/samples"
MANIFESTS = ROOT / "deploy/manifests"

Object = dict[str, Any]


@functools.cache
def tools() -> Path:
    done = subprocess.run([ROOT / "tests/cluster/tools"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return Path(done.stdout.strip())


def tool(name: str, *arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tools() / name, *map(str, arguments)], input=stdin, capture_output=True, text=True)


def template(*options: str, chart: Path = CHART, namespace: str = "athanor-system") -> str:
    done = tool("helm", "template", "athanor", chart, "--namespace", namespace, *IMAGE, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> list[Object]:
    return [document for document in yaml.safe_load_all(text) if document]


def one(documents: list[Object], kind: str, name: str = "athanor") -> Object:
    found = [document for document in documents if document["kind"] == kind and document["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def crd(plural: str) -> Object:
    return yaml.safe_load((CRDS / f"athanor.dev_{plural}.yaml").read_text())


def schema(plural: str) -> Object:
    return crd(plural)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def fields(node: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """Every property below a schema as (path, schema); items of a list are `path[]`."""
    for name, child in node.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, child
        yield from fields(child, here)
    if isinstance(items := node.get("items"), dict):
        yield f"{path}[]", items
        yield from fields(items, f"{path}[]")
