"""What the chart renders, before anything is installed: linted, checked against the API's schemas, scored, and the same as its copies."""
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from chart_tools import CHART, CRDS, IMAGE, MANIFESTS, ROOT, SAMPLES, Object, crd, objects, one, template, tool, tools
from throwaway_cluster import ThrowawayCluster

EVERYTHING = json.dumps({
    "jobs": {"enabled": True, "variables": ["TZ"], "defaults": {"nodeSelector": {"pool": "batch"}, "env": [{"name": "A", "value": "$(B)"}]}, "sourceImages": ["registry.example.org/shop"]},
    "policy": {"minimum": {"approvals": 2}, "databaseHosts": ["*.db.svc", "10.0.0.7"], "sourceHosts": ["git.example.org"], "publishPlans": False, "requireSecretLabel": True},
    "quota": {"resources": 100, "backupSize": "20GiB", "configMapReads": 600, "repositorySize": "64MiB", "artifactSize": "32MiB", "cacheSize": "600MiB"},
    "databaseAuth": {"enabled": True, "endpoints": {"aws-sts": "https://vpce-1.sts.eu-central-1.vpce.amazonaws.com"}},
    "flux": {"enabled": True}, "backup": {"enabled": True},
    "metrics": {"authentication": True, "tlsSecret": "athanor-metrics"},
    "serviceMonitor": {"enabled": True, "labels": {"release": "p"}, "endpoint": {"tlsConfig": {"serverName": "athanor"}}},
    "prometheusRule": {"enabled": True, "backupMaxAge": 86400, "runbookURL": "https://wiki.example.org/athanor"}, "dashboard": {"enabled": True},
    "networkPolicy": {"enabled": True, "restrictEgress": True, "ingressFrom": [{"namespaceSelector": {}}], "egress": [{"ports": [{"port": 5432}]}]},
    "watch": {"scope": "Namespaces", "namespaces": ["shop", "warehouse"], "selector": "team in (a, b)"}, "commonLabels": {"team": "platform"},
    "imagePullSecrets": [{"name": "pull"}], "image": {"repository": "registry.example.org/athanor", "digest": "sha256:" + "0" * 64}, "serviceAccount": {"annotations": {"a": "b"}},
    "extraCA": {"configMap": "authorities", "key": "all.pem"}, "proxy": {"http": "http://plain:3128", "https": "http://proxy:3128", "noProxy": ".svc"},
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["db.example.org"]}], "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "extraEnv": [{"name": "TZ", "value": "UTC"}], "extraEnvFrom": [{"secretRef": {"name": "more"}}],
    "extraVolumes": [{"name": "sources", "emptyDir": {}}], "extraVolumeMounts": [{"name": "sources", "mountPath": "/sources", "readOnly": True}],
    "operator": {"sourceRoots": ["/sources"], "secretRoots": ["/run/secrets/db"], "extraArgs": ["--max-files=10"]},
    "nodeSelector": {"pool": "infra"}, "tolerations": [{"key": "infra", "operator": "Exists"}], "priorityClassName": "system-cluster-critical",
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}],
    "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}, "deploymentAnnotations": {"e": "f"}, "service": {"annotations": {"g": "h"}}})

VALUES = {
    "defaults": [],
    "everything": ["--values", "-"],
    "whole cluster": ["--set", "watch.scope=Cluster"],
    "labelled namespaces": ["--set", "watch.scope=Cluster,watch.namespaceSelector=athanor=yes,policy.namespaceLabels=false"],
    "one replica": ["--set", "replicaCount=1,leaderElection.enabled=false"],
    "next to nothing": ["--set", "crds.enabled=false,rbac.create=false,rbac.userRoles=false,serviceAccount.create=false,service.enabled=false,"
                                 "podDisruptionBudget.enabled=false"],
    "an NFS volume": ["--set-json", 'backup={"enabled":true,"volume":{"nfs":{"server":"nfs","path":"/dumps"}}}'],
    "a platform's user": ["--set", "runAsUser=null,runAsGroup=null"],
}


