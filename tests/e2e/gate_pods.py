"""A kubelet without containers for pods that have a gate: runs the init container as a process of this machine, and calls the pod running and
ready once that has passed. An init container that fails is run again, as kubelets do."""
import base64
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client
from operator_process import PROGRAMS, die_with_parent
from throwaway_cluster import ThrowawayCluster

Object = dict[str, Any]
NOW = "2026-11-21T02:10:00Z"


@dataclass
class Gated:
    """One pod whose init container was started."""
    pod: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path
    restarts: int = 0
    begun: bool = False  # the application


class GatePods:
    def __init__(self, server: ThrowawayCluster, namespace: str, folder: Path) -> None:
        self.core = client.CoreV1Api(server.api())
        self.namespace = namespace
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.pods: dict[str, Gated] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for gated in self.pods.values():
            gated.process.kill()
            gated.process.wait()
            print(f"--- pod {gated.pod}: begun {gated.begun}, {gated.restarts} restarts\n{gated.log.read_text(errors='replace')[-2000:]}")

    def begun(self) -> set[str]:
        return {gated.pod for gated in list(self.pods.values()) if gated.begun}

    def waiting_for(self, revision: str) -> list[Gated]:
        return [gated for gated in list(self.pods.values()) if f"--revision={revision}" in gated.command]

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            try:
                for pod in self.core.list_namespaced_pod(self.namespace).items:
                    if pod.spec.init_containers:
                        self._serve(pod)
            except client.ApiException as error:
                if error.status not in (404, 409):
                    raise

    def _serve(self, pod: client.V1Pod) -> None:
        gated = self.pods.get(pod.metadata.uid)
        if gated is None:
            self.pods[pod.metadata.uid] = self._start(pod)
        elif not gated.begun and gated.process.poll() == 0:
            gated.begun = True
            self._tell_ready(pod)
        elif not gated.begun and gated.process.poll() is not None:
            gated.restarts += 1
            gated.process = self._run(gated.command, gated.environment, gated.log)

    def _start(self, pod: client.V1Pod) -> Gated:
        container = pod.spec.init_containers[0]
        environment = {"PATH": os.defpath, "HOME": str(self.folder)}
        for variable in container.env or []:
            reference = variable.value_from and variable.value_from.secret_key_ref
            if reference:
                secret = self.core.read_namespaced_secret(reference.name, self.namespace)
                environment[variable.name] = base64.b64decode(secret.data[reference.key]).decode()
            else:
                environment[variable.name] = variable.value or ""
        command = [str(PROGRAMS / Path(container.command[0]).name), *container.args]
        log = self.folder / pod.metadata.name
        return Gated(pod.metadata.name, command, environment, self._run(command, environment, log), log)

    @staticmethod
    def _run(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, preexec_fn=die_with_parent)

    def _tell_ready(self, pod: client.V1Pod) -> None:
        conditions = [{"type": kind, "status": "True", "lastTransitionTime": NOW} for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")]
        container = {"name": pod.spec.containers[0].name, "image": "x", "imageID": "x", "ready": True, "started": True, "restartCount": 0,
                     "state": {"running": {"startedAt": NOW}}}
        self.core.patch_namespaced_pod_status(pod.metadata.name, self.namespace, {"status": {
            "phase": "Running", "startTime": NOW, "conditions": conditions, "containerStatuses": [container]}})
