// Types, collations, routines, operators, casts and text search objects as facts.
#include "tests/postgres/schema/inspected.hpp"

namespace athanor::schema {
namespace {

TEST(InspectTypes, TellsEnumsInTheOrderOfTheirLabels) {
  Inspected scene("CREATE TYPE mood AS ENUM ('sad', 'happy'); ALTER TYPE mood ADD VALUE 'it''s \"ok\"' BEFORE 'happy'");
  EXPECT_EQ(lines_of(scene.look()), (Lines{R"(enum type public.mood {labels: ["sad","it's \"ok\"","happy"]})"}));
}

TEST(InspectTypes, TellsDomains) {
  Inspected scene("CREATE DOMAIN d AS varchar(5) COLLATE \"C\" DEFAULT 'x' NOT NULL; CREATE DOMAIN over_d AS d");
  const Catalog catalog = scene.look();
  EXPECT_EQ(lines_of(catalog),
            (Lines{"domain public.d {collation: [\"pg_catalog\",\"C\"], default: 'x'::character varying, not_null: true, type: "
                   "character varying(5)}",
                   "domain public.over_d {default: 'x'::character varying, type: public.d}"}));
  EXPECT_EQ(edges_from(catalog, "domain public.over_d"),
            (Lines{"domain public.over_d -> domain public.d", "domain public.over_d -> schema public"}));
}

TEST(InspectTypes, TellsCompositeAndRangeTypesWithoutWhatTheyBringAlong) {
  Inspected scene(
      "CREATE TYPE pair AS (a integer, b text COLLATE \"C\");"
      "CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);"
      "CREATE TABLE t (p pair[], s span_multirange)");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog),
      (Lines{"composite type public.pair {attributes: [[\"a\",\"integer\",\"\"],[\"b\",\"text\",\"pg_catalog.\\\"C\\\"\"]]}",
             "range type public.span {multirange_type_name: span_multirange, subtype: double precision, subtype_diff: "
             "[\"pg_catalog\",\"float8mi\"]}",
             "table public.t {}", "column public.t.p {type: public.pair[]}",
             "column public.t.s {type: public.span_multirange}"}));
  EXPECT_EQ(edges_from(catalog, "column"),
            (Lines{"column public.t.p -> composite type public.pair", "column public.t.p -> table public.t",
                   "column public.t.s -> range type public.span", "column public.t.s -> table public.t"}));
}

TEST(InspectTypes, TellsCollations) {
  Inspected scene("CREATE COLLATION c (provider = libc, locale = 'C')");
  const Lines told = lines_of(scene.look());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front(), "collation public.c {collate: C, ctype: C, provider: c}");
}

TEST(InspectTypes, ATypeNeedsTheTablesWhoseRowsItHolds) {
  Inspected scene(
      "CREATE TABLE t (a int); CREATE TYPE holder AS (rows t[]); CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const Catalog catalog = scene.look();
  EXPECT_EQ(edges_from(catalog, "composite type"),
            (Lines{"composite type public.holder -> schema public", "composite type public.holder -> table public.t"}));
  EXPECT_EQ(edges_from(catalog, "routine"),
            (Lines{"routine public.f(public.t) -> schema public", "routine public.f(public.t) -> table public.t"}));
}

TEST(InspectRoutines, TellsFunctionsAndProcedures) {
  Inspected scene(
      "CREATE FUNCTION twice(x integer, y text DEFAULT 'q') RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = '' AS "
      "'SELECT"
      " x * 2';"
      "CREATE FUNCTION twice(VARIADIC x integer[], OUT a int, OUT b int) LANGUAGE plpgsql AS 'BEGIN a := 1; b := 2; END';"
      "CREATE PROCEDURE act(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := 1; END'");
  EXPECT_EQ(
      lines_of(scene.look()),
      (Lines{"routine public.act(integer) {definition: CREATE OR REPLACE PROCEDURE public.act(INOUT a integer)\n LANGUAGE "
             "plpgsql\nAS $procedure$BEGIN a := 1; END$procedure$, language: plpgsql, routine_kind: procedure, signature: "
             "INOUT a integer}",
             "routine public.twice(integer, text) {definition: CREATE OR REPLACE FUNCTION public.twice(x integer, y text "
             "DEFAULT 'q'::text)\n RETURNS integer\n LANGUAGE sql\n IMMUTABLE\n SET search_path TO ''\nAS $function$SELECT x "
             "* 2$function$, language: sql, result: integer, routine_kind: function, signature: x integer, y text DEFAULT "
             "'q'::text}",
             "routine public.twice(integer[]) {definition: CREATE OR REPLACE FUNCTION public.twice(VARIADIC x integer[], OUT "
             "a integer, OUT b integer)\n RETURNS record\n LANGUAGE plpgsql\nAS $function$BEGIN a := 1; b := 2; "
             "END$function$, language: plpgsql, result: record, routine_kind: function, signature: VARIADIC x integer[], OUT "
             "a integer, OUT b integer}"}));
}

TEST(InspectRoutines, TellsAggregatesAsTheirStatement) {
  const std::string text =
      "CREATE AGGREGATE public.total(integer) (\n  SFUNC = int4pl,\n  STYPE = integer,\n  FINALFUNC = int4abs,\n  "
      "FINALFUNC_MODIFY = SHAREABLE,\n  INITCOND = '0',\n  PARALLEL = SAFE\n)";
  Inspected scene(
      text +
      "; CREATE AGGREGATE empty(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = 0);"
      "CREATE AGGREGATE lowest(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC ="
      " percentile_disc_final, FINALFUNC_EXTRA)");
  const Catalog catalog = scene.look();
  const Fact* total = catalog.find({.kind = Kind::Aggregate, .schema = "public", .name = "total", .arguments = "integer"});
  ASSERT_NE(total, nullptr);
  EXPECT_EQ(total->get(attribute::kDefinition), text);
  EXPECT_NE(catalog.find({.kind = Kind::Aggregate, .schema = "public", .name = "empty", .arguments = "*"}), nullptr);
  EXPECT_NE(
      catalog.find(
          {.kind = Kind::Aggregate, .schema = "public", .name = "lowest", .arguments = "double precision ORDER BY anyelement"}),
      nullptr)
      << testing::PrintToString(lines_of(catalog));
}

// Every statement put together here must make the same object again.
TEST(InspectRoutines, StatementsPutTogetherMakeTheSameObjects) {
  const std::string types =
      "CREATE SCHEMA s; CREATE TYPE s.pair AS (a integer, b text);"
      "CREATE FUNCTION s.eq(s.pair, s.pair) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
      "CREATE FUNCTION s.ne(s.pair, s.pair) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
      "CREATE FUNCTION s.step(bigint, s.pair) RETURNS bigint LANGUAGE sql AS 'SELECT $1';"
      "CREATE FUNCTION s.to_int(s.pair) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
      "CREATE FUNCTION s.cmp(s.pair, s.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';";
  Inspected scene(
      types +
      "CREATE OPERATOR s.=== (FUNCTION = s.eq, LEFTARG = s.pair, RIGHTARG = s.pair, COMMUTATOR = OPERATOR(s.===), RESTRICT = "
      "eqsel,"
      " JOIN = eqjoinsel, HASHES);"
      "CREATE OPERATOR s.@@@ (FUNCTION = s.to_int, RIGHTARG = s.pair);"
      "CREATE AGGREGATE s.total(s.pair) (SFUNC = s.step, STYPE = bigint, INITCOND = '0', MSFUNC = s.step, MINVFUNC = s.step, "
      "MSTYPE"
      " = bigint, MINITCOND = '5');"
      "CREATE CAST (s.pair AS integer) WITH FUNCTION s.to_int(s.pair) AS ASSIGNMENT;"
      "CREATE CAST (s.pair AS bytea) WITH INOUT;"
      "CREATE OPERATOR FAMILY s.fam USING hash;"
      "CREATE OPERATOR CLASS s.hashed FOR TYPE s.pair USING hash FAMILY s.fam AS OPERATOR 1 s.===, FUNCTION 1 s.to_int(s.pair);"
      "CREATE TEXT SEARCH PARSER s.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = "
      "prsd_lextype);"
      "CREATE TEXT SEARCH TEMPLATE s.plain (LEXIZE = dsimple_lexize, INIT = dsimple_init);"
      "CREATE TEXT SEARCH DICTIONARY s.dict (TEMPLATE = s.plain, STOPWORDS = english);"
      "CREATE TEXT SEARCH CONFIGURATION s.conf (PARSER = s.words)");
  const Catalog catalog = scene.look();
  Inspected again(types);
  int made = 0;
  for (const Kind kind :
       {Kind::Operator, Kind::Aggregate, Kind::Cast, Kind::OperatorFamily, Kind::OperatorClass, Kind::TextSearchParser,
        Kind::TextSearchTemplate, Kind::TextSearchDictionary, Kind::TextSearchConfiguration}) {
    for (const Fact& fact : catalog.facts()) {
      if (fact.id.kind == kind) {
        again.database.run(std::string(fact.get(attribute::kDefinition)));
        ++made;
      }
    }
  }
  EXPECT_EQ(made, 11);
  EXPECT_EQ(lines_of(again.look()), lines_of(catalog));
}

TEST(InspectOperators, TellsWhatWasAddedToAFamilyOutsideOfClasses) {
  Inspected scene(
      "CREATE OPERATOR FAMILY f USING btree;"
      "ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (integer, bigint), FUNCTION 1 (integer, bigint) btint48cmp(integer,"
      " bigint)");
  EXPECT_EQ(
      lines_of(scene.look()),
      (Lines{"operator family public.f(btree) {definition: CREATE OPERATOR FAMILY public.f USING btree, members: [\"OPERATOR 1 "
             "<(integer,bigint)\",\"FUNCTION 1 (integer, bigint) btint48cmp(integer,bigint)\"]}"}));
}

TEST(InspectTextSearch, TellsWhichDictionariesTokensGoThrough) {
  Inspected scene(
      "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple, STOPWORDS = english);"
      "CREATE TEXT SEARCH CONFIGURATION c (PARSER = \"default\");"
      "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR asciiword, word WITH d, simple");
  const Catalog catalog = scene.look();
  EXPECT_EQ(
      lines_of(catalog),
      (Lines{
          "text search dictionary public.d {definition: CREATE TEXT SEARCH DICTIONARY public.d (TEMPLATE = "
          "pg_catalog.simple, stopwords = 'english')}",
          "text search configuration public.c {definition: CREATE TEXT SEARCH CONFIGURATION public.c (PARSER = "
          "pg_catalog.\"default\"), mappings: "
          R"([["asciiword",[["public","d"],["pg_catalog","simple"]]],["word",[["public","d"],["pg_catalog","simple"]]]]})"}));
  EXPECT_EQ(edges_from(catalog, "text search configuration"),
            (Lines{"text search configuration public.c -> schema public",
                   "text search configuration public.c -> text search dictionary public.d"}));
}

}  // namespace
}  // namespace athanor::schema
