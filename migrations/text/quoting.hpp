// Names and texts as SQL writes them, and back.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

[[nodiscard]] std::string quote_identifier(std::string_view name);  // "na""me"; plain lower-case names stay bare
[[nodiscard]] std::string quote_literal(std::string_view text);     // 'it''s'; E'' when there is a backslash
// "schema.table" quoted; the table alone when the schema is empty.
[[nodiscard]] std::string qualified_name(std::string_view schema, std::string_view table);
// What an identifier of SQL text names: folded to lower case, or unquoted. U& escapes are left as written.
[[nodiscard]] std::string identifier_name(std::string_view token);

}  // namespace athanor
