// What a declared database URL may reach of the machine that the operator runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>

#include "migrations/text/database_url.hpp"
#include "operator/process_environment.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ClusterCredentials final : public CredentialSource {
 public:
  Result<std::string> read(const DatabaseMigration&, const SecretReference& reference) override { return reference.value; }
  Result<std::string> file(const DatabaseMigration&, const SecretReference& reference) override {
    return "/certificates/" + reference.value;
  }
  [[nodiscard]] bool shares_process_environment() const override { return false; }
  [[nodiscard]] TokenSource* tokens() override { return source; }

  TokenSource* source = nullptr;
};

class NoTokens final : public TokenSource {
 public:
  Result<DatabaseToken> token(const TokenWanted&, const TokenTerms&) override {
    return fail(ErrorCode::Internal, "not asked for");
  }
};

class DatabaseTargetTest : public testing::Test {
 protected:
  DatabaseTargetTest() {
    resource.metadata.name = "orders";
    resource.metadata.name_space = "shop";
  }
  Result<DatabaseTarget> target(const std::string& url, bool on_cluster = true) {
    resource.spec.database.url = url;
    return make_target(resource, on_cluster ? static_cast<CredentialSource&>(cluster) : local);
  }
  // The parameters of the connection as the client library reads them.
  static std::map<std::string, std::string> read(const std::string& url) {
    char* reason = nullptr;
    // libpq 15 does not know require_auth; migrations/postgres does.
    PQconninfoOption* const options = PQconninfoParse(without_parameter(url, "require_auth").c_str(), &reason);
    EXPECT_NE(options, nullptr) << url << ": " << (reason == nullptr ? "" : reason);
    PQfreemem(reason);
    std::map<std::string, std::string> values;
    for (const PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr; ++option) {
      if (option->val != nullptr) {
        values[option->keyword] = option->val;
      }
    }
    PQconninfoFree(options);
    return values;
  }
  static SecretReference secret(const std::string& name) { return {SecretReference::Kind::SecretKey, name, "key"}; }

  DatabaseMigration resource;
  ClusterCredentials cluster;
  sketch::FakeCredentials local;
};

TEST_F(DatabaseTargetTest, RefusesFilesAndServicesOfTheOperatorsPod) {
  for (const std::string name : {"passfile", "service", "servicefile", "sslcert", "sslkey", "sslrootcert", "sslcrl",
                                 "sslcrldir", "gsslib", "sslkeylogfile", "pass%66ile", "%73ervice"}) {
    for (const std::string& url : {"postgresql://u@h/db?" + name + "=/some/SECRET",
                                   "postgresql://u@h/db?sslmode=require&" + name + "=x", "postgresql://h?" + name + "=/x@y",
                                   "postgresql://u:p?w@h/db?" + name + "=x", "postgresql+psycopg2://u@h/db?" + name + "=x"}) {
      const auto made = target(url);
      ASSERT_FALSE(made) << url;
      EXPECT_EQ(made.error().code, ErrorCode::Configuration);
      EXPECT_THAT(made.error().describe(), Not(HasSubstr("SECRET")));
      EXPECT_THAT(made.error().hint, HasSubstr("spec.database.tls"));
    }
  }
  for (const auto* const text : {"host=h passfile=/x", "host=h passfile = '/x'", "  service=x", "host='a b' passfile=/x",
                                 "user=u\\ passfile=/x sslkey=x", "password='it\\'s' servicefile=x"}) {
    EXPECT_FALSE(target(text)) << text;
    EXPECT_TRUE(target(text, false)) << "without a cluster it is nobody else's machine";
  }
  EXPECT_THAT(target("postgresql://u@h/db?passfile=/x").error().message, HasSubstr("`passfile`"));
}

