#include "operator/reconcile/gate.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using namespace std::chrono_literals;

class Gate : public testing::Test {
 protected:
  Gate() {
    plan.hash = std::string(64, 'a');
    resource.metadata.name = "orders";
  }
  GateVerdict pass() { return pass_gate(resource, plan, hash, destructive, approvals, now); }

  DatabaseMigration resource = sketch::resource();
  Plan plan;
  std::string hash = std::string(64, 'c');
  std::vector<std::string> destructive;
  std::vector<Approval> approvals;
  // Saturday, 21 November 2026, 08:15 UTC.
  WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 8h + 15min;
};

TEST_F(Gate, IsOpenWhereThePolicyAsksForNothing) {
  EXPECT_TRUE(pass().open);
}

TEST_F(Gate, WaitsForAnApprovalOfThisPlan) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  EXPECT_FALSE(pass().open);
  EXPECT_EQ(pass().reason, Reason::ApprovalRequired);
  EXPECT_NE(pass().message.find(hash), std::string::npos);
  approvals.push_back({"go", hash, "ann", "2026-11-21T08:00:00+00:00"});
  EXPECT_TRUE(pass().open);
  EXPECT_EQ(pass().approval->approved_by, "ann");
}

TEST_F(Gate, IgnoresAStaleApprovalAndSaysSo) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.push_back({"old", std::string(64, 'b'), "ann", ""});
  const auto verdict = pass();
  EXPECT_FALSE(verdict.open);
  EXPECT_NE(verdict.message.find("old approves bbbbbbbbbbbb, which is not the current plan"), std::string::npos);
}

TEST_F(Gate, ExplainsAnApprovalOfTheContentHash) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.push_back({"old", std::string(64, 'b'), "ann", ""});
  approvals.push_back({"new", plan.hash, "ann", ""});
  const auto verdict = pass();
  EXPECT_FALSE(verdict.open);
  EXPECT_NE(verdict.message.find("new names status.plan.contentHash"), std::string::npos) << verdict.message;
}

// ann at 8:00, bob at 8:05, and ann once more at 8:10.
TEST_F(Gate, CountsEveryPersonOnce) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.policy.approvals = 2;
  approvals.push_back({"one", hash, "ann", "2026-11-21T08:00:00+00:00"});
  approvals.push_back({"again", hash, "ann", "2026-11-21T08:10:00+00:00"});
  EXPECT_FALSE(pass().open);
  EXPECT_NE(pass().message.find("waits for approvals by different people: 1 of 2 (ann)"), std::string::npos) << pass().message;
  approvals.insert(approvals.begin() + 1, {"two", hash, "bob", "2026-11-21T08:05:00+00:00"});
  const auto verdict = pass();
  EXPECT_TRUE(verdict.open);
  EXPECT_EQ(verdict.approval->name, "two");
  EXPECT_EQ(tally_in_words(verdict.tally), "2 of 2 (ann, bob)");
}

TEST_F(Gate, CountsNamesThatDifferOnlyInCaseAsOnePerson) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.policy.approvals = 2;
  approvals.push_back({"one", hash, "Ann@example.org", "2026-11-21T08:00:00+00:00"});
  approvals.push_back({"two", hash, "ann@Example.org", "2026-11-21T08:05:00+00:00"});
  EXPECT_FALSE(pass().open);
  EXPECT_EQ(tally_in_words(pass().tally), "1 of 2 (Ann@example.org)");
}

TEST_F(Gate, DoesNotCountAnApprovalFromTheMomentItExpires) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.push_back({.name = "go", .plan_hash = hash, .approved_by = "ann", .approved_at = "", .expires = now + 1s});
  EXPECT_TRUE(pass().open);
  now += 1s;
  EXPECT_FALSE(pass().open);
  EXPECT_NE(pass().message.find("; go expired at 2026-11-21T08:15:01+00:00 and is ignored"), std::string::npos)
      << pass().message;
}

TEST_F(Gate, RequeuesWhenAPendingApprovalExpires) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.policy.approvals = 2;
  approvals.push_back({.name = "go", .plan_hash = hash, .approved_by = "ann", .approved_at = "", .expires = now + 90s});
  EXPECT_EQ(pass().requeue_after, 90s);
  approvals.push_back({.name = "longer", .plan_hash = hash, .approved_by = "ann", .approved_at = "", .expires = now + 2h});
  EXPECT_EQ(pass().requeue_after, 2h) << "of one person, the last one counts";
  resource.spec.policy.approvals = 1;
  resource.spec.execution.windows = {{"0 22 * * *", 1h, "UTC"}};
  EXPECT_EQ(pass().reason, Reason::OutsideWindow);
  EXPECT_EQ(pass().requeue_after, 2h);
}

TEST_F(Gate, StaysClosedForARejectedPlanWhoeverApprovesIt) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.push_back({"go", hash, "ann", ""});
  approvals.push_back({.name = "stop",
                       .plan_hash = hash,
                       .approved_by = "bob",
                       .approved_at = "",
                       .rejects = true,
                       .expires = {},
                       .reason = "wait for the archive"});
  approvals.push_back({"go-on", hash, "cyd", ""});
  EXPECT_FALSE(pass().open);
  EXPECT_EQ(pass().reason, Reason::PlanRejected);
  EXPECT_EQ(pass().message,
            "plan cccccccccccc was rejected by bob in stop: wait for the archive; it does not run until there is another plan");
  hash = std::string(64, 'd');
  approvals.push_back({"new", hash, "ann", ""});
  EXPECT_TRUE(pass().open) << "the plan changed";
}

