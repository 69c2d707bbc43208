#include "operator/reconcile/migration_controller.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "tests/unit/operator/reconciler_scene.hpp"

namespace athanor::controller {
namespace {

using Calls = std::vector<std::string>;
using Kind = Verdict::Kind;

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

}  // namespace
}  // namespace athanor::controller
