#include "operator/reconcile/database_policies.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/gate.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using namespace std::chrono_literals;

const ResourceKey kOrders{"shop", "orders"};
const ResourceKey kStrict{"shop", "strict"};
const ResourceKey kOther{"other", "orders"};
const ShortDigest kApp = sha256_short("app");
const ShortDigest kElsewhere = sha256_short("elsewhere");

DatabaseRule rule(ApprovalPolicy approval, int approvals = 1) {
  DatabaseRule rule;
  rule.approval = approval;
  rule.approvals = approvals;
  return rule;
}

TEST(DatabasePolicies, ApplyTheStrictestOfAllResources) {
  DatabasePolicies policies;
  EXPECT_TRUE(policies.put(kStrict, kApp, rule(ApprovalPolicy::Destructive, 2)));
  EXPECT_TRUE(policies.put(kOther, kApp, rule(ApprovalPolicy::Always)));
  EXPECT_FALSE(policies.put(kOrders, kApp, DatabaseRule())) << "it asks for nothing";
  DatabaseMigration orders = sketch::resource();
  EXPECT_FALSE(meets(orders, policies.of_others(kOrders, kApp)));
  raise(orders, policies.of_others(kOrders, kApp));
  EXPECT_TRUE(meets(orders, policies.of_others(kOrders, kApp)));
  EXPECT_EQ(orders.spec.policy.approval, ApprovalPolicy::Always);
  EXPECT_EQ(orders.spec.policy.approvals, 2);
  EXPECT_EQ(orders.policy->raised,
            (std::vector<std::string>{"approval from Never to Always, required by other/orders on the same database",
                                      "approvals from 1 to 2, required by shop/strict on the same database"}));
  EXPECT_TRUE(meets(sketch::resource(), policies.of_others(kOrders, kElsewhere)));
}

TEST(DatabasePolicies, CountAResourceUntilItIsDeletedAndOnlyOnItsLastDatabase) {
  DatabasePolicies policies;
  EXPECT_TRUE(policies.put(kStrict, kApp, rule(ApprovalPolicy::Always)));
  EXPECT_FALSE(policies.put(kStrict, kApp, rule(ApprovalPolicy::Always)));
  EXPECT_FALSE(policies.put(kOther, kApp, rule(ApprovalPolicy::Always))) << "nothing new for anybody";
  EXPECT_FALSE(policies.remove(kOther));
  EXPECT_FALSE(meets(sketch::resource(), policies.of_others(kOrders, kApp)));
  EXPECT_TRUE(meets(sketch::resource(), policies.of_others(kStrict, kApp))) << "nobody is raised by themselves";
  EXPECT_TRUE(policies.put(kStrict, kElsewhere, rule(ApprovalPolicy::Always)));
  EXPECT_TRUE(meets(sketch::resource(), policies.of_others(kOrders, kApp)));
  EXPECT_FALSE(meets(sketch::resource(), policies.of_others(kOrders, kElsewhere)));
  EXPECT_TRUE(policies.remove(kStrict));
  EXPECT_TRUE(meets(sketch::resource(), policies.of_others(kOrders, kElsewhere)));
}

TEST(DatabasePolicies, RequireABackupThatOneOfThemRequires) {
  DatabasePolicies policies;
  DatabaseRule backed_up;
  backed_up.backup = BackupWhen::Destructive;
  backed_up.required = true;
  policies.put(kStrict, kApp, backed_up);
  DatabaseMigration orders = sketch::resource();
  orders.spec.backup.when = BackupWhen::Always;
  orders.spec.backup.required = false;
  EXPECT_FALSE(meets(orders, policies.of_others(kOrders, kApp)));
  raise(orders, policies.of_others(kOrders, kApp));
  EXPECT_EQ(orders.spec.backup.when, BackupWhen::Always);
  EXPECT_TRUE(orders.spec.backup.required);
}

// Saturday, 21 November 2026, 08:15 UTC.
TEST(DatabasePolicies, BeginNothingOutsideTheWindowsOfAnotherResource) {
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 8h + 15min;
  DatabasePolicies policies;
  DatabaseRule nightly;
  nightly.windows = {{"0 22 * * *", 1h, "UTC"}};
  policies.put(kStrict, kApp, nightly);
  DatabaseMigration orders = sketch::resource();
  raise(orders, policies.of_others(kOrders, kApp));
  EXPECT_FALSE(judge_windows(orders, now).open);
  EXPECT_EQ(judge_windows(orders, now).message,
            "waiting for the maintenance window that opens at 2026-11-21T22:00:00+00:00 (declared by shop/strict on the same "
            "database)");
  EXPECT_TRUE(judge_windows(orders, now + 14h).open);
  EXPECT_EQ(orders.policy->raised, std::vector<std::string>{"windows by those of shop/strict on the same database"});

  DatabaseMigration same = sketch::resource();
  same.spec.execution.windows = nightly.windows;
  raise(same, policies.of_others(kOrders, kApp));
  EXPECT_FALSE(same.policy) << "they are its own";
}

TEST(DatabasePolicies, RefuseTooManySetsOfWindows) {
  DatabasePolicies policies;
  for (int hour = 0; hour <= static_cast<int>(kMostWindowSets); ++hour) {
    DatabaseRule one;
    one.windows = {{"* " + std::to_string(hour) + " * * *", 24h, "UTC"}};
    policies.put({"shop", "r" + std::to_string(hour)}, kApp, one);
  }
  DatabaseMigration orders = sketch::resource();
  raise(orders, policies.of_others(kOrders, kApp));
  EXPECT_EQ(orders.other_windows.size(), kMostWindowSets);
  EXPECT_EQ(judge_windows(orders, WallTime{}).reason, Reason::InvalidManifest);
}

TEST(DatabaseId, DependsOnlyOnTheServerAndTheDatabase) {
  const auto id = [](const std::string& identity) { return database_id({"db:5432/app", identity}); };
  EXPECT_EQ(id("1/app/77#public.alembic_version"), id("2/app/77#evil.other"));
  EXPECT_EQ(id("1/app/77#public.alembic_version"), id("2/app/77#a#b/c.other"));
  EXPECT_NE(id("1/app/77#public.alembic_version"), id("1/app/78#public.alembic_version"));
  EXPECT_NE(id("1/app/77#public.alembic_version"), id("1/bills/77#public.alembic_version"));
  EXPECT_EQ(id(""), "");
  EXPECT_EQ(id("1/app/77#public.alembic_version").size(), 32U);
}

TEST(DatabaseId, IsTheSameForEveryUserWhileTheServerRuns) {
  const auto id = [](const std::string& identity) { return running_database_id({"db:5432/app", identity}); };
  EXPECT_EQ(id("1.5/app/77#public.alembic_version"), id("1.5/app#evil.other"));
  EXPECT_EQ(id("1.5/2026/77#public.alembic_version"), id("1.5/2026#public.alembic_version"));
  EXPECT_NE(id("1.5/app/77#public.alembic_version"), id("2.5/app/77#public.alembic_version"));
  EXPECT_EQ(id(""), "");
}

}  // namespace
}  // namespace athanor::controller
