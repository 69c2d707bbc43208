"""A cluster can be broken on purpose, each way on its own, and leaves nothing behind. Every test here takes a cluster of its file."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kubernetes import client
from throwaway_cluster import COMMAND, ThrowawayCluster, eventually


def core(cluster: ThrowawayCluster) -> client.CoreV1Api:
    api = cluster.api()
    api.configuration.retries = False
    return client.CoreV1Api(client.ApiClient(api.configuration))


def create_config_map(cluster: ThrowawayCluster, name: str) -> str:
    made = core(cluster).create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name)))
    return made.metadata.resource_version


def processes_of(directory: Path) -> list[int]:
    """Those whose command line, or working folder, names the cluster's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        try:
            if str(directory) in (entry / "cmdline").read_text() or os.readlink(entry / "cwd").startswith(str(directory)):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return found


def test_a_crashed_api_server_is_refused_and_comes_back_with_its_data(own_cluster: ThrowawayCluster) -> None:
    create_config_map(own_cluster, "before-the-crash")
    own_cluster.command("crash", "apiserver")
    with pytest.raises(Exception, match="refused"):
        core(own_cluster).list_namespaced_config_map("default", _request_timeout=5)
    own_cluster.command("resume", "apiserver")
    assert core(own_cluster).read_namespaced_config_map("before-the-crash", "default")


def test_an_orderly_restart_ends_open_watches(own_cluster: ThrowawayCluster) -> None:
    stream = core(own_cluster).list_namespaced_config_map("default", watch=True, timeout_seconds=300, _preload_content=False)
    own_cluster.command("restart", "apiserver")
    assert stream.read() is not None  # to its end, and no error: the last chunk was sent
    assert core(own_cluster).list_namespace().items


def test_a_frozen_api_server_answers_no_more_until_it_thaws(own_cluster: ThrowawayCluster) -> None:
    own_cluster.command("freeze", "apiserver")
    with pytest.raises(Exception, match="timed out"):
        core(own_cluster).list_namespace(_request_timeout=1)
    own_cluster.command("thaw", "apiserver")
    assert core(own_cluster).list_namespace(_request_timeout=30).items


@pytest.mark.parametrize("how", [["restart"], ["crash", "resume"]])
def test_etcd_comes_back_with_its_data(own_cluster: ThrowawayCluster, how: list[str]) -> None:
    name = "before-etcd-" + how[0]
    create_config_map(own_cluster, name)
    for verb in how:
        own_cluster.command(verb, "etcd")
    assert eventually(lambda: core(own_cluster).read_namespaced_config_map(name, "default"), "etcd's data")
    eventually(lambda: create_config_map(own_cluster, "after-etcd-" + how[0]), "a write after etcd came back")


def test_history_that_was_forgotten_is_gone_for_watches_and_lists(own_cluster: ThrowawayCluster) -> None:
    old = create_config_map(own_cluster, "old")
    page = core(own_cluster).list_namespaced_config_map("default", limit=1)
    assert page.metadata._continue
    create_config_map(own_cluster, "newer")
    own_cluster.command("forget")

    # A watch is accepted and then says so within its stream; a list fails as a whole.
    stream = core(own_cluster).list_namespaced_config_map("default", watch=True, resource_version=old, timeout_seconds=20,
                                                          _preload_content=False)
    first = json.loads(next(iter(stream.read().splitlines())))
    assert (first["type"], first["object"]["code"], first["object"]["reason"]) == ("ERROR", 410, "Expired")
    for query in ({"limit": 1, "_continue": page.metadata._continue}, {"resource_version": old, "resource_version_match": "Exact"}):
        with pytest.raises(client.ApiException) as refused:
            core(own_cluster).list_namespaced_config_map("default", **query)
        assert refused.value.status == 410


def test_what_the_cluster_does_not_know_is_refused(own_cluster: ThrowawayCluster, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not running"):
        own_cluster.command("crash", "controller-manager")
        own_cluster.command("crash", "controller-manager")
    own_cluster.command("resume", "controller-manager")
    with pytest.raises(RuntimeError, match="running already"):
        own_cluster.command("resume", "etcd")
    with pytest.raises(RuntimeError, match="unknown action"):
        own_cluster.command("crash", "kubelet")
    with pytest.raises(RuntimeError, match="no token for default/nobody"):
        own_cluster.token("default", "nobody")
    (tmp_path / "precious").write_text("data")
    with pytest.raises(RuntimeError, match="was not made by throwaway-cluster"):
        ThrowawayCluster.start(tmp_path)
    assert (tmp_path / "precious").exists()


def test_a_cluster_ends_with_the_process_that_wanted_it(own_cluster: ThrowawayCluster, tmp_path: Path) -> None:
    directory = tmp_path / "a second one beside the first"
    script = "import subprocess, sys; subprocess.run([*sys.argv[1:], '--with-parent'], check=True); print('up', flush=True); input()"
    wanting = subprocess.Popen([sys.executable, "-c", script, COMMAND, "start", directory], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert wanting.stdout.readline().strip() == str(directory / "kubeconfig")
    assert wanting.stdout.readline().strip() == "up"
    assert len(set(processes_of(directory)) - {wanting.pid}) == 4  # the supervisor and three programs
    wanting.kill()  # kill -9: nothing of its own can tidy up
    wanting.wait()
    eventually(lambda: not processes_of(directory), "the end of every process", within=20)
    assert core(own_cluster).list_namespace().items
    subprocess.run([COMMAND, "stop", directory], check=True)
    assert not directory.exists()


def test_nothing_outlives_a_killed_supervisor(own_cluster: ThrowawayCluster) -> None:
    # Last: the cluster is gone afterwards.
    supervisor = next(one for one in processes_of(own_cluster.directory)
                      if os.path.basename(os.readlink(f"/proc/{one}/exe")).startswith("python"))
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not processes_of(own_cluster.directory), "the end of every process", within=20)
    with pytest.raises(RuntimeError, match="no cluster runs in"):
        own_cluster.command("compact")
