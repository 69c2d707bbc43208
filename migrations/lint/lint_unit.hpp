// The unit of linting: one direction of a revision, or a plain SQL file, as statements with the transaction of each.
//
// Threads: plain values. Ownership: a unit keeps its text alive; statements point into it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/lint/finding.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {

struct UnitStatement {
  SqlStatement statement;
  StepKind step = StepKind::Transaction;
  int transaction = 0;  // statements with the same number share one; each autocommit statement has its own
  bool in_transaction = true;
};

struct LintUnit {
  std::string path;
  std::string revision;  // empty for a plain file
  bool plain = false;    // run by psql or similar programs, not by Athanor
  bool downgrade = false;
  std::shared_ptr<const std::string> text;  // for a plain file, with psql's own lines blanked out
  std::vector<UnitStatement> statements;
  std::vector<AllowDirective> allows;
  // Problems found while reading: transaction control, psql commands, text that cannot be split into statements.
  std::vector<Finding> problems;
};

// One direction of a parsed revision.
[[nodiscard]] LintUnit unit_of(const RevisionScript& script, Direction direction, std::string path, std::string revision);
[[nodiscard]] LintUnit unit_of(const PlannedRevision& revision);
// For a revision that parse_script() refused with `error`: the finding contains the reason, under the matching rule.
[[nodiscard]] LintUnit refused_unit(const Error& error, const std::string& text, std::string path, std::string revision);
// A plain SQL file as psql runs it: each statement separately unless BEGIN opens a transaction. `single_transaction`:
// everything in one, as with psql --single-transaction. Ignores backslash commands that do not matter to lint, and the rows of
// COPY … FROM stdin; other commands are problems.
[[nodiscard]] LintUnit plain_unit(std::string text, std::string path, bool single_transaction);

}  // namespace athanor
