// Comments that could be meant as directives, and prose that only sounds like one.
#include <gtest/gtest.h>

#include "migrations/plan/directive_lookalike.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"

namespace athanor {
namespace {

const std::string kHeader = "-- Add email\n--\n-- Revision: ab12\n-- Revises:\n\n";  // five lines

Result<RevisionScript> parse(const std::string& text) {
  Revision revision;
  revision.id = "ab12";
  revision.path = "versions/ab12.sql";
  return parse_script(revision, text);
}

std::string error_of(const std::string& body) {
  const auto script = parse(kHeader + body);
  if (script) {
    return "accepted";
  }
  EXPECT_EQ(script.error().code, ErrorCode::MalformedRevision) << body;
  EXPECT_NE(script.error().hint, "") << body;
  return script.error().describe();
}

std::string between(const std::string& comment) {
  return "-- athanor:upgrade\nCREATE TABLE t (a int);\n" + comment + "\nDROP TABLE t;\n";
}

const std::vector<std::string>& markers() {
  static const std::vector<std::string> all{
      // ours, misspelt
      "-- athanor downgrade", "--athanor downgrade", "--athanor:downgrade", "-- atahnor:downgrade", "-- athaonr downgrade",
      "-- athanor: downgrade", "-- athanor :downgrade", "-- ATHANOR:DOWNGRADE", "-- Athanor Downgrade", "-- athanor-downgrade",
      "-- athanor.downgrade", "-- athanor=downgrade", "-- athanor_downgrade", "-- athanor/downgrade", "-- athanor::downgrade",
      "-- athanor;downgrade", "-- athanor -> downgrade", "-- @athanor downgrade", "-- [athanor:downgrade]",
      "-- <athanor:downgrade>", "-- \"athanor:downgrade\"", "-- athanordowngrade", "-- athanorDowngrade",
      "--- athanor:downgrade", "-- -- athanor:downgrade", "--\tathanor:downgrade", "-- # athanor:downgrade",
      "-- athanor:", "-- athanor down", "-- athanor:Down", "-- athanor downgrad", "-- athanor step autocommit",
      "-- athanor irreversible the rows are gone", "-- athenor:upgrade", "-- ahtanor:step batch table=t key=id",
      "--athanor:note prose", "-- athanor note: prose", "/* athanor:downgrade */", "/*athanor:downgrade*/",
      "/*\n * athanor downgrade\n */", "/*\n-- athanor:downgrade\n*/", "/* -- athanor:downgrade */",
      "/*** athanor: downgrade ***/",
      // in characters that look like others
      "-- athanor\xEF\xBC\x9A"
      "downgrade",
      "--\xC2\xA0"
      "athanor:downgrade",
      "\xE2\x80\x93 athanor:downgrade", "\xE2\x80\x94\xE2\x80\x94 athanor:downgrade",
      "\xE2\x80\x94"
      "athanor:downgrade",
      "\xC2\xA0-- athanor:downgrade", "\xEF\xBB\xBF-- athanor:downgrade", "-- atha\xE2\x80\x8Bnor:downgrade",
      "-- \xE2\x80\x8B"
      "athanor:downgrade",
      "-- \xD0\xB0thanor:downgrade", "-- ath\xC3\xA1nor downgrade", "-- down\xE2\x80\x8Bgrade",
      "-- \xEF\xBC\xA4\xEF\xBC\xAF\xEF\xBC\xB7\xEF\xBC\xAE", "-- prose\xE2\x80\xA8-- athanor:downgrade",
      "-- prose\f-- athanor:downgrade", "-- prose\r-- athanor downgrade",
      "-- +goose\xC2\xA0"
      "Down",
      "-- \xE2\xAC\x87 DOWN",
      // other tools
      "-- +goose Down", "--+goose Down", "-- + goose Down", "-- +GOOSE DOWN", "-- goose down", "-- goose: Down",
      "-- +goose StatementBegin", "-- +goose StatementEnd", "-- +goose NO TRANSACTION", "-- +goose ENVSUB ON",
      "/* +goose Down */", "-- +migrate Down", "-- +migrate Up notransaction", "-- +migrate StatementBegin", "-- +micrate Down",
      "-- migrate:down", "--migrate:down", "-- migrate: down", "-- migrate:up transaction:false", "-- migrate-down",
      "-- migrate down", "-- dbmate down", "-- rambler down", "-- rambler up", "-- sqlx down", "-- sqlx:no-transaction",
      "--bun:split", "-- atlas:txmode none", "--DOWN", "--@DOWN", "-- @UNDO", "--//@UNDO", "-- //@UNDO", "-- // @UNDO", "@UNDO",
      "//@UNDO", "-- @down drops the table", "-- !Downs", "# --- !Downs", "# --- !Ups", "#--- !Downs",
      "---- create above / drop below ----", "-- create above / drop below", "-- Down Migration", "-- Up Migration",
      "-- down migration (drops the table)", "--liquibase formatted sql", "-- liquibase formatted sql", "--changeset ann:1",
      "-- changeset ann:1 runOnChange:true", "--rollback DROP TABLE t;", "-- rollback drop table t", "--rollback not required",
      "--rollback empty", "--preconditions onFail:HALT", "-- Revert shop:users from pg", "--> statement-breakpoint",
      "-- no transaction", "-- NO-TRANSACTION", "-- disable-transaction",
      // nobody's, but a section's name all the same
      "-- down", "-- DOWN", "-- Down:", "-- up", "-- UP!", "-- downgrade", "-- Downgrade:", "-- downgrde", "-- upgrade",
      "-- undo", "-- revert", "-- rollback", "-- Roll back", "-- *** DOWN ***", "-- ===== down =====", "-- [down]",
      "-- (rollback)", "-- down: drops the table", "-- Downgrade - drops the table", "-- DOWN -- drops the table",
      "-- rollback script", "-- Rollback section below", "-- start of downgrade", "-- begin rollback", "-- migration:down",
      "-- db:rollback", "-- downgrade section", "-- undo: drops the table", "-- irreversible", "-- step autocommit",
      "-- step batch table=t key=id", "-- Rollback: DROP TABLE t;", "-- ROLLBACK;", "/* down */", "/*\n * DOWN\n */",
      "-- autocommit", "-- backward", "-- reverse migration",
      // in sentences and in the words of other languages
      "-- def downgrade():", "-- def upgrade() -> None:", "-- async def downgrade()", "-- public function down()",
      "-- func Down(tx *sql.Tx)", "-- fn down", "-- exports.down = function(db) {",
      "-- protected override void Down(MigrationBuilder b)",
      "-- In case of rollback:", "-- Downgrade path:", "-- async down(queryRunner)",
      "-- to roll back:", "-- To undo:", "-- To undo", "-- How to roll back:", "-- Here starts the downgrade",
      "-- the downgrade", "-- The rollback follows", "-- Now the downgrade", "-- this is the downgrade",
      "-- downgrade starts here", "-- From here on: down", "/* to undo: */",
      "-- to revert this migration:", "-- transaction:false", "-- transaction: false", "-- transaction=false",
      "-- Transaction = off", "-- notransaction: true", "-- executeInTransaction=false", "-- use_transaction: false",
      "-- atomic = False", "-- athanor: dwongrade", "-- athanor : step", "-- athanor: steps", "-- revert: #123",
      "-- Down (#12): drops the table",
      // a letter too many, numbers, spaced and styled letters
      "-- athanore:downgrade", "-- athanorr:downgrade", "-- athanors:downgrade", "-- athanoor:downgrade", "-- 1. down",
      "-- 2) Down", "-- I. Down", "-- II) Rollback", "-- Part 2: Rollback", "-- step 2: down", "-- Section 2: down",
      "-- name: down", "-- Revert users from pg", "-- Deploy users to pg", "-- disable_ddl_transaction!", "-- tear down",
      "-- teardown", "-- D O W N", "-- \xE1\xB4\x85\xE1\xB4\x8F\xE1\xB4\xA1\xC9\xB4",
      "-- \xF0\x9D\x90\x83\xF0\x9D\x90\xA8\xF0\x9D\x90\xB0\xF0\x9D\x90\xA7",
      "-- \xE2\x92\xB9\xE2\x93\x9E\xE2\x93\xA6\xE2\x93\x9D",
      "-- down\xC2\xAD"
      "grade",
      "-- down\xE3\x85\xA4"
      "grade"};
  return all;
}

const std::vector<std::string>& prose() {
  static const std::vector<std::string> all{"-- rollback plan: call the DBA",
                                            "-- we go down this path",
                                            "-- roll back by hand if this fails",
                                            "-- no rollback",
                                            "-- No downgrade.",
                                            "-- there is no way back",
                                            "-- upgrade users to the new plan",
                                            "-- downgrade the role afterwards",
                                            "-- up to here nothing is locked",
                                            "-- down from 12 columns to 3",
                                            "-- undo the change of ab12",
                                            "-- revert 8c1f: the index was wrong",
                                            "-- revert \"Add email\"",
                                            "-- up-to-date counters",
                                            "-- down-time is a second",
                                            "-- undo's log",
                                            "-- up/down counters",
                                            "-- see the Athanor docs",
                                            "-- Athanor keeps the version row itself",
                                            "-- athanor is a furnace: keep it hot",
                                            "-- run athanor upgrade head afterwards",
                                            "-- goose is what we used before",
                                            "-- goose down feathers",
                                            "-- migrate users to accounts",
                                            "-- migrate: users first, then orders",
                                            "-- migration of users",
                                            "-- Migrate up to 10 rows at a time",
                                            "-- step 1: create the table",
                                            "-- step by step",
                                            "-- begin with the parents",
                                            "-- end of the list",
                                            "-- the section athanor:downgrade follows",
                                            "-- what runs under -- athanor:downgrade is below",
                                            "-- rollback is safe: the column is new",
                                            "-- rollback drop of the index first",
                                            "-- author: ann",
                                            "-- another: index",
                                            "-- flyway ran this in 2019",
                                            "-- liquibase changeset 12 did this",
                                            "-- Name: users; Type: TABLE; Schema: public",
                                            "-- sqlfluff:off",
                                            "-- squawk-ignore ban-drop-table",
                                            "-- irreversible in practice, the rows are gone",
                                            "-- transaction per row",
                                            "-- autocommit is off here",
                                            "-- a statement begins here",
                                            "-- +1 for an index on email",
                                            "-- + added column",
                                            "-- @see ADR 12",
                                            "-- #42",
                                            "-- TODO: undo this in March",
                                            "-- forward the id to the trigger",
                                            "-- redo logs are large",
                                            "-- CREATE TABLE down (i int);",
                                            "-- DROP TABLE up;",
                                            "--",
                                            "------------",
                                            "-- \xE2\x80\x94\xE2\x80\x94",
                                            "/* a block\n   of prose about going down\n   and coming up again */",
                                            "/**/",
                                            "-- Alembic: upgrade 1a2b -> 3c4d",
                                            "-- Running upgrade 1a2b -> 3c4d",
                                            "-- Nothing to do.",
                                            "-- Revert #123",
                                            "-- revert (#123)",
                                            "-- Revert #123: the index was wrong",
                                            "-- Athanor: the tool",
                                            "-- athanor: a furnace that keeps its heat",
                                            "-- Athanor : keeper of the fire",
                                            "-- to undo the change, call the DBA",
                                            "-- to roll back by hand: see the runbook",
                                            "-- the upgrade of users takes a minute",
                                            "-- here we go down from 12 columns to 3",
                                            "-- is it safe to revert? ask ann",
                                            "-- how to undo a mistake is in the wiki",
                                            "-- now() is the start of the transaction",
                                            "-- transaction: one per row",
                                            "-- the flag is false: transaction is on",
                                            "-- from here on the table is empty",
                                            "-- this function is called by the trigger",
                                            "-- for the transaction to end",
                                            "-- in case of trouble call ann",
                                            "-- listed in reverse order",
                                            "-- in case of rollback call ann",
                                            "-- 1. create the table",
                                            "-- 2) step down the replicas first",
                                            "-- part 2: the index",
                                            "-- v. 2 of the table",
                                            "-- tear down the old partitions",
                                            "-- revert users from the last import",
                                            "-- a b c",
                                            "-- the athanors of Prague"};
  return all;
}

TEST(DirectiveLookalike, WhatCouldBeADirectiveIsAnErrorWithItsLineAndTheRightForm) {
  for (const auto& marker : markers()) {
    const std::string error = error_of(between(marker));
    EXPECT_TRUE(error.starts_with("versions/ab12.sql:")) << marker << "\n" << error;
  }
  EXPECT_EQ(error_of(between("-- +goose Down")),
            "versions/ab12.sql:8: \"-- +goose Down\" looks like a directive but is only a comment");
  EXPECT_EQ(parse(kHeader + between("-- +goose Down")).error().hint,
            "write '-- athanor:downgrade' on a line of its own where the downgrade begins; begin an ordinary comment with '-- "
            "athanor:note'");
}

TEST(DirectiveLookalike, TheHintNamesTheDirectiveThatWasMeant) {
  const auto hint = [](const std::string& comment) { return parse(kHeader + between(comment)).error().hint; };
  for (const std::string comment : {"-- athanor downgrade", "--@UNDO", "-- migrate:down", "-- Rollback:", "-- downgrde"}) {
    EXPECT_TRUE(hint(comment).starts_with("write '-- athanor:downgrade' on a line of its own")) << comment << hint(comment);
  }
  EXPECT_TRUE(hint("-- +goose Up").starts_with("write '-- athanor:upgrade'")) << hint("-- +goose Up");
  EXPECT_TRUE(hint("-- +goose StatementBegin").starts_with("remove it: Athanor finds the end of a statement"));
  EXPECT_TRUE(hint("-- +goose NO TRANSACTION").starts_with("write '-- athanor:step autocommit'"));
  EXPECT_TRUE(hint("-- athanor step batch").starts_with("write '-- athanor:step transaction'"));
  EXPECT_TRUE(hint("-- athanor irreversible x").starts_with("write '-- athanor:irreversible'"));
}

TEST(DirectiveLookalike, ProseIsNoDirective) {
  for (const auto& comment : prose()) {
    EXPECT_EQ(error_of(between(comment)), "accepted") << comment;
  }
}

TEST(DirectiveLookalike, ANoteIsProseEverywhere) {
  for (const auto& marker : markers()) {
    if (marker.starts_with("--") && marker.find_first_of("\r\n") == std::string::npos) {
      EXPECT_EQ(error_of(between("-- athanor:note " + marker)), "accepted") << marker;
    }
  }
  EXPECT_EQ(error_of(between("/* athanor:note\n   +goose Down\n   down */")), "accepted");
  EXPECT_EQ(error_of(between("-- athanor:note")), "accepted");
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 1; -- athanor:note down\n  -- athanor:note up\n"), "accepted");
  EXPECT_EQ(error_of("-- athanor:upgrade\nSELECT 1\n-- athanor:note down\n, 2;"), "accepted");
  const auto script = parse("-- Add email\n-- athanor:note +goose Down\n-- Revision: ab12\n-- athanor:note down\n\n" +
                            between("-- athanor:note down"));
  ASSERT_TRUE(script) << script.error().describe();
  EXPECT_EQ(script->upgrade.at(0).statements.size(), 2U);
  EXPECT_FALSE(script->has_downgrade);
}

TEST(DirectiveLookalike, ACommentInsideAStatementIsProse) {
  for (const std::string marker : {"-- +goose Down\n", "-- down\n", "-- rollback\n", "/* migrate:down */", "--@UNDO\n"}) {
    const std::string section = "-- athanor:upgrade\n";
    EXPECT_EQ(error_of(section + "CREATE TABLE t (\n" + marker + "a int);"), "accepted") << marker;
    EXPECT_EQ(error_of(section + "CREATE TABLE t\n" + marker + "(a int);"), "accepted") << marker;
    EXPECT_EQ(error_of(section + "DO $$\n" + marker + "BEGIN END $$;"), "accepted") << marker;
    EXPECT_EQ(error_of(section + "SELECT '\n" + marker + "', \"\n" + marker + "\";"), "accepted") << marker;
    EXPECT_EQ(error_of(section + "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC\nSELECT 1;\n" + marker + "SELECT 2; END;"),
              "accepted")
        << marker;
  }
  for (const std::string own : {"-- athanor downgrade\n", "-- athanor:downgrade\n", "-- athanor:nonsense\n"}) {
    EXPECT_EQ(error_of("-- athanor:upgrade\nCREATE TABLE t (\n" + own + "a int);"), "accepted") << own;
    EXPECT_EQ(error_of("-- athanor:upgrade\nCREATE PROCEDURE p() BEGIN ATOMIC SELECT 1;\n" + own + "SELECT 2; END;"),
              "accepted")
        << own;
  }
}

// There a directive ends a statement without its semicolon, and so would a misspelt one.
TEST(DirectiveLookalike, OursIsAlsoRefusedBehindAStatementWithoutItsSemicolon) {
  EXPECT_EQ(error_of("-- athanor:upgrade\nCREATE TABLE t (a int)\n-- athanor downgrade\nDROP TABLE t"),
            "versions/ab12.sql:8: this comment looks like a directive but is not valid as one");
}

TEST(DirectiveLookalike, IsFoundAboveTheFirstSectionAndAfterTheLastStatement) {
  EXPECT_NE(error_of("-- +goose Up\n-- athanor:upgrade\nSELECT 1;"), "accepted");
  EXPECT_NE(error_of("-- athanor:upgrade\nSELECT 1;\n-- down"), "accepted");
  EXPECT_NE(error_of("-- athanor:upgrade\nSELECT 1; -- +goose Down\n"), "accepted");
  EXPECT_NE(error_of("-- athanor:upgrade\n-- migrate:up\n"), "accepted");
  EXPECT_NE(error_of("-- athanor:irreversible why\n-- down\n"), "accepted");
}

TEST(DirectiveLookalike, AHeaderMayDescribeRollbacksButHoldsNoMarkerOfATool) {
  const auto headed = [](const std::string& lines) {
    return parse("-- " + lines + "\n--\n-- Revision: ab12\n\n-- athanor:upgrade\nSELECT 1;");
  };
  for (const std::string lines :
       {"Rollback", "Down", "athanor upgrade", "Undo ab12\n-- rollback\n-- down", "x\n-- athanor downgrade"}) {
    EXPECT_TRUE(headed(lines)) << lines;
  }
  for (const std::string lines : {"x\n-- +goose Up", "x\n-- migrate:up", "x\n--//@UNDO", "x\n-- athanor :upgrade"}) {
    EXPECT_FALSE(headed(lines)) << lines;
  }
}

TEST(DirectiveLookalike, MarkingProseMakesAnyTextAcceptable) {
  for (const auto& marker : markers()) {
    if (!marker.starts_with("--") && !marker.starts_with("/*")) {
      continue;  // no comment: the server refuses it
    }
    const std::string text = marker + "\nSELECT 1;\n" + marker + "\n";
    EXPECT_EQ(error_of("-- athanor:upgrade\n" + with_notes(text)), "accepted") << with_notes(text);
  }
  EXPECT_EQ(with_notes("--  rollback\nSELECT 1; /* down */ -- of course\n-- athanor:upgrade"),
            "-- athanor:note rollback\nSELECT 1; /* athanor:note down */ -- of course\n-- athanor:note athanor:upgrade");
  EXPECT_EQ(with_notes("SELECT '-- down' -- down"), "SELECT '-- down' -- down");
}

}  // namespace
}  // namespace athanor
