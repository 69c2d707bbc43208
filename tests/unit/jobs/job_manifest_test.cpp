#include "operator/jobs/job_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "migrations/base/sha256.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Kind = SecretReference::Kind;

const std::string kAttempt = sha256_hex("attempt").substr(0, 40);
const std::string kHash(64, 'a');

DatabaseMigration orders() {
  DatabaseMigration resource;
  resource.metadata.name = "orders";
  resource.metadata.name_space = "shop";
  resource.metadata.uid = "u-1";
  resource.metadata.generation = 3;
  resource.spec.database.url_from = SecretReference{Kind::SecretKey, "orders-db", "url"};
  resource.spec.source.config_maps = {"orders-1", "orders-2"};
  resource.spec.execution.mode = ExecutionMode::Job;
  return resource;
}

Plan upgrade() {
  Plan plan;
  plan.hash = kHash;
  plan.target = "head";
  return plan;
}

JobRequest request_for(const Plan* plan) {
  return {kAttempt, "declared", plan, {"a1", "b\"1"}};
}

JobFiles files_of(const DatabaseMigration& resource) {
  return JobFiles::pack(resource, sketch::snapshot(sketch::line()).get(), "orders-files").value();
}

KubeObject manifest_of(const DatabaseMigration& resource) {
  Plan plan = upgrade();
  plan.target = resource.spec.target_revision;
  auto manifest = job_manifest(resource, request_for(&plan), {"athanor:1"}, files_of(resource));
  EXPECT_TRUE(manifest) << manifest.error().describe();
  return manifest.value_or(KubeObject());
}

KubeObject pod_of(const DatabaseMigration& resource) {
  return manifest_of(resource)["spec"]["template"]["spec"];
}

std::vector<std::string> arguments_of(const DatabaseMigration& resource) {
  return pod_of(resource)["containers"][0]["args"].get<std::vector<std::string>>();
}

// The value of a variable, or "name/key" of the Secret it comes from.
std::map<std::string, std::string> environment_of(const DatabaseMigration& resource) {
  std::map<std::string, std::string> all;
  const KubeObject pod = pod_of(resource);
  for (const auto& variable : pod["containers"][0]["env"]) {
    const auto name = variable["name"].get<std::string>();
    if (variable.contains("value")) {
      all[name] = variable["value"].get<std::string>();
    } else {
      const auto& secret = variable["valueFrom"]["secretKeyRef"];
      all[name] = secret["name"].get<std::string>() + "/" + secret["key"].get<std::string>();
    }
  }
  return all;
}

Error refusal_of(const DatabaseMigration& resource) {
  Plan plan = upgrade();
  plan.target = resource.spec.target_revision;
  const auto manifest = job_manifest(resource, request_for(&plan), {"athanor:1"});
  return manifest ? Error(ErrorCode::Internal, "not refused") : manifest.error();
}

const JobOptions kWithImages{"athanor:1", {}, {"images.example.org"}};

