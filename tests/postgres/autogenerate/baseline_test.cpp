// Baselines: athanor squash, and athanor adopt database.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct BaselineScene : SchemaScene {
  void revision(const std::string& id, const std::string& revises, const std::string& up) const {
    folder.write("migrations/versions/" + id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id +
                                                           "\n-- Revises: " + revises + "\n\n-- athanor:upgrade\n" + up +
                                                           "\n\n-- athanor:downgrade\n-- nothing\n");
  }
  void three() const {
    revision(
        "r1", "",
        "CREATE TABLE country (code text PRIMARY KEY, name text);\nINSERT INTO country VALUES ('de', 'It''s \\ Germany');\n"
        "CREATE TABLE city (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, country text REFERENCES country);");
    revision("r2", "r1", "INSERT INTO city (country) VALUES ('de'), (NULL);\nCREATE VIEW v AS SELECT code FROM country;");
    revision("r3", "r2", "ALTER TABLE country ADD COLUMN eu boolean NOT NULL DEFAULT true;\nGRANT SELECT ON city TO public;");
  }
  [[nodiscard]] std::vector<std::string> column(const std::string& sql) { return database.connect().column(sql); }
};

TEST(Squash, MakesOneRevisionThatMakesTheSameSchemaAndRows) {
  BaselineScene scene;
  scene.three();
  scene.revision("r4", "r3", "CREATE TABLE later (id int);");
  scene.upgrade();  // an old database, at the head
  const Json squashed = scene.json({"squash", "--to", "r3"});
  ASSERT_EQ(squashed["exit_code"], 0) << squashed;
  EXPECT_EQ(squashed["replaces"], Json::array({"r1", "r2", "r3"}));
  EXPECT_EQ(squashed["tables_with_rows"], 2);
  EXPECT_EQ(scene.files().size(), 2U);
  // The old database is past the baseline: nothing is to be done, and no checksum is held against it.
  EXPECT_EQ(scene.json({"upgrade", "head", "--verify"})["exit_code"], 0);
  EXPECT_EQ(scene.run({"repair"}).exit_code, 0);
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0) << scene.run({"drift"}).out;
  // A new one is made from it.
  BaselineScene fresh;
  std::filesystem::copy(scene.folder.path() / "migrations", fresh.folder.path() / "migrations",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  fresh.upgrade();
  EXPECT_THAT(fresh.column("SELECT code || name || eu FROM country"), ElementsAre("deIt's \\ Germanytrue"));
  EXPECT_THAT(fresh.column("SELECT id::text FROM city ORDER BY id"), ElementsAre("1", "2"));
  EXPECT_THAT(fresh.column("INSERT INTO city DEFAULT VALUES RETURNING id::text"), ElementsAre("3"));
  EXPECT_EQ(fresh.run({"downgrade", "base"}).exit_code, 10);
}

TEST(Squash, KeepsTheOrderOfColumns) {
  BaselineScene scene;
  scene.revision("r1", "", "CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 2';");
  scene.revision("r2", "r1",
                 "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (twice(a)) STORED, c int DEFAULT twice(3), d text);\n"
                 "CREATE FUNCTION of_row(r t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';");
  scene.revision("r3", "r2", "INSERT INTO t VALUES (1, DEFAULT, 7, 'x');");
  const Json squashed = scene.json({"squash", "--to", "r2"});
  ASSERT_EQ(squashed["exit_code"], 0) << squashed;
  scene.upgrade();
  EXPECT_THAT(scene.column("SELECT t::text FROM t"), ElementsAre("(1,2,7,x)"));
}

// Before PostgreSQL 15 no column can be added to a table whose generated columns take its row.
bool takes_own_rows(BaselineScene& scene) {
  return std::stoi(scene.column("SHOW server_version_num").front()) >= 150000;
}

