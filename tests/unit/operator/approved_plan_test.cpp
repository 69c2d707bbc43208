#include "operator/reconcile/approved_plan.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using Ids = std::vector<std::string>;

class ApprovalHash : public testing::Test {
 protected:
  ApprovalHash() {
    resource.metadata.uid = "u-1";
    resource.spec.database.role = "owner";
  }
  [[nodiscard]] std::string hash() const { return approval_hash(plan, approval_scope(resource, place, keywords)); }
  // Whether the hash is another one after this.
  bool changes_with(const std::function<void()>& change) {
    const std::string before = hash();
    change();
    return hash() != before;
  }

  DatabaseMigration resource = sketch::resource();
  std::string plan = std::string(64, 'a');
  DatabaseLocation place{"db:5432/orders", "1795293032152797/orders/77#public.alembic_version"};
  ConnectionKeywords keywords = {{"host", "db"}, {"port", "5432"}, {"dbname", "orders"}, {"user", "app"}, {"password", "old"}};
};

TEST_F(ApprovalHash, CoversThePlanTheDatabaseAndTheResource) {
  EXPECT_EQ(hash().size(), 64U);
  EXPECT_TRUE(changes_with([this] { plan[0] = 'b'; }));
  EXPECT_TRUE(changes_with([this] { resource.metadata.uid = "u-2"; }));  // deleted, and made again under its name
  EXPECT_TRUE(changes_with([this] { keywords[0].second = "other"; }));
  EXPECT_TRUE(changes_with([this] { keywords[2].second = "payments"; }));
  EXPECT_TRUE(changes_with([this] { keywords.emplace_back("options", "-c search_path=other"); }));
  EXPECT_TRUE(changes_with([this] { keywords.emplace_back("hostaddr", "10.0.0.1"); }));
  EXPECT_TRUE(changes_with([this] { place.identity = "1795293032152797/orders/78#public.alembic_version"; }));
  EXPECT_TRUE(changes_with([this] { place.identity = "1795293032152797/orders/78#other.alembic_version"; }));
  EXPECT_TRUE(changes_with([this] { resource.spec.database.schema = "other"; }));
  EXPECT_TRUE(changes_with([this] { resource.spec.database.role = "root"; }));
}

TEST_F(ApprovalHash, IgnoresChangesThatDoNotMoveTheDatabase) {
  EXPECT_FALSE(changes_with([this] { keywords[4].second = "rotated"; }));
  EXPECT_FALSE(changes_with([this] { keywords[3].second = "app-of-today"; }));
  EXPECT_FALSE(changes_with([this] { keywords.emplace_back("sslrootcert", "/tmp/x/ca.pem"); }));
  EXPECT_FALSE(changes_with([this] { place.identity = "1795299999999999/orders/77#public.alembic_version"; }));  // a restart
  EXPECT_FALSE(changes_with([this] { resource.metadata.generation = 7; }));
}

class BegunPlans : public testing::Test {
 protected:
  std::string hash_of(const Ids& from, Direction direction = Direction::Upgrade, const std::string& target = "head") {
    return snapshot->plan(direction, from, {target}).value()->hash;
  }
  void note(const std::string& revision, const std::string& plan, const std::string& outcome = "applied",
            const std::string& direction = "upgrade") {
    Migrator::HistoryEntry entry;
    entry.revision = revision;
    entry.direction = direction;
    entry.outcome = outcome;
    entry.plan_hash = plan;
    ledger.insert(ledger.begin(), entry);
  }
  Ids begun(const Ids& from, Direction direction = Direction::Upgrade, const std::string& target = "head") {
    return begun_plans(*snapshot, *snapshot->plan(direction, from, {target}).value(), ledger);
  }

  std::shared_ptr<SourceSnapshot> snapshot = sketch::snapshot(sketch::line());
  std::vector<Migrator::HistoryEntry> ledger;
};

TEST_F(BegunPlans, KnowsTheTailOfAPlanThatTheLedgerSaysWasBegun) {
  EXPECT_EQ(begun({"a1"}), Ids());
  const std::string whole = hash_of({});
  note("a1", whole);
  EXPECT_EQ(begun({"a1"}), Ids{whole});
  note("a2", whole, "failed");
  EXPECT_EQ(begun({"a1"}), Ids{whole});
}

TEST_F(BegunPlans, KnowsTheTailOfATail) {
  const std::string whole = hash_of({});
  const std::string rest = hash_of({"a1"});
  note("a1", whole);
  note("a2", rest);
  EXPECT_EQ(begun({"a2"}), (Ids{rest, whole}));
}