TEST_F(DatabaseTargetTest, TakesUrlsThatNameNoFile) {
  for (const std::string url :
       {"postgresql://u:p@h/db", "postgresql://u:pa?ss@h/db", "postgresql://u@h/db?", "postgresql://u@h/db?sslmode=require",
        "postgresql://u@h/db?application_name=a&connect_timeout=3&options=-c%20x%3D1&target_session_attrs=read-write",
        "host=h dbname=db user=u password='passfile=/x'", "postgresql://u@h/passfile", "postgresql://[::1]:5432/db"}) {
    const auto made = target(url);
    ASSERT_TRUE(made) << url << made.error().describe();
    const auto declared = read(url);
    auto seen = read(made->url);
    for (const auto* const name : {"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl"}) {
      EXPECT_THAT(seen[name], StartsWith("/nonexistent/")) << "not what lies in the operator's home folder";
      seen.erase(name);
    }
    EXPECT_EQ(seen, declared) << made->url;
    EXPECT_EQ(target(url, false)->url, url);
  }
}

TEST_F(DatabaseTargetTest, UsesTheDeclaredCertificatesAndVerifiesWithThem) {
  resource.spec.database.root_certificate_from = secret("ca");
  resource.spec.database.client_certificate_from = secret("crt");
  resource.spec.database.client_key_from = secret("key");
  for (const std::string url : {"postgresql://u@h/db", "postgresql://u@h/db?connect_timeout=3", "host=h dbname=db"}) {
    for (const bool on_cluster : {true, false}) {
      auto seen = read(target(url, on_cluster)->url);
      EXPECT_EQ(seen["sslrootcert"], "/certificates/ca");
      EXPECT_EQ(seen["sslcert"], "/certificates/crt");
      EXPECT_EQ(seen["sslkey"], "/certificates/key");
      EXPECT_EQ(seen["sslmode"], "verify-full");
    }
  }
  EXPECT_EQ(read(target("postgresql://u@h/db?sslmode=verify-ca")->url)["sslmode"], "verify-ca");
  EXPECT_EQ(read(target("host=h sslmode = require")->url)["sslmode"], "require");
  resource.spec.database.default_ssl_mode = "require";
  EXPECT_EQ(read(target("postgresql://u@h/db")->url)["sslmode"], "verify-full") << "whatever the operator's default is";
}

TEST_F(DatabaseTargetTest, LimitsHowLongAConnectionMayTake) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"postgresql://u@h/db?connect_timeout=7", "7"},
      {"postgresql://u@h/db?connect_timeout=3600", "30"},
      {"postgresql://u@h/db?connect_timeout=99999999999", "30"},
      {"postgresql://u@h/db?connect_timeout=5&connect_timeout=3600", "30"},
      {"host=h dbname=db connect_timeout=5 connect_timeout=3600", "30"},
      {"postgresql://u@h/db?connect_timeout=%203600", "30"},
      {"host=h dbname=db connect_timeout='\t3600'", "30"}};
  for (const auto& [url, seconds] : cases) {
    EXPECT_EQ(read(target(url)->url)["connect_timeout"], seconds) << url;
  }
}

TEST_F(DatabaseTargetTest, NamesTheKeyThatIsNoPort) {
  resource.spec.database.host = "h";
  resource.spec.database.port_from = secret("a-secret");  // its value is its name
  const auto target = make_target(resource, cluster);
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().context, "spec.database.portFrom");
  EXPECT_THAT(target.error().message, HasSubstr("is not a port number"));
}

TEST_F(DatabaseTargetTest, VerifiesTheServerWhenTheResourceNamesNoSslMode) {
  resource.spec.database.default_ssl_mode = "verify-full";
  for (const std::string url : {"postgresql://u@h/db", "host=h dbname=db"}) {
    auto seen = read(target(url)->url);
    EXPECT_EQ(seen["sslmode"], "verify-full");
    EXPECT_EQ(seen["sslrootcert"], "system") << "without an authority libpq would not connect";
  }
  EXPECT_EQ(read(target("postgresql://u@h/db?sslmode=disable")->url)["sslmode"], "disable") << "chosen by name";
  EXPECT_NE(read(target("postgresql://u@h/db?sslmode=verify-ca")->url)["sslrootcert"], "system")
      << "a public authority vouches for any host";
  resource.spec.database.minimum_ssl_mode = "require";
  EXPECT_EQ(read(target("postgresql://u@h/db")->url)["sslmode"], "verify-full") << "the minimum lowers nothing";
}

