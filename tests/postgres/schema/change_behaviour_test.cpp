// What people need of a schema diff, one case each: the pair converges both ways in both styles, and the statements are the
// ones that keep data and dependents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/schema_pair.hpp"

namespace athanor::test {
namespace {

using schema::DataLoss;
using schema::Style;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The number of the step that holds a statement with this text; the test fails when none does.
std::size_t step_of(const schema::ChangePlan& plan, const std::string& text) {
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    for (const auto& statement : plan.steps[step].statements) {
      if (statement.sql.find(text) != std::string::npos) {
        return step;
      }
    }
  }
  ADD_FAILURE() << "no statement contains " << text << ":\n" << text_of(plan);
  return plan.steps.size();
}

std::string warnings_of(const schema::ChangePlan& plan) {
  std::string text;
  for (const auto& step : plan.steps) {
    for (const auto& statement : step.statements) {
      for (const auto* lines : {&statement.warnings, &statement.remedy}) {
        for (const std::string& line : *lines) {
          text += line + "\n";
        }
      }
    }
  }
  return text;
}

// Owners are the same everywhere here.
schema::InspectOptions with_privileges() {
  schema::InspectOptions options = every_kind();
  options.owners = false;
  return options;
}

std::vector<std::string> converged(const std::string& from, const std::string& to, Style style = Style::Online) {
  SchemaPair plain(from, to, with_privileges());
  EXPECT_EQ(plain.converge(style == Style::Online ? Style::Plain : Style::Online), "");
  SchemaPair pair(from, to, with_privileges());
  EXPECT_EQ(pair.converge(style), "");
  return pair.statements();
}

// The place of a statement that contains the text; the test fails when there is none.
std::size_t place_of(const std::vector<std::string>& statements, const std::string& text) {
  for (std::size_t place = 0; place < statements.size(); ++place) {
    if (statements[place].find(text) != std::string::npos) {
      return place;
    }
  }
  ADD_FAILURE() << "no statement contains " << text << ":\n" << ::testing::PrintToString(statements);
  return statements.size();
}

TEST(SchemaChange, AddsAnEnumLabelInAStepOfItsOwnBeforeAnyUse) {
  SchemaPair pair("CREATE TYPE e AS ENUM ('a', 'c'); CREATE TABLE t (s e DEFAULT 'a')",
                  "CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (s e DEFAULT 'b')", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.plan().steps.size(), 2U);
  EXPECT_TRUE(pair.plan().steps[0].autocommit);
  EXPECT_EQ(pair.plan().steps[0].statements[0].sql, "ALTER TYPE public.e ADD VALUE 'b' AFTER 'a'");
}

TEST(SchemaChange, RemovesAnEnumLabelUnderEverythingThatUsesTheType) {
  const std::string rest =
      "CREATE DOMAIN d AS e DEFAULT 'a'; CREATE TABLE t (id int, s e DEFAULT 'a' NOT NULL, l e[] DEFAULT '{a}', o d);"
      "CREATE INDEX i ON t (id) WHERE s = 'a'; CREATE VIEW v AS SELECT s, l FROM t; COMMENT ON VIEW v IS 'kept';"
      "CREATE FUNCTION f(e) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE MATERIALIZED VIEW m AS SELECT s FROM v;"
      "CREATE POLICY p ON t USING (s = 'a'); COMMENT ON TYPE e IS 'states';";
  const auto statements =
      converged("CREATE TYPE e AS ENUM ('a', 'b', 'c');" + rest, "CREATE TYPE e AS ENUM ('c', 'a');" + rest);
  EXPECT_THAT(statements, Contains(HasSubstr("ALTER TYPE public.e RENAME TO e__old")));
  EXPECT_THAT(statements, Contains(HasSubstr("ALTER COLUMN s TYPE public.e USING s::text::public.e")));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP COLUMN"))));
}

TEST(SchemaChange, ChangesATypeUnderAChainOfViewsWithAllThatTheyCarry) {
  const std::string rest =
      "CREATE VIEW v1 WITH (security_barrier = true) AS SELECT a FROM t; CREATE VIEW v2 AS SELECT a FROM v1;"
      "CREATE MATERIALIZED VIEW m AS SELECT a FROM v2; CREATE INDEX mi ON m (a);"
      "CREATE POLICY p ON t USING (a::text <> ''); CREATE RULE r AS ON DELETE TO t WHERE old.a::text = '' DO INSTEAD NOTHING;"
      "COMMENT ON VIEW v1 IS 'one'; COMMENT ON COLUMN v2.a IS 'two'; GRANT SELECT ON v1 TO PUBLIC;"
      "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;"
      "CREATE TRIGGER tr INSTEAD OF INSERT ON v1 FOR EACH ROW EXECUTE FUNCTION tf();";
  const auto statements = converged("CREATE TABLE t (a integer DEFAULT 5, g integer GENERATED ALWAYS AS (1) STORED);" + rest,
                                    "CREATE TABLE t (a bigint DEFAULT 5, g integer GENERATED ALWAYS AS (1) STORED);" + rest);
  EXPECT_THAT(statements, Contains(HasSubstr("ALTER COLUMN a TYPE bigint")));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP TABLE"))));
}

TEST(SchemaChange, ReplacesAViewInPlaceWhenItsColumnsOnlyGrow) {
  const std::string table = "CREATE TABLE t (a int, b int); ";
  EXPECT_THAT(converged(table + "CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v",
                        table + "CREATE VIEW v AS SELECT a, b FROM t; CREATE VIEW w AS SELECT a FROM v"),
              ElementsAre(StartsWith("CREATE OR REPLACE VIEW public.v")));
}

TEST(SchemaChange, DropsAndMakesAViewAndItsDependentsWhenAColumnGoes) {
  const std::string table = "CREATE TABLE t (a int, b int); ";
  EXPECT_THAT(converged(table + "CREATE VIEW v AS SELECT b, a FROM t; CREATE VIEW w AS SELECT a FROM v",
                        table + "CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v"),
              ElementsAre("DROP VIEW public.w", "DROP VIEW public.v", StartsWith("CREATE VIEW public.v"),
                          StartsWith("CREATE VIEW public.w")));
}

TEST(SchemaChange, KeepsTheOptionsOfAView) {
  const std::string table = "CREATE TABLE t (a int); ";
  EXPECT_THAT(converged(table + "CREATE VIEW v AS SELECT a FROM t",
                        table + "CREATE VIEW v WITH (security_barrier = true) AS SELECT a FROM t"),
              ElementsAre("ALTER VIEW public.v SET (security_barrier='true')"));
}

TEST(SchemaChange, ChangesTheResultOfAFunctionUnderItsDependents) {
  const std::string rest =
      "CREATE TABLE t (a int DEFAULT f(1), CHECK (f(a) > 0)); CREATE VIEW v AS SELECT f(a) AS x FROM t;"
      "CREATE INDEX i ON t (f(a));";
  const auto statements = converged("CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';" + rest,
                                    "CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1';" + rest);
  EXPECT_THAT(statements, Contains("DROP FUNCTION public.f(integer)"));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP COLUMN"))));
}

TEST(SchemaChange, ReplacesABodyAlone) {
  const std::string rest = "CREATE VIEW v AS SELECT f(1)";
  const auto statements = converged("CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql AS 'SELECT 1';" + rest,
                                    "CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql AS 'SELECT 2';" + rest);
  EXPECT_THAT(statements, Contains(StartsWith("CREATE OR REPLACE FUNCTION public.f")));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP"))));
}

TEST(SchemaChange, MakesAFunctionBeforeItsUseAndAfterTheTablesOfItsBody) {
  const auto statements = converged(
      "CREATE TABLE t (a int)",
      "CREATE TABLE n (x int); CREATE FUNCTION f() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.n';"
      "CREATE TABLE t (a int DEFAULT f(), CHECK (f() >= 0))");
  EXPECT_LT(place_of(statements, "CREATE TABLE public.n"), place_of(statements, "FUNCTION public.f()"));
  EXPECT_LT(place_of(statements, "FUNCTION public.f()"), place_of(statements, "SET DEFAULT"));
}

TEST(SchemaChange, MakesThePrimaryKeyBeforeAViewThatIsGroupedByIt) {
  const auto statements =
      converged("", "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT id, a FROM t GROUP BY id");
  EXPECT_LT(place_of(statements, "PRIMARY KEY"), place_of(statements, "CREATE VIEW"));
}

TEST(SchemaChange, BuildsTheIndexOfAKeyBeforeTheConstraint) {
  EXPECT_THAT(converged("CREATE TABLE t (id int NOT NULL)", "CREATE TABLE t (id int NOT NULL, UNIQUE (id) DEFERRABLE)"),
              ElementsAre("CREATE UNIQUE INDEX CONCURRENTLY t_id_key ON public.t (id)",
                          "ALTER TABLE public.t ADD CONSTRAINT t_id_key UNIQUE USING INDEX t_id_key DEFERRABLE"));
}

TEST(SchemaChange, BuildsAChangedIndexBesideTheOldOne) {
  EXPECT_THAT(converged("CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a)",
                        "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b)"),
              ElementsAre("CREATE INDEX CONCURRENTLY i__new ON public.t USING btree (a, b)", "DROP INDEX CONCURRENTLY public.i",
                          "ALTER INDEX public.i__new RENAME TO i"));
}

TEST(SchemaChange, RenamesAnIndexAndAConstraintThatChangeNothingElse) {
  EXPECT_THAT(converged("CREATE TABLE t (a int, CONSTRAINT c1 CHECK (a > 0)); CREATE INDEX i1 ON t (a)",
                        "CREATE TABLE t (a int, CONSTRAINT c2 CHECK (a > 0)); CREATE INDEX i2 ON t (a)"),
              ElementsAre("ALTER TABLE public.t RENAME CONSTRAINT c1 TO c2", "ALTER INDEX public.i1 RENAME TO i2"));
}

TEST(SchemaChange, BuildsAnIndexOfAPartitionedTablePartitionByPartition) {
  const std::string table =
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);";
  EXPECT_THAT(converged(table, table + "CREATE INDEX i ON p (a)"),
              ElementsAre("CREATE INDEX i ON ONLY public.p USING btree (a)",
                          "CREATE INDEX CONCURRENTLY p1_a_idx ON public.p1 USING btree (a)",
                          "ALTER INDEX public.i ATTACH PARTITION public.p1_a_idx"));
}

