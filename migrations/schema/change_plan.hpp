// The statements that take a database from one catalog to another, in an order that works, cut into steps.
//
// Pure: two catalogs in, a value out. The proof that it converges is somebody else's (proof.hpp): the plan is applied to a
// scratch database and inspected again.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/diff.hpp"

namespace athanor::schema {

enum class Style {
  Online,  // CONCURRENTLY, NOT VALID and VALIDATE, USING INDEX: safe on a busy database, several steps
  Plain,   // one transaction wherever PostgreSQL allows it
};

enum class DataLoss {
  None,
  Possible,  // values may be converted or refused: a narrower type, an enum value removed
  Certain,   // rows or values go: DROP TABLE, DROP COLUMN
};

struct PlannedStatement {
  std::string sql;  // without a semicolon at the end
  FactId subject;   // what it is about, for summaries
  DataLoss loss = DataLoss::None;
  bool rewrites = false;  // the table is rewritten under ACCESS EXCLUSIVE
  // Old application code works before and after it (expand); false: it does not survive (contract).
  bool expand = true;
  std::string note{};  // for the reader of the revision: what to look at; empty for most
  // What the rows that are there may do to it, in one line: told on the terminal and in the file.
  std::string warning{};
  // SQL to put before it when the warning holds, as it would stand in the revision: in the file, as a comment.
  std::string remedy{};
};

struct PlannedStep {
  bool autocommit = false;  // outside a transaction block; holds one statement then
  std::vector<PlannedStatement> statements{};
};

// One line for a person: `~ table "shop"."orders": column "total" type integer → bigint`.
struct SummaryLine {
  char sign = '~';  // '+', '-', '~'
  FactId subject;
  std::string text;
  DataLoss loss = DataLoss::None;
};

struct ChangePlan {
  std::vector<PlannedStep> steps{};
  std::vector<SummaryLine> summary{};
  [[nodiscard]] bool empty() const { return steps.empty(); }
};

struct PlanOptions {
  Style style = Style::Online;
  // Confirmed renames, which the plan begins with. `before` is the catalog after them: only a server knows what every view,
  // function and default looks like then, so run rename_statements() on a scratch copy and inspect it again.
  std::vector<Rename> renames{};
  // Schemas that the renames move into and that are not there yet: made before them. `before` has them too.
  std::vector<std::string> new_schemas{};
};

// The statements that rename, in an order that works: parts before their whole, and names that are swapped by way of a third.
// Errors: SchemaChangeRefused for a kind that PostgreSQL cannot rename, and for two objects of different kinds.
// The schemas of `new_schemas` are made first.
[[nodiscard]] Result<std::vector<PlannedStatement>> rename_statements(const std::vector<Rename>& renames,
                                                                      const std::vector<std::string>& new_schemas = {});

// Errors (SchemaChangeRefused) name the object, what cannot be done and the way out. No table and no column of the same name is
// ever dropped and remade unless the summary says why.
[[nodiscard]] Result<ChangePlan> plan_changes(const Catalog& before, const Catalog& after, const PlanOptions& options = {});

// The whole of a catalog as statements, for an empty database: what `athanor inspect` prints and scratch copies load.
[[nodiscard]] Result<ChangePlan> plan_creation(const Catalog& catalog);

}  // namespace athanor::schema
