#include <gtest/gtest.h>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

std::string refusal(const std::string& sql, bool transactional = true) {
  const auto checked = check_statement({sql, 7}, transactional);
  if (checked) {
    return "";
  }
  EXPECT_EQ(checked.error().code, ErrorCode::UnsupportedStatement) << sql;
  EXPECT_NE(checked.error().hint, "") << sql;
  return checked.error().describe();
}

TEST(StatementCheck, TransactionControlIsRefusedByName) {
  const std::string end = " would interfere with the transaction in which the run updates the version table";
  const std::vector<std::pair<std::string, std::string>> refused{{"BEGIN", "BEGIN"},
                                                                 {"begin /* x */ work", "BEGIN"},
                                                                 {"START TRANSACTION READ ONLY", "START TRANSACTION"},
                                                                 {"COMMIT", "COMMIT"},
                                                                 {"commit and chain", "COMMIT"},
                                                                 {"END", "END"},
                                                                 {"ROLLBACK", "ROLLBACK"},
                                                                 {"Rollback Work", "ROLLBACK"},
                                                                 {"ABORT", "ABORT"},
                                                                 {"PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"},
                                                                 {"COMMIT PREPARED 'x'", "COMMIT PREPARED"},
                                                                 {"ROLLBACK PREPARED 'x'", "ROLLBACK PREPARED"}};
  for (const auto& [sql, name] : refused) {
    EXPECT_EQ(refusal(sql), "line 7: " + name + end);
    EXPECT_EQ(refusal(sql, false), "line 7: " + name + end);
  }
}

TEST(StatementCheck, SettingsThatReinterpretTheTextThatFollowsAreRefused) {
  for (const std::string sql :
       {"SET client_encoding = 'LATIN1'", "set Client_Encoding to latin1", "SET SESSION client_encoding TO 'SJIS'",
        "SET LOCAL client_encoding = 'GBK'", "SET \"client_encoding\" = 'BIG5'", "SET NAMES 'LATIN1'", "SET LOCAL NAMES 'GBK'",
        "SET client_encoding /* x */ = E'LATIN1'", "SELECT set_config('client_encoding', 'LATIN1', false)",
        "SELECT pg_catalog.set_config($$Client_Encoding$$, 'gbk', true)",
        "SELECT \"set_config\"(E'client_encoding', 'gbk', true)",
        "SELECT set_config(setting_name => 'client_encoding', new_value => 'gbk', is_local => true)",
        "SELECT set_config(new_value => 'gbk', setting_name => 'client_encoding', is_local => true)",
        "SELECT set_config('client_encoding', v, false) FROM t", "ALTER ROLE CURRENT_USER SET client_encoding = 'LATIN1'",
        "ALTER ROLE ALL SET client_encoding TO 'LATIN1'", "ALTER DATABASE d SET client_encoding TO 'LATIN1'",
        "UPDATE pg_settings SET setting = 'gbk' WHERE name = 'client_encoding'"}) {
    EXPECT_EQ(
        refusal(sql),
        "line 7: client_encoding must not be changed in a revision: the server would read the text that follows in another "
        "encoding")
        << sql;
  }
  for (const std::string sql :
       {"SET standard_conforming_strings = off", "SET standard_conforming_strings TO 'false'",
        "SET LOCAL standard_conforming_strings = 0", "SELECT set_config('standard_conforming_strings', 'off', false)",
        "ALTER SYSTEM SET standard_conforming_strings = off"}) {
    EXPECT_EQ(refusal(sql, sql.starts_with("SE")),
              "line 7: standard_conforming_strings must not be changed in a revision: the server would read the text of later "
              "string constants differently")
        << sql;
  }
}

TEST(StatementCheck, AnIsolationLevelThatComesTooLateIsRefused) {
  for (const std::string sql :
       {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "set transaction read write, isolation level repeatable read",
        "SET TRANSACTION READ ONLY, DEFERRABLE", "SET TRANSACTION SNAPSHOT '00000003-1'",
        "SET LOCAL transaction_isolation = 'serializable'", "SET transaction_isolation TO serializable"}) {
    EXPECT_EQ(refusal(sql),
              "line 7: the isolation level must be set before the first query, but the run has already executed queries in "
              "this transaction")
        << sql;
  }
  for (const std::string sql :
       {"SET default_transaction_isolation = 'serializable'", "SET TRANSACTION READ ONLY", "SET TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"}) {
    EXPECT_EQ(refusal(sql), "") << sql;
  }
}

