#include "operator/jobs/pod_template.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

std::string laid(const char* given, const char* ours) {
  return lay_over(KubeObject::parse(given), KubeObject::parse(ours)).dump();
}

TEST(PodTemplate, WinsMemberByMember) {
  EXPECT_EQ(laid(R"({"a": {"x": 1}, "n": null})", R"({"a": {"x": 2, "y": 3}, "b": 4, "n": 5})"),
            R"({"a":{"x":1,"y":3},"b":4,"n":5})");
}

TEST(PodTemplate, JoinsContainersByNameAndTakesOtherListsWhole) {
  EXPECT_EQ(laid(R"({"containers": [{"name": "a", "image": "mine"}], "tolerations": [1]})",
                 R"({"containers": [{"name": "a", "image": "yours", "tty": true}, {"name": "b"}], "tolerations": [2]})"),
            R"({"containers":[{"image":"mine","name":"a","tty":true},{"name":"b"}],"tolerations":[1]})");
}

TEST(PodTemplate, TakesVariablesVolumesAndMountsWhole) {
  EXPECT_EQ(laid(R"({"env": [{"name": "A", "value": "1"}]})",
                 R"({"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "value": "2"}]})"),
            R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]})");
  EXPECT_EQ(laid(R"({"volumeMounts": [{"name": "mine", "mountPath": "/m"}]})",
                 R"({"volumeMounts": [{"name": "ours", "mountPath": "/m"}, {"name": "ours", "mountPath": "/n"}]})"),
            R"({"volumeMounts":[{"mountPath":"/m","name":"mine"},{"mountPath":"/n","name":"ours"}]})");
}

std::string refusal(const std::string& given, const PodTemplateRules& rules = {}) {
  const auto checked = check_template(KubeObject::parse(given), rules);
  return checked ? std::string() : checked.error().context;
}
std::string refusal_in_spec(const std::string& members) {
  return refusal(R"({"spec": {)" + members + "}}");
}
std::string refusal_in_container(const std::string& members) {
  return refusal_in_spec(R"("containers": [{"name": "athanor", )" + members + "}]");
}

TEST(PodTemplate, MaySetPlacementAndResources) {
  EXPECT_EQ(refusal(R"({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {
    "nodeSelector": {"pool": "batch"}, "tolerations": [], "affinity": {}, "topologySpreadConstraints": [],
    "priorityClassName": "batch", "imagePullSecrets": [{"name": "mirror"}], "runtimeClassName": "gvisor",
    "dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.1"]},
    "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "sql", "configMap": {"name": "sql"}}, {"name": "pod", "downwardAPI": {}}],
    "containers": [{"name": "athanor", "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}},
                    "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "sql", "mountPath": "/mnt/sql", "readOnly": true}]}]}})"),
            "");
}

TEST(PodTemplate, MayNotChangeWhatRunsAndWhatItCanReach) {
  const std::string spec = "spec.execution.podTemplate.spec.";
  EXPECT_EQ(refusal_in_spec(R"("hostNetwork": true)"), spec + "hostNetwork");
  EXPECT_EQ(refusal_in_spec(R"("hostNetwork": false)"), spec + "hostNetwork");
  EXPECT_EQ(refusal_in_spec(R"("securityContext": {})"), spec + "securityContext");
  EXPECT_EQ(refusal_in_spec(R"("nodeName": "n1")"), spec + "nodeName");
  EXPECT_EQ(refusal_in_spec(R"("aFieldOfLater": {})"), spec + "aFieldOfLater");
  EXPECT_EQ(refusal_in_spec(R"("initContainers": [])"), spec + "initContainers");
  EXPECT_EQ(refusal_in_spec(R"("volumes": [{"name": "host", "hostPath": {"path": "/"}}])"), spec + "volumes[0].hostPath");
  EXPECT_EQ(refusal_in_spec(R"("volumes": [{"name": "s", "secret": {"secretName": "stripe"}}])"), spec + "volumes[0].secret");
  EXPECT_EQ(refusal_in_spec(R"("volumes": [{"name": "athanor-source", "emptyDir": {}}])"), spec + "volumes[0].name");
  EXPECT_EQ(refusal_in_spec(R"("containers": [{"name": "proxy"}])"), spec + "containers[0]");
  EXPECT_EQ(refusal_in_spec(R"("containers": [{"name": "athanor"}, {"name": "athanor"}])"), spec + "containers[1]");
  EXPECT_EQ(refusal(R"({"spec": [], "metadata": {}})"), "spec.execution.podTemplate.spec");
  EXPECT_EQ(refusal(R"({"status": {}})"), "spec.execution.podTemplate.status");
  EXPECT_EQ(
      refusal(R"({"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/athanor": "unconfined"}}})"),
      "spec.execution.podTemplate.metadata.annotations.container.apparmor.security.beta.kubernetes.io/athanor");
}

