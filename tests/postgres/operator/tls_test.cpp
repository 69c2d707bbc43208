// Encrypted connections as resources of a cluster declare them: certificates from Secrets, a server that has one of its own.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "migrations/postgres/connect.hpp"
#include "operator/cluster/secret_credentials.hpp"
#include "operator/kube/base64.hpp"
#include "operator/process_environment.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/support/own_server.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor::controller {
namespace {

class NoFiles final : public CredentialSource {
 public:
  Result<std::string> read(const DatabaseMigration&, const SecretReference&) override { return fail(ErrorCode::Io, "none"); }
  Result<std::string> file(const DatabaseMigration&, const SecretReference&) override { return fail(ErrorCode::Io, "none"); }
};

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() { own_server = std::make_unique<test::OwnServer>(); }
  static void TearDownTestSuite() { own_server.reset(); }

  Tls() {
    resource.metadata.name = "orders";
    resource.metadata.name_space = "shop";
    write_file("pg_hba.conf",
               "local all all trust\n"
               "hostssl all certified 127.0.0.1/32 cert\n"
               "host all postgres 127.0.0.1/32 scram-sha-256\n");
    admin.run("DROP ROLE IF EXISTS certified; CREATE ROLE certified LOGIN SUPERUSER");
    admin.run("ALTER SYSTEM SET ssl_ca_file = 'clients.crt'");
    admin.run("ALTER SYSTEM SET ssl = on");
    write_file("clients.crt", authority.certificate_pem);
    serve_with(authority, "IP:127.0.0.1");
  }

