// What people are told of a database that is in no clean state: half-applied, with rows that contradict each other, or lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kBroken =
    "CREATE TABLE t1 (i int);\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i1 ON t1 (i);\n"
    "CREATE INDEX CONCURRENTLY i2 ON t1 (nosuch);";
constexpr const char* kDone = "revision q1 is half-applied: 1 of 2 steps done, and 1 of 2 statements of step 2";
constexpr const char* kNextPlace = "migrations/versions/q1.sql:10";

struct HalfAppliedScene : CliScene {
  HalfAppliedScene() {
    revision("q1", "", kBroken, "DROP TABLE t1;");
    failed = run({"upgrade", "head"});
  }
  ProcessResult failed;
};

TEST(HalfAppliedCommands, SayInTheErrorWhatIsDoneAndCountRevisionsApart) {
  const HalfAppliedScene scene;
  EXPECT_EQ(scene.failed.exit_code, 9);
  EXPECT_THAT(scene.failed.err, HasSubstr(kDone));
  EXPECT_THAT(scene.failed.err, HasSubstr("The database is at <base>; 0 revisions of this run were applied; revision q1 is "
                                          "half-applied."));
  EXPECT_THAT(scene.failed.err, HasSubstr("athanor upgrade q1"));
  EXPECT_THAT(scene.failed.err, Not(HasSubstr("0 steps")));
}

TEST(HalfAppliedCommands, ShowItEverywhere) {
  const HalfAppliedScene scene;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"current"}, {"check"}, {"status"}, {"history", "-i"}, {"repair"}}) {
    const auto shown = scene.run(words);
    EXPECT_THAT(shown.out, HasSubstr("half-applied")) << words.front();
    EXPECT_THAT(shown.out, HasSubstr("upgrade of q1, 1 of 2 steps done, and 1 of 2 statements of step 2")) << words.front();
    EXPECT_THAT(shown.out, HasSubstr(kNextPlace)) << words.front();
    const Json json = scene.json(words);
    const Json& half = json[words.front() == "repair" ? "half_applied" : "unfinished"];
    ASSERT_TRUE(half.is_object()) << words.front();
    EXPECT_EQ(half["steps"], 2);
    EXPECT_EQ(half["steps_done"], 1);
    EXPECT_EQ(half["statements"], 2);
    EXPECT_EQ(half["statements_done"], 1);
    EXPECT_EQ(half["next_line"], 10);
    EXPECT_EQ(half["path"], "migrations/versions/q1.sql");
  }
  EXPECT_EQ(scene.run({"check"}).exit_code, 6);
  EXPECT_EQ(scene.run({"current", "--check-heads"}).exit_code, 6);
  EXPECT_THAT(scene.run({"history", "-i"}).out, HasSubstr("-> q1 (head) (half-applied)"));
}

TEST(HalfAppliedCommands, AreNeverNothingToDo) {
  HalfAppliedScene scene;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"downgrade", "base"}, {"upgrade", "base"}, {"stamp", "q1"}}) {
    const auto refused = scene.run(words);
    EXPECT_EQ(refused.exit_code, 10) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(kDone));
    EXPECT_THAT(refused.err, HasSubstr("athanor repair --step abandon"));
  }
  EXPECT_THAT(scene.tables(), ElementsAre("t1"));
}

TEST(HalfAppliedCommands, ArePlannedFromWhereTheyStopped) {
  const HalfAppliedScene scene;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"plan", "upgrade", "head"}, {"plan", "upgrade", "head", "--show-sql"}, {"plan", "to", "q1"}}) {
    const auto shown = scene.run(words);
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("half-applied: upgrade of q1, 1 of 2 steps done, and 1 of 2 statements of step 2"));
    EXPECT_THAT(shown.out, HasSubstr(kNextPlace));
  }
  const auto listed = scene.run({"plan", "upgrade", "head", "--show-sql"});
  EXPECT_THAT(listed.out, HasSubstr("CREATE TABLE t1 (i int);  -- done\n"));
  EXPECT_THAT(listed.out, HasSubstr("CREATE INDEX CONCURRENTLY i1 ON t1 (i);  -- done\n"));
  EXPECT_THAT(listed.out, HasSubstr("CREATE INDEX CONCURRENTLY i2 ON t1 (nosuch);\n"));
  const Json json = scene.json({"plan", "upgrade", "head", "--show-sql"});
  EXPECT_EQ(json["unfinished"]["steps_done"], 1);
  EXPECT_EQ(json["steps"][0]["statements"][1]["done"], true);
  EXPECT_EQ(json["steps"][0]["statements"][2]["done"], false);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"plan", "downgrade", "base"}, {"plan", "to", "base"}, {"plan", "stamp", "q1"}}) {
    const auto refused = scene.run(words);
    EXPECT_EQ(refused.exit_code, 10) << words[2] << refused.out;
    EXPECT_THAT(refused.err, HasSubstr(kDone));
  }
}

