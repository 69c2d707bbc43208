#include <gtest/gtest.h>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

using Kind = RecoveryProbe::Kind;

void expect_probe(const std::string& sql, Kind kind, const std::string& schema = "", const std::string& object = "",
                  const std::string& value = "") {
  const auto probe = recovery_probe(sql);
  EXPECT_EQ(static_cast<int>(probe.kind), static_cast<int>(kind)) << sql;
  EXPECT_EQ(probe.schema, schema) << sql;
  EXPECT_EQ(probe.object, object) << sql;
  EXPECT_EQ(probe.value, value) << sql;
}

TEST(RecoveryProbe, SearchesForAnIndexInTheSchemaOfItsTable) {
  expect_probe("CREATE INDEX CONCURRENTLY I ON App.t (a)", Kind::CreateIndexConcurrently, "app", "i");
  expect_probe("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My I\" ON t (a)", Kind::CreateIndexConcurrently, "", "My I");
  expect_probe("DROP INDEX CONCURRENTLY app.i", Kind::DropIndexConcurrently, "app", "i");
  expect_probe("DROP INDEX CONCURRENTLY IF EXISTS i", Kind::DropIndexConcurrently, "", "i");
}

TEST(RecoveryProbe, AnIndexIsKnownByItsTableAndDefinition) {
  const auto probe = recovery_probe(
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON app.\"T\" USING btree (a, lower(b), \"C\" DESC) INCLUDE (d) WHERE a "
      "> 1");
  EXPECT_EQ(probe.table, "T");
  EXPECT_TRUE(probe.if_not_exists);
  EXPECT_TRUE(probe.index.unique);
  EXPECT_TRUE(probe.index.partial);
  EXPECT_EQ(probe.index.method, "btree");
  EXPECT_EQ(probe.index.columns, (std::vector<std::string>{"a", "", "C", "d"}));
  EXPECT_EQ(probe.index.definition, "USING btree (a, lower(b), \"C\" DESC) INCLUDE (d) WHERE a > 1");
  for (const std::string name : {"t", "\"on\"", "app.t", "a . \"b.c\" . d", "ONLY t", "ONLY app.t", "t *", "/* on */ t"}) {
    const auto sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS \"on\" ON " + name + " (a DESC) WHERE b";
    EXPECT_EQ(recovery_probe(sql).index.definition, "(a DESC) WHERE b") << sql;
  }
  expect_probe("CREATE INDEX CONCURRENTLY ON t (a)", Kind::CreateIndexConcurrently);
  EXPECT_EQ(recovery_probe("CREATE INDEX CONCURRENTLY ON t (a)").table, "t");
}

TEST(RecoveryProbe, AnErrorOfWhatCannotCommitInsideMeansThatNothingTookEffect) {
  for (const std::string sql :
       {"UPDATE t SET a = lower(b) || now()::text", "INSERT INTO t SELECT pg_catalog.count(*) FROM u", "DELETE FROM t",
        "SELECT nextval('s')", "DROP TABLE t", "VACUUM t", "CREATE INDEX CONCURRENTLY i ON t (lower(a))",
        "ALTER TABLE t ADD b int DEFAULT 1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT g()'",
        "CREATE VIEW v AS SELECT f()", "PREPARE p AS SELECT f()", "COPY t TO '/tmp/x'"}) {
    EXPECT_TRUE(recovery_probe(sql).all_or_nothing) << sql;
  }
  for (const std::string sql :
       {"CALL p()", "DO 'BEGIN COMMIT; END'", "EXECUTE p", "EXPLAIN ANALYZE EXECUTE p", "SELECT f()", "SELECT app.lower('A')",
        "UPDATE t SET a = dblink_exec('x', 'y')", "CREATE TABLE IF NOT EXISTS t AS SELECT f()", "COPY t FROM PROGRAM 'true'",
        "INSERT INTO t SELECT 1 FROM dblink('x') AS d(a int)", "grammar of the future", "SELECT 1; SELECT 2", ""}) {
    EXPECT_FALSE(recovery_probe(sql).all_or_nothing) << sql;
  }
  expect_probe("CREATE TABLE IF NOT EXISTS t AS SELECT f()", Kind::Unknown);
}

TEST(RecoveryProbe, ReindexTellsHowFarItReaches) {
  using Scope = RecoveryProbe::Scope;
  EXPECT_EQ(recovery_probe("REINDEX INDEX CONCURRENTLY i").scope, Scope::Index);
  EXPECT_EQ(recovery_probe("REINDEX TABLE CONCURRENTLY t").scope, Scope::Table);
  EXPECT_EQ(recovery_probe("REINDEX SCHEMA CONCURRENTLY s").scope, Scope::Schema);
  EXPECT_EQ(recovery_probe("REINDEX DATABASE CONCURRENTLY d").scope, Scope::Database);
}

