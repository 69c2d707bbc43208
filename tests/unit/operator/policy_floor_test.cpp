#include "operator/reconcile/policy_floor.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/outcome.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Texts = std::vector<std::string>;

TEST(PolicyFloor, RaisesWhatIsBelowItAndLeavesWhatIsAbove) {
  PolicyFloor floor;
  floor.approval = ApprovalPolicy::Destructive;
  floor.backup = BackupWhen::Destructive;
  DatabaseMigration resource = sketch::resource();
  resource.spec.backup.required = false;
  raise(resource, floor);
  EXPECT_EQ(resource.spec.policy.approval, ApprovalPolicy::Destructive);
  EXPECT_EQ(resource.spec.backup.when, BackupWhen::Destructive);
  EXPECT_TRUE(resource.spec.backup.required);
  EXPECT_EQ(resource.policy->raised,
            (Texts{"approval from Never to Destructive", "backup from Never, not required, to Destructive, required"}));

  DatabaseMigration strict = sketch::resource();
  strict.spec.policy.approval = ApprovalPolicy::Always;
  strict.spec.backup.when = BackupWhen::Always;
  raise(strict, floor);
  EXPECT_EQ(strict.spec.policy.approval, ApprovalPolicy::Always);
  EXPECT_EQ(strict.spec.backup.when, BackupWhen::Always);
  EXPECT_FALSE(strict.policy);
}

TEST(PolicyFloor, RaisesTheSslModeOfPartsAndLeavesThatOfAUrlToTheConnection) {
  PolicyFloor floor;
  floor.ssl_mode = "verify-ca";
  DatabaseMigration resource = sketch::resource();
  raise(resource, floor);
  EXPECT_EQ(resource.spec.database.ssl_mode, "");
  EXPECT_EQ(resource.spec.database.minimum_ssl_mode, "verify-ca");
  resource.spec.database.url.clear();
  resource.spec.database.host = "db";
  resource.spec.database.ssl_mode = "require";
  raise(resource, floor);
  EXPECT_EQ(resource.spec.database.ssl_mode, "verify-ca");
  EXPECT_EQ(resource.policy->raised, Texts{"sslMode from require to verify-ca"});
}

TEST(PolicyFloor, RefusesAUrlThatSaysLessAndAddsWhatItLeavesOut) {
  sketch::FakeCredentials credentials;
  DatabaseMigration resource = sketch::resource();
  resource.spec.database.minimum_ssl_mode = "require";
  EXPECT_NE(make_target(resource, credentials)->url.find("sslmode=require"), std::string::npos);
  resource.spec.database.url = "postgresql://db/orders?sslmode=verify-full";
  EXPECT_EQ(make_target(resource, credentials)->url.find("sslmode=require"), std::string::npos);
  for (const char* const less : {"postgresql://db/orders?sslmode=disable", "host=db dbname=orders sslmode=prefer"}) {
    resource.spec.database.url = less;
    const auto refused = make_target(resource, credentials);
    ASSERT_FALSE(refused) << less;
    EXPECT_NE(refused.error().message.find("is weaker than the minimum of this operator, require"), std::string::npos);
  }
}

TEST(PolicyFloor, RefusesAPasswordInTheResource) {
  PolicyFloor floor;
  DatabaseMigration resource = sketch::resource();
  resource.spec.database.url = "postgresql://app:secret@db/orders";
  EXPECT_TRUE(check_floor(resource, floor));
  floor.inline_passwords = false;
  EXPECT_EQ(check_floor(resource, floor).error().context, "spec.database.url");
  EXPECT_EQ(check_floor(resource, floor).error().describe().find("secret@"), std::string::npos);
  resource.spec.database.url.clear();
  resource.spec.database.password = "secret";
  EXPECT_EQ(check_floor(resource, floor).error().context, "spec.database.password");
  resource.spec.database.password.clear();
  resource.spec.database.url = "postgresql://db/orders";
  EXPECT_TRUE(check_floor(resource, floor));
}

TEST(PolicyFloor, FindsAPasswordHoweverItsParameterIsSpelt) {
  for (const char* const url : {"postgresql://app@db/orders?password=x", "postgresql://app@db/orders?p%61ssword=x",
                                "postgresql://db/orders?user=app&%70%61%73%73%77%6f%72%64=x", "postgresql://app:x@db/orders"}) {
    EXPECT_TRUE(may_hold_password(url)) << url;
  }
  for (const char* const url : {"postgresql://app@db/orders", "postgresql://db/orders?sslmode=require", ""}) {
    EXPECT_FALSE(may_hold_password(url)) << url;
  }
}

TEST(PolicyFloor, IsMetByWhatWasRaisedToItAndNotByWhatWasReadBefore) {
  const DatabaseMigration before = sketch::resource();
  std::vector<PolicyFloor> floors(4);
  floors[0].approval = ApprovalPolicy::Destructive;
  floors[1].approvals = 2;
  floors[2].backup = BackupWhen::Destructive;
  floors[3].ssl_mode = "require";
  for (const PolicyFloor& floor : floors) {
    EXPECT_FALSE(meets(before, floor));
    DatabaseMigration raised = before;
    raise(raised, floor);
    EXPECT_TRUE(meets(raised, floor));
    EXPECT_TRUE(meets(raised, PolicyFloor())) << "more than is asked for";
  }
}

TEST(PolicyFloor, IsTheStrictestForAnInvalidLabel) {
  const auto floor = floor_of_labels({{"athanor.dev/minimum-approval", "always"},
                                      {"athanor.dev/minimum-backup", ""},
                                      {"athanor.dev/minimum-ssl-mode", "tls"},
                                      {"athanor.dev/inline-passwords", "no"}});
  EXPECT_EQ(floor.approval, ApprovalPolicy::Always);
  EXPECT_EQ(floor.backup, BackupWhen::Always);
  EXPECT_EQ(floor.ssl_mode, "verify-full");
  EXPECT_FALSE(floor.inline_passwords);
  EXPECT_EQ(floor_of_labels({{"team", "shop"}}), PolicyFloor());
}

TEST(PolicyFloor, IsTheStricterOfTwo) {
  PolicyFloor left;
  left.approval = ApprovalPolicy::Always;
  left.ssl_mode = "require";
  PolicyFloor right;
  right.backup = BackupWhen::Always;
  right.ssl_mode = "allow";
  right.inline_passwords = false;
  const PolicyFloor both = stricter(left, right);
  EXPECT_EQ(both, stricter(right, left));
  EXPECT_EQ(both.approval, ApprovalPolicy::Always);
  EXPECT_EQ(both.backup, BackupWhen::Always);
  EXPECT_EQ(both.ssl_mode, "require");
  EXPECT_FALSE(both.inline_passwords);
}

TEST(PolicyFloor, IsShownInTheStatusWhereItCounts) {
  PolicyFloor floor;
  floor.approval = ApprovalPolicy::Always;
  DatabaseMigration resource = sketch::resource();
  Outcome outcome;
  outcome.kind = Verdict::Kind::Done;
  outcome.reason = Reason::UpToDate;
  EXPECT_FALSE(summarise(resource, outcome, {}).policy);
  raise(resource, floor);
  EXPECT_EQ(summarise(resource, outcome, {}).policy->raised, Texts{"approval from Never to Always"});
}

}  // namespace
}  // namespace athanor::controller
