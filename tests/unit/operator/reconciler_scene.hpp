// A reconciler on fakes that record: sources, credentials, databases, an observer that counts, and a clock.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {

class CountingObserver final : public ReconcileObserver {
 public:
  void run_failed(Reason) override { ++failed; }
  void backup_taken(double) override { ++backups; }
  void backup_failed() override { ++failed_backups; }
  int failed = 0;
  int backups = 0;
  int failed_backups = 0;
};

class ReconcilerTest : public testing::Test {
 protected:
  ReconcilerTest() { sources.current = sketch::snapshot(sketch::line()); }

  Outcome reconcile(const StopToken& stop = {}) {
    database().calls.clear();
    return reconciler.reconcile(resource, claimed_by, callbacks, stop, Log());
  }
  sketch::FakeDatabase& database() { return databases.database; }
  void fail_statements() {
    database().on_execute = [](const Plan& plan, const StopToken&) {
      ExecutionReport report;
      report.current_heads = plan.from;
      report.error = Error(ErrorCode::StatementFailed, "syntax error").with_sqlstate("42601");
      report.failed_revision = plan.revisions.front().walk.revision.value_or("");
      return report;
    };
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  CountingObserver observer;
  test::FakeClock clock;
  Reconciler reconciler{{sources, credentials, databases, observer, clock}};
  DatabaseMigration resource = sketch::resource();
  std::string claimed_by;
  ReconcileCallbacks callbacks;
};

}  // namespace athanor::controller
