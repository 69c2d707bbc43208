#include <sstream>

#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Autogenerate, WritesProvesAndAppliesTheFirstRevision) {
  SchemaScene scene;
  scene.schema(
      "CREATE SCHEMA shop;\nCREATE TABLE shop.customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);\n"
      "CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES shop.customers);\n");
  const auto result = scene.autogenerate();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("+ table"));
  EXPECT_THAT(result.out, HasSubstr("migrations/versions/"));
  EXPECT_THAT(result.out, HasSubstr("_follow_the_schema.sql:"));
  EXPECT_THAT(result.err, HasSubstr("Proven on scratch copies"));
  EXPECT_THAT(result.err, HasSubstr("athanor upgrade heads"));
  const std::string line = result.out.substr(result.out.rfind("_follow_the_schema.sql:") + 23);
  const std::string text = test::read_file(*scene.files().begin());
  std::istringstream stream(text);
  std::string at;
  for (int left = std::stoi(line); left > 0; --left) {
    std::getline(stream, at);
  }
  EXPECT_EQ(at, "-- athanor:upgrade");
  scene.upgrade();
  EXPECT_TRUE(scene.database.has_relation("shop.orders"));
  scene.expect_no_difference();
  EXPECT_EQ(scene.run({"downgrade", "base"}).exit_code, 0);
  EXPECT_FALSE(scene.database.has_relation("shop.orders"));
}

TEST(Autogenerate, RefusesWhileRevisionsArePending) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  ASSERT_NE(scene.generated(), "");
  scene.schema("CREATE TABLE a (id int); CREATE TABLE b (id int);");
  const auto result = scene.autogenerate();
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("the database is not up to date: "));
  EXPECT_THAT(result.err, HasSubstr("athanor upgrade heads"));
  EXPECT_EQ(scene.files().size(), 1U);
}

TEST(Autogenerate, NeedsNoDatabaseToWriteARevision) {
  SchemaScene scene;
  scene.environment["DATABASE_URL"] = std::nullopt;
  scene.schema("CREATE TABLE a (id int);");
  EXPECT_THAT(scene.generated(), HasSubstr("CREATE TABLE public.a"));
}

TEST(Autogenerate, SaysInJsonWhatItWrote) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  const Json made = scene.json({"revision", "--autogenerate", "-m", "Create a"});
  EXPECT_EQ(made["exit_code"], 0);
  EXPECT_EQ(made["path"], *scene.files().begin() == scene.folder / made["path"].get<std::string>() ? made["path"] : Json(""));
  EXPECT_EQ(made["summary"][0]["change"], "add");
  EXPECT_EQ(made["summary"][0]["data_loss"], "none");
  EXPECT_TRUE(made["proof"]["downgrade"]);
  scene.upgrade();
  const Json again = scene.json({"revision", "--autogenerate", "-m", "Create a"});
  EXPECT_EQ(again["exit_code"], 0);
  EXPECT_EQ(again["path"], nullptr);
  EXPECT_EQ(again["summary"], Json::array());
}

TEST(Autogenerate, PrintsOnlyWithSql) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  const auto result = scene.run({"revision", "--autogenerate", "--sql"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("-- athanor:upgrade\nCREATE TABLE public.a"));
  EXPECT_THAT(result.out, HasSubstr("-- athanor:downgrade\n"));
  EXPECT_TRUE(scene.files().empty());
}

TEST(Autogenerate, CutsStepsOnlineAndNoneWhenPlain) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int, v text);");
  scene.schema("CREATE TABLE a (id int, v text);\nCREATE INDEX a_v ON a (v);\n");
  const auto plain = scene.run({"revision", "--autogenerate", "--sql", "--style", "plain"});
  EXPECT_THAT(plain.out, Not(HasSubstr("CONCURRENTLY")));
  EXPECT_THAT(plain.out, Not(HasSubstr("athanor:step")));
  const std::string online = scene.follow_desired();
  EXPECT_THAT(online, HasSubstr("-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY a_v ON public.a USING btree (v);"));
}

TEST(Autogenerate, MarksWhatIsDestructiveAndSaysWhatTheDowngradeCannotBringBack) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int, v text); CREATE TABLE b (id int);");
  scene.schema("CREATE TABLE a (id int);");
  const auto result = scene.autogenerate();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("data is lost"));
  const std::string text = scene.run({"show", "head"}).out + test::read_file(*scene.files().rbegin());
  std::string all;
  for (const std::string& file : scene.files()) {
    all += test::read_file(file);
  }
  EXPECT_THAT(all, HasSubstr("-- Destructive: data is lost.\n"));
  EXPECT_THAT(all, HasSubstr("-- Restores the structure only: the data that the upgrade removed is lost.\n"));
  scene.upgrade();
  EXPECT_EQ(scene.run({"downgrade", "-1"}).exit_code, 0);
  EXPECT_TRUE(scene.database.has_relation("b"));
}

TEST(Autogenerate, WarnsWhenOnlyRowsStandInTheWay) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  scene.schema("CREATE TABLE a (id int, v text NOT NULL);");
  const auto result = scene.autogenerate();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("with a row in each table, the upgrade fails"));
}

