"""`helm upgrade --wait` with Helm 4, as docs/kubernetes.md promises: resources that wait for a person or a window are in progress until the timeout,
a rejected plan has failed at once, and what was waited for runs later all the same."""
import json
import subprocess
import time
from pathlib import Path

import pytest
from databases import Database
from declarations import GROUP, VERSION, Declarations, Migration, chain, tools
from kubernetes import client
from operator_process import OperatorProcess

DROPS = chain("a1", "a2", a2="DROP TABLE t_a1;")
CLOSED = {"windows": [{"schedule": "30 2 29 2 *", "duration": "1h"}]}


class Release:
    """A chart of one DatabaseMigration, whose target and whatever else are values."""

    def __init__(self, declare: Declarations, database: Database, folder: Path, files: dict[str, str]) -> None:
        self.declare = declare
        self.folder = folder
        declare.config_map("orders", files)
        declare.secret("orders", url=database.url)
        (folder / "templates").mkdir()
        (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
        body = declare.body("orders", "orders", "orders", {"MORE": True})  # JSON is YAML
        (folder / "templates/orders.yaml").write_text(json.dumps(body).replace('"MORE": true', "{{ range $key, $value := .Values.spec }}{{ $key | quote }}: "
                                                                              "{{ toJson $value }},{{ end }} \"dryRun\": false"))
        self.migration = Migration(declare.server, declare.namespace, "orders")

    def helm(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([tools() / "helm", "--kubeconfig", self.declare.server.kubeconfig, "-n", self.declare.namespace, *map(str, arguments)],
                              capture_output=True, text=True)

    def upgrade(self, timeout: str, *options: str, **spec: object) -> bool:
        done = self.helm("upgrade", "--install", "shop", self.folder, "--wait", "--timeout", timeout, "--set-json", f"spec={json.dumps(spec)}", *options)
        print(done.stdout, done.stderr)
        return done.returncode == 0

    def status(self) -> str:
        return json.loads(self.helm("status", "shop", "-o", "json").stdout)["info"]["status"]

    def decide(self, decision: str) -> None:
        plan = self.migration.read()["status"]["plan"]["approvalHash"]
        api = self.declare.server.api()
        who = client.AuthenticationV1Api(api).create_self_subject_review({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"})
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MigrationApproval", "metadata": {"name": decision.lower()},
                "spec": {"migration": "orders", "approvalHash": plan, "decision": decision, "approvedBy": who.status.user_info.username}}
        client.CustomObjectsApi(api).create_namespaced_custom_object(GROUP, VERSION, self.declare.namespace, "migrationapprovals", body)


@pytest.fixture
def release(declare: Declarations, database: Database, tmp_path: Path) -> Release:
    return Release(declare, database, tmp_path, DROPS)


ASKS = {"approval": "Destructive"}


def test_an_approval_after_the_timeout_is_enough_and_the_next_upgrade_finds_it(operator: OperatorProcess, release: Release, database: Database) -> None:
    assert release.upgrade("40s", targetRevision="a1", policy=ASKS)
    assert not release.upgrade("4s", targetRevision="a2", policy=ASKS)
    assert release.status() == "failed"
    release.migration.because("ApprovalRequired")
    assert database.revisions() == ["a1"]
    release.decide("Approve")
    release.migration.at("a2")
    assert release.upgrade("40s", targetRevision="a2", policy=ASKS)
    assert release.status() == "deployed"


def test_a_rollback_on_failure_withdraws_what_waits_for_its_approval(operator: OperatorProcess, release: Release, database: Database) -> None:
    assert release.upgrade("40s", targetRevision="a1", policy=ASKS)
    assert not release.upgrade("4s", "--rollback-on-failure", targetRevision="a2", policy=ASKS)
    assert release.status() == "deployed"
    release.migration.at("a1")
    assert database.revisions() == ["a1"] and database.tables() == {"t_a1"}


def test_a_rejected_plan_ends_the_wait_at_once(operator: OperatorProcess, release: Release, database: Database) -> None:
    assert release.upgrade("40s", targetRevision="a1", policy=ASKS)
    assert not release.upgrade("3s", targetRevision="a2", policy=ASKS)
    release.migration.because("ApprovalRequired")
    release.decide("Reject")
    release.migration.because("PlanRejected")
    begun = time.monotonic()
    assert not release.upgrade("60s", targetRevision="a2", policy=ASKS)
    assert time.monotonic() - begun < 30
    assert database.revisions() == ["a1"]


def test_a_closed_window_is_waited_for_and_a_suspended_resource_too(operator: OperatorProcess, release: Release, database: Database) -> None:
    assert not release.upgrade("4s", targetRevision="a1", execution=CLOSED)
    release.migration.because("OutsideWindow")
    assert not release.upgrade("4s", targetRevision="a1", suspend=True)
    release.migration.because("Suspended")
    assert database.revisions() == [] and release.status() == "failed"
    assert release.upgrade("40s", targetRevision="a1")
    assert database.revisions() == ["a1"] and release.status() == "deployed"
