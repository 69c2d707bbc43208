"""The operator's program, run beside the cluster by a user who has the rights the chart gives and no others."""
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from throwaway_cluster import ThrowawayCluster, eventually

ROOT = Path(__file__).resolve().parents[2]
SANITIZERS = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}  # of make sanitize, make tsan
PROGRAMS = Path(os.environ.get("ATHANOR_BINARY_DIR", ROOT / "build")) / "bin"
LEASE = "athanor"  # the one Lease that the rendered Role names
SELECTOR = "athanor-e2e"

Object = dict[str, Any]


def rendered(kind: str, name: str) -> Object:
    """An object of the chart as it renders with its default values; tests/chart sees to it that the file is that."""
    for document in yaml.safe_load_all((ROOT / "deploy/manifests/cluster.yaml").read_text()):
        if document and document["kind"] == kind and document["metadata"]["name"] == name:
            return document
    raise LookupError(f"no {kind} {name} in the rendered chart")


def switched_rules(switch: str) -> list[Object]:
    """The rules that the chart adds for a switch of its values, which are off in what is rendered."""
    text = (ROOT / "charts/athanor/templates/_helpers.tpl").read_text()
    found = re.search(r"\{\{- if \.Values\." + re.escape(switch) + r" \}\}\n(- apiGroups:.*?)\{\{- end \}\}", text, re.DOTALL)
    if not found:
        raise LookupError(f"the chart has no rules for {switch}")
    return yaml.safe_load(found.group(1))


class Account:
    """A user bound to the chart's roles, with a namespace for the Lease. Resources that carry its label are its operators' own."""

    def __init__(self, server: ThrowawayCluster, name: str, switches: tuple[str, ...] = ()) -> None:
        self.server = server
        self.name = name
        self.labels = {SELECTOR: name}
        self.home = f"{name}-home"
        self.kubeconfig = server.user(name)
        api = server.api()
        client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=self.home)))
        rbac = client.RbacAuthorizationV1Api(api)
        user = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}

        def binding(kind: str) -> Object:
            return {"metadata": {"name": name}, "subjects": [user],
                    "roleRef": {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}}

        rules = rendered("ClusterRole", "athanor")["rules"] + [rule for switch in switches for rule in switched_rules(switch)]
        rbac.create_cluster_role({"metadata": {"name": name}, "rules": rules})
        rbac.create_cluster_role_binding(binding("ClusterRole"))
        rbac.create_namespaced_role(self.home, {"metadata": {"name": name}, "rules": rendered("Role", "athanor-election")["rules"]})
        rbac.create_namespaced_role_binding(self.home, binding("Role"))
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(group="coordination.k8s.io", resource="leases", verb="create", namespace=self.home)))
        own = client.AuthorizationV1Api(server.api(self.kubeconfig))
        eventually(lambda: own.create_self_subject_access_review(review).status.allowed, "the roles take effect")

    def lease(self) -> client.V1Lease:
        return client.CoordinationV1Api(self.server.api()).read_namespaced_lease(LEASE, self.home)

    def remove(self) -> None:
        api = self.server.api()
        client.RbacAuthorizationV1Api(api).delete_cluster_role(self.name)
        client.RbacAuthorizationV1Api(api).delete_cluster_role_binding(self.name)
        client.CoreV1Api(api).delete_namespace(self.home)


def free_port() -> int:
    """Below the range that outgoing connections take theirs from."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class OperatorProcess:
    """A running operator; it ends with the test's process at the latest."""

    def __init__(self, account: Account, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.account = account
        self.port = free_port()
        self.log_file = folder / f"operator-{self.port}.log"
        self.backups = folder / "backups"
        self.backups.mkdir(exist_ok=True)
        command = [PROGRAMS / "athanor-operator", "--kube", "--kubeconfig", account.kubeconfig, "--default-ssl-mode=disable", "--lease-name", LEASE, "--lease-namespace",
                   account.home, "--selector", f"{SELECTOR}={account.name}", "--listen", f"127.0.0.1:{self.port}", "--backup-root",
                   self.backups, "--cache", folder, "--log-level", "debug", *options]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                                            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **SANITIZERS, **(environment or {})})
        eventually(self.ready, "the operator is ready", within=30)

    def ready(self) -> bool:
        assert self.process.poll() is None, f"the operator ended with {self.process.returncode}: {self.log()[-3000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def reconciles(self, resource: str) -> int:
        """How often a resource, as NAMESPACE/NAME, was reconciled."""
        return sum(1 for line in self.log().splitlines() if f'"resource":"{resource}"' in line and '"message":"reconcile ' in line)

    def scrape(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def metric(self, series: str) -> float:
        """The value of a series as it is written, labels included; 0 without it."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.scrape(), re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    def idle(self) -> bool:
        """Nothing is reconciled, so no migration runs."""
        return self.metric('controller_runtime_active_workers{controller="databasemigration"}') == 0

    def leads(self) -> bool:
        return self.metric('leader_election_master_status{name="athanor-operator"}') == 1

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, within: float = 30) -> int:
        """Its exit code after SIGTERM."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(within)
