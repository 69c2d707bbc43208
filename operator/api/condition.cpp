#include "operator/api/condition.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::array kTypes{
    std::pair{ConditionType::Ready, std::string_view("Ready")},
    std::pair{ConditionType::Reconciling, std::string_view("Reconciling")},
    std::pair{ConditionType::Stalled, std::string_view("Stalled")},
    std::pair{ConditionType::Planned, std::string_view("Planned")},
    std::pair{ConditionType::Approved, std::string_view("Approved")},
    std::pair{ConditionType::Rehearsed, std::string_view("Rehearsed")},
    std::pair{ConditionType::BackedUp, std::string_view("BackedUp")},
    std::pair{ConditionType::Applied, std::string_view("Applied")},
    std::pair{ConditionType::Drifted, std::string_view("Drifted")},
    std::pair{ConditionType::SourceUnavailable, std::string_view("SourceUnavailable")},
};

// The one string table of reasons.
constexpr std::array kReasons{
    std::pair{Reason::UpToDate, std::string_view("UpToDate")},
    std::pair{Reason::AheadAccepted, std::string_view("AheadAccepted")},
    std::pair{Reason::Applied, std::string_view("Applied")},
    std::pair{Reason::PlanPublished, std::string_view("PlanPublished")},
    std::pair{Reason::Suspended, std::string_view("Suspended")},
    std::pair{Reason::NotSelected, std::string_view("NotSelected")},
    std::pair{Reason::Deleting, std::string_view("Deleting")},
    std::pair{Reason::Approved, std::string_view("Approved")},
    std::pair{Reason::BackupTaken, std::string_view("BackupTaken")},
    std::pair{Reason::RehearsalPassed, std::string_view("RehearsalPassed")},
    std::pair{Reason::SchemaUnchanged, std::string_view("SchemaUnchanged")},
    std::pair{Reason::CatalogNotRecorded, std::string_view("CatalogNotRecorded")},
    std::pair{Reason::Pending, std::string_view("Pending")},
    std::pair{Reason::Applying, std::string_view("Applying")},
    std::pair{Reason::LockHeld, std::string_view("LockHeld")},
    std::pair{Reason::SourceOutdated, std::string_view("SourceOutdated")},
    std::pair{Reason::Baselined, std::string_view("Baselined")},
    std::pair{Reason::DirectionCooldown, std::string_view("DirectionCooldown")},
    std::pair{Reason::WaitingForLock, std::string_view("WaitingForLock")},
    std::pair{Reason::Retrying, std::string_view("Retrying")},
    std::pair{Reason::ApprovalRequired, std::string_view("ApprovalRequired")},
    std::pair{Reason::ApprovalsUntrusted, std::string_view("ApprovalsUntrusted")},
    std::pair{Reason::OutsideWindow, std::string_view("OutsideWindow")},
    std::pair{Reason::BackingUp, std::string_view("BackingUp")},
    std::pair{Reason::Rehearsing, std::string_view("Rehearsing")},
    std::pair{Reason::JobRunning, std::string_view("JobRunning")},
    std::pair{Reason::Interrupted, std::string_view("Interrupted")},
    std::pair{Reason::InvalidManifest, std::string_view("InvalidManifest")},
    std::pair{Reason::PlanRejected, std::string_view("PlanRejected")},
    std::pair{Reason::DatabaseAhead, std::string_view("DatabaseAhead")},
    std::pair{Reason::QuotaExceeded, std::string_view("QuotaExceeded")},
    std::pair{Reason::DatabaseClaimed, std::string_view("DatabaseClaimed")},
    std::pair{Reason::HostNotAllowed, std::string_view("HostNotAllowed")},
    std::pair{Reason::UnknownDatabaseRevision, std::string_view("UnknownDatabaseRevision")},
    std::pair{Reason::UnfinishedRevision, std::string_view("UnfinishedRevision")},
    std::pair{Reason::TargetNotFound, std::string_view("TargetNotFound")},
    std::pair{Reason::TargetAmbiguous, std::string_view("TargetAmbiguous")},
    std::pair{Reason::SourceInvalid, std::string_view("SourceInvalid")},
    std::pair{Reason::SourceNotFound, std::string_view("SourceNotFound")},
    std::pair{Reason::SourceTooLarge, std::string_view("SourceTooLarge")},
    std::pair{Reason::ChecksumMismatch, std::string_view("ChecksumMismatch")},
    std::pair{Reason::Irreversible, std::string_view("Irreversible")},
    std::pair{Reason::NotRenderable, std::string_view("NotRenderable")},
    std::pair{Reason::StatementFailed, std::string_view("StatementFailed")},
    std::pair{Reason::OutcomeUnknown, std::string_view("OutcomeUnknown")},
    std::pair{Reason::DatabaseUnreachable, std::string_view("DatabaseUnreachable")},
    std::pair{Reason::AuthenticationFailed, std::string_view("AuthenticationFailed")},
    std::pair{Reason::CredentialsNotFound, std::string_view("CredentialsNotFound")},
    std::pair{Reason::InsufficientPrivilege, std::string_view("InsufficientPrivilege")},
    std::pair{Reason::PoolerRefused, std::string_view("PoolerRefused")},
    std::pair{Reason::LockTimeout, std::string_view("LockTimeout")},
    std::pair{Reason::JobFailed, std::string_view("JobFailed")},
    std::pair{Reason::JobRefused, std::string_view("JobRefused")},
    std::pair{Reason::SchemaChanged, std::string_view("SchemaChanged")},
    std::pair{Reason::DriftCheckFailed, std::string_view("DriftCheckFailed")},
    std::pair{Reason::LintFindings, std::string_view("LintFindings")},
    std::pair{Reason::RehearsalFailed, std::string_view("RehearsalFailed")},
    std::pair{Reason::BackupFailed, std::string_view("BackupFailed")},
    std::pair{Reason::ApiUnavailable, std::string_view("ApiUnavailable")},
    std::pair{Reason::InternalError, std::string_view("InternalError")},
};
static_assert(kReasons.size() == static_cast<std::size_t>(Reason::InternalError) + 1, "every Reason needs its row");

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  const auto found = std::ranges::find(table, value, [](const auto& row) { return row.first; });
  return found == table.end() ? std::string_view("Unknown") : found->second;
}

