"""A kubelet without containers: the pods of one namespace run as processes of this machine.

The command is the pod's own, with its variables, ConfigMaps, Secrets and images resolved as a kubelet resolves them, so that it is the
real `athanor` that migrates. What it leaves in its termination message is what the pod's status says. A test may hold pods before
their start or their end, kill them, and take the message away. Files lie in a volume as a kubelet lays them: in a hidden folder that
links lead to. A pod whose ConfigMap or Secret is not there (yet) waits.
"""
import base64
import os
import re
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubernetes import client
from operator_process import PROGRAMS, die_with_parent
from throwaway_cluster import ThrowawayCluster, eventually

TERMINATION_LOG = "/dev/termination-log"
MESSAGE_BYTES = 4096
LOG_BYTES = 2048  # what stands in for a message that is not there

Object = dict[str, Any]


class PodProcess:
    """One pod that was started."""

    def __init__(self, name: str, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.command = command
        self.message_file = folder / "termination-log"
        self.log_file = folder / "log"
        self.reported = False
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment,
                                            preexec_fn=die_with_parent)

    def message(self) -> str:
        """As with the policy FallbackToLogsOnError."""
        text = self.message_file.read_bytes() if self.message_file.exists() else b""
        if not text and self.process.returncode != 0:
            text = self.log_file.read_bytes()[-LOG_BYTES:]
        return text[:MESSAGE_BYTES].decode(errors="replace")


class Kubelet:
    def __init__(self, server: ThrowawayCluster, namespace: str, folder: Path) -> None:
        self.core = client.CoreV1Api(server.api())
        self.namespace = namespace
        self.folder = folder
        self.images: dict[str, Path] = {}  # reference of an image volume -> what is in it
        self.instead: str | None = None  # of a termination message
        self.runs: dict[str, PodProcess] = {}
        self.may_start = threading.Event()
        self.may_end = threading.Event()
        self.may_start.set()
        self.may_end.set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for run in self.runs.values():
            run.process.kill()
            run.process.wait()
            print(f"--- pod {run.name}: {run.process.returncode}\n{run.log_file.read_text(errors='replace')[-3000:]}")

    def started(self, count: int = 1) -> list[PodProcess]:
        """Once so many pods were started, oldest first."""
        eventually(lambda: len(self.runs) >= count, f"{count} pods were started", within=30)
        return list(self.runs.values())

    # ---------------------------------------------------------------- the loop

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            try:
                pods = {pod.metadata.uid: pod for pod in self.core.list_namespaced_pod(self.namespace).items}
                self._end_those_without_pod(pods.keys())
                for uid, pod in pods.items():
                    self._serve(uid, pod)
            except client.ApiException as error:
                if error.status not in (404, 409):
                    raise

    def _end_those_without_pod(self, uids: Iterable[str]) -> None:
        for uid, run in self.runs.items():
            if uid not in uids and run.process.poll() is None:
                run.process.terminate()

    def _serve(self, uid: str, pod: client.V1Pod) -> None:
        run = self.runs.get(uid)
        if run is None:
            if self.may_start.is_set() and pod.status.phase == "Pending":
                self.runs[uid] = self._start(pod)
                self._tell(pod, "Running", {"running": {}})
        elif not run.reported and run.process.poll() is not None and self.may_end.is_set():
            code = run.process.returncode
            code = code if code >= 0 else 128 - code
            message = run.message() if self.instead is None else self.instead
            reason = "Completed" if code == 0 else "Error"
            self._tell(pod, "Succeeded" if code == 0 else "Failed", {"terminated": {"exitCode": code, "reason": reason, "message": message}})
            run.reported = True

    def _tell(self, pod: client.V1Pod, phase: str, state: Object) -> None:
        container = {"name": pod.spec.containers[0].name, "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}
        self.core.patch_namespaced_pod_status(pod.metadata.name, self.namespace, {"status": {"phase": phase, "containerStatuses": [container]}})

    # ---------------------------------------------------------------- one pod

    def _start(self, pod: client.V1Pod) -> PodProcess:
        contents = {volume.name: self._content(volume) for volume in pod.spec.volumes or []}
        folder = self.folder / pod.metadata.name
        folder.mkdir(parents=True)
        container = pod.spec.containers[0]
        volumes = {name: content if isinstance(content, Path) else self._lay(folder / name, content) for name, content in contents.items()}
        places = {mount.mount_path: str(volumes[mount.name]) for mount in container.volume_mounts or []}
        places[TERMINATION_LOG] = str(folder / "termination-log")

        def here(text: str) -> str:
            for inside, outside in places.items():
                text = text.replace(inside, outside)
            return text.replace("$$", "$")

        environment = {"PATH": os.defpath, "HOME": str(folder)}
        for variable in container.env or []:
            environment[variable.name] = self._secret_value(variable) if variable.value_from else here(variable.value or "")
        command = [here(word) for word in [*container.command, *(container.args or [])]]
        command[0] = str(PROGRAMS / command[0])
        return PodProcess(pod.metadata.name, folder, command, environment)

    def _secret_value(self, variable: client.V1EnvVar) -> str:
        reference = variable.value_from.secret_key_ref
        return self._secret(reference.name)[reference.key].decode()

    def _secret(self, name: str) -> dict[str, bytes]:
        data = self.core.read_namespaced_secret(name, self.namespace).data
        return {key: base64.b64decode(value) for key, value in data.items()}

    def _content(self, volume: client.V1Volume) -> Path | dict[str, bytes]:
        """The folder that an image is, or the files of a volume by their paths in it."""
        if volume.image:
            return self.images[volume.image.reference]
        files: dict[str, bytes] = {}
        for source in volume.projected.sources:
            if source.config_map:
                found = self.core.read_namespaced_config_map(source.config_map.name, self.namespace)
                content = {key: text.encode() for key, text in (found.data or {}).items()}
            else:
                content = self._secret(source.secret.name)
            items = (source.config_map or source.secret).items
            files |= {item.path: content[item.key] for item in items} if items else content
        return files

    @staticmethod
    def _lay(folder: Path, files: dict[str, bytes]) -> Path:
        hidden = folder / "..2026_11_21"
        hidden.mkdir(parents=True)
        for path, content in files.items():
            (hidden / path).parent.mkdir(parents=True, exist_ok=True)
            (hidden / path).write_bytes(content)
        (folder / "..data").symlink_to(hidden.name)
        for first in {path.split("/")[0] for path in files}:
            (folder / first).symlink_to(f"..data/{first}")
        return folder


def flag(run: PodProcess, name: str) -> str:
    """The value of --NAME=VALUE in the command; empty without it."""
    found = re.search(rf"(?:^|\s)--{re.escape(name)}=(\S*)", " ".join(run.command))
    return found.group(1) if found else ""
