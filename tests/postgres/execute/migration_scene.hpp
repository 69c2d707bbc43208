// A fixture with a database, revisions in memory, and one-line upgrade, downgrade and stamp.
//
// Threads: one thread. Ownership: owns the database.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/revision/source.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/recording_sink.hpp"

namespace athanor::test {

// A revision file: `parents` are comma-separated, `body` starts at the first directive.
inline MemorySource::File revision_file(const std::string& id, const std::string& parents, const std::string& body) {
  return {id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + parents +
                           "\n-- Created: 2026-11-21T02:10:00+00:00\n-- Labels:\n-- Depends-On:\n\n" + body};
}

class MigrationScene : public testing::Test {
 protected:
  MigrationScene() {
    settings_.actor = "tester";
    settings_.execution.lock_wait = milliseconds(0);
    settings_.execution.lock_timeout = milliseconds(200);
    settings_.execution.lock_retry_budget = milliseconds(0);
  }

  void revision(const std::string& id, const std::string& parents, const std::string& up,
                const std::string& down = "SELECT 1;") {
    files_.push_back(revision_file(id, parents, "-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\n" + down + "\n"));
  }
  void replace(const std::string& id, const std::string& parents, const std::string& up) {
    std::erase_if(files_, [&](const auto& file) { return file.name == id + ".sql"; });
    revision(id, parents, up);
  }

  [[nodiscard]] MemorySource source() const { return MemorySource(files_); }
  [[nodiscard]] RevisionGraph graph() const {
    auto revisions = source().list();
    EXPECT_TRUE(revisions) << revisions.error().describe();
    auto built = RevisionGraph::build(std::move(*revisions));
    EXPECT_TRUE(built) << built.error().describe();
    return std::move(*built);
  }
  std::unique_ptr<postgres::PostgresFactory> factory(const std::string& url = "") {
    auto made = postgres::PostgresFactory::create(url.empty() ? database_.url() : url, settings_.execution);
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  Result<Plan> plan(Direction direction, const std::string& target, const std::vector<std::string>& from) const {
    return make_plan(graph(), source(), direction, from, {target});
  }

  // Observes, plans and executes like the command line.
  ExecutionReport run(Direction direction, const std::string& target, SessionFactory& factory) {
    settings_.run_id.clear();
    Migrator migrator(factory, clock(), settings_, sink_);
    const auto seen = migrator.observe();
    ExecutionReport report;
    if (!seen) {
      report.error = seen.error();
      return report;
    }
    const auto planned = plan(direction, target, seen->current_heads);
    if (!planned) {
      report.error = planned.error();
      return report;
    }
    return migrator.execute(*planned, stop_.token());
  }
  ExecutionReport upgrade(const std::string& target = "heads") { return run(Direction::Upgrade, target, *factory()); }
  ExecutionReport downgrade(const std::string& target) { return run(Direction::Downgrade, target, *factory()); }
  ExecutionReport stamp(const std::string& target) { return run(Direction::Stamp, target, *factory()); }

  Clock& clock() { return use_fake_clock_ ? static_cast<Clock&>(fake_clock_) : system_clock_; }
  static std::string text(const std::optional<Error>& error) { return error ? error->describe() : "no error"; }

  TestDatabase database_{"migrator"};
  std::vector<MemorySource::File> files_;
  MigratorSettings settings_;
  RecordingSink sink_;
  StopSource stop_;
  SystemClock system_clock_;
  FakeClock fake_clock_;
  bool use_fake_clock_ = false;
};

}  // namespace athanor::test
