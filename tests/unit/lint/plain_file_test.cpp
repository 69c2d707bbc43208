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

TEST(PlainFile, WantsNoTimeoutsAroundWhatRunsBesideTraffic) {
  for (const char* const sql :
       {"CREATE INDEX CONCURRENTLY i ON orders (a);", "DROP INDEX CONCURRENTLY i;", "REINDEX INDEX CONCURRENTLY i;",
        "REINDEX (CONCURRENTLY) TABLE orders;", "REFRESH MATERIALIZED VIEW CONCURRENTLY v;",
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", "ALTER TABLE orders VALIDATE CONSTRAINT c;", "VACUUM orders;",
        "VACUUM (ANALYZE) orders;", "ANALYZE orders;"}) {
    EXPECT_FALSE(flags(sql, "lock-timeout-missing")) << sql;
    EXPECT_FALSE(flags(sql, "statement-timeout-missing")) << sql;
  }
  for (const char* const sql : {"CREATE INDEX i ON orders (a);", "DROP INDEX i;", "REINDEX INDEX i;",
                                "REFRESH MATERIALIZED VIEW v;", "ALTER TABLE p DETACH PARTITION p1;",
                                "ALTER TABLE orders VALIDATE CONSTRAINT c, ADD COLUMN a int;", "VACUUM FULL orders;"}) {
    EXPECT_TRUE(flags(sql, "lock-timeout-missing")) << sql;
    EXPECT_TRUE(flags(sql, "statement-timeout-missing")) << sql;
  }
}

TEST(PlainFile, TellsWhoQueuesBehindAStatementWithoutLockTimeout) {
  const auto of = [](const std::string& sql) {
    std::vector<std::pair<Severity, std::string>> told;
    for (const Finding& finding : test::lint_plain(sql)) {
      if (finding.rule == "lock-timeout-missing") {
        told.emplace_back(finding.severity, finding.message);
      }
    }
    return told;
  };
  const auto is = [](Severity severity, const std::string& words) {
    return ::testing::Pair(severity, ::testing::HasSubstr(words));
  };
  EXPECT_THAT(of("COMMENT ON TABLE t IS 'x';"), ElementsAre(is(Severity::Info, "other schema changes of t queue")));
  EXPECT_THAT(of("CREATE INDEX i ON t (a);"), ElementsAre(is(Severity::Warning, "writes of t queue")));
  EXPECT_THAT(of("ALTER TABLE t ADD COLUMN a int;\nALTER TABLE t ADD COLUMN b int;"),
              ElementsAre(is(Severity::Warning, "reads and writes of t queue")));
  EXPECT_THAT(of("COMMENT ON TABLE t IS 'x';\nDROP TABLE t;"), ElementsAre(is(Severity::Info, ""), is(Severity::Warning, "")));
}

TEST(PlainFile, PassesOverOtherComments) {
  EXPECT_THAT(test::rules_of(test::lint_plain("-- athanor:upgrade\n-- +goose Up\nSELECT 1;")), IsEmpty());
  EXPECT_THAT(test::rules_of(test::lint_plain("SELECT 'unfinished")), ElementsAre("invalid-revision"));
}

TEST(PlainFile, PassesOverPsqlCommandsThatMeanNothingHere) {
  for (const char* const command : {"\\set ON_ERROR_STOP on", "\\set quoted 'it is; (open'", "\\restrict kEy",
                                    "\\unrestrict kEy", "\\connect -reuse-previous=on", "\\c shop", "\\echo done; (",
                                    "\\timing", "\\pset pager off", "\\encoding UTF8", "\\dt+ shop.*", "\\x", "\\q"}) {
    const auto findings = test::lint_plain(std::string(command) + "\nDROP VIEW a;\n" + command + "\n");
    ASSERT_THAT(test::rules_of(findings), ::testing::Contains("drop-view")) << command;
    EXPECT_FALSE(test::has_rule(findings, "unclassified")) << command;
    EXPECT_FALSE(test::has_rule(findings, "invalid-revision")) << command;
    EXPECT_EQ(findings.front().line, 2) << command;
  }
  EXPECT_TRUE(flags("\\timing \\\\ DROP VIEW a;", "drop-view"));
}

TEST(PlainFile, NamesPsqlCommandsThatItDoesNotUnderstandAndGoesOn) {
  const auto findings = test::lint_plain("\\i other.sql\nDROP VIEW a;\n\\frobnicate x\n\\lo_unlink 5\nDROP VIEW b;\n");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("unclassified", "drop-view", "robust-statement", "unclassified",
                                                    "unclassified", "drop-view", "robust-statement"));
  EXPECT_THAT(findings[0].message, ::testing::HasSubstr("\\i includes"));
  EXPECT_EQ(findings[3].line, 3);
  EXPECT_THAT(findings[3].message, ::testing::HasSubstr("\\frobnicate"));
  EXPECT_THAT(test::rules_of(test::lint_plain("-- athanor:allow unclassified looked at\n\\i other.sql\nSELECT 1;")), IsEmpty());
}

TEST(PlainFile, EndsAStatementWherePsqlSendsIt) {
  const auto findings = test::lint_plain("SELECT 1 AS a \\gset\nDROP VIEW b\\g\nSELECT 'x' \\gexec\nDROP VIEW c;");
  ASSERT_TRUE(test::has_rule(findings, "drop-view"));
  EXPECT_EQ(std::ranges::count(test::rules_of(findings), "drop-view"), 2);
  EXPECT_EQ(std::ranges::count(test::rules_of(findings), "unclassified"), 1);  // \gexec
}

TEST(PlainFile, PassesOverTheRowsOfCopy) {
  const std::string rows = "1\tit's\t(\\N\n$$;\n-- athanor:allow drop-view no\n\\.\n";
  for (const std::string copy :
       {"COPY public.t (a, b) FROM stdin;\n", "copy t from STDIN WITH (FORMAT csv) ;\n", "\\copy t from stdin\n"}) {
    const auto findings = test::lint_plain("SELECT 1;\n" + copy + rows + "DROP VIEW a;\n");
    EXPECT_TRUE(test::has_rule(findings, "drop-view")) << copy;
    EXPECT_FALSE(test::has_rule(findings, "invalid-revision")) << copy;
    EXPECT_FALSE(test::has_rule(findings, "allow-unused")) << copy;
    EXPECT_EQ(findings.back().line, 7) << copy;
  }
  EXPECT_TRUE(flags("COPY t FROM stdin; DROP VIEW a;\n1\n\\.\n", "drop-view"));
  EXPECT_TRUE(flags("COPY (SELECT 1 FROM stdin) TO stdout;\nDROP VIEW a;\n", "drop-view"));
  EXPECT_FALSE(flags("COPY t FROM stdin;\n(never ended\n", "invalid-revision"));  // psql reads to the end
}

TEST(PlainFile, StillRefusesPsqlCommandsInARevision) {
  EXPECT_THAT(test::rules_of(test::lint_body("\\set ON_ERROR_STOP on\nSELECT 1;")), ElementsAre("invalid-revision"));
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