TEST(SchemaChange, NamesIndexesOfPartitionsAsPostgresqlDoes) {
  const std::string table =
      "CREATE TABLE p (a int, b text) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);";
  for (const std::string columns : {"lower(b)", "(a + 1), lower(b), upper(b), lower(b || 'x')", "a) INCLUDE (b"}) {
    SchemaPair pair(table, table + "CREATE INDEX i ON p (" + columns + ")", with_privileges());
    ASSERT_EQ(pair.go(Style::Online), "");
    EXPECT_EQ(dump_difference(pair.database().url(), pair.wanted().url()), "") << columns;
  }
}

TEST(SchemaChange, LeavesAnIndexOfAPartitionedTableInvalidIfThatIsDesired) {
  const std::string table =
      "CREATE TABLE p (a int NOT NULL, b text) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO "
      "(9);";
  EXPECT_EQ(SchemaPair(table, table + "CREATE INDEX i ON ONLY p (a);", with_privileges()).converge(), "");
}

TEST(SchemaChange, DetachesAPartitionConcurrentlyAndAttachesItAgain) {
  const std::string parent = "CREATE TABLE p (a int NOT NULL, b text) PARTITION BY RANGE (a);";
  const auto statements = converged(parent + "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)",
                                    parent + "CREATE TABLE p1 (a int NOT NULL, b text)");
  EXPECT_THAT(statements, Contains("ALTER TABLE public.p DETACH PARTITION public.p1 CONCURRENTLY"));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP TABLE"))));
}

