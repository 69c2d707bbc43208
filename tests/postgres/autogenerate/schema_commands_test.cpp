#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

void write_revision(const SchemaScene& scene, const std::string& id, const std::string& revises, const std::string& up,
                    const std::string& down) {
  scene.folder.write("migrations/versions/" + id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id +
                                                               "\n-- Revises: " + revises + "\n\n-- athanor:upgrade\n" + up +
                                                               "\n\n" + down + "\n");
}

std::string down(const std::string& sql) {
  return "-- athanor:downgrade\n" + sql;
}

TEST(Inspect, PrintsSqlThatMakesTheSchema) {
  SchemaScene scene;
  scene.database.run("CREATE TABLE a (id int PRIMARY KEY, v text DEFAULT 'x'); CREATE VIEW w AS SELECT id FROM a;");
  const auto printed = scene.run({"inspect"});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  test::TestDatabase other;
  other.run(printed.out);
  EXPECT_EQ(other.schema_fingerprint(), scene.database.schema_fingerprint());
}

TEST(Inspect, PrintsAScriptThatPsqlRunsStatementByStatement) {
  SchemaScene scene;
  scene.database.run("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const auto printed = scene.run({"inspect"});
  EXPECT_THAT(printed.out, HasSubstr("\nSET check_function_bodies = off;\n"));
  EXPECT_THAT(printed.out, Not(HasSubstr("SET LOCAL")));
}

TEST(Inspect, GivesFactsInJsonAndFilters) {
  SchemaScene scene;
  scene.database.run("CREATE TABLE a (id int); CREATE TABLE b (id int);");
  const Json json = scene.json({"inspect", "--table", "a"});
  EXPECT_EQ(json["exit_code"], 0);
  const std::string facts = json["facts"].dump();
  EXPECT_THAT(facts, HasSubstr("\"name\":\"a\""));
  EXPECT_THAT(facts, Not(HasSubstr("\"name\":\"b\"")));
  EXPECT_EQ(json["fingerprint"].get<std::string>().size(), 64U);
}

TEST(Inspect, DrawsTablesAndForeignKeys) {
  SchemaScene scene;
  scene.database.run(
      "CREATE SCHEMA shop; CREATE TABLE customers (id bigint PRIMARY KEY, email varchar(20) UNIQUE); CREATE TABLE shop.orders "
      "(id int "
      "PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, parent int REFERENCES shop.orders);");
  EXPECT_EQ(scene.run({"inspect", "--format", "mermaid"}).out,
            "erDiagram\n  \"customers\" {\n    bigint id PK\n    character_varying(20) email UK\n  }\n  \"shop.orders\" {\n    "
            "integer id PK\n    bigint customer FK\n    integer parent FK\n  }\n  \"shop.orders\" }o--|| \"customers\" : "
            "\"customer\"\n  \"shop.orders\" }o--o| \"shop.orders\" : \"parent\"\n");
}

TEST(Inspect, DrawsAnEntityDiagram) {
  SchemaScene scene;
  scene.database.run(
      "CREATE SCHEMA shop; CREATE TABLE customers (id bigint PRIMARY KEY, \"a<b>&c\" text); CREATE TABLE shop.orders (id "
      "int "
      "PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, parent int REFERENCES shop.orders);"
      "CREATE TABLE one (id int PRIMARY KEY, other int); CREATE TABLE other (id int PRIMARY KEY, one int REFERENCES one);"
      "ALTER TABLE one ADD FOREIGN KEY (other) REFERENCES other;");
  const auto drawn = scene.run({"inspect", "--format", "svg"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  EXPECT_THAT(drawn.out, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(drawn.out, HasSubstr("<title>shop.orders (customer) refers to customers</title>"));
  EXPECT_THAT(drawn.out, HasSubstr("<title>shop.orders (parent) refers to shop.orders</title>"));
  EXPECT_THAT(drawn.out, HasSubstr("<title>one (other) refers to other</title>")) << "keys in a circle";
  EXPECT_THAT(drawn.out, HasSubstr("a&lt;b&gt;&amp;"));
  EXPECT_EQ(scene.run({"inspect", "--format", "svg"}).out, drawn.out);
  EXPECT_EQ(scene.json({"inspect", "--format", "svg"})["svg"], drawn.out);
  EXPECT_EQ(scene.run({"inspect", "--format", "png"}).exit_code, 2);
}

TEST(Inspect, DrawsInheritedColumnsWithTheirTypes) {
  SchemaScene scene;
  scene.schema(
      "CREATE TABLE p (a int); CREATE TABLE c (b int) INHERITS (p); ALTER TABLE c ALTER a SET NOT NULL;"
      "CREATE TABLE c2 () INHERITS (c); CREATE TABLE c3 (PRIMARY KEY (a)) INHERITS (p); CREATE TABLE \"two\nlines\" (a int);");
  const auto drawn = scene.run({"inspect", "schema.sql", "--format", "mermaid"});
  EXPECT_EQ(drawn.out,
            "erDiagram\n  \"c\" {\n    integer a\n    integer b\n  }\n  \"c2\" {\n    integer a\n    integer b\n  }\n"
            "  \"c3\" {\n    integer a PK\n  }\n  \"p\" {\n    integer a\n  }\n"
            "  \"two\\x0alines\" {\n    integer a\n  }\n")
      << drawn.err;
}

TEST(Diff, TakesDatabasesRevisionsFilesAndWhatIsDesired) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", down("DROP TABLE a;"));
  write_revision(scene, "r2", "r1", "CREATE TABLE b (id int);", down("DROP TABLE b;"));
  scene.schema("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);");
  EXPECT_THAT(scene.run({"diff", "r1", "head"}).out, HasSubstr("CREATE TABLE public.b"));
  EXPECT_THAT(scene.run({"diff", "head", "base", "--format", "summary"}).out, HasSubstr("- table"));
  EXPECT_THAT(scene.run({"diff", "head", "desired"}).out, HasSubstr("CREATE TABLE public.c"));
  EXPECT_THAT(scene.run({"diff", "database", "schema.sql"}).out, HasSubstr("CREATE TABLE public.a"));
  scene.database.run("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);");
  EXPECT_EQ(scene.run({"diff", scene.database.url(), "desired"}).out, "No difference.\n");
  const Json json = scene.json({"diff", "r1", "r2"});
  EXPECT_EQ(json["summary"][0]["change"], "add");
  EXPECT_EQ(json["statements"][0]["autocommit"], false);
  const auto unknown = scene.run({"diff", "nowhere", "head"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("'nowhere' is not a schema"));
}

TEST(TestCommand, PassesWhenEveryDowngradeLeadsBack) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", down("DROP TABLE a;"));
  write_revision(scene, "r2", "r1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON a (id);",
                 down("DROP INDEX i;"));
  const auto result = scene.run({"test"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(result.out, "2 revisions up, down and up again: the schema is the same each time.\n");
  EXPECT_EQ(scene.json({"test"})["runs"], 6);
}

TEST(TestCommand, NamesTheRevisionWhoseDowngradeDoesNotLeadBack) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", down("DROP TABLE a;"));
  write_revision(scene, "r2", "r1", "ALTER TABLE a ADD COLUMN v text;\nCREATE INDEX i ON a (id);", down("DROP INDEX i;"));
  write_revision(scene, "r3", "r2", "CREATE TABLE c (id int);", down("DROP TABLE c;"));
  const auto result = scene.run({"test"});
  EXPECT_EQ(result.exit_code, 16) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("the downgrade of revision r2 does not restore the schema at r1:\n  + column"));
}

TEST(TestCommand, TellsAnEmptyDowngradeFromOneThatIsWrong) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", down(""));
  const auto result = scene.run({"test"});
  EXPECT_EQ(result.exit_code, 16) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr("the downgrade of revision r1 does not restore the schema at <base>"));
  EXPECT_THAT(result.err, HasSubstr("the downgrade of r1 is empty: write it, or mark the revision as irreversible"));
  const Json json = scene.json({"test"});
  EXPECT_EQ(json["failures"].size(), 1U) << json;
}

TEST(TestCommand, StopsAtAnIrreversibleRevision) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", "-- athanor:irreversible the rows are gone");
  write_revision(scene, "r2", "r1", "CREATE TABLE b (id int);", down("DROP TABLE b;"));
  const auto result = scene.run({"test"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the downgrade ends at revision r1: it is irreversible: the rows are gone"));
}

TEST(TestCommand, NamesTheDowngradeThatFails) {
  SchemaScene scene;
  write_revision(scene, "r1", "", "CREATE TABLE a (id int);", down("DROP TABLE b;"));
  const auto result = scene.run({"test"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("the downgrade of revision r1 fails: "));
}

TEST(TestCommand, RunsRevisionsThatCreateTheirRolesMoreThanOnce) {
  SchemaScene scene;
  scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_keep: 5s\n");  // on a throwaway server
  write_revision(scene, "r1", "",
                 "CREATE ROLE shop_app;\nCREATE TABLE a (id int);\nGRANT SELECT ON a TO shop_app, shop_reader;",
                 down("DROP TABLE a;\nDROP ROLE shop_app;"));
  EXPECT_EQ(scene.run({"test"}).exit_code, 0);
  const auto again = scene.run({"test"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
}

// The statements would run for real: the target's server has them behind it.
TEST(ScratchOnTarget, RunsNothingThatReachesBeyondTheDatabase) {
  SchemaScene scene;
  const test::TestRole role(scene.database);
  for (const std::string& settings : {std::string("scratch_on_target: true\n"), "scratch_url: " + test::server_url() + "\n"}) {
    for (const std::string& sql :
         {"ALTER ROLE " + role.name() + " CONNECTION LIMIT 3;", std::string("COPY (SELECT 1) TO PROGRAM 'cat';"),
          std::string("DO $$ BEGIN EXECUTE 'ALTER SYSTEM SET work_mem = 1'; END $$;")}) {
      scene.folder.write("athanor.yaml", settings);
      write_revision(scene, "r1", "", "CREATE TABLE a (id int);\n" + sql, down("DROP TABLE a;"));
      for (const std::vector<std::string>& command :
           std::vector<std::vector<std::string>>{{"test"}, {"rehearse"}, {"diff", "base", "head"}, {"check", "--drift"}}) {
        if (command.front() == "check") {
          EXPECT_EQ(scene.run({"stamp", "r1"}).exit_code, 0);
        }
        const auto result = scene.run(command);
        // rehearse refuses such statements on any server that is not a temporary one.
        const bool rehearses = command.front() == "rehearse";
        EXPECT_EQ(result.exit_code, rehearses ? 10 : 16) << command.front() << " " << sql << result.out << result.err;
        EXPECT_THAT(result.err,
                    HasSubstr(rehearses ? "cannot be undone after a rehearsal" : "the target's own server: nothing was run"))
            << command.front() << sql;
        EXPECT_THAT(result.err, HasSubstr("r1.sql:8"));
      }
      EXPECT_EQ(scene.run({"stamp", "base"}).exit_code, 0);
    }
  }
  EXPECT_EQ(scene.database.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = '" + role.name() + "'"), "-1");
}

TEST(ScratchOnTarget, RunsNoDesiredSchemaThatReachesBeyondTheDatabase) {
  SchemaScene scene;
  const test::TestRole role(scene.database);
  const test::TestRole group(scene.database);
  for (const std::string& settings : {std::string("scratch_on_target: true\n"), "scratch_url: " + test::server_url() + "\n"}) {
    scene.folder.write("athanor.yaml", settings + "desired_schema: schema.sql\n");
    for (const std::string& sql :
         {"DO $$ BEGIN GRANT " + group.name() + " TO " + role.name() + "; END $$;",
          std::string("COPY (SELECT 1) TO PROGRAM 'cat';"), std::string("SELECT pg_terminate_backend(1);")}) {
      scene.folder.write("schema.sql", "CREATE TABLE a (id int);\n" + sql);
      const auto result = scene.run({"diff", "base", "schema.sql"});
      EXPECT_EQ(result.exit_code, 16) << sql << result.out << result.err;
      EXPECT_THAT(result.err, HasSubstr("the target's own server: nothing was run"));
      EXPECT_THAT(result.err, HasSubstr("schema.sql:2"));
    }
    scene.folder.write("schema.sql", "CREATE TABLE a (id int);\nGRANT " + group.name() + " TO " + role.name() + ";\n");
    EXPECT_THAT(scene.run({"diff", "base", "schema.sql"}).out, HasSubstr("CREATE TABLE public.a"));
  }
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_auth_members WHERE member = '" + role.name() + "'::regrole"), "0");
}

TEST(TestCommand, NamesARevisionThatDoesNotRunAgainAfterItsDowngrade) {
  SchemaScene scene;
  scene.folder.write("athanor.yaml", "scratch_keep: 5s\n");  // on a throwaway server
  write_revision(scene, "r1", "", "CREATE ROLE athanor_left_over;", down("SELECT 1;"));
  const auto result = scene.run({"test"});
  EXPECT_EQ(result.exit_code, 16) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr("revision r1 fails again after the downgrades: "));
  EXPECT_THAT(result.err, Not(HasSubstr("on an empty database")));
}

}  // namespace
}  // namespace athanor
