// The migrator: observes one database and executes plans on it.
//
// One object per run and database. observe() needs no lock and one round trip; execute() takes the migration lock on the same
// session, looks again, refuses a plan that no longer fits (StalePlan), creates version table and ledger if they are missing,
// and runs every step. What happened is data: an ExecutionReport names the applied revisions even when a later one failed.
//
// Threads: one thread per migrator. Ownership: borrows factory, clock and sink; owns its session and closes it (and with it
// the lock) when destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/execute/session.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/configuration.hpp"

namespace athanor {

struct MigratorSettings {
  std::string version_table = "alembic_version";
  std::string version_table_schema;
  bool version_table_pk = true;
  bool transaction_per_migration = true;
  std::string ledger_schema = "athanor";
  ExecutionSettings execution;
  std::string actor;      // who: "alice@laptop", "databasemigration/shop/orders"
  std::string run_id;     // new_run_id() when empty
  bool identify = false;  // observe() asks which database it is: Observation::identity

  [[nodiscard]] static MigratorSettings from(const Configuration& configuration);
};

// What the ledger says of one revision as it was last applied.
struct AppliedRevision {
  std::string revision;
  std::string checksum;  // empty when it was applied by another tool or stamped
  std::string applied_at;
  std::string actor;
  std::string tool;  // "athanor 0.1.0"
};

// A multi-step revision that stopped half-way.
struct UnfinishedStep {
  std::string revision;
  Direction direction = Direction::Upgrade;
  int step = 0;       // index of the first step that is not done
  int statement = 0;  // autocommit: the statement whose outcome must be probed
  bool intent = false;
  std::string before;                 // autocommit: what the catalog said before the statement was sent
  std::optional<std::string> cursor;  // batch: last key done, as text
  std::int64_t rows = 0;              // batch: rows done so far
  std::string checksum;               // of the text that was half-applied
};

struct Observation {
  std::vector<std::string> rows;  // of the version table, sorted
  bool has_version_table = false;
  bool has_ledger = false;
  bool read_only = false;  // a standby: may be looked at, not migrated
  int server_version = 0;
  std::optional<UnfinishedStep> unfinished;
  // Which version table of which database of which running server, in the server's words: the same text by whatever host name,
  // port, user or search_path it was reached. Another one after a restart, and for a copy of the server. Empty unless asked
  // for.
  std::string identity;
};

struct Blocker {
  int pid = 0;
  std::string application;
  std::string user;
  std::string client;
  std::string state;
  std::string since;  // ISO 8601
  std::string query;  // sanitised
};

// Who follows a run. Called from the migrator's thread; must not block for long. Everything has an empty default, so a sink
// names only what it shows.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void run_started(const Plan& /*plan*/) {}
  virtual void waiting_for_lock(const std::vector<Blocker>& /*holders*/, milliseconds /*waited*/) {}
  virtual void revision_started(std::size_t /*index*/, const PlannedRevision& /*revision*/) {}
  virtual void step_started(const PlannedRevision& /*revision*/, std::size_t /*step*/) {}
  virtual void batch_progress(const PlannedRevision& /*revision*/, std::int64_t /*rows*/, milliseconds /*elapsed*/) {}
  virtual void blocked(const PlannedRevision& /*revision*/, const std::vector<Blocker>& /*blockers*/, milliseconds /*waited*/) {
  }
  virtual void retrying(const PlannedRevision& /*revision*/, const Error& /*error*/, int /*attempt*/, milliseconds /*delay*/) {}
  virtual void revision_finished(std::size_t /*index*/, const PlannedRevision& /*revision*/, milliseconds /*duration*/) {}
  virtual void run_finished(const struct ExecutionReport& /*report*/) {}
};

struct ExecutedRevision {
  std::string revision;
  Direction direction = Direction::Upgrade;
  milliseconds duration{0};
};

// Partial failure is data: `executed` is always what is in the database, whatever `error` says.
struct ExecutionReport {
  std::string run_id;
  std::vector<ExecutedRevision> executed;
  std::vector<std::string> rows;  // of the version table as the run leaves it
  std::optional<Error> error;     // why it stopped early
  std::string failed_revision;
  std::string failed_statement;   // sanitised
  int failed_line = 0;            // in the revision's file
  std::vector<Blocker> blockers;  // as last seen, when it was a lock
  int lock_retries = 0;
  milliseconds duration{0};
  milliseconds lock_waited{0};
  [[nodiscard]] bool ok() const { return !error.has_value(); }
};

class Migrator {
 public:
  Migrator(SessionFactory& factory, Clock& clock, MigratorSettings settings, ProgressSink& sink);
  ~Migrator();
  Migrator(const Migrator&) = delete;
  Migrator& operator=(const Migrator&) = delete;

  // Connects if need be, and looks. No lock, nothing created.
  [[nodiscard]] Result<Observation> observe();
  // Checksums of applied revisions as the ledger has them, keyed by revision; empty without a ledger.
  [[nodiscard]] Result<std::map<std::string, AppliedRevision>> applied_revisions();
  // Compares the files of applied revisions with the ledger. The first difference is ChecksumMismatch with a diff hint. Bodies
  // that `plan` already read are not read again.
  [[nodiscard]] Result<void> verify_checksums(const RevisionGraph& graph, const RevisionSource& source,
                                              const std::vector<std::string>& rows, const Plan* plan = nullptr);
  // Runs the plan. Never throws; the report holds the error. An empty plan does nothing and takes no lock. `permit` is asked
  // once, when the lock is held and before anything is changed: it may have been long in coming. Its error ends the run.
  using Permit = std::function<Result<void>()>;
  [[nodiscard]] ExecutionReport execute(const Plan& plan, const StopToken& stop, const Permit& permit = {});
  // Creates the version table and the ledger under the lock (`athanor ensure_version`).
  [[nodiscard]] Result<void> ensure_version(const StopToken& stop);
  // Deletes all rows first, then stamps: `stamp --purge`. Plan made from no rows.
  [[nodiscard]] ExecutionReport purge_and_stamp(const Plan& plan, const StopToken& stop);

  // `athanor repair`: accept the files as they are for these revisions (new checksums), under the lock.
  [[nodiscard]] Result<int> accept_checksums(const std::map<std::string, std::string>& checksum_by_revision,
                                             const StopToken& stop);
  // `athanor repair --step done|redo|abandon`: a human says how the unfinished autocommit statement ended, or that the traces
  // of a half-applied revision were removed by hand.
  enum class StepResolution : std::uint8_t { Done, Redo, Abandon };
  [[nodiscard]] Result<void> resolve_step(StepResolution resolution, const StopToken& stop);

  struct HistoryEntry {
    std::int64_t id = 0;
    std::string run_id, revision, direction, outcome, checksum, plan_hash, started_at, actor, sqlstate, message;
    std::int64_t duration_ms = 0;
  };
  // Newest first; empty without a ledger.
  [[nodiscard]] Result<std::vector<HistoryEntry>> ledger(std::size_t limit);
  // Who holds the migration lock now; empty when nobody does.
  [[nodiscard]] Result<std::vector<Blocker>> lock_holders();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
