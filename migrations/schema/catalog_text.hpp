// Texts of the catalog as values, and values as the texts that attributes hold.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

using Oid = std::uint32_t;

// 0 where there is no number.
[[nodiscard]] Oid oid_in(std::string_view text);
[[nodiscard]] int number_in(std::string_view text);

// The elements of an array as PostgreSQL prints it: {a,"b c",NULL}; NULL becomes an empty text.
[[nodiscard]] std::vector<std::string> array_in(std::string_view text);
// The numbers of an int2vector or int2[]: "1 2 0" or "{1,2,0}".
[[nodiscard]] std::vector<int> numbers_in(std::string_view text);

// JSON: a text, a list of texts, a list of values that are JSON already, an object's member.
[[nodiscard]] std::string json_text(std::string_view text);
[[nodiscard]] std::string json_list(const std::vector<std::string>& texts);
[[nodiscard]] std::string json_values(const std::vector<std::string>& values);
// ["schema","name"].
[[nodiscard]] std::string json_name(std::string_view schema, std::string_view name);

// What PostgreSQL calls an object that it makes for `table` and `column` unless the name is taken: "table_column_label", the
// longer part shortened until 63 bytes are enough.
[[nodiscard]] std::string chosen_name(std::string_view table, std::string_view column, std::string_view label);

// Does `pattern`, with * for any text and ? for one byte, match the whole of `text`?
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace athanor::schema