def rendered(name: str) -> str:
    if "-" not in VALUES[name]:
        return template(*VALUES[name])
    done = tool("helm", "template", "athanor", CHART, "--namespace", "athanor-system", *VALUES[name], stdin=EVERYTHING)
    assert done.returncode == 0, done.stderr
    return done.stdout


def arguments_of(documents: list[Object]) -> list[str]:
    return one(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]


def strict(schema: Object) -> Object:
    """The schema of a CRD with unknown fields refused, as the API server does under --validate=strict."""
    made = {name: strict(child) if isinstance(child, dict) and name == "items" else child for name, child in schema.items()}
    if "properties" in schema:
        made["properties"] = {name: strict(child) for name, child in schema["properties"].items()}
        made["additionalProperties"] = False
    return made


@pytest.fixture(scope="module")
def schemas(cluster: ThrowawayCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The API server's own kinds, and ours from the files in crds/, whether or not this cluster has them."""
    folder = tmp_path_factory.mktemp("schemas")
    made = subprocess.run([ROOT / "tests/cluster/api-schemas", cluster.directory, folder], capture_output=True, text=True, check=True)
    for plural in ("databasemigrations", "migrationapprovals"):
        spec = crd(plural)["spec"]
        for version in spec["versions"]:
            content = strict(version["schema"]["openAPIV3Schema"])
            content["properties"]["metadata"] = {"type": "object"}
            (folder / f"{spec['names']['kind'].lower()}-athanor-{version['name']}.json").write_text(json.dumps(content))
    return made.stdout.strip()


def conform(schemas: str, text: str) -> subprocess.CompletedProcess[str]:
    return tool("kubeconform", "-strict", "-summary", "-schema-location", schemas, "-skip", "PodMonitor,ServiceMonitor,PrometheusRule", stdin=text)  # not of this API


@pytest.mark.parametrize("name", VALUES)
def test_the_chart_conforms_to_the_schemas_of_the_api(schemas: str, name: str) -> None:
    done = conform(schemas, rendered(name))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Errors: 0" in done.stdout and "Invalid: 0" in done.stdout


def test_samples_and_manifests_conform_to_the_schemas(schemas: str) -> None:
    for file in (*SAMPLES.glob("*.yaml"), *MANIFESTS.glob("*.yaml")):
        done = conform(schemas, file.read_text())
        assert done.returncode == 0, f"{file.name}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("kind, spec", [
    ("apps/v1 Deployment", "{selector: {}, template: {spec: {containers: [{name: a, imag: c}]}}}"),
    ("athanor.dev/v1alpha1 DatabaseMigration", "{database: {url: a}, source: {configMaps: [{nam: a}]}}"),
    ("athanor.dev/v1alpha1 MigrationApproval", "{migration: a, approvalHash: b}")])
def test_the_schemas_would_notice_a_fault(schemas: str, kind: str, spec: str) -> None:
    api_version, name = kind.split()
    done = conform(schemas, f"apiVersion: {api_version}\nkind: {name}\nmetadata: {{name: a}}\nspec: {spec}\n")
    assert done.returncode != 0 and "Invalid: 1" in done.stdout


def test_helm_lint_finds_nothing(tmp_path: Path) -> None:
    everything = tmp_path / "values.yaml"
    everything.write_text(EVERYTHING)
    for values in (IMAGE, ["--values", everything]):
        done = tool("helm", "lint", "--strict", CHART, *values)
        assert done.returncode == 0, done.stdout + done.stderr
        complaints = [line for line in done.stdout.splitlines() if line.startswith("[") and "icon is recommended" not in line]
        assert complaints == []


