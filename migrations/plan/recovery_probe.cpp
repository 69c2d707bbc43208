#include <nlohmann/json.hpp>

#include "migrations/plan/pg_query_access.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

using Json = nlohmann::json;
using Kind = RecoveryProbe::Kind;

constexpr std::size_t kParseLimit = 1U << 20U;
// libpg_query writes the tree by recursion, about 1 KiB of stack a level, and does not look where the stack ends. A tree is no
// deeper than the words and symbols that can nest; lists only make it wide.
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

// libpg_query leaves out what is false, zero or empty.
std::string text_of(const Json& node, const char* field) {
  const auto found = node.find(field);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}
bool flag_of(const Json& node, const char* field) {
  const auto found = node.find(field);
  return found != node.end() && found->is_boolean() && found->get<bool>();
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

// An option of the list ("CONCURRENTLY"), unless it is switched off.
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

RecoveryProbe of_index(const Json& node) {
  if (!flag_of(node, "concurrent")) {
    return flag_of(node, "if_not_exists") ? RecoveryProbe{Kind::Repeatable, "", "", ""} : RecoveryProbe();
  }
  RecoveryProbe probe = of_relation(Kind::CreateIndexConcurrently, node);
  probe.object = text_of(node, "idxname");  // an index lives in its table's schema
  return probe.object.empty() ? RecoveryProbe() : probe;
}

RecoveryProbe of_drop(const Json& node) {
  if (flag_of(node, "concurrent")) {
    return of_names(Kind::DropIndexConcurrently, node.at("objects").at(0).at("List").at("items"));
  }
  return flag_of(node, "missing_ok") ? RecoveryProbe{Kind::Repeatable, "", "", ""} : RecoveryProbe();
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
      return probe;
    }
    if (subtype != "AT_ValidateConstraint") {
      return {};
    }
  }
  return probe;
}

RecoveryProbe of_statement(const std::string& kind, const Json& node) {
  RecoveryProbe repeatable{Kind::Repeatable, "", "", ""};
  if (kind == "IndexStmt") {
    return of_index(node);
  }
  if (kind == "DropStmt") {
    return of_drop(node);
  }
  if (kind == "ReindexStmt") {
    return has_option(node, "concurrently") ? of_relation(Kind::ReindexConcurrently, node) : repeatable;
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
      return repeatable;
    }
  }
  // IF NOT EXISTS and OR REPLACE say themselves that a second time does no harm.
  return flag_of(node, "if_not_exists") || flag_of(node, "replace") ? repeatable : RecoveryProbe();
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
    return of_statement(statement.begin().key(), statement.begin().value());
  } catch (const Json::exception&) {  // a shape we do not know is a statement we do not know
    return {};
  }
}

}  // namespace athanor
