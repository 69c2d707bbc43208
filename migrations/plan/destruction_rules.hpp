// Decides which kinds of statements, and which of their details, are destructive: one node of the parse tree at a time.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// Whether the node itself is destructive. Nodes inside it, functions it calls and the code of DO and CREATE FUNCTION are
// checked separately. An unknown kind of statement is destructive; an expression never is.
[[nodiscard]] bool statement_destroys(const TreeNode& node);
// Whether a statement of this kind ("SelectStmt") evaluates its expressions when it runs. Definitions store them for later.
[[nodiscard]] bool runs_expressions(std::string_view kind);
// Whether a definition, or part of one, evaluates its expressions immediately: an index over existing rows, a domain's check,
// the bounds of a partition.
[[nodiscard]] bool evaluates_at_once(const TreeNode& node);
// Whether a call of set_config sets what SET must not: the acting role, or whether triggers fire.
[[nodiscard]] bool sets_identity(const TreeNode& call);

}  // namespace athanor
