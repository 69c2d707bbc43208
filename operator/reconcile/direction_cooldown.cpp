#include "operator/reconcile/direction_cooldown.hpp"

#include <algorithm>
#include <string>

#include "migrations/text/duration.hpp"

namespace athanor::controller {
namespace {

constexpr milliseconds kSecond{1000};

std::string rounded(milliseconds duration) {
  return format_duration(std::max<milliseconds>(std::chrono::ceil<std::chrono::seconds>(duration), kSecond));
}

}  // namespace

Result<std::optional<Verdict>> wait_for_direction(const ReconcileContext& context, DatabaseAccess& access,
                                                  Direction direction) {
  const PolicySpec& policy = context.resource.spec.policy;
  if (policy.downgrade != DowngradePolicy::Allow || policy.direction_cooldown.count() == 0) {
    return std::optional<Verdict>();
  }
  TRY_ASSIGN(const auto last, access.last_change());
  if (!last || last->direction == direction || last->age >= policy.direction_cooldown) {
    return std::optional<Verdict>();
  }
  // The row's time is in the future: the server's clock was set back. Waiting until then could take years.
  if (last->age < -policy.direction_cooldown) {
    context.log.warn("the last change is in the future by the server's clock; not waiting for spec.policy.directionCooldown");
    return std::optional<Verdict>();
  }
  const milliseconds left = policy.direction_cooldown - last->age;
  Verdict verdict;
  verdict.kind = Verdict::Kind::Waiting;
  verdict.reason = Reason::DirectionCooldown;
  verdict.message = "the last change was " +
                    std::string(last->direction == Direction::Upgrade ? "an upgrade " : "a downgrade ") + rounded(last->age) +
                    " ago; a change of direction waits for spec.policy.directionCooldown (" +
                    rounded(policy.direction_cooldown) + ")";
  verdict.requeue_after = std::max(left, kSecond);
  return std::optional(std::move(verdict));
}

}  // namespace athanor::controller