template <class Value, class Table>
std::optional<Value> value_in(const Table& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, [](const auto& row) { return row.second; });
  return found == table.end() ? std::nullopt : std::optional<Value>(found->first);
}

}  // namespace

std::string_view condition_type_name(ConditionType type) {
  return name_in(kTypes, type);
}
std::string_view reason_name(Reason reason) {
  return name_in(kReasons, reason);
}
std::optional<ConditionType> condition_type_of(std::string_view name) {
  return value_in<ConditionType>(kTypes, name);
}
std::optional<Reason> reason_of(std::string_view name) {
  return value_in<Reason>(kReasons, name);
}

const std::vector<Reason>& all_reasons() {
  static const std::vector<Reason> reasons = [] {
    std::vector<Reason> all;
    all.reserve(kReasons.size());
    for (const auto& row : kReasons) {
      all.push_back(row.first);
    }
    return all;
  }();
  return reasons;
}

std::string_view condition_status_name(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::True:
      return "True";
    case ConditionStatus::False:
      return "False";
    case ConditionStatus::Unknown:
      break;
  }
  return "Unknown";
}

const Condition* find_condition(const Conditions& conditions, ConditionType type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

bool is_true(const Conditions& conditions, ConditionType type) {
  const Condition* condition = find_condition(conditions, type);
  return condition != nullptr && condition->status == ConditionStatus::True;
}

void set_condition(Conditions& conditions, Condition condition, const std::string& now) {
  const auto place = std::ranges::lower_bound(conditions, condition.type, {}, &Condition::type);
  if (place != conditions.end() && place->type == condition.type) {
    condition.last_transition_time = place->status == condition.status ? place->last_transition_time : now;
    *place = std::move(condition);
    return;
  }
  condition.last_transition_time = now;
  conditions.insert(place, std::move(condition));
}

void remove_condition(Conditions& conditions, ConditionType type) {
  std::erase_if(conditions, [type](const Condition& condition) { return condition.type == type; });
}

}  // namespace athanor::controller
