// Rules about foreign keys, which lock two tables in use.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr int kPartitionedNotValid = 18;

std::string alter(const QualifiedName& table, const std::string& action) {
  return "ALTER TABLE " + table.sql() + " " + action + ";";
}

std::string add_and_validate(const StatementCheck& check, const QualifiedName& table, const std::vector<std::string>& columns,
                             const QualifiedName& parent, const std::string& name) {
  return stepwise_fix(check,
                      alter(table, "ADD CONSTRAINT " + name + " FOREIGN KEY (" + column_list(columns) + ") REFERENCES " +
                                       parent.sql() + " NOT VALID"),
                      alter(table, "VALIDATE CONSTRAINT " + name));
}

// Names that tools and the server give to foreign keys.
bool named_like_foreign_key(const std::string& name) {
  return name.ends_with("_fkey") || name.ends_with("_fk") || name.starts_with("fk_") ||
         name.find("_fk_") != std::string::npos || name.starts_with("FK_");
}

}  // namespace

void fk_not_valid(StatementCheck& check) {
  if (check.view().creates_table()) {
    return;
  }
  const QualifiedName& table = check.view().relation();
  for (const ConstraintParts& constraint : check.view().new_constraints()) {
    if (!constraint.is("CONSTR_FOREIGN") || constraint.not_valid) {
      continue;
    }
    const KnownTable* const facts = check.facts().find(table);
    const bool impossible = facts != nullptr && facts->partitioned && check.postgres() < kPartitionedNotValid;
    const std::string name =
        constraint.name.empty() ? made_name(table, constraint.columns, "fkey") : quote_identifier(constraint.name);
    check.report({.table = table,
                  .message = "ADD FOREIGN KEY reads all of " + table.sql() + " with SHARE ROW EXCLUSIVE on it and on " +
                             constraint.references.sql() + ": writes to both wait",
                  .fix = impossible ? "set lock_timeout: PostgreSQL " + std::to_string(check.postgres()) +
                                          " has no NOT VALID foreign keys on partitioned tables"
                                    : add_and_validate(check, table, constraint.columns, constraint.references, name),
                  .at = constraint.node});
  }
}

void addcol_inline_fk(StatementCheck& check) {
  if (check.view().creates_table()) {
    return;
  }
  const QualifiedName& table = check.view().relation();
  for (const ColumnParts& column : check.view().new_columns()) {
    if (!column.references) {
      continue;
    }
    const QualifiedName parent = relation_in(column.references["pktable"]);
    const std::string name = made_name(table, {column.name}, "fkey");
    const std::string first = alter(table, "ADD COLUMN " + quote_identifier(column.name) + " " + column.type.sql());
    check.report({.table = table,
                  .message = "REFERENCES in ADD COLUMN takes SHARE ROW EXCLUSIVE on " + parent.sql() +
                             " while ACCESS EXCLUSIVE is held on " + table.sql() +
                             (column.default_value ? ", and with a default reads the whole table" : "") +
                             ": waiting for one table blocks the other",
                  .fix = stepwise_fix(check, first, add_and_validate(check, table, {column.name}, parent, name)),
                  .at = column.node});
  }
}

void fk_in_create_table(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.creates_table()) {
    return;
  }
  std::vector<QualifiedName> parents;
  const auto add = [&](const QualifiedName& parent) {
    if (parent != view.relation() && !check.is_new(parent) && std::ranges::find(parents, parent) == parents.end()) {
      parents.push_back(parent);
    }
  };
  for (const ColumnParts& column : view.new_columns()) {
    if (column.references) {
      add(relation_in(column.references["pktable"]));
    }
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    if (constraint.is("CONSTR_FOREIGN")) {
      add(constraint.references);
    }
  }
  for (const QualifiedName& parent : parents) {
    check.report(
        {.table = parent,
         .message =
             "REFERENCES takes SHARE ROW EXCLUSIVE on " + parent.sql() +
             " until the transaction ends: its writes wait until then, and while the statement itself waits for the lock",
         .fix = "SET LOCAL lock_timeout = '2s';  -- and keep the transaction short",
         .severity = milder_with_lock_timeout(check)});
  }
}

void fk_drop(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind != "AT_DropConstraint") {
      continue;
    }
    const KnownConstraint* const known = check.facts().constraint(table, action.name);
    const bool foreign = known != nullptr ? known->kind == "CONSTR_FOREIGN" : named_like_foreign_key(action.name);
    if (!foreign || (known != nullptr && check.is_new(known->references))) {
      continue;
    }
    const std::string parent = known != nullptr ? known->references.sql() : std::string("the table it refers to");
    check.report({.table = table,
                  .message = "dropping a foreign key takes ACCESS EXCLUSIVE on " + parent + " too: its reads and writes wait",
                  .fix = "SET LOCAL lock_timeout = '2s';  -- and nothing else in the transaction",
                  .at = action.node,
                  .severity = milder_with_lock_timeout(check)});
  }
}

void drop_table_with_fk(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("DropStmt") || view.object_type() != "OBJECT_TABLE") {
    return;
  }
  for (const TreeNode& object : items_of(view.node()["objects"])) {
    const QualifiedName table = name_in(object["List"]["items"]);
    const KnownTable* const facts = check.facts().find(table);
    if (facts == nullptr) {
      continue;
    }
    for (const auto& [name, constraint] : facts->constraints) {
      if (constraint.kind == "CONSTR_FOREIGN" && constraint.references != table && !check.is_new(constraint.references)) {
        check.report({.table = table,
                      .message = "dropping " + table.sql() + " takes ACCESS EXCLUSIVE on " + constraint.references.sql() +
                                 " too, for foreign key " + quote_identifier(name) + ": its reads and writes wait",
                      .fix = stepwise_fix(check, alter(table, "DROP CONSTRAINT " + quote_identifier(name)),
                                          "DROP TABLE " + table.sql() + ";")});
      }
    }
  }
}

}  // namespace athanor::rule
