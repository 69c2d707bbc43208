// What `history`, `heads`, `branches` and `graph` list: the order of the revisions, and where lines fork and join.
//
// For an unknown id, a question about one revision is answered with false.
//
// Threads: functions over the immutable graph.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor {

// All ids, newest first, like Alembic's walk_revisions().
[[nodiscard]] std::vector<std::string> full_history(const RevisionGraph& graph);
// `history -r a:b`: ids, newest first; an empty text means an open end. "current" denotes `current`. Errors: as resolve();
// InvalidTarget when `base` is not below `head`.
[[nodiscard]] Result<std::vector<std::string>> history_range(const RevisionGraph& graph, std::string_view base,
                                                             std::string_view head,
                                                             const std::vector<std::string>& current = {});

// Revisions with several children, or with several parents, in Alembic's order.
[[nodiscard]] std::vector<std::string> branch_points(const RevisionGraph& graph);
[[nodiscard]] std::vector<std::string> merge_points(const RevisionGraph& graph);
[[nodiscard]] bool is_branch_point(const RevisionGraph& graph, std::string_view id);
[[nodiscard]] bool is_merge_point(const RevisionGraph& graph, std::string_view id);
[[nodiscard]] bool is_head(const RevisionGraph& graph, std::string_view id);  // no other names it as down_revision

// Each id, in load order, with its labels, inherited ones included, sorted.
[[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> inherited_labels(const RevisionGraph& graph);

}  // namespace athanor
