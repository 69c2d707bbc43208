// backup, backups, verify-backup, restore, prune and upgrade --backup, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class BackupCommand : public ::testing::Test {
 public:
  BackupCommand() : role(database, "LOGIN SUPERUSER") {
    folder.write("migrations/versions/r1_people.sql",
                 "-- Create people\n--\n-- Revision: r1\n-- Revises:\n-- Created: 2026-11-21T02:10:00+00:00\n\n"
                 "-- athanor:upgrade\nCREATE TABLE people (id bigint);\n\n-- athanor:downgrade\nDROP TABLE people;\n");
    folder.write("athanor.yaml", "backup:\n  folder: backups\n");
  }
  ProcessOptions options() { return {.environment = {{"DATABASE_URL", role.url()}}, .directory = folder.string()}; }
  ProcessResult run(std::vector<std::string> words) {
    words.insert(words.begin(), athanor_binary());
    return run_process(words, options());
  }
  Json json(std::vector<std::string> words) {
    words.emplace_back("--json");
    return Json::parse(run(std::move(words)).out);
  }
  std::size_t files() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "backups")) {
      count += entry.is_regular_file() ? 1U : 0U;
    }
    return count;
  }

  TestDatabase database{"backup_command"};
  TestRole role;
  TempFolder folder;
};

TEST_F(BackupCommand, ComesBeforeTheChangeAndGivesItBack) {
  const Json up = json({"upgrade", "head", "--backup"});
  ASSERT_TRUE(up["success"]) << up;
  EXPECT_EQ(up["backup"]["revisions"], Json::array());
  EXPECT_EQ(files(), 2U);
  database.run("INSERT INTO people VALUES (1), (2)");
  const Json down = json({"downgrade", "base", "--backup"});
  ASSERT_TRUE(down["success"]) << down;
  EXPECT_EQ(down["backup"]["revisions"], Json::array({"r1"}));
  EXPECT_FALSE(database.has_relation("people"));

  const std::string id = down["backup"]["id"];
  EXPECT_EQ(run({"verify-backup", id}).exit_code, 0);
  const Json wrong = json({"restore", id, "--replace", "--confirm", "another"});
  EXPECT_EQ(wrong["error"]["code"], "policy-refused");
  const Json restored = json({"restore", id.substr(0, 10), "--replace", "--confirm", database.name(), "--drop-previous"});
  ASSERT_TRUE(restored["success"]) << restored;
  EXPECT_EQ(restored["previous"], nullptr);
  EXPECT_EQ(Client(database.url()).value("SELECT count(*) FROM people"), "2");
  EXPECT_EQ(json({"current"})["current_revision"], Json::array({"r1"}));
}

TEST_F(BackupCommand, RestoresSeveralTablesAtOnceIntoANewDatabase) {
  database.run(
      "CREATE TABLE a AS SELECT g FROM generate_series(1, 5000) g; CREATE TABLE b AS SELECT md5(g::text) FROM a;"
      "CREATE TABLE c AS SELECT * FROM b; CREATE INDEX ON c (md5)");
  const std::string id = json({"backup"})["backup"]["id"];
  const std::string name = database.name() + "_copy";
  const Json restored = json({"restore", id, "--into", name, "--jobs", "3"});
  Client server(server_url());
  EXPECT_TRUE(restored["success"]) << restored;
  EXPECT_EQ(Client(url_of(name)).value("SELECT count(*) FROM c"), "5000");
  server.run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
}

TEST_F(BackupCommand, MakesAFolderOnlyToWriteIntoIt) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"backups"},
                                                                 {"prune", "--keep", "1"},
                                                                 {"verify-backup", "3f1c"},
                                                                 {"verify-backup", folder / "typo/x.dump"},
                                                                 {"restore", "3f1c", "--into", "copy"}}) {
    const Json refused = json(words);
    EXPECT_EQ(refused["error"]["code"], "backup-not-found") << words.front() << refused;
  }
  EXPECT_TRUE(json({"backups", "--catalogue"})["success"]);
  EXPECT_FALSE(std::filesystem::exists(folder / "backups"));
  EXPECT_FALSE(std::filesystem::exists(folder / "typo"));
  EXPECT_EQ(run({"backup"}).exit_code, 0);
  EXPECT_EQ(files(), 2U);
}

