// What DatabaseAccess promises, asked of the real adapter on a real server and of the fake that the operator's unit tests stand
// on. A test that passes for one and fails for the other means that the unit tests prove something about no database.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "migrations/postgres/connect.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Rows = std::vector<std::string>;

// The same happenings in both worlds.
class World {
 public:
  World() = default;
  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  [[nodiscard]] virtual DatabaseAccessFactory& databases() = 0;
  [[nodiscard]] virtual std::string url() = 0;
  virtual void set_rows(const Rows& rows) = 0;  // by someone else, past the ledger
  virtual void hold_lock() = 0;                 // as another run
  virtual void release_lock() = 0;
  virtual void go_away() = 0;
  virtual void come_back() = 0;
  // Statement of `revision` cannot succeed from now on; mended by mend().
  virtual void break_revision(const std::string& revision) = 0;
  virtual void mend(const std::string& revision) = 0;
  // Of the version table, as the database has them.
  [[nodiscard]] virtual Rows rows() = 0;
};

class FakeWorld final : public World {
 public:
  DatabaseAccessFactory& databases() override { return databases_; }
  std::string url() override { return "postgresql://db/orders"; }
  void set_rows(const Rows& rows) override {
    database().observation.current_heads = rows;
    database().observation.has_version_table = true;
  }
  void hold_lock() override {
    Blocker holder;
    holder.pid = 7;
    holder.application = "another run";
    database().holders = {holder};
  }
  void release_lock() override { database().holders.clear(); }
  void go_away() override { database().unreachable = true; }
  void come_back() override { database().unreachable = false; }
  void break_revision(const std::string& revision) override {
    database().broken.emplace(revision, Error(ErrorCode::StatementFailed, "already exists").with_sqlstate("42P07"));
  }
  void mend(const std::string& revision) override { database().broken.erase(revision); }
  Rows rows() override { return database().observation.current_heads; }

 private:
  sketch::FakeDatabase& database() { return databases_.database; }
  sketch::FakeDatabases databases_;
};

class PostgresWorld final : public World {
 public:
  DatabaseAccessFactory& databases() override { return *databases_; }
  std::string url() override { return away_ ? "postgresql://postgres@127.0.0.1:1/gone" : database_.url(); }
  void set_rows(const Rows& rows) override {
    database_.run(
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY); DELETE FROM alembic_version");
    for (const auto& row : rows) {
      database_.run("INSERT INTO alembic_version VALUES ('" + row + "')");
    }
  }
  void hold_lock() override {
    // Only a run of our own takes the right lock: one that is stopped inside its statement by a table lock of this test.
    database_.run("CREATE TABLE gate (id int)");
    gate_.emplace(database_.connect());
    gate_->run("BEGIN; LOCK TABLE gate");
    rival_.emplace(std::thread([this] {
      ProgressSink sink;
      auto snapshot = sketch::snapshot({sketch::revision("rival", "", "INSERT INTO gate VALUES (1);")});
      DatabaseTarget target;
      target.url = database_.url();
      target.settings.version_table = "rival_version";
      target.settings.execution.application_name = "another run";
      auto access = databases_->open(target, sink).value();
      const auto plan = snapshot->plan(Direction::Upgrade, {}, {"head"}).value();
      (void)access->execute(*plan, {}, {});
    }));
    if (!database_.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND"
                              " application_name LIKE 'another run%' AND wait_event_type = 'Lock'")) {
      throw std::runtime_error("the rival does not hold the lock");
    }
  }
  void release_lock() override {
    gate_->run("ROLLBACK");
    rival_->join();
    rival_.reset();
  }
  void go_away() override { away_ = true; }
  void come_back() override { away_ = false; }
  void break_revision(const std::string& revision) override { database_.run("CREATE TABLE t_" + revision + " (taken int)"); }
  void mend(const std::string& revision) override { database_.run("DROP TABLE t_" + revision); }
  Rows rows() override { return database_.version_rows(); }

  PostgresWorld() = default;
  ~PostgresWorld() override {
    if (rival_) {
      release_lock();
    }
  }

 private:
  test::TestDatabase database_{"contract"};
  SystemClock clock_;
  std::unique_ptr<DatabaseAccessFactory> databases_ = make_migrator_access(
      [](const std::string& url, const ExecutionSettings& settings,
         const StopToken& stop) -> Result<std::unique_ptr<SessionFactory>> {
        TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, settings, stop));
        return std::unique_ptr<SessionFactory>(std::move(factory));
      },
      clock_);
  bool away_ = false;
  std::optional<test::Client> gate_;
  std::optional<std::thread> rival_;
};