TEST_F(BegunPlans, KnowsTheTailOfADowngrade) {
  const std::string whole = hash_of({"a3"}, Direction::Downgrade, "base");
  note("a3", whole, "applied", "downgrade");
  EXPECT_EQ(begun({"a2"}, Direction::Downgrade, "base"), Ids{whole});
  EXPECT_EQ(begun({"a2"}), Ids());  // the way back up is another plan
}

TEST_F(BegunPlans, IsNotDeceivedByLookalikes) {
  const std::string whole = hash_of({});
  note("a1", whole);
  EXPECT_EQ(begun({"a1"}, Direction::Upgrade, "a2"), Ids());  // another target
  EXPECT_EQ(begun({}), Ids());                                // the database is not where that run left it
  EXPECT_EQ(begun({"a2"}), Ids());
  auto files = sketch::line();
  files[2] = sketch::revision("a3", "a2", "DROP TABLE everything;");
  snapshot = sketch::snapshot(files, "2");
  EXPECT_EQ(begun({"a1"}), Ids());  // another file
  snapshot = sketch::snapshot(sketch::line());
  note("a1", hash_of({"a1"}, Direction::Downgrade, "base"), "applied", "downgrade");
  note("a1", "", "stamped");
  EXPECT_EQ(begun({"a1"}), Ids());  // somebody moved it since
}

class ApprovedRun : public testing::Test {
 protected:
  ApprovedRun() {
    sources.current = sketch::snapshot(sketch::line());
    resource.metadata.uid = "u-1";
    resource.spec.policy.approval = ApprovalPolicy::Always;
    database().observation.identity = "1/orders/77#public.alembic_version";
    parts.approvals = &approvals;
  }
  // By an operator that has just been started.
  Outcome reconcile() { return Reconciler(parts).reconcile(resource, "", {}, {}, Log()); }
  void approve(const std::string& hash) { approvals.given = {{"yes", hash, "ann", "now"}}; }
  sketch::FakeDatabase& database() { return databases.database; }
  // The connection goes when the first revision is in.
  void cut_the_run_short() {
    database().on_execute = [this](const Plan& plan, const StopToken&) {
      ExecutionReport report;
      report.executed.push_back({"a1", Direction::Upgrade, milliseconds(1)});
      report.current_heads = database().observation.current_heads = std::vector<std::string>{"a1"};
      report.error = Error(ErrorCode::ConnectionLost, "gone");
      Migrator::HistoryEntry entry;
      entry.revision = "a1";
      entry.direction = "upgrade";
      entry.outcome = "applied";
      entry.plan_hash = plan.hash;
      database().ledger = {entry};
      database().on_execute = nullptr;
      return report;
    };
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  test::FakeClock clock;
  sketch::GivenApprovals approvals;
  ReconcilerParts parts{sources, credentials, databases, observer, clock};
  DatabaseMigration resource = sketch::resource();
};

TEST_F(ApprovedRun, IsOfOneResourceAndOneDatabase) {
  const Outcome waiting = reconcile();
  EXPECT_EQ(waiting.reason, Reason::ApprovalRequired);
  EXPECT_NE(waiting.review->approval_hash, waiting.review->plan->hash);
  approve(waiting.review->plan->hash);
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "that says nothing of where";
  approve(waiting.review->approval_hash);
  database().observation.identity = "1/payments/77#public.alembic_version";
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "another database";
  database().observation.identity = "2/orders/77#public.alembic_version";
  resource.metadata.uid = "u-2";
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "a namesake";
  resource.metadata.uid = "u-1";
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ApprovedRun, GoesOnAfterALostConnection) {
  approve(reconcile().review->approval_hash);
  cut_the_run_short();
  EXPECT_EQ(reconcile().kind, Verdict::Kind::Failed);
  const Outcome rest = reconcile();
  EXPECT_EQ(rest.reason, Reason::Applied) << rest.message;
  EXPECT_EQ(rest.review->approval->name, "yes");
}

TEST_F(ApprovedRun, WaitsWhileApproversCannotBeVerified) {
  approve(reconcile().review->approval_hash);
  approvals.trusted = fail(Error(ErrorCode::PolicyRefused, "the policy does not exist").advise("apply it"));
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Verdict::Kind::Waiting);
  EXPECT_EQ(outcome.reason, Reason::ApprovalsUntrusted);
  EXPECT_NE(outcome.message.find("approvals do not count now: the policy does not exist"), std::string::npos)
      << outcome.message;
  EXPECT_EQ(next_attempt(outcome, 0), Requeue::Scheduled) << "no watch tells of the policy";
  resource.status = summarise(resource, outcome, {1, clock.wall_now(), {}});
  const Condition* const approved = find_condition(resource.status.conditions, ConditionType::Approved);
  ASSERT_NE(approved, nullptr);
  EXPECT_EQ(approved->reason, Reason::ApprovalsUntrusted);
  EXPECT_EQ(approved->status, ConditionStatus::False);

