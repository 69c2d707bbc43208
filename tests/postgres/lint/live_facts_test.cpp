// What a running database tells lint.
#include <gtest/gtest.h>

#include "migrations/lint/linter.hpp"
#include "migrations/lint/live_facts.hpp"
#include "migrations/postgres/connect.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

LiveDatabase read_live(const std::string& url) {
  auto factory = postgres::PostgresFactory::create(url, ExecutionSettings());
  EXPECT_TRUE(factory);
  auto session = (*factory)->open_observer();
  EXPECT_TRUE(session);
  auto live = read_live_database(**session);
  EXPECT_TRUE(live) << live.error().describe();
  return std::move(*live);
}

bool flags(const LiveDatabase& live, const std::string& sql, std::string_view rule) {
  LintContext context;
  context.postgres = live.postgres;
  Linter linter(context);
  complete(linter.facts(), live.facts);
  linter.lint(plain_unit(sql, "file.sql", true));
  const auto findings = linter.finish();
  return std::ranges::any_of(findings, [&](const Finding& finding) { return finding.rule == rule; });
}

TEST(LiveFacts, TellSizesTypesAndConstraints) {
  test::TestDatabase database("lint");
  database.run(
      "CREATE TABLE small (a varchar(20), b int, c int NOT NULL); INSERT INTO small SELECT 'x', 1, 1 FROM generate_series(1, "
      "999);"
      "CREATE TABLE large (a varchar(20), b int); INSERT INTO large SELECT 'x', 1 FROM generate_series(1, 1000);"
      "ALTER TABLE large ADD CONSTRAINT proven CHECK (b IS NOT NULL);"
      "CREATE SCHEMA s; CREATE TABLE s.p (a int) PARTITION BY RANGE (a);"
      "CREATE DOMAIN strict AS int CHECK (VALUE > 0); CREATE DOMAIN loose AS int;"
      "ALTER TABLE large ADD COLUMN d int, ADD CONSTRAINT positive CHECK (d > 0); ANALYZE small; ANALYZE large;"
      "CREATE TABLE unknown (a int)");
  const LiveDatabase live = read_live(database.url());
  EXPECT_GE(live.postgres, 14);
  EXPECT_FALSE(flags(live, "CREATE INDEX ON small (a);", "index-create"));
  EXPECT_TRUE(flags(live, "CREATE INDEX ON large (a);", "index-create"));
  EXPECT_TRUE(flags(live, "CREATE INDEX ON unknown (a);", "index-create"));
  EXPECT_FALSE(flags(live, "ALTER TABLE large ALTER a TYPE varchar(30);", "type-change"));
  EXPECT_TRUE(flags(live, "ALTER TABLE large ALTER b TYPE bigint;", "type-change"));
  EXPECT_FALSE(flags(live, "ALTER TABLE large ALTER b SET NOT NULL;", "set-not-null"));
  EXPECT_TRUE(flags(live, "ALTER TABLE large ALTER d SET NOT NULL;", "set-not-null"));
  EXPECT_TRUE(flags(live, "CREATE INDEX ON s.p (a);", "index-partitioned"));
  EXPECT_TRUE(flags(live, "ALTER TABLE large ADD e strict;", "addcol-constrained-domain"));
  EXPECT_FALSE(flags(live, "ALTER TABLE large ADD e loose;", "addcol-constrained-domain"));
}

TEST(LiveFacts, TellForeignKeysAndIndexes) {
  test::TestDatabase database("lint");
  database.run(
      "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (a int, b int, CONSTRAINT plain FOREIGN KEY (a) REFERENCES o (id));"
      "CREATE INDEX ON t (b)");
  const LiveDatabase live = read_live(database.url());
  EXPECT_TRUE(flags(live, "ALTER TABLE t DROP CONSTRAINT plain;", "fk-drop"));
  EXPECT_FALSE(flags(live, "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES o (id) NOT VALID;", "fk-unindexed"));
  EXPECT_TRUE(flags(live, "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o (id) NOT VALID;", "fk-unindexed"));
}

TEST(LiveFacts, TellWhatATypeChangeRunsInto) {
  test::TestDatabase database("lint");
  database.run(
      "CREATE TABLE t (a varchar(20), b varchar(20), c varchar(20) CHECK (length(c) > 0), d int, e varchar(20));"
      "CREATE INDEX ON t (lower(a)); CREATE INDEX ON t (d) INCLUDE (b) WHERE d > 0; CREATE INDEX ON t (e);"
      "CREATE DOMAIN plain AS int");
  const LiveDatabase live = read_live(database.url());
  EXPECT_TRUE(flags(live, "ALTER TABLE t ALTER a TYPE text;", "type-change"));
  EXPECT_TRUE(flags(live, "ALTER TABLE t ALTER b TYPE text;", "type-change"));
  EXPECT_TRUE(flags(live, "ALTER TABLE t ALTER c TYPE text;", "type-change"));
  EXPECT_TRUE(flags(live, "ALTER TABLE t ALTER d TYPE plain;", "type-change"));
  EXPECT_FALSE(flags(live, "ALTER TABLE t ALTER e TYPE text;", "type-change"));
  EXPECT_FALSE(flags(live, "ALTER TABLE t ADD f plain;", "addcol-constrained-domain"));
}

}  // namespace
}  // namespace athanor