TEST(SchemaChange, ValidatesForeignKeysAndChecksInALaterTransaction) {
  SchemaPair pair("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int)",
                  "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int CHECK (a > 0) REFERENCES a)", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.plan().steps.size(), 2U);
  EXPECT_THAT(pair.plan().steps[0].statements[0].sql, HasSubstr("NOT VALID"));
  EXPECT_THAT(pair.plan().steps[1].statements[0].sql, HasSubstr("VALIDATE CONSTRAINT"));
}

TEST(SchemaChange, KeepsAConstraintThatIsNotValid) {
  EXPECT_THAT(
      converged("CREATE TABLE t (a int)", "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID"),
      ElementsAre("ALTER TABLE public.t ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID"));
}

TEST(SchemaChange, SetsNotNullThroughAConstraint) {
  const auto statements = converged("CREATE TABLE t (a int)", "CREATE TABLE t (a int NOT NULL)");
  EXPECT_LT(place_of(statements, "NOT VALID"), place_of(statements, "VALIDATE CONSTRAINT"));
}

TEST(SchemaChange, TurnsASerialColumnIntoAnIdentityThatGoesOnCounting) {
  SchemaPair pair("CREATE TABLE t (id serial PRIMARY KEY, a int); INSERT INTO t (a) VALUES (1), (2), (3)",
                  "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int)", with_privileges());
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(pair.database().value("INSERT INTO public.t (a) VALUES (4) RETURNING id"), "4");
  ASSERT_EQ(pair.go_back(Style::Online), "");
  EXPECT_EQ(pair.database().value("INSERT INTO public.t (a) VALUES (5) RETURNING id"), "5");
}