// The comment with the step that fills NULLs must not be taken for a misspelt directive.
TEST(Autogenerate, ShowsTheStepThatFillsInACommentThatIsNoDirective) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int PRIMARY KEY, name text);");
  const std::string revision = scene.follow("CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL);");
  EXPECT_THAT(revision, HasSubstr("--   Begin the step with the line: athanor:step batch table=public.a key=id\n"
                                  "--   UPDATE public.a SET name = … WHERE name IS NULL AND {batch};"));
}

TEST(Autogenerate, RenamesByHintAndKeepsTheRows) {
  SchemaScene scene;
  scene.follow("CREATE TABLE users (id int PRIMARY KEY, email text);");
  scene.database.run("INSERT INTO users VALUES (1, 'ada@example.org')");
  const std::string revision = scene.follow(
      "CREATE TABLE customers ( -- renamed from users\n  id int PRIMARY KEY,\n  mail text -- renamed from email\n);\n");
  EXPECT_THAT(revision, HasSubstr("RENAME TO customers"));
  EXPECT_THAT(revision, Not(HasSubstr("DROP TABLE")));
  EXPECT_EQ(scene.database.value("SELECT mail FROM customers"), "ada@example.org");
  scene.expect_no_difference();  // the hint stays in the file and means nothing any more
}

TEST(Autogenerate, RenamesByHintsAboveColumnsTypesViewsAndIndexes) {
  SchemaScene scene;
  scene.follow(
      "CREATE TYPE order_state AS ENUM ('pending', 'sent');\nCREATE TABLE t (id int PRIMARY KEY, name text, s order_state,\n"
      "  CONSTRAINT odd CHECK (id > 0));\nCREATE INDEX i ON t (name);\nCREATE VIEW v AS SELECT id FROM t;\n");
  scene.database.run("INSERT INTO t VALUES (1, 'ada', 'sent')");
  const std::string revision = scene.follow(
      "-- pista:renamed-from public.order_state\nCREATE TYPE order_status AS ENUM ('pending', 'sent');\n"
      "CREATE TABLE t (id int PRIMARY KEY,\n  -- pista:renamed-from name\n  display_name text,\n  s order_status,\n"
      "  -- renamed from odd\n  CONSTRAINT positive CHECK (id > 0));\n"
      "CREATE INDEX j /* @renamed from=i */ ON t (display_name);\n/* renamed from v */\nCREATE VIEW w AS SELECT id FROM t;\n");
  for (const char* statement :
       {"ALTER TYPE public.order_state RENAME TO order_status", "RENAME COLUMN name TO display_name",
        "RENAME CONSTRAINT odd TO positive", "ALTER INDEX public.i RENAME TO j", "ALTER VIEW public.v RENAME TO w"}) {
    EXPECT_THAT(revision, HasSubstr(statement));
  }
  EXPECT_THAT(revision, Not(HasSubstr("DROP")));
  EXPECT_EQ(scene.database.value("SELECT display_name || s FROM t"), "adasent");
  scene.expect_no_difference();
}

TEST(Autogenerate, RefusesTheHintOfALabel) {
  SchemaScene scene;
  scene.follow("CREATE TYPE state AS ENUM ('pending', 'sent');\nCREATE TABLE t (s state);");
  scene.schema("CREATE TYPE state AS ENUM (\n  'waiting', -- renamed from pending\n  'sent');\nCREATE TABLE t (s state);\n");
  const auto refused = scene.autogenerate();
  EXPECT_EQ(refused.exit_code, 2) << refused.out << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("schema.sql:2: "));
  EXPECT_THAT(refused.err, HasSubstr("ALTER TYPE state RENAME VALUE 'pending' TO 'waiting'"));
}

TEST(Autogenerate, RefusesAHintThatNamesNothingInsteadOfDropping) {
  SchemaScene scene;
  scene.follow("CREATE TABLE users (id int PRIMARY KEY, mail text);");
  scene.schema("CREATE TABLE users (\n  id int PRIMARY KEY,\n  email text -- renamed from maill\n);\n");
  const auto typo = scene.autogenerate();
  EXPECT_EQ(typo.exit_code, 2) << typo.out << typo.err;
  EXPECT_THAT(typo.err, HasSubstr("schema.sql:3: "));
  EXPECT_THAT(typo.err, HasSubstr("public.users.maill"));
  EXPECT_EQ(scene.files().size(), 1U);
}

TEST(Autogenerate, MovesATableOutOfASchemaThatGoes) {
  SchemaScene scene;
  scene.follow("CREATE SCHEMA s1; CREATE TABLE s1.t (id serial PRIMARY KEY, v text);");
  scene.database.run("INSERT INTO s1.t (v) VALUES ('kept')");
  const std::string revision = scene.follow(
      "CREATE SCHEMA s2;\nCREATE TABLE s2.t ( -- renamed from s1.t\n  id serial PRIMARY KEY,\n  w text -- renamed from "
      "v\n);\n");
  EXPECT_THAT(revision, HasSubstr("ALTER TABLE s1.t SET SCHEMA s2"));
  EXPECT_THAT(revision, Not(HasSubstr("DROP TABLE")));
  EXPECT_EQ(scene.database.value("SELECT w FROM s2.t"), "kept");
  EXPECT_EQ(scene.run({"downgrade", "-1"}).exit_code, 0);
  EXPECT_EQ(scene.database.value("SELECT v FROM s1.t"), "kept");
}

