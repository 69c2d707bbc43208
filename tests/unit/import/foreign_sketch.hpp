// Migration folders and history tables of other tools, as values.
//
// Threads: any; plain values.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "migrations/import/adoption.hpp"
#include "migrations/import/foreign_history.hpp"

namespace athanor::test {

inline ForeignFolder read_with(const ForeignFormat& format, const std::vector<ForeignFile>& files,
                               const ForeignOptions& options = {}) {
  return format.read_folder(files, options);
}

// "file:line: reason" for every refused file.
inline std::vector<std::string> refused(const ForeignFolder& folder) {
  std::vector<std::string> lines;
  for (const ForeignProblem& problem : folder.refused) {
    lines.push_back(problem.file + ":" + std::to_string(problem.line) + ": " + problem.reason);
  }
  return lines;
}

inline std::vector<std::string> versions(const ForeignFolder& folder) {
  std::vector<std::string> found;
  for (const ForeignRevision& revision : folder.revisions) {
    found.push_back(revision.version);
  }
  return found;
}

inline Adoption prepared(const ForeignFormat& format, const std::vector<ForeignFile>& files, bool partial = false) {
  const AdoptionRequest request{format, "/nonexistent/versions", partial};
  auto made = prepare_adoption(request, read_with(format, files));
  EXPECT_TRUE(made) << made.error().describe();
  return made ? *made : Adoption{};
}

// The number of applied migrations, or the error's name and message.
inline std::string applied(const ForeignFormat& format, const ForeignFolder& folder, const ForeignRows& rows) {
  const auto count = format.read_history(folder, rows);
  return count ? std::to_string(*count) : std::string(error_name(count.error().code)) + ": " + count.error().message;
}

}  // namespace athanor::test
