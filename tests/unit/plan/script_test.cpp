#include <gtest/gtest.h>

#include "migrations/base/sha256.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {
namespace {

const std::string kHeader = "-- Add email\n--\n-- Revision: ab12\n-- Revises:\n\n";  // five lines

Result<RevisionScript> parse(const std::string& body) {
  Revision revision;
  revision.id = "ab12";
  revision.path = "versions/ab12.sql";
  return parse_script(revision, kHeader + body);
}

RevisionScript parsed(const std::string& body) {
  auto script = parse(body);
  if (!script) {
    ADD_FAILURE() << script.error().describe();
    return {};
  }
  return std::move(*script);
}

std::string error_of(const std::string& body, ErrorCode code = ErrorCode::MalformedRevision) {
  const auto script = parse(body);
  if (script) {
    ADD_FAILURE() << "accepted: " << body;
    return "";
  }
  EXPECT_EQ(script.error().code, code) << script.error().describe();
  EXPECT_NE(script.error().hint, "") << script.error().describe();
  return script.error().describe();
}

std::string hint_of(const std::string& body) {
  const auto script = parse(body);
  return script ? "accepted" : script.error().hint;
}

TEST(Script, DirectionsAndStepsAreCutAtTheirDirectives) {
  const auto script = parsed(
      "-- athanor:upgrade\nALTER TABLE users ADD COLUMN email text;\nSELECT 1;\n\n"
      "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON users (email);\n\n"
      "-- athanor:step batch table=users key=id size=5000 pause=20ms rate=10000 max-lag=5s\n"
      "UPDATE users SET email = '{}' WHERE email IS NULL AND {batch};\n\n"
      "-- athanor:downgrade\nDROP INDEX i;\n");
  ASSERT_EQ(script.upgrade.size(), 3U);
  EXPECT_EQ(script.upgrade[0].kind, StepKind::Transaction);
  ASSERT_EQ(script.upgrade[0].statements.size(), 2U);
  EXPECT_EQ(script.upgrade[0].statements[1].line, 8);
  EXPECT_EQ(script.upgrade[1].kind, StepKind::Autocommit);
  EXPECT_EQ(script.upgrade[1].line, 10);
  EXPECT_EQ(script.upgrade[1].statements.at(0).sql, "CREATE INDEX CONCURRENTLY i ON users (email)");
  EXPECT_EQ(script.upgrade[2].kind, StepKind::Batch);
  EXPECT_EQ(script.upgrade[2].batch.table, "users");
  EXPECT_EQ(script.upgrade[2].batch.key, "id");
  EXPECT_EQ(script.upgrade[2].batch.size, 5000);
  EXPECT_EQ(script.upgrade[2].batch.pause, std::chrono::milliseconds(20));
  EXPECT_EQ(script.upgrade[2].batch.rate, 10'000);
  EXPECT_EQ(script.upgrade[2].batch.max_lag, std::chrono::seconds(5));
  ASSERT_EQ(script.downgrade.size(), 1U);
  EXPECT_EQ(script.downgrade[0].statements.at(0).line, 17);
  EXPECT_TRUE(script.has_downgrade);
  EXPECT_FALSE(script.irreversible);
}

TEST(Script, StatementsOutliveTheMoveOfTheScript) {
  auto script = std::make_shared<const RevisionScript>(parsed("-- athanor:upgrade\nSELECT 1;"));
  EXPECT_EQ(script->upgrade.at(0).statements.at(0).sql, "SELECT 1");
  EXPECT_GE(script->upgrade[0].statements[0].sql.data(), script->text->data());
}

TEST(Script, TheChecksumIsThatOfTheWholeText) {
  EXPECT_EQ(parsed("-- athanor:upgrade\n").checksum, sha256_hex(kHeader + "-- athanor:upgrade\n"));
}

TEST(Script, ARevisionMayBeEmpty) {
  for (const std::string body :
       {"", "-- athanor:upgrade\n", "-- athanor:upgrade\n-- athanor:step transaction\n;;\n", "-- athanor:downgrade"}) {
    const auto script = parsed(body);
    EXPECT_TRUE(script.upgrade.empty()) << body;
    EXPECT_TRUE(script.downgrade.empty()) << body;
  }
  EXPECT_FALSE(parsed("").has_downgrade);
  EXPECT_TRUE(parsed("-- athanor:downgrade").has_downgrade);
}

TEST(Script, SectionsMayStandInAnyOrder) {
  const auto script = parsed("-- athanor:downgrade\nSELECT 2;\n-- athanor:upgrade\nSELECT 1;\n");
  EXPECT_EQ(script.upgrade.at(0).statements.at(0).sql, "SELECT 1");
  EXPECT_EQ(script.downgrade.at(0).statements.at(0).sql, "SELECT 2");
}

TEST(Script, ADirectiveEndsAStatementWithoutItsSemicolon) {
  const auto script = parsed("-- athanor:upgrade\nSELECT 1\n-- athanor:downgrade\nSELECT 2");
  EXPECT_EQ(script.upgrade.at(0).statements.at(0).sql, "SELECT 1");
  EXPECT_EQ(script.downgrade.at(0).statements.at(0).sql, "SELECT 2");
}

TEST(Script, ADirectiveInsideAQuoteOrCommentIsText) {
  const auto script = parsed(
      "-- athanor:upgrade\nDO $$\n-- athanor:downgrade\n$$;\nSELECT '\n-- athanor:nonsense\n', \"\n-- athanor:step\n\";\n"
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$\n-- athanor:upgrade\nSELECT '' "
      "$f$; SELECT 1 /*\n-- +goose Down\n*/;");
  EXPECT_FALSE(script.has_downgrade);
  EXPECT_FALSE(script.irreversible);
  ASSERT_EQ(script.upgrade.size(), 1U);
  EXPECT_EQ(script.upgrade[0].statements.size(), 4U);
}

TEST(Script, AnIrreversibleRevisionSaysWhy) {
  const auto script = parsed("-- athanor:upgrade\nDROP TABLE t;\n-- athanor:irreversible  the rows are gone \n");
  EXPECT_TRUE(script.irreversible);
  EXPECT_EQ(script.irreversible_reason, "the rows are gone");
  EXPECT_EQ(error_of("-- athanor:irreversible\n"), "versions/ab12.sql:6: the irreversible directive has no reason");
  EXPECT_EQ(error_of("-- athanor:irreversible a\n-- athanor:irreversible b"),
            "versions/ab12.sql:7: a second irreversible line");
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:irreversible a\n-- athanor:downgrade\nSELECT 1;"),
            "versions/ab12.sql:7: the revision is marked irreversible but has a downgrade section");
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:irreversible a\n\nSELECT 1;"),
            "versions/ab12.sql:9: SQL after the irreversible line, outside a section");
}

