"""The throwaway Kubernetes API of the benchmarks, and as much of a client as they need.

Every thread has a connection of its own that stays open, so that what is measured is a request and not a TLS handshake."""
import concurrent.futures
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

GROUP = "/apis/athanor.dev/v1alpha1"
MERGE = "application/merge-patch+json"
# What the operator writes for itself and not about a resource: election, and reviews of its own rights.
OWN_AFFAIRS = {"leases", "subjectaccessreviews", "tokenreviews"}


def resource(namespace, name=""):
    return f"{GROUP}/namespaces/{namespace}/databasemigrations" + (f"/{name}" if name else "")


def is_ready(item):
    status = item.get("status", {})
    return status.get("observedGeneration") == item["metadata"]["generation"] and any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


class Cluster:
    def __init__(self, root):
        self.command = os.path.join(root, "tests", "cluster", "throwaway-cluster")
        self.folder = os.path.realpath(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
        done = subprocess.run([self.command, "start", self.folder, "--with-parent"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"the throwaway cluster does not start: {done.stderr.strip()}")
        self.pid = max(int(pid) for pid in subprocess.run(["pgrep", "-f", f"throwaway-cluster start {self.folder}"], capture_output=True,
                                                          text=True, check=True).stdout.split())  # its programs share its session
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        self.host = urllib.parse.urlsplit(open(os.path.join(self.folder, "server"), encoding="utf-8").read().strip()).netloc
        self.tls = ssl.create_default_context(cafile=os.path.join(self.folder, "pki", "ca.crt"))
        self.tls.load_cert_chain(os.path.join(self.folder, "pki", "admin.crt"), os.path.join(self.folder, "pki", "admin.key"))
        self.local = threading.local()
        crds = os.path.join(root, "crds", "athanor.dev_databasemigrations.yaml"), os.path.join(root, "crds", "athanor.dev_migrationapprovals.yaml")
        kubectl = [os.path.join(self.folder, "bin", "kubectl"), "--kubeconfig", self.kubeconfig]
        for command in (["apply", *(part for crd in crds for part in ("-f", crd))],
                        ["wait", "--for=condition=Established", "--timeout=60s", "crd", "databasemigrations.athanor.dev",
                         "migrationapprovals.athanor.dev"]):
            subprocess.run(kubectl + command, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([self.command, "stop", self.folder], check=False)

    def connect(self):
        return http.client.HTTPSConnection(self.host, timeout=60, context=self.tls)

    def send(self, method, path, body=None, kind="application/json"):
        """The answer as text; an error of the server is one here."""
        data = None if body is None else json.dumps(body)
        for fresh in (False, True):
            if fresh or not hasattr(self.local, "connection"):
                self.local.connection = self.connect()
            try:
                self.local.connection.request(method, path, data, {"Content-Type": kind})
                response = self.local.connection.getresponse()
                text = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):  # the server closes what was idle for long
                self.local.connection.close()
                if fresh:
                    raise
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:300]!r}")
        return text

    def get(self, path):
        return json.loads(self.send("GET", path))

    def create_all(self, objects, at_a_time=8):
        """[(path, object)]"""
        with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
            list(pool.map(lambda each: self.send("POST", *each), objects))

    def delete_all(self, namespace):
        self.send("DELETE", resource(namespace))

    def namespace(self, name):
        self.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def every(self, path):
        """All items of a list, page by page, and the version to watch from."""
        token, items = "", []
        while True:
            page = self.get(path + f"?limit=1000&continue={urllib.parse.quote(token)}")
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items, page["metadata"]["resourceVersion"]

    def versions(self, path):
        """namespace/name -> resourceVersion: equal before and after means that nothing was written."""
        return {f"{i['metadata']['namespace']}/{i['metadata']['name']}": i["metadata"]["resourceVersion"] for i in self.every(path)[0]}

    def writes(self):
        """How many writing requests the API server has answered, by resource, its own affairs and those of its programs left out."""
        counts = {}
        for line in self.send("GET", "/metrics").decode().splitlines():
            if line.startswith("apiserver_request_total{"):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
                if labels["verb"] in ("POST", "PUT", "PATCH", "APPLY", "DELETE") and labels["resource"] not in OWN_AFFAIRS:
                    counts[labels["resource"]] = counts.get(labels["resource"], 0) + float(line.rsplit(" ", 1)[1])
        return counts


class Watcher:
    """Watches resources in a thread of its own and keeps the newest state; `until` waits for a condition without asking again."""

    def __init__(self, cluster, path):
        items, version = cluster.every(path)
        self.items = {i["metadata"]["name"]: i for i in items}
        self.news = set()  # names of what changed since somebody looked
        self.changed = threading.Condition()
        self.connection = cluster.connect()
        self.connection.timeout = 3600
        self.connection.request("GET", f"{path}?watch=true&resourceVersion={version}&timeoutSeconds=3600")
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        try:
            for line in self.response:
                event = json.loads(line)
                with self.changed:
                    name = event["object"]["metadata"]["name"]
                    self.items[name] = event["object"]
                    self.news.add(name)
                    self.changed.notify_all()
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass  # closed

    def until(self, met, within=60):
        """Time from here until `met(items)`."""
        begun = time.time()
        with self.changed:
            if not self.changed.wait_for(lambda: met(self.items), within):
                raise RuntimeError(f"not within {within} s")
        return time.time() - begun

    def until_every(self, met, within=60):
        """Time from here until `met(item)` was true of every item. Only what changed is looked at again: the benchmark shares the
        processor with what it measures."""
        begun = time.time()
        with self.changed:
            self.news = set()
            missing = {name for name, item in self.items.items() if not met(item)}
            while missing:
                if not self.changed.wait_for(lambda: self.news, begun + within - time.time()):
                    raise RuntimeError(f"not within {within} s: {len(missing)} left")
                news, self.news = self.news, set()
                missing -= {name for name in news if met(self.items[name])}
        return time.time() - begun

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which holds the stream while it waits
