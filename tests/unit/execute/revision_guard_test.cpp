#include "migrations/execute/revision_guard.hpp"

#include "run_scene.hpp"

namespace athanor {
namespace {

using test::server_error;

class RevisionGuardTest : public test::RunScene {
 protected:
  std::string explained(std::string_view state) {
    const auto error = guard.explain(server_error(std::string(state), "the server's words"), "r1");
    if (!error) {
      return "not the revision's";
    }
    EXPECT_EQ(error->code, ErrorCode::BookkeepingChanged);
    EXPECT_EQ(error->sqlstate, state);
    EXPECT_FALSE(error->hint.empty());
    return error->message;
  }
};

TEST_F(RevisionGuardTest, SaysWhatTheRevisionDid) {
  EXPECT_EQ(explained(RevisionGuard::kRowsChanged), "revision r1 changed the version table app.alembic_version");
  EXPECT_EQ(explained(RevisionGuard::kTablesChanged), "revision r1 changed the version table or the ledger");
  EXPECT_EQ(explained(RevisionGuard::kLockLost), "revision r1 released the migration lock");
}

TEST_F(RevisionGuardTest, RefusesTextThatWouldBeReadOtherwise) {
  const auto error = guard.explain(server_error(std::string(RevisionGuard::kTextMisread)), "r1");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::UnsupportedStatement);
  EXPECT_NE(error->message.find("client_encoding"), std::string::npos);
}

TEST_F(RevisionGuardTest, TakesAMissingTableAndARightForTheRevisionsWork) {
  for (const auto* const state : {"42P01", "42501", "3F000"}) {
    EXPECT_EQ(explained(state), "revision r1 changed the version table or the ledger: the server's words") << state;
  }
}

TEST_F(RevisionGuardTest, NamesAConstraintAndAColumnThatAreNotOurs) {
  for (const auto* const state : {"23505", "23514", "23503", "42703"}) {
    const auto error = guard.explain(server_error(state, "the server's words"), "r1");
    ASSERT_TRUE(error) << state;
    EXPECT_EQ(error->code, ErrorCode::UntrustedTable) << state;
    EXPECT_EQ(error->sqlstate, state);
    EXPECT_TRUE(error->message.ends_with(": the server's words")) << error->message;
    EXPECT_NE(error->message.find("app.alembic_version or the ledger"), std::string::npos) << error->message;
  }
}

TEST_F(RevisionGuardTest, DoesNotBlameTheRevisionForLocksAndCancellations) {
  for (const auto* const state : {"55P03", "57014", "40001", "08006"}) {
    EXPECT_EQ(explained(state), "not the revision's") << state;
  }
}

TEST_F(RevisionGuardTest, AsksBeforeTextThatTwoSettingsCouldChange) {
  EXPECT_FALSE(RevisionGuard::needs_text_guard("SELECT 'a'"));
  EXPECT_TRUE(RevisionGuard::needs_text_guard("SELECT 'a\\b'"));
  EXPECT_TRUE(RevisionGuard::needs_text_guard("SELECT 'ä'"));
}

TEST_F(RevisionGuardTest, LooksForTheRowsTheTablesAndTheLock) {
  const std::vector<Command> look = guard.after({"a1", "b1"});
  ASSERT_EQ(look.size(), 2U);
  EXPECT_EQ(look[0].parameters, Parameters{"{\"a1\",\"b1\"}"});
  for (const auto* const name :
       {"'16384'::pg_catalog.oid", "'16385'::pg_catalog.oid", "'16386'::pg_catalog.oid", "'{16385,16387}'::pg_catalog.oid[]",
        "pg_lock_status", "to_regclass('app.alembic_version')", "pg_advisory_unlock_all"}) {
    EXPECT_TRUE(look[1].sql.find(name) != std::string::npos) << name;
  }
}

// PostgreSQL plans a statement with parameters anew for each of its first five executions.
TEST_F(RevisionGuardTest, LooksForTablesAndLockWithoutParametersSoThatItIsPlannedOnce) {
  EXPECT_TRUE(guard.after({"a1"})[1].parameters.empty());
  EXPECT_EQ(guard.after({"a1"})[1].sql, guard.after({"b1"})[1].sql);
}

}  // namespace
}  // namespace athanor
