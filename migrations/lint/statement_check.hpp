// What a rule is given: one statement, what is known before it runs, and where to report.
//
// report() puts the finding at the right line and leaves it out where the rule is not to speak: tables that the revision itself
// created, tables known to be small, levels that are off.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "migrations/lint/known_schema.hpp"
#include "migrations/lint/lint_context.hpp"
#include "migrations/lint/lint_unit.hpp"
#include "migrations/lint/rule.hpp"
#include "migrations/lint/statement_locks.hpp"
#include "migrations/lint/statement_view.hpp"
#include "migrations/lint/text_places.hpp"

namespace athanor {

// What happened before in the statement's transaction, or in the file outside of one.
struct TransactionFacts {
  int number = -1;
  std::map<QualifiedName, LockMode> held;                          // on tables that are older than the revision
  std::optional<QualifiedName> held_exclusively;                   // the first of those in ACCESS EXCLUSIVE mode, by name
  std::map<QualifiedName, int> altered;                            // the line of the last ALTER TABLE
  std::map<QualifiedName, std::set<std::string>> added_not_valid;  // constraints, by table
  bool work_reported = false;                                      // work-after-ael is said once a transaction
  bool schema_changed = false;                                     // ALTER or DROP of a table that is older than the revision
};

// What the file or its session has set so far.
struct SessionFacts {
  bool lock_timeout = false;
  bool statement_timeout = false;
  bool utc = false;
  LockMode lock_timeout_reported = LockMode::None;  // the lock it was reported for
  bool statement_timeout_reported = false;
  std::set<std::string> dropped_if_exists;  // constraints, since they were last added
};

struct Danger {
  QualifiedName table = {};  // the one it is about
  std::string message;
  std::string fix = {};
  TreeNode at = {};                       // where in the statement; an empty node: its beginning
  std::optional<Severity> severity = {};  // lower than the rule's own, for a milder case
};

class StatementCheck {
 public:
  StatementCheck(const LintContext& context, const LintUnit& unit, const UnitStatement& statement, const StatementView& view,
                 const KnownSchema& facts, const TransactionFacts& transaction, SessionFacts& session, TextPlaces& places,
                 std::vector<Finding>& findings, bool nested = false)
      : context_(context),
        unit_(unit),
        statement_(statement),
        view_(view),
        facts_(facts),
        transaction_(transaction),
        session_(session),
        places_(places),
        findings_(findings),
        nested_(nested) {}

  [[nodiscard]] const StatementView& view() const { return view_; }
  [[nodiscard]] const KnownSchema& facts() const { return facts_; }
  [[nodiscard]] const TransactionFacts& transaction() const { return transaction_; }
  [[nodiscard]] SessionFacts& session() const { return session_; }
  [[nodiscard]] const LintUnit& unit() const { return unit_; }
  [[nodiscard]] int postgres() const { return context_.postgres; }
  [[nodiscard]] bool in_transaction() const { return statement_.in_transaction; }
  [[nodiscard]] int transaction_number() const { return statement_.transaction; }
  [[nodiscard]] StepKind step() const { return statement_.step; }
  [[nodiscard]] bool is_new(const QualifiedName& table) const { return facts_.is_new(table); }
  [[nodiscard]] bool is_small(const QualifiedName& table) const;

  // Runs the rule.
  void run(const RuleSpec& rule);
  void report(Danger danger);

 private:
  const LintContext& context_;
  const LintUnit& unit_;
  const UnitStatement& statement_;
  const StatementView& view_;
  const KnownSchema& facts_;
  const TransactionFacts& transaction_;
  SessionFacts& session_;
  TextPlaces& places_;
  std::vector<Finding>& findings_;
  bool nested_;  // the view is code of the statement: places in it are none of the file
  const RuleSpec* rule_ = nullptr;
};

// The level of a rule: the configuration's, or the table's. A milder case of a rule is never raised by the table.
[[nodiscard]] Severity level_of(const RuleSpec& rule, const LintSettings& settings, std::optional<Severity> milder = {});

}  // namespace athanor