TEST(Squash, KeepsTheOrderOfColumnsOfATableThatPassesItsRowsToAFunction) {
  BaselineScene scene;
  scene.revision("r1", "", "CREATE TABLE u (z int);");
  scene.revision("r2", "r1",
                 "CREATE FUNCTION of_u(r u) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';\n"
                 "ALTER TABLE u ADD y int GENERATED ALWAYS AS (of_u(NULL)) STORED, ADD x int DEFAULT 5, ADD w int UNIQUE;");
  scene.revision("r3", "r2", "INSERT INTO u VALUES (1, DEFAULT, 2, 3);");
  const Json squashed = scene.json({"squash", "--to", "r2"});
  if (!takes_own_rows(scene)) {
    EXPECT_THAT(squashed["message"].get<std::string>(), HasSubstr("uses its row type"));
    return;
  }
  ASSERT_EQ(squashed["exit_code"], 0) << squashed;
  scene.upgrade();
  EXPECT_THAT(scene.column("SELECT u::text FROM u"), ElementsAre("(1,1,2,3)"));
}

// A function of the table's rows whose body names a column that comes after the generated one.
TEST(Squash, RefusesAnOrderOfColumnsThatItCannotMake) {
  BaselineScene scene;
  scene.revision("r1", "",
                 "CREATE TABLE t (a int);\nCREATE FUNCTION f(r t) RETURNS int LANGUAGE sql IMMUTABLE RETURN 1;\n"
                 "ALTER TABLE t ADD b int GENERATED ALWAYS AS (f(NULL)) STORED, ADD c int;\n"
                 "CREATE OR REPLACE FUNCTION f(r t) RETURNS int LANGUAGE sql IMMUTABLE RETURN (r).c;");
  scene.revision("r2", "r1", "CREATE TABLE other (id int);");
  const Json refused = scene.json({"squash"});
  EXPECT_EQ(scene.files().size(), 2U);
  if (!takes_own_rows(scene)) {
    EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("uses its row type"));
    return;
  }
  EXPECT_EQ(refused["exit_code"], 16) << refused;
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("~ table public.t: the columns are a, c, b, should be a, b, c"));
}

TEST(Squash, KeepsThePrivilegesOfTheSchemaPublic) {
  BaselineScene scene;
  scene.revision("r1", "", "REVOKE ALL ON SCHEMA public FROM PUBLIC;");
  scene.revision("r2", "r1", "CREATE TABLE t (id int);");
  const Json squashed = scene.json({"squash"});
  ASSERT_EQ(squashed["exit_code"], 0) << squashed;
  scene.upgrade();
  EXPECT_THAT(scene.column("SELECT has_schema_privilege('public', 'public', 'USAGE')::text"), ElementsAre("false"));
}

TEST(Squash, RefusesADatabaseInTheMiddleByName) {
  BaselineScene scene;
  scene.three();
  ASSERT_EQ(scene.run({"upgrade", "r2"}).exit_code, 0);
  ASSERT_EQ(scene.run({"squash"}).exit_code, 0);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"upgrade", "head"},
                                                {"downgrade", "base", "--from-ledger"},
                                                {"plan", "upgrade", "head"},
                                                {"check"}}) {
    const Json refused = scene.json(words);
    EXPECT_EQ(refused["error"]["code"], "unknown-database-revision") << words.front();
    EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("at revision r2, which was squashed into the baseline r3"));
    EXPECT_THAT(refused["error"]["hint"].get<std::string>(),
                HasSubstr("upgrade the database to r3 with the files from before the squash"));
  }
}

TEST(Squash, RefusesRowsThatDifferFromRunToRun) {
  BaselineScene scene;
  scene.revision("r1", "", "CREATE TABLE t (at timestamptz);\nINSERT INTO t VALUES (clock_timestamp());");
  scene.revision("r2", "r1", "CREATE TABLE u (id int);");
  const Json refused = scene.json({"squash"});
  EXPECT_EQ(refused["exit_code"], 16) << refused;
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("values that change from run to run into table public.t"));
  EXPECT_EQ(scene.files().size(), 2U);
}

