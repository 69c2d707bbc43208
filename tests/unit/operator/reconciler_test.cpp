#include "operator/reconcile/reconciler.hpp"

#include <gtest/gtest.h>

#include "tests/unit/operator/reconciler_scene.hpp"

namespace athanor::controller {
namespace {

using Calls = std::vector<std::string>;
using Kind = Verdict::Kind;

TEST_F(ReconcilerTest, ObservesAndExecutesOnOneConnection) {
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Done);
  EXPECT_EQ(outcome.reason, Reason::Applied);
  EXPECT_EQ(outcome.message, "the database is at a3 after an upgrade of 3 revisions");
  EXPECT_EQ(database().calls, (Calls{"observe", "execute"}));
  EXPECT_EQ(databases.targets.size(), 1U);
  EXPECT_EQ(outcome.observed.pending, std::vector<std::string>());
}

TEST_F(ReconcilerTest, DoesNothingUntilTheSourceHasTheDeclaredRevision) {
  resource.spec.source.revision = "2222";
  sources.current->set_revision("main@1111");
  sources.current->set_names({"1111"});
  const Outcome waits = reconcile();
  EXPECT_EQ(waits.kind, Kind::Waiting);
  EXPECT_EQ(waits.reason, Reason::SourceOutdated);
  EXPECT_EQ(waits.message, "the source is at main@1111, not at spec.source.revision 2222; nothing runs until it is");
  EXPECT_EQ(waits.observed.source_revision, "main@1111");
  EXPECT_EQ(database().calls, Calls{});
  EXPECT_TRUE(databases.targets.empty());
  for (const auto* const name : {"main@1111", "1111"}) {
    resource.spec.source.revision = name;
    EXPECT_EQ(reconcile().kind, Kind::Done) << name;
  }
  resource.spec.source.revision = "111";  // no prefix is enough
  EXPECT_EQ(reconcile().reason, Reason::SourceOutdated);
}

TEST_F(ReconcilerTest, SaysThatTheSourceIsUnavailableRatherThanThatItIsOutdated) {
  resource.spec.source.revision = "2222";
  sources.current->set_revision("main@1111");
  sources.doubt = Error(ErrorCode::Io, "the repository cannot be reached");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_EQ(outcome.reason, Reason::SourceNotFound);
}

TEST_F(ReconcilerTest, NamesTheDigestBesideOpaqueVersions) {
  resource.spec.source.revision = "sha256:22";
  sources.current->set_revision("orders@4711");
  sources.current->set_names({"sha256:11"});
  EXPECT_EQ(reconcile().message,
            "the source is at orders@4711 (sha256:11), not at spec.source.revision sha256:22; nothing runs until it is");
}

TEST_F(ReconcilerTest, TakesADatabaseWithTablesOverAtItsBaselineAndGoesOnFromThere) {
  resource.spec.baseline = "a2";
  database().has_user_tables = true;
  const Outcome taken = reconcile();
  EXPECT_EQ(taken.kind, Kind::Waiting) << taken.message;
  EXPECT_EQ(taken.reason, Reason::Baselined);
  EXPECT_EQ(next_attempt(taken, 0), Requeue::AtOnce);
  EXPECT_EQ(database().observation.current_heads, std::vector<std::string>{"a2"});
  EXPECT_EQ(database().calls, (Calls{"observe", "ledger", "has_user_tables", "execute"}));
  ASSERT_TRUE(taken.review);
  EXPECT_EQ(taken.review->plan->operation, Direction::Stamp);
  const Outcome next = reconcile();
  EXPECT_EQ(next.reason, Reason::Applied);
  EXPECT_EQ(next.message, "the database is at a3 after an upgrade of 1 revision");
}

TEST_F(ReconcilerTest, RunsEverythingOnAnEmptyDatabaseWhateverTheBaseline) {
  resource.spec.baseline = "a2";
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Applied);
  EXPECT_EQ(outcome.message,
            "the database is at a3 after an upgrade of 3 revisions; spec.baseline.revision did not apply: the database had no "
            "tables, or already had a version table");
}

