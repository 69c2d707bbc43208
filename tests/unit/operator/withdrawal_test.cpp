// A declaration that is taken back between the decision and the run: while a backup is taken, while the migration lock is
// waited for, and under way.
#include <gtest/gtest.h>

#include "operator/reconcile/preflight.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "operator/reconcile/run_progress.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Kind = Verdict::Kind;

// Something else happens while the backup is taken.
class EventfulBackups final : public BackupService {
 public:
  Result<SavedDatabase> ensure(const BackupRequest&, const Notice&, const StopToken&) override {
    meanwhile();
    return SavedDatabase();
  }
  std::function<void()> meanwhile = [] {};
};

class WithdrawalTest : public testing::Test {
 protected:
  WithdrawalTest() {
    sources.current = sketch::snapshot(sketch::line());
    resource.spec.backup.when = BackupWhen::Always;
    callbacks.declaration = [this] { return standing; };
  }
  Outcome reconcile(const StopToken& stop = {}) {
    ReconcilerParts parts{sources, credentials, databases, observer, clock};
    parts.backups = &backups;
    parts.approvals = &approvals;
    return Reconciler(parts).reconcile(resource, "", callbacks, stop, Log());
  }
  [[nodiscard]] bool ran() { return !databases.database.observation.current_heads.empty(); }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  EventfulBackups backups;
  sketch::GivenApprovals approvals;
  ReconcileObserver observer;
  test::FakeClock clock;
  DatabaseMigration resource = sketch::resource();
  DeclarationState standing = DeclarationState::Holds;
  ReconcileCallbacks callbacks;
};

TEST_F(WithdrawalTest, ChangesNothingWhenTheDeclarationChangedDuringTheBackup) {
  for (const DeclarationState now : {DeclarationState::Changed, DeclarationState::Withdrawn}) {
    standing = DeclarationState::Holds;
    backups.meanwhile = [this, now] { standing = now; };
    const Outcome outcome = reconcile();
    EXPECT_FALSE(ran());
    EXPECT_EQ(outcome.kind, Kind::Failed);
    EXPECT_TRUE(outcome.retry_now) << "the new declaration is reconciled immediately";
  }
  standing = DeclarationState::Holds;
  backups.meanwhile = [] {};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(WithdrawalTest, ChangesNothingWhenTheApprovalWasWithdrawnDuringTheBackup) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.given = {{"yes", reconcile().review->approval_hash, "ann", "now"}};
  backups.meanwhile = [this] { approvals.given.clear(); };
  EXPECT_TRUE(reconcile().retry_now);
  EXPECT_FALSE(ran());
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
}

TEST_F(WithdrawalTest, ChangesNothingWhenTheWindowClosedDuringTheBackup) {
  resource.spec.execution.windows = {{"* * * * *", std::chrono::minutes(1), "UTC"}};
  backups.meanwhile = [this] { resource.spec.execution.windows = {{"0 0 1 1 *", std::chrono::minutes(1), "UTC"}}; };
  EXPECT_TRUE(reconcile().retry_now);
  EXPECT_FALSE(ran());
}

TEST_F(WithdrawalTest, ChangesNothingWhenItWasWithdrawnWhileWaitingForTheLock) {
  int calls = 0;
  callbacks.declaration = [&] { return ++calls == 1 ? DeclarationState::Holds : DeclarationState::Withdrawn; };
  const Outcome outcome = reconcile();
  EXPECT_EQ(calls, 2) << "after the backup, and under the lock";
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_FALSE(ran());
}

TEST_F(WithdrawalTest, ChangesNothingWhenARevisionWasRemovedMeanwhile) {
  const auto taken_back = [this] {
    clock.advance(std::chrono::minutes(5));
    sources.current = sketch::snapshot({sketch::revision("a1", "")}, "2");
  };
  backups.meanwhile = taken_back;
  EXPECT_TRUE(reconcile().retry_now);
  EXPECT_FALSE(ran()) << "while the backup was taken";
  sources.current = sketch::snapshot(sketch::line(), "3");
  resource.spec.backup.when = BackupWhen::Never;
  databases.database.before_check = taken_back;
  EXPECT_TRUE(reconcile().retry_now);
  EXPECT_FALSE(ran()) << "while the lock was waited for";
  databases.database.before_check = {};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(databases.database.observation.current_heads, std::vector<std::string>{"a1"});
}

