// Formats revisions as text, in the one-line and the long form of Alembic.
//
//   1975ea83b712 -> 8c1f0a2b7d3e (billing) (head), Add email to users
//
// Threads: one thread. Ownership: borrows the graph.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "migrations/cli/output.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor::cli {

struct LineOptions {
  bool labels = false;
  bool message = false;
  bool parents = false;
  bool forks = true;  // (branchpoint), (mergepoint)
};

class RevisionListing {
 public:
  explicit RevisionListing(const RevisionGraph& graph, bool color = false);
  // Marks these revisions "(current)".
  void mark_current(const std::vector<std::string>& ids);
  // Marks these revisions, which no file has, "(ahead of the files)" instead of "(head)".
  void mark_ahead(const std::vector<std::string>& ids) { ahead_.insert(ids.begin(), ids.end()); }
  // Marks this revision "(half-applied)".
  void mark_half_applied(const std::string& id) { half_applied_ = id; }

  // One line, as in the example above, without a line end.
  [[nodiscard]] std::string line(const Revision& revision, const LineOptions& options) const;
  // "Rev: …", "Parent: …", "Path: …" and the message; ends with an empty line.
  [[nodiscard]] std::string entry(const Revision& revision) const;
  [[nodiscard]] Json json(const Revision& revision) const;

 private:
  [[nodiscard]] std::string accent(std::string_view code, std::string_view text) const;

  const RevisionGraph& graph_;
  bool color_;
  std::unordered_set<std::string> effective_heads_;
  std::unordered_set<std::string> current_;
  std::unordered_set<std::string> ahead_;
  std::string half_applied_;
};

// "a, b", or "<base>".
[[nodiscard]] std::string parents_text(const Revision& revision);

}  // namespace athanor::cli
