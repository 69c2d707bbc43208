// Plans the statements that take a database from one catalog to another, in an order that works, cut into steps.
//
// A pure function of two catalogs. proof.hpp verifies the plan: it applies it to a scratch database and inspects the result.
//
// Threads and ownership: pure functions; plain values.
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
  Certain,   // rows or values are lost: DROP TABLE, DROP COLUMN
};

struct PlannedStatement {
  std::string sql;  // without a semicolon at the end
  FactId subject;   // the object that the summary names
  DataLoss loss = DataLoss::None;
  bool rewrites = false;  // the table is rewritten under ACCESS EXCLUSIVE
  // Old application code works before and after it (expand). False: it does not, or nobody has said that it does (contract).
  bool expand = false;
  // These contain names as they are, control characters included: whoever prints them or writes them into a file escapes them.
  std::string note{};  // for the reviewer of the revision: what to check; mostly empty
  // How existing rows may make it fail, a line each: printed on the terminal and written into the file.
  std::vector<std::string> warnings{};
  // SQL that prevents that failure, to run before the statement, line by line. The file contains it as a comment.
  std::vector<std::string> remedy{};
};

struct PlannedStep {
  bool autocommit = false;  // outside a transaction block; such a step has one statement
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
  // Confirmed renames, with which the plan begins. `before` must be the catalog after them. Only the server knows how it then
  // prints every view, function and default, so run rename_statements() on a scratch copy and inspect it again.
  std::vector<Rename> renames{};
  // Missing schemas that the renames move objects into: created before the renames. `before` must contain them.
  std::vector<std::string> new_schemas{};
};

// Returns the statements that rename, in an order that works: `new_schemas` are created first, parts are renamed before their
// whole, and swapped names go through a third one. Errors: SchemaChangeRefused for a kind that PostgreSQL cannot rename, and
// for two objects of different kinds.
[[nodiscard]] Result<std::vector<PlannedStatement>> rename_statements(const std::vector<Rename>& renames,
                                                                      const std::vector<std::string>& new_schemas = {});

// Both catalogs must be sealed. Error: SchemaChangeRefused, with the object, the reason and a way out. A table or column is
// never dropped and recreated under the same name unless the summary says why.
[[nodiscard]] Result<ChangePlan> plan_changes(const Catalog& before, const Catalog& after, const PlanOptions& options = {});

// Returns the statements that create a whole catalog in an empty database, as `athanor inspect` prints and scratch copies load
// them.
[[nodiscard]] Result<ChangePlan> plan_creation(const Catalog& catalog);

}  // namespace athanor::schema