TEST(Script, UnknownDirectivesAreRefusedWithASuggestion) {
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:downgrad\n"),
            "versions/ab12.sql:7: unknown directive \"athanor:downgrad\"");
  EXPECT_NE(hint_of("-- athanor:downgrad\n").find("`downgrade`"), std::string::npos) << hint_of("-- athanor:downgrad\n");
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:step autocomit\n"),
            "versions/ab12.sql:7: unknown kind of step \"autocomit\"");
  EXPECT_NE(hint_of("-- athanor:upgrade\n-- athanor:step autocomit\n").find("`autocommit`"), std::string::npos);
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:step\n"), "versions/ab12.sql:7: the step directive has no kind");
  EXPECT_EQ(error_of("-- athanor:upgrade now\n"),
            "versions/ab12.sql:6: directive upgrade takes no options, but \"now\" follows");
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:step autocommit size=3\n"),
            "versions/ab12.sql:7: step autocommit takes no options, but \"size=3\" follows");
}

TEST(Script, WhatWasMeantAsADirectiveNeverPassesForAComment) {
  for (const std::string line :
       {"--athanor:downgrade", "--  athanor:downgrade", "-- Athanor:downgrade", "-- athanor :downgrade",
        "-- athanor: downgrade", "-- athanor:", "--- athanor:downgrade", "--\tathanor:downgrade"}) {
    EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 1;\n" + line + "\nSELECT 2;"),
              "versions/ab12.sql:8: this comment looks like a directive but is not valid as one")
        << line;
  }
  const std::string place = "versions/ab12.sql:7: a directive must be on its own line, without indentation";
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 1; -- athanor:downgrade\n"), place);
  EXPECT_EQ(error_of("-- athanor:upgrade\n  -- athanor:downgrade\n"), place);
  EXPECT_TRUE(parse("-- athanor:upgrade\n-- athanor is a furnace: keep it hot\nSELECT 1;"));
}