TEST(SchemaChange, ChangesTheExpressionOfAGeneratedColumn) {
  const auto statements =
      converged("CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a * 2) STORED); CREATE VIEW v AS SELECT g FROM t",
                "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a * 3) STORED); CREATE VIEW v AS SELECT g FROM t");
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP TABLE"))));
}

TEST(SchemaChange, TurnsAGeneratedColumnIntoAPlainOneInPlace) {
  EXPECT_THAT(converged("CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a) STORED)", "CREATE TABLE t (a int, g int)"),
              ElementsAre("ALTER TABLE public.t ALTER COLUMN g DROP EXPRESSION"));
}

TEST(SchemaChange, FindsNoDifferenceBetweenSpellingsOfOneExpression) {
  EXPECT_THAT(
      converged(
          "CREATE TABLE t (a text DEFAULT 'x' CHECK (a IN ('x', 'y')), b varchar(3) DEFAULT 'q'::varchar)",
          "CREATE TABLE t (a text DEFAULT 'x'::text CHECK (a = ANY (ARRAY['x'::text, 'y'::text])), b varchar(3) DEFAULT 'q')"),
      ElementsAre());
}

TEST(SchemaChange, MakesAndDropsTablesThatReferToEachOther) {
  const auto statements =
      converged("",
                "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b");
  EXPECT_LT(place_of(statements, "CREATE TABLE public.b"), place_of(statements, "FOREIGN KEY (b)"));
}

TEST(SchemaChange, RaisesTheMinimumOfASequencePastItsPosition) {
  SchemaPair pair("CREATE SEQUENCE s; SELECT nextval('s')", "CREATE SEQUENCE s MINVALUE 1000 START 1000", with_privileges());
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(pair.database().value("SELECT nextval('public.s')"), "1000");
  SchemaPair further("CREATE SEQUENCE s; SELECT setval('s', 5000)", "CREATE SEQUENCE s MINVALUE 1000 START 1000",
                     with_privileges());
  ASSERT_EQ(further.go(Style::Online), "");
  EXPECT_EQ(further.database().value("SELECT nextval('public.s')"), "5001");
}

TEST(SchemaChange, MovesTheLimitsOfASequenceApart) {
  converged("CREATE SEQUENCE s MINVALUE 1 MAXVALUE 50;", "CREATE SEQUENCE s MINVALUE 100 MAXVALUE 200;");
  converged("CREATE SEQUENCE s AS smallint MAXVALUE 50;", "CREATE SEQUENCE s MINVALUE 100000 MAXVALUE 200000;");
  converged("CREATE SEQUENCE s INCREMENT -1 MINVALUE -50;", "CREATE SEQUENCE s INCREMENT -1 MINVALUE -200 MAXVALUE -100;");
  const auto identity = [](const std::string& limits) {
    return "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (" + limits + "));";
  };
  converged(identity("MINVALUE 1 MAXVALUE 50"), identity("MINVALUE 100 MAXVALUE 200"));
  // A sequence that was used does not start again.
  SchemaPair pair("CREATE SEQUENCE s; SELECT setval('s', 70)", "CREATE SEQUENCE s MAXVALUE 50", with_privileges());
  EXPECT_THAT(pair.go(Style::Plain), HasSubstr("MAXVALUE"));
}

