// What goes wrong between a command and a database: each with its exit code, and nothing half-applied.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Trouble, AFailedStatementKeepsWhatCameBefore) {
  CliScene scene;
  scene.three_tables();
  scene.revision("r2", "r1", "CREATE TABLE t2 (id int);\nINSERT INTO missing VALUES (1, 'secret');", "");
  const auto result = scene.run({"upgrade", "head"});
  EXPECT_EQ(result.exit_code, 9);
  EXPECT_THAT(result.err, HasSubstr("Running upgrade <base> -> r1"));
  EXPECT_THAT(result.err, HasSubstr("r2.sql"));
  EXPECT_THAT(result.err, HasSubstr("SQLSTATE 42P01"));
  EXPECT_THAT(result.err, Not(HasSubstr("secret")));
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1"));
  const Json json = scene.json({"upgrade", "head"});
  EXPECT_EQ(json["exit_code"], 9);
  EXPECT_EQ(json["error"]["sqlstate"], "42P01");
  EXPECT_EQ(json["failed"]["revision"], "r2");
  EXPECT_EQ(json["current_revision"], Json::array({"r1"}));
  EXPECT_EQ(json["steps"], Json::array());
}

TEST(Trouble, AServerErrorIsShownWithItsPlaceItsHintAndTheWarningsBeforeIt) {
  CliScene scene;
  scene.revision("r1", "", "CREATE TABLE t1 (\n  i int,\n  j itn\n);", "");
  EXPECT_THAT(scene.run({"upgrade", "head"}).err, HasSubstr("r1.sql:9:5: type \"itn\" does not exist"));
  scene.revision("r1", "",
                 "DO $$ BEGIN\n  RAISE WARNING 'careful';\n  RAISE NOTICE 'by the way';\n"
                 "  RAISE EXCEPTION 'no way' USING HINT = 'the hint';\nEND $$;",
                 "");
  const auto result = scene.run({"upgrade", "head"});
  EXPECT_THAT(result.err, HasSubstr("r1.sql:10: no way"));
  EXPECT_THAT(result.err, HasSubstr("hint: the hint"));
  EXPECT_THAT(result.err, HasSubstr("the server warns: careful"));
  EXPECT_THAT(result.err, Not(HasSubstr("by the way")));
  EXPECT_THAT(scene.run({"upgrade", "head", "-v"}).err, HasSubstr("NOTICE: by the way"));
  const Json json = scene.json({"upgrade", "head", "-v"});
  EXPECT_EQ(json["failed"]["line"], 10);
  EXPECT_EQ(json["error"]["hint"], "the hint");
  EXPECT_EQ(json["warnings"], Json::array({"the server warns: careful"}));
  EXPECT_EQ(json["messages"][0]["text"], "by the way");
}

TEST(Trouble, AValueOfTheDataIsShownOnlyOnRequest) {
  CliScene scene;
  scene.revision("r1", "", "SELECT '4111111111111111'::text::int;", "");
  const auto result = scene.run({"upgrade", "head"});
  EXPECT_THAT(result.err, HasSubstr("value \"***\" is out of range for type integer"));
  EXPECT_THAT(result.err, Not(HasSubstr("4111")));
  EXPECT_THAT(scene.database.value("SELECT message FROM athanor.history"), Not(HasSubstr("4111")));
  EXPECT_THAT(scene.run({"upgrade", "head", "--show-values"}).err, HasSubstr("4111111111111111"));
}

TEST(Trouble, ANameThatIsLookedUpIsShownWhenTheStatementHasItAsOne) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"SELECT 'sekret'::regclass;", "relation \"***\" does not exist"},
      {"SELECT a::regclass FROM (VALUES ('sekret'::text)) AS v(a);", "relation \"***\" does not exist"},
      {"SELECT 'sekret'::regrole;", "role \"***\" does not exist"},
      {"SELECT chr(1234567);", "requested character too large for encoding: ***"},
      {"SELECT FROM missing;", "relation \"missing\" does not exist"},
      {"DO $$ BEGIN PERFORM FROM missing; END $$;", "relation \"missing\" does not exist"},
      {"ALTER TABLE app.missing ADD a int;", "schema \"app\" does not exist"},
      {"CREATE TABLE users (mail text); SELECT mial FROM users;", "\"users.mail\""},
  };
  for (const auto& [up, says] : cases) {
    CliScene scene;
    scene.revision("r1", "", up, "SELECT 1;");
    const auto failed = scene.run({"upgrade", "head"});
    EXPECT_THAT(failed.err, HasSubstr(says)) << up;
    EXPECT_THAT(failed.err, Not(HasSubstr("sekret"))) << up;
  }
}