TEST(Script, SqlOutsideOfASectionIsRefusedWithTheWayOut) {
  EXPECT_EQ(error_of("\nSELECT 1;\n"), "versions/ab12.sql:7: SQL before the first section");
  EXPECT_EQ(error_of("SELECT 1;\n-- athanor:upgrade\n"), "versions/ab12.sql:6: SQL before the first section");
  EXPECT_EQ(hint_of("SELECT 1;"), "put '-- athanor:upgrade' on a line of its own above it");
  EXPECT_EQ(error_of("-- athanor:step autocommit\n"), "versions/ab12.sql:6: step outside a section");
}

TEST(Script, ASectionMayOccurOnce) {
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:upgrade\n"), "versions/ab12.sql:7: a second upgrade section");
  EXPECT_EQ(error_of("-- athanor:downgrade\n-- athanor:upgrade\n-- athanor:downgrade\n"),
            "versions/ab12.sql:8: a second downgrade section");
}

TEST(Script, BatchOptionsAreChecked) {
  const auto batch = [](const std::string& options) {
    return error_of("-- athanor:upgrade\n-- athanor:step batch " + options + "\nDELETE FROM t WHERE {batch};");
  };
  const std::string at = "versions/ab12.sql:7: ";
  EXPECT_EQ(batch(""), at + "a batch step needs table=");
  EXPECT_EQ(batch("table=t"), at + "a batch step needs key=");
  EXPECT_EQ(batch("table=t key=id sise=3"), at + "unknown batch option \"sise\"");
  EXPECT_EQ(batch("table=t key=id size"), at + "batch option \"size\" has no value");
  EXPECT_EQ(batch("table=t key=id size=1 size=2"), at + "batch option size is given twice");
  EXPECT_EQ(batch("table=t key=id size=0"), at + "batch option size=0 is not a whole number between 1 and 10000000");
  EXPECT_EQ(batch("table=t key=id size=10x"), at + "batch option size=10x is not a whole number between 1 and 10000000");
  EXPECT_EQ(batch("table=t key=id rate=-1"), at + "batch option rate=-1 is not a whole number between 0 and 1000000000");
  EXPECT_EQ(batch("table=t key=id pause=20"), at + "batch option pause=20 is not a duration up to one day");
  EXPECT_EQ(batch("table=t key=id pause=99999999999999999999s"),
            at + "batch option pause=99999999999999999999s is not a duration up to one day");
  EXPECT_EQ(batch("table=t key=id max-lag=25000000m"), at + "batch option max-lag=25000000m is not a duration up to one day");
  EXPECT_EQ(batch("table=t;drop key=id"), at + "batch option table=t;drop is not the name of a table");
  EXPECT_EQ(batch("table=t key=a.b"), at + "batch option key=a.b is not the name of a column");
}

TEST(Script, BatchNamesMayBeQualifiedAndQuoted) {
  const auto script =
      parsed("-- athanor:upgrade\n-- athanor:step batch table=app.\"My users\" key=\"Id\"\nDELETE FROM t WHERE {batch}");
  EXPECT_EQ(script.upgrade.at(0).batch.table, "app.\"My users\"");
  EXPECT_EQ(script.upgrade.at(0).batch.key, "Id");
  EXPECT_EQ(
      parsed("-- athanor:upgrade\n-- athanor:step batch table=T key=ID\nDELETE FROM t WHERE {batch}").upgrade.at(0).batch.key,
      "id");
}

