#include "migrations/plan/server_statement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace athanor {
namespace {

TEST(StatementReach, KnowsWhatBelongsToTheServer) {
  for (const auto* const sql : {"CREATE ROLE app",
                                "CREATE USER app PASSWORD 'x'",
                                "ALTER ROLE bob SUPERUSER",
                                "ALTER ROLE bob SET work_mem = '1MB'",
                                "DROP ROLE IF EXISTS bob",
                                "GRANT admin TO bob",
                                "REVOKE admin FROM bob",
                                "CREATE DATABASE x",
                                "DROP DATABASE IF EXISTS x",
                                "ALTER DATABASE x SET work_mem = '1MB'",
                                "ALTER DATABASE x CONNECTION LIMIT 1",
                                "ALTER DATABASE x OWNER TO bob",
                                "ALTER DATABASE x RENAME TO y",
                                "ALTER ROLE a RENAME TO b",
                                "ALTER SYSTEM SET work_mem = '1MB'",
                                "CREATE TABLESPACE t LOCATION '/x'",
                                "DROP TABLESPACE t",
                                "ALTER TABLESPACE t OWNER TO bob",
                                "GRANT CONNECT ON DATABASE x TO bob",
                                "GRANT CREATE ON TABLESPACE t TO bob",
                                "GRANT SET ON PARAMETER work_mem TO bob",
                                "COMMENT ON ROLE bob IS 'x'",
                                "COMMENT ON DATABASE x IS 'y'",
                                "REASSIGN OWNED BY a TO b",
                                "DROP OWNED BY a",
                                "SELECT pg_terminate_backend(4711)",
                                "SELECT pg_catalog.pg_reload_conf()",
                                "SELECT pg_create_logical_replication_slot('a', 'b')",
                                "DO $$ BEGIN CREATE ROLE app; END $$",
                                "DO $$ BEGIN GRANT admin TO bob; END $$",
                                "DO $$ BEGIN EXECUTE 'alter system set work_mem = 1'; END $$",
                                "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
                                "DO 'BEGIN DROP ROLE app; END'",
                                "DO $a$ BEGIN EXECUTE $b$ DROP OWNED BY a $b$; END $a$"}) {
    EXPECT_TRUE(reach_of(sql).server) << sql;
    EXPECT_FALSE(reach_of(sql).outside) << sql;
  }
}

TEST(StatementReach, KnowsWhatLeavesTheServer) {
  for (const auto* const sql :
       {"COPY t TO PROGRAM 'rm -rf /'", "COPY t FROM PROGRAM 'x'", "COPY t FROM '/etc/passwd'", "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT dblink_exec('host=x', 'DROP TABLE t')", "SELECT * FROM public.dblink('x', 'SELECT 1') AS t (a int)",
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p", "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "DROP SUBSCRIPTION s", "LOAD 'plugin'", "SELECT lo_import('/etc/passwd')", "SELECT pg_read_file('/etc/passwd')",
        "INSERT INTO t SELECT pg_ls_dir('/')", "DO $$ BEGIN COPY t TO PROGRAM 'x'; END $$",
        "DO $$ BEGIN PERFORM dblink_exec('x', 'y'); END $$", "DO $$ BEGIN EXECUTE 'create subscription s'; END $$"}) {
    EXPECT_TRUE(reach_of(sql).outside) << sql;
  }
}

TEST(StatementReach, LeavesAloneWhatStaysInTheDatabase) {
  for (const auto* const sql :
       {"CREATE TABLE t (role text, \"user\" text, database text)", "GRANT SELECT ON t TO app",
        "REVOKE ALL ON SCHEMA s FROM public", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app",
        "ALTER TABLE t OWNER TO app", "COMMENT ON TABLE t IS 'a role'", "COPY t FROM STDIN", "CREATE EXTENSION dblink",
        "CREATE USER MAPPING FOR app SERVER s", "DROP USER MAPPING FOR app SERVER s", "SELECT 'OBJECT_ROLE'",
        "SELECT pg_catalog.pg_get_serial_sequence('t', 'id')", "UPDATE t SET a = 1 WHERE a IS NULL AND {batch}",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE app; END $$",
        "DO $$ BEGIN DROP USER MAPPING FOR app SERVER s; END $$", "DO $$ BEGIN INSERT INTO role VALUES ('user'); END $$",
        "CREATE TABLE t (id int) TABLESPACE fast", "ALTER TABLE t SET TABLESPACE fast", "SET ROLE app"}) {
    EXPECT_FALSE(reach_of(sql).server) << sql;
    EXPECT_FALSE(reach_of(sql).outside) << sql;
  }
}

// PostgreSQL 15's grammar does not know them.
TEST(StatementReach, SearchesTheWordsOfWhatCannotBeParsed) {
  EXPECT_TRUE(reach_of("CREATE ROLE app NEW SYNTAX").server);
  EXPECT_TRUE(reach_of("COPY t TO PROGRAM 'x' NEW SYNTAX").outside);
  EXPECT_FALSE(reach_of("ALTER TABLE t NEW SYNTAX").server);
  EXPECT_FALSE(reach_of("INSERT INTO t NEW SYNTAX VALUES ('create role x')").server) << "a value is not executed";
}

TEST(StatementReach, EndsInAnyDepthOfStrings) {
  const std::string quotes(1'000'000, '\'');
  EXPECT_FALSE(reach_of("DO " + quotes).server);
  EXPECT_FALSE(reach_of("SELECT " + quotes + " NEW SYNTAX").server);
}

}  // namespace
}  // namespace athanor
