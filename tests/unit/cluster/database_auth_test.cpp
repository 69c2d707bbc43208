// spec.database.auth as it is read from a resource.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/text/strict_yaml.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;

// "ok", or the first error. `database`: more fields of spec.database, as flow YAML; `rest`: of spec.
std::string read(const std::string& database, const std::string& rest = "", OperatorMode habitat = OperatorMode::Cluster,
                 DatabaseMigrationSpec* into = nullptr) {
  const std::string text = "database: {host: db, name: orders, user: me, " + database + "}\nsource: {path: a}\n" + rest;
  const auto parsed = parse_yaml(text, "m.yaml", {});
  if (!parsed) {
    return parsed.error().describe();
  }
  DatabaseMigrationSpec spec;
  YamlFields fields(parsed->front(), "m.yaml", "spec");
  read_spec(fields, spec, habitat);
  const auto finished = fields.finish();
  if (into != nullptr) {
    *into = spec;
  }
  return finished ? "ok" : finished.error().message + " / " + finished.error().hint;
}

const std::string kAws = "auth: {serviceAccountName: orders, aws: {region: eu-central-1}}";

TEST(DatabaseAuthCodec, ReadsOneProvider) {
  DatabaseMigrationSpec spec;
  EXPECT_EQ(read("auth: {serviceAccountName: orders, aws: {region: eu-central-1, roleARN: 'arn:aws:iam::123456789012:role/a'}}",
                 "", OperatorMode::Cluster, &spec),
            "ok");
  EXPECT_EQ(spec.database.auth->provider, CloudProvider::Aws);
  EXPECT_EQ(spec.database.auth->service_account, "orders");
  EXPECT_EQ(spec.database.auth->region, "eu-central-1");
  EXPECT_EQ(spec.database.auth->role, "arn:aws:iam::123456789012:role/a");
  EXPECT_EQ(read("auth: {serviceAccountName: orders, gcp: {workloadIdentityProvider: projects/a/locations/b/clusters/c}}", "",
                 OperatorMode::Cluster, &spec),
            "ok");
  EXPECT_EQ(spec.database.auth->provider, CloudProvider::Gcp);
  EXPECT_EQ(read("auth: {serviceAccountName: orders, azure: {}}", "", OperatorMode::Cluster, &spec), "ok");
  EXPECT_EQ(spec.database.auth->provider, CloudProvider::Azure);
}

TEST(DatabaseAuthCodec, RefusesAnythingButOneProviderAndAServiceAccount) {
  EXPECT_THAT(read("auth: {serviceAccountName: orders}"), HasSubstr("exactly one of aws, gcp and azure"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, aws: {region: eu-central-1}, azure: {}}"), HasSubstr("exactly one"));
  EXPECT_THAT(read("auth: {aws: {region: eu-central-1}}"), HasSubstr("serviceAccountName"));
  EXPECT_THAT(read("auth: {serviceAccountName: ../x, azure: {}}"), HasSubstr("not the name of a ServiceAccount"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, aws: {}}"), HasSubstr("region"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, aws: {region: evil.example.org/}}"), HasSubstr("eu-central-1"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, gcp: {}}"), HasSubstr("workloadIdentityProvider"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, azure: {clientID: orders}}"), HasSubstr("a GUID"));
  EXPECT_THAT(read("auth: {serviceAccountName: orders, azure: {endpoint: 'https://evil.example.org'}}"),
              HasSubstr("unknown field"))
      << "no resource says where a token is sent";
}

TEST(DatabaseAuthCodec, RefusesAPasswordAndAServerThatIsNotVerified) {
  EXPECT_THAT(read(kAws + ", password: x"), HasSubstr("only one of auth and a password"));
  EXPECT_THAT(read(kAws + ", passwordFrom: {secretKeyRef: {name: a, key: b}}"), HasSubstr("only one of auth and a password"));
  for (const std::string mode : {"disable", "allow", "prefer", "require", "verify-ca"}) {
    EXPECT_THAT(read(kAws + ", sslMode: " + mode), HasSubstr("tls.rootCertificateFrom")) << mode;
  }
  EXPECT_EQ(read(kAws + ", sslMode: verify-full"), "ok");
  EXPECT_EQ(read(kAws + ", sslMode: verify-ca, tls: {rootCertificateFrom: {secretKeyRef: {name: a, key: b}}}"), "ok");
}

TEST(DatabaseAuthCodec, RefusesJobsAndStandaloneMode) {
  EXPECT_THAT(read(kAws, "execution: {mode: Job}"), HasSubstr("set execution.mode to InProcess"));
  EXPECT_EQ(read(kAws, "execution: {mode: InProcess}"), "ok");
  EXPECT_THAT(read(kAws, "", OperatorMode::Standalone), HasSubstr("needs a cluster"));
}

}  // namespace
}  // namespace athanor::controller
