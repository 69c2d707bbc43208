#include "migrations/plan/server_statement.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// REASSIGN OWNED and DROP OWNED also change owners and privileges of databases and tablespaces.
constexpr std::array<std::string_view, 16> kServerNodes{"CreateRoleStmt",
                                                        "AlterRoleStmt",
                                                        "AlterRoleSetStmt",
                                                        "DropRoleStmt",
                                                        "GrantRoleStmt",
                                                        "CreatedbStmt",
                                                        "DropdbStmt",
                                                        "AlterDatabaseStmt",
                                                        "AlterDatabaseSetStmt",
                                                        "AlterSystemStmt",
                                                        "AlterDatabaseRefreshCollStmt",
                                                        "CreateTableSpaceStmt",
                                                        "DropTableSpaceStmt",
                                                        "AlterTableSpaceOptionsStmt",
                                                        "ReassignOwnedStmt",
                                                        "DropOwnedStmt"};
// What GRANT, COMMENT, SECURITY LABEL, RENAME, OWNER TO and DROP are about.
constexpr std::array<std::string_view, 4> kKindFields{"objtype", "objectType", "renameType", "removeType"};
constexpr std::array<std::string_view, 4> kServerKinds{"OBJECT_DATABASE", "OBJECT_ROLE", "OBJECT_TABLESPACE",
                                                       "OBJECT_PARAMETER_ACL"};
// Each connects to another server, or loads a library.
constexpr std::array<std::string_view, 4> kOutsideNodes{"CreateSubscriptionStmt", "AlterSubscriptionStmt",
                                                        "DropSubscriptionStmt", "LoadStmt"};
constexpr std::array<std::string_view, 14> kServerFunctions{
    "pg_terminate_", "pg_cancel_", "pg_reload_conf", "pg_rotate_",           "pg_promote",
    "pg_switch_wal", "pg_create_", "pg_copy_",       "pg_drop_replication_", "pg_replication_",
    "pg_logical_",   "pg_backup_", "pg_wal_replay_", "pg_sync_replication_"};
constexpr std::array<std::string_view, 7> kOutsideFunctions{"dblink", "lo_import", "lo_export",   "pg_read_",
                                                            "pg_ls_", "pg_file_",  "pg_stat_file"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& known, std::string_view name) {
  return std::ranges::find(known, name) != known.end();
}

template <std::size_t N>
bool begins_one_of(const std::array<std::string_view, N>& prefixes, std::string_view name) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

void add_call(const TreeNode& call, StatementReach& reach) {
  const TreeNode names = call["funcname"];
  std::string_view name;
  for (TreeNode part = names.first(); part; part = part.next(names)) {
    name = part["String"]["sval"].value();  // the last part; the schema precedes it
  }
  reach.server = reach.server || begins_one_of(kServerFunctions, name);
  reach.outside = reach.outside || begins_one_of(kOutsideFunctions, name);
}

void add_tree(const StatementTree& tree, StatementReach& reach) {
  const TreeNode root = tree.root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    const TreeNode node = root.at(index);
    const std::string_view key = node.key();
    const bool about_server =
        is_one_of(kServerNodes, key) || (is_one_of(kKindFields, key) && is_one_of(kServerKinds, node.value()));
    // COPY without a file name is to or from the client.
    const bool leaves = is_one_of(kOutsideNodes, key) || (key == "CopyStmt" && node["filename"]);
    reach.server = reach.server || about_server;
    reach.outside = reach.outside || leaves;
    if (key == "FuncCall") {
      add_call(node, reach);
    }
  }
}

// The last three words of code.
using Words = std::array<std::string_view, 3>;

bool is_server_command(const Words& words) {
  constexpr std::array<std::string_view, 3> kVerbs{"create", "alter", "drop"};
  constexpr std::array<std::string_view, 6> kObjects{"role", "user", "group", "database", "tablespace", "system"};
  const auto is = [](std::string_view word, const auto& known) {
    return std::ranges::any_of(known, [&](std::string_view one) { return same_word(word, one); });
  };
  const bool owned = same_word(words[1], "owned") && (same_word(words[0], "reassign") || same_word(words[0], "drop"));
  return owned || (is(words[0], kVerbs) && is(words[1], kObjects) && !same_word(words[2], "mapping"));
}

bool is_outside_command(const Words& words) {
  const bool program = same_word(words[1], "program") && (same_word(words[0], "from") || same_word(words[0], "to"));
  const bool subscription = same_word(words[1], "subscription") &&
                            (same_word(words[0], "create") || same_word(words[0], "alter") || same_word(words[0], "drop"));
  return program || subscription;
}

bool begins_with_word(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_word(text.substr(0, prefix.size()), prefix);
}

constexpr int kMostNested = 8;  // strings in strings

// `strings`: how deep strings are searched, which a DO block may execute; 0: not at all.
void add_words(std::string_view code, int strings, StatementReach& reach) {
  Words words;
  SqlLexer lexer(code);
  for (Token token = lexer.next_code();; token = lexer.next_code()) {
    const std::string_view text = lexer.text(token);
    words = {words[1], words[2], text};
    const auto begins = [&](std::string_view prefix) { return begins_with_word(text, prefix); };
    const bool word = token.kind == TokenKind::Word;
    reach.server = reach.server || is_server_command(words) || (word && std::ranges::any_of(kServerFunctions, begins));
    reach.outside = reach.outside || is_outside_command(words) || (word && std::ranges::any_of(kOutsideFunctions, begins));
    if (token.kind == TokenKind::End || token.kind == TokenKind::Unterminated) {
      return;
    }
    if (strings > 0 && (token.kind == TokenKind::String || token.kind == TokenKind::DollarString)) {
      const std::size_t quote = token.kind == TokenKind::DollarString ? text.find('$', 1) + 1 : text.find('\'') + 1;
      if (text.size() > 2 * quote) {
        add_words(text.substr(quote, text.size() - 2 * quote), strings - 1, reach);
      }
    }
  }
}

// Adds the statements and expressions of a DO block in PL/pgSQL.
void add_procedure(std::string_view statement, StatementReach& reach) {
  const auto tree = StatementTree::of_procedure(statement);
  if (!tree) {
    return;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    if (const TreeNode node = root.at(index); node.key() == "PLpgSQL_expr") {
      if (const auto inner = StatementTree::of_sql(node["query"].text())) {
        add_tree(*inner, reach);
      }
    }
  }
}

std::string with_any_range(std::string_view sql) {
  constexpr std::string_view kPlaceholder = "{batch}";
  std::string text(sql);
  if (const auto at = text.find(kPlaceholder); at != std::string::npos) {
    text.replace(at, kPlaceholder.size(), "true");
  }
  return text;
}

}  // namespace

StatementReach reach_of(std::string_view sql) {
  StatementReach reach;
  SqlLexer lexer(sql);
  if (same_word(lexer.text(lexer.next_code()), "do")) {
    add_words(sql, kMostNested, reach);
    add_procedure(sql, reach);
    return reach;
  }
  if (const auto tree = StatementTree::of_sql(with_any_range(sql))) {
    add_tree(*tree, reach);
  } else {
    add_words(sql, 0, reach);
  }
  return reach;
}

bool is_about_server(std::string_view sql) {
  return reach_of(sql).server;
}

}  // namespace athanor
