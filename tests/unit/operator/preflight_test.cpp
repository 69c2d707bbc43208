// What a plan waits for: the backup before it, as the status tells of it.
#include "operator/reconcile/preflight.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Kind = Verdict::Kind;

class ScriptedBackups final : public BackupService {
 public:
  Result<SavedDatabase> ensure(const BackupRequest& request, const Notice& notice, const StopToken&) override {
    requests.push_back({request.current_heads, request.destination});
    if (notice && !says.empty()) {
      notice(says);
    }
    return answer;
  }
  Result<SavedDatabase> answer = SavedDatabase{};
  std::string says;
  std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> requests;
};

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    sources.current = sketch::snapshot(sketch::line());
    resource.spec.backup.when = BackupWhen::Always;
    SavedDatabase saved;
    saved.backup.location = "/backups/x.dump";
    saved.backup.started_at = "2026-11-21T02:10:00+00:00";
    backups.answer = saved;
  }
  Outcome reconcile() {
    Outcome outcome = reconciler.reconcile(resource, "", callbacks, {}, Log());
    resource.status = summarise(resource, outcome, {1, clock.wall_now(), {}});
    return outcome;
  }
  const Condition& backed_up() {
    const Condition* condition = find_condition(resource.status.conditions, ConditionType::BackedUp);
    return condition == nullptr ? none : *condition;
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  test::FakeClock clock;
  ScriptedBackups backups;
  Reconciler reconciler{{sources, credentials, databases, observer, clock, nullptr, &backups}};
  DatabaseMigration resource = sketch::resource();
  ReconcileCallbacks callbacks;
  Condition none;
};

TEST_F(AdmissionTest, SaysWhereThePlanStartsAndWhereItLeads) {
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  ASSERT_EQ(backups.requests.size(), 1U);
  EXPECT_EQ(backups.requests.front().first, std::vector<std::string>());
  EXPECT_EQ(backups.requests.front().second, std::vector<std::string>{"a3"});
  EXPECT_EQ(backed_up().status, ConditionStatus::True);
  EXPECT_EQ(backed_up().message, "/backups/x.dump");
}

TEST_F(AdmissionTest, ReportsThatABackupWasAccepted) {
  backups.answer->accepted = true;
  EXPECT_TRUE(reconcile().review->backup_accepted);
  EXPECT_EQ(backed_up().status, ConditionStatus::True);
  EXPECT_EQ(backed_up().message, "/backups/x.dump, taken at 2026-11-21T02:10:00+00:00");
}

TEST_F(AdmissionTest, ChangesNothingWithoutABackupThatIsRequired) {
  backups.answer = fail(ErrorCode::BackupFailed, "no space");
  EXPECT_EQ(reconcile().reason, Reason::BackupFailed);
  EXPECT_EQ(backed_up().reason, Reason::BackupFailed);
  EXPECT_EQ(databases.database.observation.current_heads, std::vector<std::string>());
}

TEST_F(AdmissionTest, KeepsTheTimeOfABackupThatFailsAgain) {
  backups.answer = fail(ErrorCode::BackupFailed, "no space");
  (void)reconcile();
  const std::string first = backed_up().last_transition_time;
  clock.advance(std::chrono::minutes(5));
  (void)reconcile();
  EXPECT_EQ(backed_up().last_transition_time, first);
}

TEST_F(AdmissionTest, RunsWithoutABackupThatIsNotRequiredAndSaysSo) {
  (void)reconcile();
  ASSERT_EQ(backed_up().status, ConditionStatus::True);
  databases.database.observation.current_heads = {"a2"};
  resource.spec.backup.required = false;
  backups.answer = fail(ErrorCode::BackupFailed, "no space");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Done);
  EXPECT_EQ(outcome.reason, Reason::Applied);
  ASSERT_TRUE(outcome.review->backup_error);
  EXPECT_EQ(backed_up().status, ConditionStatus::False) << "the dump of before is not of this plan";
  EXPECT_EQ(backed_up().reason, Reason::BackupFailed);
  EXPECT_NE(backed_up().message.find("no space"), std::string::npos);
}

TEST_F(AdmissionTest, SaysWhatTheBackupWaitsFor) {
  backups.says = "waiting for another dump of this database to finish: pid 4711";
  DatabaseMigrationStatus reported;
  callbacks.backing_up = [&](const PlanReview& note, const std::string& message) {
    reported = summarise_backing_up(resource, note, message, clock.wall_now());
  };
  (void)reconcile();
  for (const ConditionType type : {ConditionType::BackedUp, ConditionType::Ready}) {
    const Condition* condition = find_condition(reported.conditions, type);
    ASSERT_NE(condition, nullptr);
    EXPECT_EQ(condition->status, ConditionStatus::False);
    EXPECT_EQ(condition->reason, Reason::BackingUp);
    EXPECT_EQ(condition->message, backups.says);
  }
}

}  // namespace
}  // namespace athanor::controller
