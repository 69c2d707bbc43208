#include "operator/reconcile/decide.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/outcome.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Kind = Decision::Kind;
using Ids = std::vector<std::string>;

class Decide : public testing::Test {
 protected:
  Decision at(const Ids& rows) {
    Situation situation;
    situation.graph = &snapshot->graph();
    situation.database = database;
    situation.database.current_heads = rows;
    situation.lock_holders = holders;
    situation.claimed_by = claimed_by;
    return decide(resource, situation);
  }

  std::shared_ptr<SourceSnapshot> snapshot = sketch::snapshot(sketch::line());
  DatabaseMigration resource = sketch::resource();
  Observation database;
  std::vector<Blocker> holders;
  std::string claimed_by;
};

TEST_F(Decide, AppliesWhatIsPendingInOrder) {
  const Decision decision = at({"a1"});
  EXPECT_EQ(decision.kind, Kind::Apply);
  EXPECT_EQ(decision.direction, Direction::Upgrade);
  EXPECT_EQ(decision.targets, Ids{"head"});
  EXPECT_EQ(decision.resolved, Ids{"a3"});
  EXPECT_EQ(Ids(decision.pending).size(), 2U);
}

TEST_F(Decide, AppliesEverythingToAnEmptyDatabase) {
  EXPECT_EQ(at({}).kind, Kind::Apply);
  EXPECT_EQ(at({}).pending.size(), 3U);
}

TEST_F(Decide, IsUpToDateAtTheTarget) {
  EXPECT_EQ(at({"a3"}).kind, Kind::UpToDate);
  EXPECT_EQ(at({"a3"}).reason, Reason::UpToDate);
  EXPECT_EQ(at({"a3"}).message, "the database is at a3");
}

TEST_F(Decide, DistinguishesADatabaseAheadFromAnError) {
  resource.spec.target_revision = "a1";
  const Decision decision = at({"a3"});
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::DatabaseAhead);
  EXPECT_FALSE(decision.error.has_value());
  EXPECT_EQ(
      decision.message,
      "the database is at a3, ahead of the declared target a1; raise spec.targetRevision, or set spec.policy.downgrade to "
      "Allow to go back");
}

TEST_F(Decide, DowngradesWhenThePolicyAllowsIt) {
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  EXPECT_EQ(at({"a3"}).kind, Kind::Apply);
  EXPECT_EQ(at({"a3"}).direction, Direction::Downgrade);
  resource.spec.target_revision = "base";
  EXPECT_EQ(at({"a1"}).kind, Kind::Apply);
  EXPECT_EQ(at({"a1"}).direction, Direction::Downgrade);
  EXPECT_EQ(at({}).kind, Kind::UpToDate);
}

TEST_F(Decide, KeepsANewerSchemaWhereThePolicySaysSo) {
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Keep;
  const Decision decision = at({"a3"});
  EXPECT_EQ(decision.kind, Kind::UpToDate);
  EXPECT_EQ(decision.reason, Reason::AheadAccepted);
  EXPECT_EQ(decision.message,
            "the database is at a3, ahead of the declared target a1: spec.policy.downgrade is Keep, so the newer schema stays");
  EXPECT_EQ(decision.resolved, Ids{"a1"});
}

TEST_F(Decide, DoesNotCallHalfARevisionANewerSchemaToKeep) {
  UnfinishedStep step;
  step.revision = "a3";
  database.unfinished = step;
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Keep;
  const Decision decision = at({"a2"});
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::UnfinishedRevision);
  EXPECT_EQ(decision.resolved, Ids{"a1"});
}

// The source ends at a1 now; a2 and a3 are in the ledger alone.
class DecideBeyondTheSource : public Decide {
 protected:
  Decision at_a3() {
    Situation situation;
    situation.files = &files->graph();
    situation.graph = &snapshot->graph();
    situation.database.current_heads = {"a3"};
    return decide(resource, situation);
  }
  std::shared_ptr<SourceSnapshot> files = sketch::snapshot({sketch::revision("a1", "")});
};

