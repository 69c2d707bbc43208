// What earlier revisions and the database tell, and where lint is silent because of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

bool flags(const std::vector<std::string>& earlier, const std::string& body, std::string_view rule, int postgres = 14) {
  LintContext context;
  context.postgres = postgres;
  return test::has_rule(test::lint_after(earlier, body, context), rule);
}

TEST(History, TellsWhichTypeChangesAreFree) {
  struct Change {
    const char* from;
    const char* to;
    bool free;
  };
  for (const auto& [from, to, free] : {Change{"varchar(20)", "varchar(50)", true},
                                       Change{"varchar(20)", "varchar", true},
                                       Change{"varchar(20)", "text", true},
                                       Change{"text", "varchar", true},
                                       Change{"varchar(50)", "varchar(20)", false},
                                       Change{"text", "varchar(20)", false},
                                       Change{"numeric(10,2)", "numeric(12,2)", true},
                                       Change{"numeric(10,2)", "numeric", true},
                                       Change{"numeric(10,2)", "numeric(12,4)", false},
                                       Change{"numeric", "numeric(12,2)", false},
                                       Change{"varbit(4)", "varbit(8)", true},
                                       Change{"bit(4)", "bit(8)", false},
                                       Change{"timestamp(3)", "timestamp(6)", true},
                                       Change{"timestamptz(3)", "timestamptz", true},
                                       Change{"timestamp", "timestamp(6)", true},
                                       Change{"time", "time(6)", true},
                                       Change{"timestamp", "timestamp(5)", false},
                                       Change{"interval(3)", "interval", true},
                                       Change{"interval", "interval(6)", true},
                                       Change{"interval(3)", "interval(5)", true},
                                       Change{"interval", "interval(3)", false},
                                       Change{"interval", "interval day to hour", false},
                                       Change{"bit(4)", "varbit", true},
                                       Change{"bit(4)", "varbit(4)", false},
                                       Change{"timestamp(6)", "timestamp(3)", false},
                                       Change{"cidr", "inet", true},
                                       Change{"inet", "cidr", false},
                                       Change{"xml", "text", true},
                                       Change{"int", "bigint", false},
                                       Change{"int", "text", false},
                                       Change{"char(3)", "text", false},
                                       Change{"serial", "bigint", false},
                                       Change{"text", "text", true},
                                       Change{"text[]", "varchar[]", false},
                                       Change{"json", "jsonb", false}}) {
    const std::string table = std::string("CREATE TABLE t (c ") + from + ");";
    const std::string change = std::string("ALTER TABLE t ALTER COLUMN c TYPE ") + to + ";";
    EXPECT_EQ(flags({table}, change, "type-change"), !free) << from << " -> " << to;
  }
  EXPECT_TRUE(flags({}, "ALTER TABLE t ALTER COLUMN c TYPE text;", "type-change"));  // from what, nobody knows
  EXPECT_FALSE(flags({"CREATE TABLE t (c varchar(5));"}, "ALTER TABLE t ALTER c TYPE text USING c::text;", "type-change"));
  EXPECT_TRUE(flags({"CREATE TABLE t (c varchar(5));"}, "ALTER TABLE t ALTER c TYPE text USING lower(c);", "type-change"));
}

TEST(History, TellsTimestampsFromOtherTypeChanges) {
  const std::vector<std::string> table{"CREATE TABLE t (c timestamp);"};
  const std::string change = "ALTER TABLE t ALTER COLUMN c TYPE timestamptz;";
  EXPECT_FALSE(flags(table, change, "type-change"));
  EXPECT_FALSE(flags(table, change, "timestamptz-change"));
  EXPECT_TRUE(flags(table, change, "timestamptz-change", 11));
  LintContext local;
  local.session_utc = false;
  EXPECT_TRUE(test::has_rule(test::lint_after(table, change, local), "timestamptz-change"));
  EXPECT_FALSE(test::has_rule(test::lint_after(table, "SET LOCAL TimeZone = 'UTC';\n" + change, local), "timestamptz-change"));
}

