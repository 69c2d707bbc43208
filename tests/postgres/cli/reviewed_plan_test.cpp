// What an orchestrator needs of upgrade and downgrade: exactly the reviewed plan, the database in parts, the end in a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ReviewedPlan, RunsWhenItIsStillThePlan) {
  CliScene scene;
  scene.three_tables();
  const std::string up = scene.json({"plan", "upgrade", "head", "--show-sql"})["hash"];
  const auto run = scene.run({"upgrade", "--json", "--plan-hash", up, "--", "head"});
  EXPECT_EQ(run.exit_code, 0) << run.out;
  EXPECT_EQ(Json::parse(run.out)["plan_hash"], up);
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
  EXPECT_EQ(scene.json({"upgrade", "head", "--plan-hash", up})["exit_code"], 0) << "nothing is left to do";
  const std::string down = scene.json({"plan", "downgrade", "r1", "--show-sql"})["hash"];
  EXPECT_EQ(scene.json({"downgrade", "r1", "--plan-hash", down})["exit_code"], 0);
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
}

TEST(ReviewedPlan, DoesNotRunWhenTheDatabaseOrAFileChanged) {
  CliScene scene;
  scene.three_tables();
  const std::string reviewed = scene.json({"plan", "upgrade", "head", "--show-sql"})["hash"];
  scene.revision("r3", "r2", "CREATE TABLE t9 (id int);", "DROP TABLE t9;");
  const Json changed = scene.json({"upgrade", "head", "--plan-hash", reviewed});
  EXPECT_EQ(changed["error"]["code"], "stale-plan") << changed;
  EXPECT_EQ(changed["exit_code"], 10);
  EXPECT_NE(changed["plan_hash"], reviewed);
  EXPECT_THAT(scene.tables(), IsEmpty());
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r1"}).exit_code, 0);
  EXPECT_EQ(scene.json({"upgrade", "head", "--plan-hash", reviewed})["error"]["code"], "stale-plan");
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
}

TEST(ReviewedPlan, MustBeNamedInFull) {
  CliScene scene;
  scene.three_tables();
  EXPECT_EQ(scene.json({"upgrade", "head", "--plan-hash", "abc"})["error"]["code"], "usage");
  EXPECT_THAT(scene.tables(), IsEmpty());
}