TEST(Squash, NamesATriggerThatChangesTheRowsOfTheBaseline) {
  BaselineScene scene;
  scene.revision("r1", "", "CREATE TABLE t (a int); INSERT INTO t VALUES (1);");
  scene.revision("r2", "r1",
                 "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := NEW.a + 1; RETURN NEW; END';\n"
                 "CREATE TRIGGER more BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();");
  const auto refused = scene.run({"squash"});
  EXPECT_EQ(refused.exit_code, 16) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("trigger public.t.more may be the reason"));
}

TEST(Squash, RefusesABranchThatDependsOnAReplacedRevision) {
  BaselineScene scene;
  scene.three();
  scene.revision("side", "r1", "CREATE TABLE side (id int);");
  const Json refused = scene.json({"squash", "--to", "r3"});
  EXPECT_EQ(refused["exit_code"], 5) << refused;
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("revision side depends on r1"));
  EXPECT_EQ(scene.files().size(), 4U);
}

// They are in no schema and in no row, so comparing the two would not miss them.
TEST(Squash, RefusesWhatABaselineWouldLose) {
  const std::string role = "athanor_test_squash";
  for (const std::string& up : std::vector<std::string>{
           "CREATE ROLE " + role + ";", "ALTER USER " + role + " SET work_mem = '1MB';",
           "GRANT pg_read_all_data TO " + role + ";",
           "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + role + "') THEN CREATE ROLE " + role +
               "; END IF; END $$;",
           "DO $x$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $x$;",
           "SELECT lo_create(0);",
           "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN EXECUTE format('ALTER ' || 'DATABASE %I SET "
           "work_mem "
           "= ''1MB''', current_database()); END $f$; SELECT f();"}) {
    BaselineScene scene;
    scene.revision("r1", "", "CREATE TABLE t (id int);");
    scene.revision("r2", "r1", up);
    const Json refused = scene.json({"squash"});
    EXPECT_EQ(refused["exit_code"], 16) << up << refused;
    EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr("a baseline would lose")) << up;
    EXPECT_EQ(scene.files().size(), 2U) << up;
  }
}

TEST(Squash, DryRunPrintsTheBaselineAndRemovesNothing) {
  BaselineScene scene;
  scene.three();
  const auto dry = scene.run({"squash", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("-- athanor:replaces r1 "));
  EXPECT_THAT(dry.out, HasSubstr("INSERT INTO public.city (id, country) OVERRIDING SYSTEM VALUE VALUES\n    ('1', 'de'),\n"));
  EXPECT_EQ(scene.files().size(), 3U);
}

TEST(Squash, CanBeSquashedAgain) {
  BaselineScene scene;
  scene.three();
  scene.upgrade();
  ASSERT_EQ(scene.run({"squash"}).exit_code, 0);
  scene.revision("r4", "r3", "CREATE TABLE later (id int);");
  scene.upgrade();
  const Json again = scene.json({"squash"});
  ASSERT_EQ(again["exit_code"], 0) << again;
  EXPECT_EQ(again["replaces"], Json::array({"r1", "r2", "r3", "r3", "r4"}));
  EXPECT_EQ(scene.json({"upgrade", "head", "--verify"})["exit_code"], 0);
}

TEST(AdoptDatabase, MakesABaselineOfALiveSchema) {
  BaselineScene scene;
  scene.database.run("CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY); INSERT INTO shop.t VALUES (1)");
  const Json adopted = scene.json({"adopt", "database"});
  ASSERT_EQ(adopted["exit_code"], 0) << adopted;
  EXPECT_EQ(adopted["proven"], true);
  EXPECT_EQ(scene.files().size(), 1U);
  EXPECT_THAT(scene.column("SELECT message FROM athanor.history"), ElementsAre("adopted as it was found"));
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
  EXPECT_EQ(scene.json({"adopt", "database"})["stamped"], false);
  BaselineScene other;  // the same project, another database
  std::filesystem::copy(scene.folder.path() / "migrations", other.folder.path() / "migrations",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(other.json({"adopt", "database"})["error"]["code"], "policy-refused");
  other.upgrade();
  EXPECT_THAT(other.column("SELECT count(*)::text FROM shop.t"), ElementsAre("0"));
}

}  // namespace
}  // namespace athanor::test