TEST(StatementCheck, WhatPgDumpSetsAndWhatOnlyNamesASettingMayStand) {
  for (const std::string sql : {"SET client_encoding = 'UTF8'",
                                "SET client_encoding TO utf8",
                                "SET client_encoding TO 'UTF-8'",
                                "SET client_encoding TO DEFAULT",
                                "SET NAMES",
                                "SET NAMES 'UTF8'",
                                "SET NAMES DEFAULT",
                                "SET standard_conforming_strings = on",
                                "RESET client_encoding",
                                "SELECT set_config('client_encoding', 'UTF8', false)",
                                "SELECT set_config('search_path', 'client_encoding', false)",
                                "SHOW client_encoding",
                                "SELECT current_setting('client_encoding')",
                                "SET search_path = names",
                                "ALTER ROLE app SET client_encoding = 'LATIN1'",
                                "INSERT INTO t VALUES ('SET client_encoding = latin1')",
                                "CREATE TABLE names (client_encoding text, set text)",
                                "UPDATE t SET client_encoding = 'x'",
                                "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET client_encoding = 'LATIN1' AS 'SELECT 1'",
                                "COPY t FROM '/f' (ENCODING 'LATIN1')"}) {
    EXPECT_EQ(refusal(sql), "") << sql;
  }
}

TEST(StatementCheck, SavepointsMayStandInATransaction) {
  for (const std::string sql :
       {"SAVEPOINT a", "RELEASE a", "RELEASE SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a",
        "ROLLBACK TRANSACTION TO a", "LOCK TABLE t", "SET LOCAL x = 1"}) {
    EXPECT_EQ(refusal(sql), "");
    EXPECT_NE(refusal(sql, false).find("has no effect in an autocommit step"), std::string::npos) << sql;
  }
}

TEST(StatementCheck, WhatNeedsNoTransactionIsRefusedInOneWithTheWayOut) {
  const std::vector<std::pair<std::string, std::string>> refused{
      {"CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"},
      {"create unique index\nconcurrently if not exists i on t (a)", "CREATE INDEX CONCURRENTLY"},
      {"DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"},
      {"REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"},
      {"REINDEX (VERBOSE, CONCURRENTLY) INDEX i", "REINDEX CONCURRENTLY"},
      {"REINDEX (CONCURRENTLY true) INDEX i", "REINDEX CONCURRENTLY"},
      {"REINDEX SCHEMA s", "REINDEX of a schema, database or system"},
      {"REINDEX (VERBOSE) DATABASE d", "REINDEX of a schema, database or system"},
      {"REINDEX SYSTEM d", "REINDEX of a schema, database or system"},
      {"ALTER TABLE ONLY t DETACH PARTITION p CONCURRENTLY", "ALTER TABLE … DETACH PARTITION CONCURRENTLY"},
      {"VACUUM", "VACUUM"},
      {"VACUUM (FULL) t", "VACUUM"},
      {"CREATE DATABASE d", "CREATE DATABASE"},
      {"DROP DATABASE IF EXISTS d", "DROP DATABASE"},
      {"CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"},
      {"DROP TABLESPACE s", "DROP TABLESPACE"},
      {"ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM"},
      {"ALTER DATABASE d SET TABLESPACE s", "ALTER DATABASE … SET TABLESPACE"},
      {"CLUSTER", "CLUSTER of all tables"},
      {"CLUSTER VERBOSE", "CLUSTER of all tables"},
      {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "CREATE SUBSCRIPTION with a replication slot"},
  };
  for (const auto& [sql, name] : refused) {
    EXPECT_EQ(refusal(sql), "line 7: " + name + " cannot run inside a transaction") << sql;
    EXPECT_EQ(refusal(sql, false), "") << sql;
    EXPECT_EQ(check_statement({sql, 7}, true).error().hint, "put '-- athanor:step autocommit' on a line of its own above it");
  }
}

