// What the plan room believes about PostgreSQL, asked of PostgreSQL.
#include <gtest/gtest.h>

#include <algorithm>

#include "migrations/plan/statement.hpp"
#include "migrations/text/quoting.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

using test::TestDatabase;

constexpr const char* kActiveTransaction = "25001";  // "… cannot run inside a transaction block"
constexpr const char* kNoTransaction = "25P01";      // "… can only be used in transaction blocks"

// A schema in which every statement of the tables below means something.
void set_scene(TestDatabase& database) {
  database.run(
      "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX i ON t (a);"
      "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
      "CREATE MATERIALIZED VIEW v AS SELECT id FROM t; CREATE UNIQUE INDEX vi ON v (id); CREATE SCHEMA s;"
      "CREATE TYPE e AS ENUM ('a');");
}

// The server's answer to the statement inside a transaction, which is rolled back.
std::string inside(TestDatabase& database, const std::string& sql) {
  database.run("BEGIN");
  const auto state = database.attempt(sql);
  database.run("ROLLBACK");
  return state;
}

TEST(ServerAgreement, StatementsThatNeedAutocommitAreThoseTheServerRefusesInATransaction) {
  TestDatabase database("plan");
  set_scene(database);
  for (const std::string sql : {"CREATE INDEX CONCURRENTLY n ON t (a)",
                                "CREATE UNIQUE INDEX CONCURRENTLY n ON t (a)",
                                "DROP INDEX CONCURRENTLY i",
                                "REINDEX TABLE CONCURRENTLY t",
                                "REINDEX (CONCURRENTLY) INDEX i",
                                "REINDEX (CONCURRENTLY true) INDEX i",
                                "REINDEX SCHEMA s",
                                "REINDEX DATABASE x",
                                "REINDEX SYSTEM x",
                                "REINDEX SCHEMA CONCURRENTLY s",
                                "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
                                "VACUUM",
                                "VACUUM FULL t",
                                "VACUUM (ANALYZE) t",
                                "CREATE DATABASE athanor_plan_never",
                                "DROP DATABASE athanor_plan_never",
                                "CREATE TABLESPACE never LOCATION '/nowhere'",
                                "DROP TABLESPACE never",
                                "ALTER SYSTEM SET work_mem = '4MB'",
                                "ALTER DATABASE athanor_plan_never SET TABLESPACE pg_default",
                                "CLUSTER",
                                "CLUSTER VERBOSE",
                                "CREATE SUBSCRIPTION n CONNECTION 'host=127.0.0.1' PUBLICATION x"}) {
    EXPECT_EQ(inside(database, sql), kActiveTransaction) << sql;
    EXPECT_FALSE(check_statement({sql, 1}, true)) << sql;
    EXPECT_TRUE(check_statement({sql, 1}, false)) << sql;
  }
}

TEST(ServerAgreement, TheirRelativesRunInATransaction) {
  TestDatabase database("plan");
  set_scene(database);
  for (const std::string sql :
       {"CREATE INDEX n ON t (a)", "DROP INDEX i", "REINDEX TABLE t", "REINDEX (CONCURRENTLY false) TABLE t",
        "REINDEX (CONCURRENTLY off) TABLE t", "REINDEX (CONCURRENTLY 0) TABLE t", "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "ALTER TABLE p DETACH PARTITION p1", "ANALYZE t", "CLUSTER t USING i", "ALTER TYPE e ADD VALUE 'b'", "SAVEPOINT a",
        "LOCK TABLE t", "SET LOCAL work_mem = '4MB'", "CHECKPOINT", "ALTER TABLE t SET TABLESPACE pg_default"}) {
    EXPECT_EQ(inside(database, sql), "") << sql;
    EXPECT_TRUE(check_statement({sql, 1}, true)) << sql;
  }
}

TEST(ServerAgreement, FinalizingADetachRunsInATransaction) {
  TestDatabase database("plan");
  set_scene(database);
  // 55000: p1 is not being detached. Not 25001.
  EXPECT_EQ(inside(database, "ALTER TABLE p DETACH PARTITION p1 FINALIZE"), "55000");
  EXPECT_TRUE(check_statement({"ALTER TABLE p DETACH PARTITION p1 FINALIZE", 1}, true));
}

