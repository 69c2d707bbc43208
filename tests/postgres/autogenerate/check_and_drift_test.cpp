#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

TEST(Check, TellsWhenTheModelsAreAhead) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  scene.schema("CREATE TABLE a (id bigint); CREATE TABLE b (id int);");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 14);
  EXPECT_THAT(check.out, HasSubstr("models ahead: + table"));
  EXPECT_THAT(check.err, HasSubstr("athanor revision --autogenerate"));
  const Json json = scene.json({"check"});
  EXPECT_EQ(json["exit_code"], 14);
  EXPECT_EQ(json["error"]["code"], "models-ahead");
  EXPECT_EQ(json["models_ahead"].size(), 2U);
  EXPECT_EQ(json["drift"], nullptr);
}

TEST(Check, TellsPendingRevisionsBeforeAnythingElse) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  ASSERT_NE(scene.generated(), "");
  EXPECT_EQ(scene.run({"check"}).exit_code, 6);
}

TEST(Check, FindsDriftWhenAskedOrConfigured) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  scene.database.run("ALTER TABLE a ADD COLUMN by_hand text");
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  const auto drift = scene.run({"check", "--drift"});
  EXPECT_EQ(drift.exit_code, 15);
  EXPECT_THAT(drift.out, HasSubstr("drift: + column"));
  scene.configure("desired_schema: schema.sql\ncheck_drift: true\n");
  EXPECT_EQ(scene.json({"check"})["error"]["code"], "drifted");
}

TEST(Check, IsSilentAboutSchemasWithoutADesiredOne) {
  SchemaScene scene;
  scene.configure("");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_EQ(check.out, "No revision is pending.\n");
}

TEST(Check, LoadsNothingTheSecondTime) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  ASSERT_EQ(scene.run({"check"}).exit_code, 0);
  // A scratch server that cannot be reached is not missed.
  scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_url: postgresql://nobody@127.0.0.1:1/none\n");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  scene.schema("CREATE TABLE a (id int, v text);");
  EXPECT_NE(scene.run({"check"}).exit_code, 0);
}

TEST(Check, NamesTheScratchServerThatCannotBeHad) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  for (const std::string url : {"postgresql://nobody@127.0.0.1:1/none", "foo"}) {
    scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_url: " + url + "\n");
    const auto check = scene.run({"check"});
    EXPECT_EQ(check.exit_code, 16) << check.err;
    EXPECT_THAT(check.err, HasSubstr("the server of scratch_url: "));
    EXPECT_THAT(check.err, Not(HasSubstr("DATABASE_URL")));
  }
}

TEST(Drift, PrintsStatementsBothWays) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
  scene.database.run("CREATE INDEX by_hand ON a (id)");
  const auto drift = scene.run({"drift"});
  EXPECT_EQ(drift.exit_code, 15);
  EXPECT_THAT(drift.out, HasSubstr("drift: + index"));
  EXPECT_THAT(drift.out, HasSubstr("-- Undoes the drift:"));
  EXPECT_THAT(drift.out, HasSubstr("DROP INDEX CONCURRENTLY public.by_hand"));
  EXPECT_THAT(drift.out, HasSubstr("CREATE INDEX CONCURRENTLY by_hand"));
  EXPECT_EQ(scene.run({"drift", "--exclude-table", "a"}).exit_code, 0);
}

TEST(Drift, ComparesWithWhatIsAppliedNotWithWhatIsPending) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  scene.schema("CREATE TABLE a (id int); CREATE TABLE b (id int);");
  ASSERT_NE(scene.generated(), "");
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
}

