// Whether {batch} keeps a statement to its range of keys.
//
// It does as a conjunct of the WHERE clause, or of an inner join's condition, of what the statement's rows come from: the
// UPDATE or DELETE itself, the SELECT of an INSERT, or a subquery or common table that they are drawn from or compared with.
// Anywhere else (under OR or NOT, in a SET list, in an EXISTS that has nothing to do with the row) each batch would reach every
// row.
//
// Threads: safe from any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace athanor {

// `sql` holds `length` bytes of placeholder at `place`. Also true when PostgreSQL 15's grammar does not accept the statement.
[[nodiscard]] bool restricts_rows(std::string_view sql, std::size_t place, std::size_t length);

}  // namespace athanor
