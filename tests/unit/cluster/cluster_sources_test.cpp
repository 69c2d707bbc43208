#include <gtest/gtest.h>
#include <sys/stat.h>

#include "migrations/base/sha256.hpp"
#include "operator/cluster/secret_credentials.hpp"
#include "operator/sources/cluster_sources.hpp"
#include "operator/sources/config_map_source.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

std::string revision(const std::string& id, const std::string& down) {
  return "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + down + "\n\n-- athanor:upgrade\nSELECT 1;\n";
}

KubeObject object(const std::string& name, const KubeObject& data) {
  return {{"metadata", {{"name", name}, {"namespace", "shop"}}}, {"data", data}};
}

class NoLocalCredentials final : public CredentialSource {
 public:
  Result<std::string> read(const DatabaseMigration&, const SecretReference&) override { return std::string("local"); }
  Result<std::string> file(const DatabaseMigration&, const SecretReference&) override { return std::string("/local"); }
};

class ClusterSourcesTest : public testing::Test {
 protected:
  // Of ConfigMaps that were read and cannot be used. Their versions are told all the same.
  Error refusal_of(ConfigMapSource& source) {
    const auto loaded = source.load(resource);
    EXPECT_TRUE(loaded && !loaded->snapshot && loaded->doubt);
    EXPECT_TRUE(loaded->unusable_revision.starts_with("one@")) << loaded->unusable_revision;
    return loaded->doubt.value_or(Error());
  }
  ClusterSourcesTest() {
    resource.metadata.name = "orders";
    resource.metadata.name_space = "shop";
    resource.spec.source.config_maps = {"one", "two"};
  }
  void put_config_map(const std::string& name, const KubeObject& data) { kube.put(kube::kConfigMaps, object(name, data)); }
  Result<std::string> read(const std::string& secret, const std::string& key) {
    return credentials.read(resource, {SecretReference::Kind::SecretKey, secret, key});
  }

  test::FakeKube kube;
  test::FakeClock clock;
  test::TempFolder folder;
  DatabaseMigration resource;
  RecentReads reads{kube, clock};
  ConfigMapSource config_maps{reads};
  NoLocalCredentials local;
  SecretCredentials credentials{reads, clock, local, folder.path().string() + "/certificates"};
};

TEST_F(ClusterSourcesTest, MakesOneGraphOfAllConfigMaps) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}, {"README", "not a revision"}});
  put_config_map("two", {{"a2.sql", revision("a2", "a1")}});
  const auto snapshot = config_maps.load(resource);
  ASSERT_TRUE(snapshot) << snapshot.error().describe();
  EXPECT_NE((*snapshot)->graph().find("a2"), nullptr);
  EXPECT_NE((*snapshot)->revision().find("one@"), std::string::npos);
}

TEST_F(ClusterSourcesTest, NamesTheContentAsSha256sumDoes) {
  put_config_map("two", {{"a1.sql", revision("a1", "")}, {"README", "not a revision"}});
  put_config_map("one", {{"a2.sql", revision("a2", "a1")}});
  const std::string list = sha256_hex(revision("a1", "")) + "  a1.sql\n" + sha256_hex(revision("a2", "a1")) + "  a2.sql\n";
  const auto snapshot = config_maps.load(resource);
  ASSERT_TRUE(snapshot) << snapshot.error().describe();
  EXPECT_EQ((*snapshot)->names(), std::vector<std::string>{"sha256:" + sha256_hex(list)});
}

TEST_F(ClusterSourcesTest, SummarisesManyConfigMapsAndNoticesAChangeOfTheLast) {
  resource.spec.source.config_maps.clear();
  for (char letter = 'a'; letter < 'q'; ++letter) {
    resource.spec.source.config_maps.emplace_back(253, letter);
    put_config_map(resource.spec.source.config_maps.back(), KubeObject::object());
  }
  const std::string first = config_maps.load(resource).value().snapshot->revision();
  EXPECT_LE(first.size(), kMaxSourceRevisionBytes);
  EXPECT_TRUE(first.starts_with("16 ConfigMaps, sha256:")) << first;
  put_config_map(resource.spec.source.config_maps.back(), {{"a1.sql", revision("a1", "")}});
  EXPECT_NE(config_maps.load(resource).value().snapshot->revision(), first);
}