TEST(ServerAgreement, WhatNeedsATransactionIsRefusedOutsideOfOne) {
  TestDatabase database("plan");
  set_scene(database);
  for (const std::string sql : {"SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "LOCK TABLE t"}) {
    EXPECT_EQ(database.attempt(sql), kNoTransaction) << sql;
    EXPECT_FALSE(check_statement({sql, 1}, false)) << sql;
  }
}

TEST(ServerAgreement, AnInnerCommitWouldReallyCommit) {
  TestDatabase database("plan");
  for (const std::string sql : {"COMMIT", "END", "COMMIT WORK"}) {
    database.run("DROP TABLE IF EXISTS kept; BEGIN; CREATE TABLE kept (a int)");
    database.run(sql);
    database.run("ROLLBACK");
    EXPECT_EQ(database.value("SELECT count(*) FROM pg_class WHERE relname = 'kept'"), "1") << sql;
    EXPECT_FALSE(check_statement({sql, 1}, true)) << sql;
  }
}

TEST(ServerAgreement, DiscardAllAndUnlockAllReleaseSessionLocks) {
  TestDatabase database("plan");
  for (const std::string sql : {"DISCARD ALL", "SELECT pg_advisory_unlock_all()"}) {
    database.run("SELECT pg_advisory_lock(42)");
    database.run(sql);
    EXPECT_EQ(database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"), "0")
        << sql;
    EXPECT_FALSE(check_statement({sql, 1}, false)) << sql;
  }
}

TEST(ServerAgreement, LongIdentifiersAreCutWithoutAnError) {
  TestDatabase database("plan");
  const std::string name(64, 'n');
  database.run("CREATE TABLE " + name + " (a int)");
  EXPECT_EQ(database.value("SELECT relname FROM pg_class WHERE relname LIKE 'nnnn%'"), std::string(63, 'n'));
  EXPECT_FALSE(check_statement({"CREATE TABLE " + name + " (a int)", 1}, true));
}

TEST(ServerAgreement, EveryKeywordThatCannotBeANameIsQuoted) {
  TestDatabase database("plan");
  const auto keywords = database.rows("SELECT word, catcode FROM pg_get_keywords()");
  ASSERT_GT(keywords.size(), 400U);
  for (const auto& keyword : keywords) {
    // PostgreSQL 16 takes "json" for a name, 17 does not.
    const bool is_no_name = keyword[1] != "U" || keyword[0] == "json";
    EXPECT_EQ(quote_identifier(keyword[0]) != keyword[0], is_no_name) << keyword[0];
  }
}

TEST(ServerAgreement, QuotedNamesAndLiteralsComeBackAsTheyWere) {
  TestDatabase database("plan");
  for (const std::string text : {"it's", "back\\slash", "\\'", "a\"b", "Größe", "new\nline", "select", "$$"}) {
    EXPECT_EQ(database.value("SELECT " + quote_literal(text)), text);
    EXPECT_EQ(database.rows("SELECT 1 AS " + quote_identifier(text)).size(), 1U);
    database.run("CREATE TABLE " + quote_identifier(text) + " (a int)");
    EXPECT_EQ(database.value("SELECT count(*) FROM pg_class WHERE relname = " + quote_literal(text)), "1");
  }
}

// One statement at a time over the extended protocol: the server refuses a text that holds two.
TEST(ServerAgreement, EveryCutIsOneStatementForTheServer) {
  TestDatabase database("plan");
  const std::string text =
      "CREATE TABLE t (a text DEFAULT ';', \"b;\" int); -- ; '\n"
      "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END; SELECT x; "
      "END;\n"
      "CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $g$ BEGIN PERFORM $$;$$; END $g$;\n"
      "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);\n"
      "INSERT INTO t VALUES (E'\\';', 1), ('a'\n';b', 2); /* ; /* ; */ */\n"
      "DO $$ BEGIN IF true THEN NULL; END IF; END $$";
  const auto split = split_statements(text);
  ASSERT_TRUE(split) << split.error().describe();
  EXPECT_EQ(split->size(), 6U);
  auto client = database.connect();
  for (const auto& statement : *split) {
    EXPECT_EQ(client.attempt("PREPARE probe AS " + std::string(statement.sql)).substr(0, 5),
              statement.sql.starts_with("INSERT") ? "" : "42601")
        << statement.sql;
    client.run(std::string(statement.sql));
  }
  EXPECT_EQ(database.value("SELECT string_agg(a, '|' ORDER BY \"b;\") FROM t"), "';|a;b");
  EXPECT_EQ(database.value("SELECT f(7)"), "7");
}

}  // namespace
}  // namespace athanor
