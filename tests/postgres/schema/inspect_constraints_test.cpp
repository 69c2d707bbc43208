// Constraints, indexes and extended statistics as facts.
#include "tests/postgres/schema/inspected.hpp"

namespace athanor::schema {
namespace {

TEST(InspectConstraints, TellsKeysChecksAndExclusions) {
  Inspected scene(
      "CREATE TABLE c (id int CONSTRAINT c_pkey PRIMARY KEY WITH (fillfactor = 70), code text,"
      " CONSTRAINT u UNIQUE (code, id) INCLUDE (code) DEFERRABLE INITIALLY DEFERRED, CHECK (id > 0) NO INHERIT,"
      " CONSTRAINT x EXCLUDE USING gist (box(point(id, id), point(id, id)) WITH &&) WHERE (id > 5))");
  EXPECT_EQ(
      lines_of(scene.look(), Kind::Constraint),
      (Lines{
          "constraint public.c.c_id_check {columns: [\"id\"], contype: c, definition: CHECK ((id > 0)) NO INHERIT}",
          "constraint public.c.c_pkey {columns: [\"id\"], contype: p, definition: PRIMARY KEY (id), index_options: "
          "[\"fillfactor=70\"]}",
          "constraint public.c.u {columns: [\"code\",\"id\"], contype: u, definition: UNIQUE (code, id) INCLUDE (code) "
          "DEFERRABLE INITIALLY DEFERRED}",
          "constraint public.c.x {contype: x, definition: EXCLUDE USING gist (box(point((id)::double precision, (id)::double "
          "precision), point((id)::double precision, (id)::double precision)) WITH &&) WHERE ((id > 5))}"}));
  EXPECT_TRUE(lines_of(scene.look(), Kind::Index).empty()) << "the index of a constraint is part of it";
}

TEST(InspectConstraints, TellsForeignKeysWithTheKeyThatTheyNeed) {
  Inspected scene(
      "CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE o (c int, FOREIGN KEY (c) REFERENCES c (id) MATCH FULL ON DELETE"
      " CASCADE)");
  const Catalog catalog = scene.look();
  EXPECT_EQ(lines_of(catalog, Kind::Constraint).back(),
            "constraint public.o.o_c_fkey {columns: [\"c\"], contype: f, definition: FOREIGN KEY (c) REFERENCES public.c(id) "
            "MATCH FULL ON DELETE CASCADE, references: [\"public\",\"c\"]}");
  EXPECT_EQ(
      edges_from(catalog, "constraint public.o"),
      (Lines{"constraint public.o.o_c_fkey -> column public.c.id", "constraint public.o.o_c_fkey -> column public.o.c",
             "constraint public.o.o_c_fkey -> constraint public.c.c_pkey", "constraint public.o.o_c_fkey -> table public.o"}));
  EXPECT_TRUE(lines_of(catalog, Kind::Trigger).empty());
}

TEST(InspectConstraints, TellsWhatWasNotValidatedApart) {
  Inspected scene(
      "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT later CHECK (a > 0) NOT VALID;"
      "CREATE DOMAIN d AS int CONSTRAINT one CHECK (VALUE > 0); ALTER DOMAIN d ADD CONSTRAINT two CHECK (VALUE < 9) NOT VALID");
  const Catalog catalog = scene.look();
  EXPECT_EQ(lines_of(catalog, Kind::Constraint),
            (Lines{"constraint public.t.later {columns: [\"a\"], contype: c, definition: CHECK ((a > 0)), not_valid: true}"}));
  EXPECT_EQ(lines_of(catalog, Kind::DomainConstraint),
            (Lines{"domain constraint public.d.one {definition: CHECK ((VALUE > 0))}",
                   "domain constraint public.d.two {definition: CHECK ((VALUE < 9)), not_valid: true}"}));
}

TEST(InspectConstraints, TellsWhatIsNotEnforcedAndTemporalKeys) {
  Inspected scene;
  if (scene.version() < 180000) {
    return;
  }
  scene.database.run(
      "CREATE TABLE t (id int4range, during daterange, a int CONSTRAINT never CHECK (a > 0) NOT ENFORCED,"
      " PRIMARY KEY (id, during WITHOUT OVERLAPS));"
      "CREATE TABLE r (id int4range, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES t (id, PERIOD during))");
  EXPECT_EQ(
      lines_of(scene.look(), Kind::Constraint),
      (Lines{"constraint public.r.r_id_during_fkey {columns: [\"id\",\"during\"], contype: f, definition: FOREIGN KEY (id, "
             "PERIOD during) REFERENCES public.t(id, PERIOD during), references: [\"public\",\"t\"]}",
             "constraint public.t.never {columns: [\"a\"], contype: c, definition: CHECK ((a > 0)), not_enforced: true}",
             "constraint public.t.t_pkey {columns: [\"id\",\"during\"], contype: p, definition: PRIMARY KEY (id, during "
             "WITHOUT OVERLAPS)}"}));
}

TEST(InspectConstraints, LeavesOutWhatAChildHasFromItsParent) {
  Inspected scene(
      "CREATE TABLE p (a int CONSTRAINT positive CHECK (a > 0)); CREATE TABLE c (b int CHECK (b > 0)) INHERITS (p);"
      "CREATE TABLE d (a int CONSTRAINT positive CHECK (a > 0)) INHERITS (p)");
  const Catalog catalog = scene.look();
  EXPECT_EQ(lines_of(catalog, Kind::Constraint),
            (Lines{"constraint public.c.c_b_check {columns: [\"b\"], contype: c, definition: CHECK ((b > 0))}",
                   "constraint public.p.positive {columns: [\"a\"], contype: c, definition: CHECK ((a > 0))}"}));
  const Fact* child = catalog.find({.kind = Kind::Table, .schema = "public", .name = "d"});
  ASSERT_NE(child, nullptr);
  EXPECT_TRUE(child->redeclares(attribute::kCheckConstraint, "positive"));
  EXPECT_TRUE(child->redeclares(attribute::kColumn, "a"));
}

TEST(InspectIndexes, TellsIndexes) {
  Inspected scene(
      "CREATE TABLE t (a int, b text, c int);"
      "CREATE INDEX by_expression ON t ((lower(b)), a DESC NULLS LAST) INCLUDE (c) WITH (fillfactor = 60) WHERE a > 5;"
      "ALTER INDEX by_expression ALTER COLUMN 1 SET STATISTICS 77;"
      "CREATE UNIQUE INDEX one ON t (a);");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::Index),
      (Lines{
          "index public.t.by_expression {columns: [\"a\",\"c\"], definition: CREATE INDEX by_expression ON public.t USING "
          "btree (lower(b), a DESC NULLS LAST) INCLUDE (c) WITH (fillfactor='60') WHERE (a > 5), statistics: {\"1\":\"77\"}}",
          "index public.t.one {columns: [\"a\"], definition: CREATE UNIQUE INDEX one ON public.t USING btree (a), "
          "unique: true}"}));
  EXPECT_EQ(edges_from(catalog, "index public.t.by_expression"),
            (Lines{"index public.t.by_expression -> column public.t.a", "index public.t.by_expression -> column public.t.b",
                   "index public.t.by_expression -> column public.t.c", "index public.t.by_expression -> table public.t"}));
}