struct Kind {
  const char* name;
  std::unique_ptr<World> (*make)();
};

class AccessContract : public testing::TestWithParam<Kind> {
 protected:
  static MemorySource::File table(const std::string& id, const std::string& down) {
    MemorySource::File file = sketch::revision(id, down, "CREATE TABLE t_" + id + " (id int);");
    const std::string placeholder = "SELECT 2;";
    file.text.replace(file.text.find(placeholder), placeholder.size(), "DROP TABLE t_" + id + ";");
    return file;
  }
  static std::vector<MemorySource::File> tables() { return {table("a1", ""), table("a2", "a1"), table("a3", "a2")}; }

  std::unique_ptr<DatabaseAccess> access() {
    DatabaseTarget target;
    target.url = world->url();
    target.settings.actor = "contract";
    target.settings.execution.lock_wait = milliseconds(100);
    target.settings.execution.connect_timeout = milliseconds(2'000);
    return world->databases().open(target, sink).value();
  }
  std::shared_ptr<const Plan> plan(const Rows& from, const std::string& target = "head",
                                   Direction direction = Direction::Upgrade) {
    return snapshot->plan(direction, from, {target}).value();
  }
  static Rows ids(const ExecutionReport& report) {
    Rows all;
    for (const auto& executed : report.executed) {
      all.push_back(executed.revision);
    }
    return all;
  }
  static std::string code(const ExecutionReport& report) {
    return report.error ? std::string(error_name(report.error->code)) : "ok";
  }

  std::unique_ptr<World> world = GetParam().make();
  ProgressSink sink;
  std::shared_ptr<SourceSnapshot> snapshot = sketch::snapshot(tables());
};

TEST_P(AccessContract, AnEmptyDatabaseHasNothingAndIsNotChangedByObserving) {
  const auto seen = access()->observe();
  ASSERT_TRUE(seen.has_value()) << seen.error().describe();
  EXPECT_EQ(seen->current_heads, Rows{});
  EXPECT_FALSE(seen->has_version_table || seen->has_ledger || seen->read_only || seen->unfinished);
  EXPECT_FALSE(access()->observe()->has_version_table);
}

TEST_P(AccessContract, UpgradesAndSeesWhatItDidOnTheSameConnection) {
  const auto connection = access();
  ASSERT_TRUE(connection->observe().has_value());
  const auto report = connection->execute(*plan({}), {}, {});
  EXPECT_EQ(code(report), "ok");
  EXPECT_EQ(ids(report), (Rows{"a1", "a2", "a3"}));
  EXPECT_EQ(report.current_heads, Rows{"a3"});
  EXPECT_FALSE(report.run_id.empty());
  const auto seen = connection->observe();
  EXPECT_EQ(seen->current_heads, Rows{"a3"});
  EXPECT_TRUE(seen->has_version_table && seen->has_ledger);
  EXPECT_EQ(world->rows(), Rows{"a3"});
}

TEST_P(AccessContract, DowngradesToATarget) {
  (void)access()->execute(*plan({}), {}, {});
  const auto report = access()->execute(*plan({"a3"}, "a1", Direction::Downgrade), {}, {});
  EXPECT_EQ(code(report), "ok");
  EXPECT_EQ(ids(report), (Rows{"a3", "a2"}));
  EXPECT_EQ(world->rows(), Rows{"a1"});
}

TEST_P(AccessContract, AnEmptyPlanDoesNothingEvenBehindALock) {
  world->set_rows({"a3"});
  world->hold_lock();
  const auto report = access()->execute(*plan({"a3"}), {}, {});
  EXPECT_EQ(code(report), "ok");
  EXPECT_EQ(ids(report), Rows{});
  EXPECT_EQ(report.current_heads, Rows{"a3"});
}

TEST_P(AccessContract, ReportsARevisionThatNoFileHasAsItIs) {
  world->set_rows({"ffff"});
  EXPECT_EQ(access()->observe()->current_heads, Rows{"ffff"});
  EXPECT_TRUE(access()->verify_checksums(*snapshot, {"a1"}, nullptr).has_value());
}

TEST_P(AccessContract, RefusesAPlanThatNoLongerFitsAndChangesNothing) {
  const auto made = plan({});
  world->set_rows({"a1"});
  const auto report = access()->execute(*made, {}, {});
  EXPECT_EQ(code(report), "stale-plan");
  EXPECT_EQ(ids(report), Rows{});
  EXPECT_EQ(world->rows(), Rows{"a1"});
}

TEST_P(AccessContract, GivesUpBehindALockHeldElsewhereAndNamesItsHolder) {
  EXPECT_TRUE(access()->lock_holders()->empty());
  world->hold_lock();
  const auto report = access()->execute(*plan({}), {}, {});
  EXPECT_EQ(code(report), "lock-held");
  EXPECT_EQ(ids(report), Rows{});
  EXPECT_EQ(report.failed_revision, "");
  EXPECT_EQ(world->rows(), Rows{});
  const auto holders = access()->lock_holders();
  ASSERT_EQ(holders->size(), 1U);
  EXPECT_GT(holders->front().pid, 0);
  EXPECT_TRUE(holders->front().application.starts_with("another run")) << holders->front().application;
  world->release_lock();
  EXPECT_EQ(code(access()->execute(*plan({}), {}, {})), "ok");
}

TEST_P(AccessContract, KeepsWhatWasAppliedBeforeAFailingStatementAndGoesOnFromThere) {
  world->break_revision("a2");
  const auto report = access()->execute(*plan({}), {}, {});
  EXPECT_EQ(code(report), "statement-failed");
  EXPECT_EQ(report.error->sqlstate, "42P07");
  EXPECT_EQ(report.failed_revision, "a2");
  EXPECT_EQ(ids(report), Rows{"a1"});
  EXPECT_EQ(report.current_heads, Rows{"a1"});
  EXPECT_EQ(world->rows(), Rows{"a1"});
  world->mend("a2");
  EXPECT_EQ(code(access()->execute(*plan({"a1"}), {}, {})), "ok");
  EXPECT_EQ(world->rows(), Rows{"a3"});
}

TEST_P(AccessContract, NoticesThatTheFileOfAnAppliedRevisionChanged) {
  (void)access()->execute(*plan({}, "a2"), {}, {});
  EXPECT_TRUE(access()->verify_checksums(*snapshot, {"a2"}, nullptr).has_value());
  auto files = tables();
  files[2].text += "-- a3 is not applied\n";
  EXPECT_TRUE(access()->verify_checksums(*sketch::snapshot(files, "2"), {"a2"}, nullptr).has_value());
  files[0].text += "-- a1 is\n";
  const auto refused = access()->verify_checksums(*sketch::snapshot(files, "3"), {"a2"}, nullptr);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ChecksumMismatch);
}

