// Folders and history tables of Liquibase, Rails, Atlas and Prisma.
#include "tests/unit/import/foreign_sketch.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kChangelog =
    "--liquibase formatted sql\n\n"
    "--changeset ann:1\n--comment: the table of users\nCREATE TABLE users (id int);\n--rollback DROP TABLE users;\n\n"
    "-- changeset bob smith:add-index runInTransaction:false\nCREATE INDEX CONCURRENTLY i ON users (id);\n"
    "/* liquibase rollback\nDROP INDEX i;\n*/\n"
    "--changeset ann:mysql dbms:mysql\nCREATE TABLE m (id int) ENGINE=InnoDB;\n"
    "--changeset ann:fn splitStatements:false endDelimiter:/\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'\n/\n";

TEST(Liquibase, TakesChangesetsApart) {
  const Adoption adoption = prepared(kLiquibaseFormat, {{"changelog.sql", kChangelog}});
  ASSERT_EQ(adoption.files.size(), 3U);
  EXPECT_EQ(adoption.files[0].path, "/nonexistent/versions/1_the_table_of_users.sql");
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:upgrade\nCREATE TABLE users (id int);\n"));
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:downgrade\nDROP TABLE users;\n"));
  EXPECT_EQ(adoption.files[1].version, "bob smith:add-index");
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON users (id);\n"));
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:downgrade\nDROP INDEX i;\n"));
  EXPECT_THAT(adoption.files[2].text, HasSubstr("AS 'SELECT 1'\n;\n"));
  ASSERT_EQ(adoption.folder.left_out.size(), 1U);
  EXPECT_THAT(adoption.folder.left_out[0].reason, HasSubstr("ann:mysql is not for PostgreSQL"));
}

TEST(Liquibase, RefusesWhatARevisionDoesNotHave) {
  const ForeignFolder folder = read_with(
      kLiquibaseFormat,
      {{"a.sql", "--liquibase formatted sql\n--changeset a:1 runAlways:true\n--preconditions onFail:HALT\nSELECT 1;\n"},
       {"b.xml", "<databaseChangeLog><changeSet id='1'/></databaseChangeLog>"},
       {"master.xml", "<databaseChangeLog><includeAll path='x'/></databaseChangeLog>"},
       {"plain.sql", "SELECT 1;\n"}});
  EXPECT_THAT(refused(folder), ElementsAre(HasSubstr("a.sql:2: runAlways:true has no counterpart"),
                                           HasSubstr("a.sql:3: a precondition"), HasSubstr("b.xml:0: has changesets")));
  EXPECT_EQ(folder.left_out.size(), 2U);
}

TEST(Liquibase, FindsChangesetsInItsTableByAuthorIdAndFile) {
  const std::string one = "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n";
  const ForeignFolder folder = read_with(kLiquibaseFormat, {{"a.sql", one}, {"b.sql", one}});
  EXPECT_THAT(refused(folder), IsEmpty());
  EXPECT_EQ(applied(kLiquibaseFormat, folder, {{"1", "a", "db/a.sql", "EXECUTED"}}), "1");
  EXPECT_EQ(applied(kLiquibaseFormat, folder, {{"1", "a", "db/a.sql", "EXECUTED"}, {"1", "a", "db/b.sql", "RERAN"}}), "2");
  EXPECT_THAT(applied(kLiquibaseFormat, folder, {{"1", "a", "db/b.sql", "EXECUTED"}}), HasSubstr("and not a:1 of a.sql"));
  EXPECT_THAT(applied(kLiquibaseFormat, folder, {{"2", "z", "db/c.sql", "EXECUTED"}}), HasSubstr("no file has that version"));
}

TEST(Liquibase, RefusesAnOrderThatTheNamesOfTheFilesDoNotTell) {
  const std::string head = "--liquibase formatted sql\n--changeset a:";
  const ForeignFolder folder =
      read_with(kLiquibaseFormat, {{"a.sql", head + "1\nSELECT 1;\n"}, {"b.sql", head + "2\nSELECT 2;\n"}});
  EXPECT_THAT(applied(kLiquibaseFormat, folder, {{"2", "a", "b.sql", "EXECUTED"}, {"1", "a", "a.sql", "EXECUTED"}}),
              HasSubstr("Liquibase applied a:2 of b.sql before a:1 of a.sql"));
  EXPECT_EQ(applied(kLiquibaseFormat, folder, {{"2", "a", "b.sql", "EXECUTED"}, {"1", "a", "a.sql", "RERAN"}}), "2");
  EXPECT_THAT(folder.warnings, ElementsAre(HasSubstr("MD5SUM is not compared")));
}

const std::string kStructure =
    "\\restrict abc\n\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
    "CREATE TABLE public.users (id bigint NOT NULL);\nCREATE TABLE public.schema_migrations (version character varying NOT "
    "NULL);\n"
    "\\unrestrict abc\nSET search_path TO \"$user\", public;\n\n"
    "INSERT INTO \"schema_migrations\" (version) VALUES\n('20240201000000'),\n('20240101000000');\n";

TEST(Rails, MakesABaselineOfTheStructure) {
  const Adoption adoption = prepared(kRailsFormat, {{"structure.sql", kStructure}, {"migrate/20240101000000_a.rb", "class A"}});
  ASSERT_EQ(adoption.files.size(), 1U);
  EXPECT_EQ(adoption.files[0].revision, "20240201000000");
  EXPECT_THAT(adoption.files[0].text, HasSubstr("CREATE TABLE public.users (id bigint NOT NULL);"));
  EXPECT_THAT(adoption.files[0].text, Not(HasSubstr("restrict")));
  EXPECT_THAT(adoption.files[0].text, HasSubstr("INSERT INTO \"schema_migrations\""));
  ASSERT_EQ(adoption.folder.left_out.size(), 1U);
  EXPECT_EQ(adoption.folder.left_out[0].file, "migrate/20240101000000_a.rb");
}

