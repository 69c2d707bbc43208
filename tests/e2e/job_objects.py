"""Jobs, and what the operator makes for them, as a user finds them in a namespace."""
import time
from collections.abc import Callable

from declarations import Declarations
from kubernetes import client
from throwaway_cluster import eventually


def jobs_of(declare: Declarations) -> list[client.V1Job]:
    listed = client.BatchV1Api(declare.server.api()).list_namespaced_job(declare.namespace).items
    return sorted(listed, key=lambda job: (job.metadata.creation_timestamp, job.metadata.uid))


def the_job(declare: Declarations) -> client.V1Job:
    found = eventually(lambda: jobs_of(declare), "a Job is made", within=30)
    assert len(found) == 1, [job.metadata.name for job in found]
    return found[0]


def delete_job(declare: Declarations, job: client.V1Job) -> None:
    client.BatchV1Api(declare.server.api()).delete_namespaced_job(job.metadata.name, declare.namespace, propagation_policy="Background")


def end_its_time(declare: Declarations, job: client.V1Job) -> None:
    """A Job that has ended is kept for jobTTL: it is over in a second."""
    client.BatchV1Api(declare.server.api()).patch_namespaced_job(job.metadata.name, declare.namespace, {"spec": {"ttlSecondsAfterFinished": 1}})


def files_of(declare: Declarations) -> list[client.V1ConfigMap]:
    """The ConfigMaps that Jobs were handed their files in."""
    listed = declare.core.list_namespaced_config_map(declare.namespace, label_selector="athanor.dev/migration").items
    return sorted(listed, key=lambda made: made.metadata.name)


def stays(true_of: Callable[[], object], what: str, seconds: float = 5) -> None:
    """Two resyncs and more of the operator pass, and this stays true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert true_of(), what
        time.sleep(0.2)