TEST(RecoveryProbe, ReindexNamesWhatItRebuilds) {
  expect_probe("REINDEX INDEX CONCURRENTLY app.i", Kind::ReindexConcurrently, "app", "i");
  expect_probe("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", Kind::ReindexConcurrently, "", "t");
  expect_probe("REINDEX SCHEMA CONCURRENTLY s", Kind::ReindexConcurrently, "", "s");
  expect_probe("REINDEX (CONCURRENTLY false) TABLE t", Kind::Repeatable);
  expect_probe("REINDEX DATABASE d", Kind::Repeatable);
}

TEST(RecoveryProbe, EnumValuesAndPartitionsAreKept) {
  expect_probe("ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'Sad' BEFORE 'ok'", Kind::AddEnumValue, "app", "mood", "Sad");
  expect_probe("ALTER TYPE mood RENAME VALUE 'a' TO 'b'", Kind::Unknown);
  expect_probe("ALTER TABLE app.t DETACH PARTITION app.p CONCURRENTLY", Kind::DetachPartitionConcurrently, "app", "t", "p");
  EXPECT_EQ(recovery_probe("ALTER TABLE app.t DETACH PARTITION old.p CONCURRENTLY").value_schema, "old");
  expect_probe("ALTER TABLE t DETACH PARTITION p FINALIZE", Kind::DetachPartitionConcurrently, "", "t", "p");
  expect_probe("ALTER TABLE t DETACH PARTITION p", Kind::Unknown);
}

TEST(RecoveryProbe, DatabasesAreNamed) {
  expect_probe("CREATE DATABASE \"D\"", Kind::CreateDatabase, "", "D");
  expect_probe("DROP DATABASE IF EXISTS d", Kind::DropDatabase, "", "d");
}

TEST(RecoveryProbe, WhatMayRunTwiceIsRepeatable) {
  for (const std::string sql :
       {"VACUUM t", "ANALYZE", "ALTER SYSTEM SET a = 'b'", "CHECKPOINT", "CLUSTER", "DROP TABLE IF EXISTS t",
        "CREATE TABLE IF NOT EXISTS t (a int)", "CREATE OR REPLACE VIEW v AS SELECT 1", "REFRESH MATERIALIZED VIEW v",
        "CREATE INDEX IF NOT EXISTS i ON t (a)"}) {
    EXPECT_EQ(static_cast<int>(recovery_probe(sql).kind), static_cast<int>(Kind::Repeatable)) << sql;
  }
  expect_probe("ALTER TABLE app.t VALIDATE CONSTRAINT c", Kind::Repeatable, "app", "t");
}

TEST(RecoveryProbe, DeepTreesDoNotExhaustTheStack) {
  for (const std::size_t depth : {1'900U, 8'000U, 500'000U}) {
    std::string chain = "CREATE INDEX CONCURRENTLY i ON t (a) WHERE 1";
    std::string nested = "DROP INDEX CONCURRENTLY ";
    for (std::size_t i = 0; i < depth; ++i) {
      chain += "+1";
      nested += "(";
    }
    EXPECT_EQ(recovery_probe(chain).object, depth < 2'000U ? "i" : "");
    EXPECT_EQ(recovery_probe(nested).object, "");
    EXPECT_LE(sanitise_sql(chain).size(), 200U);
    EXPECT_LE(sanitise_sql(nested).size(), 200U);
  }
}

TEST(RecoveryProbe, ALongListIsNotDeep) {
  std::string sql = "CREATE INDEX CONCURRENTLY i ON t (a) WHERE a IN (1";
  for (int i = 0; i < 50'000; ++i) {
    sql += ", " + std::to_string(i);
  }
  expect_probe(sql + ")", Kind::CreateIndexConcurrently, "", "i");
}

TEST(RecoveryProbe, EverythingElseIsForAHumanToSay) {
  for (const std::string sql :
       {"UPDATE t SET a = a + 1", "INSERT INTO t VALUES (1)", "CREATE TABLE t (a int)", "DROP TABLE t",
        "CREATE INDEX i ON t (a)", "DROP INDEX i", "ALTER TABLE t ADD a int", "ALTER TABLE t VALIDATE CONSTRAINT c, ADD b int",
        "CALL p()", "SELECT f()", "CREATE TABLESPACE s LOCATION '/x'", "grammar of the future", "SELECT 1; SELECT 2", ""}) {
    EXPECT_EQ(static_cast<int>(recovery_probe(sql).kind), static_cast<int>(Kind::Unknown)) << sql;
  }
}

}  // namespace
}  // namespace athanor
