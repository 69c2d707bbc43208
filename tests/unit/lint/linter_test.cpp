// Places, levels, downgrades, and what lint cannot read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Linter, PointsAtTheActionInItsLineAndColumn) {
  const auto findings =
      test::lint_body("ALTER TABLE users\n  ADD COLUMN a int,\n  ADD COLUMN b uuid DEFAULT gen_random_uuid();");
  for (const Finding& finding : findings) {
    if (finding.rule == "addcol-volatile-default") {
      EXPECT_EQ(finding.line, 9);
      EXPECT_EQ(finding.column, 14);
      EXPECT_EQ(finding.table, "users");
      EXPECT_EQ(finding.revision, "aaa1");
      return;
    }
  }
  FAIL() << "not found";
}

TEST(Linter, SaysNothingAboutTablesThatTheRevisionCreates) {
  EXPECT_THAT(test::rules_of(test::lint_body("CREATE TABLE users (id bigint PRIMARY KEY, email text);\n"
                                             "CREATE INDEX ON users (email);\n"
                                             "ALTER TABLE users ADD CONSTRAINT c CHECK (email <> '');\n"
                                             "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\n"
                                             "ALTER TABLE users ADD COLUMN t uuid DEFAULT gen_random_uuid();\n"
                                             "UPDATE users SET email = 'x';")),
              IsEmpty());
}

TEST(Linter, FollowsATableThatTheRevisionCreatesAndRenames) {
  EXPECT_FALSE(test::has_rule(test::lint_body("CREATE TABLE a (id bigint PRIMARY KEY, b text);\nALTER TABLE a RENAME TO c;\n"
                                              "CREATE INDEX ON c (b);"),
                              "index-create"));
}

TEST(Linter, TakesPublicForNoSchema) {
  EXPECT_FALSE(test::has_rule(test::lint_body("CREATE TABLE public.a (id bigint PRIMARY KEY, b text);\nCREATE INDEX ON a (b);"),
                              "index-create"));
  EXPECT_TRUE(test::has_rule(test::lint_body("CREATE TABLE shop.a (id bigint PRIMARY KEY, b text);\nCREATE INDEX ON a (b);"),
                             "index-create"));
}

TEST(Linter, UsesTheLevelsOfTheSettings) {
  LintContext context;
  context.settings.levels = {{"index-create", Severity::Info}, {"drop-table", Severity::Off}};
  const auto findings = test::lint_body("CREATE INDEX i ON users (email);\nDROP TABLE a;", context);
  ASSERT_TRUE(test::has_rule(findings, "index-create"));
  EXPECT_EQ(findings.front().severity, Severity::Info);
  EXPECT_FALSE(test::has_rule(findings, "drop-table"));
}

TEST(Linter, ShowsWhatItCannotReadAsUnclassified) {
  for (const char* const sql : {"ALTER TABLE users FROBNICATE email;", "CREATE PROPERTY GRAPH g VERTEX TABLES (a);"}) {
    EXPECT_THAT(test::rules_of(test::lint_body(sql)), ElementsAre("unclassified")) << sql;
  }
}

TEST(Linter, ReadsNotNullConstraintsOfPostgres18) {
  LintContext context;
  context.postgres = 18;
  const auto findings = test::lint_body(
      "ALTER TABLE users ADD CONSTRAINT users_email_not_null NOT NULL email NOT VALID;\n-- athanor:step transaction\n"
      "ALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;",
      context);
  EXPECT_THAT(test::rules_of(findings), IsEmpty());
  EXPECT_THAT(test::rules_of(test::lint_body("ALTER TABLE users ADD NOT NULL email;", context)),
              ElementsAre("check-not-valid"));
}