TEST(Trouble, ARowThatNoFileKnowsIsNamedWithTheWayOn) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  scene.database.run("UPDATE alembic_version SET version_num = 'gone'");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"upgrade", "head"}, {"current"}, {"check"}, {"stamp", "r1"}}) {
    const auto result = scene.run(words);
    EXPECT_EQ(result.exit_code, 10) << words.front();
    EXPECT_THAT(result.err, HasSubstr("'gone'")) << words.front();
    EXPECT_THAT(result.err, HasSubstr("stamp --purge")) << words.front();
  }
  EXPECT_EQ(scene.json({"status"})["unknown_revisions"], Json::array({"gone"}));
  EXPECT_EQ(scene.run({"stamp", "--purge", "r3"}).exit_code, 0);
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
}

TEST(Trouble, ARowThatIsNullOrFarTooLongIsDescribedWithTheWayOn) {
  for (const auto& [value, says] : std::vector<std::pair<std::string, std::string>>{
           {"NULL", "a row of the version table public.alembic_version is NULL"},
           {"repeat('x', 1000000)", "a row of the version table public.alembic_version has 1000000 characters"}}) {
    SCOPED_TRACE(value);
    CliScene scene;
    scene.three_tables();
    ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
    scene.database.run(
        "ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc; ALTER TABLE alembic_version ALTER COLUMN version_num"
        " DROP NOT NULL; ALTER TABLE alembic_version ALTER COLUMN version_num TYPE text; UPDATE alembic_version SET"
        " version_num = " +
        value);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"upgrade", "head"}, {"current"}, {"check"}, {"stamp", "r1"}, {"status", "--json"}}) {
      const auto result = scene.run(words);
      EXPECT_EQ(result.exit_code, 10) << words.front() << result.err;
      EXPECT_THAT(result.out + result.err, HasSubstr(says)) << words.front();
      EXPECT_THAT(result.out + result.err, HasSubstr("athanor stamp --purge")) << words.front();
      EXPECT_THAT(result.out + result.err, Not(HasSubstr("xxxx"))) << words.front();
    }
    const auto purged = scene.run({"stamp", "--purge", "r3"});
    EXPECT_EQ(purged.exit_code, 0) << purged.err;
    EXPECT_THAT(purged.err, HasSubstr("2 row changes, now at r3"));
    EXPECT_THAT(scene.rows(), ElementsAre("r3"));
  }
}

TEST(Trouble, AColumnThatIsTooNarrowForAnIdIsFoundBeforeTheRun) {
  CliScene scene;
  scene.database.run("CREATE TABLE alembic_version (version_num varchar(8) NOT NULL)");
  scene.revision("r1", "", "CREATE TABLE t1 (i int);", "DROP TABLE t1;");
  scene.revision("123456789ab", "r1", "CREATE TABLE t2 (i int);", "DROP TABLE t2;");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"upgrade", "head"}, {"stamp", "123456789ab"}, {"stamp", "--purge", "123456789ab"}}) {
    const auto refused = scene.run(words);
    EXPECT_EQ(refused.exit_code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("holds 8 characters, and revision 123456789ab has 11; nothing was applied"));
    EXPECT_THAT(refused.err, HasSubstr("ALTER TABLE public.alembic_version ALTER COLUMN version_num TYPE varchar(255)"));
  }
  EXPECT_FALSE(scene.database.has_relation("public.t1"));
  EXPECT_EQ(scene.run({"upgrade", "r1"}).exit_code, 0);
  scene.database.run("ALTER TABLE public.alembic_version ALTER COLUMN version_num TYPE varchar(255)");
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
}

