// The reconciler's view of databases: narrow enough for a recording fake, wide enough for the real migrator.
//
// One DatabaseAccess is one reconcile's connection: it observes and executes on the same session, unless it can observe through
// one that is kept (session_cache.hpp). A CredentialSource reads what the URL is made of at the last moment (environment and
// files in standalone mode, Secrets in a cluster).
//
// Threads: an access belongs to one thread; factories and credential sources are safe from any thread. Ownership: an access
// owns its session; `progress` is borrowed for its life.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrations/drift/compare_catalog.hpp"
#include "migrations/drift/run_record.hpp"
#include "migrations/execute/migrator.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/hidden_values.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

struct DatabaseTarget {
  std::string url;  // holds the password: never logged
  MigratorSettings settings;
  StopToken stop{};  // heard while connecting and observing; must outlive every access that is opened with it
  std::optional<DriftSettings> drift{};  // unless policy.drift is Ignore: runs record the catalog
  OnDrift on_drift = OnDrift::Record;    // of a run that finds the schema changed by hand
  HiddenValues hidden;                   // what of it was read through references
};

class DatabaseAccess {
 public:
  virtual ~DatabaseAccess() = default;
  [[nodiscard]] virtual Result<Observation> observe() = 0;
  [[nodiscard]] virtual Result<std::vector<Blocker>> lock_holders() = 0;
  // Newest first; empty without a ledger.
  [[nodiscard]] virtual Result<std::vector<Migrator::HistoryEntry>> ledger(std::size_t limit) = 0;
  // Migrator::last_change.
  [[nodiscard]] virtual Result<std::optional<LastChange>> last_change() = 0;
  // Migrator::has_user_tables.
  [[nodiscard]] virtual Result<bool> has_user_tables() = 0;
  // Migrator::recorded_lineage.
  [[nodiscard]] virtual Result<RecordedLineage> recorded_lineage(const RevisionGraph& files,
                                                                 const std::vector<std::string>& heads) = 0;
  // The database against what the ledger recorded of it. Only with DatabaseTarget::drift.
  [[nodiscard]] virtual Result<DriftCheck> check_drift() = 0;
  // `plan` may be null.
  [[nodiscard]] virtual Result<void> verify_checksums(const SourceSnapshot& snapshot, const std::vector<std::string>& rows,
                                                      const Plan* plan) = 0;
  // `pre_run_check` is asked once the migration lock is held, before anything is changed.
  [[nodiscard]] virtual ExecutionReport execute(const Plan& plan, const StopToken& stop,
                                                const Migrator::PreRunCheck& pre_run_check) = 0;
};

class DatabaseAccessFactory {
 public:
  virtual ~DatabaseAccessFactory() = default;
  // Does not connect yet.
  [[nodiscard]] virtual Result<std::unique_ptr<DatabaseAccess>> open(const DatabaseTarget& target, ProgressSink& progress) = 0;
  // "db.example.org:5432/app" without credentials; does not connect.
  [[nodiscard]] virtual Result<std::string> describe(const DatabaseTarget& target) = 0;
};

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  [[nodiscard]] virtual Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) = 0;
  // Whether a resource may refer to files and to the libpq environment of the operator's process. Not on a cluster: those who
  // write resources there are not those who run the operator.
  [[nodiscard]] virtual bool shares_process_environment() const { return true; }
  // The path of a file that holds the same, readable by its owner alone, for libraries that want certificates in files.
  [[nodiscard]] virtual Result<std::string> file(const DatabaseMigration& resource, const SecretReference& reference) = 0;
};

// The URL and settings that a resource declares. Where the process environment is not shared, a URL that names files or
// services is refused, and libpq is pointed away from the files it reads by default. An error holds nothing of what was read.
[[nodiscard]] Result<DatabaseTarget> make_target(const DatabaseMigration& resource, CredentialSource& credentials);

// Where a resource's version table is: as it declares that, and what the server there calls it.
struct DatabaseLocation {
  std::string described;  // "db.example.org:5432/app"
  std::string identity;   // Observation::identity; empty before the first observation
};

// The part of an identity that survives a restart of the server.
[[nodiscard]] std::string lasting_part(const std::string& identity);

// A version table as it is declared: "host:port/app#schema.alembic_version". One table may be declared in several ways.
[[nodiscard]] std::string claim_of(const std::string& described, const DatabaseMigration& resource);
// "host:port" of "host:port/app".
[[nodiscard]] std::string server_of(const std::string& described);

// The real thing: a Migrator over sessions that `connect` makes. Whatever a server does, an observation ends within a minute of
// connecting.
using SessionFactoryMaker = std::function<Result<std::unique_ptr<SessionFactory>>(
    const std::string& url, const ExecutionSettings& settings, const StopToken& stop)>;
[[nodiscard]] std::unique_ptr<DatabaseAccessFactory> make_migrator_access(SessionFactoryMaker connect, Clock& clock);

}  // namespace athanor::controller
