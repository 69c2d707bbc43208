// `athanor lint` as a user runs it: operands, formats, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class LintCommand : public ::testing::Test {
 protected:
  LintCommand() {
    folder_.write("migrations/versions/1a.sql",
                  revision("1a", "", "CREATE TABLE users (id bigint PRIMARY KEY, login varchar(20));"));
    folder_.write("migrations/versions/1b.sql",
                  revision("1b", "1a", "ALTER TABLE users ALTER COLUMN login TYPE text;\nCREATE INDEX i ON users (login);"));
    folder_.write("migrations/versions/1c.sql", revision("1c", "1b", "DROP TABLE carts;"));
  }

  static std::string revision(const std::string& id, const std::string& revises, const std::string& upgrade) {
    return "-- Change something\n--\n-- Revision: " + id + "\n-- Revises: " + revises + "\n\n-- athanor:upgrade\n" + upgrade +
           "\n\n-- athanor:downgrade\nDROP INDEX i;\n";
  }

  [[nodiscard]] test::ProcessResult lint(std::vector<std::string> words) const {
    words.insert(words.begin(), {test::athanor_binary(), "lint"});
    return test::run_process(words, {.directory = folder_.string()});
  }

  test::TempFolder folder_;
};

TEST_F(LintCommand, LooksAtTheHeadsWithoutADatabase) {
  const auto result = lint({});
  EXPECT_EQ(result.exit_code, 17);
  EXPECT_THAT(result.out, HasSubstr("migrations/versions/1c.sql:7:1: error: "));
  EXPECT_THAT(result.out, HasSubstr("[drop-table]"));
  EXPECT_THAT(result.out, Not(HasSubstr("index-create")));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(result.err, HasSubstr("lint: 1 error in 1 revision"));
}

TEST_F(LintCommand, TakesRevisionsAndRangesWithTheirHistory) {
  const auto one = lint({"1b"});
  EXPECT_EQ(one.exit_code, 17);
  EXPECT_THAT(one.out, HasSubstr("[index-create]"));
  EXPECT_THAT(one.out, Not(HasSubstr("type-change")));  // 1a says that login is a varchar
  EXPECT_THAT(one.out, Not(HasSubstr("drop-table")));
  const auto range = lint({"1a:head"});
  EXPECT_THAT(range.out, HasSubstr("1b.sql:8:1"));
  EXPECT_THAT(range.out, HasSubstr("1c.sql:7:1"));
  EXPECT_EQ(lint({"nope"}).exit_code, 5);
}

TEST_F(LintCommand, TakesFilesAndFolders) {
  folder_.write("sql/b.sql", "DROP TABLE b;\n");
  folder_.write("sql/a.sql", "CREATE INDEX i ON t (a);\n");
  const auto result = lint({"sql/"});
  EXPECT_THAT(result.out, HasSubstr("sql/a.sql:1:1: error"));
  EXPECT_LT(result.out.find("sql/a.sql"), result.out.find("sql/b.sql"));
  EXPECT_THAT(lint({"migrations/versions/1c.sql"}).out, Not(HasSubstr("lock-timeout-missing")));  // a revision by its header
  EXPECT_EQ(lint({"sql/missing.sql"}).exit_code, 3);
  EXPECT_EQ(lint({"sql/a.sql", "head"}).exit_code, 2);
  EXPECT_THAT(lint({"sql/a.sql", "--single-transaction", "--json"}).out, HasSubstr("index-create"));
}

