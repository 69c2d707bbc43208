// A database with a few objects and rows, a backup store, and calls of the backup functions on both.
//
// Threads: one thread. Ownership: owns the database.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup.hpp"
#include "migrations/backup/dump_slot.hpp"
#include "migrations/backup/restore.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "tests/support/client_folder.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor::test {

struct RecordingProgress final : BackupProgress {
  std::vector<BackupStage> stages;
  std::vector<std::string> warnings;
  std::vector<Blocker> waited_for;
  std::function<void()> on_waiting;
  std::function<void()> on_bytes;
  std::function<void(BackupStage)> on_stage;
  void stage(BackupStage stage, const std::string&) override {
    stages.push_back(stage);
    if (on_stage) {
      on_stage(stage);
    }
  }
  void waiting(const std::vector<Blocker>& dumps, milliseconds) override {
    waited_for = dumps;
    if (on_waiting) {
      on_waiting();
    }
  }
  void bytes(std::uint64_t, std::uint64_t, milliseconds) override {
    if (on_bytes) {
      on_bytes();
    }
  }
  void warning(const std::string& text) override { warnings.push_back(text); }
};

class BackupScene {
 public:
  explicit BackupScene(std::string_view hint = "backup") : database(hint) {
    database.run(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1');"
        "CREATE TYPE mood AS ENUM ('sad', 'ok');"
        "CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'ok');"
        "CREATE INDEX people_name ON people (lower(name));"
        "CREATE VIEW happy AS SELECT * FROM people WHERE mood = 'ok';"
        "INSERT INTO people (name) SELECT md5(g::text) FROM generate_series(1, 20000) g");
    job = job_for(database.url());
  }

  [[nodiscard]] static BackupJob job_for(const std::string& url) {
    BackupJob made;
    made.connection = postgres::parse_connection_string(url).value().keywords;
    made.environment = {"PATH=/usr/bin:/bin"};
    made.path = {client_folder()};
    made.actor = "tester";
    return made;
  }

  [[nodiscard]] std::unique_ptr<SessionFactory> factory(const std::string& url) const {
    return postgres::PostgresFactory::create(url, {}).value();
  }
  [[nodiscard]] Result<BackupRecord> ensure(BackupStore& into, const BackupJob& with) {
    const auto sessions = factory(database.url());
    return ensure_backup({into, *sessions, clock, progress, stop.token()}, with);
  }
  [[nodiscard]] Result<BackupRecord> ensure() { return ensure(store, job); }

  [[nodiscard]] Result<RestoreReport> restore(const std::string& reference, const std::string& name, bool replace) {
    RestoreJob restore_job;
    restore_job.reference = reference;
    restore_job.database = name;
    restore_job.replace = replace;
    restore_job.backup = job;
    const ConnectTo connect = [this](const std::string& to) -> Result<std::unique_ptr<SessionFactory>> {
      return factory(url_of(to));
    };
    return restore_backup({store, connect, clock, progress, stop.token()}, restore_job);
  }

  TestDatabase database;
  MemoryStore store;
  RecordingProgress progress;
  SystemClock clock;
  StopSource stop;
  BackupJob job;
};

// Drops a database at the end of the scope.
struct Leftover {
  std::string name;
  ~Leftover() {
    try {
      Client(server_url()).run("DROP DATABASE IF EXISTS \"" + name + "\" WITH (FORCE)");
    } catch (const std::exception&) {  // the server has stopped and takes the database with it
    }
  }
};

}  // namespace athanor::test
