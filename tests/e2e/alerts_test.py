"""The chart's alerts on a real Prometheus that scrapes the real operator: each state is an alert within two scrapes. How long a state must last is
left out here; tests/chart/alert_rules_test.py has that."""
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from databases import Database
from declarations import Declarations, chain, tools
from operator_process import ROOT, OperatorProcess, die_with_parent, free_port
from throwaway_cluster import eventually

LOCK = "1635018866, 1"
AT_ONCE = ",".join(f"prometheusRule.for.{name}=0s" for name in ("stalled", "approval", "behind", "lock", "api", "leader"))
SCRAPE = 1.0  # seconds

Object = dict[str, Any]


class Prometheus:
    def __init__(self, folder: Path, target: int) -> None:
        self.port = free_port()
        rendered = subprocess.run([tools() / "helm", "template", "athanor", ROOT / "charts/athanor", "-s", "templates/prometheusrule.yaml", "--set",
                                   f"image.repository=localhost/athanor,prometheusRule.enabled=true,prometheusRule.backupMaxAge=1,{AT_ONCE}"], capture_output=True, text=True, check=True).stdout
        (folder / "rules.yaml").write_text(yaml.dump(yaml.safe_load(rendered)["spec"]))
        (folder / "prometheus.yaml").write_text(yaml.dump({
            "global": {"scrape_interval": f"{SCRAPE:.0f}s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "athanor", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}]}))
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                                             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log, preexec_fn=die_with_parent)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    def firing(self) -> set[tuple[str, str]]:
        """Alerts and the resources that they are about."""
        try:
            return {(alert["labels"]["alertname"], alert["labels"].get("name", "")) for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"}
        except OSError:
            return set()

    def scraped(self) -> bool:
        try:
            return any(target["health"] == "up" for target in self.get("targets")["activeTargets"])
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def prometheus(operator: OperatorProcess, tmp_path: Path) -> Iterator[Prometheus]:
    running = Prometheus(tmp_path, operator.port)
    eventually(running.scraped, "Prometheus scrapes the operator", within=30)
    yield running
    running.stop()


def test_each_state_is_an_alert_within_two_scrapes(operator: OperatorProcess, prometheus: Prometheus, declare: Declarations, database: Database) -> None:
    def fires(alert: str, name: str = "orders") -> None:
        begun = time.monotonic()
        eventually(lambda: (alert, name) in prometheus.firing(), f"{alert} fires", within=20)
        print(f"{alert}: {time.monotonic() - begun:.1f} s")

    eventually(lambda: prometheus.firing() == set(), "the leader is scraped, and no alert fires", within=20)
    orders = declare.migration(database.url, chain("a1", "a2"), targetRevision="a1", backup={"when": "Always"})
    orders.at("a1")
    fires("AthanorBackupOld")  # after a second, here

    orders.patch(targetRevision="nosuch")
    orders.because("TargetNotFound")
    fires("AthanorStalled")

    orders.patch(targetRevision="a2", policy={"approval": "Always"})
    orders.because("ApprovalRequired")
    fires("AthanorApprovalRequired")
    eventually(lambda: ("AthanorStalled", "orders") not in prometheus.firing(), "a fixed resource no longer fires", within=20)
    assert ("AthanorBehindTarget", "orders") not in prometheus.firing()

    with database.lock(LOCK):
        orders.patch(policy={"approval": "Never"})
        orders.because("LockHeld")
        fires("AthanorLockWait")
        fires("AthanorBehindTarget")
    orders.at("a2")
    eventually(lambda: {alert for alert, _ in prometheus.firing()} <= {"AthanorBackupOld"}, "all is well again", within=20)


def test_a_backup_that_fails_is_an_alert(operator: OperatorProcess, prometheus: Prometheus, declare: Declarations, database: Database, namespace: str) -> None:
    eventually(lambda: prometheus.firing() == set(), "all is well", within=20)
    (operator.backups / namespace).write_text("in the way of the folder")
    declare.migration(database.url, chain("a1"), backup={"when": "Always"}).because("BackupFailed")
    eventually(lambda: ("AthanorBackupFailed", "") in prometheus.firing(), "AthanorBackupFailed fires", within=20)


def test_a_standby_alone_is_an_alert(operator: OperatorProcess, start: Callable[..., OperatorProcess], tmp_path: Path) -> None:
    eventually(operator.leads, "somebody else leads", within=30)
    standby = start()
    watched = Prometheus(tmp_path, standby.port)  # which does not see the one that leads
    try:
        eventually(lambda: ("AthanorNoLeader", "") in watched.firing(), "AthanorNoLeader fires", within=30)
        assert not standby.leads()
    finally:
        watched.stop()
