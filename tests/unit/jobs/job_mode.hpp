// A fixture for tests of execution.mode Job: a reconciler on the Jobs of job_sketch.hpp, with a database and a ledger in
// memory.
//
// Threads: one thread. Ownership: owns all parts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "operator/reconcile/reconciler.hpp"
#include "tests/unit/jobs/job_sketch.hpp"

namespace athanor::controller {

class CountingObserver final : public ReconcileObserver {
 public:
  void revision_applied(Direction, double) override { ++applied; }
  void run_failed(Reason) override { ++failed; }
  int applied = 0;
  int failed = 0;
};

class CountingBackups final : public BackupService {
 public:
  Result<SavedDatabase> ensure(const BackupRequest& request, const Notice&, const StopToken&) override {
    ++taken;
    destination = request.destination;
    return SavedDatabase();
  }
  int taken = 0;
  std::vector<std::string> destination;
};

class JobModeTest : public JobRunnerTest {
 protected:
  JobModeTest() {
    sources.current = sketch::snapshot(sketch::line());
    resource.metadata.generation = 1;
    restart();
  }
  void restart() {
    fresh_runner = std::make_unique<JobRunner>(kube, clock, JobOptions{"athanor:1", {}, {"images.example.org"}});
    ReconcilerParts parts{sources, credentials, databases, observer, clock};
    parts.jobs = fresh_runner.get();
    parts.backups = &backups;
    parts.approvals = &approvals;
    reconciler = std::make_unique<Reconciler>(parts);
  }
  Outcome reconcile() {
    Outcome outcome = reconciler->reconcile(resource, claimed_by, {}, {}, Log());
    resource.status = summarise(resource, outcome, {1, clock.wall_now(), {}});
    return outcome;
  }
  std::size_t jobs_made() { return kube.count("create", "jobs"); }
  // Adds the newest entry to the ledger, as a run would.
  void note(const std::string& revision, const std::string& outcome, const std::string& sqlstate = "") {
    Migrator::HistoryEntry entry;
    entry.run_id = "r-1";
    entry.revision = revision;
    entry.direction = "upgrade";
    entry.outcome = outcome;
    entry.plan_hash = the_job()["metadata"]["annotations"]["athanor.dev/plan"].get<std::string>();
    entry.started_at = format_iso8601(clock.wall_now());
    entry.duration_ms = 20;
    entry.sqlstate = sqlstate;
    entry.message = outcome == "failed" ? "no such table" : "";
    database().ledger.insert(database().ledger.begin(), entry);
  }
  // Ends the Job with the first of three revisions applied and the second failed.
  void fail_half_way(const std::string& message = R"({"success": false, "run_id": "r-1", "current_revision": ["a1"],
      "failed": {"revision": "a2", "line": 7, "statement": "INSERT"},
      "error": {"code": "statement-failed", "message": "no such table", "sqlstate": "42P01", "retry": "terminal"}})") {
    note("a1", "applied");
    note("a2", "failed", "42P01");
    database().observation.current_heads = {"a1"};
    end_job("Failed", message);
  }
  sketch::FakeDatabase& database() { return databases.database; }

  std::string claimed_by;
  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  CountingObserver observer;
  CountingBackups backups;
  sketch::GivenApprovals approvals;
  std::unique_ptr<JobRunner> fresh_runner;
  std::unique_ptr<Reconciler> reconciler;
};

}  // namespace athanor::controller
