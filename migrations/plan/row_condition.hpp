// Whether the condition of an UPDATE or MERGE lets only some rows through, as far as its text tells.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// Closed: true only for a form that is known to tell rows of `table` apart, a comparison of a column with something that is
// not the same row. `holder` is the field that holds the condition; `table` is the table's name or its alias.
[[nodiscard]] bool limits_rows(const TreeNode& holder, std::string_view table);

}  // namespace athanor
