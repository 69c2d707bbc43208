#include "run_scene.hpp"

namespace athanor {
namespace {

using test::kGuard;
using test::plan_of;
using test::rows;
using test::server_error;

constexpr const char* kIndex = "CREATE INDEX CONCURRENTLY i ON t (a)";
const Rows kValid = rows({{"16400", "t", "public.i", "t"}});
const Rows kInvalid = rows({{"16400", "f", "public.i", "t"}});

class AutocommitStep : public test::RunScene {
 protected:
  test::Exchange& books(const std::string& what) { return server.transaction({"SET TRANSACTION READ WRITE", kGuard, what}); }
  // Between these two the catalog is asked, whatever limits of time the revision set.
  void asks() {
    server.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    server.query("set_config('statement_timeout', NULL, true)");
  }
  void has_asked() { server.roll_back(); }
  // What is there, and that it has the statement's definition.
  void finds(const Rows& index) {
    asks();
    server.query("i.indisvalid").answers(index);
    server.query("SAVEPOINT athanor_index");
    server.query("CREATE TEMPORARY TABLE pg_temp.t (LIKE public.t)");
    server.query("CREATE INDEX ON pg_temp.t (a)");
    server.query("pg_get_indexdef").answers(rows({{"16400"}}));
    server.query("ROLLBACK TO SAVEPOINT athanor_index");
    has_asked();
  }
  void finds_no_index() {
    asks();
    server.query("i.indisvalid");
    has_asked();
  }
  // Up to the statement itself: what is there, and the intent.
  void begins() {
    asks();
    server.query("to_regclass($1) [t]").answers(rows({{"public.t"}}));
    server.query("i.indisvalid");
    has_asked();
    books("intent, absent\tpublic.t");
  }
  void drops(const std::string& index) {
    server.query("'statement_timeout' AND s.source");
    server.autocommit("DROP INDEX CONCURRENTLY IF EXISTS " + index);
  }
  void ends() {
    server.roll_back();
    finds(kValid);
    books("done");
  }
  Result<void> go(const std::string& statement, bool intent = false, const std::string& before = "") {
    run(plan_of({{"r1", "-- athanor:step autocommit\n" + statement}}));
    context->parts.emplace(plan.revisions[0].script->checksum, plan.revisions[0].steps());
    return run_autocommit_step(*context, 0, 0, 0, intent, before);
  }
};

TEST_F(AutocommitStep, RecordsItsIntentAheadOfTheStatementAndItsEndBehindIt) {
  begins();
  server.autocommit(kIndex);
  ends();
  const auto outcome = go(kIndex);
  ASSERT_TRUE(outcome) << outcome.error().describe();
}

TEST_F(AutocommitStep, GivesLockTimeoutItsValueBack) {
  settings.execution.lock_retry_budget = milliseconds(60'000);
  begins();
  server.query("'lock_timeout'").answers(rows({{"7000", "session"}}));
  server.query("set_config('lock_timeout', $1, false) [60000]");
  server.autocommit(kIndex);
  server.query("set_config('lock_timeout', $1, false) [7000]");
  ends();
  ASSERT_TRUE(go(kIndex));
}

TEST_F(AutocommitStep, LeavesNoLockTimeoutOfItsOwnToTheRevision) {
  settings.execution.lock_retry_budget = milliseconds(60'000);
  begins();
  server.query("'lock_timeout'").answers(rows({{"2000", "client"}}));
  server.query("set_config('lock_timeout', $1, false) [60000]");
  server.autocommit(kIndex);
  server.autocommit("RESET lock_timeout");
  ends();
  ASSERT_TRUE(go(kIndex));
}

TEST_F(AutocommitStep, DropsWhatAFailedTryLeftForgetsItsIntentAndTriesAgain) {
  begins();
  server.autocommit(kIndex).fails(server_error("40P01"));
  server.roll_back();
  finds(kInvalid);
  drops("public.i");
  books("DELETE FROM athanor.step");
  begins();
  server.autocommit(kIndex);
  ends();
  ASSERT_TRUE(go(kIndex));
  EXPECT_EQ(report.lock_retries, 1);
}

TEST_F(AutocommitStep, DropsAnIndexWithoutTheTimeLimitThatTheRevisionSet) {
  begins();
  server.autocommit(kIndex).fails(server_error("40P01"));
  server.roll_back();
  finds(kInvalid);
  server.query("'statement_timeout' AND s.source").answers(rows({{"50"}}));
  server.query("set_config('statement_timeout', NULL, false)");
  server.autocommit("DROP INDEX CONCURRENTLY IF EXISTS public.i");
  server.query("set_config('statement_timeout', $1, false) [50]");
  books("DELETE FROM athanor.step");
  begins();
  server.autocommit(kIndex);
  ends();
  ASSERT_TRUE(go(kIndex));
}

TEST_F(AutocommitStep, TakesACancelledStatementThatHadEndedForDone) {
  begins();
  server.autocommit(kIndex).fails(server_error("57014"));
  server.roll_back();
  finds(kValid);
  books("done");
  ASSERT_TRUE(go(kIndex));
}

TEST_F(AutocommitStep, DoesNotCallAnInvalidIndexDone) {
  begins();
  server.autocommit(kIndex);
  server.roll_back();
  finds(kInvalid);
  finds(kInvalid);
  drops("public.i");
  books("DELETE FROM athanor.step");
  const auto outcome = go(kIndex);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("is INVALID"), std::string::npos);
}

TEST_F(AutocommitStep, NeverSendsAgainWhatMayHaveCommittedInside) {
  books("intent");
  server.autocommit("CALL p()").fails(server_error("40001"));
  server.roll_back();
  const auto outcome = go("CALL p()");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::StepOutcomeUnknown);
  EXPECT_EQ(outcome.error().sqlstate, "40001");
}

TEST_F(AutocommitStep, TriesAgainWhatIsAllOrNothing) {
  books("intent");
  server.autocommit("UPDATE t SET a = 1").fails(server_error("40001"));
  server.roll_back();
  books("DELETE FROM athanor.step");
  books("intent");
  server.autocommit("UPDATE t SET a = 1");
  server.roll_back();
  books("done");
  ASSERT_TRUE(go("UPDATE t SET a = 1"));
}

TEST_F(AutocommitStep, LeavesTheIntentWhenTheConnectionIsLost) {
  books("intent");
  server.autocommit("VACUUM t").is_lost();
  const auto outcome = go("VACUUM t");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::CommitOutcomeUnknown);
}

TEST_F(AutocommitStep, StopsWhenTheVersionTableChangesBeforeAStatement) {
  books("intent").fails_at(kGuard, server_error(std::string(RevisionGuard::kRowsChanged)));
  server.roll_back();
  server.query("SELECT version_num").answers(rows({{"x9"}}));
  const auto outcome = go("VACUUM t");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::VersionRowMismatch);
}