TEST(Linter, LintsPlainStatementsInABlock) {
  const auto findings =
      test::lint_body("DO $$\nBEGIN\n  IF true THEN\n    ALTER TABLE users DROP COLUMN email;\n  END IF;\nEND $$;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("drop-column"));
  EXPECT_EQ(findings.front().line, 7);
}

TEST(Linter, ExpectsLossesOnTheWayDown) {
  const std::string text = test::revision_text(
      "ALTER TABLE a ADD COLUMN b int;\n\n-- athanor:downgrade\n"
      "ALTER TABLE a DROP COLUMN b;\nDROP TABLE c;\nCREATE INDEX i ON a (d);");
  Linter linter{LintContext()};
  linter.lint(test::unit_of_text(text, Direction::Downgrade));
  const auto findings = linter.finish();
  EXPECT_FALSE(test::has_rule(findings, "drop-column"));
  EXPECT_FALSE(test::has_rule(findings, "drop-table"));
  EXPECT_TRUE(test::has_rule(findings, "index-create"));
}

TEST(Linter, PointsAtTheQueryInWithThatChangesRows) {
  const auto findings = test::lint_body("WITH g AS (\n  DELETE FROM orders RETURNING *)\nINSERT INTO archive SELECT * FROM g;");
  ASSERT_TRUE(test::has_rule(findings, "dml-without-where"));
  const auto found = std::ranges::find(findings, "dml-without-where", &Finding::rule);
  EXPECT_EQ(found->line, 8);
  EXPECT_EQ(found->column, 15);
  EXPECT_EQ(found->table, "orders");
}

TEST(Linter, ExpectsOnTheWayDownThatRightsKeysAndTriggersGo) {
  const std::string text = test::revision_text(
      "SELECT 1;\n\n-- athanor:downgrade\nREVOKE SELECT ON a FROM r;\nALTER TABLE a DROP CONSTRAINT a_pkey;\n"
      "DROP TRIGGER t ON a;\nDROP SEQUENCE s;\nDROP PUBLICATION p;");
  Linter linter{LintContext()};
  linter.lint(test::unit_of_text(text, Direction::Downgrade));
  const auto findings = linter.finish();
  for (const char* const rule : {"revoke", "drop-primary-key", "drop-trigger", "drop-sequence", "drop-publication"}) {
    EXPECT_FALSE(test::has_rule(findings, rule)) << rule;
  }
}

TEST(Linter, NamesTheRuleThatARefusedRevisionIsAgainst) {
  EXPECT_THAT(test::rules_of(test::lint_body("CREATE TABLE t (id bigint PRIMARY KEY);\nCOMMIT;")),
              ElementsAre("transaction-control-in-file"));
  EXPECT_THAT(test::rules_of(test::lint_body("DISCARD ALL;")), ElementsAre("session-state"));
  EXPECT_THAT(test::rules_of(test::lint_body("VACUUM users;")), ElementsAre("concurrent-in-transaction"));
  const auto findings = test::lint_body("SELECT 1;\nCOPY users FROM STDIN;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("invalid-revision"));
  EXPECT_EQ(findings.front().line, 8);
}

TEST(Linter, NeverRepeatsValues) {
  for (const char* const sql :
       {"ALTER TABLE a ADD CONSTRAINT c CHECK (b <> 'topsecret');", "UPDATE a SET b = 'topsecret';",
        "CREATE INDEX i ON a (b) WHERE b = 'topsecret';", "ALTER TABLE a ADD COLUMN b text DEFAULT f('topsecret');",
        "ALTER TYPE mood ADD VALUE 'topsecret';\nSELECT 'topsecret'::mood;", "ALTER ROLE a SET work_mem = 'topsecret';",
        "SET x.y = 'topsecret';", "CREATE ROLE a PASSWORD 'topsecret';", "COPY a TO PROGRAM 'topsecret';",
        "ALTER SUBSCRIPTION s CONNECTION 'password=topsecret';",
        "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED AND b.d > 'topsecret' THEN DELETE;"}) {
    const auto findings = test::lint_body(sql);
    EXPECT_FALSE(findings.empty()) << sql;
    for (const Finding& finding : findings) {
      EXPECT_EQ((finding.message + finding.fix + finding.table).find("topsecret"), std::string::npos) << finding.rule;
    }
  }
}

TEST(Linter, LintsAPlan) {
  Revision revision;
  revision.id = "aaa1";
  revision.path = "aaa1.sql";
  auto script = parse_script(revision, test::revision_text("DROP TABLE a;"));
  ASSERT_TRUE(script);
  Plan plan;
  PlannedRevision planned;
  planned.walk.revision = "aaa1";
  planned.path = "aaa1.sql";
  planned.script = std::make_shared<const RevisionScript>(std::move(*script));
  plan.revisions.push_back(planned);
  const auto findings = lint(plan, LintContext());
  ASSERT_THAT(test::rules_of(findings), ElementsAre("drop-table"));
  EXPECT_EQ(findings.front().path, "aaa1.sql");
  EXPECT_THAT(findings.front().fix, HasSubstr("athanor:allow drop-table"));
}

TEST(Linter, JudgesEveryBlockOfARevision) {
  std::string body;
  for (int i = 0; i < 4; ++i) {
    body += "DO $$ BEGIN DROP TABLE t" + std::to_string(i) + "; END $$;\n";
  }
  EXPECT_EQ(std::ranges::count(test::rules_of(test::lint_body(body)), "drop-table"), 4);
}

TEST(Linter, ReportsAMissingLockTimeoutOncePerRevision) {
  LintContext context;
  context.session_lock_timeout = false;
  Linter linter(context);
  linter.lint(test::unit_of_text(test::revision_text("ALTER TABLE a ADD COLUMN b int;\nALTER TABLE c ADD COLUMN d int;")));
  linter.lint(test::unit_of_text(test::revision_text("ALTER TABLE a ADD COLUMN c int;")));
  EXPECT_EQ(std::ranges::count(test::rules_of(linter.finish()), "lock-timeout-missing"), 2);
}

TEST(Linter, TakesATimeoutOfZeroForNone) {
  for (const std::string name : {"lock_timeout", "statement_timeout"}) {
    const std::string rule = name == "lock_timeout" ? "lock-timeout-missing" : "statement-timeout-missing";
    for (const std::string value : {"0", "'0'"}) {
      LintContext context;
      context.settings.levels = {{rule, Severity::Warning}};
      const std::string set = "SET " + name + " = " + value + ";\nALTER TABLE a ADD COLUMN b int;";
      EXPECT_TRUE(test::has_rule(test::lint_body(set, context), rule)) << set;
    }
  }
}

TEST(Linter, ReportsWorkUnderAnExclusiveLockOncePerTransaction) {
  const std::string alter = "ALTER TABLE a ADD COLUMN b int;\n";
  const std::string work = "UPDATE c SET d = 1 WHERE e > 5;\nUPDATE f SET d = 1 WHERE e > 5;\n";
  const auto reports = [](const std::string& body) {
    return std::ranges::count(test::rules_of(test::lint_body(body)), "work-after-ael");
  };
  EXPECT_EQ(reports(alter + work), 1);
  EXPECT_EQ(reports(alter + work + "-- athanor:step transaction\n" + alter + work), 2);
  EXPECT_EQ(reports("CREATE TABLE a (id bigint PRIMARY KEY);\n" + alter + work), 0) << "nobody else knows the table yet";
}

TEST(Linter, KnowsTheStrongestLockOfATransaction) {
  EXPECT_TRUE(test::has_rule(test::lint_body("ALTER TABLE a ADD COLUMN b int;\nANALYZE a;\n"
                                             "ALTER TABLE a VALIDATE CONSTRAINT c;"),
                             "validate-same-transaction"));
}

TEST(Linter, DoesNotTakeLockTableForASchemaChange) {
  const auto findings = test::lint_body("LOCK TABLE a IN EXCLUSIVE MODE;\nUPDATE a SET b = 1 WHERE c > 5;");
  EXPECT_FALSE(test::has_rule(findings, "backfill-in-ddl-transaction"));
}

TEST(Linter, ExpectsNoLaterValidationOnATableThatTheRevisionCreates) {
  const std::string add = "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID;";
  EXPECT_TRUE(test::has_rule(test::lint_body(add), "not-validated"));
  EXPECT_FALSE(test::has_rule(test::lint_body("CREATE TABLE a (b int);\n" + add), "not-validated"));
}

TEST(Linter, WantsAConstraintDroppedBeforeEveryTimeThatItIsAdded) {
  const std::string drop = "ALTER TABLE a DROP CONSTRAINT IF EXISTS c;\n";
  const std::string add = "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID;\n";
  EXPECT_FALSE(test::has_rule(test::lint_plain(drop + add), "robust-statement"));
  EXPECT_TRUE(test::has_rule(test::lint_plain(drop + add + add), "robust-statement"));
}

TEST(Linter, SortsByRevisionBeforeItSortsByLine) {
  Linter linter({});
  linter.lint(test::unit_of_text(test::revision_text("\n\n\nDROP TABLE a;")));
  linter.lint(test::unit_of_text(test::revision_text("DROP TABLE b;")));
  const auto findings = linter.finish();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].table, "a");
  EXPECT_EQ(findings[1].table, "b");
}

TEST(Linter, ReportsNoProblemOfARuleThatIsOff) {
  LintContext context;
  context.settings.levels = {{"invalid-revision", Severity::Off}};
  const std::string body = "-- athanor:allow drop-table\nDROP TABLE a;";
  EXPECT_TRUE(test::has_rule(test::lint_body(body), "invalid-revision"));
  EXPECT_FALSE(test::has_rule(test::lint_body(body, context), "invalid-revision"));
}

}  // namespace
}  // namespace athanor