# What kube-score asks for and the chart does not do, each with its reason.
NOT_DONE = {
    "container-image-pull-policy": "tags of releases are never moved, and a digest can be given",
    "container-resources": "no CPU limit: throttling in the middle of a migration holds locks for longer; the rest is checked below",
}


def score(text: str, *ignored: str) -> list[str]:
    options = [option for test in ignored for option in ("--ignore-test", test)]
    done = tool("kube-score", "score", "-", "--output-format", "ci", *options, stdin=text)
    return [line for line in done.stdout.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]


@pytest.mark.parametrize("name", ["defaults", "everything"])
def test_kube_score_finds_nothing_but_what_is_decided(name: str) -> None:
    # What the operator may reach is for the cluster's people to say; what reaches it is restricted by default.
    switches = ["pod-networkpolicy"] if name == "defaults" else []
    hooks = [document for document in objects(rendered(name)) if "helm.sh/hook" in document["metadata"].get("annotations", {})]
    rest = [document for document in objects(rendered(name)) if document not in hooks]
    assert score(yaml.dump_all(rest), *NOT_DONE, *switches) == []
    assert score(yaml.dump_all(hooks), *NOT_DONE, "pod-networkpolicy") == []  # a test's pod comes and goes


def test_every_decision_about_kube_score_is_still_needed() -> None:
    everything = rendered("everything")
    for test in NOT_DONE:
        others = [other for other in NOT_DONE if other != test]
        assert score(everything, *others), f"kube-score is content without ignoring {test}"


@pytest.mark.parametrize("name", ["defaults", "everything"])
def test_containers_are_bounded_in_all_but_processor_time(name: str) -> None:
    for document in objects(rendered(name)):
        if document["kind"] in ("Deployment", "Pod"):
            pod = document["spec"].get("template", document)["spec"]
            for container in pod["containers"]:
                assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"]["requests"].keys()
                assert {"memory", "ephemeral-storage"} == container["resources"]["limits"].keys()
                assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("option, message", [
    ("imagge.tag=1", "additional properties 'imagge' not allowed"), ("image.tga=1", "additional properties 'tga' not allowed"),
    ("operator.wrokers=1", "additional properties 'wrokers' not allowed"), ("operator.workers=0", "minimum: got 0, want 1"),
    ("watch.scope=Everything", "value must be one of 'Cluster', 'Namespaces', 'OwnNamespace'"), ("replicaCount=two", "got string, want integer"),
    ("operator.logLevel=loud", "value must be one of"), ("image.digest=abc", "does not match pattern"), ("backup.root=relative", "does not match pattern"),
    ("operator.resync=5", "operator/resync"), ("watch.namespaces={Shop}", "does not match pattern"),
    ("leaderElection.enabled=false", "replicaCount must be 1 without leaderElection.enabled"), ("watch.scope=Namespaces", "watch.scope Namespaces needs watch.namespaces"),
    ("watch.namespaceSelector=a=b", "watch.namespaceSelector needs watch.scope Cluster, not OwnNamespace"),
    ("watch.namespaces={shop}", "watch.namespaces needs watch.scope Namespaces, not OwnNamespace"),
    ("podMonitor.enabled=true,serviceMonitor.enabled=true", "only one of serviceMonitor.enabled and podMonitor.enabled"),
    ("policy.databaseHosts={a*}", "does not match pattern"), ("policy.sourceHosts={https://git.example.org}", "does not match pattern"),
    ("jobs.defaults.image=x", "additional properties 'image' not allowed"), ("jobs.variables={A=B}", "does not match pattern"),
    ("image.repository=", "image.repository is required"), ("image.repository=athanor", "athanor would be pulled from docker.io"),
    ("image.repository=shop/athanor", "shop/athanor would be pulled from docker.io"), ("image.repository=localhost/athanor:1", "does not match pattern"),
    ("global.imageRegistry=https://m.io", "does not match pattern"), ("podMonitor.endpoint.interval=5s", "invalid propertyName 'interval'"),
    ("jobs.enabled=true,jobs.image=athanor:1", "jobs.image has no registry, so athanor:1 would be pulled from docker.io"),
    ("serviceMonitor.enabled=true,service.enabled=false", "serviceMonitor.enabled needs service.enabled")])
