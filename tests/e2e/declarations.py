"""What a user declares, and what a user then waits for: ConfigMaps, Secrets, DatabaseMigrations and their statuses."""
import base64
import functools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

GROUP, VERSION, PLURAL = "athanor.dev", "v1alpha1", "databasemigrations"
WITHIN = 30.0  # seconds; a loaded machine needs many more than a quiet one

Object = dict[str, Any]


def revision(name: str, parent: str, up: str = "", down: str = "") -> str:
    """The text of a revision file; without SQL it makes the table t_NAME."""
    up = up or f"CREATE TABLE t_{name} (id bigint PRIMARY KEY);"
    down = down or f"DROP TABLE IF EXISTS t_{name};"
    return f"-- Revision {name}\n--\n-- Revision: {name}\n-- Revises: {parent}\n\n-- athanor:upgrade\n{up}\n\n-- athanor:downgrade\n{down}\n"


def chain(*names: str, **statements: str) -> dict[str, str]:
    """Files of revisions, each the child of the one before; `statements` are the upgrades of some."""
    return {f"{name}.sql": revision(name, parent, statements.get(name, "")) for parent, name in zip(("", *names), names)}


@functools.cache
def tools() -> Path:
    done = subprocess.run([Path(__file__).parents[1] / "cluster/tools"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def kstatus(found: Object) -> str:
    """What the kstatus library, and so Helm and Flux, take the resource for."""
    done = subprocess.run([tools() / "kstatus"], input=json.dumps(found), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


class Migration:
    """One DatabaseMigration. A status counts once it is about the newest spec."""

    def __init__(self, server: ThrowawayCluster, namespace: str, name: str) -> None:
        self.server = server
        self.namespace = namespace
        self.name = name
        self.key = f"{namespace}/{name}"
        self.api = client.CustomObjectsApi(server.api())

    def read(self) -> Object:
        return self.api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name)

    def patch(self, **spec: Any) -> Object:
        """A merge patch of the spec: None takes a field away."""
        return self._patch({"spec": spec})

    def annotate(self, name: str, value: str) -> Object:
        return self._patch({"metadata": {"annotations": {name: value}}})

    def _patch(self, body: Object) -> Object:
        return self.api.patch_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name, body)

    def delete(self) -> None:
        self.api.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name)

    def until(self, true_of: Callable[[Object, Object], object], what: str, within: float = WITHIN) -> Object:
        """The resource, once its status is about its newest spec and this is true of status and Ready condition."""
        seen: list[object] = ["no status"]

        def found() -> Object | None:
            resource = self.read()
            status = resource.get("status", {})
            seen[0] = {"phase": status.get("phase"), "at": status.get("currentRevision"), **condition(resource, "Ready")}
            current = status.get("observedGeneration") == resource["metadata"]["generation"]
            return resource if current and true_of(status, condition(resource, "Ready")) else None

        try:
            return eventually(found, f"{self.key}: {what}", within)
        except pytest.fail.Exception:
            pytest.fail(f"{self.key}: {what}: not within {within:.0f} s; last seen: {seen[0]}")

    def because(self, reason: str, within: float = WITHIN) -> Object:
        """Once this is the reason of Ready."""
        return self.until(lambda _, ready: ready.get("reason") == reason, reason, within)

    def at(self, name: str, within: float = WITHIN) -> Object:
        """Once it is Ready at this revision."""
        return self.until(lambda status, ready: ready.get("status") == "True" and status["currentRevision"] == name, f"Ready at {name}", within)

    def events(self, reason: str) -> list[client.EventsV1Event]:
        listed = client.EventsV1Api(self.server.api()).list_namespaced_event(self.namespace)
        return [event for event in listed.items if event.regarding.name == self.name and event.reason == reason]

    def event(self, reason: str) -> client.EventsV1Event:
        return eventually(lambda: self.events(reason), f"an event {reason} of {self.key}", WITHIN)[0]


def condition(resource: Object, kind: str) -> Object:
    """A condition; empty when it is not there."""
    for one in resource.get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return one
    return {}


class Declarations:
    """Makes things in one namespace, with the label of the operator that is to see them."""

    def __init__(self, server: ThrowawayCluster, namespace: str, labels: dict[str, str]) -> None:
        self.server = server
        self.namespace = namespace
        self.labels = labels
        self.core = client.CoreV1Api(server.api())

    def config_map(self, name: str, files: dict[str, str]) -> client.V1ConfigMap:
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=files)
        return self.core.create_namespaced_config_map(self.namespace, body)

    def change_config_map(self, name: str, files: dict[str, str | None]) -> client.V1ConfigMap:
        return self.core.patch_namespaced_config_map(name, self.namespace, {"data": files})

    def secret(self, name: str, **values: str) -> None:
        self.core.create_namespaced_secret(self.namespace, client.V1Secret(metadata=client.V1ObjectMeta(name=name), string_data=values))

    def change_secret(self, name: str, **values: str) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.core.patch_namespaced_secret(name, self.namespace, {"data": data})

    def body(self, name: str, url_from: str, config_map: str, spec: Object) -> Object:
        whole = {"database": {"urlFrom": {"secretKeyRef": {"name": url_from, "key": "url"}}}, "source": {"configMaps": [{"name": config_map}]}}
        return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "DatabaseMigration", "metadata": {"name": name, "labels": self.labels},
                "spec": {**whole, **spec}}

    def create(self, body: Object) -> Migration:
        client.CustomObjectsApi(self.server.api()).create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body,
                                                                                   field_validation="Strict")
        return Migration(self.server, self.namespace, body["metadata"]["name"])

    def migration(self, url: str, files: dict[str, str], name: str = "orders", **spec: Any) -> Migration:
        """A whole one: ConfigMap and Secret with the name of the resource."""
        self.config_map(name, files)
        self.secret(name, url=url)
        return self.create(self.body(name, name, name, spec))

    def wait_until_seen(self) -> None:
        """Until the operator has seen every change of a resource that was made before. A watch delivers changes in their order, so
        that is so once the operator answers to one more resource. Once in a namespace."""
        last = self.migration("postgresql://nobody@127.0.0.1:1/nowhere", {}, name="last-change", suspend=True)
        last.because("Suspended")
        last.delete()
