// Converts texts of the catalog to values, and values to the texts that attributes contain.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

using Oid = std::uint32_t;

// 0 if the text is not a number.
[[nodiscard]] Oid oid_in(std::string_view text);
[[nodiscard]] int number_in(std::string_view text);

// The elements of an array as PostgreSQL prints it: {a,"b c",NULL}; NULL becomes an empty text.
[[nodiscard]] std::vector<std::string> array_in(std::string_view text);
// The numbers of an int2vector or int2[]: "1 2 0" or "{1,2,0}".
[[nodiscard]] std::vector<int> numbers_in(std::string_view text);

// As JSON: a string, an array of strings, and an array of values that are JSON already.
[[nodiscard]] std::string json_text(std::string_view text);
[[nodiscard]] std::string json_list(const std::vector<std::string>& texts);
[[nodiscard]] std::string json_values(const std::vector<std::string>& values);
// ["schema","name"].
[[nodiscard]] std::string json_name(std::string_view schema, std::string_view name);

// The name that PostgreSQL chooses for an object of `table` and `column` if it is free: "table_column_label", with the longer
// part cut until it fits into 63 bytes.
[[nodiscard]] std::string chosen_name(std::string_view table, std::string_view column, std::string_view label);

// Whether `pattern`, with * for any text and ? for one byte, matches the whole of `text`.
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace athanor::schema