  approvals.trusted = clock.wall_now();  // made again, after the approval
  outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::ApprovalRequired);
  EXPECT_TRUE(outcome.message.starts_with("yes does not count: it is older than the admission policy")) << outcome.message;
  approvals.given.front().approved_at = format_iso8601(clock.wall_now());
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(ApprovedRun, ReportsApprovalsOneByOneAndARejection) {
  resource.spec.policy.approvals = 2;
  const std::string hash = reconcile().review->approval_hash;
  approvals.given = {{"one", hash, "ann", "now"}};
  resource.status = summarise(resource, reconcile(), {1, clock.wall_now(), {}});
  ASSERT_TRUE(resource.status.approval);
  EXPECT_EQ(resource.status.approval->given, 1);
  EXPECT_EQ(resource.status.approval->required, 2);
  EXPECT_EQ(resource.status.approval->approvers, Ids{"ann"});
  EXPECT_FALSE(is_true(resource.status.conditions, ConditionType::Approved));

  approvals.given.push_back({.name = "no", .plan_hash = hash, .approved_by = "bob", .approved_at = "now", .rejects = true});
  approvals.trusted = fail(ErrorCode::PolicyRefused, "the policy does not exist");
  const Outcome rejected = reconcile();
  EXPECT_EQ(rejected.kind, Verdict::Kind::Stalled);
  EXPECT_EQ(rejected.reason, Reason::PlanRejected) << "a rejection counts whoever made it";
  EXPECT_NE(rejected.message.find("rejected by bob in no, without a reason"), std::string::npos) << rejected.message;
  EXPECT_EQ(next_attempt(rejected, 0), Requeue::Resync);

  approvals.trusted = WallTime{};
  approvals.given.back() = {"two", hash, "bob", "now"};
  const Outcome done = reconcile();
  EXPECT_EQ(done.reason, Reason::Applied) << done.message;
  resource.status = summarise(resource, done, {1, clock.wall_now(), {}});
  EXPECT_EQ(find_condition(resource.status.conditions, ConditionType::Approved)->message, "2 of 2 (ann, bob)");
}

TEST_F(ApprovedRun, IsNotBegunWithAnApprovalThatExpiredWhileTheLockWasWaitedFor) {
  const std::string hash = reconcile().review->approval_hash;
  approvals.given = {{.name = "yes",
                      .plan_hash = hash,
                      .approved_by = "ann",
                      .approved_at = "now",
                      .rejects = false,
                      .expires = clock.wall_now() + std::chrono::seconds(5)}};
  int calls = 0;
  ReconcileCallbacks callbacks;
  callbacks.declaration = [&] {
    clock.advance(++calls == 2 ? std::chrono::seconds(5) : std::chrono::seconds(0));
    return DeclarationState::Holds;
  };
  const Outcome outcome = Reconciler(parts).reconcile(resource, "", callbacks, {}, Log());
  EXPECT_TRUE(outcome.retry_now);
  EXPECT_NE(outcome.message.find("yes expired at"), std::string::npos) << outcome.message;
  EXPECT_EQ(database().observation.current_heads, Ids());
}

TEST_F(ApprovedRun, DoesNotGoOnWhenTheRestIsRejected) {
  approve(reconcile().review->approval_hash);
  cut_the_run_short();
  EXPECT_EQ(reconcile().kind, Verdict::Kind::Failed);
  approvals.given.push_back({.name = "no", .plan_hash = "", .approved_by = "bob", .approved_at = "now", .rejects = true});
  resource.spec.dry_run = true;
  approvals.given.back().plan_hash = reconcile().review->approval_hash;
  resource.spec.dry_run = false;
  EXPECT_EQ(reconcile().reason, Reason::PlanRejected);
}

TEST_F(ApprovedRun, DoesNotGoOnWithAnythingElse) {
  approve(reconcile().review->approval_hash);
  cut_the_run_short();
  EXPECT_EQ(reconcile().kind, Verdict::Kind::Failed);
  auto files = sketch::line();
  files[2] = sketch::revision("a3", "a2", "DROP TABLE everything;");
  sources.current = sketch::snapshot(files, "2");
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
  sources.current = sketch::snapshot(sketch::line(), "3");
  approvals.given.clear();
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "it was withdrawn";
}

}  // namespace
}  // namespace athanor::controller