TEST_F(DecideBeyondTheSource, TakesHeadForTheSourcesOwn) {
  const Decision decision = at_a3();
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::DatabaseAhead);
  EXPECT_NE(decision.message.find("at a3, ahead of the declared target head; its files are no longer in the source"),
            std::string::npos)
      << decision.message;
}

TEST_F(DecideBeyondTheSource, KeepsOrGoesBackAsThePolicySays) {
  resource.spec.policy.downgrade = DowngradePolicy::Keep;
  EXPECT_EQ(at_a3().reason, Reason::AheadAccepted);
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  EXPECT_EQ(at_a3().kind, Kind::Apply);
  EXPECT_EQ(at_a3().direction, Direction::Downgrade);
  EXPECT_EQ(at_a3().targets, Ids{"a1"});
}

TEST_F(DecideBeyondTheSource, RefusesASourceThatDiverged) {
  files = sketch::snapshot({sketch::revision("a1", ""), sketch::revision("s2", "a1")});
  snapshot = sketch::snapshot(
      {sketch::revision("a1", ""), sketch::revision("s2", "a1"), sketch::revision("a2", "a1"), sketch::revision("a3", "a2")});
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  const Decision decision = at_a3();
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::UnknownDatabaseRevision);
  EXPECT_NE(decision.message.find("does not include the target head"), std::string::npos) << decision.message;
}

TEST_F(Decide, RefusesBaseByDefault) {
  resource.spec.target_revision = "base";
  EXPECT_EQ(at({"a1"}).reason, Reason::DatabaseAhead);
}

TEST_F(Decide, DoesNotCallAnotherBranchAhead) {
  snapshot = sketch::snapshot(sketch::line_and_branch());
  resource.spec.target_revision = "a3";
  EXPECT_EQ(at({"a3", "b2"}).kind, Kind::UpToDate);
  EXPECT_EQ(at({"b2"}).kind, Kind::Apply);
  EXPECT_EQ(at({"b2"}).direction, Direction::Upgrade);
  resource.spec.target_revision = "heads";
  EXPECT_EQ(at({"a3", "b2"}).kind, Kind::UpToDate);
  EXPECT_EQ(at({"a3"}).kind, Kind::Apply);
  resource.spec.target_revision = "a2";
  EXPECT_EQ(at({"a3", "b2"}).reason, Reason::DatabaseAhead);
}

TEST_F(Decide, StallsOnSeveralHeads) {
  snapshot = sketch::snapshot(sketch::line_and_branch());
  const Decision decision = at({"a1"});
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::TargetAmbiguous);
  ASSERT_TRUE(decision.error.has_value());
  EXPECT_EQ(decision.error->code, ErrorCode::MultipleHeads);
}

TEST_F(Decide, StallsOnAnUnknownTarget) {
  resource.spec.target_revision = "feed";
  EXPECT_EQ(at({"a1"}).reason, Reason::TargetNotFound);
}

TEST_F(Decide, StallsOnRowsThatOverlap) {
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  resource.spec.target_revision = "base";
  const Decision decision = at({"a1", "a3"});
  EXPECT_EQ(decision.kind, Kind::Stalled);
  ASSERT_TRUE(decision.error.has_value());
  EXPECT_EQ(decision.error->code, ErrorCode::OverlappingHeads);
  EXPECT_NE(decision.error->message.find("'a3' includes 'a1'"), std::string::npos);
}

TEST_F(Decide, StallsOnARevisionThatNoFileHas) {
  const Decision decision = at({"ffff"});
  EXPECT_EQ(decision.kind, Kind::Stalled);
  EXPECT_EQ(decision.reason, Reason::UnknownDatabaseRevision);
  ASSERT_TRUE(decision.error.has_value());
  EXPECT_NE(decision.error->message.find("ffff"), std::string::npos);
  EXPECT_FALSE(decision.error->hint.empty());
}