// ALTER ROLE … SET search_path has the revisions make their tables elsewhere than in public.
TEST(Drift, ComparesInTheSchemaThatTheTargetsSearchPathNames) {
  for (const std::string path : {"app", "\"$user\", app", "app, public"}) {
    SchemaScene scene;
    scene.configure("version_table_schema: public\n");
    scene.database.run("CREATE SCHEMA app");
    scene.database.run("ALTER DATABASE " + scene.database.name() + " SET search_path = " + path);
    scene.folder.write("migrations/versions/r1.sql",
                       "-- One\n--\n-- Revision: r1\n-- Revises:\n\n-- athanor:upgrade\nCREATE TABLE t (id int);\n\n"
                       "-- athanor:downgrade\nDROP TABLE t;\n");
    scene.upgrade();
    ASSERT_TRUE(scene.database.has_relation("app.t")) << path;
    const auto drift = scene.run({"drift"});
    EXPECT_EQ(drift.exit_code, 0) << path << drift.out << drift.err;
    EXPECT_EQ(scene.run({"diff", "database", "head"}).out, "No difference.\n") << path;
    EXPECT_EQ(scene.run({"test"}).exit_code, 0) << path;
  }
}

TEST(Drift, LeavesASchemaOfTheSearchPathToTheRevisionThatCreatesIt) {
  SchemaScene scene;
  scene.configure("version_table_schema: public\nexecution: {search_path: app}\n");
  scene.folder.write("migrations/versions/r1.sql",
                     "-- One\n--\n-- Revision: r1\n-- Revises:\n\n-- athanor:upgrade\nCREATE SCHEMA app;\nCREATE TABLE t (id "
                     "int);\n\n-- athanor:downgrade\nDROP TABLE t;\nDROP SCHEMA app;\n");
  scene.upgrade();
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
  const auto tested = scene.run({"test"});
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
}

TEST(Drift, GivesWhatIsMadeAgainItsGrantsAndItsOwner) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int); CREATE VIEW v AS SELECT id FROM a;");
  const test::TestRole role(scene.database);
  const test::TestRole reader(scene.database);
  scene.database.run("CREATE OR REPLACE VIEW v AS SELECT id, id AS twice FROM a");
  scene.database.run("GRANT SELECT ON v TO " + reader.name());
  scene.database.run("ALTER VIEW v OWNER TO " + role.name());
  scene.database.run("CREATE TABLE by_hand (id int)");
  scene.database.run("GRANT SELECT ON by_hand TO " + reader.name());
  const Json drift = scene.json({"drift"});
  EXPECT_EQ(drift["exit_code"], 15) << drift;
  EXPECT_THAT(drift["drift"].dump(), Not(HasSubstr("privileges"))) << "grants are not compared";
  const std::string undo = drift["undo_sql"];
  EXPECT_THAT(undo, HasSubstr("DROP VIEW public.v;"));
  EXPECT_THAT(undo, HasSubstr("ALTER VIEW public.v OWNER TO " + role.name() + ";"));
  EXPECT_THAT(undo, HasSubstr("GRANT SELECT ON TABLE public.v TO " + reader.name() + ";"));
  EXPECT_THAT(drift["adopt_sql"].get<std::string>(), Not(HasSubstr("ON TABLE public.by_hand")));
  scene.database.run(undo);
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
  EXPECT_EQ(scene.database.connect().column("SELECT has_table_privilege('" + reader.name() + "', 'v', 'SELECT')::text").front(),
            "true");
}

TEST(Drift, PrintsTheStatementsForGrantsThatAreCompared) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int); CREATE TABLE open (a int); GRANT SELECT ON open TO PUBLIC;");
  scene.database.run("GRANT SELECT ON open TO PUBLIC");
  scene.database.run("GRANT SELECT ON t TO PUBLIC");
  for (const std::string against : {"ledger", "revisions"}) {
    if (against == "ledger") {
      scene.database.run("REVOKE SELECT ON t FROM PUBLIC");
      ASSERT_EQ(scene.run({"drift", "--accept", "--privileges"}).exit_code, 0);
      scene.database.run("GRANT SELECT ON t TO PUBLIC");
    }
    const Json drift = scene.json({"drift", "--privileges", "--against", against});
    EXPECT_EQ(drift["exit_code"], 15) << drift;
    EXPECT_THAT(drift["undo_sql"].get<std::string>(), HasSubstr("REVOKE SELECT ON TABLE public.t FROM PUBLIC;")) << against;
    EXPECT_THAT(drift["adopt_sql"].get<std::string>(), HasSubstr("GRANT SELECT ON TABLE public.t TO PUBLIC;")) << against;
  }
}

