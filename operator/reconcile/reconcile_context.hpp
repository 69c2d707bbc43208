// The inputs of one reconcile, and what is remembered of a resource between reconciles.
//
// Threads: one thread per reconcile. Ownership: a context borrows everything in it.
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
#include "operator/reconcile/rehearsal_service.hpp"
#include "operator/reconcile/run_status.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// A failed plan runs once more whenever the value of this annotation changes.
inline constexpr const char* kRetryNowAnnotation = "athanor.dev/retry-now";

struct ReconcilerParts {
  SourceProvider& sources;
  CredentialSource& credentials;
  DatabaseAccessFactory& databases;
  ReconcileObserver& observer;
  Clock& clock;
  // Null if the operator does not have the feature: then no plan is approved, backups and rehearsals fail, and Jobs are
  // refused.
  ApprovalSource* approvals = nullptr;
  BackupService* backups = nullptr;
  JobExecution* jobs = nullptr;
  RehearsalService* rehearsals = nullptr;
  PlanTexts* plan_texts = nullptr;  // null: the SQL of plans is not published
  // Called with the address of the database before connecting. Returns false when its server already has the maximum number of
  // running reconciles; then this one ends, and starts again when one of them has ended. Empty: no limit.
  std::function<bool(const DatabaseMigration& resource, const DatabaseLocation& location)> has_room = {};
  // Called with the identity of the database once observed. Returns the resource that claimed the same version table before;
  // empty: this one owns it. An empty function: there are no claims.
  std::function<std::string(const DatabaseMigration& resource, const DatabaseLocation& location)> claim = {};
  // Whether the resource still meets the policies of all resources on its database (database_policies.hpp) and the floor.
  // Empty: always.
  std::function<bool(const DatabaseMigration& resource)> policy_holds = {};
  // Returns libpq's keywords and values of a URL. May be empty if plans are never approved.
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords = {};
};

// Whether the declaration at the start of the reconcile is still valid. Withdrawn: the resource was suspended or deleted.
enum class DeclarationState : std::uint8_t { Holds, Changed, Withdrawn };

// Called by a running reconcile; each may be empty.
struct ReconcileCallbacks {
  // Reports the progress of a run, at most once a second.
  std::function<void(const PlanReview&, const Observed&, const RunState&)> running;
  // Reports that something differs from what the status describes and has not been handled yet. Returns once the status shows
  // that (or is not final anyway), or the error of storing it.
  std::function<Result<void>(const Observed&, const std::string& message)> outdated;
  // As outdated, unless the reconcile ends or reports more within a moment. Returns immediately.
  std::function<void(const Observed&, const std::string& message)> outdated_soon;
  std::function<void(const PlanReview&, const std::string& message)> backing_up;
  std::function<void(const PlanReview&, const Observed&, const std::string& message)> rehearsing;
  // Called before a run starts and at its safe points. Empty: the declaration is always valid.
  std::function<DeclarationState()> declaration;
};

// What is remembered of a resource. It only saves work: losing it costs a repeated check, never a wrong step. Keep it small:
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
  struct RehearsedPlan {
    ShortDigest of{};  // of plan, declaration and servers
    RehearsalResult result;
  };
  ShortDigest target{};                // digest of the last connection URL; zeros: none yet
  ShortDigest verified{};              // digest of the snapshot and the heads last compared with the ledger; zeros: none yet
  std::unique_ptr<FailedPlan> failed;  // a plan that failed permanently
  std::unique_ptr<RehearsedPlan> rehearsed;
  std::unique_ptr<ReportedJob> reported;  // the last Job whose end was reported
  bool met_lock = false;
  // When drift was last checked, and for which generation.
  SteadyTime drift_checked{};
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

// The connected database of one reconcile. The access borrows nothing from it.
struct OpenDatabase {
  DatabaseTarget target;
  DatabaseLocation location;
  std::string approval_scope;  // where approvals count (approved_plan.hpp); empty before a plan is made
  std::unique_ptr<DatabaseAccess> access;
};

// Returns the value of kRetryNowAnnotation; empty if not set.
[[nodiscard]] std::string retry_annotation(const DatabaseMigration& resource);
[[nodiscard]] std::vector<std::string> ids_of(const Plan& plan);
// "1 revision", "2 revisions".
[[nodiscard]] std::string count_of_revisions(std::size_t count);
// Returns the verdict of a dry run.
[[nodiscard]] Verdict published(const Plan& plan);
[[nodiscard]] DeclarationState declaration_state(const ReconcileContext& context);
[[nodiscard]] bool policy_holds(const ReconcileContext& context);
// Call it before anything runs: the stored status must not look final for a database that is about to change.
[[nodiscard]] Result<void> report_pending(const ReconcileContext& context, const Observed& observed, const PlanReview* review);

}  // namespace athanor::controller
