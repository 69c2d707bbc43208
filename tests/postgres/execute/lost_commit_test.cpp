// The reply to COMMIT never arrives. Whether the transaction happened is found out, not guessed.
#include <gtest/gtest.h>

#include "tests/postgres/execute/migration_scene.hpp"
#include "tests/support/cutting_proxy.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class LostCommit : public test::MigrationScene {
 protected:
  LostCommit() { settings_.execution.lock_wait = milliseconds(30'000); }
  static int port_of(const std::string& url) {
    const auto at = url.rfind("127.0.0.1:") + 10;
    return std::stoi(url.substr(at, url.find('/', at) - at));
  }
  [[nodiscard]] std::string through(const test::CuttingProxy& proxy) const {
    std::string url = database_.url();
    const std::string direct = "127.0.0.1:" + std::to_string(port_of(url));
    return url.replace(url.find(direct), direct.size(), "127.0.0.1:" + std::to_string(proxy.port()));
  }
  // Upgrades through a proxy that cuts when it sees `marker`, which stands in the SQL of b2.
  ExecutionReport upgrade_cut_at(const std::string& marker, bool deliver, milliseconds linger = milliseconds(300)) {
    test::CuttingProxy proxy(port_of(database_.url()));
    proxy.cut_after(marker, deliver, linger);
    auto sessions = factory(through(proxy));
    const auto report = run(Direction::Upgrade, "heads", *sessions);
    EXPECT_TRUE(proxy.has_cut());
    return report;
  }
};

TEST_F(LostCommit, CountsATransactionThatCommittedBehindOurBack) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "CREATE TABLE marked_here (n int);");
  const auto report = upgrade_cut_at("marked_here", true);
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.current_heads, Rows{"b2"});
  EXPECT_EQ(report.executed.size(), 2U);
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history"), "2");
}

TEST_F(LostCommit, SaysSoWhenTheTransactionNeverReachedTheServer) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "CREATE TABLE marked_here (n int);");
  ASSERT_TRUE(upgrade("a1").ok());
  const auto report = upgrade_cut_at("marked_here", false);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ConnectionLost) << text(report.error);
  EXPECT_EQ(report.current_heads, Rows{"a1"});
  EXPECT_TRUE(report.executed.empty());
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_TRUE(upgrade().ok());
}

TEST_F(LostCommit, WaitsForTheOldSessionBeforeItJudges) {
  revision("a1", "", "CREATE TABLE t (n int);");
  // The statement runs on after the line was cut: only the lock tells when it is over.
  revision("b2", "a1", "SELECT pg_sleep(1.5); CREATE TABLE marked_here (n int);");
  const auto report = upgrade_cut_at("marked_here", true, milliseconds(3'000));
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.current_heads, Rows{"b2"});
  EXPECT_TRUE(database_.has_relation("marked_here"));
}

TEST_F(LostCommit, FindsAStatementOutsideATransactionByItsIntent) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY marked_here ON t (n);");
  ASSERT_TRUE(upgrade("a1").ok());
  const auto report = upgrade_cut_at("CREATE INDEX CONCURRENTLY marked_here", true);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->retry, RetryClass::Transient);
  const auto again = upgrade();
  EXPECT_TRUE(again.ok()) << text(again.error);
  EXPECT_EQ(database_.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'marked_here'::regclass"), "t");
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
}

}  // namespace
}  // namespace athanor