TEST_F(DatabaseTargetTest, SendsNoPasswordToAServerThatIsNotVerified) {
  const auto allowed = [this](const std::string& url, bool on_cluster = true) {
    return parameter_of(connection_parameters(target(url, on_cluster)->url), "require_auth");
  };
  for (const std::string url : {"postgresql://u@h/db", "postgresql://u@h/db?sslmode=require", "host=h sslmode=disable"}) {
    EXPECT_EQ(allowed(url), "!password,!md5");
    EXPECT_EQ(allowed(url, false), "") << "without a cluster it is nobody else's machine";
  }
  EXPECT_EQ(allowed("postgresql://u@h/db?sslmode=verify-full"), "");
  EXPECT_EQ(allowed("postgresql://u@h/db?sslmode=verify-ca"), "");
  EXPECT_EQ(allowed("postgresql://u@h/db?sslmode=disable&require_auth=md5"), "md5") << "allowed by name";
  resource.spec.database.default_ssl_mode = "verify-full";
  EXPECT_EQ(allowed("postgresql://u@h/db"), "");
}

TEST_F(DatabaseTargetTest, SaysWhatToWriteForAParameterOfADriver) {
  const auto made = target("postgresql://u@h/db?schema=SECRET", true);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("`schema`"));
  EXPECT_THAT(made.error().hint, HasSubstr("spec.database.schema"));
  EXPECT_THAT(made.error().describe() + made.error().hint, testing::Not(HasSubstr("SECRET")));
}

TEST_F(DatabaseTargetTest, RefusesPlainTextBesideCertificates) {
  resource.spec.database.root_certificate_from = secret("ca");
  for (const auto* const mode : {"disable", "allow", "prefer"}) {
    for (const std::string& url : {std::string("postgresql://u@h/db?sslmode=") + mode, std::string("host=h sslmode=") + mode,
                                   std::string("postgresql://u@h/db?sslmode=require&sslmode=") + mode,
                                   std::string("postgresql://u@h/db?sslmode=require&ssl=") + mode}) {
      const auto made = target(url);
      ASSERT_FALSE(made) << url;
      EXPECT_THAT(made.error().message, HasSubstr("plain text"));
      EXPECT_FALSE(target(url, false));
    }
  }
  resource.spec.database.root_certificate_from.reset();
  EXPECT_TRUE(target("postgresql://u@h/db?sslmode=disable"));
  resource.spec.database.client_certificate_from = secret("crt");
  resource.spec.database.client_key_from = secret("key");
  EXPECT_FALSE(target("postgresql://u@h/db?sslmode=disable"));
  EXPECT_TRUE(target("postgresql://u@h/db?sslmode=prefer"));
}

TEST_F(DatabaseTargetTest, HasNoEnvironmentOfTheClientLibrary) {
  ::setenv("PGPASSWORD", "hunter2", 1);
  ::setenv("PGHOST", "elsewhere", 1);
  ::setenv("PGSERVICEFILE", "/x", 1);
  ::setenv("DATABASE_URL", "kept", 1);
  forget_database_environment();
  PQconninfoOption* const defaults = PQconndefaults();
  ASSERT_NE(defaults, nullptr);
  for (const PQconninfoOption* option = defaults; option->keyword != nullptr; ++option) {
    EXPECT_EQ(option->envvar == nullptr ? nullptr : std::getenv(option->envvar), nullptr) << option->envvar;
  }
  PQconninfoFree(defaults);
  EXPECT_EQ(std::getenv("PGSERVICEFILE"), nullptr);
  EXPECT_STREQ(std::getenv("DATABASE_URL"), "kept");
}

