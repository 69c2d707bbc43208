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
                                "COPY (DELETE FROM users RETURNING *) TO STDOUT",
                                "WITH a AS (SELECT 1) UPDATE users SET name = 'x'",
                                "WITH a AS (UPDATE users SET name = 'x' RETURNING *) SELECT * FROM a WHERE id = 1",
                                "EXPLAIN ANALYZE UPDATE users SET name = 'x'",
                                "DROP SEQUENCE s"}) {
    EXPECT_NE(destroyed_by(sql), "") << sql;
  }
}

// Most of PostgreSQL's keywords may name a column.
TEST(DestroyedBy, NamesAColumnThatIsCalledLikeAKeyword) {
  for (const auto* const column : {"value", "identity", "expression", "subscriber", "VALUE", "type", "drop", "data", "\"not\"",
                                   "\"constraint\"", "\"default\""}) {
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE t DROP ") + column), "") << column;
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE t ADD a int, DROP ") + column + " CASCADE"), "") << column;
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE alter DROP ") + column), "") << column;
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE s.alter DROP ") + column), "") << column;
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE t ALTER a SET NOT NULL, DROP ") + column), "") << column;
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE t DROP CONSTRAINT c, DROP COLUMN ") + column), "") << column;
    EXPECT_EQ(destroyed_by(std::string("ALTER TABLE t ALTER ") + column + " DROP DEFAULT"), "") << column;
    EXPECT_EQ(destroyed_by(std::string("ALTER TABLE t ALTER COLUMN ") + column + " DROP EXPRESSION IF EXISTS"), "") << column;
  }
}

TEST(DestroyedBy, NamesATypeThatMayNotHoldWhatTheOldOneHeld) {
  for (const auto* const action :
       {"ALTER COLUMN name TYPE varchar(1) USING left(name, 1)", "ALTER name TYPE int USING length(name)",
        "ALTER COLUMN a SET DATA TYPE integer", "ALTER a TYPE numeric(10, 2)", "ALTER a TYPE bigint",
        "ADD b int, ALTER COLUMN a TYPE char(1)", "ALTER a TYPE text USING left(a, 1)", "ALTER a TYPE text USING b::text",
        "ALTER a TYPE varchar(3) USING a::varchar(3)", "ALTER a TYPE text[]", "ALTER a TYPE my.text", "ALTER \"a b\" TYPE date",
        "ALTER type TYPE date", "ALTER a TYPE text, ALTER b TYPE date"}) {
    EXPECT_NE(destroyed_by(std::string("ALTER TABLE t ") + action), "") << action;
  }
  EXPECT_NE(destroyed_by("ALTER TYPE address ALTER ATTRIBUTE zip TYPE int"), "");
  for (const auto* const action :
       {"ALTER COLUMN a TYPE text", "ALTER a SET DATA TYPE VARCHAR(20)", "ALTER a TYPE character varying",
        "ALTER a TYPE text COLLATE \"C\"", "ALTER a TYPE character varying(255)", "ALTER a TYPE text USING a::text",
        "ALTER \"A\" TYPE TEXT USING \"A\"::text", "ALTER a TYPE text USING (a::text)", "ALTER a TYPE varchar USING a::varchar",
        "ALTER type SET DEFAULT 'x'", "ADD COLUMN type int", "RENAME COLUMN type TO kind", "OF type",
        "ALTER a SET DEFAULT 'TYPE int'"}) {
    EXPECT_EQ(destroyed_by(std::string("ALTER TABLE t ") + action), "") << action;
  }
}

TEST(DestroyedBy, NamesAnUpdateWhoseConditionReadsNoColumn) {
  for (const auto* const condition : {"true", "TRUE", "1 = 1", "(true)", "NOT false", "1 = 1 AND 'a' = 'a'", "(1 < 2) OR FALSE",
                                      "true RETURNING id", "5 IS NOT NULL"}) {
    EXPECT_NE(destroyed_by(std::string("UPDATE users SET name = 'x' WHERE ") + condition), "") << condition;
  }
  for (const auto* const condition : {"id = 1", "active", "\"id\" = 1", "id = 1 AND true", "true AND id = 1 RETURNING *",
                                      "id IN (SELECT 1)", "CURRENT OF c"}) {
    EXPECT_EQ(destroyed_by(std::string("UPDATE users SET name = 'x' WHERE ") + condition), "") << condition;
  }
}

TEST(DestroyedBy, ReadsDoBlocks) {
  for (const auto* const body :
       {"BEGIN DELETE FROM t WHERE id = 1; END", "BEGIN TRUNCATE t; END", "BEGIN ALTER TABLE t DROP value; END",
        "BEGIN IF true THEN ALTER TABLE t ALTER a TYPE int USING length(a); END IF; END", "BEGIN UPDATE t SET a = 1; END",
        "BEGIN IF true THEN UPDATE t SET a = 1 WHERE true; END IF; END", "BEGIN EXECUTE 'x'; END"}) {
    EXPECT_NE(destroyed_by(std::string("DO $$ ") + body + " $$"), "") << body;
    EXPECT_NE(destroyed_by(std::string("DO LANGUAGE plpgsql $x$ ") + body + " $x$"), "") << body;
    EXPECT_NE(destroyed_by(std::string("DO $$ BEGIN DO $x$ ") + body + " $x$; END $$"), "") << body;
  }
  EXPECT_NE(destroyed_by("DO 'BEGIN UPDATE t SET a = ''it''''s'' WHERE ''a'' = ''a''; END'"), "");
  EXPECT_NE(destroyed_by("DO E'BEGIN UPDATE t SET a = 1; END'"), "");
  for (const auto* const body :
       {"BEGIN UPDATE t SET a = 1 WHERE a IS NULL; END", "BEGIN ALTER TABLE t ADD b int; END",
        "BEGIN PERFORM 1 FROM t FOR UPDATE; END", "BEGIN INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 2; END",
        "BEGIN ALTER TYPE mood ADD VALUE 'x'; END",
        "BEGIN ALTER TABLE t ALTER a TYPE text; UPDATE t SET a = 1 WHERE b = 2; END"}) {
    EXPECT_EQ(destroyed_by(std::string("DO $$ ") + body + " $$"), "") << body;
  }
}

TEST(DestroyedBy, PassesWhatCanBeMadeAgain) {
  for (const auto* const sql : {"CREATE TABLE drops (id int)", "ALTER TABLE users ADD COLUMN dropped bool",
                                "ALTER TABLE users DROP CONSTRAINT c", "ALTER TABLE users ALTER COLUMN a DROP DEFAULT",
                                "ALTER TABLE users ALTER a DROP NOT NULL", "ALTER TABLE users ALTER COLUMN a DROP IDENTITY",
                                "DROP INDEX i", "DROP VIEW v", "DROP FUNCTION f", "INSERT INTO t SELECT 'DROP TABLE users'",
                                "UPDATE users SET a = 1 WHERE b = 2", "UPDATE users SET a = 1 WHERE a IS NULL AND {batch}",
                                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c ON DELETE CASCADE", "SELECT 'truncate'",
                                "COMMENT ON TABLE t IS 'drop table t'", "CREATE TABLE a (d text CHECK (d <> 'drop'))",
                                "DO $$ BEGIN PERFORM 1; END $$"}) {
    EXPECT_EQ(destroyed_by(sql), "") << sql;
  }
}

TEST(DestroyedBy, ShowsNoLiterals) {
  EXPECT_EQ(destroyed_by("DELETE FROM users WHERE email = 'ann@example.org'").find("ann"), std::string::npos);
}

}  // namespace
}  // namespace athanor
