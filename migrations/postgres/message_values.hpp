// Masks values of the data in the server's messages.
//
// PostgreSQL puts values into its primary messages: `value "4111111111111111" is out of range for type integer`, `syntax error
// at or near "sekret"`. Object names appear in the same quotes. A quotation stays readable if it is known to be a name: a field
// of the report contains it, or a word for an object precedes it (relation "users"). Every other quotation is masked, and so
// are numbers if the SQLSTATE's class concerns data or SQL text. In another server language, whose words are not known, names
// are masked too and no value is shown.
//
// A name that was looked up and not found may itself be data: the text before ::regclass, an argument of has_table_privilege().
// It stays readable only if the statement contains it as an identifier.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::postgres {

inline constexpr std::string_view kMasked = "***";

// What distinguishes a name from a value.
struct MessageNames {
  std::vector<std::string_view> fields = {};  // names in the report's fields: schema, table, column, constraint, data type
  // The failed statement and the query inside it. Without it, every name that was looked up counts as a name.
  std::optional<std::string_view> sql = {};
};

// Returns the message with values replaced by kMasked.
[[nodiscard]] std::string mask_values(std::string_view message, std::string_view sqlstate, const MessageNames& names = {});

// Returns the text with each occurrence of the password replaced by kMasked: a server that received it may repeat it. Call this
// before mask_values(), which would change a part of the password. A password of less than four characters is too common a text
// to be replaced.
[[nodiscard]] std::string without_password(std::string_view text, std::string_view password);

// Returns one line of at most 500 bytes of well-formed UTF-8. Control characters (C1 too) and characters that reorder text are
// shown as \xNN or \uNNNN, so that the line cannot move a cursor or change colours.
[[nodiscard]] std::string one_safe_line(std::string_view text);

}  // namespace athanor::postgres