class TokenTargetTest : public DatabaseTargetTest {
 protected:
  TokenTargetTest() {
    cluster.source = &tokens;
    DatabaseSpec& database = resource.spec.database;
    database.host = "db.example.org";
    database.name = "orders";
    database.user = "migrator";
    database.auth.emplace().service_account = "orders-migrator";
  }
  Result<DatabaseTarget> made() { return make_target(resource, cluster); }
  std::string ssl_mode() {
    const auto target = made();
    return target ? read(target->url)["sslmode"] : target.error().describe();
  }

  NoTokens tokens;
};

TEST_F(TokenTargetTest, WantsATokenForTheDeclaredUserAndServer) {
  resource.spec.database.host_from = secret("host-of-a-secret");
  resource.spec.database.user_from = secret("user-of-a-secret");
  const auto target = made();
  ASSERT_TRUE(target) << target.error().describe();
  ASSERT_TRUE(target->token);
  EXPECT_EQ(target->token->source, &tokens);
  EXPECT_EQ(target->token->wanted.name_space, "shop");
  EXPECT_EQ(target->token->wanted.auth.service_account, "orders-migrator");
  EXPECT_EQ(target->token->wanted.host, "host-of-a-secret");
  EXPECT_EQ(target->token->wanted.port, "5432");
  EXPECT_EQ(target->token->wanted.user, "user-of-a-secret");
  EXPECT_EQ(read(target->url).count("password"), 0U);
}

TEST_F(TokenTargetTest, VerifiesTheServerWhateverTheOperatorsDefaultIs) {
  for (const char* const mode : {"", "disable", "prefer", "require", "verify-ca", "verify-full"}) {
    resource.spec.database.default_ssl_mode = mode;
    resource.spec.database.minimum_ssl_mode = mode;
    EXPECT_EQ(ssl_mode(), "verify-full") << mode;
    auto seen = read(made()->url);
    EXPECT_EQ(seen["sslrootcert"], "system");
    EXPECT_EQ(seen["gssencmode"], "disable");
    EXPECT_EQ(parameter_of(connection_parameters(made()->url), "require_auth"), "")
        << "the token goes in plain text, inside TLS";
  }
  resource.spec.database.default_ssl_mode = resource.spec.database.minimum_ssl_mode = "";
  resource.spec.database.ssl_mode = "verify-ca";
  EXPECT_EQ(ssl_mode(), "verify-full") << "public authorities sign certificates for any host";
  resource.spec.database.root_certificate_from = secret("ca");
  EXPECT_EQ(ssl_mode(), "verify-ca");
}

TEST_F(TokenTargetTest, RefusesHostsThatAreNotOneServerOverTls) {
  for (const char* const host : {"/var/run/postgresql", "@abstract", "a,b", "", "a b", "a\nhost:b", "a?b", "a/b"}) {
    resource.spec.database.host_from.reset();
    resource.spec.database.host = host;
    const auto target = made();
    ASSERT_FALSE(target) << host;
    EXPECT_EQ(target.error().code, ErrorCode::Configuration);
  }
  resource.spec.database.host_from = secret("/var/run/postgresql");
  EXPECT_FALSE(made()) << "also when it comes from a Secret";
}

TEST_F(TokenTargetTest, RefusesAMethodThatSendsNoToken) {
  for (const char* const list : {"scram-sha-256", "md5,scram-sha-256", "!password"}) {
    resource.spec.database.require_auth = list;
    const auto target = made();
    ASSERT_FALSE(target) << list;
    EXPECT_EQ(target.error().context, "spec.database.requireAuth");
  }
  resource.spec.database.require_auth = "password";
  EXPECT_TRUE(made());
}

TEST_F(TokenTargetTest, SaysWhenTheOperatorMakesNoTokens) {
  cluster.source = nullptr;
  const auto target = made();
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code, ErrorCode::Configuration);
  EXPECT_EQ(target.error().context, "spec.database.auth");
  EXPECT_THAT(target.error().hint, HasSubstr("--database-auth"));
}

}  // namespace
}  // namespace athanor::controller
