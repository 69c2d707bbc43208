// Folders and history tables of goose, dbmate, golang-migrate and Flyway.
#include "tests/unit/import/foreign_sketch.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kGooseUsers =
    "-- +goose Up\n-- the table of users\nCREATE TABLE users (id int);\n\n-- +goose StatementBegin\n"
    "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;\n-- +goose StatementEnd\n\n"
    "-- +goose Down\nDROP FUNCTION one();\nDROP TABLE users;\n";

TEST(Goose, BecomesOneLineInTheOrderOfTheNumbers) {
  const Adoption adoption = prepared(
      kGooseFormat, {{"10_orders.sql", "-- +goose Up\nCREATE TABLE orders (id int);\n"}, {"00002_users.sql", kGooseUsers}});
  ASSERT_EQ(adoption.files.size(), 2U);
  EXPECT_EQ(adoption.files[0].path, "/nonexistent/versions/00002_users.sql");
  EXPECT_EQ(adoption.files[0].text,
            "-- users\n--\n-- Revision: 00002\n-- Revises:\n-- Created:\n-- Labels:\n-- Depends-On:\n\n-- athanor:upgrade\n"
            "-- the table of users\nCREATE TABLE users (id int);\n"
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;\n\n-- athanor:downgrade\n"
            "DROP FUNCTION one();\nDROP TABLE users;\n");
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- Revises: 00002\n"));
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:irreversible 10_orders.sql has no \"+goose Down\" section"));
}

TEST(Goose, RunsAScriptWithoutATransactionStatementByStatement) {
  const Adoption adoption = prepared(
      kGooseFormat,
      {{"1_a.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP INDEX i;\n"}});
  ASSERT_EQ(adoption.files.size(), 1U);
  EXPECT_THAT(adoption.files[0].text,
              HasSubstr("-- athanor:upgrade\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON t (a);\n"));
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:downgrade\n-- athanor:step autocommit\nDROP INDEX i;\n"));
}

TEST(Goose, RefusesWhatItCannotRead) {
  const ForeignFolder folder = read_with(kGooseFormat, {{"1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT '${HOME}';\n"},
                                                        {"2_b.sql", "SELECT 1;\n"},
                                                        {"3_c.sql", "-- +goose Up\n-- +goose Sideways\n"},
                                                        {"003_d.sql", "-- +goose Up\n"}});
  EXPECT_THAT(refused(folder),
              ElementsAre("1_a.sql:1: ENVSUB substitutes environment variables into the SQL: write the values",
                          "2_b.sql:1: SQL above \"-- +goose Up\", which goose does not run",
                          "3_c.sql:2: \"+goose Sideways\" is not known", "003_d.sql:0: has the same version as 3_c.sql"));
}

TEST(Goose, NamesMigrationsInGoAndStopsThereWhenAskedTo) {
  const std::vector<ForeignFile> files{{"1_a.sql", "-- +goose Up\nSELECT 1;\n"}, {"2_b.go", "package x"}, {"2_b_test.go", ""}};
  const AdoptionRequest request{kGooseFormat, "/nonexistent", false};
  const auto refusal = prepare_adoption(request, read_with(kGooseFormat, files));
  ASSERT_TRUE(refusal);
  ASSERT_EQ(refusal->refused.size(), 1U);
  EXPECT_EQ(refusal->refused[0].file, "2_b.go");
  EXPECT_EQ(refusal->refused[0].reason, "written in Go");
  const Adoption partial = prepared(kGooseFormat, files, true);
  ASSERT_EQ(partial.files.size(), 2U);
  EXPECT_THAT(partial.files[1].text, HasSubstr("RAISE EXCEPTION '2_b.go of goose is written in Go"));
}

TEST(Goose, CountsTheNewestRowOfAVersion) {
  const ForeignFolder folder =
      read_with(kGooseFormat, {{"1_a.sql", "-- +goose Up\n"}, {"2_b.sql", "-- +goose Up\n"}, {"3_c.sql", "-- +goose Up\n"}});
  EXPECT_EQ(applied(kGooseFormat, folder, {{"0", "true"}}), "0");
  EXPECT_EQ(applied(kGooseFormat, folder, {{"0", "true"}, {"1", "true"}, {"2", "true"}}), "2");
  EXPECT_EQ(applied(kGooseFormat, folder, {{"1", "true"}, {"2", "true"}, {"2", "false"}}), "1");
  EXPECT_THAT(applied(kGooseFormat, folder, {{"1", "true"}, {"3", "true"}}),
              HasSubstr("not-up-to-date: goose applied 3_c.sql and not 2_b.sql"));
  EXPECT_THAT(applied(kGooseFormat, folder, {{"1", "true"}, {"9", "true"}}), HasSubstr("unknown-database-revision: "));
}

