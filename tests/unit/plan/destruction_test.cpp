#include <gtest/gtest.h>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

TEST(DestroyedBy, NamesWhatTakesDataAway) {
  for (const auto* const sql : {"DROP TABLE users",
                                "drop table if exists a, b",
                                "DROP SCHEMA old CASCADE",
                                "TRUNCATE orders",
                                "TRUNCATE TABLE a, b",
                                "DELETE FROM users",
                                "DELETE FROM users WHERE id = 3",
                                "ALTER TABLE users DROP COLUMN email",
                                "ALTER TABLE users DROP email",
                                "ALTER TABLE users ADD c int, DROP COLUMN IF EXISTS b",
                                "ALTER TABLE u DROP \"email\"",
                                "ALTER TYPE address DROP ATTRIBUTE zip",
                                "UPDATE users SET name = 'x'",
                                "DROP TYPE mood",
                                "DROP VIEW v CASCADE",
                                "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone",
                                "/* tidy */ DROP /* it */ TABLE t",
                                "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
                                "DO $$ BEGIN EXECUTE 'drop table x'; END $$",
                                "DROP EXTENSION hstore",
                                "DROP SEQUENCE s"}) {
    EXPECT_NE(destroyed_by(sql), "") << sql;
  }
}

TEST(DestroyedBy, PassesWhatCanBeMadeAgain) {
  for (const auto* const sql : {"CREATE TABLE drops (id int)",
                                "ALTER TABLE users ADD COLUMN dropped bool",
                                "ALTER TABLE users DROP CONSTRAINT c",
                                "ALTER TABLE users ALTER COLUMN a DROP DEFAULT",
                                "ALTER TABLE users ALTER a DROP NOT NULL",
                                "ALTER TABLE users ALTER COLUMN a DROP IDENTITY",
                                "DROP INDEX i",
                                "DROP VIEW v",
                                "DROP FUNCTION f",
                                "INSERT INTO t SELECT 'DROP TABLE users'",
                                "UPDATE users SET a = 1 WHERE b = 2",
                                "UPDATE users SET a = 1 WHERE a IS NULL AND {batch}",
                                "GRANT DELETE ON users TO app",
                                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c ON DELETE CASCADE",
                                "SELECT 'truncate'",
                                "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM users $$",
                                "CREATE RULE r AS ON DELETE TO v DO INSTEAD DELETE FROM t",
                                "COMMENT ON TABLE t IS 'drop table t'",
                                "CREATE TABLE a (d text CHECK (d <> 'drop'))",
                                "DO $$ BEGIN PERFORM 1; END $$"}) {
    EXPECT_EQ(destroyed_by(sql), "") << sql;
  }
}

TEST(DestroyedBy, ShowsNoLiterals) {
  EXPECT_EQ(destroyed_by("DELETE FROM users WHERE email = 'ann@example.org'").find("ann"), std::string::npos);
}

}  // namespace
}  // namespace athanor
