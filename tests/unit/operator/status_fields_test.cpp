#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "operator/api/condition.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/api/status_limits.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/operator/overlong_status.hpp"

namespace athanor::controller {
namespace {

TEST(Condition, HasDistinctNamesForEveryReason) {
  for (const Reason reason : all_reasons()) {
    EXPECT_EQ(reason_of(reason_name(reason)), reason);
  }
}

// The rows of a table of the spec page that begin with "| `Name` |", between two headings.
std::set<std::string> documented(const std::string& from, const std::string& to) {
  const std::string page = test::read_file(ATHANOR_SOURCE_DIR "/docs/spec/database-migration.md");
  std::istringstream lines(page.substr(page.find(from), page.find(to, page.find(from)) - page.find(from)));
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `")) {
      names.insert(line.substr(3, line.find('`', 3) - 3));
    }
  }
  return names;
}

TEST(Condition, IsDocumentedReasonByReason) {
  std::set<std::string> known;
  for (const Reason reason : all_reasons()) {
    known.emplace(reason_name(reason));
  }
  EXPECT_EQ(documented("## Reasons", "\n\nA stalled"), known);
}

TEST(Condition, HasAnEntryInTheRunbookWhereAHumanMustAct) {
  std::string page = test::read_file(ATHANOR_SOURCE_DIR "/docs/spec/database-migration.md");
  page = page.substr(page.find("## Reasons"));
  const std::string runbook = test::read_file(ATHANOR_SOURCE_DIR "/docs/runbook.md");
  std::size_t found = 0;
  for (const Reason reason : all_reasons()) {
    const std::string name(reason_name(reason));
    const std::string row = page.substr(page.find("\n| `" + name + "` |") + 1);
    const std::string kind = row.substr(0, row.find('|', row.find('|', 1) + 1));
    if (kind.find("stalled") != std::string::npos) {
      ++found;
      EXPECT_NE(runbook.find("\n### " + name + "\n"), std::string::npos) << name;
    } else if (kind.find("done") == std::string::npos && reason != Reason::Pending) {
      EXPECT_NE(runbook.find('`' + name + '`'), std::string::npos) << name;
    }
  }
  EXPECT_GT(found, 15U);
}

// "`plan` | … `hash`, …": the name of a field stands in the row of the part it belongs to.
TEST(StatusCodec, WritesNoFieldThatIsNotDocumented) {
  std::string page = test::read_file(ATHANOR_SOURCE_DIR "/docs/spec/database-migration.md");
  page = page.substr(page.find("## status"));
  const std::string conditions = page.substr(page.find("## Conditions"), page.find("## Reasons") - page.find("## Conditions"));
  std::istringstream lines(page.substr(0, page.find("## Conditions")));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    rows.push_back(line);
  }
  for (const auto& field : status_fields()) {
    const std::string part = field.path.substr(0, field.path.find_first_of(".["));
    const std::string name = field.path.substr(field.path.find_last_of('.') + 1);
    const auto row = std::ranges::find_if(rows, [&](const std::string& line) {
      const std::string first = line.starts_with("| `") ? line.substr(0, line.find('|', 1)) : std::string();
      return first.find("`" + part + "`") != std::string::npos;
    });
    ASSERT_NE(row, rows.end()) << part;
    EXPECT_NE((part == "conditions" && name != part ? conditions : *row).find("`" + name + "`"), std::string::npos)
        << field.path;
  }
}

// Of a field that the list forgets, the schema would know nothing either.
void collect_paths(const Json& json, const std::string& path, std::set<std::string>& found) {
  for (const auto& [name, value] : json.items()) {
    const std::string here = path + name;
    found.insert(here);
    if (value.is_object()) {
      collect_paths(value, here + ".", found);
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      collect_paths(value.front(), here + "[].", found);
    }
  }
}

TEST(StatusCodec, WritesTheFieldsOfTheListAndNoOthers) {
  std::set<std::string> written;
  collect_paths(status_to_json(sketch::overlong_status()), "", written);
  std::set<std::string> listed;
  for (const auto& field : status_fields()) {
    listed.insert(field.path);
  }
  EXPECT_EQ(written, listed);
}

}  // namespace
}  // namespace athanor::controller
