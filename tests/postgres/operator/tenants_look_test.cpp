// Many resources of one database: they look through one session, and each runs through its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/postgres/connect.hpp"
#include "operator/reconcile/database_access.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

class TenantsObservation : public testing::Test {
 protected:
  TenantsObservation() {
    for (const char* tenant : {"north", "south", "west"}) {
      database_.run(std::string("CREATE SCHEMA ") + tenant);
    }
  }
  std::unique_ptr<DatabaseAccess> access(const std::string& tenant) {
    DatabaseTarget target;
    target.url = database_.url();
    target.settings.actor = "databasemigration/shop/" + tenant;
    target.settings.version_table_schema = tenant;
    target.settings.execution.search_path = tenant + ", public";
    target.settings.execution.application_name = "operator";
    return databases_->open(target, sink_).value();
  }
  // Server processes that serve us; a closed one needs a moment.
  std::vector<std::string> sessions() {
    return database_.column(
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'operator'");
  }
  bool one_is_open() {
    return database_.wait_until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'operator'");
  }
  void look(const std::string& tenant) {
    const auto seen = access(tenant)->observe();
    ASSERT_TRUE(seen) << seen.error().describe();
  }

  test::TestDatabase database_{"looks"};
  SystemClock clock_;
  ProgressSink sink_;
  std::unique_ptr<DatabaseAccessFactory> databases_ = make_migrator_access(
      [](const std::string& url, const ExecutionSettings& settings,
         const StopToken& stop) -> Result<std::unique_ptr<SessionFactory>> {
        TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, settings, stop));
        return std::unique_ptr<SessionFactory>(std::move(factory));
      },
      clock_);
};

TEST_F(TenantsObservation, GoesThroughOneSession) {
  look("north");
  look("south");
  ASSERT_TRUE(one_is_open());
  const auto kept = sessions();
  look("west");
  look("north");
  EXPECT_EQ(sessions(), kept);
  ASSERT_TRUE(
      database_.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND"
                           " application_name = 'operator'"))
      << "it is closed when nobody looks any more";
}

TEST_F(TenantsObservation, SeesTheVersionTableOfItsOwnTenant) {
  const auto snapshot = sketch::snapshot({sketch::revision("a1", "", "CREATE TABLE t (id int);")});
  const auto plan = snapshot->plan(Direction::Upgrade, {}, {"head"}).value();
  look("north");
  look("south");
  ASSERT_FALSE(access("south")->execute(*plan, {}, {}).error);
  EXPECT_TRUE(access("north")->observe()->current_heads.empty());
  EXPECT_EQ(access("south")->observe()->current_heads, std::vector<std::string>{"a1"});
  EXPECT_TRUE(access("west")->observe()->current_heads.empty());
}

TEST_F(TenantsObservation, RunsThroughASessionWithItsOwnSettings) {
  const auto snapshot = sketch::snapshot(
      {sketch::revision("a1", "", "CREATE TABLE here AS SELECT pg_backend_pid() AS pid; SET lock_timeout = '1h';")});
  const auto plan = snapshot->plan(Direction::Upgrade, {}, {"head"}).value();
  look("north");
  look("south");
  ASSERT_TRUE(one_is_open());
  const std::string kept = sessions().front();
  const auto west = access("west");
  ASSERT_TRUE(west->observe());
  const auto report = west->execute(*plan, {}, {});
  ASSERT_FALSE(report.error) << report.error->describe();
  const std::string own = database_.value("SELECT pid FROM west.here");
  EXPECT_NE(own, kept);
  EXPECT_FALSE(database_.has_relation("north.here"));
  look("south");
  EXPECT_THAT(sessions(), testing::UnorderedElementsAre(kept, own)) << "what ran is not looked through, nor is a third opened";
}

TEST_F(TenantsObservation, GoesOnWhenTheServerHasEndedTheKeptSession) {
  look("north");
  look("south");
  ASSERT_TRUE(one_is_open());
  database_.run("SELECT pg_terminate_backend(" + sessions().front() + ", 5000)");
  look("west");
}

}  // namespace
}  // namespace athanor::controller
