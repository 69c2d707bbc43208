// PostgreSQL's parse tree of SQL text, as a flat list in reading order: one loop without recursion visits everything inside a
// node, at any depth.
//
// Keys are those of libpg_query: node types begin with a capital ("SelectStmt", "FuncCall"), fields do not. False, zero and
// empty values are omitted.
//
// Threads: immutable. Ownership: the tree owns its text; nodes point into the tree and must not outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

class TreeNode;

class StatementTree {
 public:
  struct Entry {
    std::string_view key;    // empty in a list
    std::string_view value;  // a scalar as in JSON, without a string's quotes; empty for objects and lists
    std::uint32_t end = 0;   // index after the last entry inside
  };

  static constexpr std::size_t kMostBytes = 1U << 20U;  // of text

  // The tree of the statements in `sql`. Empty when PostgreSQL 15's grammar rejects the text, or when it contains a NUL byte,
  // is longer than kMostBytes, or might nest deeper than libpg_query can handle.
  [[nodiscard]] static std::optional<StatementTree> of_sql(std::string_view sql);
  // The tree of the PL/pgSQL code in a DO or CREATE FUNCTION statement; empty when it cannot be read.
  [[nodiscard]] static std::optional<StatementTree> of_procedure(std::string_view statement);

  [[nodiscard]] TreeNode root() const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  explicit StatementTree(std::string json);

  std::unique_ptr<const std::string> json_;  // entries point into it, so its address must not change
  std::vector<Entry> entries_;
  friend class TreeReader;
};

class TreeNode {
 public:
  TreeNode() = default;
  TreeNode(const std::vector<StatementTree::Entry>* entries, std::uint32_t index) : entries_(entries), index_(index) {}

  [[nodiscard]] explicit operator bool() const { return entries_ != nullptr; }
  [[nodiscard]] std::string_view key() const { return entries_ == nullptr ? std::string_view() : entry().key; }
  // As in JSON: sufficient for enumeration names, numbers and booleans.
  [[nodiscard]] std::string_view value() const { return entries_ == nullptr ? std::string_view() : entry().value; }
  // A string with JSON escapes resolved.
  [[nodiscard]] std::string text() const;
  // The field, or an empty node, whose fields are all empty.
  [[nodiscard]] TreeNode operator[](std::string_view field) const;
  // The first child, or an empty node.
  [[nodiscard]] TreeNode first() const;
  // The next sibling inside `parent`.
  [[nodiscard]] TreeNode next(const TreeNode& parent) const;
  // The range of all nodes inside, at any depth, in reading order: [begin, end) of entries().
  [[nodiscard]] std::uint32_t begin() const { return index_ + 1; }
  [[nodiscard]] std::uint32_t end() const { return entries_ == nullptr ? begin() : entry().end; }
  [[nodiscard]] TreeNode at(std::uint32_t index) const { return {entries_, index}; }

 private:
  [[nodiscard]] const StatementTree::Entry& entry() const { return (*entries_)[index_]; }

  const std::vector<StatementTree::Entry>* entries_ = nullptr;
  std::uint32_t index_ = 0;
};

}  // namespace athanor
