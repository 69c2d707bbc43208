#include "operator/reconcile/session_cache.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

// Knows which one it is and whether it is still open.
class NumberedSession final : public Session {
 public:
  NumberedSession(int number, int& open) : number_(number), open_(open) { ++open_; }
  ~NumberedSession() override { --open_; }
  NumberedSession(const NumberedSession&) = delete;
  NumberedSession& operator=(const NumberedSession&) = delete;
  [[nodiscard]] int backend_pid() const override { return number_; }
  Result<Rows> query(std::string_view, const Parameters&) override { return Rows{}; }
  [[nodiscard]] int server_version() const override { return 150'000; }
  Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>&) override { return std::vector<Result<Rows>>{}; }
  Result<Rows> execute_autocommit(std::string_view) override { return Rows{}; }
  Result<void> submit(const Transaction&) override { return {}; }
  Result<TransactionOutcome> collect() override { return TransactionOutcome{}; }
  [[nodiscard]] std::size_t in_flight() const override { return 0; }
  Result<void> roll_back() override { return {}; }
  Result<void> recover() override { return {}; }
  [[nodiscard]] bool alive() const override { return true; }
  void set_wait_listener(WaitListener) override {}
  void cancel() override {}

 private:
  int number_;
  int& open_;
};

class SessionCacheTest : public testing::Test {
 protected:
  // Somebody looks: through a session that is kept, or through a new one. Its number.
  int observe(const std::string& key, const std::string& who) {
    auto session = sessions.take(key, who);
    if (!session) {
      session = std::make_unique<NumberedSession>(++made, open);
    }
    const int number = session->backend_pid();
    sessions.give(key, std::move(session));
    return number;
  }
  static DatabaseTarget target(const std::string& url, const std::string& schema) {
    DatabaseTarget target;
    target.url = url;
    target.settings.version_table_schema = schema;
    target.settings.execution.search_path = schema.empty() ? std::string() : schema + ", public";
    return target;
  }

  test::FakeClock clock;
  int made = 0;
  int open = 0;
  SessionCache sessions{clock};
};

TEST_F(SessionCacheTest, LendsASessionToTheNextObservationOfTheDatabase) {
  EXPECT_EQ(observe("shop", "a"), 1);
  EXPECT_EQ(observe("shop", "b"), 2);  // from here on it is known that the database has several
  EXPECT_EQ(observe("shop", "c"), 2);
  EXPECT_EQ(observe("shop", "a"), 2);
}

TEST_F(SessionCacheTest, KeepsNoneForADatabaseOfOneResource) {
  EXPECT_EQ(observe("shop", "a"), 1);
  EXPECT_EQ(observe("shop", "a"), 2);
  EXPECT_EQ(open, 0);
}

TEST_F(SessionCacheTest, NeverLendsTheSessionOfAnotherDatabase) {
  observe("shop", "a");
  observe("shop", "b");
  observe("bank", "a");
  EXPECT_EQ(observe("bank", "b"), 4);
}

TEST_F(SessionCacheTest, LendsASessionToOneAtATime) {
  observe("shop", "a");
  observe("shop", "b");
  const auto first = sessions.take("shop", "a");
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(sessions.take("shop", "b"), nullptr);
}

TEST_F(SessionCacheTest, ClosesASessionTwoSecondsAfterItsLastUse) {
  observe("shop", "a");
  observe("shop", "b");
  clock.advance(milliseconds(1'500));
  observe("shop", "a");
  clock.advance(milliseconds(1'999));
  sessions.close_due();
  EXPECT_EQ(open, 1);
  clock.advance(milliseconds(1));
  EXPECT_EQ(sessions.take("shop", "a"), nullptr);
  sessions.close_due();
  EXPECT_EQ(open, 0);
}

TEST_F(SessionCacheTest, KeepsNoMoreThanAFew) {
  for (int number = 0; number < 100; ++number) {
    observe("shop" + std::to_string(number), "a");
    observe("shop" + std::to_string(number), "b");
  }
  EXPECT_LE(open, 32);
  EXPECT_EQ(observe("shop99", "a"), 200);
}

TEST_F(SessionCacheTest, SharesSessionsOnlyAmongEqualTargets) {
  const auto key = [](const DatabaseTarget& target) { return SessionCache::key_of(target); };
  const std::string url = "postgresql://app:secret@db/shop";
  EXPECT_EQ(key(target(url, "north")), key(target(url, "south")));  // names of tables are qualified
  EXPECT_NE(key(target(url, "north")), key(target("postgresql://app:other@db/shop", "north")));
  auto with_role = target(url, "north");
  with_role.settings.execution.role = "owner";
  EXPECT_NE(key(target(url, "north")), key(with_role));
  auto one = target(url, "");
  auto other = target(url, "");
  other.settings.execution.search_path = "south";
  EXPECT_NE(key(one), key(other));
  EXPECT_EQ(key(one).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace athanor::controller
