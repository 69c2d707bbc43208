// Lint: what revisions and SQL files do to a running database, judged on the parse tree, rule by rule.
//
// A Linter reads units in the order they will be applied. learn() only remembers what a unit does to the schema; lint() also
// judges it. Findings that need to know what comes later (a foreign key whose index the next revision creates) are told at the
// end. Each statement is parsed once.
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
  // `facts`: what the database holds; may be empty.
  explicit Linter(LintContext context, KnownSchema facts = {});

  // Remembers what the unit does to the schema, without a judgement.
  void learn(const LintUnit& unit);
  // Judges the unit, and remembers what it does.
  void lint(const LintUnit& unit);
  // The findings of all units, in their order and by line. Ends the work of this object.
  [[nodiscard]] std::vector<Finding> finish();
  [[nodiscard]] std::size_t statements() const { return statements_; }
  // Whether learn() or lint() ended early because a stop was requested: the findings are not all of them.
  [[nodiscard]] bool stopped() const { return stopped_; }
  // What is known so far; a database's knowledge may be laid under it.
  [[nodiscard]] KnownSchema& facts() { return facts_; }

 private:
  struct Found {
    Finding finding;
    std::size_t unit = 0;
    int statement_line = 0;  // 0: of no statement
  };
  struct Allow {
    AllowDirective directive;
    std::size_t unit = 0;
    int statement_line = 0;  // of the statement it is about; 0: the whole unit; -1: none follows
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
  void judge(const LintUnit& unit, const UnitStatement& statement, const StatementView& view, bool nested);
  void judge_block(const LintUnit& unit, const UnitStatement& statement);
  void note_unclassified(const LintUnit& unit, const UnitStatement& statement);
  void note_foreign_keys(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  void note_not_valid(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  void note_triggers(const LintUnit& unit, const UnitStatement& statement, const StatementView& view);
  void remember(const UnitStatement& statement, const StatementView& view);
  void remember_setting(const StatementView& view);
  void take_allows(const LintUnit& unit);
  void report(const LintUnit& unit, const UnitStatement& statement, std::string_view rule, const QualifiedName& table,
              std::string message, std::string fix, std::vector<Found>& into);
  void settle_open();
  [[nodiscard]] bool is_allowed(const Found& found);
  [[nodiscard]] bool stop_requested();
  void tell_unused_allows(std::vector<Found>& findings);

  LintContext context_;
  KnownSchema facts_;
  TransactionFacts transaction_;
  SessionFacts session_;
  std::vector<Found> found_;
  TextPlaces places_;  // of the unit that is being judged
  std::vector<Allow> allows_;
  std::map<std::tuple<std::size_t, int, std::string_view>, std::vector<std::size_t>> allows_at_;  // by unit, statement and rule
  std::vector<OpenForeignKey> open_keys_;
  std::vector<OpenConstraint> open_constraints_;
  std::map<OpenTrigger, Found> open_triggers_;  // dropped, and not created again so far
  std::vector<std::string> paths_;              // of units, for findings about allow lines
  std::vector<std::string> revisions_;
  std::size_t statements_ = 0;
  int block_depth_ = 0;
  bool stopped_ = false;
};

// Every revision of the plan, from what its own statements tell.
[[nodiscard]] std::vector<Finding> lint(const Plan& plan, const LintContext& context);
// One direction of a script.
[[nodiscard]] std::vector<Finding> lint(const RevisionScript& script, Direction direction, const std::string& path,
                                        const LintContext& context);

}  // namespace athanor
