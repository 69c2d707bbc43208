// The reconciler's interface to databases: narrow enough for a recording fake, wide enough for the real migrator.
//
// A DatabaseAccess is the connection of one reconcile. It observes and executes on the same session, unless it can observe
// through a cached one (session_cache.hpp). A CredentialSource reads the parts of the URL as late as possible (environment and
// files in standalone mode, Secrets on a cluster).
//
// Threads: an access is used by one thread; factories and credential sources are safe from any thread. Ownership: an access
// owns its session and borrows `progress`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrations/drift/compare_catalog.hpp"
#include "migrations/drift/run_record.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/lint/live_facts.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/identity/database_token.hpp"
#include "operator/reconcile/hidden_values.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// The token that every connection to a target needs instead of a password.
struct TargetToken {
  TokenSource* source = nullptr;
  TokenWanted wanted;
};

struct DatabaseTarget {
  std::string url;  // contains the password, unless `token` is set: never log it
  std::optional<TargetToken> token{};
  MigratorSettings settings;
  StopToken stop{};                      // ends connecting and observing; must outlive every access opened with this target
  std::optional<DriftSettings> drift{};  // set unless policy.drift is Ignore: runs record the catalog
  OnDrift on_drift = OnDrift::Record;    // of a run that finds the schema changed by hand
  HiddenValues hidden;                   // the values that were read through references
};

class DatabaseAccess {
 public:
  virtual ~DatabaseAccess() = default;
  // Reads the current heads, an unfinished revision and the server's identity, without the migration lock.
  [[nodiscard]] virtual Result<Observation> observe() = 0;
  // Returns the sessions that hold the migration lock now; may be empty.
  [[nodiscard]] virtual Result<std::vector<Blocker>> lock_holders() = 0;
  // Returns the newest `limit` entries, newest first; empty without a ledger.
  [[nodiscard]] virtual Result<std::vector<Migrator::HistoryEntry>> ledger(std::size_t limit) = 0;
  // Migrator::last_change.
  [[nodiscard]] virtual Result<std::optional<LastChange>> last_change() = 0;
  // Migrator::has_user_tables.
  [[nodiscard]] virtual Result<bool> has_user_tables() = 0;
  // Migrator::recorded_lineage.
  [[nodiscard]] virtual Result<RecordedLineage> recorded_lineage(const RevisionGraph& files,
                                                                 const std::vector<std::string>& heads) = 0;
  // Compares the schema with the catalog that the last run recorded. Requires DatabaseTarget::drift.
  [[nodiscard]] virtual Result<DriftCheck> check_drift() = 0;
  // Reads the tables and their sizes, for lint.
  [[nodiscard]] virtual Result<LiveDatabase> live_database() = 0;
  // Compares the revision files with the checksums in the ledger. `plan` may be null.
  [[nodiscard]] virtual Result<void> verify_checksums(const SourceSnapshot& snapshot, const std::vector<std::string>& rows,
                                                      const Plan* plan) = 0;
  // Runs the plan. `pre_run_check` is called when the migration lock is held, before anything is changed.
  [[nodiscard]] virtual ExecutionReport execute(const Plan& plan, const StopToken& stop,
                                                const Migrator::PreRunCheck& pre_run_check) = 0;
};

class DatabaseAccessFactory {
 public:
  virtual ~DatabaseAccessFactory() = default;
  // Creates an access; does not connect yet.
  [[nodiscard]] virtual Result<std::unique_ptr<DatabaseAccess>> open(const DatabaseTarget& target, ProgressSink& progress) = 0;
  // Returns "db.example.org:5432/app", without credentials; does not connect.
  [[nodiscard]] virtual Result<std::string> describe(const DatabaseTarget& target) = 0;
};

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  [[nodiscard]] virtual Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) = 0;
  // Whether a resource may refer to files and to the libpq environment of the operator's process. False on a cluster, where the
  // authors of resources are not the administrators of the operator.
  [[nodiscard]] virtual bool shares_process_environment() const { return true; }
  // Where tokens for databases come from (spec.database.auth); null: nowhere.
  [[nodiscard]] virtual TokenSource* tokens() { return nullptr; }
  // Whether whoever provides this value declares that the server in it is for scratch databases only.
  [[nodiscard]] virtual Result<bool> names_scratch_server(const DatabaseMigration& /*resource*/,
                                                          const SecretReference& /*reference*/) {
    return false;
  }
  // Returns the path of a file with the value, readable only by its owner, for libraries that read certificates from files.
  [[nodiscard]] virtual Result<std::string> file(const DatabaseMigration& resource, const SecretReference& reference) = 0;
};

// Returns the URL and settings that a resource declares. If the process environment is not shared, a URL that names files or
// services is refused, and libpq is directed away from the files it reads by default. An error contains no value that was read.
[[nodiscard]] Result<DatabaseTarget> make_target(const DatabaseMigration& resource, CredentialSource& credentials);

struct ScratchTarget {
  std::string url{};      // empty if none is declared
  bool any_role = false;  // a rehearsal may run there as a role that can do more than create databases
};

// The server of spec.scratch, under the same rules. What was read is added to `hidden`.
[[nodiscard]] Result<ScratchTarget> scratch_target(const DatabaseMigration& resource, CredentialSource& credentials,
                                                   HiddenValues& hidden);

// Where a resource's version table is: as declared, and as the server names it.
struct DatabaseLocation {
  std::string described;  // "db.example.org:5432/app"
  std::string identity;   // Observation::identity; empty before the first observation
};

// Returns the part of an identity that survives a restart of the server.
[[nodiscard]] std::string lasting_part(const std::string& identity);

// Returns the declared name of a version table: "host:port/app#schema.alembic_version". One table may be declared in several
// ways.
[[nodiscard]] std::string claim_of(const std::string& described, const DatabaseMigration& resource);
// Returns "host:port" of "host:port/app".
[[nodiscard]] std::string server_of(const std::string& described);

// The real implementation: a Migrator over sessions that `connect` creates. An observation ends within a minute after
// connecting, regardless of what the server does.
using SessionFactoryMaker = std::function<Result<std::unique_ptr<SessionFactory>>(
    const std::string& url, const ExecutionSettings& settings, const StopToken& stop)>;
[[nodiscard]] std::unique_ptr<DatabaseAccessFactory> make_migrator_access(SessionFactoryMaker connect, Clock& clock);

}  // namespace athanor::controller