TEST_F(Gate, AsksOnlyForDestructivePlansWhereThePolicySaysDestructive) {
  resource.spec.policy.approval = ApprovalPolicy::Destructive;
  EXPECT_TRUE(pass().open);
  destructive = {"a1, line 3: DROP TABLE users"};
  EXPECT_FALSE(pass().open);
  EXPECT_NE(pass().message.find("DROP TABLE users"), std::string::npos);
}

TEST_F(Gate, TakesEveryDowngradeForDestructive) {
  resource.spec.policy.approval = ApprovalPolicy::Destructive;
  plan.operation = Direction::Downgrade;
  EXPECT_EQ(pass().reason, Reason::ApprovalRequired);
  EXPECT_NE(pass().message.find("plan cccccccccccc, a downgrade, waits"), std::string::npos) << pass().message;
  BackupSpec backup;
  backup.when = BackupWhen::Destructive;
  EXPECT_TRUE(needs_backup(backup, plan, {}));
}

TEST_F(Gate, OpensInAWindowAndNotBesideIt) {
  resource.spec.execution.windows = {{"0 8 * * SAT", 30min, "UTC"}};
  EXPECT_TRUE(pass().open);
  now += 15min;
  EXPECT_FALSE(pass().open);
  EXPECT_EQ(pass().reason, Reason::OutsideWindow);
  EXPECT_EQ(pass().message, "waiting for the maintenance window that opens at 2026-11-28T08:00:00+00:00");
  EXPECT_EQ(pass().requeue_after, 7 * 24h - 30min);
}

TEST_F(Gate, TakesTheNearestOfSeveralWindows) {
  resource.spec.execution.windows = {{"0 2 * * MON", 1h, "UTC"}, {"0 22 * * *", 1h, "UTC"}};
  EXPECT_EQ(pass().requeue_after, 13h + 45min);
}

TEST_F(Gate, AsksForTheApprovalBeforeTheWindow) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.execution.windows = {{"0 2 * * MON", 1h, "UTC"}};
  EXPECT_EQ(pass().reason, Reason::ApprovalRequired);
  approvals.push_back({"go", hash, "ann", ""});
  EXPECT_EQ(pass().reason, Reason::OutsideWindow);
  EXPECT_TRUE(pass().approval.has_value());
}

TEST_F(Gate, NamesAnUnknownTimeZone) {
  resource.spec.execution.windows = {{"0 2 * * MON", 1h, "Mars/Olympus"}};
  EXPECT_TRUE(pass().error.has_value());
  EXPECT_FALSE(pass().open);
}

TEST(NeedsBackup, FollowsThePolicy) {
  BackupSpec backup;
  EXPECT_FALSE(needs_backup(backup, Plan(), {"x"}));
  backup.when = BackupWhen::Destructive;
  EXPECT_FALSE(needs_backup(backup, Plan(), {}));
  EXPECT_TRUE(needs_backup(backup, Plan(), {"x"}));
  backup.when = BackupWhen::Always;
  EXPECT_TRUE(needs_backup(backup, Plan(), {}));
}

TEST_F(Gate, CountsWhatIsDestroyedAndHasTheApprovalReadyToApply) {
  resource.spec.policy.approval = ApprovalPolicy::Destructive;
  destructive = {"DROP TABLE orders", "TRUNCATE bills", "DROP TABLE bills"};
  const std::string message = pass().message;
  EXPECT_NE(message.find("with 3 destructive steps (the first: DROP TABLE orders)"), std::string::npos) << message;
  const auto begin = message.find('{');
  ASSERT_NE(begin, std::string::npos);
  const auto approval = nlohmann::json::parse(message.substr(begin));
  EXPECT_EQ(approval["kind"], "MigrationApproval");
  EXPECT_EQ(approval["metadata"]["namespace"], "shop");
  EXPECT_EQ(approval["spec"]["migration"], "orders");
  EXPECT_EQ(approval["spec"]["approvalHash"], hash);
  EXPECT_LE(message.size(), kMaxMessageBytes);
}

TEST_F(Gate, IsStalledByAWindowThatNeverOpens) {
  resource.spec.execution.windows = {{"0 3 30 2 *", 1h, "UTC"}};
  const auto verdict = pass();
  EXPECT_FALSE(verdict.open);
  ASSERT_TRUE(verdict.error);
  EXPECT_EQ(verdict.reason, Reason::InvalidManifest);
  EXPECT_NE(verdict.message.find("spec.execution.windows"), std::string::npos);
}

TEST_F(Gate, ReportsTheOpeningOfAWindowInItsOwnZone) {
  resource.spec.execution.windows = {{"0 22 * * *", 1h, "Europe/Zurich"}};
  EXPECT_EQ(pass().message, "waiting for the maintenance window that opens at 2026-11-21T22:00:00+01:00 (Europe/Zurich)");
}

}  // namespace
}  // namespace athanor::controller
