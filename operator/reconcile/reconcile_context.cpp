#include "operator/reconcile/reconcile_context.hpp"

#include <algorithm>

namespace athanor::controller {
namespace {

constexpr std::size_t kNamedInMessage = 5;

}  // namespace

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

Result<void> report_pending(const ReconcileContext& context, const Observed& observed, const PlanReview* review) {
  if (!context.callbacks.outdated) {
    return {};
  }
  std::string message = "a run is pending";
  if (review != nullptr) {
    const auto& plan = *review->plan;
    const auto ids = ids_of(plan);
    message = "the " + std::string(direction_name(plan.operation)) + " of " + count_of_revisions(ids.size()) + " is pending: ";
    for (std::size_t index = 0; index < std::min(ids.size(), kNamedInMessage); ++index) {
      message += (index == 0 ? "" : ", ") + ids[index];
    }
    message += ids.size() > kNamedInMessage ? ", ..." : "";
  }
  return context.callbacks.outdated(observed, message);
}

DeclarationState declaration_state(const ReconcileContext& context) {
  return context.callbacks.declaration ? context.callbacks.declaration() : DeclarationState::Holds;
}

bool policy_holds(const ReconcileContext& context) {
  return !context.parts.policy_holds || context.parts.policy_holds(context.resource);
}

}  // namespace athanor::controller