TEST(Dbmate, ReadsSectionsAndTheirTransactions) {
  const Adoption adoption = prepared(
      kDbmateFormat,
      {{"20240131120000_add_users.sql", "-- migrate:up\nCREATE TABLE users (id int);\n\n-- migrate:down\nDROP TABLE users;\n"},
       {"20240201000000_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON users (id);\n-- migrate:down transaction:false\n"}});
  ASSERT_EQ(adoption.files.size(), 2U);
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- add users\n--\n-- Revision: 20240131120000\n-- Revises:\n"
                                                "-- Created: 2024-01-31T12:00:00+00:00\n"));
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY"));
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:downgrade\n-- Nothing to do.\n"));
}

TEST(Dbmate, KeepsSeveralStatementsWithoutATransactionTogether) {
  // They are one message to the server, and the server makes one transaction of it.
  const Adoption adoption =
      prepared(kDbmateFormat, {{"1_a.sql", "-- migrate:up transaction:false\nSELECT 1;\nSELECT 2;\n-- migrate:down\n"}});
  ASSERT_EQ(adoption.files.size(), 1U);
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:upgrade\nSELECT 1;\nSELECT 2;\n"));
}

TEST(Dbmate, RefusesUnknownOptionsAndMissingSections) {
  const ForeignFolder folder =
      read_with(kDbmateFormat, {{"1_a.sql", "-- migrate:up fast:true\n"}, {"2_b.sql", "-- migrate:down\n"}, {"notes.sql", ""}});
  EXPECT_THAT(refused(folder),
              ElementsAre("1_a.sql:1: the option \"fast:true\" is not known", "2_b.sql:0: has no \"-- migrate:up\""));
  EXPECT_EQ(folder.left_out.size(), 1U);
}

TEST(Dbmate, WantsABeginningOfTheLine) {
  const ForeignFolder folder = read_with(
      kDbmateFormat, {{"1_a.sql", "-- migrate:up\n-- migrate:down\n"}, {"2_b.sql", "-- migrate:up\n-- migrate:down\n"}});
  EXPECT_EQ(applied(kDbmateFormat, folder, {{"1"}}), "1");
  EXPECT_THAT(applied(kDbmateFormat, folder, {{"2"}}), HasSubstr("dbmate applied 2_b.sql and not 1_a.sql"));
}

TEST(GolangMigrate, PairsUpAndDown) {
  const Adoption adoption =
      prepared(kGolangMigrateFormat, {{"000001_init.up.sql", "BEGIN;\n-- users\nCREATE TABLE users (id int);\nCOMMIT;\n"},
                                      {"000001_init.down.sql", "DROP TABLE users"},
                                      {"000002_index.up.sql", "CREATE INDEX CONCURRENTLY i ON users (id);\n"}});
  ASSERT_EQ(adoption.files.size(), 2U);
  EXPECT_EQ(adoption.files[0].text,
            "-- init\n--\n-- Revision: 000001\n-- Revises:\n-- Created:\n-- Labels:\n-- Depends-On:\n\n-- athanor:upgrade\n"
            "-- users\nCREATE TABLE users (id int);\n\n-- athanor:downgrade\nDROP TABLE users;\n");
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON users (id);\n"));
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:irreversible 000002_index.up.sql has no .down.sql beside it"));
}

TEST(GolangMigrate, CutsAScriptWhereItCommits) {
  const Adoption adoption =
      prepared(kGolangMigrateFormat,
               {{"1_a.up.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nEND;\n"}, {"1_a.down.sql", "ROLLBACK;\n"}});
  ASSERT_EQ(adoption.files.size(), 1U);
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:upgrade\nSELECT 1;\n\n-- athanor:step transaction\nSELECT 2;\n"));
  ASSERT_EQ(adoption.irreversible.size(), 1U);
  EXPECT_EQ(adoption.irreversible[0].file, "1_a.down.sql");
  EXPECT_EQ(adoption.irreversible[0].line, 1);
}

TEST(GolangMigrate, RefusesADirtyDatabaseWithTheWayOut) {
  const ForeignFolder folder = read_with(kGolangMigrateFormat, {{"1_a.up.sql", ""}, {"2_b.up.sql", ""}});
  EXPECT_EQ(applied(kGolangMigrateFormat, folder, {}), "0");
  EXPECT_EQ(applied(kGolangMigrateFormat, folder, {{"2", "false"}}), "2");
  EXPECT_THAT(applied(kGolangMigrateFormat, folder, {{"7", "false"}}), HasSubstr("no file has that version"));
  const auto dirty = kGolangMigrateFormat.read_history(folder, {{"2", "true"}});
  ASSERT_FALSE(dirty);
  EXPECT_EQ(dirty.error().code, ErrorCode::NotUpToDate);
  EXPECT_THAT(dirty.error().hint, HasSubstr("migrate force 2"));
}

