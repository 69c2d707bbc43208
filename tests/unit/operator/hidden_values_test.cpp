#include "operator/reconcile/hidden_values.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

SecretReference key(const std::string& name) {
  return {SecretReference::Kind::SecretKey, name, "value"};
}

TEST(HiddenValues, HidesAValueOnItsOwn) {
  HiddenValues hidden;
  hidden.add("s3cr3t-token");
  hidden.add("app");
  EXPECT_EQ(hidden.hide("user \"app\" of host s3cr3t-token:5432"), "user \"(hidden)\" of host (hidden):5432");
  EXPECT_EQ(hidden.hide("the application does not map"), "the application does not map");
  EXPECT_EQ(hidden.hide("app"), "(hidden)");
  EXPECT_EQ(hidden.hide("ConfigMap app-config of app.example.org, user app."),
            "ConfigMap app-config of app.example.org, user (hidden).");
}

TEST(HiddenValues, HidesAPasswordWithinAWord) {
  HiddenValues hidden;
  hidden.add_password("hunter2");
  hidden.add_url("postgresql://u:s3cr%2Fet@h/db");
  EXPECT_EQ(hidden.hide("value_hunter2_end xs3cr/ety"), "value_(hidden)_end x(hidden)y");
  hidden.add_password("abc");
  EXPECT_EQ(hidden.hide("abcissa"), "abcissa");
}

TEST(HiddenValues, HidesEveryPartOfAUrlAndOfWhatIsNone) {
  HiddenValues hidden;
  hidden.add_url("postgresql://canary_user:canary%20word@canary.host:6111/canary_db?application_name=canary_app");
  for (const std::string part :
       {"canary_user", "canary word", "canary%20word", "canary.host", "6111", "canary_db", "canary_app"}) {
    EXPECT_EQ(hidden.hide("x '" + part + "' y"), "x '(hidden)' y");
  }
  EXPECT_EQ(hidden.hide("host canary.host, port 6111, database canary_db, user canary_user, application canary_app"),
            "host (hidden), port (hidden), database (hidden), user (hidden), application (hidden)");
  EXPECT_EQ(hidden.hide("sslmode require of postgresql"), "sslmode require of postgresql");
  HiddenValues token;
  token.add_url("ghp_0123456789abcdef\n");
  EXPECT_EQ(token.hide("invalid integer value \"ghp_0123456789abcdef\" for \"port\""),
            "invalid integer value \"(hidden)\" for \"port\"");
}

TEST(HiddenValues, ShowsWhatTheResourceItselfSays) {
  DatabaseMigration resource = sketch::resource();  // shop/orders
  resource.spec.database.url.clear();
  resource.spec.database.name_from = key("orders-db");
  HiddenValues hidden(resource);
  hidden.add("orders");
  hidden.add("orders-db");
  EXPECT_TRUE(hidden.empty());
}

// What a resource had read for it, and how the database fails: nothing of it is in what the reconcile says.
class CanaryTest : public testing::Test {
 protected:
  CanaryTest() {
    sources.current = sketch::snapshot(sketch::line());
    resource.spec.database.url.clear();
    credentials.values = {{"host", "canary-host.internal"},
                          {"port", "6111"},
                          {"name", "canary_name"},
                          {"user", "canary_user"},
                          {"password", "canary-password"}};
    DatabaseSpec& database = resource.spec.database;
    database.host_from = key("host");
    database.port_from = key("port");
    database.name_from = key("name");
    database.user_from = key("user");
    database.password_from = key("password");
  }
  // Everything that leaves it: the status, which events and logs repeat.
  std::string reported_text() {
    const Outcome outcome = reconciler.reconcile(resource, "", callbacks, {}, Log());
    const DatabaseMigrationStatus status = summarise(resource, outcome, {1, clock.wall_now(), {}});
    std::string text = outcome.message + "\n" + (outcome.error ? outcome.error->describe() + outcome.error->hint : "");
    for (const auto& condition : status.conditions) {
      text += "\n" + condition.message;
    }
    if (status.last_error) {
      text += "\n" + status.last_error->message + status.last_error->hint + status.last_error->statement;
      for (const auto& blocker : status.last_error->blockers) {
        text += "\n" + blocker.application + blocker.user + blocker.query;
      }
    }
    return text;
  }
  static bool holds_canary(const std::string& text) {
    return text.find("canary") != std::string::npos || text.find("6111") != std::string::npos;
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  test::FakeClock clock;
  Reconciler reconciler{{sources, credentials, databases, observer, clock}};
  DatabaseMigration resource = sketch::resource();
  ReconcileCallbacks callbacks;
};

TEST_F(CanaryTest, StaysOutOfEveryFailureToConnect) {
  databases.database.observe_error =
      Error(ErrorCode::DatabaseUnreachable,
            "could not translate host name \"canary-host.internal\" to address; connection to canary-host.internal:6111 failed")
          .at("canary-host.internal:6111/canary_name")
          .advise("check canary_user and canary-password")
          .with_retry(RetryClass::Transient);
  const std::string text = reported_text();
  EXPECT_FALSE(holds_canary(text)) << text;
  EXPECT_NE(text.find("(hidden)"), std::string::npos);
  databases.database.observe_error.reset();
  databases.database.open_error = Error(ErrorCode::Configuration, "a bad host, canary-host.internal");
  EXPECT_FALSE(holds_canary(reported_text()));
}

TEST_F(CanaryTest, StaysOutOfWhatIsRefusedBeforeAnythingConnects) {
  credentials.values["port"] = "canary-is-no-port";
  EXPECT_FALSE(holds_canary(reported_text()));
  resource.spec.database = {};
  resource.spec.database.url_from = key("url");
  credentials.values["url"] = "postgresql://canary_user@canary-host/x?canary_parameter=canary&sslmode=disable";
  resource.spec.database.minimum_ssl_mode = "require";
  const std::string text = reported_text();
  EXPECT_FALSE(holds_canary(text)) << text;
}

TEST_F(CanaryTest, StaysOutOfFailedStatementsAndOfHoldersOfLocks) {
  databases.database.broken.emplace(
      "a1", Error(ErrorCode::StatementFailed, "permission denied for database canary_name").with_retry(RetryClass::Terminal));
  EXPECT_FALSE(holds_canary(reported_text()));
  databases.database.broken.clear();
  ++resource.metadata.generation;  // so that it runs again
  Blocker holder;
  holder.pid = 7;
  holder.user = "canary_user";
  holder.client = "canary-host.internal";
  holder.application = "athanor";
  databases.database.holders = {holder};
  const std::string text = reported_text();
  EXPECT_FALSE(holds_canary(text)) << text;
  EXPECT_NE(text.find("pid 7"), std::string::npos) << text;
}

}  // namespace
}  // namespace athanor::controller
