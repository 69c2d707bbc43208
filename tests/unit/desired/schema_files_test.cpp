#include "migrations/schema/schema_files.hpp"

#include <gtest/gtest.h>

#include "migrations/schema/sql_names.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::schema {
namespace {

using Texts = std::vector<std::string>;

Texts statements(const SchemaText& text) {
  Texts found;
  for (const SchemaStatement& statement : text.statements) {
    found.push_back(statement.place + " " + std::string(statement.sql));
  }
  return found;
}

Texts parsed(const std::string& text) {
  const auto schema = parse_schema_text(text, "s.sql");
  EXPECT_TRUE(schema) << schema.error().describe();
  return schema ? statements(*schema) : Texts{};
}

std::string refused(const std::string& text) {
  const auto schema = parse_schema_text(text, "s.sql");
  return schema ? "accepted" : schema.error().describe();
}

Texts hints(const std::string& text) {
  const auto schema = parse_schema_text(text, "s.sql");
  EXPECT_TRUE(schema);
  Texts found;
  for (const RenameHint& hint : schema->renames) {
    found.push_back(hint.schema + "/" + hint.table + "/" + hint.column + " from " + hint.old_name + " at " + hint.place);
  }
  return found;
}

TEST(SchemaFiles, UnderstandsWhatPgDumpWrites) {
  const std::string dump =
      "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc'def\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n"
      "SET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n"
      "CREATE SCHEMA public;\nALTER SCHEMA public OWNER TO pg_database_owner;\nCREATE SCHEMA shop;\n"
      "CREATE FUNCTION shop.f() RETURNS text LANGUAGE sql AS $$ SELECT E'\\\\restrict;' $$;\n\\connect other\n"
      "CREATE TABLE shop.t (id integer);\n\n\\unrestrict abc'def\n";
  EXPECT_EQ(parsed(dump),
            (Texts{"s.sql:9 SET client_encoding = 'UTF8'", "s.sql:10 SELECT pg_catalog.set_config('search_path', '', false)",
                   "s.sql:12 ALTER SCHEMA public OWNER TO pg_database_owner", "s.sql:13 CREATE SCHEMA shop",
                   "s.sql:14 CREATE FUNCTION shop.f() RETURNS text LANGUAGE sql AS $$ SELECT E'\\\\restrict;' $$",
                   "s.sql:16 CREATE TABLE shop.t (id integer)"}));
}

TEST(SchemaFiles, KeepsTheInsertsOfRails) {
  EXPECT_EQ(parsed("CREATE TABLE a (v text);\nINSERT INTO a (v) VALUES\n('2026'),\n('2025');\n"),
            (Texts{"s.sql:1 CREATE TABLE a (v text)", "s.sql:2 INSERT INTO a (v) VALUES\n('2026'),\n('2025')"}));
}

TEST(SchemaFiles, PassesOverWhatIsTheServers) {
  EXPECT_EQ(parsed("CREATE DATABASE x;\nALTER DATABASE x SET a = b;\nCREATE ROLE app;\nCREATE USER app;\nBEGIN;\nCOMMIT;\n"
                   "COMMENT ON DATABASE x IS 'y';\nGRANT app TO admin;\nREVOKE ADMIN OPTION FOR app FROM admin;\n"
                   "GRANT CONNECT ON DATABASE x TO app;\nCOMMENT ON ROLE app IS 'y';\nCOMMENT ON TABLESPACE t IS 'y';\n"),
            Texts{});
  EXPECT_EQ(parsed("GRANT SELECT ON ALL TABLES IN SCHEMA role TO app; COMMENT ON TABLE database IS 'role';").size(), 2U);
  EXPECT_EQ(parsed("CREATE USER MAPPING FOR app SERVER s;").size(), 1U);
}

TEST(SchemaFiles, RefusesRowsIncludesAndUnknownCommandsWithTheirLine) {
  EXPECT_EQ(refused("CREATE TABLE a (v text);\nCOPY a (v) FROM stdin;\nx\n\\.\n"),
            "s.sql:2: COPY … FROM stdin: the file contains rows");
  EXPECT_EQ(refused("\n\\i other.sql\n"), "s.sql:2: files cannot be included with \\i");
  EXPECT_EQ(refused("\\gexec\n"), "s.sql:1: the psql command \\gexec is not supported");
  EXPECT_EQ(refused("SELECT 1;\nSELECT 'x").substr(0, 7), "s.sql:2");
  for (const std::string statement : {"ALTER SYSTEM SET work_mem = 1000", "create tablespace t location '/t'",
                                      "REASSIGN OWNED BY a TO b", "DROP OWNED BY a"}) {
    EXPECT_EQ(refused("\n" + statement + ";\n"), "s.sql:2: the statement changes the whole server, not a schema");
  }
}

TEST(SchemaFiles, ReadsAFolderInTheOrderOfNames) {
  const test::TempFolder folder;
  folder.write("b/2.sql", "SELECT 2;");
  folder.write("a.sql", "SELECT 1;");
  folder.write(".hidden.sql", "SELECT 0;");
  folder.write("notes.md", "no");
  const auto text = read_schema_files({folder.string()});
  ASSERT_TRUE(text);
  ASSERT_EQ(text->statements.size(), 2U);
  EXPECT_EQ(text->statements[0].sql, "SELECT 1");
  EXPECT_EQ(text->statements[1].place, folder / "b/2.sql:1");
  folder.write("a.sql", "SELECT 3;");
  EXPECT_NE(read_schema_files({folder.string()})->digest, text->digest);
  const auto missing = read_schema_files({folder / "none.sql"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::DesiredSchemaFailed);
}

TEST(RenameHints, AreReadInTheSpellingsOfOtherTools) {
  EXPECT_EQ(hints("-- pista:renamed-from public.old_users\nCREATE TABLE public.users (\n  id int NOT NULL,\n"
                  "  -- pista:renamed-from name\n  display_name text NOT NULL,\n  -- pista:renamed-from k\n"
                  "  CONSTRAINT c CHECK (id > 0),\n  mail text /* @renamed from=email */ NOT NULL\n);\n"),
            (Texts{"public/users/ from old_users at s.sql:1", "public/users/display_name from name at s.sql:4",
                   "public/users/c from k at s.sql:6", "public/users/mail from email at s.sql:8"}));
}

TEST(RenameHints, StandOnTheLineOfTheirTableOrColumn) {
  const std::string text =
      "CREATE TABLE shop.customers ( -- renamed from users\n"
      "  id bigint PRIMARY KEY, -- renamed from user_id\n"
      "  mail text NOT NULL, -- @renamed from=email\n"
      "  total numeric(10, 2)\n"
      "    DEFAULT 0, -- renamed from \"Sum\"\n"
      "  last text -- renamed from final\n"
      ");\n";
  EXPECT_EQ(hints(text), (Texts{"shop/customers/ from users at s.sql:1", "shop/customers/id from user_id at s.sql:2",
                                "shop/customers/mail from email at s.sql:3", "shop/customers/total from Sum at s.sql:5",
                                "shop/customers/last from final at s.sql:6"}));
}

TEST(RenameHints, StandAboveTheirTableOrObject) {
  EXPECT_EQ(
      hints("-- renamed from old\nCREATE TABLE new (id int);\n-- renamed from v\nCREATE OR REPLACE VIEW s.w AS SELECT 1;\n"
            "-- pista:renamed-from public.m\nCREATE MATERIALIZED VIEW n AS SELECT 1;\n"
            "/* @renamed from=i */ CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS j ON new (id);\n"
            "-- renamed from f\nCREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"),
      (Texts{"/new/ from old at s.sql:1", "s/w/ from v at s.sql:3", "/n/ from m at s.sql:5", "/j/ from i at s.sql:7"}));
}

TEST(RenameHints, StandAboveTheirColumnOrConstraint) {
  EXPECT_EQ(hints("CREATE TABLE public.users (id integer NOT NULL,\n"
                  "    -- pista:renamed-from name\n"
                  "    display_name text NOT NULL,\n"
                  "    /* renamed from mail */\n"
                  "    email numeric(10, 2) CHECK (email > 0),\n"
                  "    -- pista:renamed-from users_check\n"
                  "    CONSTRAINT users_positive CHECK (id > 0)\n"
                  ");\n"),
            (Texts{"public/users/display_name from name at s.sql:2", "public/users/email from mail at s.sql:4",
                   "public/users/users_positive from users_check at s.sql:6"}));
}

TEST(RenameHints, AreOfAColumnWhateverItsNameIs) {
  const auto text = parse_schema_text("CREATE TABLE t (\n  \"constraint odd\" int -- renamed from even\n);\n", "s.sql");
  ASSERT_TRUE(text && text->renames.size() == 1U);
  EXPECT_EQ(text->renames[0].column, "constraint odd");
  EXPECT_EQ(text->renames[0].of, RenameHint::Of::Column);
}

TEST(RenameHints, NameTheLabelOfAnEnumBesideThem) {
  const auto text = parse_schema_text(
      "CREATE TYPE order_status /* @renamed from=order_state */ AS ENUM (\n"
      "  'waiting' /* @renamed from=pending */,\n  -- pista:renamed-from 'sent'\n  'shipped');\n",
      "s.sql");
  ASSERT_TRUE(text) << text.error().describe();
  Texts found;
  for (const RenameHint& hint : text->renames) {
    found.push_back(hint.table + "/" + hint.column + " from " + hint.old_name +
                    (hint.of == RenameHint::Of::Label    ? " label"
                     : hint.of == RenameHint::Of::Object ? " object"
                                                         : " other"));
  }
  EXPECT_EQ(found, (Texts{"order_status/ from order_state object", "order_status/waiting from pending label",
                          "order_status/shipped from sent label"}));
}

TEST(SchemaFiles, HoldNoNameThatPostgreSQLWouldCut) {
  const std::string most(63, 'a');
  EXPECT_EQ(parsed("CREATE TABLE " + most + " (id int); -- " + most + most).size(), 1U);
  EXPECT_EQ(parsed("COMMENT ON TABLE t IS '" + most + most + "';").size(), 1U);
  EXPECT_EQ(refused("CREATE TABLE t (id int);\nCREATE TABLE \"" + most + "b\" (id int);"),
            "s.sql:2: the name " + most + "b has 64 bytes, and PostgreSQL truncates names to 63");
  EXPECT_EQ(refused("CREATE TABLE \"" + std::string(31, 'a') + "ääääääääääääääääää\" (id int);").find("s.sql:1: the name "),
            0U);
}

TEST(SchemaNames, OfASearchPathAreResolvedForTheUser) {
  EXPECT_EQ(resolved_search_path(R"("$user", public)", ""), "public");
  EXPECT_EQ(resolved_search_path(R"("$user", public)", "App"), R"("App", public)");
  EXPECT_EQ(resolved_search_path(R"(app, "a, b")", "x"), R"(app, "a, b")");
  EXPECT_EQ(search_path_schemas(R"("", app, "$user", public, pg_catalog)"), Texts{"app"});
  std::set<std::string> created;
  collect_schemas("CREATE SCHEMA IF NOT EXISTS app", created);
  collect_schemas("CREATE SCHEMA AUTHORIZATION ann", created);
  collect_schemas("CREATE TABLE schema_of (id int)", created);
  EXPECT_EQ(created, (std::set<std::string>{"ann", "app"}));
}

TEST(RenameHints, StandBehindTheSemicolonOfTheirTable) {
  EXPECT_EQ(hints("CREATE TABLE new (id int); -- renamed from old\nCREATE TABLE other (id int);\n"),
            Texts{"/new/ from old at s.sql:1"});
}

TEST(RenameHints, NameTheColumnsOnTheLineOfTheirTable) {
  const auto text = parse_schema_text(
      "CREATE TABLE t (a int, b numeric(1,2) -- renamed from x\n, c int);\nCREATE TABLE u (d int, e int); -- renamed from x\n"
      "CREATE TABLE v ( -- renamed from x\n  a int);\n",
      "s.sql");
  ASSERT_TRUE(text);
  ASSERT_EQ(text->renames.size(), 3U);
  EXPECT_EQ(text->renames[0].columns_beside, (Texts{"a", "b"}));
  EXPECT_EQ(text->renames[1].columns_beside, (Texts{"d", "e"}));
  EXPECT_TRUE(text->renames[2].columns_beside.empty());
}

TEST(RenameHints, AreUnclearWhenMoreWordsFollow) {
  const auto text = parse_schema_text(
      "CREATE TABLE t ( -- renamed from T 1\n  a int, -- was renamed from b\n  c int -- renamed from d\n);\n", "s.sql");
  ASSERT_TRUE(text);
  ASSERT_EQ(text->renames.size(), 2U);
  EXPECT_TRUE(text->renames[0].unclear);
  EXPECT_FALSE(text->renames[1].unclear);
}

TEST(RenameHints, MayNameTheOldSchemaAndTable) {
  const auto text =
      parse_schema_text("CREATE TABLE s2.t ( -- renamed from s1.\"T\"\n  a int -- renamed from s1.\"T\".b\n);\n", "s.sql");
  ASSERT_TRUE(text);
  ASSERT_EQ(text->renames.size(), 2U);
  EXPECT_EQ(text->renames[0].old_schema, "s1");
  EXPECT_EQ(text->renames[0].old_name, "T");
  EXPECT_EQ(text->renames[1].old_schema, "s1");
  EXPECT_EQ(text->renames[1].old_table, "T");
  EXPECT_EQ(text->renames[1].old_name, "b");
}

}  // namespace
}  // namespace athanor::schema
