#include "operator/reconcile/claims.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {
namespace {

using Keys = std::vector<ResourceKey>;

const ResourceKey kA{"shop", "a"};
const ResourceKey kB{"shop", "b"};
const ResourceKey kC{"shop", "c"};

class ClaimsTest : public testing::Test {
 protected:
  static Claims::Claimant of_age(int hours, const std::string& declared = {}) {
    return {WallTime(std::chrono::hours(100 - hours)), true, declared};
  }
  static Claims::Claimant suspended(int hours) { return {WallTime(std::chrono::hours(100 - hours)), false, {}}; }
  static DatabaseMigration resource(const ResourceKey& key) {
    DatabaseMigration resource;
    resource.metadata.name_space = key.name_space;
    resource.metadata.name = key.name;
    return resource;
  }
  // The owner; what else follows is in `affected`.
  std::string claim(const ResourceKey& key, const std::string& identity, const std::string& described = "db:5432/orders") {
    auto verdict = claims.claim(resource(key), {described, identity});
    affected = std::move(verdict.affected);
    return verdict.owner;
  }

  Claims claims;
  Keys affected;
};

TEST_F(ClaimsTest, GivesATableToTheOldestAndReportsTheOthers) {
  (void)claims.put(kB, of_age(2));
  (void)claims.put(kA, of_age(1));
  (void)claims.put(kC, of_age(3));
  EXPECT_EQ(claim(kA, "1"), "");
  EXPECT_EQ(claim(kB, "1"), "");
  EXPECT_EQ(affected, Keys{kA});
  EXPECT_EQ(claim(kC, "1"), "");
  EXPECT_EQ(affected, (Keys{kA, kB}));
  EXPECT_EQ(claim(kA, "1"), "shop/c");
  EXPECT_EQ(claims.observed_owner(kB), "shop/c");
  EXPECT_EQ(claims.observed_owner(kC), "");
}

TEST_F(ClaimsTest, GivesATableToTheFirstKeyWhereAgesAreEqual) {
  (void)claims.put(kA, {});
  (void)claims.put(kB, {});
  EXPECT_EQ(claim(kB, "1"), "");
  EXPECT_EQ(claim(kA, "1"), "");
  EXPECT_EQ(claim(kB, "1"), "shop/a");
}

TEST_F(ClaimsTest, KnowsTheOwnerOfADeclaredTableBeforeAnybodyConnects) {
  EXPECT_TRUE(claims.put(kB, of_age(1, "db/orders")).empty());
  EXPECT_EQ(claims.put(kA, of_age(2, "db/orders")), Keys{kB});
  EXPECT_EQ(claims.declared_owner(kB), "shop/a");
  EXPECT_EQ(claims.declared_owner(kA), "");
  EXPECT_EQ(claims.put(kA, of_age(2, "db/billing")), Keys{kB});
  EXPECT_EQ(claims.declared_owner(kB), "");
  EXPECT_EQ(claims.put(kC, of_age(3)), Keys{}) << "it declares nothing";
  EXPECT_EQ(claims.declared_owner(kC), "");
}

TEST_F(ClaimsTest, PassesATableOnWhenItsOwnerGoesIsSuspendedOrMovesAway) {
  const auto two_claimants = [this] {
    claims = Claims();
    (void)claims.put(kA, of_age(2));
    (void)claims.put(kB, of_age(1));
    EXPECT_EQ(claim(kA, "1"), "");
    EXPECT_EQ(claim(kB, "1"), "shop/a");
  };
  two_claimants();
  EXPECT_EQ(claims.remove(kA), Keys{kB});
  EXPECT_EQ(claim(kB, "1"), "");

  two_claimants();
  EXPECT_EQ(claims.put(kA, suspended(2)), Keys{kB});
  EXPECT_EQ(claim(kB, "1"), "");
  EXPECT_EQ(claims.put(kA, of_age(2)), Keys{kB}) << "resumed, it has the table again";
  EXPECT_EQ(claims.observed_owner(kB), "shop/a");

  two_claimants();
  EXPECT_EQ(claim(kA, "2", "db:5432/billing"), "");
  EXPECT_EQ(affected, Keys{kB});
  EXPECT_EQ(claim(kB, "1"), "");
}

TEST_F(ClaimsTest, RefusesAResourceUntilTheOwnerWasObservedAfterARestart) {
  (void)claims.put(kA, of_age(2));
  (void)claims.put(kB, of_age(1));
  (void)claim(kA, "1");
  EXPECT_EQ(claim(kB, "1"), "shop/a");
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(claim(kB, "2"), "shop/a") << "where shop/a is now, nobody knows";
  }
  EXPECT_EQ(claim(kA, "2"), "");
  EXPECT_EQ(affected, Keys{kB});
  EXPECT_EQ(claim(kB, "2"), "shop/a");
}