TEST(HalfAppliedCommands, AskForTheFileThatIsGone) {
  const HalfAppliedScene scene;
  scene.revision("q2", "", "SELECT 1;", "SELECT 1;");
  std::filesystem::remove(scene.folder.path() / "migrations/versions/q1.sql");
  const auto refused = scene.run({"upgrade", "head"});
  EXPECT_EQ(refused.exit_code, 10) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("restore the file of revision q1, then run its upgrade again"));
  EXPECT_THAT(refused.err, Not(HasSubstr("you may first correct")));
}

TEST(HalfAppliedCommands, GoOnWithACorrectedFile) {
  HalfAppliedScene scene;
  scene.revision("q1", "", std::string(kBroken).replace(std::string(kBroken).find("nosuch"), 6, "i"), "DROP TABLE t1;");
  const auto up = scene.run({"upgrade", "head"});
  EXPECT_EQ(up.exit_code, 0) << up.err;
  EXPECT_THAT(scene.rows(), ElementsAre("q1"));
  EXPECT_THAT(scene.run({"status"}).out, Not(HasSubstr("half-applied")));
}

TEST(HalfAppliedCommands, NameTheLineOfAChangeInWhatRan) {
  HalfAppliedScene scene;
  scene.revision("q1", "", "CREATE TABLE t1 (i bigint);\n-- athanor:step autocommit\nVACUUM;", "DROP TABLE t1;");
  const auto up = scene.run({"upgrade", "head"});
  EXPECT_EQ(up.exit_code, 10);
  EXPECT_THAT(up.err, HasSubstr("migrations/versions/q1.sql:7"));
  EXPECT_THAT(scene.run({"status"}).out, HasSubstr("the file changed in a part that has already run (line 7)"));
}

TEST(HalfAppliedCommands, AcceptNoFileOfARevisionThatIsNotApplied) {
  HalfAppliedScene scene;
  const auto refused = scene.run({"repair", "--accept", "q1"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr(kDone));
  EXPECT_THAT(refused.err, HasSubstr("athanor upgrade q1"));
}

TEST(HalfAppliedCommands, NameTheDowngradeWhereThatStopped) {
  CliScene scene;
  scene.revision("r1", "", "CREATE TABLE t1 (i int);", "DROP TABLE t1;");
  scene.revision("q1", "r1", "SELECT 1;", "SELECT 1;\n-- athanor:step autocommit\nDROP INDEX CONCURRENTLY nosuch;");
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  const auto down = scene.run({"downgrade", "r1"});
  EXPECT_EQ(down.exit_code, 9);
  EXPECT_THAT(down.err, HasSubstr("the downgrade of revision q1 is half-applied: 1 of 2 steps done"));
  const auto hint = scene.run({"repair"});
  EXPECT_THAT(hint.err, HasSubstr("`athanor downgrade r1` continues"));
  EXPECT_THAT(hint.err, Not(HasSubstr("athanor upgrade")));
  const auto up = scene.run({"upgrade", "head"});
  EXPECT_EQ(up.exit_code, 10) << "not: nothing to do";
  EXPECT_THAT(up.err, HasSubstr("`athanor downgrade r1` continues"));
  EXPECT_EQ(scene.run({"check"}).exit_code, 6);
}

TEST(OverlappingRowsOfADatabase, AreRefusedByEveryVerbThatWrites) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.database.run("INSERT INTO alembic_version VALUES ('r1')");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"upgrade", "head"},
                                                {"downgrade", "-1"},
                                                {"downgrade", "base"},
                                                {"stamp", "r3"},
                                                {"stamp", "r2"},
                                                {"check"}}) {
    const auto refused = scene.run(words);
    EXPECT_EQ(refused.exit_code, 5) << words[0] << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("'r3' includes 'r1'"));
    EXPECT_THAT(refused.err, HasSubstr("athanor stamp --purge r3"));
  }
  EXPECT_THAT(scene.tables(), ElementsAre("t1", "t2", "t3"));
  EXPECT_EQ(scene.run({"stamp", "--purge", "r3"}).exit_code, 0);
  EXPECT_EQ(scene.run({"downgrade", "-1"}).exit_code, 0);
  EXPECT_THAT(scene.rows(), ElementsAre("r2"));
}

TEST(OverlappingRowsOfADatabase, AreAllShown) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.database.run("INSERT INTO alembic_version VALUES ('r1')");
  const auto current = scene.run({"current"});
  EXPECT_EQ(current.out, "r3 (head)\nr1\n");
  EXPECT_THAT(current.err, HasSubstr("'r3' includes 'r1'"));
  EXPECT_EQ(scene.json({"current"})["revisions"].size(), 2U);
  const auto status = scene.run({"status"});
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.out, HasSubstr("current       r1, r3"));
  EXPECT_THAT(status.out, HasSubstr("overlap       rows of the version table overlap: 'r3' includes 'r1'"));
}

