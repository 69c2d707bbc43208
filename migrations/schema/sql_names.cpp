#include "migrations/schema/sql_names.hpp"

#include <algorithm>
#include <array>

#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::schema {

void collect_roles(std::string_view statement, NamedRoles& roles) {
  constexpr std::array<std::string_view, 8> kHints{"owner",         "grant",      "revoke", "policy",
                                                   "authorization", "privileges", "role",   "mapping"};
  if (std::ranges::none_of(kHints, [&](std::string_view word) { return contains_word(statement, word); }) &&
      !contains_word(statement, "user")) {
    return;
  }
  const auto tree = StatementTree::of_sql(statement);
  if (!tree) {
    return;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    const TreeNode node = root.at(index);
    if (node.key() == "rolename") {
      roles.named.insert(node.text());
    } else if (node.key() == "CreateRoleStmt") {
      roles.created.insert(node["role"].text());
    }
  }
}

void collect_schemas(std::string_view statement, std::set<std::string>& created) {
  if (!contains_word(statement, "schema")) {
    return;
  }
  const auto tree = StatementTree::of_sql(statement);
  if (!tree) {
    return;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    if (const TreeNode node = root.at(index); node.key() == "CreateSchemaStmt") {
      const std::string name = node["schemaname"].text();
      created.insert(name.empty() ? node["authrole"]["rolename"].text() : name);
    }
  }
}

namespace {

std::vector<std::string> names_of(std::string_view search_path) {
  std::vector<std::string> names;
  SqlLexer lexer(search_path);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    if (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier) {
      names.push_back(identifier_name(lexer.text(token)));
    }
  }
  return names;
}

}  // namespace

std::string resolved_search_path(std::string_view search_path, const std::string& user) {
  std::string path;
  for (const std::string& name : names_of(search_path)) {
    const std::string& schema = name == "$user" ? user : name;
    if (!schema.empty()) {
      path += (path.empty() ? "" : ", ") + quote_identifier(schema);
    }
  }
  return path;
}

std::vector<std::string> search_path_schemas(std::string_view search_path) {
  std::vector<std::string> names = names_of(search_path);
  std::erase_if(names, [](const std::string& name) {
    return name.empty() || name == "$user" || name == "public" || name.starts_with("pg_");
  });
  return names;
}

}  // namespace athanor::schema
