"""Flux as far as the operator sees it: the kinds of its source API, and a source-controller that a test plays."""
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from declarations import Object
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

GROUP, VERSION = "source.toolkit.fluxcd.io", "v1"
KINDS = {"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}
NOW = "2026-11-21T00:00:00Z"


def text(**more: object) -> Object:
    return {"type": "string", **more}


def fields(required: tuple[str, ...] = (), **properties: Object) -> Object:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


# The parts of Flux's schema that the operator reads, with the checks that Flux has on them.
NUMBER = {"type": "integer", "format": "int64"}
CONDITION = fields(("lastTransitionTime", "message", "reason", "status", "type"), lastTransitionTime=text(format="date-time"),
                   message=text(), reason=text(minLength=1), status=text(enum=["True", "False", "Unknown"]), type=text(),
                   observedGeneration=NUMBER)
ARTIFACT = fields(("digest", "lastUpdateTime", "path", "revision", "url"), digest=text(pattern="^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"),
                  lastUpdateTime=text(format="date-time"), path=text(), revision=text(), url=text(), size=NUMBER)
STATUS = {**fields(observedGeneration=NUMBER, conditions={"type": "array", "items": CONDITION}, artifact=ARTIFACT),
          "default": {"observedGeneration": -1}}


def install_flux(server: ThrowawayCluster) -> None:
    api = client.ApiextensionsV1Api(server.api())
    schema = fields(spec={"type": "object", "x-kubernetes-preserve-unknown-fields": True}, status=STATUS)
    for kind, plural in KINDS.items():
        api.create_custom_resource_definition({"metadata": {"name": f"{plural}.{GROUP}"}, "spec": {
            "group": GROUP, "scope": "Namespaced", "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [{"name": VERSION, "served": True, "storage": True, "subresources": {"status": {}},
                          "schema": {"openAPIV3Schema": schema}}]}})
    for plural in KINDS.values():
        eventually(lambda: any(one.type == "Established" and one.status == "True" for one in
                               api.read_custom_resource_definition(f"{plural}.{GROUP}").status.conditions or []), f"{plural} is established")


def archive(files: dict[str, str], folder: str = "db/") -> bytes:
    """As source-controller packs it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content.encode())
            tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


class SourceController:
    """Hands out artifacts, and says of sources where theirs are."""

    def __init__(self, server: ThrowawayCluster) -> None:
        self.api = client.CustomObjectsApi(server.api())
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                body = outer.files.get(self.path)
                self.send_response(200 if body is not None else 404)
                if self.path != "/endless":
                    self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                try:
                    self.wfile.write(body or b"")
                    while self.path == "/endless":
                        self.wfile.write(bytes(1 << 20))
                except OSError:
                    pass  # whoever asked has had enough

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def source(self, namespace: str, name: str = "orders", kind: str = "GitRepository") -> None:
        self.api.create_namespaced_custom_object(GROUP, VERSION, namespace, KINDS[kind], {
            "apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": {"name": name}, "spec": {"interval": "1m"}})

    def publish(self, namespace: str, revision: str, content: bytes, kind: str = "GitRepository", name: str = "orders", **instead: object) -> None:
        """The source is Ready with this artifact; `instead` are fields of it that are not the truth."""
        digest = hashlib.sha256(content).hexdigest()
        path = f"/{kind.lower()}/{namespace}/{name}/{digest[:12]}.tar.gz"
        self.files[path] = content
        self.tell(namespace, kind, name, "True", "stored artifact", {"artifact": {
            "url": self.url + path, "path": path[1:], "digest": f"sha256:{digest}", "revision": revision, "size": len(content), "lastUpdateTime": NOW,
            **instead}})

    def tell(self, namespace: str, kind: str, name: str, ready: str, message: str, more: Object | None = None) -> None:
        found = self.api.get_namespaced_custom_object(GROUP, VERSION, namespace, KINDS[kind], name)
        generation = found["metadata"]["generation"]
        condition = {"type": "Ready", "status": ready, "reason": "Succeeded" if ready == "True" else "GitOperationFailed", "message": message,
                     "lastTransitionTime": NOW, "observedGeneration": generation}
        self.api.patch_namespaced_custom_object_status(GROUP, VERSION, namespace, KINDS[kind], name, {
            "status": {"observedGeneration": generation, "conditions": [condition], **(more or {})}})
