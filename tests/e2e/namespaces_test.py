"""Namespaces that are selected by their labels."""
from collections.abc import Callable

from databases import Database
from declarations import Declarations, chain, condition, kstatus
from job_objects import stays
from operator_process import OperatorProcess


def label(declare: Declarations, value: str | None) -> None:
    declare.core.patch_namespace(declare.namespace, {"metadata": {"labels": {"athanor-test": value}}})


def test_only_resources_in_labelled_namespaces_are_served(start: Callable[..., OperatorProcess], declare: Declarations, database: Database) -> None:
    start("--leader-elect=false", "--resync=2s", f"--namespace-selector=athanor-test={declare.namespace}")
    orders = declare.migration(database.url, chain("a1"))
    stays(lambda: orders.read()["status"].get("observedGeneration", -1) == -1, "nothing is done", 3)
    label(declare, declare.namespace)
    orders.at("a1")

    label(declare, None)
    left = orders.because("NotSelected")
    assert condition(left, "Ready")["status"] == "Unknown" and kstatus(left) == "InProgress"
    assert "the labels of the namespace" in condition(left, "Ready")["message"]
    declare.change_config_map("orders", chain("a1", "a2"))
    assert orders.read()["status"]["currentRevision"] == "a1"

    label(declare, declare.namespace)
    orders.at("a2")