def test_a_value_is_refused(option: str, message: str) -> None:
    done = tool("helm", "template", "athanor", CHART, *IMAGE, "--set", option)
    assert done.returncode != 0 and message in done.stderr, done.stderr


def test_the_schema_of_the_values_knows_every_value_and_no_other() -> None:
    def compare(values: Object, schema: Object, path: str) -> None:
        if schema.get("additionalProperties") is not False:
            return
        known = set(schema["properties"])
        # Probes take more fields than the values set.
        missing = set() if "Probe" in path or path.endswith("resources") else known - set(values)
        assert set(values) - known == set() and missing == set(), path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(value, schema["properties"][name], f"{path}.{name}")

    compare(yaml.safe_load((CHART / "values.yaml").read_text()), json.loads((CHART / "values.schema.json").read_text()), "values")


def test_every_value_is_in_the_readme() -> None:
    page = (CHART / "README.md").read_text()

    def visit(values: Object, path: str) -> None:
        for name, value in values.items():
            here = f"{path}.{name}" if path else name
            if isinstance(value, dict) and value and not here.endswith(("resources", "Probe")):
                visit(value, here)
            else:
                assert f"`{here}`" in page, f"{here} is not in the README"

    visit(yaml.safe_load((CHART / "values.yaml").read_text()), "")


def test_the_crds_in_the_chart_are_those_of_the_project(tmp_path: Path) -> None:
    subprocess.run([ROOT / "charts/copy-crds", tmp_path], check=True)
    copies = CHART / "templates/crds"
    assert {file.name for file in copies.iterdir()} == {file.name for file in tmp_path.iterdir()}
    for file in tmp_path.iterdir():
        assert (copies / file.name).read_text() == file.read_text(), f"{file.name} is out of date: run `make chart`"


