// The lock and the look under it, which a run that has looked before asks for in one round trip.
#include <gtest/gtest.h>

#include "migrations/execute/migration_lock.hpp"
#include "migrations/session/forwarded_session.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

// Writes down what is asked, in the order in which it is.
class WatchedSession final : public ForwardedSession {
 public:
  WatchedSession(std::unique_ptr<Session> session, std::vector<std::string>& asked)
      : ForwardedSession(std::move(session)), asked_(asked) {}
  Result<Rows> query(std::string_view sql, const Parameters& parameters) override {
    asked_.emplace_back("query");
    return ForwardedSession::query(sql, parameters);
  }
  Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) override {
    asked_.push_back("query_each " + std::to_string(commands.size()));
    return ForwardedSession::query_each(commands);
  }
  Result<void> submit(const Transaction& transaction) override {
    asked_.emplace_back("submit");
    return ForwardedSession::submit(transaction);
  }

 private:
  std::vector<std::string>& asked_;
};

class WatchedFactory final : public SessionFactory {
 public:
  explicit WatchedFactory(std::unique_ptr<SessionFactory> factory) : factory_(std::move(factory)) {}
  Result<std::unique_ptr<Session>> open() override {
    TRY_ASSIGN(auto session, factory_->open());
    return std::make_unique<WatchedSession>(std::move(session), asked);
  }
  Result<std::unique_ptr<ReadSession>> open_observer() override { return factory_->open_observer(); }
  [[nodiscard]] std::string describe() const override { return factory_->describe(); }

  std::vector<std::string> asked;

 private:
  std::unique_ptr<SessionFactory> factory_;
};

class LockedState : public test::MigrationScene {
 protected:
  // The first revision is applied, the second is what is looked at and planned.
  void SetUp() override {
    revision("a1", "", "CREATE TABLE t (id int);");
    EXPECT_TRUE(upgrade().ok());
    revision("b2", "a1", "ALTER TABLE t ADD COLUMN name text;");
    const auto seen = migrator_.observe();
    ASSERT_TRUE(seen) << seen.error().describe();
    plan_ = plan(Direction::Upgrade, "heads", seen->current_heads).value();
    sessions_.asked.clear();
  }
  ExecutionReport execute() { return migrator_.execute(plan_, stop_.token()); }
  [[nodiscard]] bool lock_is_free() {
    auto other = database_.connect();
    return other.value(MigrationLock::try_command().sql) == "t";
  }

  WatchedFactory sessions_{factory()};
  athanor::Migrator migrator_{sessions_, fake_clock_, settings_, sink_};
  Plan plan_;
};

TEST_F(LockedState, IsOneRoundTripBeforeTheFirstStatement) {
  const auto report = execute();
  ASSERT_TRUE(report.ok()) << report.error->describe();
  EXPECT_EQ(sessions_.asked, (std::vector<std::string>{"query_each 4", "submit", "query"}));
  EXPECT_TRUE(lock_is_free());
}

TEST_F(LockedState, SeesThatTheDatabaseMovedSinceItWasPlanned) {
  database_.run("UPDATE alembic_version SET version_num = 'b2'");
  const auto report = execute();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StalePlan);
  EXPECT_TRUE(lock_is_free());
}

TEST_F(LockedState, ObservesAgainWhenTheTablesHaveChanged) {
  database_.run("DROP TABLE alembic_version");
  const auto report = execute();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StalePlan) << report.error->describe();
  EXPECT_TRUE(lock_is_free()) << "taken once, it is given back once";
  EXPECT_TRUE(database_.has_relation("t"));
}

TEST_F(LockedState, ReadsAfterAnotherSessionHeldTheLock) {
  auto other = database_.connect();
  ASSERT_EQ(other.value(MigrationLock::try_command().sql), "t");
  settings_.execution.lock_wait = milliseconds(60'000);
  athanor::Migrator patient(sessions_, fake_clock_, settings_, sink_);
  ASSERT_TRUE(patient.observe());
  fake_clock_.on_wait = [&](milliseconds) {
    other.run("UPDATE alembic_version SET version_num = 'b2'");
    other.run("SELECT pg_advisory_unlock_all()");
  };
  const auto report = patient.execute(plan_, stop_.token());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StalePlan) << report.error->describe();
  EXPECT_TRUE(lock_is_free());
}

}  // namespace
}  // namespace athanor