TEST(History, TellsThatAColumnIsProvenNotNull) {
  const std::string added = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;";
  const std::string validated = "ALTER TABLE t VALIDATE CONSTRAINT c;";
  const std::string set = "ALTER TABLE t ALTER COLUMN a SET NOT NULL;";
  EXPECT_FALSE(flags({added, validated}, set, "set-not-null"));
  EXPECT_FALSE(flags({added}, validated + "\n" + set, "set-not-null"));
  EXPECT_FALSE(flags({}, validated + "\n" + set, "set-not-null"));  // the revision says so itself
  EXPECT_TRUE(flags({added}, set, "set-not-null"));
  EXPECT_TRUE(flags({added, validated}, "ALTER TABLE t ALTER COLUMN b SET NOT NULL;", "set-not-null"));
  EXPECT_TRUE(flags({added, validated, "ALTER TABLE t DROP CONSTRAINT c;"}, set, "set-not-null"));
  EXPECT_TRUE(flags({added, validated}, set, "set-not-null", 11));
  EXPECT_FALSE(flags({"CREATE TABLE t (a int NOT NULL);"}, set, "set-not-null"));
}

TEST(History, TellsPartitionedTables) {
  const std::string table = "CREATE TABLE t (a int, b int) PARTITION BY RANGE (a);";
  EXPECT_TRUE(flags({table}, "CREATE INDEX i ON t (b);", "index-partitioned"));
  EXPECT_FALSE(flags({table}, "CREATE INDEX i ON t (b);", "index-create"));
  EXPECT_FALSE(flags({table}, "CREATE INDEX i ON ONLY t (b);", "index-partitioned"));
  const auto findings = test::lint_after({table}, "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES o (id);");
  ASSERT_TRUE(test::has_rule(findings, "fk-not-valid"));
  EXPECT_THAT(findings.front().fix, HasSubstr("no NOT VALID foreign keys"));
}

TEST(History, TellsDomainsFunctionsAndForeignKeys) {
  EXPECT_TRUE(
      flags({"CREATE DOMAIN d AS int CHECK (VALUE > 0);"}, "ALTER TABLE t ADD COLUMN a d;", "addcol-constrained-domain"));
  EXPECT_TRUE(flags({"CREATE DOMAIN d AS int;", "ALTER DOMAIN d SET NOT NULL;"}, "ALTER TABLE t ADD COLUMN a d;",
                    "addcol-constrained-domain"));
  EXPECT_FALSE(flags({"CREATE DOMAIN d AS int;"}, "ALTER TABLE t ADD COLUMN a d;", "addcol-constrained-domain"));
  const std::string column = "ALTER TABLE t ADD COLUMN a int DEFAULT f();";
  EXPECT_TRUE(flags({}, column, "addcol-volatile-default"));
  EXPECT_FALSE(
      flags({"CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"}, column, "addcol-volatile-default"));
  EXPECT_TRUE(flags({"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"}, column, "addcol-volatile-default"));
  EXPECT_TRUE(flags({"CREATE TABLE t (a int, CONSTRAINT plain FOREIGN KEY (a) REFERENCES o (id));"},
                    "ALTER TABLE t DROP CONSTRAINT plain;", "fk-drop"));
  EXPECT_FALSE(
      flags({"CREATE TABLE t (a int, CONSTRAINT t_fkey CHECK (a > 0));"}, "ALTER TABLE t DROP CONSTRAINT t_fkey;", "fk-drop"));
}

TEST(History, TellsWhetherAForeignKeyGetsItsIndexLater) {
  const std::string key = "CREATE TABLE t (id bigint PRIMARY KEY, o bigint REFERENCES os (id));";
  Linter linter{LintContext()};
  linter.lint(test::unit_of_text(test::revision_text(key)));
  linter.lint(test::unit_of_text(test::revision_text("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON t (o);")));
  EXPECT_FALSE(test::has_rule(linter.finish(), "fk-unindexed"));
  EXPECT_TRUE(flags({}, key + "\nCREATE INDEX i ON t (o) WHERE o = 1;", "fk-unindexed"));
  EXPECT_TRUE(flags({}, key + "\nCREATE INDEX i ON t (id, o);", "fk-unindexed"));
  EXPECT_FALSE(flags({}, key + "\nCREATE INDEX i ON t (o, id);", "fk-unindexed"));
  EXPECT_FALSE(flags({"CREATE TABLE t (a int, b int, PRIMARY KEY (a, b));"},
                     "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o (id) NOT VALID;", "fk-unindexed"));
}

