// SQL files that psql runs: transactions as BEGIN and COMMIT make them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool flags(const std::string& sql, std::string_view rule, bool single = false) {
  return test::has_rule(test::lint_plain(sql, {}, single), rule);
}

TEST(PlainFile, RunsEachStatementOnItsOwn) {
  EXPECT_FALSE(flags("CREATE INDEX CONCURRENTLY i ON t (a);", "concurrent-in-transaction"));
  EXPECT_TRUE(flags("BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;", "concurrent-in-transaction"));
  EXPECT_TRUE(flags("CREATE INDEX CONCURRENTLY i ON t (a);", "concurrent-in-transaction", true));
  EXPECT_FALSE(flags("COMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);", "concurrent-in-transaction", true));
}

TEST(PlainFile, WantsBeginAndCommitInPairs) {
  EXPECT_FALSE(flags("BEGIN;\nSELECT 1;\nCOMMIT;\nSTART TRANSACTION;\nROLLBACK;", "transaction-control-in-file"));
  EXPECT_FALSE(flags("BEGIN;\nSAVEPOINT a;\nROLLBACK TO a;\nEND;", "transaction-control-in-file"));
  for (const char* const sql : {"BEGIN;\nBEGIN;\nCOMMIT;", "BEGIN;\nCOMMIT;\nCOMMIT;", "SELECT 1;\nROLLBACK;",
                                "BEGIN;\nSELECT 1;", "START TRANSACTION;\nSELECT 1;"}) {
    EXPECT_TRUE(flags(sql, "transaction-control-in-file")) << sql;
  }
  EXPECT_TRUE(flags("SELECT 1;\nCOMMIT;", "transaction-control-in-file", true));
}

TEST(PlainFile, HasTheTimeoutsThatItSets) {
  const std::string alter = "ALTER TABLE t ADD COLUMN a int;";
  EXPECT_TRUE(flags(alter, "lock-timeout-missing"));
  EXPECT_FALSE(flags("SET lock_timeout = '1s';\n" + alter, "lock-timeout-missing"));
  EXPECT_FALSE(flags("SET Lock_Timeout TO 1000;\n" + alter, "lock-timeout-missing"));
  EXPECT_TRUE(flags("SET lock_timeout = 0;\n" + alter, "lock-timeout-missing"));
  EXPECT_TRUE(flags(alter + "\nSET lock_timeout = '1s';", "lock-timeout-missing"));
  EXPECT_FALSE(flags("SELECT * FROM t;", "lock-timeout-missing"));
  EXPECT_FALSE(flags("CREATE TABLE t (id bigint PRIMARY KEY);\nCREATE INDEX ON t (id);", "lock-timeout-missing"));
  EXPECT_TRUE(flags("COMMENT ON COLUMN t.c IS 'x';", "lock-timeout-missing"));
}

TEST(PlainFile, PassesOverPsqlCommandsAndOtherComments) {
  EXPECT_THAT(test::rules_of(test::lint_plain("-- athanor:upgrade\n-- +goose Up\nSELECT 1;")), IsEmpty());
  EXPECT_THAT(test::rules_of(test::lint_plain("SELECT 'unfinished")), ElementsAre("invalid-revision"));
}

TEST(PlainFile, TellsWhatCannotRunTwice) {
  EXPECT_TRUE(flags("SELECT 1;\nDROP INDEX CONCURRENTLY i;", "robust-statement"));
  EXPECT_FALSE(flags("SELECT 1;\nDROP INDEX CONCURRENTLY IF EXISTS i;", "robust-statement"));
  EXPECT_FALSE(flags("BEGIN;\nDROP INDEX i;\nDROP TABLE a;\nCOMMIT;", "robust-statement"));
  EXPECT_FALSE(flags("ALTER TABLE t DROP CONSTRAINT IF EXISTS c;\nALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
                     "robust-statement"));
  EXPECT_FALSE(test::has_rule(test::lint_body("SELECT 1;\nDROP TABLE a;"), "robust-statement"));
}

}  // namespace
}  // namespace athanor
