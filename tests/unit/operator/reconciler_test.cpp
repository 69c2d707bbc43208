#include "operator/reconcile/reconciler.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "operator/reconcile/migration_controller.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Calls = std::vector<std::string>;
using Kind = Verdict::Kind;

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

class MapStore final : public MigrationStore {
 public:
  std::optional<DatabaseMigration> find(const ResourceKey& key) const override {
    const std::lock_guard lock(mutex);
    return key == resource.key() && !gone ? std::optional(resource) : std::nullopt;
  }
  std::optional<ObjectVersion> version(const ResourceKey& key) const override {
    const auto found = find(key);
    return found ? std::optional(ObjectVersion{found->metadata.uid, found->metadata.resource_version}) : std::nullopt;
  }
  void for_each(const Visit& visit) const override { visit(resource.key(), digest_of(resource.status)); }
  std::string claimed_by(const ResourceKey&) const override { return {}; }
  Result<void> write_status(const ResourceKey&, const DatabaseMigrationStatus& status) override {
    if (refuses) {
      return fail(ErrorCode::ApiUnreachable, "down");
    }
    const std::lock_guard lock(mutex);
    resource.status = status;
    written.push_back(status);
    return {};
  }
  mutable std::mutex mutex;  // callbacks are written by a thread of their own
  DatabaseMigration resource = sketch::resource();
  std::vector<DatabaseMigrationStatus> written;
  std::atomic<bool> gone = false;
  std::atomic<bool> refuses = false;
};

class ControllerTest : public ReconcilerTest {
 protected:
  static ControllerOptions options(milliseconds report_after = milliseconds(0)) {
    ControllerOptions options;
    options.report_after = report_after;
    options.back_off = BackOff{std::chrono::seconds(1), std::chrono::seconds(300), 0.0};
    return options;
  }
  MigrationController::Parts parts_with(WorkQueue& other_queue) {
    return {store, other_queue, controller_observer, clock, feed};
  }
  MigrationController::Kind kind(Reconciler& other_reconciler) {
    return migration_kind(store, other_reconciler, observer, clock);
  }
  // Seconds until the resource's turn comes, up to an hour; its turn is taken.
  int seconds_until_its_turn() {
    for (int seconds = 0; seconds < 3'600; ++seconds, clock.advance(std::chrono::seconds(1))) {
      if (const auto key = queue.try_get()) {
        queue.done(*key);
        return seconds;
      }
    }
    return -1;
  }
  MapStore store;
  WorkQueue queue{clock, 8};
  ControllerObserver controller_observer;
  std::vector<bool> ready_changed;
  MigrationFeed feed;
  MigrationFeed::Subscription outcomes = feed.subscribe([this](const MigrationChange& change) {
    if (change.outcome != nullptr) {
      ready_changed.push_back(change.ready_changed);
    }
  });
  MigrationController controller{parts_with(queue), kind(reconciler), options(), Log()};
};

TEST_F(ControllerTest, AcceptsNothingReadBeforeTheEventThatQueuedTheResource) {
  store.resource.known_since = clock.steady_now() + std::chrono::seconds(1);
  clock.advance(std::chrono::seconds(5));
  queue.add(store.resource.key());
  const SteadyTime woken = clock.steady_now();
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(queue.try_get());
  ASSERT_TRUE(controller.process(store.resource.key(), {}));
  EXPECT_EQ(sources.known_since, woken);
  store.resource.known_since = clock.steady_now();  // its declaration changed since
  ASSERT_TRUE(controller.process(store.resource.key(), {}));
  EXPECT_EQ(sources.known_since, clock.steady_now());
}

TEST_F(ControllerTest, ReportsWhetherTheStatusChanged) {
  store.resource.spec.target_revision = "nowhere";
  controller.process(store.resource.key(), {});
  controller.process(store.resource.key(), {});
  store.resource.spec.target_revision = "head";
  controller.process(store.resource.key(), {});
  EXPECT_EQ(ready_changed, (std::vector<bool>{true, false, true}));
}

