// A fixture for executing a plan on a scripted session: a plan from SQL texts, and the parts that a RunContext needs.
//
// Threads: one thread. Ownership: owns everything that the RunContext refers to.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "migrations/execute/run_context.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/recording_sink.hpp"
#include "tests/support/scripted_session.hpp"

namespace athanor::test {

// Parts of our own statements by which a Dialogue matches them.
inline constexpr const char* kLock = "pg_try_advisory_xact_lock";  // the first command of a revision's transaction
inline constexpr const char* kGuard = "pg_advisory_unlock_all";    // RevisionGuard::after()
inline constexpr const char* kHistory = "INTO athanor.history";
inline constexpr const char* kStep = "INTO athanor.step";
inline constexpr const char* kCloseAll = "CLOSE ALL";              // of session_reset()
inline constexpr const char* kDefaults = "SET LOCAL search_path";  // of session_defaults_for_transaction()

inline std::shared_ptr<const RevisionScript> script_of(const std::string& id, const std::string& upgrade) {
  Revision revision;
  revision.id = id;
  revision.path = id + ".sql";
  auto parsed = parse_script(
      revision, "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises:\n\n-- athanor:upgrade\n" + upgrade);
  EXPECT_TRUE(parsed) << parsed.error().describe();
  return std::make_shared<const RevisionScript>(std::move(*parsed));
}

// A plan that applies these revisions in order, starting from an empty database.
inline Plan plan_of(std::initializer_list<std::pair<std::string, std::string>> revisions) {
  Plan plan;
  plan.target = "head";
  plan.hash = std::string(64, 'a');
  std::string before;
  for (const auto& [id, upgrade] : revisions) {
    PlannedRevision& planned = plan.revisions.emplace_back();
    planned.walk.revision = id;
    planned.walk.to = planned.walk.heads = {id};
    planned.path = id + ".sql";
    planned.script = script_of(id, upgrade);
    if (before.empty()) {
      planned.walk.operations = {{RowOperation::Kind::Insert, "", id}};
    } else {
      planned.walk.from = planned.down = {before};
      planned.walk.operations = {{RowOperation::Kind::Update, before, id}};
    }
    before = id;
  }
  plan.to = {before};
  return plan;
}

class RunScene : public testing::Test {
 protected:
  RunScene() {
    settings.execution.lock_retry_budget = milliseconds(1'000);
    settings.run_id = report.run_id = "run-1";
    versions.set_schema("app");
    ledger.set_version_table("app.alembic_version");
  }

  // Starts a run of `plan` in one session that replays `server`. The result is valid as long as the fixture.
  RunContext& run(Plan of) {
    plan = std::move(of);
    session = server.session();
    context.reset(new RunContext{*session, clock, settings, versions, ledger, guard, sink, stop.token(), plan, report, watch});
    return *context;
  }

  Dialogue server;
  Dialogue observer;  // the queries about blockers, once observers.observer is set
  FakeClock clock;
  RecordingSink sink;
  StopSource stop;
  MigratorSettings settings;
  ExecutionReport report;
  VersionTable versions{"app", "alembic_version", true};
  Ledger ledger{"athanor"};
  RevisionGuard guard{versions, ledger, {"16384", "16385", "16386", "16387", "", 19, true}};
  ScriptedFactory observers;
  BlockerWatch watch{observers};
  Plan plan;
  std::unique_ptr<Session> session;
  std::unique_ptr<RunContext> context;
};

}  // namespace athanor::test