TEST(StatementCheck, TheirHarmlessRelativesMayStandInATransaction) {
  for (const std::string sql : {"CREATE INDEX i ON t (a)",
                                "CREATE INDEX \"concurrently\" ON t (a)",
                                "REINDEX TABLE t",
                                "REINDEX (CONCURRENTLY false) TABLE t",
                                "REINDEX (CONCURRENTLY off) TABLE t",
                                "REINDEX (CONCURRENTLY 0) TABLE t",
                                "REINDEX INDEX schema",
                                "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
                                "ALTER TABLE t DETACH PARTITION p",
                                "ANALYZE t",
                                "CLUSTER t USING i",
                                "CLUSTER t",
                                "CLUSTER \"T\"",
                                "ALTER TYPE e ADD VALUE 'x'",
                                "ALTER DATABASE d SET work_mem = '1MB'",
                                "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
                                "ALTER TABLE t SET TABLESPACE s",
                                "PREPARE q AS SELECT 1",
                                "COMMENT ON TABLE t IS 'commit'",
                                "CREATE TABLE begin (a int)"}) {
    EXPECT_EQ(refusal(sql), "") << sql;
  }
}

TEST(StatementCheck, CopyThroughTheClientIsRefused) {
  const std::string message =
      "line 7: COPY with STDIN or STDOUT is not possible in a revision: there is no client to send or receive the rows";
  for (const std::string sql : {"COPY t FROM STDIN", "copy t (a, b) from stdin with (format csv)", "COPY t TO STDOUT",
                                "COPY (SELECT 1) TO stdout", "COPY t FROM stdout"}) {
    EXPECT_EQ(refusal(sql), message) << sql;
    EXPECT_EQ(refusal(sql, false), message) << sql;
  }
  for (const std::string sql :
       {"COPY t FROM '/data/stdin'", "COPY t TO PROGRAM 'gzip'", "COPY (SELECT * FROM stdin) TO '/x'"}) {
    EXPECT_EQ(refusal(sql), "") << sql;
  }
}

TEST(StatementCheck, NothingMayReleaseTheMigrationLock) {
  EXPECT_EQ(refusal("DISCARD ALL"), "line 7: DISCARD ALL would release the migration lock in the middle of the run");
  EXPECT_EQ(refusal("discard plans", false), "line 7: DISCARD would reset the session that runs the revisions");
  EXPECT_EQ(refusal("SELECT pg_catalog.pg_advisory_unlock_all()"),
            "line 7: pg_advisory_unlock_all() would release the migration lock in the middle of the run");
  EXPECT_EQ(refusal("SELECT pg_advisory_unlock(1)"), "");
}

TEST(StatementCheck, AMetaCommandIsNamed) {
  EXPECT_EQ(refusal("\\connect other"), "line 7: psql meta-command \\connect is not SQL and cannot be used in a revision");
}

TEST(StatementCheck, AnIdentifierThatPostgresWouldCutIsNamedWithItsLengthAndLine) {
  const std::string fits(63, 'a');
  const std::string cut(64, 'b');
  EXPECT_EQ(refusal("CREATE TABLE " + fits + " (\"" + fits + "\" int)"), "");
  EXPECT_EQ(refusal("CREATE TABLE t (\n  " + cut + " int)"),
            "line 8: identifier " + cut + " is 64 bytes long; PostgreSQL would truncate it to 63");
  EXPECT_EQ(refusal("CREATE TABLE \"" + cut + "\" (a int)"),
            "line 7: identifier " + cut + " is 64 bytes long; PostgreSQL would truncate it to 63");
}

TEST(StatementCheck, IdentifiersAreMeasuredInBytesWithoutTheirQuotes) {
  std::string umlauts;
  for (int i = 0; i < 32; ++i) {
    umlauts += "ü";
  }
  EXPECT_NE(refusal("SELECT " + umlauts), "");
  EXPECT_EQ(refusal("SELECT \"" + std::string(31, 'a') + "\"\"" + std::string(31, 'b') + "\""), "");
  EXPECT_NE(refusal("SELECT \"" + std::string(32, 'a') + "\"\"" + std::string(31, 'b') + "\""), "");
  EXPECT_EQ(refusal("SELECT '" + std::string(100, 'x') + "', $$" + std::string(100, 'x') + "$$ -- " + std::string(100, 'x')),
            "");
  EXPECT_EQ(refusal("SELECT U&\"\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\\0441\""), "");
}

TEST(StatementCheck, AHugeIdentifierIsShownInPart) {
  const auto described = refusal("SELECT " + std::string(5'000'000, 'x'));
  EXPECT_LT(described.size(), 300U);
  EXPECT_NE(described.find("is 5000000 bytes long"), std::string::npos);
}

}  // namespace
}  // namespace athanor