TEST(Trouble, AWrongPasswordIsNeverRepeated) {
  CliScene scene;
  scene.three_tables();
  ProcessOptions options = scene.options();
  options.environment["DATABASE_URL"] = url_of(scene.database.name(), "postgres", "hunter2");
  const auto result = run_process(CliScene::command({"upgrade", "head"}), options);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(result.err, HasSubstr("password"));
  EXPECT_THAT(result.err + result.out, Not(HasSubstr("hunter2")));
}

TEST(Trouble, AHeldLockIsReportedWithItsHolder) {
  CliScene scene;
  scene.three_tables();
  Client holder = scene.database.connect();
  holder.run("SELECT pg_advisory_lock(1635018866, 1)");
  const auto result = scene.run({"upgrade", "head", "-x", "lock_wait=300ms"});
  EXPECT_EQ(result.exit_code, 8);
  EXPECT_THAT(result.err, HasSubstr("Waiting for the migration lock, held by pid " + std::to_string(holder.backend_pid())));
  EXPECT_THAT(scene.tables(), IsEmpty());
}

TEST(Trouble, TwoUpgradesAtOnceApplyEverythingOnce) {
  CliScene scene;
  scene.three_tables();
  ProcessResult first;
  std::thread other([&] { first = scene.run({"upgrade", "head"}); });
  const auto second = scene.run({"upgrade", "head"});
  other.join();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(scene.rows(), ElementsAre("r3"));
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM athanor.history"), "3");
}

TEST(Trouble, AChangedFileIsRefusedUntilItIsAccepted) {
  CliScene scene;
  scene.three_tables();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  scene.revision("r1", "", "CREATE TABLE t1 (id bigint);", "DROP TABLE t1;");
  const Json refused = scene.json({"upgrade", "head"});
  EXPECT_EQ(refused["exit_code"], 10);
  EXPECT_EQ(refused["error"]["code"], "checksum-mismatch");
  EXPECT_THAT(scene.rows(), ElementsAre("r2"));
  EXPECT_EQ(scene.json({"upgrade", "r2", "--verify"})["error"]["code"], "checksum-mismatch");

  const Json listed = scene.json({"repair"});
  ASSERT_EQ(listed["changed"].size(), 1U) << listed;
  EXPECT_EQ(listed["changed"][0]["revision"], "r1");
  EXPECT_EQ(scene.json({"repair", "--accept", "r2"})["exit_code"], 2);
  EXPECT_EQ(scene.json({"repair", "--accept", "r1"})["accepted"], 1);
  EXPECT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  EXPECT_EQ(scene.run({"repair"}).out, "Nothing to repair.\n");
}

TEST(Trouble, AnIrreversibleRevisionStaysWhereItIs) {
  CliScene scene;
  scene.folder.write(
      "migrations/versions/r1.sql",
      "-- m\n--\n-- Revision: r1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n-- athanor:irreversible data is lost\n");
  ASSERT_EQ(scene.run({"upgrade", "head"}).exit_code, 0);
  const auto result = scene.run({"downgrade", "base"});
  EXPECT_EQ(result.exit_code, 10);
  EXPECT_THAT(result.err, HasSubstr("data is lost"));
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
}

TEST(Trouble, AnImpatientSignalRollsBackWhatIsRunning) {
  CliScene scene;
  scene.revision("r1", "", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
  scene.revision("r2", "r1", "CREATE TABLE t2 (id int);\nSELECT pg_sleep(60);", "DROP TABLE t2;");
  Process process(CliScene::command({"upgrade", "head"}), scene.options());
  Client watcher = scene.database.connect();
  const std::string sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event = "
      "'PgSleep'";
  while (process.running() && watcher.value(sleeping) == "0") {
    std::this_thread::yield();
  }
  process.signal(SIGTERM);
  process.signal(SIGINT);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 11) << result.err;
  EXPECT_THAT(result.err, HasSubstr("The database is at r1"));
  EXPECT_THAT(scene.rows(), ElementsAre("r1"));
  EXPECT_THAT(scene.tables(), ElementsAre("t1"));
}

}  // namespace
}  // namespace athanor::test
