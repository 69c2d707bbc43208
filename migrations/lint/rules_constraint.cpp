// Rules about constraints on tables and domains, except foreign keys.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr int kCheckProvesNotNull = 12;
constexpr int kNotNullNotValid = 18;
constexpr int kDomainValidatesMildly = 18;

std::string alter(const QualifiedName& table, const std::string& action) {
  return "ALTER TABLE " + table.sql() + " " + action + ";";
}

std::string constraint_name(const QualifiedName& table, const ConstraintParts& constraint, std::string_view suffix) {
  return constraint.name.empty() ? made_name(table, constraint.columns, suffix) : quote_identifier(constraint.name);
}

// Calls `visit` for each constraint of this kind that ALTER TABLE adds.
template <typename Visit>
void each_added(const StatementCheck& check, std::string_view kind, const Visit& visit) {
  if (check.view().creates_table()) {
    return;
  }
  for (const ConstraintParts& constraint : check.view().new_constraints()) {
    if (constraint.is(kind)) {
      visit(constraint);
    }
  }
}

void index_first(StatementCheck& check, const ConstraintParts& constraint, bool primary) {
  const QualifiedName& table = check.view().relation();
  const std::string name = constraint_name(table, constraint, primary ? "pkey" : "key");
  const std::string word = primary ? "PRIMARY KEY" : "UNIQUE";
  const std::string build = autocommit_fix(
      check, "CREATE UNIQUE INDEX CONCURRENTLY " + name + " ON " + table.sql() + " (" + column_list(constraint.columns) + ");");
  check.report({.table = table,
                .message = "ADD " + word + " builds its index under ACCESS EXCLUSIVE: reads and writes of " + table.sql() +
                           " wait until it is built",
                .fix = stepwise_fix(check, build, alter(table, "ADD CONSTRAINT " + name + " " + word + " USING INDEX " + name)),
                .at = constraint.node});
}

std::string not_null_fix(const StatementCheck& check, const QualifiedName& table, const std::string& column) {
  const std::string name = made_name(table, {column}, "not_null");
  const std::string quoted = quote_identifier(column);
  if (check.postgres() >= kNotNullNotValid) {
    return stepwise_fix(check, alter(table, "ADD CONSTRAINT " + name + " NOT NULL " + quoted + " NOT VALID"),
                        alter(table, "VALIDATE CONSTRAINT " + name));
  }
  const std::string added =
      stepwise_fix(check, alter(table, "ADD CONSTRAINT " + name + " CHECK (" + quoted + " IS NOT NULL) NOT VALID"),
                   alter(table, "VALIDATE CONSTRAINT " + name));
  return stepwise_fix(
      check, added, alter(table, "ALTER COLUMN " + quoted + " SET NOT NULL") + "\n" + alter(table, "DROP CONSTRAINT " + name));
}

}  // namespace

void check_not_valid(StatementCheck& check) {
  each_added(check, "CONSTR_CHECK", [&](const ConstraintParts& constraint) {
    if (constraint.not_valid) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const std::string name = constraint_name(table, constraint, "check");
    check.report({.table = table,
                  .message = "ADD CHECK reads all of " + table.sql() + " under ACCESS EXCLUSIVE: reads and writes wait",
                  .fix = stepwise_fix(check, alter(table, "ADD CONSTRAINT " + name + " CHECK (…) NOT VALID"),
                                      alter(table, "VALIDATE CONSTRAINT " + name)),
                  .at = constraint.node});
  });
}

void unique_add(StatementCheck& check) {
  each_added(check, "CONSTR_UNIQUE", [&](const ConstraintParts& constraint) {
    if (constraint.index.empty()) {
      index_first(check, constraint, false);
    }
  });
}

void pk_add(StatementCheck& check) {
  each_added(check, "CONSTR_PRIMARY", [&](const ConstraintParts& constraint) {
    if (constraint.index.empty()) {
      index_first(check, constraint, true);
    }
  });
}

void pk_using_index_nullable(StatementCheck& check) {
  each_added(check, "CONSTR_PRIMARY", [&](const ConstraintParts& constraint) {
    if (constraint.index.empty()) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const KnownIndex* const index = check.facts().index({table.schema, constraint.index});
    if (index == nullptr) {
      check.report({.table = table,
                    .message = "the columns of index " + quote_identifier(constraint.index) +
                               " are not known here: where one is nullable, PRIMARY KEY sets it NOT NULL by reading the whole "
                               "table under ACCESS EXCLUSIVE",
                    .at = constraint.node,
                    .severity = Severity::Info});
      return;
    }
    for (const std::string& column : index->columns) {
      const KnownColumn* const known = check.facts().column(table, column);
      if ((known != nullptr && known->not_null) || check.facts().is_proven_not_null(table, column)) {
        continue;
      }
      check.report({.table = table,
                    .message = "PRIMARY KEY USING INDEX sets " + quote_identifier(column) +
                               " NOT NULL by reading the whole table under ACCESS EXCLUSIVE: reads and writes wait",
                    .fix = not_null_fix(check, table, column),
                    .at = constraint.node});
    }
  });
}