TEST(OverlappingRowsOfADatabase, AreThoseThatAreThereTwiceToo) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  scene.database.run(
      "ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc; INSERT INTO alembic_version VALUES ('r2')");
  for (const char* const verb : {"upgrade", "downgrade"}) {
    const auto refused = scene.run({verb, verb == std::string("upgrade") ? "head" : "base"});
    EXPECT_EQ(refused.exit_code, 5) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("'r2' is there more than once"));
  }
  EXPECT_EQ(scene.run({"current"}).out, "r2\nr2\n");
  EXPECT_EQ(scene.run({"stamp", "--purge", "r2"}).exit_code, 0);
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
}

TEST(OverlappingTargetsOfAStamp, AreRefusedInWhateverOrder) {
  CliScene scene;
  scene.three_tables();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"stamp", "r1", "r2"},
                                                {"stamp", "r2", "r1"},
                                                {"stamp", "--purge", "r2", "r1"},
                                                {"stamp", "head", "r1"},
                                                {"stamp", "--sql", "r1", "r2"},
                                                {"plan", "stamp", "r1", "r3"}}) {
    const auto refused = scene.run(words);
    EXPECT_EQ(refused.exit_code, 5) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("includes 'r1'"));
  }
  const auto twice = scene.run({"stamp", "r3", "head"});
  EXPECT_EQ(twice.exit_code, 5) << twice.err;
  EXPECT_THAT(twice.err, HasSubstr("are the same revision"));
}

TEST(APurge, CountsTheRowsThatItDeletes) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"stamp", "r2"}).exit_code, 0);
  const auto replaced = scene.run({"stamp", "--purge", "r3"});
  EXPECT_THAT(replaced.err, HasSubstr("2 row changes, now at r3"));
  const auto emptied = scene.json({"stamp", "--purge", "base"});
  EXPECT_EQ(emptied["purged_rows"], 1);
  EXPECT_EQ(emptied["message"], "stamp: 1 row change, now at <base>");
}

TEST(AVersionTableThatIsGone, IsNotTakenForAnEmptyDatabase) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  scene.database.run("DROP TABLE alembic_version");
  const auto refused = scene.run({"upgrade", "head"});
  EXPECT_EQ(refused.exit_code, 10);
  EXPECT_THAT(refused.err, HasSubstr("is missing, but according to the ledger revision r2 was applied last"));
  EXPECT_THAT(refused.err, HasSubstr("athanor stamp r2"));
  EXPECT_THAT(scene.database.value("SELECT to_regclass('alembic_version') IS NULL"), "t");
  ASSERT_EQ(scene.run({"stamp", "r2"}).exit_code, 0);
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
}

TEST(AVersionTableThatIsGone, IsRecreatedWhenTheDatabaseWasEmptiedOnPurpose) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.database.run("DROP TABLE alembic_version, t1, t2, t3");
  ASSERT_EQ(scene.run({"stamp", "--purge", "base"}).exit_code, 0);
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  ASSERT_EQ(scene.run({"downgrade", "base"}).exit_code, 0);
  scene.database.run("DROP TABLE alembic_version");
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0) << "the ledger says that nothing is applied";
}

TEST(RowsOfNoFile, AreNamedWithTheOneThatIsSpeltAlike) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  scene.database.run("UPDATE alembic_version SET version_num = 'R2 '");
  const auto down = scene.run({"downgrade", "base"});
  EXPECT_EQ(down.exit_code, 10);
  EXPECT_THAT(down.err, HasSubstr("the closest is 'r2'"));
  EXPECT_THAT(down.err, HasSubstr("athanor stamp --purge r2"));
}

TEST(RowsOfNoFile, CannotMoveTheCursorOrBreakALine) {
  CliScene scene;
  scene.revision("r1", "", "SELECT 1;", "SELECT 1;");
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.database.run("UPDATE alembic_version SET version_num = E'a\\nb\\x1b[2Jc\\u009bd'");
  scene.database.run("UPDATE athanor.history SET actor = E'me\\nyou'");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"status"}, {"current"}}) {
    const auto shown = scene.run(words);
    EXPECT_THAT(shown.out + shown.err, HasSubstr("a\\x0ab\\x1b[2Jc\\x9bd")) << words.front();
    EXPECT_THAT(shown.out + shown.err, Not(HasSubstr("a\nb"))) << words.front();
  }
  EXPECT_THAT(scene.run({"status"}).out, HasSubstr("me\\x0ayou"));
}

TEST(StateThatIsNotKnown, IsNullBeforeTheDatabaseWasRead) {
  CliScene scene;
  scene.three_tables();
  ProcessOptions options = scene.options();
  options.environment = {{"DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere"}};
  const auto up = run_process(CliScene::command({"upgrade", "head", "--json", "--report", "report.json"}), options);
  EXPECT_EQ(up.exit_code, 7);
  EXPECT_TRUE(Json::parse(up.out)["current_revision"].is_null()) << up.out;
  EXPECT_TRUE(Json::parse(read_file(scene.folder.path() / "report.json"))["current_revision"].is_null());
}

}  // namespace
}  // namespace athanor::test