TEST(SchemaChange, ChangesTypeOwnerAndCycleOfASequence) {
  (void)converged("CREATE TABLE t (a int); CREATE SEQUENCE s AS integer CYCLE OWNED BY t.a",
                  "CREATE TABLE t (a int); CREATE SEQUENCE s INCREMENT 5 MAXVALUE 99");
}

TEST(SchemaChange, ChangesThePhysicalAttributesOfTablesAndColumns) {
  (void)converged("CREATE TABLE t (a text, b int NOT NULL UNIQUE); ALTER TABLE t CLUSTER ON t_b_key",
                  "CREATE TABLE t (a text, b int NOT NULL UNIQUE) WITH (fillfactor = 70, toast.autovacuum_enabled = false);"
                  "ALTER TABLE t ALTER a SET STORAGE external, ALTER a SET STATISTICS 77, ALTER a SET (n_distinct = 5),"
                  "ALTER a SET COMPRESSION pglz, REPLICA IDENTITY USING INDEX t_b_key");
}

TEST(SchemaChange, ChangesTheTypeThatATableIsOf) {
  (void)converged("CREATE TYPE r AS (a int, b text); CREATE TABLE t (a int, b text)",
                  "CREATE TYPE r AS (a int, b text); CREATE TABLE t OF r");
}

TEST(SchemaChange, KeepsADefaultThatAPartitionHasOfItsOwn) {
  const std::string end =
      " PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (9) TO (19); ALTER TABLE p1 ALTER b SET DEFAULT 'own';";
  (void)converged("CREATE TABLE p (a int, b text DEFAULT 'x')" + end, "CREATE TABLE p (a int, b text DEFAULT 'y')" + end);
}

TEST(SchemaChange, SetsChangesAndRemovesCommentsOnEverything) {
  const std::string objects =
      "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (a int PRIMARY KEY CONSTRAINT c CHECK (a > 0)); CREATE INDEX i ON t (a);"
      "CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;"
      "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE SEQUENCE s; CREATE DOMAIN d AS int;"
      "CREATE POLICY p ON t USING (true); CREATE STATISTICS st ON a, (a + 1) FROM t;";
  const std::string comments =
      "COMMENT ON TYPE e IS 'x'; COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.a IS 'x'; COMMENT ON CONSTRAINT c ON t IS 'x';"
      "COMMENT ON INDEX i IS 'it''s \\'; COMMENT ON VIEW v IS 'x'; COMMENT ON COLUMN v.a IS 'x'; COMMENT ON FUNCTION f() IS "
      "'x';"
      "COMMENT ON TRIGGER g ON t IS 'x'; COMMENT ON SEQUENCE s IS 'x'; COMMENT ON DOMAIN d IS 'x'; COMMENT ON POLICY p ON t IS "
      "'x';"
      "COMMENT ON STATISTICS st IS 'x'; COMMENT ON INDEX t_pkey IS 'x'; COMMENT ON SCHEMA public IS 'x';";
  (void)converged(objects, objects + comments);
}

TEST(SchemaChange, MakesAndDropsWhatTextSearchNeeds) {
  const auto schema = [](const std::string& headline) {
    return "CREATE TEXT SEARCH PARSER p (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = "
           "prsd_lextype" +
           headline +
           "); CREATE TEXT SEARCH TEMPLATE t (LEXIZE = dsimple_lexize); CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = t);"
           "CREATE TEXT SEARCH CONFIGURATION c (PARSER = p); COMMENT ON TEXT SEARCH PARSER p IS 'mine';";
  };
  converged("", schema(""));
  converged(schema(""), schema(", HEADLINE = prsd_headline"));
}

TEST(SchemaChange, ChangesTheMappingsOfATextSearchConfigurationInPlace) {
  const std::string make = "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple); ALTER TEXT SEARCH CONFIGURATION c ";
  const std::string rest = "; CREATE TABLE t (v text); CREATE INDEX i ON t USING gin (to_tsvector('c', v));";
  const auto statements = converged(make + "DROP MAPPING FOR url" + rest,
                                    make +
                                        "DROP MAPPING FOR int; ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH "
                                        "english_stem, simple" +
                                        rest);
  EXPECT_THAT(statements, Not(Contains(HasSubstr("TEXT SEARCH CONFIGURATION public.c ("))));
  EXPECT_EQ(statements.size(), 3U) << ::testing::PrintToString(statements);
}