TEST(Rails, WantsDatabaseStructureAndMigrationsToAgree) {
  const ForeignFolder folder = read_with(kRailsFormat, {{"structure.sql", kStructure}});
  EXPECT_EQ(applied(kRailsFormat, folder, {{"20240101000000"}, {"20240201000000"}}), "1");
  EXPECT_EQ(applied(kRailsFormat, folder, {}), "0");
  EXPECT_THAT(applied(kRailsFormat, folder, {{"20240101000000"}}), HasSubstr("which Rails has not applied"));
  EXPECT_THAT(applied(kRailsFormat, folder, {{"20250101000000"}}), HasSubstr("structure.sql does not list it"));
  EXPECT_THAT(refused(read_with(kRailsFormat, {{"structure.sql", kStructure}, {"migrate/20260101000000_b.rb", ""}})),
              ElementsAre(HasSubstr("20260101000000_b.rb:0: structure.sql does not have it")));
  EXPECT_THAT(refused(read_with(kRailsFormat, {{"schema.rb", ""}})), ElementsAre(HasSubstr("schema.rb:0: is Ruby")));
}

const std::string kFirstSum = "vnjepTRgNyxUIqLQW5AERyOdkApBX8Oww4FcIJoejAs=";
const std::string kSecondSum = "7PxEwgz4cRKRQNQR8TUImzkYDKclRgLVUgKZk+kmPIw=";

std::vector<ForeignFile> atlas_files(const std::string& first = "CREATE TABLE a (id int);\n") {
  return {{"20240101000000_a.sql", first},
          {"20240102000000_b.sql", "-- atlas:txmode none\n\nCREATE INDEX CONCURRENTLY i ON a (id);\n"},
          {"atlas.sum", "h1:whole=\n20240101000000_a.sql h1:" + kFirstSum + "\n20240102000000_b.sql h1:" + kSecondSum + "\n"}};
}

TEST(Atlas, ReadsWhatAtlasSumVouchesFor) {
  const Adoption adoption = prepared(kAtlasFormat, atlas_files());
  ASSERT_EQ(adoption.files.size(), 2U);
  EXPECT_THAT(adoption.files[1].text, HasSubstr("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON a (id);\n"));
}

// Rows: version, type, applied, total, error, hash.
TEST(Atlas, ReadsItsHistoryWithBaselinesAndFailures) {
  const ForeignFolder folder = read_with(kAtlasFormat, atlas_files());
  const std::string first = "20240101000000";
  const std::string second = "20240102000000";
  EXPECT_EQ(applied(kAtlasFormat, folder,
                    {{".atlas_cloud_identifier", "2", "0", "1", "", ""}, {first, "2", "1", "1", "", kFirstSum}}),
            "1");
  EXPECT_EQ(applied(kAtlasFormat, folder, {{second, "1", "0", "0", "", ""}}), "2");
  EXPECT_THAT(applied(kAtlasFormat, folder, {{first, "2", "1", "2", "", kFirstSum}}), HasSubstr("stopped in the middle of"));
  EXPECT_THAT(applied(kAtlasFormat, folder, {{first, "2", "1", "1", "", kSecondSum}}), HasSubstr("checksum-mismatch"));
}

TEST(Atlas, RefusesAFolderThatAtlasSumDoesNotVouchFor) {
  const ForeignFolder folder = read_with(kAtlasFormat, atlas_files("CREATE TABLE a (id bigint);\n"));
  EXPECT_THAT(refused(folder), ElementsAre(HasSubstr("20240101000000_a.sql:0: does not match atlas.sum"),
                                           HasSubstr("20240102000000_b.sql:0: does not match atlas.sum")));
}

TEST(Prisma, ReadsAFolderForEachMigration) {
  const Adoption adoption =
      prepared(kPrismaFormat, {{"20240101000000_init/migration.sql", "-- CreateTable\nCREATE TABLE \"User\" ();\n"},
                               {"migration_lock.toml", "provider = \"postgresql\"\n"}});
  ASSERT_EQ(adoption.files.size(), 1U);
  EXPECT_EQ(adoption.files[0].path, "/nonexistent/versions/20240101000000_init.sql");
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- CreateTable\nCREATE TABLE \"User\" ();\n"));
  EXPECT_THAT(adoption.files[0].text, HasSubstr("-- athanor:irreversible Prisma has no way back"));
}

TEST(Prisma, RefusesFailedAndChangedMigrations) {
  const ForeignFolder folder = read_with(kPrismaFormat, {{"1_a/migration.sql", "SELECT 1;\n"}});
  const std::string sum = folder.revisions[0].checksum;
  EXPECT_EQ(applied(kPrismaFormat, folder, {{"1_a", sum, "2024-01-01", std::nullopt}}), "1");
  EXPECT_EQ(applied(kPrismaFormat, folder, {{"1_a", sum, std::nullopt, "2024-01-01"}}), "0");
  EXPECT_THAT(applied(kPrismaFormat, folder, {{"1_a", sum, std::nullopt, std::nullopt}}),
              HasSubstr("Prisma stopped in the middle of version 1_a"));
  EXPECT_THAT(applied(kPrismaFormat, folder, {{"1_a", "other", "2024-01-01", std::nullopt}}), HasSubstr("checksum-mismatch"));
}

}  // namespace
}  // namespace athanor::test
