// The examples keep their promises: the healthy chain plans, and every folder below failing/ fails with the code that
// migrations/examples/README.md gives for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "migrations/plan/plan.hpp"

namespace athanor {
namespace {

const std::string kExamples = ATHANOR_SOURCE_DIR "/migrations/examples";

// Folder -> code, from the rows "| `folder` | `code` | … |" of the README.
std::map<std::string, std::string> documented_failures() {
  std::map<std::string, std::string> codes;
  std::ifstream readme(kExamples + "/README.md");
  for (std::string line; std::getline(readme, line);) {
    if (!line.starts_with("| `")) {
      continue;
    }
    const auto folder_end = line.find('`', 3);
    const auto code = line.find('`', folder_end + 1) + 1;
    codes[line.substr(3, folder_end - 3)] = line.substr(code, line.find('`', code) - code);
  }
  return codes;
}

std::set<std::string> folders() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kExamples + "/failing")) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// Everything that happens before a database is asked: list, build, plan all the way up, plan all the way down.
Result<void> plan_both_ways(const std::string& folder) {
  const FolderSource source({kExamples + "/" + folder + "/versions"}, false);
  TRY_ASSIGN(auto revisions, source.list());
  TRY_ASSIGN(const auto graph, RevisionGraph::build(std::move(revisions)));
  TRY_ASSIGN(const auto up, make_plan(graph, source, Direction::Upgrade, {}, {"head"}));
  TRY_ASSIGN(const auto down, make_plan(graph, source, Direction::Downgrade, up.to, {"base"}));
  return down.revisions.size() == up.revisions.size() ? Result<void>() : fail(ErrorCode::Internal, "not all of it comes down");
}

TEST(Examples, HealthyChainPlansBothWays) {
  const auto planned = plan_both_ways("shop");
  EXPECT_TRUE(planned) << planned.error().describe();
}

TEST(Examples, EveryFailingFolderIsDocumented) {
  std::set<std::string> documented;
  for (const auto& [folder, code] : documented_failures()) {
    documented.insert(folder);
  }
  EXPECT_EQ(folders(), documented);
}

TEST(Examples, EveryFailingFolderFailsAsDocumented) {
  for (const auto& [folder, code] : documented_failures()) {
    const auto planned = plan_both_ways("failing/" + folder);
    if (code == "statement-failed") {  // only the database can know
      EXPECT_TRUE(planned) << folder << ": " << planned.error().describe();
      continue;
    }
    ASSERT_FALSE(planned) << folder << " is accepted";
    EXPECT_EQ(error_name(planned.error().code), code) << folder << ": " << planned.error().describe();
    EXPECT_FALSE(planned.error().hint.empty()) << folder << ": no way out: " << planned.error().describe();
    EXPECT_FALSE(planned.error().context.empty() && code != "multiple-heads")
        << folder << ": no place: " << planned.error().describe();
  }
}

}  // namespace
}  // namespace athanor
