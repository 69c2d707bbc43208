// One reconcile of one resource: observe, decide, plan, pass the gate, back up, execute, report.
//
// The reconciler holds no state of resources but one memory per key, which only ever saves work: which plan failed for
// good under which declaration (so that a resync does not run it again), which files were compared with the ledger, and whether
// the last attempt met the migration lock. Losing it costs a repeated look, never a wrong step.
//
// Threads: reconcile() may run for different keys at once, never twice for one (the work queue sees to that). Ownership:
// borrows everything in ReconcilerParts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/base/stop.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/backup_service.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/decide.hpp"
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
  // Told where the database is once its credentials were read ("host:port/app"); answers with another resource that manages the
  // same version table and was there first. Empty: the store knows such things by itself.
  std::function<std::string(const DatabaseMigration& resource, const std::string& described)> claim = {};
};

// What a reconcile tells while it is under way, at most once a second; empty: nobody listens.
struct ReconcileNotes {
  std::function<void(const Plan&, const ProgressStatus&)> running;
  std::function<void(const std::string& message)> backing_up;
};

class Reconciler {
 public:
  explicit Reconciler(ReconcilerParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Outcome reconcile(const DatabaseMigration& resource, const std::string& claimed_by, const ReconcileNotes& notes,
                                  const StopToken& stop, const Log& log);
  void forget(const ResourceKey& key);

 private:
  struct FailedPlan {
    std::string attempt;  // fingerprint of plan and declaration
    Outcome outcome;
  };
  struct ToldJob {
    std::string uid;
    std::shared_ptr<const ToldRun> run;
  };
  // One for each of very many resources, most of which never failed and have no Jobs.
  struct Memory {
    ShortDigest verified{};              // of the snapshot and the rows that were compared with the ledger; zeros: none were
    std::unique_ptr<FailedPlan> failed;  // for good
    std::unique_ptr<ToldJob> told;       // the Job whose end was told
    bool met_lock = false;
  };
  class Run;

  // Takes it out: who reconciles brings it back.
  [[nodiscard]] Memory recall(const ResourceKey& key);
  void remember(const ResourceKey& key, Memory memory);

  ReconcilerParts parts_;
  std::mutex mutex_;
  std::map<ResourceKey, Memory> memories_;
};

}  // namespace athanor::controller
