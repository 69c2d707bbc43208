// A fixture that adds one revision to the project and runs it with both tools.
//
// Threads: one thread. Ownership: owns the project and both databases.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {

class AddedRevision : public ::testing::Test {
 protected:
  static constexpr std::string_view kFirst = "3a1b5c7d9e0f";
  static constexpr std::string_view kAdded = "0badc0de2000";
  static constexpr std::string_view kNoWayBack = "\n\ndef downgrade():\n    pass\n";

  void add(std::string_view body, std::string_view more = {}, std::string_view id = kAdded,
           std::string_view parent = kFirst) const {
    scene_.add_version(id, "\"" + std::string(parent) + "\"", std::string(body) + std::string(kNoWayBack), more);
  }

  // Imports, expects success, and returns the report.
  [[nodiscard]] Json imported(const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> all{"--json"};
    all.insert(all.end(), flags.begin(), flags.end());
    const ProcessResult result = scene_.import(all);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return Json::parse(result.out);
  }

  [[nodiscard]] std::string file(std::string_view id = kAdded) const {
    return read_file(scene_.sql() + "/" + std::string(id) + "_added.sql");
  }

  // Applies the imported revisions with Athanor and the originals with Alembic, each to its own database, and expects equal
  // contents.
  void same_through_both(std::string_view target = kAdded) {
    scene_.succeed(Tool::Athanor, ours_, {"upgrade", std::string(target)});
    scene_.succeed(Tool::Alembic, theirs_, {"upgrade", std::string(target)});
    EXPECT_EQ(contents(ours_), contents(theirs_));
  }

  AlembicScene scene_;
  TestDatabase ours_{"athanor"};
  TestDatabase theirs_{"alembic"};
};

}  // namespace athanor::test