TEST_F(ControllerTest, WritesTheStatusTwiceForARunAndNeverWithoutAChange) {
  EXPECT_TRUE(controller.process(store.resource.key(), {}));
  ASSERT_EQ(store.written.size(), 2U);
  EXPECT_EQ(store.written[0].phase, Phase::Migrating);
  EXPECT_TRUE(is_true(store.written[0].conditions, ConditionType::Reconciling));
  EXPECT_EQ(store.written[1].phase, Phase::Ready);
  EXPECT_FALSE(store.written[1].progress.has_value());
  controller.process(store.resource.key(), {});
  controller.process(store.resource.key(), {});
  EXPECT_EQ(store.written.size(), 2U);
}

class SlowBackups final : public BackupService {
 public:
  explicit SlowBackups(test::FakeClock& clock) : clock_(clock) {}
  Result<SavedDatabase> ensure(const BackupRequest&, const Notice& notice, const StopToken&) override {
    for (const char* const words : {"dumping", "3 MB", "6 MB"}) {
      notice(words);
      clock_.advance(std::chrono::seconds(3));
    }
    return SavedDatabase();
  }

 private:
  test::FakeClock& clock_;
};

TEST_F(ControllerTest, MovesNoTransitionTimeWithTheNotesOfARun) {
  store.resource.spec.backup.when = BackupWhen::Always;
  fail_statements();
  SlowBackups backups(clock);
  ReconcilerParts parts{sources, credentials, databases, observer, clock};
  parts.backups = &backups;
  Reconciler with_backups(parts);
  const std::string begun = format_iso8601(clock.wall_now());
  MigrationController(parts_with(queue), kind(with_backups), options(), Log()).process(store.resource.key(), {});
  ASSERT_GE(store.written.size(), 2U);
  for (const auto& status : store.written) {
    const Condition* ready = find_condition(status.conditions, ConditionType::Ready);
    EXPECT_EQ(ready->last_transition_time, begun) << reason_name(ready->reason) << ": " << ready->message;
  }
  EXPECT_TRUE(is_true(store.written.back().conditions, ConditionType::BackedUp));
}

// Each reconcile takes a backup, accepts an older one, goes on without one, or fails.
class GivenBackups final : public BackupService {
 public:
  Result<SavedDatabase> ensure(const BackupRequest&, const Notice&, const StopToken&) override { return given; }
  Result<SavedDatabase> given = SavedDatabase();
};

TEST_F(ControllerTest, CountsBackupsThatWereTakenAndThoseThatFailed) {
  store.resource.spec.backup.when = BackupWhen::Always;
  GivenBackups backups;
  ReconcilerParts parts{sources, credentials, databases, observer, clock};
  parts.backups = &backups;
  Reconciler with_backups(parts);
  MigrationController backing_up(parts_with(queue), kind(with_backups), options(), Log());
  backing_up.process(store.resource.key(), {});
  EXPECT_EQ(observer.backups, 1);
  EXPECT_EQ(observer.failed_backups, 0);
  database().observation.current_heads = {};
  backups.given = fail(ErrorCode::BackupFailed, "no space");
  backing_up.process(store.resource.key(), {});
  EXPECT_EQ(observer.backups, 1);
  EXPECT_EQ(observer.failed_backups, 1);
}

TEST_F(ControllerTest, ReportsOnlyTheOutcomeOfAShortRun) {
  MigrationController patient{parts_with(queue), kind(reconciler), options(std::chrono::hours(1)), Log()};
  EXPECT_TRUE(patient.process(store.resource.key(), {}));
  ASSERT_EQ(store.written.size(), 1U);
  EXPECT_EQ(store.written[0].phase, Phase::Ready);
}