TEST_F(ClusterSourcesTest, SharesASnapshotUntilAConfigMapChanges) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  put_config_map("two", KubeObject::object());
  const auto first = config_maps.load(resource).value().snapshot;
  EXPECT_EQ(config_maps.load(resource).value().snapshot, first);
  put_config_map("two", {{"a2.sql", revision("a2", "a1")}});
  const auto second = config_maps.load(resource).value().snapshot;
  EXPECT_NE(second, first);
  EXPECT_NE(second->id(), first->id());
}

TEST_F(ClusterSourcesTest, NamesAConfigMapThatIsMissing) {
  put_config_map("one", KubeObject::object());
  const auto snapshot = config_maps.load(resource);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().message, "ConfigMap shop/two does not exist");
  EXPECT_EQ(snapshot.error().retry, RetryClass::Transient);
}

TEST_F(ClusterSourcesTest, RefusesTheSameFileInTwoConfigMaps) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  put_config_map("two", {{"a1.sql", revision("a1", "")}});
  const Error error = refusal_of(config_maps);
  EXPECT_EQ(error.code, ErrorCode::DuplicateRevision);
  EXPECT_EQ(error.message, "the key a1.sql is in two of the ConfigMaps: one and two");
}

TEST_F(ClusterSourcesTest, NamesBothConfigMapsOfARevisionThatIsThereTwice) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  put_config_map("two", {{"other.sql", revision("a1", "")}});
  EXPECT_EQ(refusal_of(config_maps).describe(),
            "ConfigMap two, key other.sql: revision id 'a1' is used twice: already in key a1.sql of ConfigMap one");
}

TEST_F(ClusterSourcesTest, RefusesAKeyInCapitals) {
  put_config_map("one", {{"A1.SQL", revision("a1", "")}});
  put_config_map("two", KubeObject::object());
  EXPECT_EQ(refusal_of(config_maps).context, "ConfigMap one, key A1.SQL");
}

TEST_F(ClusterSourcesTest, KnowsWhereAFileIsAndWhatIsIgnored) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  put_config_map("two", {{"README.md", "text"}});
  const auto loaded = config_maps.load(resource).value();
  EXPECT_EQ(loaded->place_of("a1.sql"), "key a1.sql of ConfigMap one");
  EXPECT_EQ(loaded->ignored(), std::vector<std::string>{"key README.md of ConfigMap two"});
}

TEST_F(ClusterSourcesTest, RefusesARevisionThatIsNotText) {
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  KubeObject two = object("two", {{"a2.sql", revision("a2", "a1")}});
  two["binaryData"] = {{"logo.png", "/w=="}, {"__init__.py", "/w=="}};
  kube.put(kube::kConfigMaps, two);
  EXPECT_TRUE(config_maps.load(resource)) << "what is no revision is nobody's business";
  for (const auto& data : {KubeObject{{"a2.sql", "x"}}, KubeObject()}) {
    two["binaryData"] = {{"a3.sql", "/w=="}};
    two["data"] = data;
    kube.put(kube::kConfigMaps, two);
    clock.advance(std::chrono::seconds(5));
    const Error error = refusal_of(config_maps);
    EXPECT_EQ(error.code, ErrorCode::NotUtf8);
    EXPECT_NE(error.message.find("a3.sql of ConfigMap two"), std::string::npos) << error.message;
  }
}