TEST(Script, ABatchStepIsOneStatementWithOnePlaceholder) {
  const auto batch = [](const std::string& sql) {
    return error_of("-- athanor:upgrade\n-- athanor:step batch table=t key=id\n" + sql);
  };
  const std::string at = "versions/ab12.sql:8: ";
  EXPECT_EQ(batch(""), "versions/ab12.sql:7: a batch step holds exactly one statement, not 0");
  EXPECT_EQ(batch("DELETE FROM t WHERE {batch};\nSELECT 1;"),
            "versions/ab12.sql:9: a batch step holds exactly one statement, not 2");
  EXPECT_EQ(batch("DELETE FROM t WHERE id < 3"), at + "the batch statement does not contain {batch}");
  EXPECT_EQ(batch("DELETE FROM t WHERE {batch} OR {batch}"), at + "the batch statement contains {batch} more than once");
  EXPECT_EQ(batch("UPDATE t SET a = '{batch}'"), at + "{batch} inside a string, a quoted name or a comment");
  EXPECT_EQ(batch("UPDATE t SET a = 1 -- {batch}"), at + "{batch} inside a string, a quoted name or a comment");
  for (const std::string other : {"SELECT 1 WHERE {batch}", "INSERT INTO t VALUES ({batch})", "TRUNCATE t",
                                  "CREATE TABLE x AS SELECT 1 WHERE {batch}", "SELECT 1 WHERE {batch} FOR UPDATE"}) {
    EXPECT_EQ(batch(other), at + "a batch step must be an UPDATE, a DELETE or an INSERT … SELECT") << other;
  }
}

TEST(Script, InsertSelectAndCommonTablesMayRunInBatches) {
  for (const std::string sql :
       {"INSERT INTO u (id) SELECT id FROM t WHERE {batch}", "WITH x AS (SELECT 1) UPDATE t SET a = 1 FROM x WHERE {batch}",
        "WITH x AS (DELETE FROM t WHERE {batch} RETURNING *) INSERT INTO u SELECT * FROM x"}) {
    EXPECT_TRUE(parse("-- athanor:upgrade\n-- athanor:step batch table=t key=id\n" + sql)) << sql;
  }
}