TEST(History, KeepsPrimaryKeysOverIndexesApart) {
  const std::string build = "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);";
  const std::string key = "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i;";
  EXPECT_TRUE(flags({"CREATE TABLE t (a int);", build}, key, "pk-using-index-nullable"));
  EXPECT_FALSE(flags({"CREATE TABLE t (a int NOT NULL);", build}, key, "pk-using-index-nullable"));
  const auto unknown = test::lint_body(key);
  ASSERT_TRUE(test::has_rule(unknown, "pk-using-index-nullable"));
  EXPECT_EQ(unknown.front().severity, Severity::Info);
}

TEST(History, LeavesSmallTablesAlone) {
  LintContext context;
  context.settings.small_table_rows = 1'000;
  for (const auto& [rows, flagged] : {std::pair{999, false}, std::pair{1'000, true}}) {
    KnownSchema facts;
    facts.table({"", "t"}).rows = rows;
    EXPECT_EQ(test::has_rule(test::lint_after({}, "CREATE INDEX i ON t (a);", context, facts), "index-create"), flagged);
    EXPECT_EQ(test::has_rule(test::lint_after({}, "ALTER TABLE t ALTER a SET NOT NULL;", context, facts), "set-not-null"),
              flagged);
    EXPECT_EQ(
        test::has_rule(test::lint_after({}, "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id) NOT VALID;", context, facts),
                       "fk-unindexed"),
        flagged);
    EXPECT_TRUE(test::has_rule(test::lint_after({}, "DROP TABLE t;", context, facts), "drop-table"));  // however few rows
  }
  KnownSchema empty;
  empty.table({"", "t"}).rows = 0;
  EXPECT_FALSE(test::has_rule(test::lint_after({}, "ALTER TABLE t ADD a int NOT NULL;", context, empty), "addcol-required"));
}

TEST(History, KnowsWhatChangedWithTheServersVersion) {
  EXPECT_TRUE(flags({}, "ALTER TABLE t ADD COLUMN a int DEFAULT 1;", "addcol-volatile-default", 10));
  EXPECT_FALSE(flags({}, "ALTER TABLE t ADD COLUMN a int DEFAULT 1;", "addcol-volatile-default", 14));
  const std::string value = "CREATE TYPE e AS ENUM ('w');\nALTER TYPE e ADD VALUE 'x' AFTER 'w';\nSELECT 'x'::e;";
  EXPECT_TRUE(flags({}, value, "enum-add-use-same-transaction", 16));
  EXPECT_FALSE(flags({}, value, "enum-add-use-same-transaction", 17));
  LintContext context;
  context.postgres = 18;
  const auto newer = test::lint_body("ALTER TABLE t ALTER a SET NOT NULL;", context);
  ASSERT_FALSE(newer.empty());
  EXPECT_THAT(newer.front().fix, HasSubstr("NOT NULL a NOT VALID"));
  EXPECT_THAT(test::lint_body("ALTER TABLE t ALTER a SET NOT NULL;").front().fix, HasSubstr("CHECK (a IS NOT NULL) NOT VALID"));
}

TEST(History, KnowsWhatADomainIsStoredAs) {
  const std::string domains =
      "CREATE DOMAIN plain AS int DEFAULT 1; CREATE DOMAIN checked AS int CHECK (VALUE > 0);"
      "CREATE DOMAIN above AS checked; CREATE DOMAIN short AS varchar(10);";
  struct Change {
    const char* from;
    const char* to;
    bool free;
  };
  for (const auto& [from, to, free] :
       {Change{"int", "plain", true}, Change{"plain", "int", true}, Change{"checked", "int", true},
        Change{"above", "int", true}, Change{"checked", "plain", true}, Change{"int", "checked", false},
        Change{"int", "above", false}, Change{"above", "checked", false}, Change{"varchar(5)", "short", true},
        Change{"text", "short", false}, Change{"plain", "bigint", false}, Change{"plain[]", "int[]", false}}) {
    EXPECT_EQ(flags({domains, std::string("CREATE TABLE t (a ") + from + ");"},
                    std::string("ALTER TABLE t ALTER a TYPE ") + to + ";", "type-change"),
              !free)
        << from << " to " << to;
  }
}

TEST(History, KnowsIndexesAndChecksThatAFreeTypeChangeRunsInto) {
  const std::string change = "ALTER TABLE t ALTER a TYPE text;";
  for (const auto& [more, flagged] : std::vector<std::pair<std::string, bool>>{
           {"CREATE UNIQUE INDEX i ON t (lower(a));", true},
           {"CREATE INDEX i ON t (b) WHERE a = 'x';", true},
           {"CREATE INDEX i ON t (a) WHERE b > 0;", true},
           {"CREATE INDEX i ON t (b) INCLUDE (a) WHERE b > 0;", true},
           {"CREATE INDEX i ON t (a); CREATE INDEX j ON t (b) WHERE b > 0; CREATE INDEX k ON t (abs(b));", false},
           {"CREATE INDEX i ON t (lower(a)); DROP INDEX i;", false},
           {"CREATE INDEX i ON other (lower(a));", false},
           {"ALTER TABLE t ADD CHECK (length(a) > 2);", true},
           {"ALTER TABLE t ADD CONSTRAINT c CHECK (length(a) > 2) NOT VALID;", false},
           {"ALTER TABLE t ADD CONSTRAINT c CHECK (length(a) > 2) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;", true},
           {"ALTER TABLE t ADD CONSTRAINT c CHECK (a > '' AND b > 0); ALTER TABLE t DROP CONSTRAINT c;", false},
           {"ALTER TABLE t ADD CHECK (b > 0);", false}}) {
    EXPECT_EQ(flags({"CREATE TABLE t (a varchar(20), b int);", more}, change, "type-change"), flagged) << more;
  }
  EXPECT_TRUE(flags({"CREATE TABLE t (z varchar(20) CHECK (z > ''));", "ALTER TABLE t RENAME z TO a;"}, change, "type-change"));
  EXPECT_TRUE(flags({"CREATE TABLE t (z varchar(20)); CREATE INDEX ON t (lower(z));", "ALTER TABLE t RENAME z TO a;"}, change,
                    "type-change"));
  EXPECT_TRUE(flags({"CREATE TABLE t (a bigint); CREATE INDEX ON t (b) WHERE a > 0;"}, "ALTER TABLE t ALTER a TYPE bigint;",
                    "type-change"));
}

TEST(History, TellsAnIndexFromATable) {
  const std::string made = "CREATE TABLE t (a int); CREATE INDEX i ON t (a);";
  EXPECT_FALSE(flags({made}, "ALTER TABLE i RENAME TO j;", "rename-table"));
  EXPECT_TRUE(flags({made}, "ALTER TABLE t RENAME TO u;", "rename-table"));
  EXPECT_TRUE(flags({made, "ALTER TABLE i RENAME TO j;"}, "CREATE INDEX k ON t (a);", "index-duplicate"));
  EXPECT_FALSE(flags({made, "ALTER TABLE t DROP a, ADD a int;"}, "CREATE INDEX k ON t (a);", "index-duplicate"));
}

TEST(History, TellsWhichColumnsMayBecomeAnIdentity) {
  const std::string identity = "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY";
  EXPECT_TRUE(flags({"CREATE TABLE t (a int);"}, identity + ";", "identity-nullable"));
  EXPECT_FALSE(flags({"CREATE TABLE t (a int NOT NULL);"}, identity + ";", "identity-nullable"));
  EXPECT_FALSE(flags({"CREATE TABLE t (a int PRIMARY KEY);"}, identity + ";", "identity-nullable"));
  EXPECT_FALSE(flags({"SELECT 1;"}, identity + ";", "identity-nullable")) << "the column is not known";
  EXPECT_FALSE(flags({"CREATE TABLE t (a int);"},
                     "ALTER TABLE t ALTER a SET NOT NULL, ALTER a ADD GENERATED ALWAYS AS IDENTITY;", "identity-nullable"));
}

}  // namespace
}  // namespace athanor