TEST_F(ClusterSourcesTest, KeepsTheLimitOnFiles) {
  SourceLimits limits;
  limits.max_files = 1;
  ConfigMapSource limited(reads, limits);
  put_config_map("one", {{"a1.sql", revision("a1", "")}});
  put_config_map("two", {{"a2.sql", revision("a2", "a1")}});
  EXPECT_EQ(refusal_of(limited).code, ErrorCode::FileTooLarge);

  SourceLimits tiny;
  tiny.max_file_bytes = 20;
  ConfigMapSource files(reads, tiny);
  const Error large = refusal_of(files);
  EXPECT_EQ(large.code, ErrorCode::FileTooLarge);
  EXPECT_NE(large.describe().find("ConfigMap one, key a1.sql"), std::string::npos) << large.describe();

  SourceLimits total;
  total.max_source_bytes = 50;
  ConfigMapSource small(reads, total);
  const Error error = refusal_of(small);
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_NE(error.message.find("contains more than 50 bytes of revision files"), std::string::npos) << error.message;
  EXPECT_EQ(error.context, "spec.source.configMaps");
}

TEST_F(ClusterSourcesTest, SaysWhichKindOfSourceIsNotServed) {
  ClusterSources sources({});
  const auto loaded = sources.load(resource);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("configMaps"), std::string::npos);
}

TEST_F(ClusterSourcesTest, ReadsAKeyOfASecretEachTime) {
  kube.put(kube::kSecrets, object("db", {{"password", "aHVudGVyMg=="}}));
  EXPECT_EQ(read("db", "password").value(), "hunter2");
  kube.put(kube::kSecrets, object("db", {{"password", "aHVudGVyMwo="}}));  // with the newline of an editor
  EXPECT_EQ(read("db", "password").value(), "hunter3");
  EXPECT_EQ(kube.count("get", "secrets"), 2U);
  EXPECT_EQ(kube.count("list", "secrets") + kube.count("watch", "secrets"), 0U);
}

TEST_F(ClusterSourcesTest, NamesWhatIsMissingAndNeverAValue) {
  EXPECT_EQ(read("db", "password").error().message, "Secret shop/db does not exist");
  kube.put(kube::kSecrets, object("db", {{"user", "c2VjcmV0"}, {"broken", "%%%"}}));
  EXPECT_EQ(read("db", "password").error().message, "Secret shop/db has no value at the key password");
  EXPECT_EQ(read("db", "broken").error().message, "Secret shop/db has no value at the key broken");
  EXPECT_EQ(read("db", "password").error().retry, RetryClass::Transient);
}

