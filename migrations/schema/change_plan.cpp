#include "migrations/schema/change_plan.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>

#include "migrations/schema/change_compaction.hpp"
#include "migrations/schema/change_summary.hpp"
#include "migrations/schema/ordering.hpp"
#include "migrations/schema/rule.hpp"

namespace athanor::schema {
namespace {

void add_ends(const ChangeSet& changes, ActionList& actions) {
  for (std::uint32_t index = 0; index < changes.before.facts().size(); ++index) {
    if (changes.destroyed(index)) {
      find_rule(changes.old_fact(index).id.kind)->drop(changes, index, actions);
    }
  }
  for (const std::uint32_t index : changes.loosened()) {
    const Rule& rule = *find_rule(changes.old_fact(index).id.kind);
    rule.loosen(changes, index, actions);
    rule.bind(changes, index, actions);
  }
}

// Columns by their place in the table, not by name: ALTER TABLE adds them in the order of the desired schema.
std::vector<std::uint32_t> in_order_of_creation(const Catalog& catalog) {
  const auto facts = catalog.facts();
  std::vector<std::uint32_t> order(facts.size());
  std::iota(order.begin(), order.end(), 0);
  const auto first = std::ranges::find(facts, Kind::Column, [](const Fact& fact) { return fact.id.kind; });
  const auto last = std::find_if(first, facts.end(), [](const Fact& fact) { return fact.id.kind != Kind::Column; });
  std::stable_sort(order.begin() + (first - facts.begin()), order.begin() + (last - facts.begin()),
                   [&](std::uint32_t left, std::uint32_t right) {
                     return std::tie(facts[left].id.schema, facts[left].id.parent, facts[left].position) <
                            std::tie(facts[right].id.schema, facts[right].id.parent, facts[right].position);
                   });
  return order;
}

void add_beginnings(const ChangeSet& changes, ActionList& actions) {
  for (const std::uint32_t index : in_order_of_creation(changes.after)) {
    if (changes.produced(index)) {
      find_rule(changes.new_fact(index).id.kind)->create(changes, index, actions);
      take_back_defaults(changes, index, actions);
    }
  }
}

void add_changes(const ChangeSet& changes, ActionList& actions) {
  for (const auto& [index, change] : changes.changes()) {
    find_rule(changes.old_fact(index).id.kind)->alter(changes, change, actions);
  }
}

// Refuses to drop a fact that an object outside the filter needs: PostgreSQL would reject the DROP, and CASCADE would drop that
// object too.
Result<void> refuse_outside(const ChangeSet& changes) {
  for (const OutsideDependent& dependent : changes.before.outside()) {
    if (changes.destroyed(dependent.on)) {
      return fail(
          Error(ErrorCode::SchemaChangeRefused, "the " + dependent.object + " is excluded by the filter but needs the " +
                                                    describe(changes.old_fact(dependent.on).id) + ", which must be dropped")
              .advise("include it in the comparison"));
    }
  }
  return {};
}

class Steps {
 public:
  explicit Steps(Style style) : style_(style) {}

  void add(Statement statement) {
    if (statement.autocommit) {
      steps_.push_back({.autocommit = true, .statements = {std::move(statement.planned)}});
      open_ = false;
      return;
    }
    // A statement such as VALIDATE must not run in the transaction that took the strong lock for NOT VALID, or the lock would
    // be held for the whole scan. Neighbours that all run after the commit share one transaction.
    const bool cut = statement.after_commit && style_ == Style::Online && (!after_commit_ || !open_);
    if (!open_ || cut) {
      steps_.emplace_back();
      bodies_unchecked_ = false;
    }
    open_ = true;
    after_commit_ = statement.after_commit;
    if (statement.body_ahead && !bodies_unchecked_) {
      // SET LOCAL ends with the transaction, so once per step is enough.
      bodies_unchecked_ = true;
      steps_.back().statements.push_back(
          {.sql = "SET LOCAL check_function_bodies = off",
           .subject = statement.planned.subject,
           .expand = true,
           .note = "function bodies may refer to objects by the search_path of the caller, or to objects created later"});
    }
    steps_.back().statements.push_back(std::move(statement.planned));
  }

  [[nodiscard]] std::vector<PlannedStep> take() && { return std::move(steps_); }

 private:
  Style style_;
  std::vector<PlannedStep> steps_;
  bool open_ = false;
  bool after_commit_ = false;  // whether the last statement ran after a commit
  bool bodies_unchecked_ = false;
};

Result<void> check_comparable(const Catalog& before, const Catalog& after) {
  constexpr int kMajor = 10000;
  if (before.server_version != 0 && after.server_version != 0 &&
      before.server_version / kMajor != after.server_version / kMajor) {
    return fail(Error(ErrorCode::SchemaChangeRefused,
                      "the two schemas are of PostgreSQL " + std::to_string(before.server_version / kMajor) + " and " +
                          std::to_string(after.server_version / kMajor) + ", which print definitions differently")
                    .advise("load the desired schema into a server of the same major version"));
  }
  return {};
}

}  // namespace

Result<ChangePlan> plan_changes(const Catalog& before, const Catalog& after, const PlanOptions& options) {
  TRY(check_comparable(before, after));
  ChangePlan plan;
  Steps steps(options.style);
  if (!options.renames.empty()) {
    TRY_ASSIGN(std::vector<PlannedStatement> renames, rename_statements(options.renames, options.new_schemas));
    for (PlannedStatement& rename : renames) {
      const bool made = rename.subject.kind == Kind::Schema && rename.note.empty();
      plan.summary.push_back({made ? '+' : '~', rename.subject, made ? describe(rename.subject) : rename.note, DataLoss::None});
      steps.add({.planned = std::move(rename)});
    }
  }
  SchemaDiff difference = diff(before, after);
  if (!difference.empty()) {
    ChangeSet changes(before, after, options.style);
    changes.settle(std::move(difference));
    TRY(refuse_outside(changes));
    ActionList actions;
    add_ends(changes, actions);
    add_beginnings(changes, actions);
    add_changes(changes, actions);
    if (actions.refusal()) {
      return fail(*actions.refusal());
    }
    TRY_ASSIGN(const ActionOrder order, order_actions(changes, actions.actions()));
    for (Statement& statement : compact(actions.actions(), order)) {
      steps.add(std::move(statement));
    }
    std::ranges::move(summarize(changes), std::back_inserter(plan.summary));
  }
  plan.steps = std::move(steps).take();
  return plan;
}

Result<ChangePlan> plan_creation(const Catalog& catalog) {
  Catalog nothing;
  nothing.server_version = catalog.server_version;
  nothing.seal();
  return plan_changes(nothing, catalog, {.style = Style::Plain});
}

}  // namespace athanor::schema