TEST(Flyway, OrdersVersionsAsNumbersAndRepeatableScriptsBehindThem) {
  const ForeignFolder folder = read_with(kFlywayFormat, {{"R__views.sql", "SELECT 1;\n"},
                                                         {"V10__ten.sql", "SELECT 1;\n"},
                                                         {"V1_2__one_two.sql", "SELECT 1;\n"},
                                                         {"sub/V1.10__one_ten.sql", "SELECT 1;\n"},
                                                         {"U10__ten.sql", "SELECT 0;\n"}});
  EXPECT_THAT(versions(folder), ElementsAre("1.2", "1.10", "10", "R__views"));
  EXPECT_THAT(refused(folder), IsEmpty());
  EXPECT_EQ(folder.revisions[2].down.size(), 1U);
  EXPECT_EQ(folder.revisions[0].message, "one two");
}

TEST(Flyway, FillsPlaceholdersAndRefusesThoseWithoutAValue) {
  const std::vector<ForeignFile> files{{"V1__a.sql", "CREATE SCHEMA ${schema};\nSELECT '${schema}';\n"}};
  EXPECT_THAT(refused(read_with(kFlywayFormat, files)),
              ElementsAre(HasSubstr("V1__a.sql:1: the placeholder ${schema} has no value")));
  ForeignOptions options;
  options.placeholders["schema"] = "shop";
  const ForeignFolder folder = read_with(kFlywayFormat, files, options);
  ASSERT_EQ(folder.revisions.size(), 1U);
  EXPECT_EQ(folder.revisions[0].up[0].sql, "CREATE SCHEMA shop;\nSELECT 'shop';\n");
}

TEST(Flyway, NamesWhatIsNoSqlAndWhatHasNoPlace) {
  const ForeignFolder folder =
      read_with(kFlywayFormat, {{"V1__a.java", "class V1__a {}"},
                                {"App.java", "class App {}"},
                                {"afterMigrate.sql", "SELECT 1;"},
                                {"B2__base.sql", "SELECT 1;"},
                                {"V3__c.sql", "SELECT 1;"},
                                {"V3__c.sql.conf", "executeInTransaction=false\nshouldExecute=true\n"}});
  ASSERT_EQ(folder.revisions.size(), 2U);
  EXPECT_EQ(folder.revisions[0].unreadable, "written in Java or Kotlin");
  EXPECT_FALSE(folder.revisions[1].up[0].transaction);
  EXPECT_THAT(refused(folder), ElementsAre("V3__c.sql.conf:2: the setting \"shouldExecute\" is not known",
                                           HasSubstr("B2__base.sql:0: a baseline script")));
  ASSERT_EQ(folder.left_out.size(), 1U);
  EXPECT_EQ(folder.left_out[0].file, "afterMigrate.sql");
}

// Rows: version, description, type, script, checksum, success.
TEST(Flyway, ReadsItsHistoryWithBaselineUndoAndRepair) {
  const ForeignFolder folder =
      read_with(kFlywayFormat, {{"V1__a.sql", "SELECT 1;\n"}, {"V2__b.sql", "SELECT 2;\n"}, {"V3__c.sql", "SELECT 3;\n"}});
  const auto row = [](const char* version, const char* type, const char* success, const char* checksum = nullptr) {
    return std::vector<std::optional<std::string>>{
        version, "x", type, "x", checksum == nullptr ? std::optional<std::string>() : std::optional<std::string>(checksum),
        success};
  };
  EXPECT_EQ(applied(kFlywayFormat, folder, {row("2.0", "BASELINE", "true")}), "2");
  EXPECT_EQ(applied(kFlywayFormat, folder, {row("1", "SQL", "true"), row("2", "SQL", "true"), row("2", "UNDO_SQL", "true")}),
            "1");
  EXPECT_EQ(applied(kFlywayFormat, folder, {row("2", "SQL", "true"), row("1", "SQL", "true")}), "2");
  EXPECT_THAT(applied(kFlywayFormat, folder, {row("1", "SQL", "true"), row("2", "SQL", "false")}),
              HasSubstr("Flyway stopped in the middle of version 2"));
  EXPECT_EQ(applied(kFlywayFormat, folder, {row("1", "SQL", "true"), row("2", "SQL", "false"), row("2", "DELETE", "true")}),
            "1");
  EXPECT_THAT(applied(kFlywayFormat, folder, {row("1", "SQL", "true", "12345")}),
              HasSubstr("checksum-mismatch: V1__a.sql differs from the file that Flyway applied"));
  EXPECT_THAT(applied(kFlywayFormat, folder, {row("1", "SQL", "true"), row("3", "SQL", "true")}),
              HasSubstr("Flyway applied V3__c.sql and not V2__b.sql"));
}

}  // namespace
}  // namespace athanor::test