TEST(SchemaChange, GivesTheSchemaPublicItsUsualCommentBack) {
  EXPECT_THAT(converged("COMMENT ON SCHEMA public IS 'mine'", "SELECT 1"),
              ElementsAre("COMMENT ON SCHEMA public IS 'standard public schema'"));
  SchemaPair pair("COMMENT ON SCHEMA public IS 'mine'", "SELECT 1", with_privileges());
  ASSERT_EQ(pair.go(Style::Plain), "");
  EXPECT_EQ(dump_difference(pair.database().url(), pair.wanted().url()), "");
}

TEST(SchemaChange, ChangesPrivilegesOfEveryForm) {
  SchemaPair roles("", "");
  (void)roles.database().attempt("CREATE ROLE app_reader");
  const std::string objects =
      "CREATE TABLE t (a int, b int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE e AS ENUM ();";
  (void)converged(
      objects + "GRANT SELECT, UPDATE ON t TO app_reader WITH GRANT OPTION; GRANT USAGE ON SCHEMA public TO app_reader",
      objects +
          "GRANT SELECT ON t TO app_reader; GRANT INSERT (a, b) ON t TO app_reader;"
          "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC; REVOKE USAGE ON TYPE e FROM PUBLIC;"
          "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app_reader;"
          "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"
          "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO app_reader");
}

// initdb grants on it, so what PUBLIC has there differs from any other schema.
TEST(SchemaChange, ChangesThePrivilegesOfTheSchemaPublic) {
  EXPECT_THAT(converged("", "REVOKE ALL ON SCHEMA public FROM PUBLIC"),
              Contains(HasSubstr("USAGE ON SCHEMA public FROM PUBLIC")));
  (void)converged("GRANT CREATE ON SCHEMA public TO PUBLIC", "");
  (void)converged("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC");
  (void)converged("", "DROP SCHEMA public; CREATE SCHEMA public");
  (void)converged("", "DROP SCHEMA public; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC");
  (void)converged("DROP SCHEMA public; CREATE SCHEMA s", "CREATE SCHEMA s; CREATE TABLE t (id int)");
  (void)converged("DROP SCHEMA public; CREATE SCHEMA s", "CREATE SCHEMA s; REVOKE ALL ON SCHEMA public FROM PUBLIC");
}

TEST(SchemaChange, KeepsPrivilegesOnColumnsWhenThoseOnTheTableGo) {
  SchemaPair roles("", "");
  (void)roles.database().attempt("CREATE ROLE app_reader");
  const std::string table = "CREATE TABLE t (a int, b int); GRANT SELECT (b) ON t TO app_reader;";
  (void)converged(table + "GRANT SELECT, UPDATE ON t TO app_reader", table + "GRANT UPDATE (a) ON t TO app_reader");
}

TEST(SchemaChange, LeavesClonesOfPartitionsAlone) {
  const std::string table =
      "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE p (a int PRIMARY KEY REFERENCES r, b int CHECK (b > 0)) PARTITION BY "
      "RANGE (a);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;"
      "CREATE TRIGGER g BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); CREATE INDEX i ON p (b);";
  EXPECT_THAT(converged(table, table + "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)"),
              ElementsAre("CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (1) TO (9)"));
}

TEST(SchemaChange, RenamesWithoutLosingData) {
  const std::string to =
      "CREATE TABLE people (id int PRIMARY KEY, full_name text); CREATE VIEW v AS SELECT full_name FROM people";
  SchemaPair pair(
      "CREATE TABLE users (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT name AS full_name FROM users;"
      "INSERT INTO users VALUES (1, 'x')",
      to, with_privileges());
  const std::vector<schema::Rename> renames{
      {{.kind = schema::Kind::Table, .schema = "public", .name = "users"},
       {.kind = schema::Kind::Table, .schema = "public", .name = "people"}},
      {{.kind = schema::Kind::Column, .schema = "public", .parent = "users", .name = "name"},
       {.kind = schema::Kind::Column, .schema = "public", .parent = "people", .name = "full_name"}}};
  const auto statements = rename_statements(renames);
  ASSERT_TRUE(statements.has_value());
  for (const auto& statement : *statements) {
    pair.database().run(statement.sql);
  }
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(pair.database().value("SELECT full_name FROM public.people"), "x");
  EXPECT_THAT(pair.statements(), Contains("ALTER TABLE public.people RENAME CONSTRAINT users_pkey TO people_pkey"));
  EXPECT_THAT(pair.statements(), Each(HasSubstr(" RENAME CONSTRAINT ")));
}

