// upgrade, downgrade, stamp, current, check, status on a real database, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MigrateCommands, GoUpAndDownAndSayEveryStep) {
  CliScene scene;
  scene.three_tables();
  const auto up = scene.run({"upgrade", "head"});
  EXPECT_EQ(up.exit_code, 0) << up.err;
  EXPECT_EQ(up.out, "");
  EXPECT_THAT(up.err, HasSubstr("Running upgrade <base> -> r1, Revision r1 ("));
  EXPECT_THAT(up.err, HasSubstr("Running upgrade r2 -> r3, Revision r3 ("));
  EXPECT_THAT(up.err, HasSubstr("now at r3"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1", "t2", "t3"));
  EXPECT_EQ(scene.run({"current"}).out, "r3 (head)\n");

  const auto down = scene.run({"downgrade", "-1"});
  EXPECT_EQ(down.exit_code, 0) << down.err;
  EXPECT_THAT(down.err, HasSubstr("Running downgrade r3 -> r2, Revision r3 ("));
  EXPECT_THAT(scene.tables(), ElementsAre("t1", "t2"));
  EXPECT_EQ(scene.run({"downgrade", "base", "-q"}).err, "");
  EXPECT_THAT(scene.tables(), IsEmpty());
  EXPECT_THAT(scene.rows(), IsEmpty());
}

TEST(MigrateCommands, ReportRunsInJson) {
  CliScene scene;
  scene.three_tables();
  const Json up = scene.json({"upgrade", "+2"});
  EXPECT_EQ(up["exit_code"], 0);
  EXPECT_EQ(up["current_revision"], Json::array({"r2"}));
  ASSERT_EQ(up["steps"].size(), 2U) << up;
  EXPECT_EQ(up["steps"][1]["revision"], "r2");
  EXPECT_EQ(up["steps"][1]["direction"], "upgrade");
  EXPECT_EQ(up["plan_hash"].get<std::string>().size(), 64U);
  EXPECT_TRUE(up["error"].is_null());
  EXPECT_EQ(scene.json({"current"})["current_revision"], Json::array({"r2"}));
}

TEST(MigrateCommands, DoNothingAtTheTarget) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  const auto runs = scene.database.value("SELECT count(*) FROM athanor.history");
  const Json again = scene.json({"upgrade", "head"});
  EXPECT_EQ(again["exit_code"], 0);
  EXPECT_EQ(again["steps"], Json::array());
  EXPECT_THAT(again["message"].get<std::string>(), HasSubstr("already at target r3"));
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM athanor.history"), runs);
}

TEST(MigrateCommands, LeaveAnEmptyDatabaseAloneWhenThereIsNothingToDo) {
  CliScene scene;
  scene.three_tables();
  EXPECT_EQ(scene.run({"downgrade", "base"}).exit_code, 0);
  EXPECT_EQ(scene.run({"current"}).exit_code, 0);
  EXPECT_EQ(scene.run({"status"}).exit_code, 0);
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_class WHERE relname = 'alembic_version'"), "0");
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'athanor'"), "0");
}

TEST(MigrateCommands, PlanAgainstTheDatabase) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r1"}).exit_code, 0);
  const Json plan = scene.json({"plan", "upgrade", "head"});
  EXPECT_EQ(plan["current_revision"], Json::array({"r1"}));
  ASSERT_EQ(plan["steps"].size(), 2U);
  EXPECT_EQ(plan["steps"][0]["operations"], Json::parse(R"([["update","r1","r2"]])"));
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
}

TEST(MigrateCommands, StampWithoutRunningAnything) {
  CliScene scene;
  scene.three_tables();
  EXPECT_EQ(scene.run({"stamp", "r2"}).exit_code, 0);
  EXPECT_THAT(scene.rows(), ElementsAre("r2"));
  EXPECT_THAT(scene.tables(), IsEmpty());
  EXPECT_EQ(scene.run({"stamp", "base"}).exit_code, 0);
  EXPECT_THAT(scene.rows(), IsEmpty());
}

TEST(MigrateCommands, TellPendingRevisionsByTheirExitCode) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  const Json check = scene.json({"check"});
  EXPECT_EQ(check["exit_code"], 6);
  EXPECT_EQ(check["error"]["code"], "not-up-to-date");
  EXPECT_EQ(check["pending"], Json::array({"r3"}));
  EXPECT_EQ(scene.run({"current", "--check-heads"}).exit_code, 6);
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  EXPECT_EQ(scene.run({"current", "-c"}).exit_code, 0);
}

TEST(MigrateCommands, ShowTheStatus) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  const Json status = scene.json({"status", "--last", "1"});
  EXPECT_EQ(status["current_revision"], Json::array({"r2"}));
  EXPECT_EQ(status["target_heads"], Json::array({"r3"}));
  EXPECT_EQ(status["pending"], Json::array({"r3"}));
  EXPECT_EQ(status["lock_holders"], Json::array());
  EXPECT_TRUE(status["unfinished"].is_null());
  ASSERT_EQ(status["history"].size(), 1U);
  EXPECT_EQ(status["history"][0]["revision"], "r2");
  Client holder = scene.database.connect();
  holder.run("SELECT pg_advisory_lock(1635018866, 1)");
  EXPECT_EQ(scene.json({"status"})["lock_holders"][0]["pid"], holder.backend_pid());
}

TEST(MigrateCommands, MarkTheCurrentRevisionInTheHistory) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  EXPECT_EQ(scene.run({"history", "-i", "-r", "current:"}).out,
            "r2 -> r3 (head), Revision r3\nr1 -> r2 (current), Revision r2\n");
  EXPECT_THAT(scene.run({"show", "current"}).out, HasSubstr("Rev: r2 (current)"));
}

TEST(MigrateCommands, KeepHeadsThatOnlyADependencyApplied) {
  CliScene scene;
  scene.revision("a1", "", "SELECT 1;", "SELECT 1;");
  scene.revision("b1", "", "SELECT 1;", "SELECT 1;", "-- Depends-On: a1\n");
  ASSERT_EQ(scene.run({"upgrade", "b1"}).exit_code, 0);
  const auto current = scene.run({"current"});
  EXPECT_EQ(current.out, "a1 (effective head)\nb1 (head)\n");
  EXPECT_EQ(scene.run({"current", "--check-heads"}).exit_code, 0);
}

TEST(MigrateCommands, CreateTheirTablesOnRequest) {
  CliScene scene;
  scene.three_tables();
  EXPECT_EQ(scene.run({"ensure_version", "-x", "version_table=my_versions"}).exit_code, 0);
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_class WHERE relname = 'my_versions'"), "1");
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_class WHERE relname = 'alembic_version'"), "0");
}

TEST(MigrateCommands, RenderSqlThatDoesWhatTheyDo) {
  CliScene online;
  online.three_tables();
  ASSERT_EQ(online.run({"upgrade", "head"}).exit_code, 0);
  CliScene offline;
  offline.three_tables();
  const auto sql = offline.run({"upgrade", "head", "--sql"});
  ASSERT_EQ(sql.exit_code, 0) << sql.err;
  offline.database.run(sql.out);
  EXPECT_EQ(offline.rows(), online.rows());
  EXPECT_EQ(offline.tables(), online.tables());
  // And the program goes on from there.
  EXPECT_EQ(offline.run({"downgrade", "-1"}).exit_code, 0);
  EXPECT_THAT(offline.rows(), ElementsAre("r2"));
}

}  // namespace
}  // namespace athanor::test
