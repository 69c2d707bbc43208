#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "migrations/plan/known_functions.hpp"
#include "migrations/plan/pg_query_access.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

using Json = nlohmann::json;
using Kind = RecoveryProbe::Kind;
using Scope = RecoveryProbe::Scope;

constexpr std::size_t kParseLimit = 1U << 20U;
// libpg_query writes the tree recursively, using about 1 KiB of stack per level, and does not check the stack. A tree is never
// deeper than the number of words and symbols that can nest; commas only make it wider.
constexpr int kNestingLimit = 2'000;

bool may_nest_too_deep(std::string_view sql) {
  SqlLexer lexer(sql);
  int nesting = 0;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && nesting <= kNestingLimit; token = lexer.next_code()) {
    const bool nests = token.kind == TokenKind::Word || (token.kind == TokenKind::Symbol && sql[token.begin] != ',');
    nesting += nests ? 1 : 0;
  }
  return nesting > kNestingLimit;
}

// libpg_query omits fields that are false, zero or empty.
std::string text_of(const Json& node, const char* field) {
  const auto found = node.find(field);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}
bool flag_of(const Json& node, const char* field) {
  const auto found = node.find(field);
  return found != node.end() && found->is_boolean() && found->get<bool>();
}

RecoveryProbe repeatable() {
  RecoveryProbe probe;
  probe.kind = Kind::Repeatable;
  return probe;
}

RecoveryProbe of_relation(Kind kind, const Json& node) {
  const auto relation = node.find("relation");
  if (relation == node.end()) {
    return {kind, "", text_of(node, "name"), ""};
  }
  return {kind, text_of(*relation, "schemaname"), text_of(*relation, "relname"), ""};
}

// [{"String":{"sval":"schema"}},{"String":{"sval":"name"}}]
RecoveryProbe of_names(Kind kind, const Json& names) {
  RecoveryProbe probe{kind, "", "", ""};
  for (const auto& name : names) {
    probe.schema = std::exchange(probe.object, text_of(name.at("String"), "sval"));
  }
  return probe;
}

// Whether the option ("concurrently") is in the list and not switched off.
bool has_option(const Json& node, std::string_view name) {
  const auto params = node.find("params");
  if (params == node.end()) {
    return false;
  }
  for (const auto& param : *params) {
    const auto& option = param.at("DefElem");
    if (text_of(option, "defname") == name) {
      const auto value = option.value("arg", Json()).dump();
      return value.find("false") == std::string::npos && value.find("off") == std::string::npos && value != R"({"Integer":{}})";
    }
  }
  return false;
}

// Compares columns by name only: "(a)" and "a COLLATE c" may denote the same column, so an expression is left empty.
void add_columns(const Json& node, const char* field, std::vector<std::string>& columns) {
  const auto elements = node.find(field);
  if (elements == node.end()) {
    return;
  }
  for (const auto& element : *elements) {
    columns.push_back(text_of(element.at("IndexElem"), "name"));
  }
}

// The text after the table's name, which follows ON [ONLY] and may have parts joined by dots.
std::string index_definition(std::string_view sql) {
  SqlLexer lexer(sql);
  Token token = lexer.next_code();
  const auto is_word = [&](std::string_view word) {
    return token.kind == TokenKind::Word && same_word(lexer.text(token), word);
  };
  while (token.kind != TokenKind::End && !is_word("on")) {
    token = lexer.next_code();
  }
  token = lexer.next_code();
  if (is_word("only")) {
    token = lexer.next_code();
  }
  for (token = lexer.next_code(); token.kind == TokenKind::Symbol && lexer.text(token) == "."; token = lexer.next_code()) {
    static_cast<void>(lexer.next_code());
  }
  if (token.kind == TokenKind::Symbol && lexer.text(token) == "*") {
    token = lexer.next_code();
  }
  return std::string(sql.substr(std::min(token.begin, sql.size())));
}

RecoveryProbe of_index(const Json& node) {
  // A plain CREATE INDEX is transactional; only IF NOT EXISTS makes it safe to repeat.
  if (!flag_of(node, "concurrent")) {
    return flag_of(node, "if_not_exists") ? repeatable() : RecoveryProbe();
  }
  RecoveryProbe probe = of_relation(Kind::CreateIndexConcurrently, node);
  probe.table = std::exchange(probe.object, text_of(node, "idxname"));  // an index is in the schema of its table
  probe.if_not_exists = flag_of(node, "if_not_exists");
  probe.index.unique = flag_of(node, "unique");
  probe.index.partial = node.contains("whereClause");
  probe.index.method = text_of(node, "accessMethod");
  add_columns(node, "indexParams", probe.index.columns);
  add_columns(node, "indexIncludingParams", probe.index.columns);
  return probe;
}

RecoveryProbe of_reindex(const Json& node) {
  RecoveryProbe probe = of_relation(Kind::ReindexConcurrently, node);
  const auto kind = text_of(node, "kind");
  probe.scope = kind == "REINDEX_OBJECT_INDEX"    ? Scope::Index
                : kind == "REINDEX_OBJECT_TABLE"  ? Scope::Table
                : kind == "REINDEX_OBJECT_SCHEMA" ? Scope::Schema
                                                  : Scope::Database;
  return probe;
}

RecoveryProbe of_drop(const Json& node) {
  if (flag_of(node, "concurrent")) {
    return of_names(Kind::DropIndexConcurrently, node.at("objects").at(0).at("List").at("items"));
  }
  return flag_of(node, "missing_ok") ? repeatable() : RecoveryProbe();
}