TEST(SchemaChange, NeverRemakesATableForAChangeOfItsColumns) {
  SchemaPair pair("CREATE TABLE t (a int, b text, c int)", "CREATE TABLE t (c bigint, a text, d int)", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  for (const auto& line : pair.plan().summary) {
    EXPECT_THAT(line.text, Not(HasSubstr("table"))) << line.text;
  }
}

TEST(SchemaChange, ExplainsWhyATableOfTheSameNameIsRecreated) {
  SchemaPair pair("CREATE TABLE t (a int)", "CREATE TABLE t (a int) PARTITION BY RANGE (a)", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.plan().summary.size(), 1U);
  EXPECT_EQ(pair.plan().summary[0].loss, DataLoss::Certain);
  EXPECT_THAT(pair.plan().summary[0].text, HasSubstr("cannot do that in place"));
}

TEST(SchemaChange, QuotesNamesThatAreKeywordsOrNotPlain) {
  (void)converged(
      "",
      "CREATE SCHEMA \"order\"; CREATE TABLE \"order\".\"user\" (\"table\" int PRIMARY KEY, \"It's\" text DEFAULT 'a\\b',"
      "\"we\"\"ird\" int); CREATE INDEX \"Group\" ON \"order\".\"user\" (\"It's\"); COMMENT ON COLUMN "
      "\"order\".\"user\".\"we\"\"ird\" IS 'x'");
}

TEST(SchemaChange, SetsTheDefaultBeforeItRefusesNull) {
  SchemaPair pair("CREATE TABLE t (id int PRIMARY KEY, s int)", "CREATE TABLE t (id int PRIMARY KEY, s int NOT NULL DEFAULT 0)",
                  with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_THAT(pair.statements().front(), HasSubstr("SET DEFAULT 0"));
  EXPECT_THAT(warnings_of(pair.plan()), HasSubstr("-- athanor:step batch table=public.t key=id\n"
                                                  "UPDATE public.t SET s = 0 WHERE s IS NULL AND {batch};"));
}

TEST(SchemaChange, RemakesAViewInTheTransactionThatChangesItsColumn) {
  const std::string view = "CREATE VIEW v AS SELECT a FROM t";
  SchemaPair pair("CREATE TABLE t (id int PRIMARY KEY, a int); " + view,
                  "CREATE TABLE t (id int PRIMARY KEY, a bigint NOT NULL CHECK (a > 0)); CREATE INDEX i ON t (a); " + view,
                  with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(step_of(pair.plan(), "DROP VIEW public.v"), step_of(pair.plan(), "CREATE VIEW public.v"));
}

TEST(SchemaChange, ExchangesAKeyInOneTransaction) {
  for (const auto& [from, to] : {std::pair("CONSTRAINT ux UNIQUE (x)", "CONSTRAINT ux UNIQUE (x) INCLUDE (id)"),
                                 std::pair("CONSTRAINT ux PRIMARY KEY (x)", "CONSTRAINT ux PRIMARY KEY (x, id)")}) {
    const std::string table = "CREATE TABLE t (id int NOT NULL, x int NOT NULL, ";
    SchemaPair pair(table + from + ")", table + to + ")", with_privileges());
    ASSERT_EQ(pair.converge(), "");
    ASSERT_EQ(pair.go(Style::Online), "");
    EXPECT_THAT(pair.statements().front(), StartsWith("CREATE UNIQUE INDEX CONCURRENTLY ux__new"));
    EXPECT_EQ(step_of(pair.plan(), "DROP CONSTRAINT ux"), step_of(pair.plan(), "USING INDEX ux__new"));
  }
}

TEST(SchemaChange, ExchangesAForeignKeyInOneTransaction) {
  const std::string tables = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE k (p int REFERENCES p";
  SchemaPair pair(tables + ")", tables + " ON DELETE CASCADE DEFERRABLE)", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(step_of(pair.plan(), "DROP CONSTRAINT k_p_fkey"), step_of(pair.plan(), "ADD CONSTRAINT k_p_fkey"));
}

TEST(SchemaChange, KeepsAForeignKeyWithTheKeyThatItNeedsWhileThatChanges) {
  const std::string child = "CREATE TABLE k (p int REFERENCES p (x))";
  SchemaPair pair("CREATE TABLE p (id int, x int, CONSTRAINT ux UNIQUE (x)); " + child,
                  "CREATE TABLE p (id int, x int, CONSTRAINT ux UNIQUE (x) INCLUDE (id)); " + child, with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(step_of(pair.plan(), "DROP CONSTRAINT k_p_fkey"), step_of(pair.plan(), "ADD CONSTRAINT k_p_fkey"));
  EXPECT_EQ(step_of(pair.plan(), "DROP CONSTRAINT ux"), step_of(pair.plan(), "DROP CONSTRAINT k_p_fkey"));
}

TEST(SchemaChange, MovesTheBoundsOfAPartitionInOneTransaction) {
  const std::string parent = "CREATE TABLE p (a int NOT NULL) PARTITION BY RANGE (a);";
  SchemaPair pair(parent + "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)",
                  parent + "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (19)", with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(step_of(pair.plan(), "DETACH PARTITION"), step_of(pair.plan(), "ATTACH PARTITION public.p1 FOR VALUES"));
  EXPECT_THAT(pair.statements(), Not(Contains(HasSubstr("CONCURRENTLY"))));
}

TEST(SchemaChange, SaysThatAPlainColumnLosesItsValuesWhenItIsGenerated) {
  SchemaPair pair("CREATE TABLE t (a int, b int)", "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED)",
                  with_privileges());
  ASSERT_EQ(pair.go(Style::Online), "");
  ASSERT_EQ(pair.plan().summary.size(), 1U);
  EXPECT_EQ(pair.plan().summary[0].loss, DataLoss::Certain);
}

TEST(SchemaChange, RebuildsAnIndexWhoseFunctionHasANewBody) {
  const std::string rest =
      "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (f(a)) STORED); CREATE INDEX i ON t (f(a)); CREATE INDEX plain ON t "
      "(a)";
  SchemaPair pair("CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';" + rest,
                  "CREATE FUNCTION f(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';" + rest, with_privileges());
  ASSERT_EQ(pair.converge(), "");
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_LT(place_of(pair.statements(), "CREATE OR REPLACE FUNCTION"),
            place_of(pair.statements(), "REINDEX INDEX CONCURRENTLY public.i"));
  EXPECT_THAT(pair.statements(), Not(Contains(HasSubstr("public.plain"))));
  EXPECT_THAT(warnings_of(pair.plan()), HasSubstr("stored values of public.t.g"));
}

TEST(SchemaChange, ConvertsACompositeColumnAttributeByAttribute) {
  SchemaPair pair(
      "CREATE TYPE addr AS (street text, zip int); CREATE TABLE t (id int, ad addr);"
      "INSERT INTO t VALUES (1, ('Main', 7)), (2, NULL)",
      "CREATE TYPE addr AS (street text, zip text, city text); CREATE TABLE t (id int, ad addr)", with_privileges());
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(pair.database().value("SELECT ad::text FROM t WHERE id = 1"), "(Main,7,)");
  EXPECT_EQ(pair.database().value("SELECT count(*) FROM t WHERE ad IS NOT DISTINCT FROM NULL"), "1");
}

TEST(SchemaChange, RefusesToConvertACompositeInsideAnotherType) {
  const std::string table = "CREATE TABLE t (ad addr[])";
  SchemaPair pair("CREATE TYPE addr AS (street text, zip int);" + table,
                  "CREATE TYPE addr AS (street text, zip text, city text);" + table, with_privileges());
  const auto plan = plan_changes(pair.before(), pair.after());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::SchemaChangeRefused);
  EXPECT_THAT(plan.error().message, HasSubstr("addr"));
}

TEST(SchemaChange, NeverTakesASequenceForRenamed) {
  SchemaPair pair("CREATE SEQUENCE sq", "CREATE SEQUENCE sq2", with_privileges());
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_THAT(pair.statements(), ElementsAre("DROP SEQUENCE public.sq", StartsWith("CREATE SEQUENCE public.sq2")));
}

}  // namespace
}  // namespace athanor::test