TEST(JobManifest, MatchesTheReferenceForConfigMapsAndAUrl) {
  const std::string golden = R"({
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
      "name": "NAME",
      "namespace": "shop",
      "annotations": {"athanor.dev/plan": "HASH", "athanor.dev/revisions": "0", "athanor.dev/from": "[\"a1\",\"b\\\"1\"]",
                      "athanor.dev/declaration": "declared", "athanor.dev/generation": "3",
                      "athanor.dev/files": "orders-files-1"},
      "labels": {"app.kubernetes.io/managed-by": "athanor-operator", "athanor.dev/attempt": "ATTEMPT",
                 "athanor.dev/migration": "orders"},
      "ownerReferences": [{"apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "name": "orders", "uid": "u-1",
                           "controller": true, "blockOwnerDeletion": true}]
    },
    "spec": {
      "backoffLimit": 0,
      "ttlSecondsAfterFinished": 3600,
      "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
      "template": {
        "metadata": {"labels": {"app.kubernetes.io/managed-by": "athanor-operator", "athanor.dev/attempt": "ATTEMPT",
                                "athanor.dev/migration": "orders"}},
        "spec": {
          "restartPolicy": "Never",
          "automountServiceAccountToken": false,
          "enableServiceLinks": false,
          "terminationGracePeriodSeconds": 300,
          "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
          "volumes": [{"name": "athanor-source", "projected": {"sources": [{"configMap": {"name": "orders-files-1"}}]}}],
          "containers": [{
            "name": "athanor",
            "image": "athanor:1",
            "command": ["athanor"],
            "args": ["upgrade", "--json", "--report=/dev/termination-log", "--plan-hash=HASH",
                     "--migrations=/run/athanor/migrations", "--set=version_table=alembic_version", "--set=lock_wait=600000ms",
                     "--set=lock_timeout=2000ms", "--set=lock_retry_budget=600000ms", "--set=statement_timeout=0ms",
                     "--set=application_name=athanor-job", "--set=header_cache=false", "--", "head"],
            "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "orders-db", "key": "url"}}},
                    {"name": "ATHANOR_UNVERIFIED_REQUIRE_AUTH", "value": "!password,!md5"},
                    {"name": "USER", "value": "databasemigration/shop/orders"}],
            "volumeMounts": [{"name": "athanor-source", "mountPath": "/run/athanor/migrations", "readOnly": true}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "privileged": false,
                                "readOnlyRootFilesystem": true, "runAsNonRoot": true,
                                "seccompProfile": {"type": "RuntimeDefault"}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "FallbackToLogsOnError"
          }]
        }
      }
    }
  })";
  std::string expected = golden;
  const auto put = [&expected](const std::string& mark, const std::string& text) {
    for (std::size_t at = expected.find(mark); at != std::string::npos; at = expected.find(mark, at + text.size())) {
      expected.replace(at, mark.size(), text);
    }
  };
  put("NAME", job_name(orders(), kAttempt));
  put("HASH", kHash);
  put("ATTEMPT", kAttempt.substr(0, 40));
  EXPECT_EQ(manifest_of(orders()), KubeObject::parse(expected)) << manifest_of(orders()).dump(2);
}

TEST(JobManifest, NamesJobsAfterResourceAndAttempt) {
  DatabaseMigration resource = orders();
  const std::string name = job_name(resource, kAttempt);
  EXPECT_THAT(name, MatchesRegex("orders-[0-9a-f]{10}"));
  EXPECT_EQ(job_name(resource, kAttempt), name);
  EXPECT_NE(job_name(resource, "other"), name);
  resource.metadata.uid = "u-2";
  EXPECT_NE(job_name(resource, kAttempt), name) << "a resource that was made again has Jobs of its own";
  resource.metadata.name = std::string(39, 'x') + ".y" + std::string(200, 'z');
  EXPECT_THAT(job_name(resource, kAttempt), MatchesRegex("x{39}-[0-9a-f]{10}"));
  EXPECT_EQ(migration_label("orders"), "orders");
  EXPECT_LE(migration_label(resource.metadata.name).size(), 63U);
  EXPECT_NE(migration_label(resource.metadata.name), migration_label(resource.metadata.name + "z"));
}

TEST(JobManifest, TakesPartsOfTheDatabaseFromTheSameSecrets) {
  DatabaseMigration resource = orders();
  DatabaseSpec& database = resource.spec.database;
  database = DatabaseSpec();
  database.host = "db.example.org";
  database.name = "orders";
  database.user_from = SecretReference{Kind::SecretKey, "orders-db", "user"};
  database.password_from = SecretReference{Kind::SecretKey, "orders-db", "password"};
  database.ssl_mode = "require";
  const auto environment = environment_of(resource);
  EXPECT_EQ(environment.at("ATHANOR_DATABASE_HOST"), "db.example.org");
  EXPECT_EQ(environment.at("ATHANOR_DATABASE_PORT"), "5432");
  EXPECT_EQ(environment.at("ATHANOR_DATABASE_USER"), "orders-db/user");
  EXPECT_EQ(environment.at("ATHANOR_DATABASE_PASSWORD"), "orders-db/password");
  EXPECT_EQ(environment.at("PGSSLMODE"), "require");
  EXPECT_EQ(environment.count("DATABASE_URL"), 0U);
}