RecoveryProbe of_enum(const Json& node) {
  if (!text_of(node, "oldVal").empty()) {
    return {};
  }
  RecoveryProbe probe = of_names(Kind::AddEnumValue, node.at("typeName"));
  probe.value = text_of(node, "newVal");
  return probe;
}

RecoveryProbe of_alter_table(const Json& node) {
  const auto& commands = node.at("cmds");
  RecoveryProbe probe = of_relation(Kind::Repeatable, node);
  for (const auto& command : commands) {
    const auto& alteration = command.at("AlterTableCmd");
    const auto subtype = text_of(alteration, "subtype");
    const bool finalize = subtype == "AT_DetachPartitionFinalize";
    if (finalize || subtype == "AT_DetachPartition") {
      const auto& partition = alteration.at("def").at("PartitionCmd");
      if (!finalize && !flag_of(partition, "concurrent")) {
        return {};
      }
      probe.kind = Kind::DetachPartitionConcurrently;
      probe.value = text_of(partition.at("name"), "relname");
      probe.value_schema = text_of(partition.at("name"), "schemaname");
      return probe;
    }
    if (subtype != "AT_ValidateConstraint") {
      return {};
    }
  }
  return probe;
}

// Nodes that may commit part of their work before they fail: code that can COMMIT, and functions that may act outside their
// transaction (dblink, a background worker). Triggers are not visible here, but the server does not let them commit.
bool may_commit_inside(const TreeNode& node) {
  const auto key = node.key();
  if (key == "FuncCall") {
    const TreeNode names = node["funcname"];
    const TreeNode first = names.first();
    const TreeNode second = first ? first.next(names) : TreeNode();
    const auto name = (second ? second : first)["String"]["sval"].value();
    const bool of_server = !second || first["String"]["sval"].value() == "pg_catalog";
    return !of_server || !is_known_function(name);
  }
  return key == "CallStmt" || key == "DoStmt" || key == "ExecuteStmt" || (key == "CopyStmt" && node["is_program"]);
}

bool all_or_nothing(std::string_view sql) {
  const auto tree = StatementTree::of_sql(sql);
  if (!tree) {
    return false;
  }
  const TreeNode statements = tree->root()["stmts"];
  const TreeNode only = statements.first();
  if (!only || only.next(statements)) {
    return false;
  }
  // Definitions: their code runs later, if at all.
  static constexpr std::array<std::string_view, 6> kDefinitions{"CreateFunctionStmt", "ViewStmt",         "RuleStmt",
                                                                "CreateTrigStmt",     "CreatePolicyStmt", "PrepareStmt"};
  if (std::ranges::find(kDefinitions, only["stmt"].first().key()) != kDefinitions.end()) {
    return true;
  }
  for (std::uint32_t index = only.begin(); index < only.end(); ++index) {
    if (may_commit_inside(only.at(index))) {
      return false;
    }
  }
  return true;
}

RecoveryProbe of_statement(const std::string& kind, const Json& node) {
  if (kind == "IndexStmt") {
    return of_index(node);
  }
  if (kind == "DropStmt") {
    return of_drop(node);
  }
  if (kind == "ReindexStmt") {
    return has_option(node, "concurrently") ? of_reindex(node) : repeatable();
  }
  if (kind == "AlterEnumStmt") {
    return of_enum(node);
  }
  if (kind == "AlterTableStmt") {
    return of_alter_table(node);
  }
  if (kind == "CreatedbStmt") {
    return {Kind::CreateDatabase, "", text_of(node, "dbname"), ""};
  }
  if (kind == "DropdbStmt") {
    return {Kind::DropDatabase, "", text_of(node, "dbname"), ""};
  }
  for (const std::string_view harmless : {"VacuumStmt", "RefreshMatViewStmt", "AlterSystemStmt", "ClusterStmt",
                                          "CheckPointStmt", "CommentStmt", "GrantStmt", "VariableSetStmt"}) {
    if (kind == harmless) {
      return repeatable();
    }
  }
  // With IF NOT EXISTS or OR REPLACE, running the statement a second time is harmless.
  return flag_of(node, "if_not_exists") || flag_of(node, "replace") ? repeatable() : RecoveryProbe();
}

}  // namespace

RecoveryProbe recovery_probe(std::string_view sql) {
  if (sql.size() > kParseLimit || sql.find('\0') != std::string_view::npos || may_nest_too_deep(sql)) {
    return {};
  }
  const auto tree = parse_tree(std::string(sql));
  if (!tree) {
    return {};
  }
  try {
    const auto json = Json::parse(*tree);
    const auto& statements = json.at("stmts");
    if (statements.size() != 1) {
      return {};
    }
    const auto& statement = statements.at(0).at("stmt");
    RecoveryProbe probe = of_statement(statement.begin().key(), statement.begin().value());
    if (probe.kind == Kind::CreateIndexConcurrently) {
      probe.index.definition = index_definition(sql);
    }
    probe.all_or_nothing = all_or_nothing(sql);
    // CREATE TABLE IF NOT EXISTS … AS SELECT f(): the first attempt may have left more than the table, through f().
    if (probe.kind == Kind::Repeatable && statement.begin().key() == "CreateTableAsStmt" && !probe.all_or_nothing) {
      probe.kind = Kind::Unknown;
    }
    return probe;
  } catch (const Json::exception&) {  // an unexpected tree: treat the statement as unknown
    return {};
  }
}

}  // namespace athanor