TEST_P(AccessContract, ChangesNothingWithoutPermission) {
  int asked = 0;
  const auto refused = access()->execute(*plan({}), {}, [&]() -> Result<void> {
    ++asked;
    return fail(ErrorCode::StalePlan, "taken back");
  });
  EXPECT_EQ(code(refused), "stale-plan");
  EXPECT_EQ(access()->observe()->current_heads, std::vector<std::string>());
  EXPECT_EQ(code(access()->execute(*plan({}), {},
                                   [&]() -> Result<void> {
                                     ++asked;
                                     return {};
                                   })),
            "ok")
      << "and the lock was released";
  EXPECT_EQ(asked, 2) << "once for each run";
}

TEST_P(AccessContract, StartsNothingOnceAStopWasRequested) {
  StopSource stop;
  stop.request();
  const auto report = access()->execute(*plan({}), stop.token(), {});
  EXPECT_EQ(code(report), "interrupted");
  EXPECT_EQ(ids(report), Rows{});
  EXPECT_EQ(world->rows(), Rows{});
}

TEST_P(AccessContract, OpensWithoutConnectingAndSaysThatTheDatabaseIsUnreachable) {
  world->go_away();
  const auto connection = access();  // throws if opening failed
  const auto seen = connection->observe();
  ASSERT_FALSE(seen.has_value());
  EXPECT_EQ(seen.error().code, ErrorCode::DatabaseUnreachable);
  EXPECT_EQ(seen.error().retry, RetryClass::Transient);
  EXPECT_EQ(connection->lock_holders().error().code, ErrorCode::DatabaseUnreachable);
  const auto report = connection->execute(*plan({}), {}, {});
  EXPECT_EQ(code(report), "database-unreachable");
  EXPECT_EQ(ids(report), Rows{});
  world->come_back();
  EXPECT_EQ(code(access()->execute(*plan({}), {}, {})), "ok");
}

