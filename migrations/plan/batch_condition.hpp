// Checks whether {batch} limits a statement to its range of keys.
//
// It does as a conjunct of the WHERE clause, or of an inner join's condition, in the query that supplies the statement's rows:
// the UPDATE or DELETE itself, the SELECT of an INSERT, or a subquery or common table expression that the rows come from or are
// compared with. Anywhere else (under OR or NOT, in a SET list, in an EXISTS unrelated to the row) each batch would affect
// every row.
//
// Threads: pure function.
#pragma once

#include <cstddef>
#include <string_view>

namespace athanor {

// `sql` has the placeholder at bytes [place, place + length). Also true when PostgreSQL 15's grammar rejects the statement.
[[nodiscard]] bool restricts_rows(std::string_view sql, std::size_t place, std::size_t length);

}  // namespace athanor
