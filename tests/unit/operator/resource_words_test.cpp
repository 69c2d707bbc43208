#include "operator/reconcile/resource_words.hpp"

#include <gtest/gtest.h>

#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

TEST(ResourceWords, NameTheSecretAndItsKeyInPlaceOfTheVariable) {
  DatabaseMigration resource = sketch::resource();
  resource.spec.database.url_from = SecretReference{SecretReference::Kind::SecretKey, "orders-db", "url"};
  const Error refused = Error(ErrorCode::AuthenticationFailed, "refused").advise("check user and password of DATABASE_URL");
  EXPECT_EQ(in_resource_words(resource, refused, true).hint, "check user and password of the key url of Secret shop/orders-db");
  resource.spec.database.url_from.reset();
  EXPECT_EQ(in_resource_words(resource, refused, true).hint, "check user and password of spec.database.url");
}

TEST(ResourceWords, NameFieldsOfTheSpecInPlaceOfSettings) {
  const auto hint = [](const std::string& text, bool on_cluster) {
    return in_resource_words(sketch::resource(), Error(ErrorCode::Internal, "x").advise(text), on_cluster).hint;
  };
  EXPECT_EQ(hint("raise execution.statement_timeout (0 means none)", true),
            "raise spec.execution.statementTimeout (0 means none)");
  EXPECT_EQ(hint("check host, port and firewalls, or raise execution.connect_timeout", true), "check host, port and firewalls");
  EXPECT_EQ(hint("use the URL of the server itself; if the pooler is known to work in session mode, set "
                 "execution.allow_session_pooler: "
                 "true",
                 true),
            "use the URL of the server itself");
  EXPECT_EQ(hint("start it with --backup-root", true), "have backup.enabled set in the operator's chart");
  EXPECT_EQ(hint("start it with --backup-root", false), "start it with --backup-root");
  EXPECT_EQ(hint("start it with --database-auth", true), "have databaseAuth.enabled set in the operator's chart");
}

TEST(ResourceWords, NameTheFieldsThatChooseTls) {
  const auto hint = [](const std::string& text) {
    return in_resource_words(sketch::resource(), Error(ErrorCode::DatabaseUnreachable, "x").advise(text), true).hint;
  };
  EXPECT_EQ(
      hint("turn TLS on at the server (ssl = on), or accept plain text with sslmode=disable"),
      "turn TLS on at the server (ssl = on), or accept plain text with spec.database.sslMode: disable (sslmode=disable in a"
      " URL)");
  EXPECT_NE(hint("name the authority's certificate with sslrootcert").find("spec.database.tls.rootCertificateFrom"),
            std::string::npos);
}

TEST(ResourceWords, NameTheFieldOfARoleThatIsMissing) {
  DatabaseMigration resource = sketch::resource();
  resource.spec.database.role = "owner";
  const Error missing(ErrorCode::DatabaseUnreachable, "refused the connection: role \"owner\" does not exist");
  EXPECT_EQ(in_resource_words(resource, missing, true).hint, "create the role, or correct spec.database.role");
}

TEST(ResourceWords, SayWhereTheDatabaseIsAndWhatToFix) {
  const auto snapshot = sketch::snapshot(sketch::line());
  snapshot->set_place([](const std::string& path) { return "key " + path + " of ConfigMap orders"; });
  const auto plan = snapshot->plan(Direction::Upgrade, {"a1"}, {"a2"}).value();
  ExecutionReport report;
  report.failed_revision = "a2";
  report.failed_line = 7;
  report.current_heads = std::vector<std::string>{"a1"};
  const Error error = Error(ErrorCode::StatementFailed, "division by zero").with_sqlstate("22012").at("a2.sql:7");
  EXPECT_EQ(
      failed_statement_in_words(error, report, plan.get(), snapshot.get()),
      "a2.sql:7: division by zero (SQLSTATE 22012); the transaction of revision a2 was rolled back; the database is at a1; "
      "fix line 7 of key a2.sql of ConfigMap orders");
  report.unfinished.emplace();
  EXPECT_EQ(failed_statement_in_words(error, report, nullptr, nullptr),
            "a2.sql:7: division by zero (SQLSTATE 22012); the database is at a1");
}

}  // namespace
}  // namespace athanor::controller
