// Reads names, types and lists from the parse tree.
//
// Threads: plain values, pure functions.
#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// A name with its schema, which is empty when not written. "public" counts as empty: without the server's search_path, that is
// the meaning of an unqualified name.
struct QualifiedName {
  std::string schema;
  std::string name;
  [[nodiscard]] bool empty() const { return name.empty(); }
  [[nodiscard]] std::string sql() const;  // quoted where necessary
  auto operator<=>(const QualifiedName&) const = default;
};

// A type with PostgreSQL's internal name: "int4", "varchar", "bpchar", "timestamptz".
struct TypeWords {
  std::string schema;  // empty for built-in types
  std::string name;
  std::vector<int> modifiers;
  bool array = false;
  [[nodiscard]] bool is(std::string_view plain) const { return !array && schema.empty() && name == plain; }
  [[nodiscard]] std::string sql() const;  // as users write it: "integer", "varchar(20)[]"
  bool operator==(const TypeWords&) const = default;
};

// The children of a list or object; empty for an empty node.
[[nodiscard]] std::vector<TreeNode> items_of(const TreeNode& list);
[[nodiscard]] bool is_set(const TreeNode& flag);            // whether the flag is "true"
[[nodiscard]] std::string string_in(const TreeNode& node);  // the text in {"String":{"sval":…}}
[[nodiscard]] std::vector<std::string> strings_in(const TreeNode& list);
// The number in a constant, or `otherwise`.
[[nodiscard]] int number_in(const TreeNode& node, int otherwise);
// The name in a RangeVar's fields.
[[nodiscard]] QualifiedName relation_in(const TreeNode& relation);
// The name in a list of strings.
[[nodiscard]] QualifiedName name_in(const TreeNode& strings);
// The table in the names of a trigger, policy or rule, which end with the object's own name.
[[nodiscard]] QualifiedName owner_in(const TreeNode& strings);
// The type in a TypeName's fields.
[[nodiscard]] TypeWords type_in(const TreeNode& type);
// The fields of an option in a list of DefElem; an empty node when it is missing.
[[nodiscard]] TreeNode option_in(const TreeNode& options, std::string_view name);
// Whether the option is present and not switched off.
[[nodiscard]] bool option_is_on(const TreeNode& options, std::string_view name);
// The names of the columns in an expression of one table.
[[nodiscard]] std::set<std::string> columns_in(const TreeNode& expression);
// "a, b", quoted.
[[nodiscard]] std::string column_list(const std::vector<std::string>& columns);
// The byte position of the node in the statement's text; -1 when the tree does not contain it.
[[nodiscard]] int location_of(const TreeNode& node);

}  // namespace athanor