TEST_F(AutocommitStep, WaitsForItsOwnRowsWithinTheLockBudget) {
  books("intent").fails_at("INTO athanor.step", server_error("55P03"));
  server.roll_back();
  books("intent");
  server.autocommit("VACUUM t");
  server.roll_back();
  books("done");
  ASSERT_TRUE(go("VACUUM t"));
  EXPECT_EQ(report.lock_retries, 1);
}

TEST_F(AutocommitStep, StopsBetweenTwoStatements) {
  books("intent");
  server.autocommit("VACUUM a").meanwhile([&] { stop.request(StopLevel::Graceful); });
  server.roll_back();
  books("done");
  const auto outcome = go("VACUUM a;\nVACUUM b");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_EQ(report.failed_line, 9);
}

TEST_F(AutocommitStep, BelievesTheCatalogOfAnInterruptedStatement) {
  finds(kValid);
  books("done");
  ASSERT_TRUE(go(kIndex, true, "absent\tpublic.t"));
}

TEST_F(AutocommitStep, BeginsAgainWhatTheCatalogKnowsNothingOf) {
  finds_no_index();
  begins();
  server.autocommit(kIndex);
  ends();
  ASSERT_TRUE(go(kIndex, true, "absent\tpublic.t"));
}

}  // namespace
}  // namespace athanor
