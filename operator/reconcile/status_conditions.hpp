// Computes the conditions of a status.
//
// Each function below sets or removes the conditions it names and the status fields that belong to them, and leaves the others
// unchanged.
//
// Threads: pure functions; a ConditionSet belongs to one thread and borrows the conditions.
#pragma once

#include <string>
#include <utility>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

// Sets conditions for one generation at one time. A condition keeps its transition time while its status is unchanged.
class ConditionSet {
 public:
  ConditionSet(Conditions& conditions, std::int64_t generation, std::string now)
      : conditions_(conditions), before_(conditions), generation_(generation), now_(std::move(now)) {}
  void set(ConditionType type, bool value, Reason reason, const std::string& message) {
    set(type, value ? ConditionStatus::True : ConditionStatus::False, reason, message);
  }
  void set(ConditionType type, ConditionStatus value, Reason reason, const std::string& message) {
    Condition condition;
    condition.type = type;
    condition.status = value;
    condition.reason = reason;
    condition.message = message;
    condition.observed_generation = generation_;
    // A condition that was removed on the way to this status and set again has not changed.
    const Condition* const was = find_condition(before_, type);
    set_condition(conditions_, std::move(condition), was != nullptr && was->status == value ? was->last_transition_time : now_);
  }
  void set_or_remove(ConditionType type, bool value, Reason reason, const std::string& message) {
    if (value) {
      set(type, true, reason, message);
    } else {
      remove_condition(conditions_, type);
    }
  }
  // Whether the condition is for the same generation and nothing was observed since.
  [[nodiscard]] bool may_still_hold(const Condition& condition, const Outcome& outcome) const {
    return condition.observed_generation == generation_ && outcome.kind != Verdict::Kind::Done &&
           outcome.kind != Verdict::Kind::Stalled;
  }

 private:
  Conditions& conditions_;
  const Conditions before_;  // as the last status had them
  std::int64_t generation_;
  std::string now_;
};

// Approved: whether the plan has the approvals that the policy requires.
void set_approved(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                  ConditionSet& conditions);
// Rehearsed: how this plan ran on a scratch copy.
void set_rehearsed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                   ConditionSet& conditions);
// BackedUp: the backup taken for this plan.
void set_backed_up(DatabaseMigrationStatus& status, const PlanReview& review, ConditionSet& conditions);
// Drifted: the result of the last comparison of the live schema with the expected one.
void set_drifted(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                 ConditionSet& conditions);
// Ready, Reconciling and Applied of a run in progress.
void set_under_way(Reason reason, const std::string& message, ConditionSet& conditions);
// All conditions of an outcome. `now`: ISO 8601.
void set_conditions(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                    const std::string& now);

}  // namespace athanor::controller
