// A small history in memory for tests of plans.
//
// Threads: any; plain values.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "migrations/plan/plan.hpp"

namespace athanor::test {

struct Entry {
  std::string id;
  std::string revises;  // "a, b" for a merge
  std::string body;
};

class History {
 public:
  explicit History(const std::vector<Entry>& entries) : source_(files(entries)), graph_(build(source_)) {}

  [[nodiscard]] const RevisionGraph& graph() const { return graph_; }
  [[nodiscard]] const RevisionSource& source() const { return source_; }
  [[nodiscard]] Result<Plan> plan(Direction operation, const std::vector<std::string>& from, const std::string& target) const {
    return make_plan(graph_, source_, operation, from, {target});
  }
  [[nodiscard]] Result<Plan> offline(Direction operation, const std::string& range) const {
    return make_offline_plan(graph_, source_, operation, range);
  }

 private:
  static std::vector<MemorySource::File> files(const std::vector<Entry>& entries) {
    std::vector<MemorySource::File> all;
    for (const auto& entry : entries) {
      all.push_back({entry.id + "_step.sql", "-- Step " + entry.id + "\n--\n-- Revision: " + entry.id +
                                                 "\n-- Revises: " + entry.revises + "\n\n" + entry.body});
    }
    return all;
  }
  static RevisionGraph build(const MemorySource& source) {
    auto listed = source.list();
    if (!listed) {
      throw std::runtime_error(listed.error().describe());
    }
    auto graph = RevisionGraph::build(std::move(*listed));
    if (!graph) {
      throw std::runtime_error(graph.error().describe());
    }
    return std::move(*graph);
  }

  MemorySource source_;
  RevisionGraph graph_;
};

// users <- email (with an index) <- two branches <- merge
inline History small_history() {
  return History({
      {"aaa1", "",
       "-- athanor:upgrade\nCREATE TABLE users (id int PRIMARY KEY, login text);\n\n-- athanor:downgrade\nDROP TABLE users;\n"},
      {"bbb2", "aaa1",
       "-- athanor:upgrade\nALTER TABLE users ADD COLUMN email text;\n\n"
       "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n\n"
       "-- athanor:step batch table=users key=id size=2\nUPDATE users SET email = login WHERE email IS NULL AND {batch};\n\n"
       "-- athanor:downgrade\n-- athanor:step autocommit\nDROP INDEX CONCURRENTLY users_email_idx;\n"
       "-- athanor:step transaction\nALTER TABLE users DROP COLUMN email;\n"},
      {"ccc3", "bbb2", "-- athanor:upgrade\n-- athanor:downgrade\n"},
      {"ddd4", "bbb2", "-- athanor:upgrade\nSELECT 1 -- one\n-- athanor:downgrade\nSELECT '--';\n"},
      {"eee5", "ccc3, ddd4", "-- athanor:upgrade\n-- athanor:downgrade\n"},
  });
}

}  // namespace athanor::test