// A host name that leads to another server from some moment on.
class MovingName final : public SessionFactory {
 public:
  MovingName(std::unique_ptr<SessionFactory> before, std::unique_ptr<SessionFactory> after, const bool& moved)
      : before_(std::move(before)), after_(std::move(after)), moved_(moved) {}
  Result<std::unique_ptr<Session>> open() override { return moved_ ? after_->open() : before_->open(); }
  Result<std::unique_ptr<ReadSession>> open_observer() override {
    return moved_ ? after_->open_observer() : before_->open_observer();
  }
  [[nodiscard]] std::string describe() const override { return before_->describe(); }

 private:
  std::unique_ptr<SessionFactory> before_;
  std::unique_ptr<SessionFactory> after_;
  const bool& moved_;
};

TEST(MigratorAccess, RunsNothingInAnotherDatabaseThanTheOneItObserved) {
  const test::TestDatabase observed{"access_observed"};
  test::TestDatabase reached{"access_reached"};
  bool moved = false;
  SystemClock clock;
  const auto databases = make_migrator_access(
      [&](const std::string&, const ExecutionSettings& settings,
          const StopToken& stop) -> Result<std::unique_ptr<SessionFactory>> {
        TRY_ASSIGN(auto before, postgres::PostgresFactory::create(observed.url(), settings, stop));
        TRY_ASSIGN(auto after, postgres::PostgresFactory::create(reached.url(), settings, stop));
        return std::make_unique<MovingName>(std::move(before), std::move(after), moved);
      },
      clock);
  DatabaseTarget target;
  target.url = observed.url();
  target.settings.identify = true;
  ProgressSink sink;
  const auto plan = sketch::snapshot(sketch::line())->plan(Direction::Upgrade, {}, {"head"}).value();
  for (const char* const actor : {"one", "two"}) {  // the second leaves its session to whoever comes next
    target.settings.actor = actor;
    ASSERT_TRUE(databases->open(target, sink).value()->observe());
  }
  const auto access = databases->open(target, sink).value();
  ASSERT_TRUE(access->observe());
  moved = true;
  const auto report = access->execute(*plan, {}, {});
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::StalePlan);
  EXPECT_FALSE(reached.has_relation("alembic_version"));
}

// The same, one storey higher: what the operator makes of it.
class ReconcileContract : public AccessContract {
 protected:
  Outcome reconcile() {
    resource.spec.database.url = world->url();
    resource.spec.execution.lock_wait = milliseconds(100);
    return reconciler.reconcile(resource, {}, {}, {}, Log(LogLevel::Error));
  }
  static std::string verdict(const Outcome& outcome) {
    return std::string(outcome_name(outcome.kind)) + " " + std::string(reason_name(outcome.reason));
  }
  struct Sources final : SourceProvider {
    explicit Sources(std::shared_ptr<SourceSnapshot>& current) : current_(current) {}
    Result<LoadedSource> load(const DatabaseMigration&) override { return current_; }
    std::shared_ptr<SourceSnapshot>& current_;
  };
  Sources sources{snapshot};
  sketch::FakeCredentials credentials;
  ReconcileObserver observer;
  SystemClock clock;
  Reconciler reconciler{{sources, credentials, world->databases(), observer, clock}};
  DatabaseMigration resource = sketch::resource();
};

