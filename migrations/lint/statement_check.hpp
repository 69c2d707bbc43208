// The input of a rule: one statement, what is known before it runs, and where to report.
//
// report() sets the correct line, and drops findings about tables that the same revision created or that are known to be small
// (for rules that ask for this), and of rules whose level is off.
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

// Earlier events in the statement's transaction, or in the file outside of one.
struct TransactionFacts {
  int number = -1;
  std::map<QualifiedName, LockMode> held;                          // locks on tables older than the revision
  std::optional<QualifiedName> held_exclusively;                   // the first by name that is locked in ACCESS EXCLUSIVE mode
  std::map<QualifiedName, int> altered;                            // line of the last ALTER TABLE
  std::map<QualifiedName, std::set<std::string>> added_not_valid;  // constraints, by table
  bool work_reported = false;                                      // work-after-ael is reported once per transaction
  bool schema_changed = false;                                     // ALTER or DROP of a table older than the revision
};

// What the file or its session has set so far.
struct SessionFacts {
  bool lock_timeout = false;
  bool statement_timeout = false;
  bool utc = false;
  LockMode lock_timeout_reported = LockMode::None;  // the lock that it was reported for
  bool statement_timeout_reported = false;
  std::set<std::string> dropped_if_exists;  // constraints dropped with IF EXISTS and not added again
};

struct Danger {
  QualifiedName table = {};  // the table that the finding is about
  std::string message;
  std::string fix = {};
  TreeNode at = {};                       // position in the statement; an empty node: its beginning
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
  // Whether the database knows the table to be small (LintSettings::small_table_rows).
  [[nodiscard]] bool is_small(const QualifiedName& table) const;

  // Runs the rule on the statement.
  void run(const RuleSpec& rule);
  // Adds a finding of the rule that is running.
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
  bool nested_;  // the view is code inside the statement, so its positions are not positions of the file
  const RuleSpec* rule_ = nullptr;
};

// The configured level of a rule. Without one: its default, or `milder` if that is lower.
[[nodiscard]] Severity level_of(const RuleSpec& rule, const LintSettings& settings, std::optional<Severity> milder = {});

}  // namespace athanor