TEST_F(Decide, LeavesASuspendedResourceAlone) {
  resource.spec.suspend = true;
  claimed_by = "shop/other";
  EXPECT_EQ(at({"a1"}).kind, Kind::Suspended);
  EXPECT_EQ(decide_early(resource, "")->kind, Kind::Suspended);
}

TEST_F(Decide, StallsWhenAnotherResourceManagesTheDatabase) {
  claimed_by = "shop/other";
  EXPECT_EQ(at({"a1"}).reason, Reason::DatabaseClaimed);
  EXPECT_EQ(decide_early(resource, "shop/other")->reason, Reason::DatabaseClaimed);
  EXPECT_FALSE(decide_early(resource, "").has_value());
}

TEST_F(Decide, WaitsWithoutPlanningWhenTheLockIsHeldElsewhere) {
  Blocker holder;
  holder.pid = 4711;
  holder.application = "athanor";
  holders = {holder};
  const Decision decision = at({"a1"});
  EXPECT_EQ(decision.kind, Kind::Wait);
  EXPECT_EQ(decision.reason, Reason::LockHeld);
  EXPECT_EQ(decision.message, "waits for the migration lock held by pid 4711, athanor");
}

TEST_F(Decide, WaitsForThePrimaryOnlyWhenThereIsSomethingToDo) {
  database.read_only = true;
  EXPECT_EQ(at({"a1"}).kind, Kind::Wait);
  EXPECT_EQ(at({"a3"}).kind, Kind::UpToDate);
  resource.spec.dry_run = true;
  EXPECT_EQ(at({"a1"}).kind, Kind::Plan);
}

TEST_F(Decide, StallsOnAStandbyOverWhatThePrimaryWouldStallOver) {
  database.read_only = true;
  resource.spec.target_revision = "a2";
  EXPECT_EQ(at({"a3"}).kind, Kind::Stalled);
  EXPECT_EQ(at({"a3"}).reason, Reason::DatabaseAhead);
  resource.spec.target_revision = "nosuch";
  EXPECT_EQ(at({"a1"}).kind, Kind::Stalled);
  EXPECT_EQ(at({"a1"}).reason, Reason::TargetNotFound);
}

TEST_F(Decide, OnlyPlansInADryRun) {
  resource.spec.dry_run = true;
  EXPECT_EQ(at({"a1"}).kind, Kind::Plan);
  EXPECT_EQ(at({"a1"}).reason, Reason::PlanPublished);
  EXPECT_EQ(at({"a3"}).kind, Kind::UpToDate);
}

TEST_F(Decide, StallsOnARevisionThatStoppedHalfWayBeyondTheTarget) {
  UnfinishedStep step;
  step.revision = "a3";
  database.unfinished = step;
  resource.spec.target_revision = "a2";
  EXPECT_EQ(at({"a2"}).reason, Reason::UnfinishedRevision);
  resource.spec.target_revision = "a3";
  EXPECT_EQ(at({"a2"}).kind, Kind::Apply);
}

TEST(ReasonFor, HasAReasonForEveryError) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::ApiInvalid); ++code) {
    const Error error(static_cast<ErrorCode>(code), "x");
    EXPECT_NE(reason_name(reason_for(error)), "Unknown") << error_name(error.code);
  }
}

TEST(ClaimantIn, FindsTheOwnerThatAResourceWasRefusedFor) {
  const DatabaseMigration resource = sketch::resource();
  Outcome refused;
  refused.kind = Verdict::Kind::Stalled;
  const auto decision = decide_early(resource, "shop/other");
  ASSERT_TRUE(decision);
  refused.reason = decision->reason;
  refused.message = decision->message;
  EXPECT_EQ(claimant_in(summarise(resource, refused, {})), "shop/other");
  refused.reason = Reason::StatementFailed;
  EXPECT_EQ(claimant_in(summarise(resource, refused, {})), "");
  EXPECT_EQ(claimant_in({}), "");
}

}  // namespace
}  // namespace athanor::controller
