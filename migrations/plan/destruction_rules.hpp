// Which kinds of statements, and which of their details, are destructive: one node of the parse tree at a time.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// Whether the node alone destroys. Nodes inside it are judged by themselves, and so are the functions it calls and the code of
// DO and CREATE FUNCTION. A statement of an unknown kind does; an expression never does.
[[nodiscard]] bool statement_destroys(const TreeNode& node);
// Whether a statement of the kind ("SelectStmt") evaluates the expressions it holds when it runs. Definitions keep them for
// later.
[[nodiscard]] bool runs_expressions(std::string_view kind);
// Whether a definition, or a part of one, evaluates the expressions inside when it is made: an index over the rows that are
// there, a domain's check, the bounds of a partition.
[[nodiscard]] bool evaluates_at_once(const TreeNode& node);
// Whether a call of set_config sets what SET may not: who acts, and whether triggers fire.
[[nodiscard]] bool sets_identity(const TreeNode& call);

}  // namespace athanor
