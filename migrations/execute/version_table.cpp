#include "migrations/execute/version_table.hpp"

#include <algorithm>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// Division by zero unless the change met exactly one row.
constexpr std::string_view kExactlyOne = " SELECT 1 / (CASE count(*) WHEN 1 THEN 1 ELSE 0 END) FROM met";

// {"a","b"}. Athanor accepts no quotes or backslashes in ids, but rows that another tool wrote may hold them.
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

}  // namespace

VersionTable::VersionTable(const std::string& schema, const std::string& table, bool primary_key)
    : name_(qualified_name(schema, table)) {
  create_ = "CREATE TABLE IF NOT EXISTS " + name_ + " (version_num VARCHAR(32) NOT NULL";
  if (primary_key) {
    create_ += ", CONSTRAINT " + quote_identifier(table + "_pkc") + " PRIMARY KEY (version_num)";
  }
  create_ += ")";
}

std::string VersionTable::create_statement() const {
  return create_;
}
std::string VersionTable::select_statement() const {
  return "SELECT version_num FROM " + name_;
}
Command VersionTable::purge() const {
  return {"DELETE FROM " + name_, {}, ""};
}

Command VersionTable::expect(const std::vector<std::string>& heads) const {
  return {
      "SELECT 1 / (CASE WHEN (SELECT coalesce(array_agg(version_num::text ORDER BY version_num::text COLLATE \"C\"), '{}') "
      "FROM " +
          name_ + ") = $1::text[] THEN 1 ELSE 0 END)",
      {array_literal(heads)},
      "athanor_expect"};
}

Command VersionTable::change(const RowOperation& operation) const {
  switch (operation.kind) {
    case RowOperation::Kind::Insert:
      return {"INSERT INTO " + name_ + " (version_num) VALUES ($1)", {operation.to}, "athanor_insert"};
    case RowOperation::Kind::Delete:
      return {"WITH met AS (DELETE FROM " + name_ + " WHERE version_num = $1 RETURNING 1)" + std::string(kExactlyOne),
              {operation.from},
              "athanor_delete"};
    case RowOperation::Kind::Update:
      return {"WITH met AS (UPDATE " + name_ + " SET version_num = $2 WHERE version_num = $1 RETURNING 1)" +
                  std::string(kExactlyOne),
              {operation.from, operation.to},
              "athanor_update"};
  }
  return {};
}

std::vector<Command> VersionTable::apply(const WalkStep& step, const std::vector<std::string>& before) const {
  std::vector<Command> commands;
  // Updating or deleting the only row fails by itself when that row is not there; anything else needs the guard in front.
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