TEST(Autogenerate, TakesNoSequenceForRenamedBecauseATableIs) {
  SchemaScene scene;
  scene.follow("CREATE SEQUENCE sq; CREATE TABLE users (id int);");
  scene.schema("CREATE SEQUENCE sq2;\nCREATE TABLE customers (id int);\n");
  const auto guess = scene.run({"revision", "--autogenerate", "--sql", "--rename", "public.users=public.customers"});
  EXPECT_THAT(guess.out, HasSubstr("DROP SEQUENCE public.sq;"));
  const auto said = scene.run(
      {"revision", "--autogenerate", "--sql", "--rename", "public.users=public.customers", "--rename", "public.sq=public.sq2"});
  EXPECT_THAT(said.out, HasSubstr("ALTER SEQUENCE public.sq RENAME TO sq2"));
}

TEST(Autogenerate, DiffGoesOnFromTheRenames) {
  SchemaScene scene;
  scene.folder.write("a.sql", "CREATE TABLE users (id int);");
  scene.folder.write("b.sql", "CREATE TABLE customers (id int, v text);");
  const auto result = scene.run({"diff", "a.sql", "b.sql", "--rename", "public.users=public.customers"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("ALTER TABLE public.users RENAME TO customers"));
  EXPECT_THAT(result.out, HasSubstr("ADD COLUMN v"));
  EXPECT_THAT(result.out, Not(HasSubstr("DROP TABLE")));
}

TEST(Autogenerate, WarnsOfRowsThatItsProofDidNotSee) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int CHECK (id > 100));");
  scene.schema("CREATE TABLE a (id int CHECK (id > 100), v text NOT NULL);");
  const auto result = scene.autogenerate();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("fails where the table has rows"));
  EXPECT_THAT(result.err, HasSubstr("No row could be inserted into public.a"));
}

TEST(Autogenerate, NeverGuessesARenameAndSaysHowToAskForIt) {
  SchemaScene scene;
  const std::string columns = "id int, name text, price numeric(10,2), stock int";
  scene.follow("CREATE TABLE items (" + columns + ");");
  scene.schema("CREATE TABLE products (" + columns + ");");
  const auto guess = scene.run({"revision", "--autogenerate", "--sql"});
  EXPECT_EQ(guess.exit_code, 0) << guess.err;
  EXPECT_THAT(guess.err, HasSubstr("--rename public.items=public.products"));
  EXPECT_THAT(guess.out, HasSubstr("DROP TABLE public.items"));
  const std::string revision = scene.follow_desired({"--rename", "public.items=public.products"});
  EXPECT_THAT(revision, HasSubstr("ALTER TABLE public.items RENAME TO products"));
  const auto wrong = scene.autogenerate({"--rename", "public.x=public.y"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--rename public.x=public.y does not match a removed and an added table, column"));
}

TEST(Autogenerate, ContinuesAnAlembicProjectFromTheLiveSchema) {
  SchemaScene scene;
  scene.folder.write("migrations/versions/aaaa_old.py",
                     "\"\"\"old\"\"\"\nrevision = 'aaaa'\ndown_revision = None\n\ndef upgrade():\n    pass\n");
  scene.database.run(
      "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('aaaa');"
      "CREATE TABLE a (id int PRIMARY KEY);");
  scene.schema("CREATE TABLE a (id int PRIMARY KEY, v text);");
  const std::string revision = scene.generated();
  EXPECT_THAT(revision, HasSubstr("-- Revises: aaaa\n"));
  EXPECT_THAT(revision, HasSubstr("ADD COLUMN v text"));
  scene.upgrade();
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  scene.expect_no_difference();
  EXPECT_THAT(scene.run({"drift"}).err, HasSubstr("Python"));
}

TEST(Autogenerate, TellsWhereTheSchemaFileIsWrong) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (\n  id int,\n  v no_such_type\n);\n");
  const auto result = scene.autogenerate();
  EXPECT_EQ(result.exit_code, 16);
  EXPECT_THAT(result.err, HasSubstr("schema.sql:3: type \"no_such_type\" does not exist"));
}

TEST(Autogenerate, LeavesNoScratchDatabaseBehind) {
  SchemaScene scene;
  const test::TestRole role(scene.database, "LOGIN CREATEDB");
  scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_url: " + role.url() + "\n");
  scene.schema("CREATE TABLE a (id int);");
  ASSERT_NE(scene.generated(), "");
  scene.schema("CREATE TABLE a (id no_such_type);");
  EXPECT_EQ(scene.autogenerate().exit_code, 6);  // the first one is pending
  scene.upgrade();
  EXPECT_EQ(scene.autogenerate().exit_code, 16);
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE r.rolname = '" +
                                 role.name() + "'"),
            "0");
}

}  // namespace
}  // namespace athanor
