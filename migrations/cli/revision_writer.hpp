// Creates a new revision file: determines its parents, folder and name, and checks it against the graph before anything is
// written.
//
// Threads: one thread. Ownership: borrows configuration and graph.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/revision/revision_template.hpp"

namespace athanor::cli {

struct RevisionRequest {
  std::string message{};
  std::vector<std::string> heads{};  // symbols; empty: the only head
  bool splice = false;               // parents need not be heads
  std::vector<std::string> labels{};
  std::vector<std::string> depends_on{};  // symbols
  std::string version_path{};             // empty: the only location, or that of the first parent
  std::string id{};                       // empty: a random one
  NativeBody body{};                      // empty sections get a comment that explains them
};

struct RevisionDraft {
  Revision revision;
  std::string text;
};

// Resolves, checks and renders the revision, without writing it. The graph stays valid with the draft added.
[[nodiscard]] Result<RevisionDraft> draft_revision(const Configuration& configuration, const RevisionGraph& graph,
                                                   const RevisionRequest& request, WallTime now);

// "Merge 8c1f0a2b7d3e and 27c6a30d7c24", for merges without a message.
[[nodiscard]] std::string merge_message(const std::vector<std::string>& parents);

}  // namespace athanor::cli
