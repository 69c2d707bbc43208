// What Alembic's autogenerate does not see, each by name: it is seen here, written, proven, applied, and then gone.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

TEST(AlembicBlindSpots, EnumValueAdded) {
  SchemaScene scene;
  scene.follow("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (m mood);");
  const auto revision = scene.follow("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE t (m mood);");
  EXPECT_THAT(revision, HasSubstr("-- athanor:step autocommit\nALTER TYPE public.mood ADD VALUE 'ok' AFTER 'sad';"));
}

TEST(AlembicBlindSpots, EnumValueRemovedUnderADefault) {
  SchemaScene scene;
  scene.follow("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE t (m mood DEFAULT 'ok');");
  scene.follow("CREATE TYPE mood AS ENUM ('ok', 'happy'); CREATE TABLE t (m mood DEFAULT 'ok');");
  EXPECT_EQ(scene.database.value("SELECT enum_range(NULL::mood)::text"), "{ok,happy}");
}

TEST(AlembicBlindSpots, EnumTypeDropped) {
  SchemaScene scene;
  scene.follow("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (m text);");
  EXPECT_THAT(scene.follow("CREATE TABLE t (m text);"), HasSubstr("DROP TYPE public.mood"));
}

TEST(AlembicBlindSpots, CheckConstraint) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (n int);");
  EXPECT_THAT(scene.follow("CREATE TABLE t (n int, CONSTRAINT positive CHECK (n > 0));"),
              HasSubstr("CHECK ((n > 0)) NOT VALID"));
  scene.follow("CREATE TABLE t (n int, CONSTRAINT positive CHECK (n > 1));");
  EXPECT_THAT(scene.follow("CREATE TABLE t (n int);"), HasSubstr("DROP CONSTRAINT positive"));
}

TEST(AlembicBlindSpots, PrimaryKeyChanged) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a));");
  EXPECT_THAT(scene.follow("CREATE TABLE t (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a, b));"), HasSubstr("PRIMARY KEY"));
}

TEST(AlembicBlindSpots, PartialIndexAndItsPredicate) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int, gone boolean); CREATE INDEX i ON t (a);");
  scene.follow("CREATE TABLE t (a int, gone boolean); CREATE INDEX i ON t (a) WHERE NOT gone;");
  EXPECT_THAT(scene.database.value("SELECT indexdef FROM pg_indexes WHERE indexname = 'i'"), HasSubstr("WHERE (NOT gone)"));
}

TEST(AlembicBlindSpots, IndexMethodIncludedColumnsAndOptions) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a);");
  scene.follow("CREATE TABLE t (a int, b int); CREATE INDEX i ON t USING btree (a) INCLUDE (b) WITH (fillfactor = 70);");
  scene.follow("CREATE TABLE t (a int, b int); CREATE INDEX i ON t USING hash (a);");
}

TEST(AlembicBlindSpots, ExclusionConstraint) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (during tsrange);");
  EXPECT_THAT(scene.follow("CREATE TABLE t (during tsrange, CONSTRAINT once EXCLUDE USING gist (during WITH &&));"),
              HasSubstr("EXCLUDE USING gist"));
}

TEST(AlembicBlindSpots, ViewAndMaterializedView) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int, b int);");
  scene.follow(
      "CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT a FROM v; CREATE "
      "UNIQUE INDEX m_a ON m (a);");
  scene.follow(
      "CREATE TABLE t (a bigint, b int); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT a FROM v; "
      "CREATE "
      "UNIQUE INDEX m_a ON m (a);");
}

TEST(AlembicBlindSpots, FunctionAndTrigger) {
  SchemaScene scene;
  const std::string table = "CREATE TABLE t (a int);";
  scene.follow(table +
               "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
               "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();");
  EXPECT_THAT(scene.follow(table + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;"
                                   "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"),
              Not(HasSubstr("DROP")));
}

TEST(AlembicBlindSpots, SequenceOptions) {
  SchemaScene scene;
  scene.follow("CREATE SEQUENCE s;");
  scene.follow("CREATE SEQUENCE s AS integer INCREMENT 5 CACHE 10 CYCLE;");
  EXPECT_EQ(scene.database.value("SELECT increment_by FROM pg_sequences WHERE sequencename = 's'"), "5");
}

TEST(AlembicBlindSpots, DomainAndItsConstraint) {
  SchemaScene scene;
  scene.follow("CREATE DOMAIN email AS text; CREATE TABLE t (e email);");
  scene.follow("CREATE DOMAIN email AS text CONSTRAINT at CHECK (VALUE LIKE '%@%'); CREATE TABLE t (e email);");
}

TEST(AlembicBlindSpots, RowLevelSecurityAndPolicies) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (owner text);");
  EXPECT_THAT(scene.follow("CREATE TABLE t (owner text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING "
                           "(owner = current_user);"),
              HasSubstr("ENABLE ROW LEVEL SECURITY"));
}

TEST(AlembicBlindSpots, OneSidedTypeArguments) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (v varchar, n numeric);");
  const auto revision = scene.follow("CREATE TABLE t (v varchar(20), n numeric(10,2));");
  EXPECT_THAT(revision, HasSubstr("character varying(20)"));
  EXPECT_THAT(revision, HasSubstr("numeric(10,2)"));
}

TEST(AlembicBlindSpots, ArrayTypeAndCollation) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (tags text, name text);");
  scene.follow("CREATE TABLE t (tags text, name text COLLATE \"C\");");
}

TEST(AlembicBlindSpots, ForeignKeyRenamedMatchFullAndDeferrable) {
  SchemaScene scene;
  const std::string parent = "CREATE TABLE p (id int PRIMARY KEY);";
  scene.follow(parent + "CREATE TABLE c (p int, CONSTRAINT one FOREIGN KEY (p) REFERENCES p);");
  scene.follow(parent + "CREATE TABLE c (p int, CONSTRAINT two FOREIGN KEY (p) REFERENCES p MATCH FULL DEFERRABLE);");
}

TEST(AlembicBlindSpots, UniqueConstraintBecomesDeferrable) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int, CONSTRAINT u UNIQUE (a));");
  scene.follow("CREATE TABLE t (a int, CONSTRAINT u UNIQUE (a) DEFERRABLE INITIALLY DEFERRED);");
}

TEST(AlembicBlindSpots, UnloggedAndStorage) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (v text);");
  const auto revision = scene.follow("CREATE UNLOGGED TABLE t (v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;");
  EXPECT_THAT(revision, HasSubstr("SET UNLOGGED"));
  EXPECT_THAT(revision, HasSubstr("SET STORAGE"));
}

TEST(AlembicBlindSpots, SchemaCreated) {
  SchemaScene scene;
  EXPECT_THAT(scene.follow("CREATE SCHEMA shop; CREATE TABLE shop.t (a int);"), HasSubstr("CREATE SCHEMA shop"));
}

TEST(AlembicBlindSpots, CircularForeignKeys) {
  SchemaScene scene;
  scene.follow(
      "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
      "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;");
  scene.follow("CREATE TABLE other (id int);");
}

TEST(AlembicBlindSpots, ServerDefaultChanged) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int DEFAULT 1, at timestamptz);");
  EXPECT_THAT(scene.follow("CREATE TABLE t (a int DEFAULT 2, at timestamptz DEFAULT now());"), HasSubstr("SET DEFAULT 2"));
}

}  // namespace
}  // namespace athanor