// An unset variable or a misspelt name must not turn every difference into none.
TEST(Drift, RefusesAFilterThatMatchesNothing) {
  SchemaScene scene;
  scene.follow("CREATE TABLE t (a int);");
  ASSERT_EQ(scene.run({"drift", "--accept"}).exit_code, 0);
  scene.database.run("ALTER TABLE t ADD by_hand int");
  for (const std::string against : {"ledger", "revisions"}) {
    const auto drift = [&](const std::string& flag, const std::string& pattern) {
      return scene.json({"drift", "--against", against, flag, pattern});
    };
    EXPECT_EQ(drift("--schema", "public")["exit_code"], 15);
    EXPECT_EQ(drift("--schema", "")["exit_code"], 2);
    EXPECT_EQ(drift("--exclude-table", "")["exit_code"], 2);
    EXPECT_THAT(drift("--schema", "pub")["message"].get<std::string>(), HasSubstr("no schema matches 'pub'"));
    EXPECT_EQ(drift("--schema", "pub")["exit_code"], 3);
    EXPECT_EQ(drift("--table", "nope")["exit_code"], 3);
    const auto partly = scene.run({"drift", "--against", against, "--table", "nope", "--table", "t"});
    EXPECT_EQ(partly.exit_code, 15);
    EXPECT_THAT(partly.err, HasSubstr("no table or view matches 'nope'"));
    const auto filtered = scene.run({"drift", "--against", against, "--exclude-table", "t"});
    EXPECT_EQ(filtered.exit_code, 0) << filtered.err;
    EXPECT_THAT(filtered.out, HasSubstr("No drift in what was compared: "));
  }
  EXPECT_EQ(scene.run({"diff", "database", "desired", "--schema", "pub"}).exit_code, 3);
  EXPECT_EQ(scene.run({"inspect", "--table", "nope"}).exit_code, 3);
}

// A role that may create a view somewhere must not be able to add a statement to what an administrator runs.
TEST(Drift, PrintsNoStatementThatANameContains) {
  SchemaScene scene;
  scene.configure("desired_schema: schema.sql\ncompare: {exclude_schemas: [sandbox]}\n");
  scene.follow("CREATE TABLE victim (id int);");
  scene.database.run("CREATE TABLE by_hand (x int)");
  scene.database.run("CREATE SCHEMA sandbox");
  scene.database.run("CREATE VIEW sandbox.\"v\nDROP TABLE public.victim; --\" AS SELECT x FROM by_hand");
  const Json drift = scene.json({"drift"});
  for (const std::string& sql : {drift["undo_sql"].get<std::string>(), drift["adopt_sql"].get<std::string>()}) {
    EXPECT_THAT(sql, Not(HasSubstr("\nDROP TABLE public.victim"))) << sql;
  }
  EXPECT_THAT(drift["undo_sql"].get<std::string>(), HasSubstr("sandbox.v\\x0aDROP TABLE public.victim; --"));
}

TEST(Diff, KeepsAControlCharacterOfANameInsideItsComment) {
  SchemaScene scene;
  scene.database.run("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE victim (id int)");
  scene.schema(
      "CREATE TABLE victim (id int); CREATE TABLE t (id int PRIMARY KEY, \"new\rDROP TABLE IF EXISTS victim; --\" int NOT "
      "NULL);");
  const auto diff = scene.run({"diff", "database", "schema.sql"});
  EXPECT_EQ(diff.exit_code, 0) << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("-- adding \"new\\x0dDROP TABLE IF EXISTS victim; --\" to public.t"));
  scene.database.run(diff.out);
  EXPECT_TRUE(scene.database.has_relation("victim"));
}

}  // namespace
}  // namespace athanor