TEST_F(ControllerTest, ReportsARunThatEndedWhileNoStatusCouldBeWritten) {
  store.refuses = true;
  controller.process(store.resource.key(), {});
  EXPECT_FALSE(queue.try_get().has_value());
  clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(queue.try_get().has_value());  // long before the resync
  controller.process(store.resource.key(), {});
  store.refuses = false;
  controller.process(store.resource.key(), {});
  ASSERT_EQ(store.written.size(), 1U);
  EXPECT_EQ(find_condition(store.written[0].conditions, ConditionType::Ready)->reason, Reason::Applied);
  EXPECT_EQ(store.written[0].history.size(), 1U);
}

TEST_F(ControllerTest, BacksOffWhileNoStatusCanBeWritten) {
  store.refuses = true;
  for (const int seconds : {1, 2, 4, 8, 16}) {
    controller.process(store.resource.key(), {});
    EXPECT_EQ(seconds_until_its_turn(), seconds);
  }
  EXPECT_EQ(controller.failures(store.resource.key()), 0) << "no reconcile failed";
  store.refuses = false;
  controller.process(store.resource.key(), {});
  EXPECT_GT(seconds_until_its_turn(), 16);
  store.refuses = true;
  store.resource.spec.target_revision = "nowhere";
  controller.process(store.resource.key(), {});
  EXPECT_EQ(seconds_until_its_turn(), 1) << "it begins anew";
}

TEST_F(ControllerTest, CountsAFailedReconcileOnceWhetherItsStatusWasWrittenOrNot) {
  store.refuses = true;
  database().observe_error = Error(ErrorCode::DatabaseUnreachable, "refused");
  for (const int failures : {1, 2, 3}) {
    controller.process(store.resource.key(), {});
    EXPECT_EQ(controller.failures(store.resource.key()), failures);
    EXPECT_EQ(seconds_until_its_turn(), 1 << (failures - 1));
  }
}

TEST_F(ControllerTest, ReportsNothingOfADeletedResourceOfTheSameName) {
  store.refuses = true;
  controller.process(store.resource.key(), {});
  store.refuses = false;
  store.resource.metadata.uid = "made-anew";
  controller.process(store.resource.key(), {});
  EXPECT_TRUE(store.written.back().history.empty());
}

TEST_F(ControllerTest, ReportsNoRunToAResourceThatWasRecreated) {
  database().on_execute = [this](const Plan& plan, const StopToken&) {
    store.resource.metadata.uid = "made-anew";
    ExecutionReport report;
    report.current_heads = plan.to;
    return report;
  };
  ControllerOptions without_notes;
  without_notes.once = true;
  MigrationController(parts_with(queue), kind(reconciler), without_notes, Log()).process(store.resource.key(), {});
  EXPECT_TRUE(store.written.empty());
}

TEST_F(ControllerTest, ComesBackAtTheResyncWhenAllIsWell) {
  controller.process(store.resource.key(), {});
  EXPECT_EQ(queue.try_get(), std::nullopt);
  clock.advance(std::chrono::seconds(331));
  EXPECT_TRUE(queue.try_get().has_value());
}

TEST_F(ControllerTest, ResyncsAResourceOnceInEveryPeriodWhateverHappensInBetween) {
  controller.process(store.resource.key(), {});
  EXPECT_LE(seconds_until_its_turn(), 330);
  controller.process(store.resource.key(), {});
  EXPECT_EQ(seconds_until_its_turn(), 300);
  clock.advance(std::chrono::seconds(100));
  controller.process(store.resource.key(), {});  // its spec changed
  EXPECT_EQ(seconds_until_its_turn(), 200);
}

TEST_F(ControllerTest, SpreadsResyncsEvenlyOverThePeriod) {
  for (int number = 0; number < 600; ++number) {
    store.resource.metadata.name = "orders-" + std::to_string(number);
    controller.process(store.resource.key(), {});
  }
  for (int minute = 0; minute < 5; ++minute) {
    int turns = 0;
    for (clock.advance(std::chrono::seconds(minute == 0 ? 90 : 60)); queue.try_get(); ++turns) {
    }
    EXPECT_GE(turns, 80) << minute;
    EXPECT_LE(turns, 160) << minute;
  }
}

