// Rules about columns that are added, dropped or relaxed.
#include <algorithm>
#include <array>

#include <set>
#include "migrations/lint/default_volatility.hpp"

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr int kFastDefault = 11;

std::string alter(const QualifiedName& table, const std::string& action) {
  return "ALTER TABLE " + table.sql() + " " + action + ";";
}

std::string add_plain(const QualifiedName& table, const ColumnParts& column, const std::string& type) {
  return alter(table, "ADD COLUMN " + quote_identifier(column.name) + " " + type);
}

// Calls `visit` for each column that ALTER TABLE adds.
template <typename Visit>
void each_added(const StatementCheck& check, const Visit& visit) {
  if (!check.view().creates_table()) {
    std::ranges::for_each(check.view().new_columns(), visit);
  }
}

// A default of NULL is no default.
bool is_null(const TreeNode& expression) {
  return static_cast<bool>(expression["A_Const"]["isnull"]);
}

std::string backfill(const StatementCheck& check, const QualifiedName& table, const ColumnParts& column) {
  const std::string name = quote_identifier(column.name);
  const std::string set = alter(table, "ALTER COLUMN " + name + " SET DEFAULT …");
  const std::string update = "UPDATE " + table.sql() + " SET " + name + " = … WHERE " + name + " IS NULL";
  const std::string batches = check.unit().plain
                                  ? "-- then in batches, each in a transaction of its own:\n" + update + " AND …;"
                                  : "-- athanor:step batch table=" + table.sql() + " key=…\n" + update + " AND {batch};";
  return add_plain(table, column, column.type.sql()) + "\n" + set + "\n" + batches;
}

std::string rewrite_message(const QualifiedName& table, const std::string& why) {
  return why + ": the whole table is rewritten under ACCESS EXCLUSIVE; reads and writes of " + table.sql() + " wait";
}

}  // namespace

void addcol_required(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    const bool filled = column.default_value && !is_null(column.default_value);
    if (!column.not_null || filled || column.identity || column.generated || column.is_serial()) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const KnownTable* const facts = check.facts().find(table);
    if (facts != nullptr && facts->rows && *facts->rows == 0) {
      return;
    }
    check.report({.table = table,
                  .message =
                      "a column that is NOT NULL without a default cannot be added to a table that has rows: the statement "
                      "fails, and inserts of the running application fail if it does not",
                  .fix = add_plain(table, column, column.type.sql()) +
                         "\n-- fill it in batches, then make it NOT NULL as `athanor lint --explain set-not-null` shows",
                  .at = column.node});
  });
}

void addcol_volatile_default(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    if (!column.default_value || is_null(column.default_value)) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    if (check.postgres() < kFastDefault) {
      check.report({.table = table,
                    .message = rewrite_message(table, "a default in ADD COLUMN before PostgreSQL 11"),
                    .fix = backfill(check, table, column),
                    .at = column.node});
      return;
    }
    const DefaultVolatility found = default_volatility(column.default_value, check.facts());
    if (found.kind == DefaultVolatility::Kind::Fixed) {
      return;
    }
    const bool certain = found.kind == DefaultVolatility::Kind::Volatile;
    check.report(
        {.table = table,
         .message = rewrite_message(table, certain ? "the default " + found.function + "() is volatile"
                                                   : "the default " + found.function +
                                                         "() may be volatile, as functions are unless declared otherwise"),
         .fix = backfill(check, table, column),
         .at = column.node});
  });
}

void addcol_serial_or_identity(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    if (!column.is_serial() && !column.identity) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const std::string name = quote_identifier(column.name);
    const std::string sequence = made_name(table, {column.name}, "seq");
    check.report({.table = table,
                  .message = rewrite_message(table, std::string(column.identity ? "an identity column" : "a serial column") +
                                                        " numbers the rows that are there"),
                  .fix = add_plain(table, column, "bigint") + "\nCREATE SEQUENCE " + sequence + " OWNED BY " + table.sql() +
                         "." + name + ";\n" +
                         alter(table, "ALTER COLUMN " + name + " SET DEFAULT nextval('" + sequence + "')") +
                         "\n-- then number the older rows in batches",
                  .at = column.node});
  });
}

