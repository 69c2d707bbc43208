#include "operator/reconcile/reconcile_state.hpp"

#include "operator/reconcile/approved_plan.hpp"

namespace athanor::controller {

std::string count_of_revisions(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " revision" : " revisions");
}

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& revision : plan.revisions) {
    ids.push_back(revision.walk.revision.value_or(""));
  }
  return ids;
}

RunNote Findings::note() const {
  return {*plan, approval_hash(plan->hash, scope), destructive, approval, backup, backup_accepted, backup_error};
}

std::string retry_annotation(const DatabaseMigration& resource) {
  const auto retry = resource.metadata.annotations.find(kRetryNowAnnotation);
  return retry == resource.metadata.annotations.end() ? std::string() : retry->second;
}

Outcome published(const Plan& plan) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::Done;
  outcome.reason = Reason::PlanPublished;
  outcome.message = "dry run: " + count_of_revisions(plan.revisions.size()) + " to " +
                    std::string(direction_name(plan.operation)) + ", nothing is run";
  return outcome;
}

}  // namespace athanor::controller
