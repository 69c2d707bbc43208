// The conditions of a resource, in the form that kubectl wait, Helm and Flux understand.
//
// There is one closed list of types and one of reasons. docs/spec/database-migration.md explains all of them, and a test
// compares the page with the tables. Ready is always present. Reconciling, Stalled and SourceUnavailable are present only while
// they are True (kstatus: Stalled=True is a failure that needs a person, Reconciling=True is progress). lastTransitionTime
// changes only when the status changes.
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
  Rehearsed,
  BackedUp,
  Applied,
  Drifted,
  SourceUnavailable
};

enum class Reason : std::uint8_t {
  // No action needed.
  UpToDate,       // the database is at the declared target
  AheadAccepted,  // the database is ahead of the target, and policy.downgrade keeps the newer schema
  Applied,        // this reconcile migrated the database to the target
  PlanPublished,  // dryRun: the plan is in the status, nothing is executed
  Suspended,
  NotSelected,         // its labels or its namespace's no longer match the operator's selector
  Deleting,            // it has a deletionTimestamp: nothing is started
  Approved,            // a MigrationApproval names this plan
  BackupTaken,         // there is a verified backup
  RehearsalPassed,     // the plan ran on a scratch copy; reason of Rehearsed
  SchemaUnchanged,     // since the last run; reason of Drifted
  CatalogNotRecorded,  // it is unknown whether the schema changed; reason of Drifted
  // In progress.
  Pending,            // not reconciled yet, or a change was noticed but not handled yet
  Applying,           // a run is in progress
  LockHeld,           // another run holds the migration lock
  SourceOutdated,     // the source does not contain spec.source.revision yet
  Baselined,          // adopted at spec.baseline.revision; the upgrade from there follows
  DirectionCooldown,  // the plan has the opposite direction of the last run, too soon after it
  WaitingForLock,     // a statement of the run waits for a lock of another session
  Retrying,           // a transient failure; the next attempt is scheduled
  ApprovalRequired,
  ApprovalsUntrusted,  // the admission policy that guarantees the names in approvals is not in force
  OutsideWindow,       // waiting for the next maintenance window
  BackingUp,
  Rehearsing,   // the plan runs on a scratch copy
  JobRunning,   // execution mode Job: its pod has not ended
  Interrupted,  // the operator was stopped; nothing is half-applied
  // Waiting for a change of the manifest, the files or the database.
  InvalidManifest,
  PlanRejected,             // a MigrationApproval with decision Reject names this plan
  DatabaseAhead,            // the target needs a downgrade and the policy refuses it
  QuotaExceeded,            // the namespace has more resources than the operator serves
  DatabaseClaimed,          // another resource manages the same version table
  HostNotAllowed,           // the host of the database or of the Git repository is not on the operator's list
  UnknownDatabaseRevision,  // the version table contains a revision that is in no file
  UnfinishedRevision,       // a revision stopped half-way and is not on the way to the target
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
  JobFailed,         // its pod ended without a report
  JobRefused,        // it cannot be created: the API server or this operator refuses it
  SchemaChanged,     // by hand, since the last run
  DriftCheckFailed,  // the schema cannot be compared with the state after the last run
  LintFindings,      // policy.lint: lint finds an error in the plan
  RehearsalFailed,   // policy.rehearsal: the plan failed on a scratch copy, or could not be rehearsed
  BackupFailed,      // a required backup could not be taken or verified: nothing was changed
  ApiUnavailable,    // an object that the resource names cannot be read from the API server
  InternalError,
};

[[nodiscard]] std::string_view condition_type_name(ConditionType type);
[[nodiscard]] std::string_view reason_name(Reason reason);
[[nodiscard]] std::optional<ConditionType> condition_type_of(std::string_view name);
[[nodiscard]] std::optional<Reason> reason_of(std::string_view name);
// Returns every reason, for tests and documentation.
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

// Returns nullptr when there is no condition of this type.
[[nodiscard]] const Condition* find_condition(const Conditions& conditions, ConditionType type);
[[nodiscard]] bool is_true(const Conditions& conditions, ConditionType type);
// Sets or replaces a condition; keeps lastTransitionTime unless the status changes. `now` is ISO 8601.
void set_condition(Conditions& conditions, Condition condition, const std::string& now);
void remove_condition(Conditions& conditions, ConditionType type);

}  // namespace athanor::controller
