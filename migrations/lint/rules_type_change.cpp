// Rules about ALTER COLUMN … TYPE: which changes rewrite the table, which rebuild only indexes, and which are free.
#include <algorithm>
#include <array>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr int kUtcIsFree = 12;
constexpr int kMostDigits = 6;     // of seconds
constexpr int kAllFields = 32767;  // INTERVAL_FULL_RANGE

struct TypeChange {
  std::string column;
  std::optional<TypeWords> from;
  TypeWords to;
  TreeNode action;
  TreeNode definition;
};

std::vector<TypeChange> changes_of(const StatementCheck& check) {
  std::vector<TypeChange> changes;
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind != "AT_AlterColumnType") {
      continue;
    }
    const TreeNode definition = action.node["def"]["ColumnDef"];
    TypeChange change{action.name, std::nullopt, type_in(definition["typeName"]), action.node, definition};
    if (const KnownColumn* const column = check.facts().column(check.view().relation(), action.name)) {
      change.from = column->type;
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

bool is_plain(const TypeWords& type, std::string_view name) {
  return type.schema.empty() && type.name == name;
}

// The only modifier grew or was removed.
bool is_wider(const TypeWords& from, const TypeWords& to) {
  if (to.modifiers.empty()) {
    return true;
  }
  return from.modifiers.size() == 1 && to.modifiers.size() == 1 && to.modifiers[0] >= from.modifiers[0];
}

// More digits before the decimal point, and the same number after it.
bool is_wider_numeric(const TypeWords& from, const TypeWords& to) {
  if (to.modifiers.empty()) {
    return true;
  }
  if (from.modifiers.empty()) {
    return false;
  }
  const int from_scale = from.modifiers.size() > 1 ? from.modifiers[1] : 0;
  const int to_scale = to.modifiers.size() > 1 ? to.modifiers[1] : 0;
  return to.modifiers[0] >= from.modifiers[0] && from_scale == to_scale;
}

bool is_text_like(const TypeWords& type) {
  return is_plain(type, "text") || is_plain(type, "varchar");
}

bool is_timestamp_pair(const TypeWords& from, const TypeWords& to) {
  return !from.array && !to.array &&
         ((is_plain(from, "timestamp") && is_plain(to, "timestamptz")) ||
          (is_plain(from, "timestamptz") && is_plain(to, "timestamp")));
}

// A finer timestamp or time; without a number, both have six digits.
bool is_finer(const TypeWords& from, const TypeWords& to) {
  return is_wider(from, to) || to.modifiers == std::vector<int>{kMostDigits};
}

// A finer interval. Its first modifier is a mask of fields such as DAY TO HOUR.
bool is_finer_interval(const TypeWords& from, const TypeWords& to) {
  if (to.modifiers.empty()) {
    return true;
  }
  const bool all_fields = to.modifiers[0] == kAllFields && (from.modifiers.empty() || from.modifiers[0] == kAllFields);
  const int from_digits = from.modifiers.size() > 1 ? from.modifiers[1] : kMostDigits;
  const int to_digits = to.modifiers.size() > 1 ? to.modifiers[1] : kMostDigits;
  return all_fields && to_digits >= from_digits;
}

// Whether both types are stored identically, so that only the catalog changes. Neither is a domain.
bool is_free(const TypeWords& from, const TypeWords& to) {
  if (from == to) {
    return true;
  }
  if (from.array || to.array) {
    return false;
  }
  // text and varchar have the same storage; only a shorter limit makes the server process every row.
  if (is_text_like(from) && is_text_like(to)) {
    return is_plain(to, "text") || is_wider(from, to);
  }
  if (is_plain(from, "numeric") && is_plain(to, "numeric")) {
    return is_wider_numeric(from, to);
  }
  if (is_plain(from, "varbit") && is_plain(to, "varbit")) {
    return is_wider(from, to);
  }
  if (is_plain(from, "interval") && is_plain(to, "interval")) {
    return is_finer_interval(from, to);
  }
  constexpr std::array<std::string_view, 4> kTimes{"timestamp", "timestamptz", "time", "timetz"};
  if (from.schema.empty() && to.schema.empty() && from.name == to.name &&
      std::ranges::find(kTimes, from.name) != kTimes.end()) {
    return is_finer(from, to);
  }
  return (is_plain(from, "bit") && is_plain(to, "varbit") && to.modifiers.empty()) ||
         (is_plain(from, "cidr") && is_plain(to, "inet")) || (is_plain(from, "xml") && is_plain(to, "text"));
}

// A USING clause that only casts the column to its new type has no effect.
bool has_own_conversion(const TypeChange& change) {
  const TreeNode conversion = change.definition["raw_default"];
  if (!conversion) {
    return false;
  }
  const TreeNode cast = conversion["TypeCast"];
  const TreeNode reference = cast ? cast["arg"]["ColumnRef"] : conversion["ColumnRef"];
  const auto fields = items_of(reference["fields"]);
  const bool same_column = fields.size() == 1 && string_in(fields.front()) == change.column;
  return !(same_column && (!cast || type_in(cast["typeName"]) == change.to));
}

// The rewrite of timestamp to timestamptz, or back, is a finding of timestamptz-change.
bool is_timestamp_change(const TypeChange& change) {
  return change.from && is_timestamp_pair(*change.from, change.to) && !has_own_conversion(change);
}

// In a session whose time zone is UTC, the server knows that no value changes.
bool is_free_in_utc(const StatementCheck& check) {
  return check.session().utc && check.postgres() >= kUtcIsFree;
}

bool keeps_rows(const StatementCheck& check, const TypeChange& change) {
  if (!change.from || has_own_conversion(change)) {
    return false;
  }
  if (*change.from == change.to) {
    return true;
  }
  // Values of a domain without constraints need no check.
  if (check.facts().domain_constrained({change.to.schema, change.to.name}).value_or(false)) {
    return false;
  }
  return is_free(check.facts().base_type(*change.from), check.facts().base_type(change.to));
}

// The server recreates CHECKs that use the column, and builds indexes with expressions or conditions again, whatever the types.
void report_dependents(StatementCheck& check, const TypeChange& change) {
  const QualifiedName& table = check.view().relation();
  const std::string column = table.sql() + "." + quote_identifier(change.column);
  if (const KnownTable* const facts = check.facts().find(table)) {
    for (const auto& [name, constraint] : facts->constraints) {
      if (constraint.kind == "CONSTR_CHECK" && constraint.validated &&
          std::ranges::find(constraint.columns, change.column) != constraint.columns.end()) {
        check.report({.table = table,
                      .message = "changing the type of " + column + " reads all of " + table.sql() + " for CHECK " +
                                 quote_identifier(name) + " under ACCESS EXCLUSIVE: reads and writes wait",
                      .fix = "drop the CHECK before, and afterwards add it NOT VALID and validate it in its own step",
                      .at = change.action});
      }
    }
  }
  for (const QualifiedName& name : check.facts().indexes_of(table)) {
    if (check.facts().index(name)->rebuilt_with.contains(change.column)) {
      check.report({.table = table,
                    .message = "changing the type of " + column + " builds index " + name.sql() +
                               " again under ACCESS EXCLUSIVE, because of its expression or condition: reads and writes wait",
                    .fix = "drop the index CONCURRENTLY before, and create it CONCURRENTLY afterwards",
                    .at = change.action});
    }
  }
}

std::string shadow_column(const StatementCheck& check, const TypeChange& change) {
  const QualifiedName& table = check.view().relation();
  const std::string shadow = quote_identifier(change.column + "_new");
  return "ALTER TABLE " + table.sql() + " ADD COLUMN " + shadow + " " + change.to.sql() +
         ";\n-- keep it filled by a trigger, fill older rows in batches, move readers and writers over, then drop " +
         quote_identifier(change.column);
}

}  // namespace

