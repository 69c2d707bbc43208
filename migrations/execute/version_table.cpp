#include "migrations/execute/version_table.hpp"

#include <algorithm>

#include "migrations/session/session_reset.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// Fails with division by zero unless exactly one row was changed.
constexpr std::string_view kExactlyOne =
    " SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN 1 ELSE 0 END) FROM met";
constexpr std::string_view kRowIs = " WHERE version_num::pg_catalog.text OPERATOR(pg_catalog.=) $1";

}  // namespace

// {"a","b"}. Athanor accepts no quotes or backslashes in ids, but rows of other tools may contain them.
std::string array_literal(const std::vector<std::string>& items) {
  std::string text = "{";
  for (const auto& item : items) {
    text += text.size() > 1 ? ",\"" : "\"";
    for (const char c : item) {
      if (c == '"' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

VersionTable::VersionTable(const std::string& schema, const std::string& table, bool primary_key)
    : table_(table), primary_key_(primary_key), name_(qualified_name(schema, table)) {}

void VersionTable::set_schema(const std::string& schema) {
  name_ = qualified_name(schema, table_);
}

std::string VersionTable::create_statement() const {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + name_ + " (version_num pg_catalog.varchar(32) NOT NULL";
  if (primary_key_) {
    sql += ", CONSTRAINT " + quote_identifier(table_ + "_pkc") + " PRIMARY KEY (version_num)";
  }
  return sql + ")";
}
std::string VersionTable::select_statement() const {
  return "SELECT version_num::pg_catalog.text FROM ONLY " + name_;  // a cast to text removes the padding of char(n)
}
Command VersionTable::purge() const {
  return {"DELETE FROM ONLY " + name_, {}, ""};
}

std::string VersionTable::holds(std::string_view parameter) const {
  // COLLATE "C" sorts by bytes, as the client sorts the heads.
  return "(SELECT coalesce(pg_catalog.array_agg(version_num::pg_catalog.text ORDER BY version_num::pg_catalog.text COLLATE "
         "pg_catalog.\"C\"), '{}') FROM ONLY " +
         name_ + ") OPERATOR(pg_catalog.=) " + std::string(parameter) + "::pg_catalog.text[]";
}

Command VersionTable::expect(const std::vector<std::string>& heads) const {
  return {"SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN " + holds("$1") + " THEN 1 ELSE 0 END)",
          {array_literal(heads)},
          prepared_name("expect")};
}

Command VersionTable::change(const RowOperation& operation) const {
  switch (operation.kind) {
    // apply() puts expect() before an INSERT, which therefore needs no count of its own.
    case RowOperation::Kind::Insert:
      return {"INSERT INTO " + name_ + " (version_num) VALUES ($1)", {operation.to}, prepared_name("insert")};
    case RowOperation::Kind::Delete:
      return {"WITH met AS (DELETE FROM ONLY " + name_ + std::string(kRowIs) + " RETURNING 1)" + std::string(kExactlyOne),
              {operation.from},
              prepared_name("delete")};
    case RowOperation::Kind::Update:
      return {"WITH met AS (UPDATE ONLY " + name_ + " SET version_num = $2" + std::string(kRowIs) + " RETURNING 1)" +
                  std::string(kExactlyOne),
              {operation.from, operation.to},
              prepared_name("update")};
  }
  return {};
}

std::vector<Command> VersionTable::apply(const WalkStep& step, const std::vector<std::string>& before) const {
  std::vector<Command> commands;
  // Updating or deleting the only row is its own guard; any other change needs expect() before it.
  const bool guards_itself = step.operations.size() == 1 && step.operations.front().kind != RowOperation::Kind::Insert &&
                             before.size() == 1 && before.front() == step.operations.front().from;
  if (!guards_itself) {
    commands.push_back(expect(before));
  }
  for (const auto& operation : step.operations) {
    commands.push_back(change(operation));
  }
  return commands;
}

}  // namespace athanor
