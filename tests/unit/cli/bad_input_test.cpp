// What a user can get wrong before any database is asked: every case has its exit code, its error code and a way out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

struct Outcome {
  int exit_code;
  Json json;
  std::string everything;
};

Outcome run(const test::TempFolder& folder, std::vector<std::string> arguments,
            std::map<std::string, std::optional<std::string>> environment = {}) {
  arguments.insert(arguments.begin(), test::athanor_binary());
  arguments.emplace_back("--json");
  const auto result = test::run_process(arguments, {.environment = std::move(environment), .directory = folder.string()});
  EXPECT_EQ(result.err, "");
  return {result.exit_code, Json::parse(result.out), result.out};
}

std::string code_of(const Outcome& outcome) {
  return outcome.json["error"].is_null() ? "" : outcome.json["error"]["code"].get<std::string>();
}

void write_revision(const test::TempFolder& folder, const std::string& id, const std::string& revises) {
  folder.write("migrations/versions/" + id + ".sql", "-- m\n--\n-- Revision: " + id + "\n-- Revises: " + revises +
                                                         "\n\n-- athanor:upgrade\nSELECT 1;\n\n-- athanor:downgrade\n");
}

TEST(BadInput, NoProjectAtAll) {
  const test::TempFolder folder;
  const Outcome outcome = run(folder, {"heads"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(code_of(outcome), "io");
  EXPECT_THAT(outcome.everything, HasSubstr("athanor init"));
}

TEST(BadInput, AConfigurationThatIsNotThere) {
  const test::TempFolder folder;
  const Outcome outcome = run(folder, {"-c", "other.yaml", "heads"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.everything, HasSubstr("other.yaml"));
}

TEST(BadInput, AnUnknownFieldOfTheConfiguration) {
  const test::TempFolder folder;
  folder.write("athanor.yaml", "version_locatons: [a]\n");
  const Outcome outcome = run(folder, {"heads"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(code_of(outcome), "configuration");
  EXPECT_THAT(outcome.everything, HasSubstr("athanor.yaml:1"));
  EXPECT_THAT(outcome.everything, HasSubstr("version_locations"));
}

TEST(BadInput, NoProjectIsToldBeforeNoDatabase) {
  const test::TempFolder folder;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"current"},
                                                {"upgrade", "head"},
                                                {"status"},
                                                {"check"},
                                                {"heads"},
                                                {"revision", "-m", "Add x"}}) {
    const Outcome outcome = run(folder, words);
    EXPECT_EQ(outcome.exit_code, 3) << words.front();
    EXPECT_EQ(code_of(outcome), "io") << words.front();
    EXPECT_THAT(outcome.everything, HasSubstr("athanor init")) << words.front();
  }
}

TEST(BadInput, NoDatabaseNamed) {
  const test::TempFolder folder;
  write_revision(folder, "aaaa", "");
  for (const char* verb : {"current", "status", "check", "ensure_version", "repair"}) {
    const Outcome outcome = run(folder, {verb});
    EXPECT_EQ(outcome.exit_code, 3) << verb;
    EXPECT_EQ(code_of(outcome), "missing-database-url") << verb;
    EXPECT_THAT(outcome.everything, HasSubstr("DATABASE_URL")) << verb;
  }
}

TEST(BadInput, ADatabaseThatIsNotThereAndNeverThePassword) {
  const test::TempFolder folder;
  write_revision(folder, "aaaa", "");
  const Outcome outcome = run(folder, {"upgrade", "head"}, {{"DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/app"}});
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(code_of(outcome), "database-unreachable");
  EXPECT_THAT(outcome.everything, HasSubstr("127.0.0.1"));
  EXPECT_THAT(outcome.everything, Not(HasSubstr("hunter2")));
}

TEST(BadInput, AUrlThatIsNone) {
  const test::TempFolder folder;
  write_revision(folder, "aaaa", "");
  const Outcome outcome = run(folder, {"current"}, {{"DATABASE_URL", "postgresql://app:hun%zzter2@h/app"}});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_FALSE(outcome.json["success"].get<bool>());
  EXPECT_THAT(outcome.everything, Not(HasSubstr("zzter2")));
}

TEST(BadInput, GraphsThatCannotBe) {
  struct Broken {
    std::vector<std::pair<std::string, std::string>> revisions;  // id, parents
    std::string code;
  };
  const std::vector<Broken> all{
      {{{"aaaa", "aaaa"}}, "self-loop"},
      {{{"aaaa", "bbbb"}, {"bbbb", "aaaa"}}, "cycle"},
      {{{"aaaa", ""}, {"bbbb", "cccc"}}, "missing-parent"},
  };
  for (const Broken& broken : all) {
    const test::TempFolder folder;
    for (const auto& [id, parents] : broken.revisions) {
      write_revision(folder, id, parents);
    }
    const Outcome outcome = run(folder, {"history"});
    EXPECT_EQ(outcome.exit_code, 4) << broken.code;
    EXPECT_EQ(code_of(outcome), broken.code);
    EXPECT_THAT(outcome.everything, HasSubstr("migrations/versions/")) << broken.code;
  }
}

TEST(BadInput, TargetsThatMeanNothing) {
  const test::TempFolder folder;
  write_revision(folder, "aaaa1111", "");
  write_revision(folder, "aaaa2222", "aaaa1111");
  const std::vector<std::pair<std::string, std::string>> cases{{"ffff", "unknown-revision"},
                                                               {"aaaa", "ambiguous-prefix"},
                                                               {"+9", "relative-out-of-range"},
                                                               {"a:b", "range-not-allowed"}};
  for (const auto& [target, code] : cases) {
    const Outcome outcome = run(folder, {"plan", "upgrade", target, "--from", "base"});
    EXPECT_EQ(outcome.exit_code, 5) << target;
    EXPECT_EQ(code_of(outcome), code) << target;
    EXPECT_EQ(outcome.json["steps"], Json::array()) << target;
  }
}

TEST(BadInput, EveryVerbAnswersInJsonEvenWhenMisused) {
  const test::TempFolder folder;
  for (const auto& words : std::vector<std::vector<std::string>>{{"upgrade"}, {"nonsense"}, {"graph", "--dot", "--svg"}, {}}) {
    const Outcome outcome = run(folder, words);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(code_of(outcome), "usage");
    EXPECT_TRUE(outcome.json.contains("current_revision"));
  }
}

}  // namespace
}  // namespace athanor