TEST(InspectIndexes, TellsInvalidOnes) {
  Inspected scene("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  EXPECT_EQ(scene.database.attempt("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)"), "23505");
  EXPECT_EQ(
      lines_of(scene.look(), Kind::Index),
      (Lines{"index public.t.broken {columns: [\"a\"], definition: CREATE UNIQUE INDEX broken ON public.t USING btree (a), "
             "invalid: true, unique: true}"}));
}

TEST(InspectIndexes, TellsAnIndexOfAPartitionedTableOnce) {
  Inspected scene(
      "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
      "CREATE INDEX p_a ON ONLY p (a); CREATE INDEX p1_a ON p1 (a)");
  EXPECT_EQ(
      lines_of(scene.look(), Kind::Index),
      (Lines{"index public.p.p_a {columns: [\"a\"], definition: CREATE INDEX p_a ON ONLY public.p USING btree (a), invalid: "
             "true}",
             "index public.p1.p1_a {columns: [\"a\"], definition: CREATE INDEX p1_a ON public.p1 USING btree (a)}"}));
  scene.database.run("ALTER INDEX p_a ATTACH PARTITION p1_a");
  EXPECT_EQ(lines_of(scene.look(), Kind::Index),
            (Lines{"index public.p.p_a {columns: [\"a\"], definition: CREATE INDEX p_a ON ONLY public.p USING btree (a)}"}));
}

TEST(InspectStatistics, TellsExtendedStatistics) {
  Inspected scene(
      "CREATE SCHEMA s; CREATE TABLE t (a int, b int); CREATE STATISTICS s.st (dependencies) ON a, b FROM t;"
      "ALTER STATISTICS s.st SET STATISTICS 50");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog, Kind::Statistics),
      (Lines{"statistics object s.st {definition: CREATE STATISTICS s.st (dependencies) ON a, b FROM public.t, statistics: "
             "50}"}));
  EXPECT_EQ(edges_from(catalog, "statistics"),
            (Lines{"statistics object s.st -> column public.t.a", "statistics object s.st -> column public.t.b",
                   "statistics object s.st -> schema s", "statistics object s.st -> table public.t"}));
}

}  // namespace
}  // namespace athanor::schema