void addcol_generated_stored(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    if (!column.generated) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    check.report({.table = table,
                  .message = rewrite_message(table, "a stored generated column is computed for every row"),
                  .fix = add_plain(table, column, column.type.sql()) +
                         "\n-- keep it filled by a trigger BEFORE INSERT OR UPDATE, and fill older rows in batches",
                  .at = column.node});
  });
}

void addcol_constrained_domain(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    const auto constrained = check.facts().domain_constrained({column.type.schema, column.type.name});
    if (!constrained || !*constrained || column.type.array) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    check.report({.table = table,
                  .message = rewrite_message(table, "a column of domain " + column.type.sql() + ", which has a constraint"),
                  .fix = "add it with the domain's base type, and a CHECK … NOT VALID on the table",
                  .at = column.node});
  });
}

void addcol_inline_check(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    if (!column.check) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const std::string name = made_name(table, {column.name}, "check");
    check.report(
        {.table = table,
         .message = "CHECK in ADD COLUMN reads all of " + table.sql() + " under ACCESS EXCLUSIVE: reads and writes wait",
         .fix = stepwise_fix(check,
                             add_plain(table, column, column.type.sql()) + "\n" +
                                 alter(table, "ADD CONSTRAINT " + name + " CHECK (…) NOT VALID"),
                             alter(table, "VALIDATE CONSTRAINT " + name)),
         .at = column.node});
  });
}

void addcol_inline_unique(StatementCheck& check) {
  each_added(check, [&](const ColumnParts& column) {
    if (!column.unique && !column.primary_key) {
      return;
    }
    const QualifiedName& table = check.view().relation();
    const std::string name = made_name(table, {column.name}, column.primary_key ? "pkey" : "key");
    const std::string word = column.primary_key ? "PRIMARY KEY" : "UNIQUE";
    const std::string build = autocommit_fix(
        check, "CREATE UNIQUE INDEX CONCURRENTLY " + name + " ON " + table.sql() + " (" + quote_identifier(column.name) + ");");
    check.report(
        {.table = table,
         .message = word + " in ADD COLUMN builds an index over " + table.sql() +
                    " under ACCESS EXCLUSIVE: reads and writes wait until it is built",
         .fix = add_plain(table, column, column.type.sql()) + "\n" +
                stepwise_fix(check, build, alter(table, "ADD CONSTRAINT " + name + " " + word + " USING INDEX " + name)),
         .at = column.node});
  });
}

void drop_column(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind != "AT_DropColumn") {
      continue;
    }
    check.report({.table = table,
                  .message = "the data of " + table.sql() + "." + quote_identifier(action.name) +
                             " is gone, and application code that still names the column fails",
                  .fix = "deploy code that no longer names the column first; drop it in a later revision, and say so: "
                         "-- athanor:allow drop-column nothing reads it since …",
                  .at = action.node});
  }
}

void drop_not_null(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind == "AT_DropNotNull") {
      check.report(
          {.table = table,
           .message = "readers that expect a value in " + table.sql() + "." + quote_identifier(action.name) + " will get NULL",
           .fix = "deploy code that accepts NULL first",
           .at = action.node});
    }
  }
}

void drop_default(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind == "AT_ColumnDefault" && !action.node["def"]) {
      check.report({.table = table,
                    .message = "inserts that leave " + table.sql() + "." + quote_identifier(action.name) +
                               " out write NULL from now on, or fail where it is NOT NULL",
                    .fix = "deploy code that always gives a value first",
                    .at = action.node});
    }
  }
}

void identity_nullable(StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  std::set<std::string> set_before;  // by the same statement
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind == "AT_SetNotNull") {
      set_before.insert(action.name);
    }
    const KnownColumn* const column = check.facts().column(table, action.name);
    if (action.kind != "AT_AddIdentity" || column == nullptr || column->not_null || set_before.contains(action.name)) {
      continue;
    }
    const std::string quoted = quote_identifier(action.name);
    check.report({.table = table,
                  .message = "the server refuses it: " + table.sql() + "." + quoted + " may be NULL",
                  .fix = "ALTER TABLE " + table.sql() + " ALTER COLUMN " + quoted + " SET NOT NULL;  -- see set-not-null",
                  .at = action.node});
  }
}

}  // namespace athanor::rule