TEST_F(ControllerTest, ResyncsALargeFleetLessOften) {
  for (int number = 0; number < 6'000 - 1; ++number) {
    queue.add({"shop", "other-" + std::to_string(number)});
    queue.done(queue.try_get().value());
  }
  controller.process(store.resource.key(), {});
  EXPECT_LE(seconds_until_its_turn(), 3'300);
  controller.process(store.resource.key(), {});
  EXPECT_EQ(seconds_until_its_turn(), 3'000);  // ten times five minutes: no more than two in a second
}

TEST_F(ControllerTest, BacksOffWhileTheDatabaseIsDownAndRecovers) {
  database().observe_error = Error(ErrorCode::DatabaseUnreachable, "refused");
  controller.process(store.resource.key(), {});
  EXPECT_EQ(store.written.back().failures, 1);
  controller.process(store.resource.key(), {});
  EXPECT_EQ(store.written.back().failures, 2);
  EXPECT_EQ(store.written.back().next_retry, format_iso8601(clock.wall_now() + std::chrono::seconds(2)));
  database().observe_error.reset();
  controller.process(store.resource.key(), {});
  EXPECT_TRUE(store.resource.ready());
  EXPECT_EQ(controller.failures(store.resource.key()), 0);
}

TEST_F(ControllerTest, ForgetsAResourceThatIsGone) {
  store.gone = true;
  EXPECT_FALSE(controller.process(store.resource.key(), {}));
  EXPECT_TRUE(store.written.empty());
}

TEST_F(ControllerTest, WaitsForAServerAtItsLimitAndContinuesWhenThereIsRoom) {
  WorkQueue narrow{clock, 1};
  ReconcilerParts parts{sources, credentials, databases, observer, clock};
  parts.has_room = [&](const DatabaseMigration& looked_at, const DatabaseLocation& place) {
    EXPECT_EQ(place.described, "db:5432/orders");
    return narrow.set_group(looked_at.key(), server_of(place.described));
  };
  Reconciler crowded(parts);
  MigrationController patient{parts_with(narrow), kind(crowded), options(), Log()};
  const ResourceKey other{"shop", "other"};
  const ResourceKey key = store.resource.key();
  narrow.add(other);
  narrow.add(key);
  ASSERT_EQ(narrow.try_get(), other);
  ASSERT_EQ(narrow.try_get(), key);
  ASSERT_TRUE(narrow.set_group(other, "db:5432"));
  EXPECT_TRUE(patient.process(key, {}));
  narrow.done(key);
  EXPECT_TRUE(databases.targets.empty());
  EXPECT_TRUE(store.written.empty());
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(narrow.try_get(), std::nullopt) << "it waits for room, not for a time";
  narrow.done(other);
  ASSERT_EQ(narrow.try_get(), key);
  EXPECT_TRUE(patient.process(key, {}));
  EXPECT_TRUE(store.resource.ready());
}

TEST_F(ControllerTest, KeepsNothingInTheQueueOfWhatDoesNotExist) {
  const ResourceKey ghost{"shop", "ghost"};  // an approval names it
  queue.add(ghost);
  ASSERT_EQ(queue.try_get(), ghost);
  EXPECT_FALSE(controller.process(ghost, {}));
  queue.done(ghost);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(ControllerTest, KeepsNothingInTheQueueForAResourceDeletedDuringItsReconcile) {
  const ResourceKey key = store.resource.key();
  database().on_execute = [this](const Plan& plan, const StopToken&) {
    store.gone = true;
    queue.remove(store.resource.key());
    ExecutionReport report;
    report.current_heads = plan.to;
    return report;
  };
  queue.add(key);
  ASSERT_EQ(queue.try_get(), key);
  EXPECT_TRUE(controller.process(key, {}));
  queue.done(key);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(ControllerTest, ReconcilesAgainQuietlyAfterALostRace) {
  sources.error = Error(ErrorCode::StalePlan, "the source changed");
  controller.process(store.resource.key(), {});
  EXPECT_TRUE(store.written.empty());
  EXPECT_TRUE(queue.try_get().has_value());
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