TEST(JobManifest, MountsCertificatesForItsOwnUserOnly) {
  DatabaseMigration resource = orders();
  resource.spec.database.root_certificate_from = SecretReference{Kind::SecretKey, "ca", "bundle"};
  resource.spec.database.client_certificate_from = SecretReference{Kind::SecretKey, "client", "tls.crt"};
  resource.spec.database.client_key_from = SecretReference{Kind::SecretKey, "client", "tls.key"};
  const KubeObject pod = pod_of(resource);
  EXPECT_EQ(pod["securityContext"]["fsGroup"], 65'532);
  EXPECT_EQ(pod["volumes"][1]["projected"]["defaultMode"], 0440);
  EXPECT_EQ(pod["volumes"][1]["projected"]["sources"][2],
            KubeObject::parse(R"({"secret": {"name": "client", "items": [{"key": "tls.key", "path": "tls.key"}]}})"));
  const auto environment = environment_of(resource);
  EXPECT_EQ(environment.at("PGSSLMODE"), "verify-full");
  EXPECT_EQ(environment.at("PGSSLROOTCERT"), "/run/athanor/tls/ca.crt");
  EXPECT_EQ(environment.at("PGSSLKEY"), "/run/athanor/tls/tls.key");
}

TEST(JobManifest, CopiesNoPasswordAndNoFileOfTheOperator) {
  DatabaseMigration resource = orders();
  resource.spec.database.url_from.reset();
  for (const char* const url :
       {"postgresql://app:hunter2@db/app", "postgresql://db/app?user=u&password=hunter2", "host=db password=hunter2"}) {
    resource.spec.database.url = url;
    const Error error = refusal_of(resource);
    EXPECT_EQ(error.code, ErrorCode::Configuration) << url;
    EXPECT_EQ(error.context, "spec.database.url");
    EXPECT_THAT(error.describe() + error.hint, Not(HasSubstr("hunter2")));
  }
  resource.spec.database.url = "postgresql://app@db:5432,other:5432/app";
  EXPECT_EQ(environment_of(resource).at("DATABASE_URL"), resource.spec.database.url);
  resource.spec.database = DatabaseSpec();
  resource.spec.database.host = "db";
  resource.spec.database.password = "hunter2";
  EXPECT_EQ(refusal_of(resource).context, "spec.database.password");
  resource.spec.database.password.clear();
  resource.spec.database.password_from = SecretReference{Kind::File, "/secrets/password", ""};
  EXPECT_EQ(refusal_of(resource).context, "spec.database.passwordFrom");
}

TEST(JobManifest, LetsKubernetesExpandNothingThatTheResourceSays) {
  DatabaseMigration resource = orders();
  resource.spec.database.role = "$(DATABASE_URL)";
  resource.spec.database.url_from.reset();
  resource.spec.database.host = "$(HOME)";
  EXPECT_THAT(arguments_of(resource), Contains("--set=role=$$(DATABASE_URL)"));
  EXPECT_EQ(environment_of(resource).at("ATHANOR_DATABASE_HOST"), "$$(HOME)");
}

TEST(JobManifest, RunsInTheSchemaAndUnderTheTimesOfTheResource) {
  DatabaseMigration resource = orders();
  resource.spec.database.schema = "Sales";
  resource.spec.database.version_table = "versions";
  resource.spec.database.role = "owner";
  resource.spec.execution.lock_wait = milliseconds(5'000);
  resource.spec.execution.lock_retry_budget = milliseconds(1'000);
  resource.spec.execution.statement_timeout = milliseconds(1'500);
  resource.spec.execution.active_deadline = milliseconds(90'500);
  resource.spec.execution.job_ttl = milliseconds(0);
  resource.spec.target_revision = "billing@head";
  const auto arguments = arguments_of(resource);
  EXPECT_THAT(arguments, Contains("--set=version_table_schema=Sales"));
  EXPECT_THAT(arguments, Contains("--set=search_path=\"Sales\", public"));
  EXPECT_THAT(arguments, Contains("--set=version_table=versions"));
  EXPECT_THAT(arguments, Contains("--set=role=owner"));
  EXPECT_THAT(arguments, Contains("--set=lock_wait=5000ms"));
  EXPECT_THAT(arguments, Contains("--set=statement_timeout=1500ms"));
  EXPECT_EQ(arguments.back(), "billing@head");
  const KubeObject spec = manifest_of(resource)["spec"];
  EXPECT_EQ(spec["activeDeadlineSeconds"], 91);
  EXPECT_EQ(spec["ttlSecondsAfterFinished"], 60) << "its end must be seen";
}

// To a pod that is handed the ledger's texts beside the files, `head` would mean the newest of both.
TEST(JobManifest, RunsInTheDirectionAndToTheTargetOfThePlan) {
  Plan plan = upgrade();
  plan.operation = Direction::Downgrade;
  plan.target = "a1";
  const DatabaseMigration resource = orders();
  const auto manifest = job_manifest(resource, request_for(&plan), {"athanor:1"}, files_of(resource));
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const KubeObject& arguments = (*manifest)["spec"]["template"]["spec"]["containers"][0]["args"];
  EXPECT_EQ(arguments.front(), "downgrade");
  EXPECT_EQ(arguments.back(), "a1");
}

TEST(JobManifest, MountsAnImageWithoutKnowingItsPlan) {
  DatabaseMigration resource = orders();
  resource.spec.source.config_maps.clear();
  resource.spec.source.image = ImageSource{"images.example.org/orders:1", "/migrations/versions"};
  resource.spec.source.recursive = true;
  const auto manifest = job_manifest(resource, request_for(nullptr), kWithImages);
  const KubeObject pod = (*manifest)["spec"]["template"]["spec"];
  EXPECT_EQ(pod["volumes"][0]["image"]["reference"], "images.example.org/orders:1");
  const auto arguments = pod["containers"][0]["args"].get<std::vector<std::string>>();
  EXPECT_THAT(arguments, Contains("--migrations=/run/athanor/migrations/migrations/versions"));
  EXPECT_THAT(arguments, Contains("--set=recursive_version_locations=true"));
  EXPECT_THAT(arguments, Not(Contains(HasSubstr("--plan-hash"))));
  EXPECT_FALSE((*manifest)["metadata"]["annotations"].contains("athanor.dev/plan"));
}

TEST(JobManifest, AsksForAPlanBeforeItRuns) {
  JobRequest planning = request_for(nullptr);
  planning.work = JobRequest::Work::Plan;
  const auto manifest = job_manifest(orders(), planning, {"athanor:1"});
  const auto arguments = (*manifest)["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  EXPECT_EQ(arguments.front(), "plan");
  EXPECT_THAT(arguments, Contains("--show-sql"));
  EXPECT_THAT(arguments, Contains("--report=/dev/termination-log"));
  EXPECT_EQ(std::vector<std::string>(arguments.end() - 3, arguments.end()),
            (std::vector<std::string>{"--", "upgrade", "head"}));
  EXPECT_EQ((*manifest)["metadata"]["annotations"]["athanor.dev/work"], "plan");
  EXPECT_FALSE(manifest_of(orders())["metadata"]["annotations"].contains("athanor.dev/work"));
}

TEST(JobManifest, LetsThePodChooseTheDirectionOnlyWhereDowngradesAreAllowed) {
  DatabaseMigration resource = orders();
  resource.spec.source.config_maps.clear();
  resource.spec.source.image = ImageSource{"images.example.org/orders:1", "/migrations/versions"};
  JobRequest planning = request_for(nullptr);
  planning.work = JobRequest::Work::Plan;
  const auto arguments = [&] {
    const auto manifest = job_manifest(resource, planning, kWithImages);
    return (*manifest)["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  };
  EXPECT_THAT(arguments(), Contains("--verify")) << "the operator cannot compare an image with the ledger";
  EXPECT_EQ(*(arguments().end() - 2), "upgrade");
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  EXPECT_EQ(*(arguments().end() - 2), "to");
}

TEST(JobManifest, TakesAFolderFromThePodAndGitFromTheOperator) {
  DatabaseMigration resource = orders();
  resource.folder = "/srv/migrations";
  resource.spec.source.config_maps.clear();
  resource.spec.source.path = "orders";
  EXPECT_THAT(arguments_of(resource), Contains("--migrations=/srv/migrations/shop/orders")) << "of its namespace";
  EXPECT_FALSE(pod_of(resource).contains("volumes"));
  resource.spec.source.path.clear();
  resource.spec.source.git = GitSource{"https://git.example.org/a.git", "", "v1", "", "db", milliseconds(60'000), "orders-git"};
  EXPECT_THAT(arguments_of(resource), Contains("--migrations=/run/athanor/migrations"));
  EXPECT_EQ(pod_of(resource)["volumes"][0]["projected"], files_of(resource).volume()["projected"]);
  EXPECT_THAT(manifest_of(resource).dump(), Not(AnyOf(HasSubstr("orders-git"), HasSubstr("git.example.org"))));
}

TEST(JobManifest, KeepsWhatATemplateAddsAndOverridesTheRest) {
  DatabaseMigration resource = orders();
  resource.spec.execution.pod_template = R"({
    "metadata": {"labels": {"network": "databases", "athanor.dev/migration": "other"}, "annotations": {"a": "b"}},
    "spec": {"nodeSelector": {"pool": "batch"}, "volumes": [{"name": "scratch", "emptyDir": {}}],
             "containers": [{"name": "athanor", "resources": {"limits": {"memory": "32Mi"}},
                             "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]}]}})";
  const KubeObject whole = manifest_of(resource)["spec"]["template"];
  EXPECT_EQ(whole["metadata"]["labels"]["network"], "databases");
  EXPECT_EQ(whole["metadata"]["labels"]["athanor.dev/migration"], "orders");
  EXPECT_EQ(whole["metadata"]["annotations"]["a"], "b");
  const KubeObject& pod = whole["spec"];
  EXPECT_EQ(pod["restartPolicy"], "Never");
  EXPECT_EQ(pod["nodeSelector"]["pool"], "batch");
  EXPECT_EQ(pod["securityContext"]["runAsNonRoot"], true);
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["volumes"].size(), 2U);
  ASSERT_EQ(pod["containers"].size(), 1U);
  const KubeObject& container = pod["containers"][0];
  EXPECT_EQ(container["image"], "athanor:1");
  EXPECT_EQ(container["args"][0], "upgrade");
  EXPECT_EQ(container["terminationMessagePath"], "/dev/termination-log");
  EXPECT_EQ(container["resources"], KubeObject::parse(R"({"limits": {"memory": "32Mi"}})"));
  EXPECT_EQ(container["volumeMounts"].size(), 2U);
}

TEST(JobManifest, LaysTheJobOverTheTemplateAndBothOverTheDefaults) {
  DatabaseMigration resource = orders();
  resource.spec.execution.pod_template = R"({"spec": {"nodeSelector": {"pool": "template"}, "priorityClassName": "batch"}})";
  resource.spec.execution.job = R"({"nodeSelector": {"pool": "job"}, "resources": {"limits": {"memory": "1Gi"}}})";
  const Plan plan = upgrade();
  JobOptions options{"athanor:1"};
  options.defaults = KubeObject::parse(R"({"nodeSelector": {"pool": "default", "arch": "arm64"}, "serviceAccountName": "iam",
    "imagePullSecrets": [{"name": "mirror"}], "resources": {"limits": {"memory": "256Mi"}}, "env": [{"name": "TZ", "value": "UTC"}]})");
  const auto manifest = job_manifest(resource, request_for(&plan), options, files_of(resource));
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const KubeObject& pod = (*manifest)["spec"]["template"]["spec"];
  EXPECT_EQ(pod["nodeSelector"], KubeObject::parse(R"({"pool": "job", "arch": "arm64"})"));
  EXPECT_EQ(pod["priorityClassName"], "batch");
  EXPECT_EQ(pod["serviceAccountName"], "iam");
  EXPECT_EQ(pod["imagePullSecrets"][0]["name"], "mirror");
  ASSERT_EQ(pod["containers"].size(), 1U);
  const KubeObject& container = pod["containers"][0];
  EXPECT_EQ(container["resources"], KubeObject::parse(R"({"limits": {"memory": "1Gi"}})"));
  EXPECT_EQ(container["env"][0]["name"], "TZ");
  EXPECT_GT(container["env"].size(), 1U) << "ours are there too";
  EXPECT_EQ(container["image"], "athanor:1");
}

TEST(JobManifest, RefusesATemplateThatSaysMoreThanItMay) {
  DatabaseMigration resource = orders();
  for (const auto& [given, field] : std::map<std::string, std::string>{
           {R"({"spec": {"containers": {"name": "athanor"}}})", ".spec.containers"},
           {R"({"spec": {"containers": [1, null]}})", ".spec.containers[0]"},
           {R"({"spec": [], "metadata": {}})", ".spec"},
           {R"({"metadata": {"labels": []}})", ".metadata.labels"},
           {R"({"spec": {"containers": [{"name": "athanor", "envFrom": []}]}})", ".spec.containers[0].envFrom"},
           {"[]", ""}}) {
    resource.spec.execution.pod_template = given;
    EXPECT_EQ(refusal_of(resource).context, "spec.execution.podTemplate" + field) << given;
  }
}

}  // namespace
}  // namespace athanor::controller
