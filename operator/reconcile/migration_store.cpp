#include "operator/reconcile/migration_store.hpp"

#include <chrono>

namespace athanor::controller {

StatusDigest digest_of(const DatabaseMigrationStatus& status) {
  StatusDigest digest;
  digest.observed = status.observed_generation >= 0;
  digest.ready = is_true(status.conditions, ConditionType::Ready);
  digest.stalled = is_true(status.conditions, ConditionType::Stalled);
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  if (ready != nullptr && is_true(status.conditions, ConditionType::Reconciling)) {
    digest.waiting = ready->reason;
  }
  if (const Condition* const drifted = find_condition(status.conditions, ConditionType::Drifted);
      drifted != nullptr && drifted->status != ConditionStatus::Unknown) {
    digest.drifted = drifted->status == ConditionStatus::True;
  }
  digest.current = status.current_revision;
  digest.target = status.target_revision;
  digest.pending = status.pending_count;
  if (status.last_backup) {
    if (const auto begun = parse_iso8601(status.last_backup->started_at)) {
      digest.backup_begun = std::chrono::duration_cast<std::chrono::seconds>(begun->time_since_epoch()).count();
      digest.backup_bytes = status.last_backup->size_bytes;
    }
  }
  return digest;
}

}  // namespace athanor::controller
