// Comments, owners, privileges, publications, subscriptions and foreign objects as facts.
#include "tests/postgres/schema/inspected.hpp"

namespace athanor::schema {
namespace {

TEST(InspectComments, ReportsCommentsOnEveryKindOfObject) {
  Inspected scene(
      "CREATE TABLE t (a int CONSTRAINT c UNIQUE, b int GENERATED ALWAYS AS IDENTITY); COMMENT ON TABLE t IS 'table';"
      "COMMENT ON COLUMN t.a IS 'column'; COMMENT ON CONSTRAINT c ON t IS 'constraint'; COMMENT ON INDEX c IS 'index';"
      "COMMENT ON SEQUENCE t_b_seq IS 'sequence'; COMMENT ON SCHEMA public IS 'mine';"
      "CREATE TYPE pair AS (a int); COMMENT ON TYPE pair IS 'type'; COMMENT ON COLUMN pair.a IS 'attribute';"
      "CREATE DOMAIN d AS int CONSTRAINT above CHECK (VALUE > 0); COMMENT ON CONSTRAINT above ON DOMAIN d IS 'domain';"
      "CREATE TABLE p (x int) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p DEFAULT; COMMENT ON COLUMN p1.x IS "
      "'inherited'");
  const Catalog catalog = scene.look();
  EXPECT_EQ(edges_from(catalog, "comment of column public.p1"),
            (Lines{"comment of column public.p1.x -> column public.p.x", "comment of column public.p1.x -> table public.p1"}));
  EXPECT_EQ(lines_of(catalog, Kind::Comment),
            (Lines{"comment of schema public {text: mine}", "comment of composite type public.pair {text: type}",
                   "comment of domain constraint public.d.above {text: domain}",
                   "comment of sequence public.t_b_seq {text: sequence}", "comment of table public.t {text: table}",
                   "comment of column public.p1.x {text: inherited}", "comment of column public.pair.a {text: attribute}",
                   "comment of column public.t.a {text: column}", "comment of constraint public.t.c {text: constraint}",
                   "comment of index public.t.c {text: index}"}));
}

TEST(InspectComments, LeavesOutThoseThatCameByThemselves) {
  Inspected scene("CREATE EXTENSION pg_trgm");
  EXPECT_EQ(lines_of(scene.look()), (Lines{"extension pg_trgm {schema: public}"}));
  scene.database.run("COMMENT ON EXTENSION pg_trgm IS 'ours'");
  EXPECT_EQ(lines_of(scene.look(), Kind::Comment), (Lines{"comment of extension pg_trgm {text: ours}"}));
}

TEST(InspectOwners, TellsOwnersOnRequest) {
  Inspected scene("CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const test::TestRole role(scene.database);
  scene.database.run("ALTER TABLE t OWNER TO " + role.name());
  EXPECT_TRUE(lines_of(scene.look(), Kind::Owner).empty());
  const Lines told = lines_of(scene.look({.owners = true}), Kind::Owner);
  EXPECT_NE(std::ranges::find(told, "owner of table public.t {role: " + role.name() + "}"), told.end());
  EXPECT_NE(std::ranges::find(told, "owner of routine public.f() {role: postgres}"), told.end());
}

TEST(InspectPrivileges, TellsWhatDiffersFromTheStart) {
  Inspected scene(
      "CREATE SCHEMA s; CREATE TABLE s.t (a int, b int); CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const test::TestRole role(scene.database);
  EXPECT_TRUE(lines_of(scene.look({.privileges = true}), Kind::Grant).empty());
  scene.database.run(
      "GRANT SELECT, INSERT ON s.t TO " + role.name() + " WITH GRANT OPTION; GRANT UPDATE (b) ON s.t TO PUBLIC;" +
      "REVOKE ALL ON FUNCTION s.f() FROM PUBLIC; REVOKE DELETE ON s.t FROM postgres; GRANT USAGE ON SCHEMA s TO " +
      role.name());
  EXPECT_TRUE(lines_of(scene.look(), Kind::Grant).empty());
  const Catalog catalog = scene.look({.privileges = true});
  Lines told;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id.kind == Kind::Grant) {
      told.push_back(describe(fact.id) + " to '" + fact.id.grantee + "' " +
                     (fact.id.grantee == "postgres" ? "" : std::string(fact.get(attribute::kPrivileges))));
    }
  }
  EXPECT_THAT(told,
              testing::UnorderedElementsAre(
                  "privileges of routine s.f() to '' []", "privileges of schema s to '" + role.name() + "' [[\"USAGE\",false]]",
                  "privileges of table s.t to '" + role.name() + "' [[\"INSERT\",true],[\"SELECT\",true]]",
                  "privileges of table s.t to 'postgres' ", "privileges of table s.t.b to '' [[\"UPDATE\",false]]"));
}

TEST(InspectPrivileges, TellsDefaultPrivileges) {
  Inspected scene("CREATE SCHEMA s");
  const test::TestRole role(scene.database);
  scene.database.run("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO " + role.name() +
                     "; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC");
  EXPECT_TRUE(lines_of(scene.look(), Kind::DefaultPrivilege).empty());
  EXPECT_EQ(lines_of(scene.look({.default_privileges = true}), Kind::DefaultPrivilege),
            (Lines{"default privileges postgres(functions) {privileges: []}",
                   "default privileges s.postgres(tables) to " + role.name() + " {privileges: [[\"SELECT\",false]]}"}));
}

TEST(InspectForeign, TellsForeignObjectsButNoPasswords) {
  Inspected scene(
      "CREATE FOREIGN DATA WRAPPER w OPTIONS (a 'b'); CREATE SERVER s TYPE 'x' VERSION '2' FOREIGN DATA WRAPPER w OPTIONS "
      "(host 'h');"
      "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'secret');"
      "CREATE FOREIGN TABLE ft (a integer OPTIONS (column_name 'A')) SERVER s OPTIONS (t 'T')");
  const Catalog catalog = scene.look();
  const Lines told = lines_of(catalog);
  ASSERT_EQ(told.size(), 5U);
  EXPECT_EQ(told[0], "foreign-data wrapper w {options: [\"a=b\"]}");
  EXPECT_EQ(told[1], "foreign server s {options: [\"host=h\"], server_type: x, server_version: 2, wrapper: w}");
  EXPECT_TRUE(told[2].starts_with("user mapping s.public {options_hash: "));
  EXPECT_EQ(told[3], "table public.ft {options: [\"t=T\"], server: s}");
  EXPECT_EQ(told[4], "column public.ft.a {foreign_options: [\"column_name=A\"], type: integer}");
  EXPECT_EQ(testing::PrintToString(told).find("secret"), std::string::npos);
  EXPECT_EQ(edges_from(catalog, "table"), (Lines{"table public.ft -> foreign server s", "table public.ft -> schema public"}));
  const std::string before = catalog.fingerprint();
  scene.database.run("ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET password 'other')");
  EXPECT_NE(scene.look().fingerprint(), before);
}

TEST(InspectPublications, TellsPublicationsOnRequest) {
  Inspected scene("CREATE TABLE t (id int PRIMARY KEY, a int)");
  const bool filters = scene.version() >= 150000;
  scene.database.run(std::string("CREATE PUBLICATION every FOR ALL TABLES; CREATE PUBLICATION p FOR TABLE t ") +
                     (filters ? "(id, a) WHERE (id > 0) " : "") + "WITH (publish = 'insert', publish_via_partition_root)");
  EXPECT_TRUE(lines_of(scene.look(), Kind::Publication).empty());
  const Catalog catalog = scene.look({.publications = true});
  EXPECT_EQ(lines_of(catalog, Kind::Publication),
            (Lines{"publication every {all_tables: true}",
                   std::string("publication p {options: [\"publish=insert\",\"publish_via_partition_root=true\"], tables: "
                               "[[\"public\",\"t\",") +
                       (filters ? "[\"id\",\"a\"],\"(id > 0)\"" : "null,\"\"") + "]]}"}));
}

TEST(InspectPublications, TellsPublishedSchemas) {
  Inspected scene("CREATE SCHEMA s");
  if (scene.version() >= 150000) {
    scene.database.run("CREATE PUBLICATION p FOR TABLES IN SCHEMA s");
    EXPECT_EQ(lines_of(scene.look({.publications = true}), Kind::Publication), (Lines{"publication p {schemas: [\"s\"]}"}));
  }
}

constexpr const char* kSubscription =
    "CREATE SUBSCRIPTION s CONNECTION 'host=none password=secret' PUBLICATION b, a WITH (connect = false, slot_name = NONE, "
    "enabled ="
    " false)";

TEST(InspectSubscriptions, TellsSubscriptionsWithAHashOfTheirConnection) {
  Inspected scene(kSubscription);
  const Lines told = lines_of(scene.look({.subscriptions = true}), Kind::Subscription);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("subscription s {connection: ")) << told[0];
  EXPECT_TRUE(told[0].ends_with("enabled: disabled, options: [\"slot_name=NONE\"], publications: [\"a\",\"b\"]}")) << told[0];
  EXPECT_EQ(told[0].find("secret"), std::string::npos);
  scene.database.run("DROP SUBSCRIPTION s");
}

TEST(InspectSubscriptions, AreRefusedToWhoMayNotReadThem) {
  Inspected scene;
  const test::TestRole role(scene.database);
  EXPECT_TRUE(scene.try_inspect({}, role.url()));
  const auto refused = scene.try_inspect({.subscriptions = true}, role.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate, "42501") << refused.error().describe();
}

}  // namespace
}  // namespace athanor::schema