  // In the server's folder, for its account alone.
  void write_file(const std::string& name, const std::string& text) {
    admin.run("COPY (SELECT unnest(string_to_array($$" + text + "$$, E'\\n'))) TO PROGRAM 'umask 077; cat > " + name + "'");
  }
  // From now on the server shows a certificate of this authority.
  void serve_with(const test::TestCertificate& issuer, const std::string& name) {
    const auto certificate = test::issue_certificate(issuer, {.common_name = "server", .names = {name}});
    write_file("server.key", certificate.key_pem);
    write_file("server.crt", certificate.certificate_pem);
    // A new connection has the setting as soon as it has the certificate.
    const std::string memory = std::to_string(++serial) + "MB";
    admin.run("ALTER SYSTEM SET work_mem = '" + memory + "'");
    admin.run("SELECT pg_reload_conf()");
    while (test::Client(server.url()).value("SHOW work_mem") != memory) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void put_secret(const std::string& key, const std::string& value) {
    secret[key] = base64_encode(value);
    kube.put(kube::kSecrets, {{"metadata", {{"name", "db"}, {"namespace", "shop"}}}, {"data", secret}});
    clock.advance(std::chrono::seconds(10));  // what was read before is not used again
  }
  static SecretReference key(const std::string& name) { return {SecretReference::Kind::SecretKey, "db", name}; }
  std::string url(const std::string& user, const std::string& host = "127.0.0.1") const {
    const std::string port = server.url().substr(server.url().rfind(':') + 1);
    return "postgresql://" + user + "@" + host + ":" + port;
  }

  // How the connection is encrypted, or why there is none.
  std::string connect(const std::string& url) {
    resource.spec.database.url = url;
    const auto target = make_target(resource, credentials);
    if (!target) {
      return target.error().message;
    }
    auto factory = postgres::PostgresFactory::create(target->url, target->settings.execution);
    if (!factory) {
      return factory.error().message;
    }
    auto session = (*factory)->open();
    if (!session) {
      return session.error().message;
    }
    const auto rows = (*session)->query(
        "SELECT current_user || CASE WHEN ssl THEN ' over TLS' ELSE ' in plain text' END"
        " FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        {});
    return rows ? rows->text(0, 0) : rows.error().message;
  }

  static inline std::unique_ptr<test::OwnServer> own_server;  // of all these tests: making one takes seconds
  const test::OwnServer& server = *own_server;
  test::Client admin{server.url()};
  test::TestCertificate authority = test::make_authority();
  test::FakeKube kube;
  test::FakeClock clock;
  test::TempFolder folder;
  KubeObject secret = KubeObject::object();
  RecentReads reads{kube, clock};
  NoFiles files;
  SecretCredentials credentials{reads, clock, files, folder / "certificates"};
  DatabaseMigration resource;
  static inline int serial = 0;  // of certificates
};

TEST_F(Tls, IsVerifiedInFullWhereAnAuthorityIsNamed) {
  put_secret("ca.crt", authority.certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  EXPECT_EQ(connect(url("postgres:athanor")), "postgres over TLS");
  const std::string other_name = connect(url("postgres:athanor", "localhost"));
  EXPECT_NE(other_name.find("TLS certificate rejected"), std::string::npos) << other_name;
  EXPECT_EQ(connect(url("postgres:athanor", "localhost") + "?sslmode=verify-ca"), "postgres over TLS");
}

TEST_F(Tls, IsRefusedByAnotherAuthority) {
  put_secret("ca.crt", test::make_authority("another authority").certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  for (const auto* const mode : {"", "?sslmode=verify-ca", "?sslmode=require"}) {
    const std::string refused = connect(url("postgres:athanor") + mode);
    EXPECT_NE(refused.find("TLS certificate rejected"), std::string::npos) << refused;
  }
}

TEST_F(Tls, IsVerifiedAgainstTheMachinesAuthoritiesWhenNothingIsDeclared) {
  resource.spec.database.default_ssl_mode = "verify-full";
  const std::string unknown = connect(url("postgres:athanor"));
  EXPECT_NE(unknown.find("not signed by a trusted authority"), std::string::npos) << unknown;
  ::setenv("SSL_CERT_FILE", folder.write("authorities.crt", authority.certificate_pem).c_str(), 1);
  EXPECT_EQ(connect(url("postgres:athanor")), "postgres over TLS");
  const std::string other_name = connect(url("postgres:athanor", "localhost"));
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_NE(other_name.find("TLS certificate rejected"), std::string::npos) << other_name;
  EXPECT_EQ(connect(url("postgres:athanor") + "?sslmode=disable"), "postgres in plain text") << "chosen by name";
}

TEST_F(Tls, IsNeededForAPasswordThatIsHashedWithMd5) {
  admin.run("DROP ROLE IF EXISTS old; SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'secret'");
  write_file("pg_hba.conf",
             "local all all trust\nhost all old 127.0.0.1/32 md5\nhost all postgres 127.0.0.1/32 scram-sha-256\n");
  serve_with(authority, "IP:127.0.0.1");
  const std::string refused = connect(url("old:secret") + "?sslmode=disable");
  EXPECT_NE(refused.find("not allowed: md5"), std::string::npos) << refused;
  EXPECT_EQ(connect(url("old:secret") + "?sslmode=disable&require_auth=md5"), "old in plain text");
  EXPECT_NE(connect(url("old:secret") + "?sslmode=require"), "old over TLS") << "anybody can show some certificate";
  put_secret("ca.crt", authority.certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  EXPECT_EQ(connect(url("old:secret")), "old over TLS");
}

TEST_F(Tls, DemandsChannelBindingOnlyWhereTheServerMayNotHaveThePassword) {
  admin.run("DROP ROLE IF EXISTS old; SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'secret'");
  admin.run("DROP ROLE IF EXISTS open; CREATE ROLE open LOGIN PASSWORD 'secret'");
  write_file("pg_hba.conf",
             "local all all trust\nhost all old 127.0.0.1/32 md5\nhost all open 127.0.0.1/32 trust\n"
             "host all postgres 127.0.0.1/32 scram-sha-256\n");
  serve_with(authority, "IP:127.0.0.1");
  const auto over_tls = [this](const std::string& user, const std::string& list) {
    return connect(url(user + ":secret") + "?sslmode=require&require_auth=" + list);
  };
  for (const auto* const list : {"password,md5,scram-sha-256", "password,md5", "!none", "!gss,!sspi"}) {
    EXPECT_EQ(over_tls("old", list), "old over TLS") << list;
  }
  const std::string refused = over_tls("old", "md5,scram-sha-256");
  EXPECT_NE(refused.find("channel binding"), std::string::npos) << refused;
  EXPECT_EQ(connect(url("postgres:athanor") + "?sslmode=require&require_auth=md5,scram-sha-256"), "postgres over TLS");
  const std::string skipped = over_tls("open", "!none");
  EXPECT_NE(skipped.find("did not ask for the password"), std::string::npos) << skipped;
  EXPECT_EQ(over_tls("open", "password,none"), "open over TLS");
}

TEST_F(Tls, IsVerifiedForScratchServersToo) {
  resource.spec.database.default_ssl_mode = "verify-full";
  resource.spec.scratch_url_from = key("scratch");
  const auto scratch = [this](const std::string& declared) {
    put_secret("scratch", declared);
    HiddenValues hidden;
    auto target = scratch_target(resource, credentials, hidden);
    return target ? target->url : target.error().describe();
  };
  EXPECT_NE(scratch("postgresql://u@h/db").find("sslmode=verify-full"), std::string::npos) << scratch("postgresql://u@h/db");
  EXPECT_NE(scratch("postgresql://u@h/db").find("sslrootcert=system"), std::string::npos) << scratch("postgresql://u@h/db");
  resource.spec.scratch_root_certificate_from = key("ca.crt");
  put_secret("ca.crt", authority.certificate_pem);
  EXPECT_EQ(scratch("postgresql://u@h/db").find("system"), std::string::npos) << scratch("postgresql://u@h/db");
  EXPECT_NE(scratch("postgresql://u@h/db?sslmode=disable").find("plain text"), std::string::npos);
  resource.spec.scratch_root_certificate_from.reset();
  const std::string plain = scratch("postgresql://u@h/db?sslmode=disable");
  EXPECT_NE(plain.find("require_auth="), std::string::npos) << plain;
}

TEST_F(Tls, IsDemandedOfAServerThatHasNone) {
  admin.run("ALTER SYSTEM SET ssl = off");
  serve_with(authority, "IP:127.0.0.1");
  resource.spec.database.default_ssl_mode = "verify-full";
  const std::string refused = connect(url("postgres:athanor"));
  EXPECT_NE(refused.find("the server does not support TLS"), std::string::npos) << refused;
}

TEST_F(Tls, IsNotGivenUpByAUrl) {
  EXPECT_EQ(connect(url("postgres:athanor") + "?sslmode=disable"), "postgres in plain text");
  put_secret("ca.crt", authority.certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  for (const auto* const mode : {"disable", "allow", "prefer"}) {
    const std::string refused = connect(url("postgres:athanor") + "?sslmode=" + mode);
    EXPECT_NE(refused.find("plain text"), std::string::npos) << refused;
  }
}

TEST_F(Tls, ShowsTheClientsCertificate) {
  put_secret("ca.crt", authority.certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  EXPECT_NE(connect(url("certified")), "certified over TLS") << "without a certificate";
  const auto client = test::issue_certificate(authority, {.common_name = "certified"});
  put_secret("tls.crt", client.certificate_pem);
  put_secret("tls.key", client.key_pem);
  resource.spec.database.client_certificate_from = key("tls.crt");
  resource.spec.database.client_key_from = key("tls.key");
  EXPECT_EQ(connect(url("certified")), "certified over TLS");
  const auto stranger = test::issue_certificate(test::make_authority("another authority"), {.common_name = "certified"});
  put_secret("tls.crt", stranger.certificate_pem);
  put_secret("tls.key", stranger.key_pem);
  EXPECT_NE(connect(url("certified")), "certified over TLS") << "of an authority that the server does not know";
}

TEST_F(Tls, FollowsACertificateThatIsReplaced) {
  put_secret("ca.crt", authority.certificate_pem);
  resource.spec.database.root_certificate_from = key("ca.crt");
  ASSERT_EQ(connect(url("postgres:athanor")), "postgres over TLS");
  const auto next = test::make_authority("next authority");
  serve_with(next, "IP:127.0.0.1");
  const std::string refused = connect(url("postgres:athanor"));
  EXPECT_NE(refused.find("TLS certificate rejected"), std::string::npos) << refused;
  put_secret("ca.crt", next.certificate_pem);
  EXPECT_EQ(connect(url("postgres:athanor")), "postgres over TLS");
}

}  // namespace
}  // namespace athanor::controller
