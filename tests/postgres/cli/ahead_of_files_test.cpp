// A rollback to an older commit: the database has revisions that no file has, and the ledger knows them.
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
using ::testing::StartsWith;

// The database is at r3; the files end at r1.
struct RolledBack : CliScene {
  RolledBack() {
    three_tables();
    EXPECT_EQ(run({"upgrade", "head"}).exit_code, 0);
    forget("r2");
    forget("r3");
  }
  void forget(const std::string& id) const { std::filesystem::remove(folder.string() + "/migrations/versions/" + id + ".sql"); }
};

TEST(ARolledBackCheckout, MakesTheDatabaseAheadByNameAndNotUnknown) {
  const RolledBack scene;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"upgrade", "head"},
                                                {"downgrade", "r1"},
                                                {"stamp", "r1"},
                                                {"check"},
                                                {"plan", "upgrade", "head"},
                                                {"repair"},
                                                {"history", "-i"}}) {
    const Json answer = scene.json(words);
    EXPECT_EQ(answer["exit_code"], 10) << words.front();
    EXPECT_EQ(answer["error"]["code"], "ahead-of-files") << words.front();
    EXPECT_THAT(answer["message"].get<std::string>(), HasSubstr("at r3, which has no revision file; the ledger recorded it"))
        << answer;
    EXPECT_THAT(answer["message"].get<std::string>(), HasSubstr("2 revisions above r1")) << answer;
    EXPECT_THAT(answer["error"]["hint"].get<std::string>(), HasSubstr("athanor downgrade --from-ledger r1"));
  }
  const Json status = scene.json({"status"});
  EXPECT_EQ(status["ahead_of_files"], Json::array({"r3", "r2"}));
  EXPECT_THAT(status["unknown_revisions"], IsEmpty());
  const auto current = scene.run({"current"});
  EXPECT_EQ(current.exit_code, 0);
  EXPECT_EQ(current.out, "r3 (ahead of the files)\n");
  EXPECT_EQ(scene.json({"current"})["revisions"][0]["is_head"], false);
  EXPECT_THAT(current.err, HasSubstr("ahead of the files"));
}

TEST(ARolledBackCheckout, KeepsTheNewerSchemaWhenAskedTo) {
  RolledBack scene;
  const Json kept = scene.json({"upgrade", "head", "--accept-ahead"});
  EXPECT_EQ(kept["exit_code"], 0);
  EXPECT_EQ(kept["ahead"], true);
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1", "t2", "t3"));
}

