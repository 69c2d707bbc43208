// Builds revision graphs for tests, one line per revision.
//
// Threads: any; plain values.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "migrations/graph/walk.hpp"

namespace athanor::testing {

// A revision in the file versions/<id>.sql. Trailing lists may be omitted.
inline Revision revision(std::string id, std::vector<std::string> down = {}, std::vector<std::string> depends_on = {},
                         std::vector<std::string> labels = {}) {
  Revision result;
  result.path = "versions/" + id + ".sql";
  result.id = std::move(id);
  result.down = std::move(down);
  result.depends_on = std::move(depends_on);
  result.labels = std::move(labels);
  return result;
}

// Builds the graph; throws when it is invalid.
inline RevisionGraph graph(std::vector<Revision> revisions) {
  auto built = RevisionGraph::build(std::move(revisions));
  if (!built) {
    throw std::runtime_error(built.error().describe());
  }
  return std::move(*built);
}

// A linear history of `count` revisions: r000000 <- r000001 <- …
inline std::vector<Revision> line(std::size_t count) {
  const auto name = [](std::size_t i) {
    std::string digits = std::to_string(i);
    return "r" + std::string(6 - digits.size(), '0') + digits;
  };
  std::vector<Revision> revisions;
  for (std::size_t i = 0; i < count; ++i) {
    revisions.push_back(revision(name(i), i == 0 ? std::vector<std::string>{} : std::vector<std::string>{name(i - 1)}));
  }
  return revisions;
}

using Names = std::vector<std::string>;

inline Names revisions_of(const Walk& walk) {
  Names names;
  for (const WalkStep& step : walk.steps) {
    names.push_back(step.revision.value_or("-"));
  }
  return names;
}

// The rows of alembic_version after the walk.
inline Names heads_after(const Names& before, const Walk& walk) {
  return walk.steps.empty() ? before : walk.steps.back().heads;
}

template <class T>
ErrorCode code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value()) << "expected an error";
  return result ? ErrorCode::Internal : result.error().code;
}

}  // namespace athanor::testing