TEST_F(LintCommand, ReadsRegularFilesOnly) {
  const std::string pipe = folder_ / "pipe.sql";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  folder_.write("large.sql", std::string(2'000, '-'));
  folder_.write("athanor.yaml", "limits: {file_size: 1KiB}\n");
  for (const std::string& file : {pipe, std::string("/dev/zero")}) {
    const auto result = lint({file});
    EXPECT_EQ(result.exit_code, 3) << file << result.err;
    EXPECT_THAT(result.err, HasSubstr("not a regular file"));
  }
  EXPECT_THAT(lint({"./large.sql"}).err, HasSubstr("more than the limit of 1024"));
}

TEST_F(LintCommand, SaysHowToNameAFolder) {
  folder_.write("changes/a.sql", "DROP TABLE a;\n");
  EXPECT_THAT(lint({"changes"}).err, HasSubstr("athanor lint ./changes"));
  EXPECT_THAT(lint({"./changes"}).out, HasSubstr("[drop-table]"));
}

TEST_F(LintCommand, NamesARevisionThatItCouldNotReadThoughItsRuleIsOff) {
  folder_.write("athanor.yaml", "lint: {invalid-revision: off}\n");
  folder_.write("migrations/versions/1d.sql", revision("1d", "1c", "DROP TABLE t;\nSELECT 'open;"));
  const auto result = lint({"1d"});
  EXPECT_THAT(result.err, HasSubstr("1d.sql"));
  EXPECT_THAT(result.err, HasSubstr("no statement of it is linted"));
}

TEST_F(LintCommand, FailsAtTheLevelThatIsAskedFor) {
  folder_.write("w.sql", "SET lock_timeout = '1s';\nSET statement_timeout = '1s';\nDROP VIEW v;\n");
  EXPECT_EQ(lint({"w.sql"}).exit_code, 0);
  EXPECT_EQ(lint({"w.sql", "--fail-on", "warning"}).exit_code, 17);
  EXPECT_EQ(lint({"--fail-on", "never"}).exit_code, 0);
  EXPECT_EQ(lint({"--fail-on", "sometimes"}).exit_code, 2);
  folder_.write("athanor.yaml", "lint:\n  drop-table: off\n");
  EXPECT_EQ(lint({}).exit_code, 0);
}

TEST_F(LintCommand, WritesJson) {
  const Json answer = Json::parse(lint({"--json"}).out);
  EXPECT_FALSE(answer.at("success"));
  EXPECT_EQ(answer.at("counts").at("error"), 1);
  const Json& finding = answer.at("findings").at(0);
  EXPECT_EQ(finding.at("rule"), "drop-table");
  EXPECT_EQ(finding.at("line"), 7);
  EXPECT_EQ(finding.at("revision"), "1c");
  EXPECT_EQ(answer.at("error").at("code"), "lint-findings");
  EXPECT_EQ(Json::parse(lint({"--format", "json"}).out), answer);
}

TEST_F(LintCommand, WritesSarif) {
  const Json log = Json::parse(lint({"base:head", "--format", "sarif"}).out);
  EXPECT_EQ(log.at("version"), "2.1.0");
  const Json& run = log.at("runs").at(0);
  const Json& rules = run.at("tool").at("driver").at("rules");
  EXPECT_GT(rules.size(), 60U);
  ASSERT_FALSE(run.at("results").empty());
  for (const Json& result : run.at("results")) {
    EXPECT_EQ(rules.at(result.at("ruleIndex").get<std::size_t>()).at("id"), result.at("ruleId"));
    EXPECT_THAT((std::vector<std::string>{"error", "warning", "note"}),
                testing::Contains(result.at("level").get<std::string>()));
    const Json& place = result.at("locations").at(0).at("physicalLocation");
    EXPECT_THAT(place.at("artifactLocation").at("uri").get<std::string>(), HasSubstr("migrations/versions/"));
    EXPECT_GE(place.at("region").at("startLine").get<int>(), 1);
  }
}

TEST_F(LintCommand, WritesAnnotationsForGitHub) {
  const auto result = lint({"--format", "github"});
  EXPECT_THAT(result.out, HasSubstr("::error file=migrations/versions/1c.sql,line=7,col=1,title=drop-table::"));
  EXPECT_THAT(result.out, HasSubstr("%0A"));
}

TEST_F(LintCommand, LooksAtTheWayDown) {
  EXPECT_THAT(lint({"1b", "--downgrade"}).out, HasSubstr("1b.sql:11:1: warning: DROP INDEX"));
}

TEST_F(LintCommand, EndsWhenItIsToldTo) {
  std::string sql;
  for (int index = 0; index < 120'000; ++index) {
    sql += "ALTER TABLE t ADD COLUMN c" + std::to_string(index) + " int DEFAULT random();\n";
  }
  folder_.write("large.sql", sql);
  test::Process process({test::athanor_binary(), "lint", "large.sql"}, {.directory = folder_.string()});
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  process.signal(SIGTERM);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 11) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("lint was stopped"));
}

TEST_F(LintCommand, ExplainsRules) {
  EXPECT_THAT(lint({"--list-rules"}).out, HasSubstr("  index-create "));
  EXPECT_THAT(lint({"--explain", "index-create"}).out, HasSubstr("### index-create"));
  const auto unknown = lint({"--explain", "index-crate"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("index-create"));
}

}  // namespace
}  // namespace athanor
