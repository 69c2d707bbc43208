#include "operator/reconcile/reconcile_context.hpp"

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

std::string retry_annotation(const DatabaseMigration& resource) {
  const auto retry = resource.metadata.annotations.find(kRetryNowAnnotation);
  return retry == resource.metadata.annotations.end() ? std::string() : retry->second;
}

Verdict published(const Plan& plan) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::Done;
  verdict.reason = Reason::PlanPublished;
  verdict.message = "dry run: " + count_of_revisions(plan.revisions.size()) + " to " +
                    std::string(direction_name(plan.operation)) + ", nothing is run";
  return verdict;
}

DeclarationState declaration_state(const ReconcileContext& context) {
  return context.callbacks.declaration ? context.callbacks.declaration() : DeclarationState::Holds;
}

}  // namespace athanor::controller
