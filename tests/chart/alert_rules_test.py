"""The alerts and the dashboard of the chart: each alert fires when it should and at no other time, by promtool, and every metric that they name is one
that the operator serves."""
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from chart_tools import ROOT, Object, objects, one, template

SWITCHES = "prometheusRule.enabled=true,prometheusRule.backupMaxAge=86400,dashboard.enabled=true"
ORDERS = 'namespace="shop",name="orders"'
ALERTS = ["AthanorStalled", "AthanorApprovalRequired", "AthanorBehindTarget", "AthanorLockWait", "AthanorBackupOld", "AthanorBackupFailed", "AthanorApiErrors",
          "AthanorNoLeader"]


@pytest.fixture(scope="module")
def documents() -> list[Object]:
    return objects(template("--set", SWITCHES))


@pytest.fixture(scope="module")
def rules(documents: list[Object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(yaml.dump(one(documents, "PrometheusRule")["spec"]))
    return file


def series(**values: str) -> list[Object]:
    return [{"series": name, "values": run} for name, run in values.items()]


def leads(more: list[Object]) -> list[Object]:
    return [*more, {"series": 'leader_election_master_status{job="athanor",name="athanor-operator",pod="a"}', "values": "1x200"},
            {"series": 'leader_election_master_status{job="athanor",name="athanor-operator",pod="b"}', "values": "0x200"}]


# What is scraped each minute, and which alerts fire after so long.
CASES: list[tuple[str, dict[str, str], str, set[str]]] = [
    ("a fleet that is well", {f"athanor_stalled{{{ORDERS}}}": "0x200", f"athanor_ready{{{ORDERS}}}": "1x200", f"athanor_pending_revisions{{{ORDERS}}}": "0x200",
                              'rest_client_requests_total{job="athanor",code="200"}': "0+60x200",
                              'rest_client_requests_total{job="athanor",code="404"}': "0+60x200",
                              'athanor_backups_failed_total{job="athanor"}': "3x200"}, "3h", set()),
    ("stalled for four minutes", {f"athanor_stalled{{{ORDERS}}}": "0 0 1x200"}, "6m", set()),
    ("stalled", {f"athanor_stalled{{{ORDERS}}}": "0 0 1x200"}, "8m", {"AthanorStalled"}),
    ("stalled under two leaders", {f'athanor_stalled{{{ORDERS},pod="a"}}': "1 1 1 1 stale", f'athanor_stalled{{{ORDERS},pod="b"}}': "_ _ _ _ 1x20"}, "7m", {"AthanorStalled"}),
    ("waiting for an approval since lunch", {f'athanor_waiting{{{ORDERS},reason="ApprovalRequired"}}': "1x200", f"athanor_pending_revisions{{{ORDERS}}}": "2x200"},
     "61m", {"AthanorApprovalRequired"}),
    ("waiting for an approval a while", {f'athanor_waiting{{{ORDERS},reason="ApprovalRequired"}}': "1x200", f"athanor_pending_revisions{{{ORDERS}}}": "2x200"},
     "50m", set()),
    ("a window will open", {f'athanor_waiting{{{ORDERS},reason="OutsideWindow"}}': "1x200", f"athanor_pending_revisions{{{ORDERS}}}": "2x200"}, "3h", set()),
    ("behind the target", {f"athanor_pending_revisions{{{ORDERS}}}": "2x200", f'athanor_waiting{{{ORDERS},reason="DatabaseUnreachable"}}': "1x200"}, "31m",
     {"AthanorBehindTarget"}),
    ("a long run", {f"athanor_pending_revisions{{{ORDERS}}}": "2x25 0x200"}, "40m", set()),
    ("a lock held elsewhere", {f'athanor_waiting{{{ORDERS},reason="LockHeld"}}': "1x6 stale", f'athanor_waiting{{{ORDERS},reason="WaitingForLock"}}': "_x6 1x200"},
     "11m", {"AthanorLockWait"}),
    ("a lock for a moment", {f'athanor_waiting{{{ORDERS},reason="LockHeld"}}': "1x6 stale"}, "11m", set()),
    ("an old backup", {f"athanor_backup_timestamp_seconds{{{ORDERS}}}": "0x3000"}, "25h", {"AthanorBackupOld"}),
    ("a young backup", {f"athanor_backup_timestamp_seconds{{{ORDERS}}}": "0x3000"}, "23h", set()),
    ("a backup that failed", {'athanor_backups_failed_total{job="athanor"}': "0x30 1x200"}, "40m", {"AthanorBackupFailed"}),
    ("an API server that fails", {'rest_client_requests_total{job="athanor",code="200"}': "0+60x200", 'rest_client_requests_total{job="athanor",code="503"}': "0+3x200",
                                  'rest_client_requests_total{job="athanor",code="<error>"}': "0+3x200"}, "30m", {"AthanorApiErrors"}),
    ("somebody else's API requests", {'rest_client_requests_total{job="other",code="500"}': "0+60x200",
                                      'rest_client_requests_total{job="athanor",code="200"}': "0+60x200"}, "30m", set()),
]


def promtool(rules: Path, folder: Path, inputs: list[Object], after: str, firing: set[str]) -> subprocess.CompletedProcess[str]:
    """Fails unless exactly these alerts fire."""
    expected = [{"eval_time": after, "expr": 'sort_desc(count by (alertname) (ALERTS{alertstate="firing"}))',
                 "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)]}]
    test = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": expected}]}
    file = folder / "test.yaml"
    file.write_text(yaml.dump(test))
    return subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_alerts_fire_when_they_should(rules: Path, tmp_path: Path, case: tuple[str, dict[str, str], str, set[str]]) -> None:
    _, given, after, firing = case
    length = "x3000" if any(values.endswith("x3000") for values in given.values()) else "x200"
    inputs = [{**one_series, "values": one_series["values"].replace("x200", length)} for one_series in leads(series(**given))]
    done = promtool(rules, tmp_path, inputs, after, firing)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("statuses", [[], ["0x200", "0x200"]], ids=["nobody is scraped", "all stand by"])
def test_no_leader_is_an_alert(rules: Path, tmp_path: Path, statuses: list[str]) -> None:
    inputs = [{"series": f'leader_election_master_status{{job="athanor",pod="{pod}"}}', "values": values} for pod, values in enumerate(statuses)]
    inputs.append({"series": 'leader_election_master_status{job="other"}', "values": "1x200"})
    for after, firing in (("4m", set()), ("6m", {"AthanorNoLeader"})):
        done = promtool(rules, tmp_path, inputs, after, firing)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_proven_to_fire(documents: list[Object]) -> None:
    (group,) = one(documents, "PrometheusRule")["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == ALERTS
    assert set().union(*(case[3] for case in CASES)) | {"AthanorNoLeader"} == set(ALERTS)


def test_promtool_reports_nothing(rules: Path) -> None:
    done = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


METRIC = re.compile(r"\b(?:athanor|controller_runtime|workqueue|rest_client|leader_election|process)_[a-z_]+[a-z]\b")


def served() -> set[str]:
    """What the sources of the operator name, with what a histogram becomes."""
    names: set[str] = set()
    for file in (ROOT / "operator/serve").glob("*.cpp"):
        names |= {name for text in re.findall(r'"([a-z_]+)"', file.read_text()) for name in METRIC.findall(text)}
    return names | {f"{name}_{part}" for name in names for part in ("bucket", "sum", "count")}


def test_every_metric_is_one_that_the_operator_serves(documents: list[Object]) -> None:
    known = served()
    assert {"athanor_stalled", "athanor_waiting", "rest_client_requests_total", "athanor_lock_wait_seconds_bucket"} <= known
    rule = one(documents, "PrometheusRule")
    expressions = [entry["expr"] for group in rule["spec"]["groups"] for entry in group["rules"]]
    board = json.loads(one(documents, "ConfigMap", "athanor-dashboard")["data"]["athanor.json"])
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    expressions += [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    used = {name for expression in expressions for name in METRIC.findall(expression)}
    assert len(used) > 15 and used <= known, used - known


def test_reasons_in_alerts_are_reasons_of_a_status(documents: list[Object]) -> None:
    reasons = set(re.findall(r'std::string_view\("(\w+)"\)', (ROOT / "operator/api/condition.cpp").read_text()))
    named = {word for group in one(documents, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]
             for found in re.findall(r'reason=~?"([^"]+)"', rule["expr"]) for word in found.split("|")}
    assert named and named <= reasons


def test_panels_of_the_dashboard_do_not_overlap(documents: list[Object]) -> None:
    board = json.loads(one(documents, "ConfigMap", "athanor-dashboard")["data"]["athanor.json"])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_both_are_off_by_default() -> None:
    names = {(document["kind"], document["metadata"]["name"]) for document in objects(template())}
    assert not {("PrometheusRule", "athanor"), ("ConfigMap", "athanor-dashboard")} & names


def test_the_rules_name_the_job_that_a_pod_monitor_has() -> None:
    documents = objects(template("--set", "podMonitor.enabled=true,prometheusRule.enabled=true"))
    text = json.dumps(one(documents, "PrometheusRule"))
    name = one(documents, "PodMonitor")["metadata"]["name"]
    assert set(re.findall(r'job=\\"([^\\]*)\\"', text)) == {f"athanor-system/{name}"}
    documents = objects(template("--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true"))
    assert set(re.findall(r'job=\\"([^\\]*)\\"', json.dumps(one(documents, "PrometheusRule")))) == {one(documents, "ServiceMonitor")["metadata"]["name"]}
