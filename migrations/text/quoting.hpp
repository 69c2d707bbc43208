// Quotes names and texts for SQL, and reads them back.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

[[nodiscard]] std::string quote_identifier(std::string_view name);  // "na""me"; leaves plain lower-case names unquoted
[[nodiscard]] std::string quote_literal(std::string_view text);     // 'it''s'; E'' if there is a backslash
// "schema.table", quoted; only the table if the schema is empty.
[[nodiscard]] std::string qualified_name(std::string_view schema, std::string_view table);
// The name that an identifier of SQL text denotes: folded to lower case, or without its quotes. Keeps U& escapes unchanged.
[[nodiscard]] std::string identifier_name(std::string_view token);

}  // namespace athanor