TEST(Script, ThePlaceholderMustRestrictTheRows) {
  for (const std::string sql : {
           "UPDATE t SET n = n + 1 WHERE n >= 0 OR {batch}",
           "UPDATE t SET n = n + 1 WHERE NOT {batch}",
           "UPDATE t SET n = n + 1 WHERE NOT (n > 0 AND {batch})",
           "UPDATE t SET n = n + 1 WHERE n > 0 AND (n < 9 OR {batch})",
           "UPDATE t SET n = n + 1 WHERE {batch} IS NOT NULL",
           "UPDATE t SET n = n + 1 WHERE {batch} = false",
           "UPDATE t SET n = n + 1 WHERE coalesce{batch}",
           "UPDATE t SET n = n + 1 WHERE CASE WHEN {batch} THEN true ELSE true END",
           "UPDATE t SET n = n + 1 WHERE exists (SELECT FROM t x WHERE {batch})",
           "UPDATE t SET n = n + 1 WHERE exists (SELECT FROM t x JOIN u ON true WHERE x.id = u.id AND {batch})",
           "UPDATE t SET n = n + ({batch})::int",
           "UPDATE t SET n = (SELECT count(*) FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 WHERE 1 IN (SELECT 1 FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 WHERE id NOT IN (SELECT id FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 WHERE id <> ALL (SELECT id FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 WHERE id <> ANY (SELECT id FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 WHERE id <= (SELECT max(id) FROM t x WHERE {batch})",
           "UPDATE t SET n = 1 FROM (SELECT id FROM t WHERE {batch}) b",
           "UPDATE t SET n = 1 FROM (SELECT id FROM t WHERE {batch}) b WHERE t.a = t.b",
           "UPDATE t SET n = 1 FROM (SELECT id FROM t WHERE {batch}) b WHERE t.k IN (SELECT k FROM u WHERE u.a = u.b)",
           "UPDATE t SET n = 1 FROM u LEFT JOIN v ON u.id = v.id AND {batch} WHERE t.id = u.id",
           "WITH b AS (SELECT id FROM t WHERE {batch}) UPDATE t SET n = n + 1",
           "WITH b AS (SELECT id FROM t WHERE {batch}) UPDATE t SET n = n + 1 FROM u LEFT JOIN b ON true WHERE t.id = u.id",
           "WITH b AS (SELECT id FROM t WHERE n = 1 OR {batch}) UPDATE t SET n = n + 1 FROM b WHERE t.id = b.id",
           "DELETE FROM t WHERE true RETURNING {batch}",
           "WITH x AS (DELETE FROM u) UPDATE t SET n = 1 WHERE {batch}",
           "WITH x AS (DELETE FROM u RETURNING id) UPDATE t SET n = 1 WHERE {batch} AND id IN (SELECT id FROM x)",
           "WITH b AS (SELECT id FROM t WHERE {batch}), x AS (UPDATE u SET n = 1) DELETE FROM t USING b WHERE t.id = b.id",
           "WITH x AS (INSERT INTO u SELECT id FROM t) DELETE FROM t WHERE {batch}",
           "INSERT INTO u SELECT id, {batch} FROM t",
           "INSERT INTO u SELECT id FROM t WHERE {batch} UNION ALL SELECT id FROM v",
           "INSERT INTO u SELECT id FROM v EXCEPT SELECT id FROM t WHERE {batch}",
           "INSERT INTO u SELECT count(*) FILTER (WHERE {batch}) FROM t",
           "INSERT INTO u SELECT id FROM t ON CONFLICT (id) DO UPDATE SET n = 1 WHERE {batch}",
       }) {
    EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:step batch table=t key=id\n" + sql),
              "versions/ab12.sql:8: {batch} does not limit the statement to its range: each batch would process every row")
        << sql;
  }
  EXPECT_EQ(error_of("-- athanor:upgrade\n-- athanor:step batch table=t key=id\nDELETE FROM t\nWHERE a\n OR {batch};"),
            "versions/ab12.sql:10: {batch} does not limit the statement to its range: each batch would process every row");
}

TEST(Script, ThePlaceholderMayStandInWhatTheRowsComeFrom) {
  for (const std::string sql : {
           "UPDATE t SET n = n + 1 WHERE {batch}",
           "UPDATE t SET n = n + 1 WHERE ({batch})",
           "UPDATE t SET n = n + 1 WHERE (a OR b) AND (c AND ({batch}))",
           "UPDATE ONLY t AS x SET n = u.n FROM u WHERE u.id = x.id AND {batch} RETURNING 1",
           "UPDATE t SET n = 1 WHERE id IN (SELECT id FROM t WHERE {batch} ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)",
           "UPDATE t SET n = 1 WHERE (a, b) IN (SELECT a, b FROM t WHERE {batch}) AND n = 0",
           "UPDATE t SET n = 1 WHERE id = ANY (SELECT id FROM t WHERE {batch})",
           "UPDATE t SET n = 1 WHERE id = ANY (ARRAY(SELECT id FROM t WHERE {batch}))",
           "UPDATE t SET n = 1 WHERE exists (SELECT FROM u x WHERE x.id = t.id AND {batch})",
           "UPDATE t SET n = b.n FROM (SELECT id, n FROM u WHERE {batch}) b WHERE t.id = b.id",
           "UPDATE t AS x SET n = b.n FROM (SELECT id AS i, n FROM u WHERE {batch}) b WHERE id = i",
           "UPDATE t SET n = 1 FROM u JOIN v ON u.id = v.id AND {batch} WHERE t.id = u.id",
           "WITH b AS (SELECT id FROM t WHERE {batch} FOR UPDATE) UPDATE t SET n = n + 1 FROM b WHERE t.id = b.id",
           "WITH b AS (SELECT id FROM t WHERE {batch}) DELETE FROM t USING b WHERE b.id = t.id",
           "WITH b AS (SELECT id FROM t WHERE {batch}) UPDATE t SET n = 1 WHERE id IN (TABLE b)",
           "WITH b AS (SELECT id FROM t WHERE {batch}), c AS (SELECT * FROM b JOIN u USING (id)) INSERT INTO v SELECT * FROM c",
           "INSERT INTO u SELECT t.id FROM t LEFT JOIN v ON t.id = v.id WHERE v.id IS NULL AND {batch} ON CONFLICT DO NOTHING",
           "INSERT INTO u SELECT id FROM t WHERE {batch} EXCEPT SELECT id FROM u",
           "INSERT INTO u SELECT s.id FROM (SELECT id FROM t WHERE {batch}) s LEFT JOIN v ON v.id = s.id",
           "WITH moved AS (DELETE FROM t WHERE {batch} RETURNING *) INSERT INTO u SELECT * FROM moved",
           "WITH b AS (SELECT id FROM t WHERE {batch}), d AS (DELETE FROM u USING b WHERE u.id = b.id) UPDATE t SET n = 1 FROM "
           "b "
           "WHERE t.id = b.id",
           "UPDATE t SET n = a ?newer grammar? b WHERE {batch} !",
       }) {
    EXPECT_TRUE(parse("-- athanor:upgrade\n-- athanor:step batch table=t key=id\n" + sql)) << sql;
  }
}