TEST_F(ClusterSourcesTest, TakesAValueThatIsFarTooLargeForNone) {
  kube.put(kube::kSecrets, object("db", {{"password", std::string(100'000, 'A')}}));
  const Error error = read("db", "password").error();
  EXPECT_EQ(error.message, "Secret shop/db has more than 64 KiB at the key password");
  EXPECT_EQ(error.code, ErrorCode::MissingDatabaseUrl);
  EXPECT_EQ(error.retry, RetryClass::Transient);
  EXPECT_NE(error.hint, "");
}

TEST_F(ClusterSourcesTest, DoesNotReadTheOperatorsEnvironment) {
  EXPECT_FALSE(credentials.shares_process_environment());
  const auto refused = credentials.read(resource, {SecretReference::Kind::Environment, "HOME", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().hint, "use secretKeyRef");
}

TEST_F(ClusterSourcesTest, WritesCertificatesForTheirOwnerAloneAndRemovesThem) {
  kube.put(kube::kSecrets, object("db", {{"ca.crt", "UEVN"}}));
  std::string path;
  {
    SecretCredentials own(reads, clock, local, folder.path().string() + "/own");
    path = own.file(resource, {SecretReference::Kind::SecretKey, "db", "ca.crt"}).value();
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    EXPECT_EQ(own.file(resource, {SecretReference::Kind::SecretKey, "db", "ca.crt"}).value(), path);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(ClusterSourcesTest, OnlyALabelOfTheSecretMakesAServerOneForScratchDatabases) {
  const auto scratch_server_with = [&](const KubeObject& labels) {
    KubeObject secret = object("db", {{"url", "eA=="}});
    secret["metadata"]["labels"] = labels;
    kube.put(kube::kSecrets, secret);
    resource.known_since = SteadyTime::max();
    return credentials.names_scratch_server(resource, {SecretReference::Kind::SecretKey, "db", "url"}).value();
  };
  for (const KubeObject& labels :
       {KubeObject(), KubeObject{{"athanor.dev/scratch-server", "false"}}, KubeObject{{"athanor.dev/allow", "true"}},
        KubeObject{{"athanor.dev/scratch-server", true}}}) {
    EXPECT_FALSE(scratch_server_with(labels)) << labels;
  }
  EXPECT_TRUE(scratch_server_with({{"athanor.dev/scratch-server", "true"}}));
  EXPECT_FALSE(credentials.names_scratch_server(resource, {SecretReference::Kind::File, "db/url", ""}).value());
  EXPECT_FALSE(credentials.names_scratch_server(resource, {SecretReference::Kind::SecretKey, "none", "url"}));
}

TEST_F(ClusterSourcesTest, KeepsACertificateWhileItIsUsedAndDropsItLater) {
  kube.put(kube::kSecrets, object("db", {{"ca.crt", "UEVN"}, {"other.crt", "UEVO"}}));
  const auto file = [this](const std::string& key) {
    return credentials.file(resource, {SecretReference::Kind::SecretKey, "db", key}).value();
  };
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  const std::string used = file("ca.crt");
  const std::string unused = file("other.crt");
  EXPECT_NE(used, unused);
  clock.advance(std::chrono::minutes(40));
  EXPECT_EQ(file("ca.crt"), used);
  clock.advance(std::chrono::minutes(40));
  EXPECT_EQ(file("ca.crt"), used);
  EXPECT_TRUE(is_there(used));
  EXPECT_FALSE(is_there(unused));
  ::unlink(used.c_str());
  EXPECT_TRUE(is_there(file("ca.crt"))) << "something else had removed it";
}

TEST_F(ClusterSourcesTest, WritesNoCertificateIntoAFolderThatOthersMayRead) {
  kube.put(kube::kSecrets, object("db", {{"ca.crt", "UEVN"}}));
  const std::string open = folder.path().string() + "/certificates";
  ASSERT_EQ(::mkdir(open.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(open.c_str(), 0750), 0);
  EXPECT_FALSE(credentials.file(resource, {SecretReference::Kind::SecretKey, "db", "ca.crt"}));
}

TEST_F(ClusterSourcesTest, DropsTheLineEndOfAnotherSystem) {
  kube.put(kube::kSecrets, object("db", {{"password", "aHVudGVyMg0K"}}));
  EXPECT_EQ(read("db", "password").value(), "hunter2");
}

TEST_F(ClusterSourcesTest, ReadsOnlyLabelledSecretsWhereThatIsAskedFor) {
  SecretCredentials labelled(reads, clock, local, folder.path().string() + "/certificates", true);
  const auto read_as = [&](const KubeObject& labels) {
    KubeObject secret = object("db", {{"url", "eA=="}});
    secret["metadata"]["labels"] = labels;
    kube.put(kube::kSecrets, secret);
    resource.known_since = SteadyTime::max();
    return labelled.read(resource, {SecretReference::Kind::SecretKey, "db", "url"});
  };
  for (const KubeObject& labels : {KubeObject(), KubeObject{{"athanor.dev/allow", "false"}}, KubeObject{{"allow", "true"}},
                                   KubeObject{{"athanor.dev/allow", true}}}) {
    const auto refused = read_as(labels);
    ASSERT_FALSE(refused) << labels;
    EXPECT_NE(refused.error().message.find("does not have the label athanor.dev/allow"), std::string::npos);
    EXPECT_EQ(refused.error().retry, RetryClass::Transient);
  }
  EXPECT_EQ(read_as({{"athanor.dev/allow", "true"}}).value(), "x");
}

}  // namespace
}  // namespace athanor::controller