TEST_F(ClaimsTest, IgnoresAServerOfAnotherNamespaceThatImitatesThisOne) {
  const ResourceKey other{"mallory", "old"};
  (void)claims.put(other, of_age(9));
  (void)claims.put(kA, of_age(1));
  EXPECT_EQ(claim(other, "1", "evil.example.org:5432/orders"), "");
  EXPECT_EQ(claim(kA, "1"), "");
  EXPECT_EQ(claims.observed_owner(kA), "");
  EXPECT_EQ(claim(other, "1", "evil.example.org:5432/orders"), "");
  EXPECT_EQ(affected, Keys{}) << "its observation affects no other resource";
  EXPECT_EQ(claim(other, "1", "db[192.0.2.9]:5432/orders"), "");
  EXPECT_EQ(claim(kA, "1"), "") << "the name of the server with another address";
  // With a name of the same server in its own namespace it is the same database: the oldest has it.
  (void)claims.put(kB, of_age(2));
  EXPECT_EQ(claim(kB, "1", "alias:5432/orders"), "");
  EXPECT_EQ(affected, Keys{kA});
  EXPECT_EQ(claim(kA, "1"), "shop/b");
}

TEST_F(ClaimsTest, CountsAcrossNamespacesForTheSameServer) {
  const ResourceKey other{"billing", "old"};
  (void)claims.put(other, of_age(9));
  (void)claims.put(kA, of_age(1));
  EXPECT_EQ(claim(other, "1"), "");
  EXPECT_EQ(claim(kA, "1"), "billing/old");
  EXPECT_EQ(claim(other, "1", "elsewhere:5432/orders"), "");
  EXPECT_EQ(affected, Keys{kA});
  EXPECT_EQ(claim(kA, "1"), "");
  EXPECT_EQ(claim(other, "1"), "");
  EXPECT_EQ(claims.remove(other), Keys{kA});
}

TEST_F(ClaimsTest, AdmitsARefusedResourceThatDeclaresAnotherDatabase) {
  (void)claims.put(kA, of_age(2));
  (void)claims.put(kB, of_age(1));
  (void)claim(kA, "1");
  EXPECT_EQ(claim(kB, "1"), "shop/a");
  EXPECT_EQ(claim(kB, "2", "db:5432/billing"), "");
}

TEST_F(ClaimsTest, RemembersFromTheStatusWhoWasRefusedBeforeTheOperatorStarted) {
  (void)claims.put(kA, of_age(2));
  (void)claims.put(kB, of_age(1));
  DatabaseMigration refused = resource(kB);
  refused.metadata.generation = 3;
  refused.status.observed_generation = 3;
  refused.status.conditions = {{ConditionType::Ready,
                                ConditionStatus::False,
                                Reason::DatabaseClaimed,
                                "the database is already managed by shop/a",
                                {},
                                3}};
  const auto verdict = claims.claim(refused, {"db:5432/orders", "1"});
  EXPECT_EQ(verdict.owner, "shop/a");
  EXPECT_EQ(verdict.affected, Keys{kA}) << "to be observed";
  EXPECT_EQ(claims.put(kA, suspended(2)), Keys{kB}) << "it will not be observed";
  EXPECT_EQ(claim(kB, "1"), "");

  claims = Claims();
  (void)claims.put(kA, of_age(2));
  (void)claims.put(kB, of_age(1));
  refused.metadata.generation = 4;
  EXPECT_EQ(claims.claim(refused, {"db:5432/orders", "1"}).owner, "") << "another declaration was refused";
}

TEST_F(ClaimsTest, KnowsNothingOfResourcesThatAreGone) {
  (void)claims.put(kA, of_age(1, "db/orders"));
  EXPECT_EQ(claims.remove(kB), Keys{});
  EXPECT_EQ(claim(kB, "1"), "");
  EXPECT_EQ(claims.declared_owner(kB), "");
  EXPECT_EQ(claim(kA, ""), "") << "without an identity";
}

}  // namespace
}  // namespace athanor::controller