TEST_F(BackupCommand, ChangesNothingWhenTheBackupFails) {
  const auto result = run({"upgrade", "head", "--backup", "--backup-folder", "/no/such/folder"});
  EXPECT_EQ(result.exit_code, 13);
  EXPECT_THAT(result.err, HasSubstr("/no/such/folder"));
  EXPECT_FALSE(database.has_relation("people"));
}

TEST_F(BackupCommand, ListsVerifiesAndPrunes) {
  ASSERT_EQ(run({"backup", "-q"}).exit_code, 0);
  const auto second = run({"backup"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("Taken and verified: "));
  EXPECT_EQ(json({"backups"})["backups"].size(), 2U);
  EXPECT_EQ(json({"backups", "--catalogue"})["catalogue"].size(), 2U);
  EXPECT_EQ(json({"backup", "--accept-max-age", "1h"})["backup"]["accepted"], true);
  EXPECT_EQ(json({"prune", "--keep", "1"})["deleted"].size(), 1U);
  EXPECT_EQ(json({"prune"})["error"]["code"], "usage");
  const Json left = json({"backups"})["backups"];
  ASSERT_EQ(left.size(), 1U);
  const std::string path = left[0]["location"];
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(json({"verify-backup", path})["error"]["code"], "backup-corrupt");
  EXPECT_EQ(json({"verify-backup", "nothing"})["error"]["code"], "backup-not-found");
}

// While it runs: no password in any argument; when it is told to stop: no child, no file.
TEST_F(BackupCommand, HidesThePasswordAndLeavesNothingWhenItIsToldToStop) {
  database.run("CREATE TABLE people (id bigint)");
  auto holder = database.connect();
  holder.run("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE");  // pg_dump waits here
  Process backup({athanor_binary(), "backup"}, options());
  const std::string waiting =
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND"
      " application_name = 'athanor pg_dump' AND wait_event_type = 'Lock'";
  ASSERT_TRUE(database.wait_until(waiting));
  int dumps = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::string line;
    std::string variables;
    try {
      line = read_file(entry.path() / "cmdline");
      variables = line.find("pg_dump") == std::string::npos ? "" : read_file(entry.path() / "environ");
    } catch (const std::exception&) {  // it ended meanwhile
      continue;
    }
    EXPECT_THAT(line, Not(HasSubstr(role.password())));
    if (line.find("--snapshot=") != std::string::npos) {
      ++dumps;
      EXPECT_THAT(variables, Not(HasSubstr(role.password())));
    }
  }
  EXPECT_GE(dumps, 1);
  backup.signal(SIGTERM);
  const auto result = backup.wait();
  EXPECT_EQ(result.exit_code, 11) << result.err;
  EXPECT_EQ(files(), 0U);
  holder.run("ROLLBACK");
  EXPECT_TRUE(
      database.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND"
                          " application_name = 'athanor pg_dump'"));
}

TEST_F(BackupCommand, TakesItsDumpAlongWhenItIsKilled) {
  database.run("CREATE TABLE people (id bigint)");
  auto holder = database.connect();
  holder.run("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE");
  Process backup({athanor_binary(), "backup"}, options());
  ASSERT_TRUE(
      database.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND"
                          " application_name = 'athanor pg_dump' AND wait_event_type = 'Lock'"));
  backup.signal(SIGKILL);
  EXPECT_EQ(backup.wait().exit_code, 137);
  holder.run("ROLLBACK");
  EXPECT_TRUE(
      database.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND"
                          " application_name LIKE 'athanor%'"));
  EXPECT_EQ(json({"backups"})["backups"].size(), 0U);
  EXPECT_EQ(run({"backup", "-q"}).exit_code, 0);
}

}  // namespace
}  // namespace athanor::test
