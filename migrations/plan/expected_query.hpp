// Queries with expected results: checks of a database after a change.
//
// A file contains SQL queries. The comment above a query describes what it checks, and a line "-- expect: …" what it must
// return:
//
//   -- Every order has a customer.
//   -- expect: no rows
//   SELECT id FROM orders WHERE customer_id IS NULL;
//
// `no rows` is the default; `rows` means at least one; anything else is the text of the only value of the only row.
//
// Threads: pure functions, plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct ExpectedQuery {
  enum class Kind : std::uint8_t { NoRows, Rows, Value };
  std::string name;  // the first line of the comment above; "verify/orders.sql:3" without one
  std::string path;
  int line = 1;
  std::string sql;
  Kind kind = Kind::NoRows;
  std::string value;
  bool is_show = false;                           // which no cursor takes
  [[nodiscard]] std::string expectation() const;  // "no rows", "rows", "42"
};

// Accepts only queries: SELECT, VALUES, WITH, TABLE, SHOW. Errors name path and line.
[[nodiscard]] Result<std::vector<ExpectedQuery>> parse_expected_queries(std::string_view text, const std::string& path);

}  // namespace athanor
