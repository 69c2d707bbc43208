// Lint: checks what revisions and SQL files do to a running database, rule by rule, on the parse tree.
//
// A Linter reads units in the order in which they will be applied. learn() only records what a unit does to the schema; lint()
// also checks it. Findings that depend on later statements (a foreign key whose index the next revision creates) are reported
// at the end. Each statement is parsed once.
//
//   Linter linter(context);
//   for (const LintUnit& unit : history) linter.learn(unit);
//   for (const LintUnit& unit : pending) linter.lint(unit);
//   const std::vector<Finding> findings = linter.finish();
//
// Threads: one thread. Ownership: a Linter keeps what it learned, and no reference to a unit.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "migrations/lint/finding.hpp"
#include "migrations/lint/known_schema.hpp"
#include "migrations/lint/lint_context.hpp"
#include "migrations/lint/lint_unit.hpp"
#include "migrations/lint/statement_check.hpp"

namespace athanor {

class Linter {
 public:
  // `facts`: the schema of the database; may be empty.
  explicit Linter(LintContext context, KnownSchema facts = {});

  // Records what the unit does to the schema, without checking it.
  void learn(const LintUnit& unit);
  // Checks the unit, and records what it does.
  void lint(const LintUnit& unit);
  // Returns the findings of all units, in unit order and by line. Do not use this object afterwards.
  [[nodiscard]] std::vector<Finding> finish();
  // The number of statements read.
  [[nodiscard]] std::size_t statements() const { return statements_; }
  // Whether a stop request ended learn() or lint() early: then findings are missing.
  [[nodiscard]] bool stopped() const { return stopped_; }
  // What is known so far. Knowledge of a database can be added with complete().
  [[nodiscard]] KnownSchema& facts() { return facts_; }

 private:
  // A statement of a unit: several may be on one line.
  struct StatementKey {
    int line = 0;           // 0: not about a statement, or all of them
    std::size_t begin = 0;  // in the unit's text; kProblem for a problem found while reading that line
    auto operator<=>(const StatementKey&) const = default;
  };
  static constexpr std::size_t kProblem = std::string::npos;
  struct Found {
    Finding finding;
    std::size_t unit = 0;
    StatementKey statement = {};
  };
  struct Allow {
    AllowDirective directive;
    std::size_t unit = 0;
    std::vector<StatementKey> statements;  // that it applies to; empty: none follows
    bool used = false;
  };
  struct OpenForeignKey {
    Found found;
    QualifiedName table;
    std::vector<std::string> columns;
  };
  struct OpenTrigger {
    std::size_t unit = 0;
    QualifiedName table;
    std::string name;
    auto operator<=>(const OpenTrigger&) const = default;
  };
  struct OpenConstraint {
    Found found;
    QualifiedName table;
    std::string name;
  };

  void lint_statement(const LintUnit& unit, const UnitStatement& statement);
  // Runs all rules on a statement. `nested`: it is code inside the statement.
  void judge(const LintUnit& unit, const UnitStatement& statement, const StatementView& view, bool nested);
  // Checks the statements inside a DO block.
  void judge_block(const LintUnit& unit, const UnitStatement& statement);
  void note_unclassified(const LintUnit& unit, const UnitStatement& statement);
  // Remembers foreign keys without an index, in case a later statement creates it.
  void note_foreign_keys(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  // Remembers NOT VALID constraints, in case a later statement validates them.
  void note_not_valid(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  // Remembers dropped triggers, in case a later statement recreates them.
  void note_triggers(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  void remember(const UnitStatement& statement, const StatementView& view);
  void remember_setting(const StatementView& view);
  [[nodiscard]] static StatementKey key_of(const LintUnit& unit, const UnitStatement& statement);
  void take_allows(const LintUnit& unit);
  void report(const LintUnit& unit, const UnitStatement& statement, std::string_view rule, const QualifiedName& table,
              std::string message, std::string fix, std::vector<Found>& into);
  // Reports what stayed open at the end.
  void settle_open();
  [[nodiscard]] bool is_allowed(const Found& found);
  [[nodiscard]] bool stop_requested();
  // Reports allow directives that suppressed nothing.
  void report_unused_allows(std::vector<Found>& findings);

  LintContext context_;
  KnownSchema facts_;
  TransactionFacts transaction_;
  SessionFacts session_;
  std::vector<Found> found_;
  TextPlaces places_;  // of the current unit
  std::vector<Allow> allows_;
  // By unit, statement and rule.
  std::map<std::tuple<std::size_t, StatementKey, std::string_view>, std::vector<std::size_t>> allows_at_;
  std::vector<OpenForeignKey> open_keys_;
  std::vector<OpenConstraint> open_constraints_;
  std::map<OpenTrigger, Found> open_triggers_;  // dropped, and not recreated so far
  std::vector<std::string> paths_;              // of all units, for findings about allow lines
  std::vector<std::string> revisions_;
  std::size_t statements_ = 0;
  bool stopped_ = false;
};

// Lints every revision of the plan. `facts`: what the database holds before it; may be empty. The findings are incomplete if
// context.stop is requested meanwhile.
[[nodiscard]] std::vector<Finding> lint(const Plan& plan, const LintContext& context, KnownSchema facts = {});
// Lints one direction of a script.
[[nodiscard]] std::vector<Finding> lint(const RevisionScript& script, Direction direction, const std::string& path,
                                        const LintContext& context);

}  // namespace athanor
