// Decides from its text whether the condition of an UPDATE or MERGE selects only some rows.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// True only for forms known to distinguish rows of `table`: a comparison of a column with something other than the same row.
// `holder` is the field that contains the condition; `table` is the table's name or alias.
[[nodiscard]] bool limits_rows(const TreeNode& holder, std::string_view table);

}  // namespace athanor
