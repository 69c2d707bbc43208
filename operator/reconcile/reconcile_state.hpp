// What one reconcile is given, what it remembers from the last one of the same resource, and what it has found out so far.
//
// The parts of a reconcile (reconciler.cpp, job_reconcile.hpp, admission.hpp) share these and nothing else. Findings are filled
// in from the top: what is still empty at the end was never reached, and the outcome does not speak of it.
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
#include "operator/reconcile/outcome.hpp"
#include "operator/reconcile/reconcile_observer.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// A human's way to say "again": any change of its value makes a failed plan run once more.
inline constexpr const char* kRetryNowAnnotation = "athanor.dev/retry-now";

struct ReconcilerParts {
  SourceProvider& sources;
  CredentialSource& credentials;
  DatabaseAccessFactory& databases;
  ReconcileObserver& observer;
  Clock& clock;
  // What only some houses have; null: approvals are never given, backups fail, Jobs are refused.
  ApprovalSource* approvals = nullptr;
  BackupService* backups = nullptr;
  JobExecution* jobs = nullptr;
  // Told where the database is once its credentials were read, before it is asked anything. False when as many resources of its
  // server are worked on as may be: the reconcile ends there, and is begun anew when there is room. Empty: there always is.
  std::function<bool(const DatabaseMigration& resource, const DatabaseLocation& place)> has_room = {};
  // Told which database that is, once it was looked at; answers with another resource that manages the same version table and
  // was there first. Empty: there never is one.
  std::function<std::string(const DatabaseMigration& resource, const DatabaseLocation& place)> claim = {};
  // libpq's keywords and values of a URL. May be empty where nothing is ever approved.
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords = {};
};

// Whether what a reconcile began with is declared still. Withdrawn: the resource was suspended or deleted.
enum class DeclarationState : std::uint8_t { Holds, Changed, Withdrawn };

// What a reconcile tells while it is under way, at most once a second, and what it asks; empty: nobody listens, nothing
// changes.
struct ReconcileNotes {
  std::function<void(const RunNote&, const ProgressStatus&)> running;
  std::function<void(const RunNote&, const std::string& message)> backing_up;
  std::function<DeclarationState()> standing;
};

// Of a resource, from one reconcile to the next. It only ever saves work: losing it costs a repeated look, never a wrong step.
// There is one for each of very many resources, most of which never failed and have no Jobs.
struct ReconcileMemory {
  struct FailedPlan {
    std::string attempt;  // fingerprint of plan and declaration
    Outcome outcome;
  };
  struct ReportedJob {
    std::string uid;
    std::shared_ptr<const ReportedRun> run;
  };
  ShortDigest verified{};                 // of the snapshot and the rows that were compared with the ledger; zeros: none were
  std::unique_ptr<FailedPlan> failed;     // for good
  std::unique_ptr<ReportedJob> reported;  // the Job whose end was told
  bool met_lock = false;
};

struct ReconcileContext {
  ReconcilerParts& parts;
  const DatabaseMigration& resource;
  ReconcileMemory& memory;
  const ReconcileNotes& notes;
  const StopToken& stop;
  const Log& log;
};

struct Findings {
  std::shared_ptr<SourceSnapshot> snapshot;  // null: the files are in an image
  std::string image;                         // that a Job has read for this declaration
  std::optional<Error> source_doubt;         // the snapshot is what the source held last
  DatabaseTarget target;
  DatabaseLocation place;
  std::string scope;                             // of approvals
  std::string approvable;                        // what an approval names that the plan waits for
  DatabaseAccess* access = nullptr;              // borrowed; null: there is no connection yet
  std::optional<std::vector<std::string>> rows;  // of the version table
  std::optional<std::vector<std::string>> resolved;
  std::optional<std::vector<std::string>> pending;
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> destructive;
  std::optional<Approval> approval;
  std::optional<BackupStatus> backup;
  bool backup_accepted = false;
  std::optional<Error> backup_error;  // there is none, and it is not required
  std::optional<JobStatus> job;

  // Of the plan that was found.
  [[nodiscard]] RunNote note() const;
};

// The value of kRetryNowAnnotation.
[[nodiscard]] std::string retry_annotation(const DatabaseMigration& resource);
[[nodiscard]] std::vector<std::string> ids_of(const Plan& plan);
// "1 revision", "2 revisions".
[[nodiscard]] std::string count_of_revisions(std::size_t count);
// Of a dry run.
[[nodiscard]] Outcome published(const Plan& plan);

}  // namespace athanor::controller
