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

TEST_F(RevisionGuardTest, TakesAMissingTableARightAndAConstraintForTheRevisionsWork) {
  for (const auto* const state : {"42P01", "42501", "3F000", "23505"}) {
    EXPECT_EQ(explained(state), "revision r1 changed the version table or the ledger: the server's words") << state;
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
  const Command look = guard.after({"a1", "b1"});
  EXPECT_EQ(look.parameters[0], "{\"a1\",\"b1\"}");
  EXPECT_EQ(look.parameters[1], "16384");
  EXPECT_EQ(look.parameters[2], "16385");
  EXPECT_EQ(look.parameters[3], "16386");
  EXPECT_EQ(look.parameters[4], "app.alembic_version");
}

}  // namespace
}  // namespace athanor