TEST_F(ReconcilerTest, TakesOverOnlyWhatHasNoHistory) {
  resource.spec.baseline = "a2";
  database().has_user_tables = true;
  Migrator::HistoryEntry entry;
  entry.outcome = "applied";
  database().ledger = {entry};
  database().observation.has_ledger = true;
  EXPECT_EQ(reconcile().reason, Reason::Applied);  // an upgrade from nothing: somebody went down to base
  database().observation = {};
  database().observation.has_version_table = true;  // empty, of another tool
  database().ledger.clear();
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  database().observation = {};
  database().observation.has_version_table = database().observation.has_ledger = true;
  entry.outcome = "failed";  // an attempt without a baseline
  database().ledger = {entry};
  EXPECT_EQ(reconcile().reason, Reason::Baselined);
}

TEST_F(ReconcilerTest, TakesNothingOverOnceARevisionBegan) {
  resource.spec.baseline = "a2";
  database().has_user_tables = true;
  database().observation.has_version_table = database().observation.has_ledger = true;
  UnfinishedStep begun;
  begun.revision = "a1";
  database().observation.unfinished = begun;
  EXPECT_NE(reconcile().reason, Reason::Baselined);
  database().observation.unfinished.reset();
  database().observation.current_heads.clear();
  Migrator::HistoryEntry entry;
  entry.outcome = "stamped";
  database().ledger = {entry};
  EXPECT_EQ(reconcile().reason, Reason::Applied) << "it was stamped before";
  database().observation.current_heads.clear();
  entry.outcome = "failed";
  database().ledger.assign(1'000, entry);
  EXPECT_EQ(reconcile().reason, Reason::Applied) << "what is further back is not known";
}

TEST_F(ReconcilerTest, PlansATakeoverInADryRun) {
  resource.spec.baseline = "a2";
  resource.spec.dry_run = true;
  database().has_user_tables = true;
  const Outcome outcome = reconcile();
  ASSERT_TRUE(outcome.review);
  EXPECT_EQ(outcome.review->plan->operation, Direction::Stamp);
}

TEST_F(ReconcilerTest, NamesABaselineThatNoFileHas) {
  resource.spec.baseline = "z9";
  database().has_user_tables = true;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::TargetNotFound);
  EXPECT_EQ(outcome.message.find("spec.baseline.revision: revision z9 is not in the source"), 0U) << outcome.message;
}

TEST_F(ReconcilerTest, AsksForAnApprovalOfATakeoverAsOfAnyPlan) {
  resource.spec.baseline = "a2";
  resource.spec.policy.approval = ApprovalPolicy::Always;
  database().has_user_tables = true;
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
  EXPECT_TRUE(database().observation.current_heads.empty());
  resource.spec.policy.approval = ApprovalPolicy::Never;
  resource.spec.dry_run = true;
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
  EXPECT_TRUE(database().observation.current_heads.empty());
}

TEST_F(ReconcilerTest, DoesNothingAtTheTarget) {
  database().observation.current_heads = {"a3"};
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(database().calls, (Calls{"observe", "verify"}));
}

// The ledger's rows of a2 and a3, whose files are gone.
Rows recorded_a2_and_a3() {
  const auto row = [](const std::string& id, const std::string& down) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string digits;
    for (const char c : sketch::revision(id, down).text) {
      const auto byte = static_cast<unsigned char>(c);
      digits += kDigits[byte / 16];
      digits += kDigits[byte % 16];
    }
    return std::vector<Parameter>{id, down, "", "", digits, "2026-11-30T12:00:00+00:00", "alice", "checksum"};
  };
  return {{row("a2", "a1"), row("a3", "a2")}, 2};
}

TEST_F(ReconcilerTest, KnowsByTheLedgerADatabaseThatIsAheadOfTheSource) {
  database().observation.current_heads = {"a3"};
  sources.current = sketch::snapshot({sketch::revision("a1", "")});
  EXPECT_EQ(reconcile().reason, Reason::UnknownDatabaseRevision);  // nothing is recorded
  database().recorded = recorded_a2_and_a3();
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  resource.spec.policy.downgrade = DowngradePolicy::Keep;
  const Outcome kept = reconcile();
  EXPECT_EQ(kept.kind, Kind::Done);
  EXPECT_EQ(kept.reason, Reason::AheadAccepted);
  EXPECT_EQ(database().calls, (Calls{"observe", "recorded_lineage", "verify"}));
  EXPECT_EQ(kept.observed.source_files, 1);
}

