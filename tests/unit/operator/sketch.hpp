// Fakes for the operator's tests: revisions in memory, resources, and a database that is a plain value.
//
// Threads: one thread, except FakeDatabases::open(). Ownership: fakes are owned by the test and must outlive the code under
// test.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/gate.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller::sketch {

inline MemorySource::File revision(const std::string& id, const std::string& down, const std::string& body = "SELECT 1;",
                                   const std::string& extra = "") {
  return {id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + down + "\n" + extra +
                           "\n-- athanor:upgrade\n" + body + "\n\n-- athanor:downgrade\nSELECT 2;\n"};
}

// Revisions a1 <- a2 <- a3, and b1 <- b2 as a branch from a1.
inline std::vector<MemorySource::File> line_and_branch() {
  return {revision("a1", ""), revision("a2", "a1"), revision("a3", "a2"), revision("b1", "a1"), revision("b2", "b1")};
}
inline std::vector<MemorySource::File> line() {
  return {revision("a1", ""), revision("a2", "a1"), revision("a3", "a2")};
}

inline std::shared_ptr<SourceSnapshot> snapshot(std::vector<MemorySource::File> files, const std::string& id = "1") {
  auto source = std::make_unique<MemorySource>(std::move(files));
  auto revisions = source->list();
  auto graph = revisions ? RevisionGraph::build(std::move(*revisions)) : fail(std::move(revisions).error());
  return std::make_shared<SourceSnapshot>(id, std::move(source), std::move(graph.value()));
}

inline DatabaseMigration resource(const std::string& target = "head") {
  DatabaseMigration resource;
  resource.metadata.name = "orders";
  resource.metadata.name_space = "shop";
  resource.metadata.generation = 1;
  resource.spec.database.url = "postgresql://db/orders";
  resource.spec.source.path = "rev";
  resource.spec.target_revision = target;
  return resource;
}

// A database as a plain value, which records the calls. It behaves like the real migrator; the contract test in
// tests/postgres/operator checks that.
struct FakeDatabase {
  Observation observation;
  std::vector<Blocker> holders;                // of the migration lock; a run is refused while there are any
  std::vector<Migrator::HistoryEntry> ledger;  // newest first; set by the test
  Rows recorded;                               // the answer of HistoryTable::select_lineage()
  std::optional<LastChange> last_change;
  bool has_user_tables = false;
  DriftCheck drift;
  std::optional<Error> drift_error;
  LiveDatabase live;
  std::optional<Error> live_error;
  bool unreachable = false;
  std::map<std::string, Error> broken;           // revision -> the error of its statement
  std::map<std::string, std::string> checksums;  // revision -> checksum of the body that was applied
  // Overrides that a test sets.
  std::optional<Error> open_error;
  std::optional<Error> observe_error;
  std::optional<Error> checksum_error;
  std::function<ExecutionReport(const Plan&, const StopToken&)> on_execute;
  std::function<void()> before_check;  // runs while the migrator waits for the lock
  std::vector<std::string> calls;

  [[nodiscard]] Result<void> reach() const {
    return unreachable ? fail(ErrorCode::DatabaseUnreachable, "connection refused") : Result<void>();
  }

  ExecutionReport run(const Plan& plan, const StopToken& stop, const Migrator::PreRunCheck& pre_run_check) {
    if (on_execute) {
      return on_execute(plan, stop);
    }
    ExecutionReport report;
    report.run_id = "run";
    report.current_heads = plan.from;
    if (plan.empty()) {
      return report;
    }
    if (auto refused = refusal(plan, stop)) {
      report.error = std::move(refused);
      report.blockers = report.error->code == ErrorCode::LockHeld ? holders : std::vector<Blocker>();
      return report;
    }
    if (before_check) {
      before_check();
    }
    if (auto permitted = pre_run_check ? pre_run_check() : Result<void>(); !permitted) {
      report.error = std::move(permitted).error();
      return report;
    }
    observation.has_version_table = observation.has_ledger = true;
    for (const auto& step : plan.revisions) {
      const std::string id = step.walk.revision.value_or("");
      if (const auto found = broken.find(id); found != broken.end()) {
        report.error = found->second;
        report.failed_revision = id;
        break;
      }
      report.executed.push_back({id, step.walk.direction, milliseconds(1)});
      report.current_heads = step.walk.heads;
      checksums.erase(id);
      if (step.walk.direction == Direction::Upgrade && step.script) {  // a stamp executes nothing
        checksums[id] = step.script->checksum;
      }
    }
    observation.current_heads = *report.current_heads;
    return report;
  }

 private:
  [[nodiscard]] std::optional<Error> refusal(const Plan& plan, const StopToken& stop) const {
    if (auto reached = reach(); !reached) {
      return reached.error();
    }
    if (stop.requested()) {
      return Error(ErrorCode::Interrupted, "told to stop");
    }
    if (!holders.empty()) {
      return Error(ErrorCode::LockHeld, "the migration lock is held");
    }
    if (observation.current_heads != plan.from) {
      return Error(ErrorCode::StalePlan, "the database changed after the plan was made");
    }
    return std::nullopt;
  }
};

