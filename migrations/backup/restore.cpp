#include "migrations/backup/restore.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/backup/backup_run.hpp"
#include "migrations/backup/database_facts.hpp"
#include "migrations/backup/database_swap.hpp"
#include "migrations/backup/new_database.hpp"
#include "migrations/backup/restore_run.hpp"
#include "migrations/backup/retention.hpp"
#include "migrations/backup/server_names.hpp"
#include "migrations/base/ids.hpp"
#include "migrations/execute/migration_lock.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/pooler.hpp"

namespace athanor {
namespace {

std::string joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) {
    text += text.empty() ? "" : ", ";
    text += row;
  }
  return text.empty() ? "base" : text;
}

class Restore {
 public:
  Restore(const RestoreTools& tools, const RestoreJob& job) : tools_(tools), job_(job) {}
  ~Restore() { drop_scratch(); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

  Result<RestoreReport> run() {
    const auto start = tools_.clock.steady_now();
    // Verify first: a corrupt dump must not fill the server with a database that will be dropped.
    TRY_ASSIGN(report_.record,
               verify_backup(tools_.store, job_.reference, job_.backup, tools_.progress, tools_.clock, tools_.stop));
    TRY_ASSIGN(maintenance_, connect_beside());
    TRY_ASSIGN(const bool taken, exists(job_.database));
    if (taken) {
      TRY(guard_existing());
    }
    TRY(create_scratch());
    TRY(fill_scratch());
    TRY(check_scratch());
    say_about_scratch(split_settings(report_.record.properties).server);
    TRY(give_name(taken));
    report_.database = job_.database;
    report_.duration = std::chrono::duration_cast<milliseconds>(tools_.clock.steady_now() - start);
    return std::move(report_);
  }

 private:
  // Opens a session in another database: a database cannot be renamed from within.
  Result<std::unique_ptr<Session>> connect_beside() {
    std::optional<Error> first;
    for (const char* name : {"postgres", "template1"}) {
      // This one will be renamed.
      if (name == job_.database) {
        continue;
      }
      TRY_ASSIGN(const auto factory, tools_.connect(name));
      auto session = factory->open();
      if (session) {
        TRY(use_server_names(**session));
        return std::move(*session);
      }
      if (!first) {
        first = std::move(session).error();
      }
    }
    return fail(
        std::move(first).value_or(Error(ErrorCode::BackupFailed, "cannot connect to any other database of the server")));
  }

  Result<bool> exists(const std::string& database) {
    TRY_ASSIGN(const Rows rows, maintenance_->query("SELECT 1 FROM pg_database WHERE datname = $1", {database}));
    return !rows.empty();
  }

  Result<void> guard_existing() {
    if (!job_.replace) {
      return fail(Error(ErrorCode::PolicyRefused, "the database '" + job_.database + "' already exists")
                      .advise("choose another name with --into, or replace it with --replace --confirm " + job_.database));
    }
    TRY_ASSIGN(const auto factory, tools_.connect(job_.database));
    TRY_ASSIGN(existing_, factory->open());
    TRY(use_server_names(*existing_));
    TRY(refuse_pooler(*existing_, job_.backup.allow_session_pooler));
    // One attempt: refuse while a migration runs, instead of waiting for it.
    TRY(MigrationLock::acquire(*existing_, tools_.clock, tools_.stop, {milliseconds(0), nullptr}));
    return {};
  }

  Result<void> create_scratch() {
    const std::string name = derived_name(job_.database, "restoring_" + random_hex(8));
    DatabaseProperties properties = report_.record.properties;
    TRY(choose_tablespace(properties));
    auto made = maintenance_->execute_autocommit(create_database_sql(name, properties, true));
    // 42501: this user may not give the database to its owner. 42704: the owner does not exist on this server.
    if (!made && (made.error().sqlstate == "42501" || made.error().sqlstate == "42704")) {
      tools_.progress.warning("cannot make '" + properties.owner + "' the owner of the database: " + made.error().describe());
      made = maintenance_->execute_autocommit(create_database_sql(name, properties, false));
    }
    if (!made) {
      return fail(std::move(made).error().at("creating a database for the restore"));
    }
    scratch_ = name;
    // Settings of extensions and applications must be in force before pg_restore connects.
    say_about_scratch(split_settings(report_.record.properties).own);
    return {};
  }

  // Keeps the recorded tablespace if it exists and the user may create in it.
  Result<void> choose_tablespace(DatabaseProperties& properties) {
    if (properties.tablespace.empty()) {
      return {};
    }
    TRY_ASSIGN(const Rows usable, maintenance_->query("SELECT 1 FROM pg_tablespace WHERE spcname = $1 AND"
                                                      " has_tablespace_privilege(oid, 'CREATE')",
                                                      {properties.tablespace}));
    if (usable.empty()) {
      tools_.progress.warning("cannot create the database in tablespace '" + properties.tablespace +
                              "', which does not exist or is not accessible to this user; using the default tablespace");
      properties.tablespace.clear();
    }
    return {};
  }

  void say_about_scratch(const DatabaseProperties& properties) {
    for (const std::string& statement : describe_database_sql(scratch_, properties)) {
      if (auto done = maintenance_->execute_autocommit(statement); !done) {
        tools_.progress.warning("not restored: " + statement.substr(0, statement.find(" TO ")) + ": " +
                                done.error().describe());
      }
    }
  }

  Result<void> fill_scratch() {
    tools_.progress.stage(BackupStage::Restoring, report_.record.file);
    return run_pg_restore({.store = tools_.store,
                           .record = report_.record,
                           .job = job_.backup,
                           .database = scratch_,
                           .server_major = maintenance_->server_version() / 10'000,
                           .jobs = job_.jobs},
                          tools_.progress, tools_.clock, tools_.stop);
  }

  // Compares the restored heads with the manifest, then runs ANALYZE, because a dump contains no statistics.
  Result<void> check_scratch() {
    tools_.progress.stage(BackupStage::Analyzing, scratch_);
    TRY_ASSIGN(const auto factory, tools_.connect(scratch_));
    // Local to this function: the database cannot be renamed while a session is connected to it.
    TRY_ASSIGN(const auto session, factory->open());
    TRY_ASSIGN(const std::string versions, use_server_names(*session, report_.record.version_table));
    TRY_ASSIGN(const auto revisions, read_revisions(*session, versions));
    if (revisions != report_.record.revisions) {
      return fail(Error(ErrorCode::BackupCorrupt, "the restored database is at " + joined(revisions) +
                                                      ", but the manifest records " + joined(report_.record.revisions))
                      .at(report_.record.location));
    }
    // ANALYZE can take long; a stop cancels it.
    session->set_wait_listener([this](milliseconds) { return tools_.stop.requested(); });
    if (auto analysed = session->execute_autocommit("ANALYZE"); !analysed) {
      if (tools_.stop.requested()) {
        return fail(Error(ErrorCode::Interrupted, "stopped; nothing was changed"));
      }
      tools_.progress.warning("ANALYZE failed: " + analysed.error().describe());
    }
    return {};
  }

  Result<void> give_name(bool taken) {
    if (tools_.stop.requested()) {
      return fail(Error(ErrorCode::Interrupted, "stopped; nothing was changed"));
    }
    tools_.progress.stage(BackupStage::Swapping, job_.database);
    DatabaseSwap swap(*maintenance_, tools_.clock);
    if (!taken) {
      TRY(swap.rename(scratch_, job_.database));
      // The name is given: from here on, the destructor must not drop the database.
      scratch_.clear();
      return {};
    }
    TRY_ASSIGN(report_.previous, swap.replace(job_.database, scratch_, std::move(existing_)));
    scratch_.clear();
    if (job_.drop_previous) {
      if (auto dropped = swap.drop(report_.previous); dropped) {
        report_.previous.clear();
      } else {
        tools_.progress.warning("the old database is kept as '" + report_.previous + "': " + dropped.error().describe());
      }
    }
    return {};
  }

  void drop_scratch() {
    if (scratch_.empty() || !maintenance_) {
      return;
    }
    // The server may have restarted during a long restore.
    if (!maintenance_->alive()) {
      if (auto again = connect_beside(); again) {
        maintenance_ = std::move(*again);
      }
    }
    if (auto dropped = DatabaseSwap(*maintenance_, tools_.clock).drop(scratch_); !dropped) {
      tools_.progress.warning("the unfinished database '" + scratch_ + "' could not be dropped: " + dropped.error().describe());
    }
  }

  const RestoreTools& tools_;
  const RestoreJob& job_;
  RestoreReport report_;
  std::unique_ptr<Session> maintenance_;
  std::unique_ptr<Session> existing_;  // holds the migration lock of the database being replaced
  std::string scratch_;
};

}  // namespace

Result<RestoreReport> restore_backup(const RestoreTools& tools, const RestoreJob& job) {
  return Restore(tools, job).run();
}

}  // namespace athanor
