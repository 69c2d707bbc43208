// Views, rules, triggers, policies and event triggers as facts.
#include "tests/postgres/schema/inspected.hpp"

namespace athanor::schema {
namespace {

constexpr const char* kTrigger =
    "CREATE TABLE t (id int PRIMARY KEY, a int, b text);"
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";

TEST(InspectViews, TellsQueriesWithColumnsAndOptions) {
  Inspected scene(
      "CREATE TABLE t (a int, b text);"
      "CREATE VIEW v WITH (security_barrier) AS SELECT t.a, t.b AS named FROM t, t AS other;"
      "ALTER VIEW v ALTER named SET DEFAULT 'x'; COMMENT ON COLUMN v.named IS 'why'");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::View),
      (Lines{"view public.v {columns: [[\"a\",\"integer\"],[\"named\",\"text\"]], definition:  SELECT t.a,\n    t.b AS named\n "
             "  FROM public.t,\n    public.t other, options: [\"security_barrier=true\"]}"}));
  EXPECT_EQ(lines_of(catalog, Kind::ColumnDefault), (Lines{"default public.v.named {expression: 'x'::text}"}));
  EXPECT_EQ(lines_of(catalog, Kind::Comment), (Lines{"comment of column public.v.named {text: why}"}));
  EXPECT_EQ(edges_from(catalog, "default"), (Lines{"default public.v.named -> view public.v"}));
}

TEST(InspectViews, AViewNeedsTheColumnsFunctionsAndKeysThatItUses) {
  Inspected scene(
      "CREATE TABLE c (id int PRIMARY KEY, name text, other text); CREATE TABLE o (c int);"
      "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
      "CREATE VIEW one AS SELECT c.id, c.name, count(*) AS n FROM c JOIN o ON o.c = c.id GROUP BY c.id;"
      "CREATE MATERIALIZED VIEW two AS SELECT f(id) AS id FROM one; CREATE INDEX two_id ON two (id)");
  const Catalog catalog = scene.look();
  EXPECT_EQ(edges_from(catalog, "view public.one"),
            (Lines{"view public.one -> column public.c.id", "view public.one -> column public.c.name",
                   "view public.one -> column public.o.c", "view public.one -> constraint public.c.c_pkey",
                   "view public.one -> schema public"}));
  EXPECT_EQ(edges_from(catalog, "materialized view"),
            (Lines{"materialized view public.two -> routine public.f(integer)", "materialized view public.two -> schema public",
                   "materialized view public.two -> view public.one"}));
  EXPECT_EQ(edges_from(catalog, "index public.two"), (Lines{"index public.two.two_id -> materialized view public.two"}));
}

TEST(InspectViews, TellsPhysicalAttributesOfMaterializedViews) {
  Inspected scene(
      "CREATE MATERIALIZED VIEW m WITH (fillfactor = 70) AS SELECT 'x'::text AS a, 1 AS b;"
      "ALTER MATERIALIZED VIEW m ALTER a SET STORAGE EXTERNAL, ALTER b SET STATISTICS 5");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::MaterializedView),
      (Lines{"materialized view public.m {columns: [[\"a\",\"text\"],[\"b\",\"integer\"]], definition:  SELECT 'x'::text AS "
             "a,\n    1 AS b, options: [\"fillfactor=70\"]}"}));
  EXPECT_EQ(lines_of(catalog, Kind::Column), (Lines{"column public.m.a {inherited: true, storage: external}",
                                                    "column public.m.b {inherited: true, statistics: 5}"}));
}

TEST(InspectRules, TellsRulesButNotTheQueriesOfViews) {
  Inspected scene(
      "CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE r;"
      "CREATE VIEW v AS SELECT 1 AS a");
  EXPECT_EQ(lines_of(scene.look(), Kind::Rule),
            (Lines{"rule public.t.r {definition: CREATE RULE r AS\n    ON DELETE TO public.t DO INSTEAD NOTHING, enabled: "
                   "disabled}"}));
}

TEST(InspectTriggers, TellsTriggersAndWhetherTheyFire) {
  Inspected scene(
      std::string(kTrigger) +
      "CREATE TRIGGER plain BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f('x');"
      "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION"
      " f(); ALTER TABLE t ENABLE ALWAYS TRIGGER plain, DISABLE TRIGGER later;"
      "COMMENT ON TRIGGER later ON t IS 'why'");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::Trigger),
      (Lines{
          "trigger public.t.later {definition: CREATE CONSTRAINT TRIGGER later AFTER INSERT ON public.t DEFERRABLE INITIALLY "
          "DEFERRED FOR EACH ROW EXECUTE FUNCTION public.f(), enabled: disabled}",
          "trigger public.t.plain {definition: CREATE TRIGGER plain BEFORE INSERT OR UPDATE OF a ON public.t FOR EACH ROW "
          "WHEN ((new.a > 0)) EXECUTE FUNCTION public.f('x'), enabled: always}"}));
  EXPECT_EQ(edges_from(catalog, "trigger public.t.plain"),
            (Lines{"trigger public.t.plain -> column public.t.a", "trigger public.t.plain -> routine public.f()",
                   "trigger public.t.plain -> table public.t"}));
  EXPECT_EQ(lines_of(catalog, Kind::Constraint).size(), 1U) << "a constraint trigger is a trigger";
}

TEST(InspectTriggers, TellsEventTriggers) {
  Inspected scene(
      "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
      "CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION e();"
      "ALTER EVENT TRIGGER watch DISABLE");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::EventTrigger),
      (Lines{"event trigger watch {command: ddl_command_end, enabled: disabled, function: [\"public\",\"e\"], tags: [\"CREATE "
             "TABLE\",\"DROP TABLE\"]}"}));
  EXPECT_EQ(edges_from(catalog, "event trigger"), (Lines{"event trigger watch -> routine public.e()"}));
}

TEST(InspectPolicies, TellsPoliciesWithTheirRoles) {
  Inspected scene(
      std::string(kTrigger) +
      "CREATE POLICY everyone ON t; CREATE POLICY several ON t AS RESTRICTIVE FOR UPDATE TO postgres, pg_monitor USING (a >"
      " 1) WITH CHECK (id > 2)");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::Policy),
      (Lines{
          "policy public.t.everyone {command: ALL, roles: []}",
          "policy public.t.several {check: (id > 2), command: UPDATE, restrictive: true, roles: [\"pg_monitor\",\"postgres\"], "
          "using: (a > 1)}"}));
  EXPECT_EQ(edges_from(catalog, "policy public.t.several"),
            (Lines{"policy public.t.several -> column public.t.a", "policy public.t.several -> column public.t.id",
                   "policy public.t.several -> table public.t"}));
}

}  // namespace
}  // namespace athanor::schema