class FakeAccess final : public DatabaseAccess {
 public:
  FakeAccess(FakeDatabase& database, ProgressSink& sink) : database_(database), sink_(sink) {}
  Result<Observation> observe() override {
    database_.calls.emplace_back("observe");
    TRY(database_.reach());
    if (database_.observe_error) {
      return fail(*database_.observe_error);
    }
    return database_.observation;
  }
  Result<std::vector<Blocker>> lock_holders() override {
    database_.calls.emplace_back("lock_holders");
    TRY(database_.reach());
    return database_.holders;
  }
  Result<std::vector<Migrator::HistoryEntry>> ledger(std::size_t limit) override {
    database_.calls.emplace_back("ledger");
    TRY(database_.reach());
    auto newest = database_.ledger;
    newest.resize(std::min(newest.size(), limit));
    return newest;
  }
  Result<std::optional<LastChange>> last_change() override {
    database_.calls.emplace_back("last_change");
    TRY(database_.reach());
    return database_.last_change;
  }
  Result<bool> has_user_tables() override {
    database_.calls.emplace_back("has_user_tables");
    TRY(database_.reach());
    return database_.has_user_tables;
  }
  Result<RecordedLineage> recorded_lineage(const RevisionGraph& files, const std::vector<std::string>& heads) override {
    database_.calls.emplace_back("recorded_lineage");
    TRY(database_.reach());
    return trace_lineage(database_.recorded, files, heads);
  }
  Result<DriftCheck> check_drift() override {
    database_.calls.emplace_back("check_drift");
    TRY(database_.reach());
    return database_.drift_error ? Result<DriftCheck>(fail(*database_.drift_error)) : Result<DriftCheck>(database_.drift);
  }
  Result<LiveDatabase> live_database() override {
    database_.calls.emplace_back("live_database");
    TRY(database_.reach());
    return database_.live_error ? Result<LiveDatabase>(fail(*database_.live_error)) : Result<LiveDatabase>(database_.live);
  }
  Result<void> verify_checksums(const SourceSnapshot& snapshot, const std::vector<std::string>&, const Plan*) override {
    database_.calls.emplace_back("verify");
    TRY(database_.reach());
    if (database_.checksum_error) {
      return fail(*database_.checksum_error);
    }
    for (const auto& [id, checksum] : database_.checksums) {
      if (const Revision* revision = snapshot.graph().find(id)) {
        TRY_ASSIGN(const auto body, snapshot.source().read(*revision));
        if (sha256_hex(body) != checksum) {
          return fail(ErrorCode::ChecksumMismatch, id + " changed");
        }
      }
    }
    return {};
  }
  ExecutionReport execute(const Plan& plan, const StopToken& stop, const Migrator::PreRunCheck& pre_run_check) override {
    database_.calls.emplace_back("execute");
    if (!plan.empty()) {
      sink_.run_started(plan);
    }
    return database_.run(plan, stop, pre_run_check);
  }

 private:
  FakeDatabase& database_;
  ProgressSink& sink_;
};

class FakeDatabases final : public DatabaseAccessFactory {
 public:
  Result<std::unique_ptr<DatabaseAccess>> open(const DatabaseTarget& target, ProgressSink& progress) override {
    const std::lock_guard lock(mutex_);
    targets.push_back(target);
    sink = &progress;
    if (database.open_error) {
      return fail(*database.open_error);
    }
    return std::make_unique<FakeAccess>(database, progress);
  }
  Result<std::string> describe(const DatabaseTarget&) override { return std::string("db:5432/orders"); }

  FakeDatabase database;
  std::vector<DatabaseTarget> targets;
  ProgressSink* sink = nullptr;  // the last reconcile's; valid only during it

 private:
  std::mutex mutex_;
};

class FakeSources final : public SourceProvider {
 public:
  Result<LoadedSource> load(const DatabaseMigration& resource) override {
    known_since = resource.known_since;
    if (error) {
      return fail(*error);
    }
    if (!unusable.empty()) {
      LoadedSource loaded(nullptr, Error(ErrorCode::MalformedRevision, "no header"));
      loaded.unusable_revision = unusable;
      return loaded;
    }
    return LoadedSource(current, doubt);
  }
  std::shared_ptr<SourceSnapshot> current;
  std::optional<Error> error;
  std::optional<Error> doubt;
  std::string unusable;      // the version of a source that was fetched but contains no valid revisions
  SteadyTime known_since{};  // of the last loaded resource
};

class GivenApprovals final : public ApprovalSource {
 public:
  [[nodiscard]] std::vector<Approval> approvals(const ResourceKey&) const override { return given; }
  [[nodiscard]] Result<WallTime> trusted_since() const override { return trusted; }
  std::vector<Approval> given;
  Result<WallTime> trusted = WallTime{};
};

class FakeCredentials final : public CredentialSource {
 public:
  Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) override {
    if (const auto found = newest.find(reference.value); found != newest.end() && resource.known_since == SteadyTime::max()) {
      return found->second;
    }
    if (const auto found = values.find(reference.value); found != values.end()) {
      return found->second;
    }
    return fail(ErrorCode::MissingDatabaseUrl, "no such secret");
  }
  Result<std::string> file(const DatabaseMigration&, const SecretReference& reference) override {
    return "/certificates/" + reference.value;
  }
  std::map<std::string, std::string> values;
  std::map<std::string, std::string> newest;  // returned instead of `values` when the caller requires a fresh read
};

}  // namespace athanor::controller::sketch