TEST(PodTemplate, MaySetOnlyResourcesAndMountsOfTheContainer) {
  const std::string container = "spec.execution.podTemplate.spec.containers[0].";
  for (const char* const field : {"image", "command", "args", "envFrom", "securityContext", "lifecycle", "volumeDevices",
                                  "terminationMessagePath", "workingDir", "ports", "livenessProbe", "stdin"}) {
    EXPECT_EQ(refusal_in_container("\"" + std::string(field) + "\": null"), container + field);
  }
  EXPECT_EQ(refusal_in_container(R"("resources": {"claims": []})"), container + "resources.claims");
  const auto mount = [&](const std::string& path) {
    return refusal_in_container(R"("volumeMounts": [{"name": "scratch", "mountPath": ")" + path + R"("}])");
  };
  for (const char* const path :
       {"/usr/local/bin", "/run/athanor/migrations", "/dev", "/", "", "/mnt", "/mnt/../usr", "/tmpfs"}) {
    EXPECT_EQ(mount(path), container + "volumeMounts[0].mountPath") << path;
  }
  EXPECT_EQ(refusal_in_container(R"("volumeMounts": [{"name": "scratch", "mountPath": "/tmp", "subPath": "x"}])"),
            container + "volumeMounts[0].subPath");
}

TEST(PodTemplate, NamesAServiceAccountOnlyWhereTheOperatorAllowsIt) {
  const std::string given = R"({"spec": {"serviceAccountName": "iam", "automountServiceAccountToken": true}})";
  EXPECT_EQ(refusal(given), "spec.execution.podTemplate.spec.serviceAccountName");
  EXPECT_EQ(refusal(given, {{"iam"}, {}}), "");
  EXPECT_EQ(refusal(R"({"spec": {"automountServiceAccountToken": true}})", {{"iam"}, {}}),
            "spec.execution.podTemplate.spec.automountServiceAccountToken");
}

TEST(PodTemplate, SetsVariablesThatTheOperatorAllowsByName) {
  const PodTemplateRules rules{{}, {"TZ"}};
  const auto with = [&rules](const std::string& env) {
    return refusal(R"({"spec": {"containers": [{"name": "athanor", "env": )" + env + "}]}}", rules);
  };
  const std::string field = "spec.execution.podTemplate.spec.containers[0].env";
  EXPECT_EQ(with(R"([{"name": "TZ", "value": "UTC"}])"), "");
  EXPECT_EQ(with(R"([{"name": "LD_PRELOAD", "value": "/mnt/x.so"}])"), field + "[0].name");
  EXPECT_EQ(with(R"([{"name": "TZ", "valueFrom": {}}])"), field + "[0].valueFrom");
  EXPECT_EQ(with(R"-([{"name": "TZ", "value": "$(DATABASE_URL)"}])-"), field + "[0].value");
  EXPECT_EQ(with("{}"), field);
  for (const char* name : {"TZ", "HTTPS_PROXY", "my_name2"}) {
    EXPECT_TRUE(may_be_variable(name)) << name;
  }
  for (const char* name :
       {"", "PATH", "PGHOST", "DATABASE_URL", "LD_PRELOAD", "ATHANOR_X", "OPENSSL_CONF", "2A", "A B", "A=B"}) {
    EXPECT_FALSE(may_be_variable(name)) << name;
  }
}

TEST(JobFields, MaySayWhatATemplateMay) {
  const auto refused = [](const std::string& job, const PodTemplateRules& rules = {}) {
    const auto checked = check_job(KubeObject::parse(job), rules);
    return checked ? std::string() : checked.error().context;
  };
  EXPECT_EQ(
      refused(
          R"({"serviceAccountName": "iam", "imagePullSecrets": [{"name": "mirror"}], "resources": {"limits": {"memory": "1Gi"}},
                        "nodeSelector": {"pool": "batch"}, "tolerations": [], "env": [{"name": "TZ", "value": "UTC"}],
                        "volumes": [{"name": "scratch", "emptyDir": {}}], "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]})",
          {{"iam"}, {"TZ"}}),
      "");
  EXPECT_EQ(refused("{}"), "");
  EXPECT_EQ(refused(R"({"serviceAccountName": "iam"})"), "spec.execution.job.serviceAccountName");
  EXPECT_EQ(refused(R"({"env": [{"name": "TZ", "value": "UTC"}]})"), "spec.execution.job.env[0].name");
  EXPECT_EQ(refused(R"({"volumes": [{"name": "s", "secret": {}}]})"), "spec.execution.job.volumes[0].secret");
  EXPECT_EQ(refused(R"({"volumeMounts": [{"name": "s", "mountPath": "/usr"}]})"),
            "spec.execution.job.volumeMounts[0].mountPath");
  EXPECT_EQ(refused(R"({"resources": {"claims": []}})"), "spec.execution.job.resources.claims");
  EXPECT_EQ(refused(R"({"image": "mine"})"), "spec.execution.job.image");
}

TEST(JobDefaults, HaveTheFormOfTheJobOfAResource) {
  EXPECT_TRUE(
      parse_job_defaults(R"({"serviceAccountName": "iam", "volumes": [{"name": "s", "secret": {"secretName": "s"}}]})"));
  for (const char* bad : {"", "[]", "{", R"({"image": "x"})"}) {
    EXPECT_FALSE(parse_job_defaults(bad)) << bad;
  }
}

TEST(PodTemplate, ThatIsEmptyChangesNothing) {
  EXPECT_EQ(laid("{}", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(laid("null", R"({"a":1})"), R"({"a":1})");
}

}  // namespace
}  // namespace athanor::controller