TEST_P(ReconcileContract, BringsTheDatabaseUpAndThenHasNothingToDo) {
  const Outcome outcome = reconcile();
  EXPECT_EQ(verdict(outcome), "done Applied");
  EXPECT_EQ(outcome.observed.current_heads, Rows{"a3"});
  EXPECT_EQ(outcome.observed.pending, Rows{});
  EXPECT_EQ(verdict(reconcile()), "done UpToDate");
  EXPECT_EQ(world->rows(), Rows{"a3"});
}

TEST_P(ReconcileContract, StallsAtAnUnknownRevisionAndLeavesItAlone) {
  world->set_rows({"ffff"});
  EXPECT_EQ(verdict(reconcile()), "stalled UnknownDatabaseRevision");
  EXPECT_EQ(world->rows(), Rows{"ffff"});
  world->set_rows({"a1"});
  world->break_revision("a1");  // a1 is there already, in the database too
  EXPECT_EQ(verdict(reconcile()), "done Applied");
}

TEST_P(ReconcileContract, WaitsBehindALockAndGoesOnWhenItIsFree) {
  world->hold_lock();
  Outcome outcome = reconcile();
  EXPECT_EQ(verdict(outcome), "waiting LockHeld");
  ASSERT_FALSE(outcome.blockers.empty());
  outcome = reconcile();  // looks for the holder first
  EXPECT_EQ(verdict(outcome), "waiting LockHeld");
  EXPECT_NE(outcome.message.find("another run"), std::string::npos) << outcome.message;
  world->release_lock();
  EXPECT_EQ(verdict(reconcile()), "done Applied");
  EXPECT_EQ(world->rows(), Rows{"a3"});
}

TEST_P(ReconcileContract, StallsAtAFailingStatementAndRunsItOnce) {
  world->break_revision("a2");
  Outcome outcome = reconcile();
  EXPECT_EQ(verdict(outcome), "stalled StatementFailed");
  EXPECT_EQ(outcome.observed.current_heads, Rows{"a1"});
  EXPECT_EQ(outcome.observed.pending, (Rows{"a2", "a3"}));
  EXPECT_FALSE(outcome.repeated);
  outcome = reconcile();
  EXPECT_EQ(verdict(outcome), "stalled StatementFailed");
  EXPECT_TRUE(outcome.repeated);
  world->mend("a2");
  resource.metadata.annotations[kRetryNowAnnotation] = "now";
  EXPECT_EQ(verdict(reconcile()), "done Applied");
}

TEST_P(ReconcileContract, StallsAtAChangedFileBeforeAnythingRuns) {
  resource.spec.target_revision = "a1";
  EXPECT_EQ(verdict(reconcile()), "done Applied");
  auto files = tables();
  files[0].text += "-- changed\n";
  snapshot = sketch::snapshot(files, "2");
  resource.spec.target_revision = "head";
  EXPECT_EQ(verdict(reconcile()), "stalled ChecksumMismatch");
  EXPECT_EQ(world->rows(), Rows{"a1"});
}

TEST_P(ReconcileContract, RetriesWhileTheDatabaseIsAwayAndRecovers) {
  world->go_away();
  const Outcome outcome = reconcile();
  EXPECT_EQ(verdict(outcome), "failed DatabaseUnreachable");
  EXPECT_FALSE(outcome.observed.current_heads.has_value());
  world->come_back();
  EXPECT_EQ(verdict(reconcile()), "done Applied");
  world->go_away();
  EXPECT_EQ(verdict(reconcile()), "failed DatabaseUnreachable");
  world->come_back();
  EXPECT_EQ(verdict(reconcile()), "done UpToDate");
}

const Kind kWorlds[] = {
    {"Fake", []() -> std::unique_ptr<World> { return std::make_unique<FakeWorld>(); }},
    {"PostgreSQL", []() -> std::unique_ptr<World> { return std::make_unique<PostgresWorld>(); }},
};
std::string name_of(const testing::TestParamInfo<Kind>& info) {
  return info.param.name;
}
void PrintTo(const Kind& kind, std::ostream* stream) {
  *stream << kind.name;
}
INSTANTIATE_TEST_SUITE_P(Worlds, AccessContract, testing::ValuesIn(kWorlds), name_of);
INSTANTIATE_TEST_SUITE_P(Worlds, ReconcileContract, testing::ValuesIn(kWorlds), name_of);

}  // namespace
}  // namespace athanor::controller
