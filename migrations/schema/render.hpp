// Renders values of facts as SQL: quoted names, lists, options.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/fact.hpp"

namespace athanor::schema {

using Names = std::vector<std::string>;

// schema.name of an object, or the name alone if it has no schema.
[[nodiscard]] std::string object_name(const FactId& id);
// schema.parent: the relation, domain or server that the fact belongs to.
[[nodiscard]] std::string parent_name(const FactId& id);
// schema.name(arguments), as DROP and COMMENT expect it.
[[nodiscard]] std::string routine_name(const FactId& id);

// The strings of a JSON array; other elements are rendered as JSON. Empty for an absent attribute.
[[nodiscard]] Names list(std::string_view json);
// An array of arrays.
[[nodiscard]] std::vector<Names> rows(std::string_view json);
// ["schema","name"] as a quoted name.
[[nodiscard]] std::string name_of_pair(std::string_view json);
[[nodiscard]] std::string join(const Names& parts, std::string_view between = ", ");
// Quoted and joined with commas.
[[nodiscard]] std::string quoted_list(const Names& names);

// "key=value" as key and value.
[[nodiscard]] std::pair<std::string, std::string> split_option(std::string_view option);
// reloptions in parentheses: (fillfactor='70').
[[nodiscard]] std::string storage_options(const Names& options);
// Only their names: (fillfactor, toast.autovacuum_enabled).
[[nodiscard]] std::string option_names(const Names& keys);
// Options of foreign objects: OPTIONS (host 'a', port '5'); empty for none.
[[nodiscard]] std::string foreign_options(std::string_view json);
// OPTIONS (ADD …, SET …, DROP …) from one list to another.
[[nodiscard]] std::string changed_foreign_options(std::string_view before, std::string_view after);
// The keys to reset and the options to set, from one list of reloptions to another.
struct OptionChange {
  Names reset{};
  Names set{};
};
[[nodiscard]] OptionChange changed_options(std::string_view before, std::string_view after);

// The text without trailing semicolon and spaces.
[[nodiscard]] std::string without_semicolon(std::string_view text);
// A temporary name of at most 63 bytes, such as "orders_status_idx" with "__old".
[[nodiscard]] std::string with_suffix(std::string_view name, std::string_view suffix);
// Splits a list of parameters or columns at commas outside quotes and brackets.
[[nodiscard]] Names split_top_level(std::string_view text);

}  // namespace athanor::schema