void exclusion_add(StatementCheck& check) {
  each_added(check, "CONSTR_EXCLUSION", [&](const ConstraintParts& constraint) {
    const QualifiedName& table = check.view().relation();
    check.report(
        {.table = table,
         .message =
             "ADD EXCLUDE builds its index under ACCESS EXCLUSIVE, and it cannot be built beforehand: reads and writes of " +
             table.sql() + " wait",
         .fix = "create a new table with the constraint, copy the rows in batches, and swap the names",
         .at = constraint.node});
  });
}

void validate_same_transaction(StatementCheck& check) {
  if (!check.in_transaction()) {
    return;
  }
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind != "AT_ValidateConstraint") {
      continue;
    }
    const auto added = check.transaction().added_not_valid.find(table);
    const bool added_here = added != check.transaction().added_not_valid.end() && added->second.contains(action.name);
    const auto held = check.transaction().held.find(table);
    const LockMode mode = held == check.transaction().held.end() ? LockMode::None : held->second;
    if (!added_here && mode < LockMode::ShareRowExclusive) {
      continue;
    }
    const std::string lock(lock_name(std::max(mode, LockMode::ShareRowExclusive)));
    check.report({.table = table,
                  .message = "VALIDATE reads the whole table while this transaction still holds " + lock + " on " +
                             table.sql() + ", which NOT VALID is meant to avoid",
                  .fix = stepwise_fix(check, "-- … what came before",
                                      alter(table, "VALIDATE CONSTRAINT " + quote_identifier(action.name))),
                  .at = action.node});
  }
}

void set_not_null(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind != "AT_SetNotNull") {
      continue;
    }
    const KnownColumn* const column = check.facts().column(table, action.name);
    const bool proven = check.postgres() >= kCheckProvesNotNull && check.facts().is_proven_not_null(table, action.name);
    if (proven || (column != nullptr && column->not_null)) {
      continue;
    }
    check.report({.table = table,
                  .message = "SET NOT NULL reads all of " + table.sql() + " under ACCESS EXCLUSIVE: reads and writes wait",
                  .fix = not_null_fix(check, table, action.name),
                  .at = action.node});
  }
}

void domain_constraint(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("AlterDomainStmt")) {
    return;
  }
  const std::string_view kind = view.node()["subtype"].value();
  const ConstraintParts constraint = constraint_parts(view.node()["def"]["Constraint"]);
  const bool adds = kind == "C" && !constraint.not_valid;
  const bool mild = check.postgres() >= kDomainValidatesMildly;
  const bool validates = kind == "V" && !mild;
  if (!adds && !validates && kind != "O") {
    return;
  }
  const QualifiedName domain = name_in(view.node()["typeName"]);
  const std::string add = "ALTER DOMAIN " + domain.sql() + " ADD CONSTRAINT name CHECK (…) NOT VALID;";
  const std::string quiet = "put the CHECK on the tables instead, one at a time, NOT VALID";
  std::string fix = kind == "O" ? "put NOT NULL on the columns instead, one table at a time" : quiet;
  if (adds) {
    // Before PostgreSQL 18, VALIDATE takes the same lock for as long.
    fix = mild ? stepwise_fix(check, add, "ALTER DOMAIN " + domain.sql() + " VALIDATE CONSTRAINT name;")
               : add + "  -- holds for new values only; to check old ones, " + quiet;
  }
  const std::string what = adds ? "ADD CONSTRAINT" : validates ? "VALIDATE CONSTRAINT" : "SET NOT NULL";
  check.report({.message = what + " on domain " + domain.sql() +
                           " reads every table that uses it, with SHARE on all of them: writes wait",
                .fix = std::move(fix)});
}

void domain_with_constraint(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("CreateDomainStmt")) {
    return;
  }
  for (const TreeNode& item : items_of(view.node()["constraints"])) {
    const std::string_view kind = item["Constraint"]["contype"].value();
    if (kind == "CONSTR_CHECK" || kind == "CONSTR_NOTNULL") {
      check.report({.message =
                        "a domain with a constraint makes ADD COLUMN of its type rewrite the table, and every later change "
                        "of the constraint read all tables that use it",
                    .fix = "use the base type, with a CHECK on each table"});
      return;
    }
  }
}

}  // namespace athanor::rule
