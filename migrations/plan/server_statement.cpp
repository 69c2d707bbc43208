#include "migrations/plan/server_statement.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::array<std::string_view, 8> kNodes{"CreateRoleStmt",    "AlterRoleStmt",  "AlterRoleSetStmt",
                                                 "DropRoleStmt",      "GrantRoleStmt",  "AlterDatabaseSetStmt",
                                                 "AlterDatabaseStmt", "AlterSystemStmt"};

// "create role", "alter database"; empty when the code holds no such thing.
std::string found_in_code(std::string_view code) {
  constexpr std::array<std::string_view, 3> kVerbs{"create", "alter", "drop"};
  constexpr std::array<std::string_view, 4> kObjects{"role", "user", "group", "database"};
  std::array<std::string_view, 3> words;  // the last three
  SqlLexer lexer(code);
  const auto is = [](std::string_view word, std::string_view known) { return same_word(word, known); };
  for (Token token = lexer.next_code();; token = lexer.next_code()) {
    words = {words[1], words[2], lexer.text(token)};
    const bool verb = std::ranges::any_of(kVerbs, [&](std::string_view known) { return is(words[0], known); });
    const bool object = std::ranges::any_of(kObjects, [&](std::string_view known) { return is(words[1], known); });
    if (verb && object && !is(words[2], "mapping")) {
      return std::string(words[0]) + " " + std::string(words[1]);
    }
    if (token.kind == TokenKind::End || token.kind == TokenKind::Unterminated) {
      return {};
    }
    if (token.kind == TokenKind::String || token.kind == TokenKind::DollarString) {
      const std::string_view text = lexer.text(token);
      const std::size_t quote = token.kind == TokenKind::DollarString ? text.find('$', 1) + 1 : text.find('\'') + 1;
      if (text.size() > 2 * quote) {
        if (std::string inside = found_in_code(text.substr(quote, text.size() - 2 * quote)); !inside.empty()) {
          return inside;
        }
      }
    }
  }
}

}  // namespace

bool is_about_server(std::string_view sql) {
  SqlLexer lexer(sql);
  if (same_word(lexer.text(lexer.next_code()), "do")) {
    return !found_in_code(sql).empty();
  }
  constexpr std::array<std::string_view, 5> kHints{"role", "user", "group", "database", "grant"};
  const bool hinted = std::ranges::any_of(kHints, [&](std::string_view word) { return contains_word(sql, word); }) ||
                      contains_word(sql, "revoke") || contains_word(sql, "system");
  const auto tree = hinted ? StatementTree::of_sql(sql) : std::nullopt;
  if (!tree) {
    return false;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    if (std::ranges::find(kNodes, root.at(index).key()) != kNodes.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace athanor
