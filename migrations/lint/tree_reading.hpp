// Names, types and lists as the parse tree holds them.
//
// Threads: plain values, pure functions.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// A name with its schema, which is empty when the text has none. "public" counts as none: without the server's search_path,
// that is what an unqualified name means.
struct QualifiedName {
  std::string schema;
  std::string name;
  [[nodiscard]] bool empty() const { return name.empty(); }
  [[nodiscard]] std::string sql() const;  // quoted where it must be
  auto operator<=>(const QualifiedName&) const = default;
};

// A type as PostgreSQL names it inside: "int4", "varchar", "bpchar", "timestamptz".
struct TypeWords {
  std::string schema;  // empty for the server's own
  std::string name;
  std::vector<int> modifiers;
  bool array = false;
  [[nodiscard]] bool is(std::string_view plain) const { return !array && schema.empty() && name == plain; }
  [[nodiscard]] std::string sql() const;  // as people write it: "integer", "varchar(20)[]"
  bool operator==(const TypeWords&) const = default;
};

// The children of a list or object; empty for an empty node.
[[nodiscard]] std::vector<TreeNode> items_of(const TreeNode& list);
[[nodiscard]] bool is_set(const TreeNode& flag);            // "true"
[[nodiscard]] std::string string_in(const TreeNode& node);  // of {"String":{"sval":…}}
[[nodiscard]] std::vector<std::string> strings_in(const TreeNode& list);
// The number of a constant, or `otherwise`.
[[nodiscard]] int number_in(const TreeNode& node, int otherwise);
// Of a RangeVar's fields.
[[nodiscard]] QualifiedName relation_in(const TreeNode& relation);
// Of a list of strings.
[[nodiscard]] QualifiedName name_in(const TreeNode& strings);
// Of the names of a trigger, policy or rule, which end in its own: the table it belongs to.
[[nodiscard]] QualifiedName owner_in(const TreeNode& strings);
// Of a TypeName's fields.
[[nodiscard]] TypeWords type_in(const TreeNode& type);
// The option of a list of DefElem, its fields; an empty node when there is none.
[[nodiscard]] TreeNode option_in(const TreeNode& options, std::string_view name);
// Whether the option is there and not switched off.
[[nodiscard]] bool option_is_on(const TreeNode& options, std::string_view name);
// "a, b", quoted.
[[nodiscard]] std::string column_list(const std::vector<std::string>& columns);
// Where the node stands in the statement's text, in bytes; -1 when the tree does not say.
[[nodiscard]] int location_of(const TreeNode& node);

}  // namespace athanor
