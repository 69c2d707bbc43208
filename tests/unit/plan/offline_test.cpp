// The shape is what Alembic 1.20.1 prints for the same history with --sql, but for five things: what is done to the session,
// the operator of the version rows, no RETURNING, a semicolon that a line comment cannot swallow, and no space behind the
// column's comma.
#include <gtest/gtest.h>

#include "tests/unit/plan/history.hpp"

namespace athanor {
namespace {

using test::small_history;

std::string whole(Direction direction, const std::string& range, const OfflineOptions& options = {}) {
  const auto plan = small_history().offline(direction, range);
  return plan ? render_offline(*plan, options) : plan.error().describe();
}

// Without the paragraphs about the session.
std::string offline(Direction direction, const std::string& range, const OfflineOptions& options = {}) {
  std::string script = whole(direction, range, options);
  for (auto begin = script.find("-- Session: "); begin != std::string::npos; begin = script.find("-- Session: ")) {
    script.erase(begin, script.find("\n\n", begin) + 2 - begin);
  }
  return script;
}

const std::string kVersionTable =
    "CREATE TABLE alembic_version (\n    version_num VARCHAR(32) NOT NULL,\n"
    "    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n);\n\n";

OfflineOptions in_one() {
  OfflineOptions options;
  options.transaction_per_migration = false;
  return options;
}

TEST(Offline, AnUpgradeFromNothingCreatesTheVersionTable) {
  EXPECT_EQ(offline(Direction::Upgrade, "aaa1"),
            "BEGIN;\n\n" + kVersionTable +
                "-- Running upgrade  -> aaa1\n\n"
                "CREATE TABLE users (id int PRIMARY KEY, login text);\n\n"
                "INSERT INTO alembic_version (version_num) VALUES ('aaa1');\n\nCOMMIT;\n\n");
  EXPECT_EQ(offline(Direction::Upgrade, "base:aaa1"), offline(Direction::Upgrade, "aaa1"));
}

const std::string kNoNullKeys =
    "DO $athanor$ BEGIN\n  IF EXISTS (SELECT FROM users WHERE id IS NULL) THEN\n    RAISE EXCEPTION USING MESSAGE = 'the table "
    "users has rows whose key id is NULL, and no batch would include them';\n  END IF;\nEND $athanor$;\n\n";

TEST(Offline, AutocommitAndBatchStepsLeaveTheTransaction) {
  EXPECT_EQ(offline(Direction::Upgrade, "aaa1:bbb2"),
            "BEGIN;\n\n-- Running upgrade aaa1 -> bbb2\n\nALTER TABLE users ADD COLUMN email text;\n\nCOMMIT;\n\n"
            "CREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n\nBEGIN;\n\n" +
                kNoNullKeys +
                "UPDATE users SET email = login WHERE email IS NULL AND true;\n\n"
                "UPDATE alembic_version SET version_num='bbb2' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) "
                "'aaa1';\n\nCOMMIT;\n\n");
}

TEST(Offline, BranchesAndMergesWriteTheirRowsInOneTransaction) {
  EXPECT_EQ(offline(Direction::Upgrade, "bbb2:eee5", in_one()),
            "BEGIN;\n\n-- Running upgrade bbb2 -> ddd4\n\nSELECT 1 -- one\n;\n\n"
            "UPDATE alembic_version SET version_num='ddd4' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) 'bbb2';\n\n"
            "-- Running upgrade bbb2 -> ccc3\n\nINSERT INTO alembic_version (version_num) VALUES ('ccc3');\n\n"
            "-- Running upgrade ccc3, ddd4 -> eee5\n\nDELETE FROM alembic_version WHERE alembic_version.version_num "
            "OPERATOR(pg_catalog.=) 'ccc3';\n\n"
            "UPDATE alembic_version SET version_num='eee5' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) "
            "'ddd4';\n\nCOMMIT;\n\n");
}

TEST(Offline, ADowngradeEndsWithAnEmptyVersionTable) {
  EXPECT_EQ(offline(Direction::Downgrade, "bbb2:base"),
            "BEGIN;\n\n-- Running downgrade bbb2 -> aaa1\n\nCOMMIT;\n\nDROP INDEX CONCURRENTLY users_email_idx;\n\nBEGIN;\n\n"
            "ALTER TABLE users DROP COLUMN email;\n\n"
            "UPDATE alembic_version SET version_num='aaa1' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) "
            "'bbb2';\n\nCOMMIT;\n\n"
            "BEGIN;\n\n-- Running downgrade aaa1 -> \n\nDROP TABLE users;\n\n"
            "DELETE FROM alembic_version WHERE alembic_version.version_num OPERATOR(pg_catalog.=) 'aaa1';\n\nCOMMIT;\n\n");
}

TEST(Offline, TheVersionTableMayHaveAnotherNameASchemaAndNoKey) {
  OfflineOptions options;
  options.version_table = "vt";
  options.version_table_schema = "My s";
  options.version_table_pk = false;
  EXPECT_EQ(
      offline(Direction::Stamp, "aaa1", options),
      "BEGIN;\n\nCREATE TABLE \"My s\".vt (\n    version_num VARCHAR(32) NOT NULL\n);\n\n-- Running stamp_revision  -> aaa1\n\n"
      "INSERT INTO \"My s\".vt (version_num) VALUES ('aaa1');\n\nCOMMIT;\n\n");
  EXPECT_EQ(offline(Direction::Stamp, "aaa1:base", options),
            "BEGIN;\n\n-- Running stamp_revision aaa1 -> \n\nDELETE FROM \"My s\".vt WHERE \"My s\".vt.version_num "
            "OPERATOR(pg_catalog.=) "
            "'aaa1';\n\nCOMMIT;\n\n");
}

TEST(Offline, AStampMovesTheRow) {
  EXPECT_EQ(offline(Direction::Stamp, "aaa1:eee5"),
            "BEGIN;\n\n-- Running stamp_revision aaa1 -> eee5\n\n"
            "UPDATE alembic_version SET version_num='eee5' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) "
            "'aaa1';\n\nCOMMIT;\n\n");
}

TEST(Offline, NothingToDoIsNothingOrAnEmptyTransaction) {
  for (const std::string range : {"aaa1:aaa1", "base:base"}) {
    EXPECT_EQ(offline(Direction::Upgrade, range), "") << range;
    EXPECT_EQ(offline(Direction::Upgrade, range, in_one()), "BEGIN;\n\nCOMMIT;\n\n") << range;
  }
  EXPECT_EQ(offline(Direction::Stamp, "aaa1:aaa1"), "");
}

const std::string kSettings =
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = 'on'; SET DateStyle = 'ISO, MDY';\n"
    "SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = '1'; SET bytea_output = 'hex';\n"
    "SET row_security = 'off'; SET synchronous_commit = 'on'; SET default_transaction_read_only = 'off';\n"
    "SET default_transaction_deferrable = 'off'; SET default_transaction_isolation = 'read committed';\n"
    "SET idle_in_transaction_session_timeout = '0'; SET client_min_messages = 'warning'; SET statement_timeout = 0;";
const std::string kReset =
    "-- Session: what the revision set ends here.\n"
    "SET CONSTRAINTS ALL IMMEDIATE; CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DEALLOCATE ALL;\n"
    "UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; DO 'BEGIN PERFORM pg_catalog.pg_advisory_unlock_all(); END';\n" +
    kSettings + "\n\n";

TEST(Offline, TheSessionIsThatOfARunAndIsResetBehindEachRevisionBeforeItsRow) {
  EXPECT_EQ(whole(Direction::Upgrade, "aaa1:bbb2"),
            "-- Session: as a run of athanor has it.\nRESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;\n" + kSettings +
                "\n\nBEGIN;\n\n-- Running upgrade aaa1 -> bbb2\n\nALTER TABLE users ADD COLUMN email text;\n\nCOMMIT;\n\n"
                "CREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n\nBEGIN;\n\n" +
                kNoNullKeys + "UPDATE users SET email = login WHERE email IS NULL AND true;\n\n" + kReset +
                "UPDATE alembic_version SET version_num='bbb2' WHERE alembic_version.version_num OPERATOR(pg_catalog.=) "
                "'aaa1';\n\nCOMMIT;\n\n");
}

TEST(Offline, RoleAndSearchPathAreThoseOfTheConfiguration) {
  OfflineOptions options;
  options.role = "shop owner";
  options.search_path = "\"$user\", App,\"My, s\" ";
  const std::string script = whole(Direction::Upgrade, "aaa1", options);
  const std::string set = "SET search_path = '$user', 'app', 'My, s'; SET ROLE 'shop owner';\n\n";
  const auto first = script.find(set);
  ASSERT_NE(first, std::string::npos) << script;
  EXPECT_LT(first, script.find("BEGIN;"));
  EXPECT_NE(script.find(set, script.find("RESET ROLE")), std::string::npos) << script;
}

TEST(Offline, ARevisionWithoutStatementsAndAStampLeaveTheSessionAlone) {
  EXPECT_EQ(whole(Direction::Stamp, "aaa1:eee5").find("RESET"), std::string::npos);
  EXPECT_EQ(whole(Direction::Upgrade, "bbb2:ccc3").find("RESET"), std::string::npos);
  EXPECT_TRUE(render_version_table({}).starts_with("-- Session: as a run of athanor has it.\nSET client_encoding"));
}

TEST(Offline, ADowngradeMustSayWhereItStarts) {
  const auto plan = small_history().offline(Direction::Downgrade, "base");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::InvalidTarget);
  EXPECT_EQ(plan.error().message, "downgrade --sql needs a start");
}

}  // namespace
}  // namespace athanor
