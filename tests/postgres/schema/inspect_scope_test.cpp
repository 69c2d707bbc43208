// What is left out, what is named instead, what filters hide, and what nobody can change from outside.
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "tests/postgres/schema/inspected.hpp"
#include "tests/support/hijacked_schema.hpp"

namespace athanor::schema {
namespace {

TEST(InspectScope, AnEmptyDatabaseHasNoFactsButItsSchema) {
  Inspected scene;
  const Catalog catalog = scene.look();
  EXPECT_TRUE(lines_of(catalog).empty()) << testing::PrintToString(lines_of(catalog));
  EXPECT_EQ(catalog.facts().size(), 1U);
  EXPECT_TRUE(catalog.unmodelled.empty());
  EXPECT_EQ(catalog.server_version, scene.version());
  scene.database.run("DROP SCHEMA public");
  EXPECT_TRUE(scene.look().facts().empty());
}

TEST(InspectScope, ReportsNothingTwice) {
  Inspected scene(
      "CREATE TYPE r AS RANGE (subtype = int); CREATE TABLE t (id serial PRIMARY KEY, r r); CREATE VIEW v AS TABLE t");
  const Catalog catalog = scene.look({.owners = true, .privileges = true});
  for (std::size_t i = 1; i < catalog.facts().size(); ++i) {
    EXPECT_NE(catalog.facts()[i - 1].id, catalog.facts()[i].id) << describe(catalog.facts()[i].id);
  }
}

TEST(InspectScope, LeavesOutMembersOfExtensionsButNotWhatNeedsThem) {
  Inspected scene(
      "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE t (a ext.citext); CREATE VIEW v AS SELECT a = 'x' "
      "AS x FROM"
      " t");
  const Catalog catalog = scene.look();
  EXPECT_EQ(lines_of(catalog).size(), 5U) << testing::PrintToString(lines_of(catalog));
  EXPECT_EQ(edges_from(catalog, "column"),
            (Lines{"column public.t.a -> extension citext", "column public.t.a -> table public.t"}));
  EXPECT_TRUE(catalog.unmodelled.empty());
}

TEST(InspectScope, TellsWhatDependsOnAnExtensionByDeclaration) {
  Inspected scene(
      "CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() DEPENDS ON "
      "EXTENSION"
      " citext");
  const Catalog catalog = scene.look();
  const Fact* function = catalog.find({.kind = Kind::Routine, .schema = "public", .name = "f"});
  ASSERT_NE(function, nullptr);
  EXPECT_EQ(function->get(attribute::kDependsOnExtensions), "[\"citext\"]");
}

TEST(InspectScope, LeavesOutAthanorsOwnAndTemporaryTables) {
  Inspected scene(
      "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); CREATE SCHEMA athanor; CREATE TABLE athanor.history "
      "(a"
      " int); CREATE TABLE s (a int)");
  test::Client other(scene.database.url());
  other.run("CREATE TEMP TABLE passing (a int); CREATE TEMP VIEW also AS SELECT * FROM s; CREATE TEMP SEQUENCE q");
  EXPECT_EQ(lines_of(scene.look()), (Lines{"table public.s {}", "column public.s.a {type: integer}"}));
  EXPECT_EQ(lines_of(scene.look({.version_table = "other"}), Kind::Table).size(), 2U);
  EXPECT_EQ(lines_of(scene.look({.version_table_schema = "elsewhere"}), Kind::Table).size(), 2U);
}

TEST(InspectScope, NamesWhatItDoesNotModel) {
  Inspected scene(
      "CREATE TYPE shell; CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;"
      "CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler;"
      "CREATE FUNCTION handler() RETURNS language_handler LANGUAGE internal AS 'fmgr_internal_validator'");
  const Catalog catalog = scene.look();
  const std::map<std::string, std::vector<std::string>> expected{
      {"access method", {"am"}}, {"base type", {"public.shell"}}, {"conversion", {"public.conv"}}};
  EXPECT_EQ(catalog.unmodelled, expected);
}

constexpr const char* kTwoSchemas =
    "CREATE SCHEMA shop; CREATE SCHEMA audit; CREATE TABLE shop.orders (id serial PRIMARY KEY, total int);"
    "CREATE TABLE shop.notes (id serial); CREATE VIEW audit.totals AS SELECT total FROM shop.orders;"
    "CREATE FUNCTION audit.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM shop.orders; END;"
    "CREATE TABLE audit.log (n int REFERENCES shop.orders)";

TEST(InspectFilters, SchemasHideWhatIsInThem) {
  Inspected scene(kTwoSchemas);
  const Catalog all = scene.look();
  EXPECT_TRUE(all.outside().empty());
  const Catalog catalog = scene.look({.schemas = {"sho?"}});
  for (const Fact& fact : catalog.facts()) {
    EXPECT_TRUE(fact.id.schema == "shop" || fact.id.name == "shop") << describe(fact.id);
  }
  EXPECT_EQ(lines_of(catalog, Kind::Table), (Lines{"table shop.notes {}", "table shop.orders {}"}));
  EXPECT_EQ(lines_of(scene.look({.exclude_schemas = {"audit", "public"}})), lines_of(catalog));
}

TEST(InspectFilters, TellWhatIsHiddenAndNeedsAFact) {
  Inspected scene(kTwoSchemas);
  const Catalog catalog = scene.look({.exclude_schemas = {"audit"}});
  Lines told;
  for (const OutsideDependent& dependent : catalog.outside()) {
    told.push_back(dependent.object + " -> " + describe(catalog.facts()[dependent.on].id));
  }
  std::ranges::sort(told);
  EXPECT_EQ(told,
            (Lines{"function audit.f -> column shop.orders.id", "table audit.log -> column shop.orders.id",
                   "table audit.log -> constraint shop.orders.orders_pkey", "view audit.totals -> column shop.orders.total"}));
}

TEST(InspectFilters, TablesHideTheirSequencesAndIndexesToo) {
  Inspected scene(kTwoSchemas);
  EXPECT_EQ(lines_of(scene.look({.exclude_tables = {"notes", "audit.*"}}), Kind::Table), (Lines{"table shop.orders {}"}));
  const Catalog catalog = scene.look({.tables = {"shop.n*"}});
  EXPECT_EQ(lines_of(catalog, Kind::Table), (Lines{"table shop.notes {}"}));
  EXPECT_EQ(lines_of(catalog, Kind::Sequence),
            (Lines{"sequence shop.notes_id_seq {owned_by: [\"shop\",\"notes\",\"id\"], type: integer}"}));
  EXPECT_TRUE(lines_of(catalog, Kind::Constraint).empty());
  EXPECT_TRUE(lines_of(catalog, Kind::View).empty());
}

TEST(InspectSession, NothingOfAHijackedSchemaRuns) {
  Inspected scene(
      "CREATE TABLE t (id serial PRIMARY KEY, a text DEFAULT 'x' CHECK (a <> '')); CREATE VIEW v AS SELECT * FROM t");
  const InspectOptions everything{
      .owners = true, .privileges = true, .default_privileges = true, .publications = true, .subscriptions = true};
  const Lines before = lines_of(scene.look(everything));
  scene.database.run(test::kHijack);
  scene.database.run("ALTER DATABASE " + scene.database.name() + " SET search_path = evil, pg_catalog, public");
  ASSERT_EQ(scene.database.connect().attempt("SELECT pg_backend_pid()"), "P0001") << "the schema hijacks nothing";
  InspectOptions without_evil = everything;
  without_evil.exclude_schemas = {"evil"};
  const auto catalog = scene.try_inspect(without_evil);
  ASSERT_TRUE(catalog) << catalog.error().describe();
  EXPECT_EQ(lines_of(*catalog), before);
}

TEST(InspectSession, TextsDoNotDependOnItsSettings) {
  Inspected scene(
      "CREATE SCHEMA s; CREATE TABLE s.t (a date DEFAULT '2024-02-01', b interval DEFAULT '1 day 2 hours', c timestamptz "
      "DEFAULT"
      " '2024-02-01 00:00+00', d float8 DEFAULT 0.1, e bytea DEFAULT 'x', f text DEFAULT E'a\\\\b');"
      "CREATE TABLE s.p (at timestamptz) PARTITION BY RANGE (at);"
      "CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00')");
  const Lines before = lines_of(scene.look());
  for (const char* setting : {"search_path = s", "datestyle = 'German, DMY'", "intervalstyle = iso_8601",
                              "timezone = 'Asia/Tokyo'", "extra_float_digits = -10", "bytea_output = escape",
                              "quote_all_identifiers = on", "standard_conforming_strings = off"}) {
    scene.database.run("ALTER DATABASE " + scene.database.name() + " SET " + setting);
  }
  EXPECT_EQ(lines_of(scene.look()), before);
}

TEST(InspectSession, IsAsItWasAfterwards) {
  Inspected scene("CREATE TABLE t (a int)");
  auto session = postgres::PostgresFactory::create(scene.database.url(), {}).value()->open().value();
  const std::string question =
      "SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('jit'),"
      " pg_catalog.current_setting('transaction_read_only')";
  const Rows before = session->query(question).value();
  ASSERT_TRUE(inspect(*session));
  EXPECT_EQ(session->query(question).value().rows, before.rows);
  EXPECT_TRUE(session->query("CREATE TABLE later (a int)"));
}

TEST(InspectSession, IsLeftOutOfItsTransactionAfterAnError) {
  Inspected scene;
  const test::TestRole role(scene.database);
  auto session = postgres::PostgresFactory::create(role.url(), {}).value()->open().value();
  ASSERT_FALSE(inspect(*session, {.subscriptions = true}));
  EXPECT_TRUE(inspect(*session));
}

TEST(InspectSession, SurvivesObjectsThatComeAndGo) {
  Inspected scene("CREATE TABLE stays (a int, b text DEFAULT 'x'); CREATE VIEW shown AS SELECT a FROM stays");
  std::atomic<bool> done{false};
  std::thread other([&] {
    test::Client client(scene.database.url());
    while (!done) {
      client.run(
          "CREATE TABLE passing (id serial PRIMARY KEY, a int CHECK (a > 0) REFERENCES passing DEFAULT 1); CREATE INDEX ON "
          "passing (a);"
          "CREATE VIEW through AS SELECT * FROM passing; CREATE FUNCTION gone(passing) RETURNS int LANGUAGE sql AS 'SELECT 1';"
          "CREATE TYPE shade AS ENUM ('a'); CREATE DOMAIN also AS int CHECK (VALUE > 0)");
      client.run("DROP TABLE passing CASCADE; DROP TYPE shade; DROP DOMAIN also");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  for (int round = 0; round < 20; ++round) {
    const auto catalog = scene.try_inspect();
    EXPECT_TRUE(catalog) << catalog.error().describe();
    if (!catalog) {
      continue;
    }
    EXPECT_NE(catalog->find({.kind = Kind::View, .schema = "public", .name = "shown"}), nullptr);
    // A fact is whole or not there: no column without its table.
    for (const Fact& fact : catalog->facts()) {
      if (fact.id.kind == Kind::Column) {
        EXPECT_NE(catalog->find({.kind = Kind::Table, .schema = "public", .name = fact.id.parent}), nullptr)
            << describe(fact.id);
      }
    }
  }
  done = true;
  other.join();
}

// Everything in one database, created in two orders in databases with other oids.
TEST(InspectProperty, EqualSchemasHaveEqualFingerprints) {
  std::vector<std::string> statements;
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    statements.push_back("CREATE TABLE t" + n +
                         " (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x' NOT NULL, b int CHECK (b > 0));"
                         "CREATE INDEX i" +
                         n + " ON t" + n + " (lower(a)); COMMENT ON COLUMN t" + n +
                         ".a IS 'c';"
                         "CREATE VIEW v" +
                         n + " AS SELECT id, a FROM t" + n);
    statements.push_back("CREATE TYPE e" + n + " AS ENUM ('a', 'b'); CREATE DOMAIN d" + n +
                         " AS int CHECK (VALUE > 0);"
                         "CREATE FUNCTION f" +
                         n + "(e" + n + ") RETURNS int LANGUAGE sql AS 'SELECT 1'");
  }
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::string fingerprint;
  Lines edges;
  for (int round = 0; round < 3; ++round) {
    std::ranges::shuffle(statements, random);
    Inspected scene;
    for (const auto& statement : statements) {
      scene.database.run(statement);
    }
    const Catalog catalog = scene.look({.owners = true, .privileges = true});
    if (round == 0) {
      fingerprint = catalog.fingerprint();
      edges = edges_from(catalog, "");
    }
    EXPECT_EQ(catalog.fingerprint(), fingerprint);
    EXPECT_EQ(edges_from(catalog, ""), edges);
  }
}

}  // namespace
}  // namespace athanor::schema