TEST_F(ReconcilerTest, NamesTheSquashedRevisionOfTheDatabase) {
  database().observation.current_heads = {"a3"};
  database().recorded = recorded_a2_and_a3();
  const std::string replaces =
      "\n-- athanor:replaces a3 " + std::string(64, '0') + "\n-- athanor:replaces a4 " + std::string(64, '1') + "\n";
  sources.current = sketch::snapshot({sketch::revision("a4", "", "SELECT 1;", replaces), sketch::revision("a5", "a4")});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::UnknownDatabaseRevision);
  EXPECT_EQ(outcome.error->message, "the database is at revision a3, which was squashed into the baseline a4 (a4.sql)");
  EXPECT_NE(outcome.error->hint.find("the files from before the squash, with spec.targetRevision a4"), std::string::npos);
}

TEST_F(ReconcilerTest, GoesBackWithTheTextsOfTheLedger) {
  database().observation.current_heads = {"a3"};
  database().recorded = recorded_a2_and_a3();
  sources.current = sketch::snapshot({sketch::revision("a1", "")});
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Applied) << outcome.message;
  EXPECT_EQ(database().observation.current_heads, std::vector<std::string>{"a1"});
}

TEST_F(ReconcilerTest, WaitsBeforeItChangesDirection) {
  database().observation.current_heads = {"a3"};
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  database().last_change = LastChange{Direction::Upgrade, milliseconds(120'000)};
  const Outcome waits = reconcile();
  EXPECT_EQ(waits.kind, Kind::Waiting);
  EXPECT_EQ(waits.reason, Reason::DirectionCooldown);
  EXPECT_EQ(waits.message,
            "the last change was an upgrade 2m ago; a change of direction waits for spec.policy.directionCooldown (10m)");
  EXPECT_EQ(waits.requeue_after, milliseconds(480'000));
  EXPECT_EQ(database().observation.current_heads, std::vector<std::string>{"a3"});
  database().last_change = LastChange{Direction::Upgrade, milliseconds(600'000)};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ReconcilerTest, WaitsAtLeastASecondBeforeItChangesDirection) {
  database().observation.current_heads = {"a3"};
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  database().last_change = LastChange{Direction::Upgrade, milliseconds(599'999)};
  EXPECT_EQ(reconcile().requeue_after, milliseconds(1'000));
}

TEST_F(ReconcilerTest, WaitsForNoDirectionWhereThereIsOnlyOne) {
  database().last_change = LastChange{Direction::Downgrade, milliseconds(1)};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ReconcilerTest, WaitsForNoChangeThatLiesFarInTheFuture) {
  database().observation.current_heads = {"a3"};
  resource.spec.target_revision = "a1";
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  database().last_change = LastChange{Direction::Upgrade, milliseconds(-60'000)};
  EXPECT_EQ(reconcile().requeue_after, milliseconds(660'000));
  database().last_change = LastChange{Direction::Upgrade, std::chrono::hours(-8'760)};
  EXPECT_EQ(reconcile().reason, Reason::Applied) << "the clock of the server was set back";
}

TEST_F(ReconcilerTest, DoesNotWaitForARunInTheSameDirection) {
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  database().last_change = LastChange{Direction::Upgrade, milliseconds(1)};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ReconcilerTest, ReadsRefusedCredentialsOnceMore) {
  resource.spec.database.url.clear();
  resource.spec.database.url_from = SecretReference{SecretReference::Kind::SecretKey, "db", "url"};
  resource.known_since = clock.steady_now();
  credentials.values["db"] = "postgresql://app:old@db/orders";
  database().observe_error = Error(ErrorCode::AuthenticationFailed, "refused");
  EXPECT_EQ(reconcile().reason, Reason::AuthenticationFailed);
  credentials.newest["db"] = "postgresql://app:new@db/orders";
  const Outcome outcome = reconcile();
  EXPECT_TRUE(outcome.retry_now);
  EXPECT_EQ(outcome.kind, Kind::Failed);
}

TEST_F(ReconcilerTest, StartsNothingWhileTheSourceIsUnavailable) {
  sources.doubt = Error(ErrorCode::Io, "no answer");
  const Outcome pending = reconcile();
  EXPECT_EQ(pending.kind, Kind::Failed);
  EXPECT_EQ(pending.reason, Reason::SourceNotFound);
  EXPECT_EQ(pending.observed.pending, (std::vector<std::string>{"a1", "a2", "a3"}));
  EXPECT_EQ(database().calls, Calls{"observe"});
  resource.spec.dry_run = true;
  EXPECT_EQ(reconcile().reason, Reason::SourceNotFound);
  resource.spec.dry_run = false;
  resource.spec.target_revision = "a4";  // which may have been pushed
  EXPECT_EQ(reconcile().reason, Reason::SourceNotFound);
  resource.spec.target_revision = "head";

  database().observation.current_heads = {"a3"};
  const Outcome at_target = reconcile();
  EXPECT_EQ(at_target.reason, Reason::UpToDate);
  ASSERT_TRUE(at_target.observed.source_error);
  EXPECT_EQ(at_target.observed.source_error->message, "no answer");

  sources.doubt.reset();
  database().observation.current_heads = {"a2"};
  const Outcome applied = reconcile();
  EXPECT_EQ(applied.reason, Reason::Applied);
  EXPECT_FALSE(applied.observed.source_error);
}

TEST_F(ReconcilerTest, ComparesFilesWithTheLedgerOncePerContentAndPosition) {
  database().observation.current_heads = {"a3"};
  (void)reconcile();
  (void)reconcile();
  EXPECT_EQ(database().calls, Calls{"observe"});
  sources.current = sketch::snapshot(sketch::line(), "2");
  (void)reconcile();
  EXPECT_EQ(database().calls, (Calls{"observe", "verify"}));
}

TEST_F(ReconcilerTest, StallsOnAChangedFileBeforeAnythingRuns) {
  database().observation.current_heads = {"a1"};
  database().checksum_error = Error(ErrorCode::ChecksumMismatch, "a1 changed");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::ChecksumMismatch);
  EXPECT_EQ(database().calls, (Calls{"observe", "verify"}));
}

TEST_F(ReconcilerTest, LeavesADatabaseAloneThatTheServerSaysIsAnothers) {
  std::vector<std::string> reported;
  ReconcilerParts parts{sources, credentials, databases, observer, clock};
  parts.claim = [&reported](const DatabaseMigration& asking, const DatabaseLocation& place) {
    reported = {asking.metadata.name, place.described, place.identity};
    return std::string("shop/older");
  };
  Reconciler claiming(parts);
  database().observation.identity = "1/orders#public.alembic_version";
  const Outcome outcome = claiming.reconcile(resource, "", callbacks, {}, Log());
  EXPECT_EQ(outcome.reason, Reason::DatabaseClaimed);
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(reported, (std::vector<std::string>{"orders", "db:5432/orders", "1/orders#public.alembic_version"}));
  EXPECT_EQ(database().calls, Calls{"observe"});
  EXPECT_TRUE(databases.targets.front().settings.identify);
}

TEST_F(ReconcilerTest, DoesNotEvenConnectWhenSuspendedOrContested) {
  resource.spec.suspend = true;
  EXPECT_EQ(reconcile().reason, Reason::Suspended);
  resource.spec.suspend = false;
  claimed_by = "shop/other";
  EXPECT_EQ(reconcile().reason, Reason::DatabaseClaimed);
  EXPECT_TRUE(databases.targets.empty());
}

TEST_F(ReconcilerTest, PublishesThePlanOfADryRunAndRunsNothing) {
  resource.spec.dry_run = true;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::PlanPublished);
  ASSERT_TRUE(outcome.review);
  EXPECT_EQ(outcome.review->plan->revisions.size(), 3U);
  EXPECT_EQ(outcome.observed.pending->size(), 3U);
  EXPECT_EQ(database().calls, Calls{"observe"});
}

TEST_F(ReconcilerTest, DoesNotRunAFailedPlanAgainUntilSomethingChanges) {
  fail_statements();
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.error->sqlstate, "42601");
  EXPECT_FALSE(outcome.repeated);
  outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_TRUE(outcome.repeated);
  EXPECT_EQ(outcome.report->failed_revision, "a1");
  EXPECT_EQ(database().calls, Calls{"observe"});
  EXPECT_EQ(observer.failed, 1);
}

TEST_F(ReconcilerTest, RunsAFailedPlanAgainAfterEachKindOfChange) {
  const auto runs_again = [this] {
    (void)reconcile();
    return database().calls.back() == "execute";
  };
  fail_statements();
  EXPECT_TRUE(runs_again());
  EXPECT_FALSE(runs_again());
  resource.metadata.generation = 2;
  EXPECT_TRUE(runs_again());
  resource.metadata.annotations[kRetryNowAnnotation] = "now";
  EXPECT_TRUE(runs_again());
  resource.spec.database.url = "postgresql://new-password@db/orders";
  EXPECT_TRUE(runs_again());
  auto files = sketch::line();
  files[0] = sketch::revision("a1", "", "SELECT 'mended';");
  sources.current = sketch::snapshot(files, "2");
  EXPECT_TRUE(runs_again());
  database().observation.current_heads = {"a1"};
  EXPECT_TRUE(runs_again());
  EXPECT_FALSE(runs_again());
}

TEST_F(ReconcilerTest, RemembersAFailureBehindRevisionsThatWereApplied) {
  database().on_execute = [this](const Plan& plan, const StopToken&) {
    ExecutionReport report;
    report.executed.push_back({"a1", Direction::Upgrade, milliseconds(1)});
    report.current_heads = {"a1"};
    database().observation.current_heads = *report.current_heads;
    report.error = Error(ErrorCode::StatementFailed, "syntax error");
    report.failed_revision = plan.revisions[1].walk.revision.value_or("");
    return report;
  };
  Outcome outcome = reconcile();
  EXPECT_EQ(*outcome.observed.current_heads, std::vector<std::string>{"a1"});
  EXPECT_EQ(*outcome.observed.pending, (std::vector<std::string>{"a2", "a3"}));
  outcome = reconcile();
  EXPECT_TRUE(outcome.repeated);
  EXPECT_EQ(database().calls, (Calls{"observe", "verify"}));
}

TEST_F(ReconcilerTest, ClaimsNoRowsAfterARunThatLostTheDatabase) {
  database().on_execute = [](const Plan&, const StopToken&) {
    ExecutionReport report;
    report.executed.push_back({"a1", Direction::Upgrade, milliseconds(1)});
    report.error = Error(ErrorCode::CommitOutcomeUnknown, "the connection was lost");
    report.error->retry = RetryClass::Terminal;
    return report;
  };
  const Outcome outcome = reconcile();
  EXPECT_FALSE(outcome.observed.current_heads);
  EXPECT_TRUE(outcome.observed.rows_unknown);
}

TEST_F(ReconcilerTest, WaitsForALockAndQueriesItsHolderFirstTheNextTime) {
  database().on_execute = [](const Plan& plan, const StopToken&) {
    ExecutionReport report;
    report.current_heads = plan.from;
    report.error = Error(ErrorCode::LockHeld, "held");
    return report;
  };
  EXPECT_EQ(reconcile().kind, Kind::Waiting);
  Blocker holder;
  holder.pid = 7;
  database().holders = {holder};
  EXPECT_EQ(reconcile().reason, Reason::LockHeld);
  EXPECT_EQ(database().calls, (Calls{"observe", "lock_holders"}));
  database().holders.clear();
  database().on_execute = nullptr;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ReconcilerTest, RetriesWhatIsTransient) {
  database().observe_error = Error(ErrorCode::DatabaseUnreachable, "refused");
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  database().observe_error.reset();
  sources.error = Error(ErrorCode::StalePlan, "the source changed");
  EXPECT_TRUE(reconcile().retry_now);
  sources.error.reset();
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ReconcilerTest, StartsNothingOnceAStopWasRequested) {
  StopSource stop;
  stop.request();
  EXPECT_EQ(reconcile(stop.token()).reason, Reason::Interrupted);
  EXPECT_TRUE(databases.targets.empty());
}

TEST_F(ReconcilerTest, TakesASourceWithoutRevisionsForAMistake) {
  sources.current = sketch::snapshot({});
  const auto outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::SourceInvalid);
  EXPECT_NE(outcome.message.find("no revision file"), std::string::npos) << outcome.message;
  EXPECT_TRUE(databases.targets.empty());
  resource.spec.target_revision = "base";
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
}

TEST_F(ReconcilerTest, BuildsTheUrlFromPartsAndReadsThePasswordLast) {
  auto& declared = resource.spec.database;
  declared = {};
  declared.host = "::1";
  declared.port = 6432;
  declared.name = "or/ders";
  declared.user = "us@er";
  declared.password_from = SecretReference{SecretReference::Kind::Environment, "PASSWORD", ""};
  declared.ssl_mode = "require";
  declared.schema = "App";
  EXPECT_EQ(reconcile().reason, Reason::CredentialsNotFound);
  credentials.values["PASSWORD"] = "p:/@%?# é";
  (void)reconcile();
  ASSERT_EQ(databases.targets.size(), 1U);
  const DatabaseTarget& target = databases.targets.front();
  EXPECT_EQ(target.url, "postgresql://us%40er:p%3A%2F%40%25%3F%23%20%C3%A9@[::1]:6432/or%2Fders?sslmode=require");
  EXPECT_EQ(target.settings.version_table_schema, "App");
  EXPECT_EQ(target.settings.execution.search_path, "\"App\", public");
  EXPECT_EQ(target.settings.actor, "databasemigration/shop/orders");
}

TEST_F(ReconcilerTest, ReportsAnOutdatedStatusBeforeAnythingRuns) {
  std::vector<std::string> messages;
  Result<void> answer;
  callbacks.outdated = [&](const Observed& observed, const std::string& message) -> Result<void> {
    messages.push_back(message);
    EXPECT_EQ(observed.pending->size(), 3U);
    EXPECT_EQ(database().calls, Calls{"observe"});
    return answer;
  };
  answer = fail(ErrorCode::ApiUnreachable, "no answer");
  const Outcome untold = reconcile();
  EXPECT_EQ(untold.reason, Reason::ApiUnavailable);
  EXPECT_EQ(database().calls, Calls{"observe"}) << "nothing runs while the old status stands";
  answer = {};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(messages.back(), "the upgrade of 3 revisions is pending: a1, a2, a3");
  messages.clear();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_TRUE(messages.empty());
}

TEST_F(ReconcilerTest, WithdrawsTheStatusAsSoonAsSourceOrSecretDiffer) {
  std::vector<std::string> doubts;
  callbacks.outdated_soon = [&](const Observed&, const std::string& message) { doubts.push_back(message); };
  database().observation.current_heads = {"a3"};
  sources.current->set_revision("orders@1");
  resource.status.source = SourceStatus{"path", "orders@1", {}, ""};
  (void)reconcile();
  EXPECT_TRUE(doubts.empty());
  sources.current = sketch::snapshot(sketch::line(), "2");
  sources.current->set_revision("orders@2");
  (void)reconcile();
  EXPECT_EQ(doubts, Calls{"the source changed to orders@2; the database has not been compared with it yet"});
  resource.status.source->revision = "orders@2";
  resource.spec.database.url = "postgresql://elsewhere/orders";
  (void)reconcile();
  EXPECT_EQ(doubts.back(), "the connection to the database changed and has not been tried yet");
}

TEST_F(ReconcilerTest, LeavesTheDatabaseOfAResourceThatIsBeingDeletedAlone) {
  resource.metadata.deleting = true;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Deleting);
  EXPECT_EQ(outcome.kind, Kind::Done);
  EXPECT_TRUE(databases.targets.empty());
}

TEST_F(ReconcilerTest, NamesTheSourceThatHasNoRevisionFiles) {
  sources.current = sketch::snapshot({});
  sources.current->set_ignored({"key README.md of ConfigMap orders"});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::SourceInvalid);
  EXPECT_EQ(outcome.message,
            "spec.source: no revision files in the source: folder rev; ignored: key README.md of ConfigMap orders");
  EXPECT_EQ(outcome.observed.source_files, 0);
}

TEST_F(ReconcilerTest, KeepsWhichVersionOfTheSourceCannotBeUsed) {
  sources.unusable = "orders@3";
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::SourceInvalid);
  EXPECT_EQ(outcome.observed.source_revision, "orders@3");
}

}  // namespace
}  // namespace athanor::controller