TEST_F(WithdrawalTest, GoesOnWhenTheSourceHasTheSameContentInANewVersion) {
  sources.current->set_names({"sha256:1"});
  backups.meanwhile = [this] {
    clock.advance(std::chrono::minutes(5));
    sources.current = sketch::snapshot(sketch::line(), "2");
    sources.current->set_names({"sha256:1"});
  };
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(WithdrawalTest, ChangesNothingWhileTheSourceIsUnavailable) {
  backups.meanwhile = [this] {
    clock.advance(std::chrono::minutes(5));
    sources.doubt = Error(ErrorCode::Io, "the server is away").with_retry(RetryClass::Transient);
  };
  EXPECT_EQ(reconcile().reason, Reason::SourceNotFound);
  EXPECT_FALSE(ran());
}

TEST_F(WithdrawalTest, ChangesNothingWhenAnotherDatabaseIsNamedMeanwhile) {
  resource.spec.database.url.clear();
  SecretReference url;
  url.kind = SecretReference::Kind::SecretKey;
  url.value = "db";
  resource.spec.database.url_from = url;
  credentials.values["db"] = "postgresql://app@db/orders";
  backups.meanwhile = [this] {
    clock.advance(std::chrono::minutes(5));
    credentials.values["db"] = "postgresql://app@db/another";
  };
  EXPECT_TRUE(reconcile().retry_now);
  EXPECT_FALSE(ran());
}

TEST_F(WithdrawalTest, EndsARunAtItsNextSafePointAndReconcilesAgain) {
  databases.database.on_execute = [this](const Plan& plan, const StopToken& stop) {
    EXPECT_FALSE(stop.requested());
    standing = DeclarationState::Withdrawn;
    clock.advance(std::chrono::seconds(2));
    databases.sink->revision_finished(0, plan.revisions.front(), milliseconds(1));
    EXPECT_TRUE(stop.requested());
    ExecutionReport report;
    report.executed.push_back({"a1", Direction::Upgrade, milliseconds(1)});
    report.current_heads = {"a1"};
    report.error = Error(ErrorCode::Interrupted, "stopped on request between two revisions");
    return report;
  };
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Waiting);
  EXPECT_EQ(outcome.report->executed.size(), 1U) << "what was applied is reported";
  EXPECT_EQ(outcome.observed.pending, (std::vector<std::string>{"a2", "a3"}));
  EXPECT_EQ(next_attempt(outcome, 0), Requeue::Scheduled) << "the operator itself goes on";
}

TEST_F(WithdrawalTest, LeavesTheOperatorsOwnStopInForce) {
  StopSource operators;
  databases.database.on_execute = [&](const Plan& plan, const StopToken& stop) {
    EXPECT_EQ(stop.descriptor(), operators.token().descriptor()) << "whoever waits is woken by it";
    operators.request();
    EXPECT_EQ(stop.level(), StopLevel::Graceful);
    operators.request();
    EXPECT_EQ(stop.level(), StopLevel::Now);
    ExecutionReport report;
    report.current_heads = plan.from;
    report.error = Error(ErrorCode::Interrupted, "stopped");
    return report;
  };
  EXPECT_EQ(next_attempt(reconcile(operators.token()), 0), Requeue::Never);
}

TEST_F(WithdrawalTest, LetsAStartedRunContinueWhenTheDeclarationChanges) {
  databases.database.on_execute = [this](const Plan& plan, const StopToken& stop) {
    standing = DeclarationState::Changed;
    clock.advance(std::chrono::seconds(2));
    databases.sink->revision_finished(0, plan.revisions.front(), milliseconds(1));
    EXPECT_FALSE(stop.requested());
    ExecutionReport report;
    report.current_heads = {"a3"};
    return report;
  };
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(WithdrawalTest, StopsWaitingForTheLock) {
  databases.database.on_execute = [this](const Plan&, const StopToken& stop) {
    clock.advance(std::chrono::seconds(2));
    databases.sink->waiting_for_lock({}, std::chrono::seconds(2));
    EXPECT_FALSE(stop.requested());
    standing = DeclarationState::Changed;
    clock.advance(std::chrono::seconds(2));
    databases.sink->waiting_for_lock({}, std::chrono::seconds(4));
    EXPECT_TRUE(stop.requested());
    return ExecutionReport();
  };
  (void)reconcile();
}

}  // namespace
}  // namespace athanor::controller
