// Conditions: what a resource says about itself in the words that kubectl wait, Helm and Flux understand.
//
// One closed list of types and one of reasons; docs/spec/database-migration.md explains every one of them, and a test compares
// the page with the tables. Ready is always present. Reconciling, Stalled and SourceUnavailable are present only while they are
// True (kstatus: Stalled=True is a failure that waits for a human, Reconciling=True is progress). lastTransitionTime moves only
// when the status flips.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::controller {

enum class ConditionType : std::uint8_t {
  Ready,
  Reconciling,
  Stalled,
  Planned,
  Approved,
  BackedUp,
  Applied,
  Drifted,
  SourceUnavailable
};

enum class Reason : std::uint8_t {
  // Fine.
  UpToDate,       // the database is at the declared target
  AheadAccepted,  // it is ahead of the target, and policy.downgrade keeps the newer schema
  Applied,        // this reconcile brought it there
  PlanPublished,  // dryRun: the plan is in the status, nothing runs
  Suspended,
  NotSelected,         // its labels left the selection of the operator
  Deleting,            // it has a deletionTimestamp: nothing begins any more
  Approved,            // a MigrationApproval names this plan
  BackupTaken,         // there is a verified backup
  SchemaUnchanged,     // since the last run; of Drifted
  CatalogNotRecorded,  // whether the schema changed is not known; of Drifted
  // On the way.
  Pending,            // not looked at yet, or a change was seen that nothing was done about yet
  Applying,           // a run is under way
  LockHeld,           // another run holds the migration lock
  SourceOutdated,     // the source does not show spec.source.revision yet
  Baselined,          // taken over at spec.baseline.revision; the upgrade from there comes next
  DirectionCooldown,  // the plan goes the other way than the last run, too soon after it
  WaitingForLock,     // a statement of the run waits for a lock of another session
  Retrying,           // a transient failure; the next attempt is scheduled
  ApprovalRequired,
  ApprovalsUntrusted,  // the admission policy that makes the names in approvals true is not in force
  OutsideWindow,       // a maintenance window will open
  BackingUp,
  JobRunning,   // execution mode Job: its pod has not ended
  Interrupted,  // the operator was asked to stop; nothing is half-applied
  // Waiting for a change of the manifest, the files or the database.
  InvalidManifest,
  PlanRejected,             // a MigrationApproval with decision Reject names this plan
  DatabaseAhead,            // the target needs a downgrade and the policy refuses it
  QuotaExceeded,            // there are more resources in the namespace than the operator serves
  DatabaseClaimed,          // another resource manages the same version table
  UnknownDatabaseRevision,  // the version table names a revision that no file has
  UnfinishedRevision,       // a revision stopped half-way and the target does not lead on
  TargetNotFound,
  TargetAmbiguous,
  SourceInvalid,
  SourceNotFound,
  SourceTooLarge,  // for the pod of a Job
  ChecksumMismatch,
  Irreversible,
  NotRenderable,
  StatementFailed,
  OutcomeUnknown,
  // The database or its credentials.
  DatabaseUnreachable,
  AuthenticationFailed,
  CredentialsNotFound,
  InsufficientPrivilege,
  PoolerRefused,
  LockTimeout,
  JobFailed,         // its pod ended without saying why
  JobRefused,        // it cannot be made: the API server or this operator does not take it
  SchemaChanged,     // by hand, since the last run
  DriftCheckFailed,  // the schema cannot be compared with what the last run left
  BackupFailed,      // a required backup could not be taken or verified: nothing was changed
  ApiUnavailable,    // something the resource names cannot be read from the API server
  InternalError,
};

[[nodiscard]] std::string_view condition_type_name(ConditionType type);
[[nodiscard]] std::string_view reason_name(Reason reason);
[[nodiscard]] std::optional<ConditionType> condition_type_of(std::string_view name);
[[nodiscard]] std::optional<Reason> reason_of(std::string_view name);
// Every reason, for tests and documentation.
[[nodiscard]] const std::vector<Reason>& all_reasons();

enum class ConditionStatus : std::uint8_t { False, True, Unknown };
[[nodiscard]] std::string_view condition_status_name(ConditionStatus status);

struct Condition {
  ConditionType type = ConditionType::Ready;
  ConditionStatus status = ConditionStatus::Unknown;
  Reason reason = Reason::Pending;
  std::string message;
  std::string last_transition_time;  // ISO 8601, UTC
  std::int64_t observed_generation = 0;
  bool operator==(const Condition&) const = default;
};

using Conditions = std::vector<Condition>;  // at most one of each type, in the order of ConditionType

[[nodiscard]] const Condition* find_condition(const Conditions& conditions, ConditionType type);
[[nodiscard]] bool is_true(const Conditions& conditions, ConditionType type);
// Sets or replaces; keeps lastTransitionTime unless the status flips. `now` is ISO 8601.
void set_condition(Conditions& conditions, Condition condition, const std::string& now);
void remove_condition(Conditions& conditions, ConditionType type);

}  // namespace athanor::controller
