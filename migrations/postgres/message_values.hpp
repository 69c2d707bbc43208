// Values of the data in the server's messages, masked.
//
// PostgreSQL puts values into its primary messages: `value "4111111111111111" is out of range for type integer`, `syntax error
// at or near "sekret"`. Names of objects stand in the same quotes. What is known to be a name stays readable: what the report's
// own fields call a name, and what follows a word for an object (relation "users"). Every other quotation is masked, and so are
// numbers where the SQLSTATE's class speaks of data or SQL text. A language the server was set to that has other words loses
// its names too, and shows no value.
//
// A name that was looked up and not found may be data too: the text behind ::regclass, an argument of has_table_privilege(). It
// stays readable when the statement has it as a name of its own.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::postgres {

inline constexpr std::string_view kMasked = "***";

// What tells a name from a value.
struct MessageNames {
  std::vector<std::string_view> fields = {};  // what the report's fields name: schema, table, column, constraint, data type
  // The statement that failed, and the query inside it; without them every name that was looked up is taken for one.
  std::optional<std::string_view> sql = {};
};

[[nodiscard]] std::string mask_values(std::string_view message, std::string_view sqlstate, const MessageNames& names = {});

// One line of at most 500 bytes of well-formed UTF-8. Control characters, C1 and what reorders text among them, are shown as
// \xNN or \uNNNN, so that nothing moves a cursor or changes colours.
[[nodiscard]] std::string one_safe_line(std::string_view text);

}  // namespace athanor::postgres
