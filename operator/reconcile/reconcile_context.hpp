// What one reconcile is given, and what is remembered of a resource from one reconcile to the next.
//
// Threads: one reconcile, one thread. Ownership: a context borrows everything in it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/base/stop.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/approved_plan.hpp"
#include "operator/reconcile/backup_service.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/gate.hpp"
#include "operator/reconcile/job_execution.hpp"
#include "operator/reconcile/plan_text.hpp"
#include "operator/reconcile/reconcile_observer.hpp"
#include "operator/reconcile/run_status.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// Any change of this annotation's value makes a failed plan run once more.
inline constexpr const char* kRetryNowAnnotation = "athanor.dev/retry-now";

struct ReconcilerParts {
  SourceProvider& sources;
  CredentialSource& credentials;
  DatabaseAccessFactory& databases;
  ReconcileObserver& observer;
  Clock& clock;
  // Null where the operator has no such thing: no plan is ever approved, backups fail, Jobs are refused.
  ApprovalSource* approvals = nullptr;
  BackupService* backups = nullptr;
  JobExecution* jobs = nullptr;
  PlanTexts* plan_texts = nullptr;  // null: the SQL of plans is not published
  // Called with the address of the database, before anything connects. False: its server has as many reconciles under way as
  // are allowed; this one ends, and starts over when one of them has ended. Empty: there is no limit.
  std::function<bool(const DatabaseMigration& resource, const DatabaseLocation& location)> has_room = {};
  // Called with the identity of the database, once observed. Returns the resource that claimed the same version table before;
  // empty: this one owns it. An empty function: there are no claims.
  std::function<std::string(const DatabaseMigration& resource, const DatabaseLocation& location)> claim = {};
  // Whether the resource is raised to what all resources on its database ask for (database_policies.hpp). Empty: there are no
  // others.
  std::function<bool(const DatabaseMigration& resource)> policy_holds = {};
  // libpq's keywords and values of a URL. May be empty where no plan is ever approved.
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords = {};
};

// Whether the declaration that a reconcile began with still stands. Withdrawn: the resource was suspended or deleted.
enum class DeclarationState : std::uint8_t { Holds, Changed, Withdrawn };

// Calls that a reconcile makes while it runs; each may be empty.
struct ReconcileCallbacks {
  // Progress of a run, at most once a second.
  std::function<void(const PlanReview&, const Observed&, const RunState&)> running;
  // Something differs from what the status speaks of, and nothing was done about it yet. Returns once the status says so (or no
  // one takes it for final anyway), or why it could not be stored.
  std::function<Result<void>(const Observed&, const std::string& message)> outdated;
  // The same, unless the reconcile ends or says more within a moment. Returns at once.
  std::function<void(const Observed&, const std::string& message)> outdated_soon;
  std::function<void(const PlanReview&, const std::string& message)> backing_up;
  // Asked before a run begins and at its safe points. Empty: the declaration always holds.
  std::function<DeclarationState()> declaration;
};

// What is remembered of a resource. It only saves work: losing it costs a repeated check, never a wrong step. Kept small, as
// there is one per resource, and most resources never failed and have no Jobs.
struct ReconcileMemory {
  struct FailedPlan {
    std::string attempt;  // fingerprint of plan and declaration
    Verdict verdict;
  };
  struct ReportedJob {
    std::string uid;
    std::shared_ptr<const ReportedRun> run;
  };
  ShortDigest target{};                   // of the connection that was used last; zeros: none was
  ShortDigest verified{};                 // of the snapshot and the rows that were compared with the ledger; zeros: none were
  std::unique_ptr<FailedPlan> failed;     // for good
  std::unique_ptr<ReportedJob> reported;  // the Job whose end was reported
  bool met_lock = false;
  // When drift was looked for last, and for which declaration.
  SteadyTime drift_looked{};
  std::int64_t drift_generation = -1;
};

struct ReconcileContext {
  ReconcilerParts& parts;
  const DatabaseMigration& resource;
  ReconcileMemory& memory;
  const ReconcileCallbacks& callbacks;
  const StopToken& stop;
  const Log& log;
};

// The database of one reconcile, connected. The access borrows nothing from it.
struct OpenDatabase {
  DatabaseTarget target;
  DatabaseLocation location;
  std::string approval_scope;  // approvals count here and nowhere else (approved_plan.hpp); empty before a plan is made
  std::unique_ptr<DatabaseAccess> access;
};

// The value of kRetryNowAnnotation; empty: not set.
[[nodiscard]] std::string retry_annotation(const DatabaseMigration& resource);
[[nodiscard]] std::vector<std::string> ids_of(const Plan& plan);
// "1 revision", "2 revisions".
[[nodiscard]] std::string count_of_revisions(std::size_t count);
// The verdict of a dry run.
[[nodiscard]] Verdict published(const Plan& plan);
[[nodiscard]] DeclarationState declaration_state(const ReconcileContext& context);
[[nodiscard]] bool policy_holds(const ReconcileContext& context);
// Before anything runs: the status must not be taken for that of a database which is about to change.
[[nodiscard]] Result<void> tell_pending(const ReconcileContext& context, const Observed& observed, const PlanReview* review);

}  // namespace athanor::controller