TEST(Script, ThePlaceholderOutsideOfABatchStepIsAnError) {
  EXPECT_EQ(error_of("-- athanor:upgrade\nDELETE FROM t WHERE\n {batch};"),
            "versions/ab12.sql:7: {batch} outside a batch step");
  EXPECT_TRUE(parse("-- athanor:upgrade\nSELECT '{batch}' -- {batch}\n;"));
}

TEST(Script, ManyPlaceholdersInStringsCostOnePass) {
  std::string sql = "SELECT ''";
  for (int i = 0; i < 60'000; ++i) {
    sql += ", '{batch}'";
  }
  EXPECT_TRUE(parse("-- athanor:upgrade\n" + sql + ";"));
}

TEST(Script, RefusedStatementsNameFileAndLine) {
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 1;\n  COMMIT;", ErrorCode::UnsupportedStatement),
            "versions/ab12.sql:8: COMMIT would interfere with the transaction in which the run updates the version table");
  EXPECT_EQ(error_of("-- athanor:upgrade\nCREATE INDEX CONCURRENTLY i ON t (a);", ErrorCode::UnsupportedStatement),
            "versions/ab12.sql:7: CREATE INDEX CONCURRENTLY cannot run inside a transaction");
  EXPECT_EQ(error_of("-- athanor:upgrade\n\\i x.sql\n", ErrorCode::UnsupportedStatement),
            "versions/ab12.sql:7: psql meta-command \\i is not SQL and cannot be used in a revision");
  EXPECT_EQ(
      error_of("-- athanor:upgrade\nCOPY t FROM stdin;\nit's\n\\.\n-- athanor:downgrade\n", ErrorCode::UnsupportedStatement),
      "versions/ab12.sql:7: COPY with STDIN or STDOUT is not possible in a revision: there is no client to send or receive the "
      "rows");
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 'x;\n-- athanor:downgrade\n"),
            "versions/ab12.sql:7: unterminated quoted string");
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT (1;\n-- athanor:downgrade\n"),
            "versions/ab12.sql:7: parenthesis that is never closed");
}

TEST(Script, AnAlembicBodyIsNotRunHere) {
  Revision revision;
  revision.id = "ab12";
  revision.path = "versions/ab12.py";
  revision.format = RevisionFormat::AlembicPython;
  const auto script = parse_script(revision, "revision = 'ab12'");
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().code, ErrorCode::NotRenderable);
  EXPECT_NE(script.error().hint.find("`athanor import alembic`"), std::string::npos);
}

TEST(Script, StepKindsHaveNames) {
  EXPECT_EQ(step_kind_name(StepKind::Transaction), "transaction");
  EXPECT_EQ(step_kind_name(StepKind::Autocommit), "autocommit");
  EXPECT_EQ(step_kind_name(StepKind::Batch), "batch");
}

}  // namespace
}  // namespace athanor