void type_change(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const TypeChange& change : changes_of(check)) {
    const bool timestamps = is_timestamp_change(change);
    if (keeps_rows(check, change) || (timestamps && is_free_in_utc(check))) {
      report_dependents(check, change);
      continue;
    }
    if (timestamps) {
      continue;
    }
    const std::string from = change.from ? "from " + change.from->sql() + " " : "";
    const std::string unknown =
        change.from ? "" : " unless the old type has the same storage format (the old type is unknown here)";
    check.report({.table = table,
                  .message = "changing " + table.sql() + "." + quote_identifier(change.column) + " " + from + "to " +
                             change.to.sql() + " rewrites the whole table and its indexes under ACCESS EXCLUSIVE" + unknown +
                             ": reads and writes wait",
                  .fix = shadow_column(check, change),
                  .at = change.action});
  }
}

void timestamptz_change(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const TypeChange& change : changes_of(check)) {
    if (!is_timestamp_change(change) || is_free_in_utc(check)) {
      continue;
    }
    check.report({.table = table,
                  .message = "changing " + table.sql() + "." + quote_identifier(change.column) + " to " + change.to.sql() +
                             " rewrites the whole table under ACCESS EXCLUSIVE unless the session's time zone is UTC, and "
                             "reads the old values in the session's time zone",
                  .fix = "SET LOCAL TimeZone = 'UTC';  -- if the old values are UTC",
                  .at = change.action});
  }
}

void collation_change(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const TypeChange& change : changes_of(check)) {
    if (!change.definition["collClause"]) {
      continue;
    }
    check.report({.table = table,
                  .message = "changing the collation of " + table.sql() + "." + quote_identifier(change.column) +
                             " rebuilds its indexes under ACCESS EXCLUSIVE: reads and writes wait",
                  .fix = "build an index with the new collation CONCURRENTLY, and use COLLATE in the queries that want it",
                  .at = change.action});
  }
}

}  // namespace athanor::rule