TEST(ARolledBackCheckout, IsNotAcceptedWhenTheFilesWentAnotherWay) {
  RolledBack scene;
  scene.revision("s2", "r1", "CREATE TABLE t8 (id int);", "DROP TABLE t8;");
  const Json refused = scene.json({"upgrade", "head", "--accept-ahead"});
  EXPECT_EQ(refused["exit_code"], 10);
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("does not include revision s2"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1", "t2", "t3"));
}

TEST(ARolledBackCheckout, GoesBackWithTheTextsOfTheLedger) {
  RolledBack scene;
  const auto down = scene.run({"downgrade", "r1", "--from-ledger"});
  EXPECT_EQ(down.exit_code, 0) << down.err;
  EXPECT_THAT(down.err, HasSubstr("Running downgrade r3 -> r2"));
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1"));
}

TEST(ARolledBackCheckout, WritesAScriptThatGoesBack) {
  RolledBack scene;
  for (const std::string range : {"r3:r1", "r1"}) {
    const auto script = scene.run({"downgrade", range, "--from-ledger", "--sql"});
    ASSERT_EQ(script.exit_code, 0) << range << script.err;
    EXPECT_THAT(script.out, HasSubstr("DROP TABLE t3;"));
    EXPECT_THAT(script.out, HasSubstr("DROP TABLE t2;"));
    EXPECT_THAT(script.out, Not(HasSubstr("DROP TABLE t1;")));
  }
  EXPECT_EQ(scene.run({"upgrade", "head", "--accept-ahead", "--sql"}).exit_code, 2);
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
}

TEST(ARolledBackCheckout, GoesBackThroughStepsOfItsOwn) {
  CliScene scene;
  scene.revision("r1", "", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
  scene.revision("r2", "r1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i1 ON t1 (id);",
                 "-- athanor:step autocommit\nDROP INDEX CONCURRENTLY i1;");
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  std::filesystem::remove(scene.folder.string() + "/migrations/versions/r2.sql");
  const auto down = scene.run({"downgrade", "-1", "--from-ledger"});
  EXPECT_EQ(down.exit_code, 0) << down.err;
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
}

TEST(ARolledBackCheckout, WithoutTheTextCannotGoBack) {
  CliScene scene;
  scene.folder.write("athanor.yaml", "version_locations: [migrations/versions]\nledger:\n  keep_text: false\n");
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  std::filesystem::remove(scene.folder.string() + "/migrations/versions/r3.sql");
  const Json refused = scene.json({"downgrade", "-1", "--from-ledger"});
  EXPECT_EQ(refused["error"]["code"], "not-renderable");
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("the ledger did not keep the SQL of revision r3"));
  EXPECT_EQ(scene.json({"upgrade", "head", "--accept-ahead"})["exit_code"], 0);  // descent is known all the same
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
}

TEST(AnUnknownRevision, StaysAnError) {
  RolledBack scene;
  scene.database.run("UPDATE alembic_version SET version_num = 'nosuch'");
  EXPECT_EQ(scene.json({"upgrade", "head", "--accept-ahead"})["error"]["code"], "unknown-database-revision");
  EXPECT_EQ(scene.json({"downgrade", "r1", "--from-ledger"})["error"]["code"], "unknown-database-revision");
}

TEST(AppliedRevisions, AreShownWithoutAnyFile) {
  RolledBack scene;
  scene.forget("r1");
  const Json listed = scene.json({"history", "--applied"});
  ASSERT_EQ(listed["revisions"].size(), 3U) << listed;
  EXPECT_EQ(listed["revisions"][0]["revision"], "r3");
  EXPECT_EQ(listed["revisions"][0]["down_revision"], Json::array({"r2"}));
  EXPECT_EQ(listed["revisions"][0]["message"], "Revision r3");
  const auto shown = scene.run({"show", "r2", "--applied"});
  EXPECT_THAT(shown.out, HasSubstr("-- Revises: r1"));
  EXPECT_THAT(shown.out, HasSubstr("CREATE TABLE t2 (id int);"));
  EXPECT_EQ(scene.json({"show", "r9", "--applied"})["error"]["code"], "unknown-revision");
}

TEST(AppliedRevisions, AreNotListedByHalf) {
  const RolledBack scene;
  EXPECT_EQ(scene.run({"history", "--applied", "-r", "r1:r2"}).exit_code, 2);
  EXPECT_EQ(scene.run({"history", "--applied", "-i"}).exit_code, 2);
}

TEST(TheLedger, OfAnEarlierVersionGetsItsNewColumnsInPlace) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r1"}).exit_code, 0);
  scene.database.run(
      "CREATE TABLE athanor.older AS SELECT id, version_table, run_id, revision, direction, outcome, checksum, plan_hash,"
      " started_at, duration_ms, actor, database_user, tool, sqlstate, message FROM athanor.history");
  scene.database.run("DROP TABLE athanor.history");
  scene.database.run("ALTER TABLE athanor.older RENAME TO history");
  scene.database.run("ALTER TABLE athanor.history ALTER id SET NOT NULL, ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 2)");
  const auto on = scene.run({"upgrade", "head"});
  EXPECT_EQ(on.exit_code, 0) << on.err;
  const Json listed = scene.json({"history", "--applied"});
  EXPECT_EQ(listed["revisions"].size(), 2U);
  EXPECT_EQ(listed["not_recorded"], Json::array({"r1"}));
}

TEST(TheLedger, KeepsATextThatTheDatabasesEncodingLacks) {
  CliScene scene;
  scene.database.run("CREATE DATABASE " + scene.database.name() +
                     "_latin1 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
  scene.revision("r1", "", "CREATE TABLE t1 (id int);", "DROP TABLE t1;", "\n-- one \u2192 two\n");
  ProcessOptions options = scene.options();
  options.environment["DATABASE_URL"] = url_of(scene.database.name() + "_latin1");
  const auto up = run_process(scene.command({"upgrade", "head"}), options);
  EXPECT_EQ(up.exit_code, 0) << up.err;
  const auto shown = run_process(scene.command({"show", "r1", "--applied"}), options);
  EXPECT_THAT(shown.out, HasSubstr("one \u2192 two"));
  scene.database.run("DROP DATABASE " + scene.database.name() + "_latin1");
}

}  // namespace
}  // namespace athanor::test