TEST(Report, ContainsTheResultOfEveryRun) {
  CliScene scene;
  scene.three_tables();
  scene.folder.write("report", std::string(9'000, 'x'));
  const auto report = [&scene] { return Json::parse(read_file(scene.folder.string() + "/report")); };
  ASSERT_EQ(scene.run({"upgrade", "r2", "--report", "report"}).exit_code, 0);
  EXPECT_EQ(report()["success"], true);
  EXPECT_EQ(report()["current_revision"], Json::array({"r2"}));
  EXPECT_FALSE(report()["run_id"].get<std::string>().empty());
  EXPECT_TRUE(report()["error"].is_null());

  scene.revision("r3", "r2", "SELECT 1/0;", "SELECT 1;");
  ASSERT_EQ(scene.run({"upgrade", "head", "--report", "report"}).exit_code, 9);
  EXPECT_EQ(report()["error"]["code"], "statement-failed");
  EXPECT_EQ(report()["error"]["sqlstate"], "22012");
  EXPECT_EQ(report()["error"]["retry"], "terminal");
  EXPECT_EQ(report()["failed"]["revision"], "r3");
  EXPECT_EQ(scene.run({"upgrade", "nonsense", "--report", "report"}).exit_code, 5);
  EXPECT_EQ(report()["error"]["code"], "unknown-revision");
}

TEST(Report, OfAPlanIsWhatAReviewerIsTold) {
  CliScene scene;
  scene.three_tables();
  scene.revision("r3", "r2", "DROP TABLE t1;", "SELECT 1;");
  ASSERT_EQ(scene.run({"plan", "upgrade", "head", "--show-sql", "--report", "report"}).exit_code, 0);
  const Json report = Json::parse(read_file(scene.folder.string() + "/report"));
  EXPECT_EQ(report["plan"]["revisions"], 3);
  EXPECT_EQ(report["plan"]["direction"], "upgrade");
  EXPECT_EQ(report["plan"]["first"][0]["revision"], "r1");
  EXPECT_THAT(report["plan"]["destructive"][0].get<std::string>(), HasSubstr("DROP TABLE"));
  EXPECT_THAT(scene.tables(), IsEmpty());
  ASSERT_EQ(scene.run({"upgrade", "head", "--plan-hash", report["plan_hash"].get<std::string>()}).exit_code, 0);
}

TEST(Report, SaysWhetherThereIsNothingToDoBecauseTheDatabaseIsAheadOfTheTarget) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  const auto ahead = [&scene](std::vector<std::string> command) {
    command.insert(command.end(), {"--report", "report"});
    EXPECT_EQ(scene.run(command).exit_code, 0);
    return Json::parse(read_file(scene.folder.string() + "/report"))["ahead"];
  };
  EXPECT_EQ(ahead({"upgrade", "r1"}), true);
  EXPECT_EQ(ahead({"upgrade", "r2"}), false);
  EXPECT_EQ(ahead({"plan", "upgrade", "r1", "--show-sql"}), true);
  EXPECT_EQ(ahead({"plan", "upgrade", "r2", "--show-sql"}), false);
}

TEST(PlanLint, TellsWhatLintFindsAndLeavesTheExitCodeAlone) {
  CliScene scene;
  scene.revision("r1", "", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.revision("r2", "r1", "ALTER TABLE t1 DROP COLUMN id;", "ALTER TABLE t1 ADD COLUMN id int;");
  const auto text = scene.run({"plan", "upgrade", "head", "--lint"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("[drop-column]"));
  EXPECT_THAT(text.out, HasSubstr("lint: 1 error"));
  const Json shown = scene.json(
      {"plan", "upgrade", "head", "--show-sql", "--lint", "--report", "report", "--set", "lint.drop-column=warning"});
  EXPECT_EQ(shown["exit_code"], 0);
  EXPECT_EQ(shown["counts"]["error"], 0);
  EXPECT_EQ(shown["counts"]["warning"], 1);
  EXPECT_EQ(shown["findings"][0]["rule"], "drop-column");
  const Json told = Json::parse(read_file(scene.folder.string() + "/report"))["lint"];
  EXPECT_EQ(told["warnings"], 1);
  EXPECT_THAT(told["findings"][0].get<std::string>(), testing::StartsWith("r2.sql:7: warning drop-column: "));
  EXPECT_EQ(scene.run({"plan", "upgrade", "head", "--set", "lint.drop-colum=off"}).exit_code, 2);
}

TEST(PlanTo, GoesWhicheverWayTheTargetLies) {
  CliScene scene;
  scene.three_tables();
  const auto way = [&scene](const std::string& target) {
    std::string steps;
    const Json plan = scene.json({"plan", "to", target});
    for (const auto& step : plan["steps"]) {
      steps += (steps.empty() ? "" : ", ") + step["direction"].get<std::string>() + " " + step["revision"].get<std::string>();
    }
    return steps;
  };
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  EXPECT_EQ(way("head"), "upgrade r3");
  EXPECT_EQ(way("r2"), "");
  EXPECT_EQ(way("r1"), "downgrade r2");
  EXPECT_EQ(way("base"), "downgrade r2, downgrade r1");
  for (const char* const relative : {"-1", "+1", "r2-1"}) {
    EXPECT_EQ(scene.json({"plan", "to", relative})["error"]["code"], "invalid-target") << relative;
  }
  EXPECT_EQ(scene.json({"plan", "to", "nonsense"})["error"]["code"], "unknown-revision");
  EXPECT_EQ(scene.json({"plan", "to", "r1", "r2"})["error"]["code"], "usage");

  ASSERT_EQ(scene.run({"plan", "to", "r1", "--show-sql", "--report", "report"}).exit_code, 0);
  const Json report = Json::parse(read_file(scene.folder.string() + "/report"));
  EXPECT_EQ(report["plan"]["direction"], "downgrade");
  ASSERT_EQ(scene.run({"downgrade", "r1", "--plan-hash", report["plan_hash"].get<std::string>()}).exit_code, 0);
  EXPECT_EQ(scene.tables(), std::vector<std::string>{"t1"});
}

TEST(PlanVerify, FindsAnAppliedFileThatChanged) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  EXPECT_EQ(scene.run({"plan", "to", "r2", "--verify"}).exit_code, 0);
  scene.revision("r1", "", "CREATE TABLE t1 (id bigint);", "DROP TABLE t1;");
  for (const std::string target : {"head", "r2", "base"}) {
    EXPECT_EQ(scene.json({"plan", "to", target})["exit_code"], 0);
    EXPECT_EQ(scene.json({"plan", "to", target, "--verify"})["error"]["code"], "checksum-mismatch") << target;
    EXPECT_EQ(scene.json({"plan", "to", target, "--verify", "--show-sql"})["error"]["code"], "checksum-mismatch") << target;
  }
  EXPECT_EQ(scene.json({"plan", "upgrade", "head", "--verify", "--from", "base"})["error"]["code"], "usage");
}

TEST(Report, ThatCannotBeWrittenLetsNothingBegin) {
  CliScene scene;
  scene.three_tables();
  const auto refused = scene.run({"upgrade", "head", "--report", "no/such/folder"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("no/such/folder"));
  EXPECT_THAT(scene.tables(), IsEmpty());
}

}  // namespace
}  // namespace athanor::test