def test_the_crds_come_out_of_helm_as_they_are() -> None:
    out = {(document["kind"], document["metadata"]["name"]): document for document in objects(rendered("defaults"))}
    for file in CRDS.glob("*.yaml"):
        for document in objects(file.read_text()):
            found = out[document["kind"], document["metadata"]["name"]]
            assert found["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
            assert found == document


def test_the_rendered_manifests_are_those_of_the_chart(tmp_path: Path) -> None:
    subprocess.run([MANIFESTS / "render", tools() / "helm", tmp_path], check=True)
    assert {file.name for file in MANIFESTS.glob("*.yaml")} == {file.name for file in tmp_path.iterdir()}
    for file in tmp_path.iterdir():
        assert (MANIFESTS / file.name).read_text() == file.read_text(), f"{file.name} is out of date: run `make manifests`"


def test_the_examples_of_the_package_page_are_good(schemas: str) -> None:
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    examples = yaml.safe_load(annotations["artifacthub.io/crdsExamples"])
    done = conform(schemas, yaml.dump_all(examples))
    assert done.returncode == 0, done.stdout
    listed = {entry["name"] for entry in yaml.safe_load(annotations["artifacthub.io/crds"])}
    assert listed == {objects(file.read_text())[0]["metadata"]["name"] for file in CRDS.glob("athanor.dev_*.yaml")}


def test_chart_and_programs_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    built = re.search(r"project\(athanor VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    assert built and chart["version"] == chart["appVersion"] == built.group(1)


def test_the_deployment_follows_the_values() -> None:
    assert arguments_of(objects(rendered("whole cluster"))) == [
        "--kube", "--leader-elect=true", "--lease-name=athanor", "--lease-namespace=athanor-system", "--workers=8", "--per-server=8", "--grace-period=290s",
        "--resync=5m", "--resyncs-per-second=2", "--listen=0.0.0.0:8080", "--cache=/var/cache/athanor", "--minimum-approval=Destructive",
        "--minimum-approvals=1", "--minimum-backup=Never", "--default-ssl-mode=verify-full", "--inline-passwords=refuse", "--namespace-labels", "--publish-plans=true",
        "--max-repository-size=512MiB", "--max-artifact-size=256MiB", "--max-file-size=16MiB", "--max-source-size=256MiB", "--log-level=info"]
    assert arguments_of(objects(rendered("everything"))) == [
        "--kube", "--watch-namespaces=shop,warehouse", "--selector=team in (a, b)", "--leader-elect=true", "--lease-name=athanor",
        "--lease-namespace=athanor-system", "--workers=8", "--per-server=8", "--grace-period=290s", "--resync=5m", "--resyncs-per-second=2",
        "--listen=0.0.0.0:8080", "--tls-cert-file=/etc/athanor/tls/tls.crt", "--tls-private-key-file=/etc/athanor/tls/tls.key", "--metrics-authentication",
        "--cache=/var/cache/athanor", "--source-root=/sources", "--secret-root=/run/secrets/db", "--backup-root=/var/lib/athanor/backups",
        "--job-image=registry.example.org/athanor@sha256:" + "0" * 64, "--job-variable=TZ",
        '--job-defaults={"env":[{"name":"A","value":"$$(B)"}],"nodeSelector":{"pool":"batch"}}', "--source-image=registry.example.org/shop",
        "--database-host=*.db.svc", "--database-host=10.0.0.7", "--source-host=git.example.org", "--extra-ca-file=/etc/athanor/ca/all.pem",
        "--minimum-approval=Destructive", "--minimum-approvals=2", "--minimum-backup=Never", "--default-ssl-mode=verify-full", "--inline-passwords=refuse", "--publish-plans=false",
        "--require-secret-label", "--database-auth", "--cloud-endpoint=aws-sts=https://vpce-1.sts.eu-central-1.vpce.amazonaws.com", "--max-resources=100", "--max-backup-size=20GiB", "--max-config-map-reads=600", "--max-repository-size=64MiB",
        "--max-artifact-size=32MiB", "--max-cache-size=600MiB", "--max-file-size=16MiB", "--max-source-size=256MiB", "--log-level=info", "--max-files=10"]
    labelled = objects(rendered("labelled namespaces"))
    assert "--namespace-selector=athanor=yes" in arguments_of(labelled)
    assert {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]} in one(labelled, "ClusterRole", "athanor")["rules"]
    assert "--watch-namespaces=athanor-system" in arguments_of(objects(rendered("defaults")))
    assert "--leader-elect=false" in arguments_of(objects(rendered("one replica")))


@pytest.mark.parametrize("values, image", [
    ("image.repository=registry.example.org:5000/a/athanor", "registry.example.org:5000/a/athanor:0.1.0"), ("image.repository=localhost/athanor,image.tag=dev", "localhost/athanor:dev"),
    ("image.repository=athanor,global.imageRegistry=mirror.example.org/x/", "mirror.example.org/x/athanor:0.1.0"),
    ("image.repository=registry.example.org/a/athanor,global.imageRegistry=mirror.example.org", "mirror.example.org/a/athanor:0.1.0")])
def test_the_image_is_of_the_registry_that_was_named(values: str, image: str) -> None:
    documents = objects(template("--set", values))
    pods = [one(documents, "Deployment")["spec"]["template"]["spec"], one(documents, "Pod", "athanor-test")["spec"]]
    assert [pod["containers"][0]["image"] for pod in pods] == [image, image]


def test_containers_of_others_run_before_and_beside_the_operator(schemas: str) -> None:
    proxy = {"name": "proxy", "image": "registry.example.org/proxy:1", "restartPolicy": "Always"}
    text = template("--set-json", json.dumps({"initContainers": [proxy], "extraContainers": [{"name": "beside", "image": "registry.example.org/beside:1"}]}))
    assert conform(schemas, text).returncode == 0
    pod = one(objects(text), "Deployment")["spec"]["template"]["spec"]
    assert pod["initContainers"] == [proxy]
    assert [container["name"] for container in pod["containers"]] == ["operator", "beside"]


def test_a_proxy_reaches_the_operator() -> None:
    pod = one(objects(rendered("everything")), "Deployment")["spec"]["template"]["spec"]
    variables = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert (variables["HTTP_PROXY"], variables["HTTPS_PROXY"], variables["NO_PROXY"]) == ("http://plain:3128", "http://proxy:3128", ".svc")
    assert pod["hostAliases"][0]["ip"] == "10.0.0.9" and pod["dnsConfig"]["options"][0]["name"] == "ndots"


def test_certificate_authorities_reach_the_operator() -> None:
    pod = one(objects(rendered("everything")), "Deployment")["spec"]["template"]["spec"]
    assert {"name": "extra-ca", "configMap": {"name": "authorities"}} in pod["volumes"]
    assert {"name": "extra-ca", "mountPath": "/etc/athanor/ca", "readOnly": True} in pod["containers"][0]["volumeMounts"]


def test_pods_are_scraped_without_a_service() -> None:
    documents = objects(template("--set", "podMonitor.enabled=true,service.enabled=false,metrics.tlsSecret=tls,podMonitor.labels.release=p"))
    monitor = one(documents, "PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "p"
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["scheme"], endpoint["honorLabels"]) == ("http", "https", True)
    labels = one(documents, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_charts_are_packages(tmp_path: Path) -> None:
    subprocess.run([ROOT / "charts/package", tools() / "helm", tmp_path], check=True, capture_output=True)
    assert {file.name for file in tmp_path.iterdir()} == {"athanor-0.1.0.tgz", "athanor-gate-0.1.0.tgz"}
    done = tool("helm", "template", "athanor", tmp_path / "athanor-0.1.0.tgz", "--namespace", "athanor-system", *IMAGE)
    assert objects(done.stdout) == objects(template())


def test_an_image_is_built_for_every_platform_that_is_named(tmp_path: Path) -> None:
    engine = tmp_path / "buildah"
    engine.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n')
    engine.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ENGINE": "buildah", "PLATFORMS": "linux/amd64,linux/arm64", "PUSH": "1"}
    subprocess.run([ROOT / "deploy/image/build-platforms", "registry.example.org/athanor:1"], check=True, env=environment)
    removed, built, pushed = (tmp_path / "calls").read_text().splitlines()
    assert removed == "manifest rm registry.example.org/athanor:1"
    assert built.startswith("build --platform linux/amd64,linux/arm64 --manifest registry.example.org/athanor:1 --build-arg VERSION=0.1.0 ")
    assert pushed == "manifest push --all registry.example.org/athanor:1 docker://registry.example.org/athanor:1"


def test_a_single_replica_can_be_drained() -> None:
    budget = one(objects(template("--set", "replicaCount=1")), "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1 and "minAvailable" not in budget


def test_a_running_migration_gets_time_to_end() -> None:
    assert one(objects(rendered("defaults")), "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 300


def test_dumps_outlive_the_release() -> None:
    claim = one(objects(rendered("everything")), "PersistentVolumeClaim", "athanor-backups")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_nothing_comes_in_but_to_the_port_of_metrics_and_health() -> None:
    policy = one(objects(rendered("defaults")), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]


def test_with_tls_probes_and_scrapers_use_it() -> None:
    documents = objects(rendered("everything"))
    container = one(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"
    endpoint = one(documents, "ServiceMonitor")["spec"]["endpoints"][0]
    assert endpoint["scheme"] == "https" and endpoint["tlsConfig"] == {"serverName": "athanor"}
