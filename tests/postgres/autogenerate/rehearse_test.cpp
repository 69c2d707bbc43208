// `athanor rehearse`: what a statement locks and rewrites is what the server says it does.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using testing::HasSubstr;
using testing::Not;

struct Rehearse : testing::Test, test::SchemaScene {
  Rehearse() {
    configure("");
    revision("a1", "", "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (id int PRIMARY KEY);",
             "DROP TABLE a; DROP TABLE b;");
    upgrade();
  }
  void revision(const std::string& id, const std::string& down, const std::string& up, const std::string& back) const {
    folder.write("migrations/versions/" + id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id +
                                                           "\n-- Revises: " + down + "\n\n-- athanor:upgrade\n" + up + "\n\n" +
                                                           (back.empty() ? "" : "-- athanor:downgrade\n" + back + "\n"));
  }
  // Of the statement that begins so.
  static Json statement(const Json& json, const std::string& sql) {
    for (const Json& one : json["statements"]) {
      if (one["sql"].get<std::string>().starts_with(sql)) {
        return one;
      }
    }
    ADD_FAILURE() << "no " << sql << " in " << json.dump(2);
    return {};
  }
};

Json lock(const std::string& relation, const std::string& mode) {
  return {{"mode", mode}, {"relation", relation}};
}

TEST_F(Rehearse, TellsLocksAndRewritesOfEachStatement) {
  revision("a2", "a1",
           "ALTER TABLE a ADD COLUMN b_id int;\nALTER TABLE a ALTER COLUMN n TYPE bigint;\n"
           "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b;\nCREATE TABLE c (id int);\nALTER TABLE c ADD COLUMN x int;\n\n"
           "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i ON a (n);",
           "DROP INDEX i; DROP TABLE c; ALTER TABLE a DROP COLUMN b_id; ALTER TABLE a ALTER COLUMN n TYPE int;");
  const Json json = this->json({"rehearse"});
  ASSERT_EQ(json["exit_code"], 0) << json.dump(2);
  const Json added = statement(json, "ALTER TABLE a ADD COLUMN");
  EXPECT_EQ(added["locks"], Json::array({lock("public.a", "ACCESS EXCLUSIVE")}));
  EXPECT_EQ(added["rewrites"], Json::array());
  EXPECT_EQ(added["line"], 7);
  const Json retyped = statement(json, "ALTER TABLE a ALTER COLUMN n");
  EXPECT_THAT(retyped["rewrites"].dump(), HasSubstr("public.a"));
  const Json foreign = statement(json, "ALTER TABLE a ADD FOREIGN KEY");
  EXPECT_THAT(foreign["locks"].dump(), HasSubstr("SHARE ROW EXCLUSIVE"));
  EXPECT_THAT(foreign["locks"].dump(), HasSubstr("public.b"));
  EXPECT_EQ(statement(json, "ALTER TABLE c ADD COLUMN")["locks"], Json::array()) << "the table is new";
  EXPECT_EQ(statement(json, "CREATE INDEX CONCURRENTLY")["locks"], nullptr);
  EXPECT_EQ(json["downgrade"]["outcome"], "same");
  EXPECT_EQ(json["up_again"]["same"], true);
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"}) << "the database itself is not changed";
  EXPECT_FALSE(database.has_relation("public.c"));
  const auto text = run({"rehearse"});
  EXPECT_THAT(text.out, HasSubstr("On a copy of the schema without rows"));
  EXPECT_THAT(text.out, HasSubstr("ACCESS EXCLUSIVE on public.a"));
  EXPECT_THAT(text.out, HasSubstr("rewrites public.a"));
  EXPECT_THAT(text.out, HasSubstr("locks: unknown, because it runs outside a transaction"));
  EXPECT_THAT(text.out, HasSubstr("up, down and up again: the schema is the same each time"));
}

TEST_F(Rehearse, RunsOnTheLiveSchemaAndNotOnWhatTheRevisionsMake) {
  database.run("CREATE TABLE c (by_hand int)");
  revision("a2", "a1", "CREATE TABLE c (id int);", "DROP TABLE c;");
  const auto result = run({"rehearse"});
  EXPECT_EQ(result.exit_code, 16) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr("revision a2 fails on a copy of the schema: relation \"c\" already exists"));
  EXPECT_THAT(result.err, HasSubstr("line 7"));
}

TEST_F(Rehearse, FindsADowngradeThatDoesNotLeadBack) {
  revision("a2", "a1", "ALTER TABLE a ADD COLUMN x int; CREATE INDEX i ON b (id);", "ALTER TABLE a DROP COLUMN x;");
  const Json json = this->json({"rehearse"});
  EXPECT_EQ(json["error"]["code"], "proof-failed");
  EXPECT_EQ(json["downgrade"]["outcome"], "different");
  EXPECT_EQ(json["downgrade"]["difference"], Json::array({"+ index public.b.i"}));
  revision("a2", "a1", "ALTER TABLE a ADD COLUMN x int;", "SELECT 1 / 0;");
  const auto failed = run({"rehearse"});
  EXPECT_THAT(failed.err, HasSubstr("the downgrade of revision a2 fails on a copy of the schema: division by zero"));
}

TEST_F(Rehearse, SaysWhenTheDowngradeWasNotTried) {
  revision("a2", "a1", "ALTER TABLE a ADD COLUMN x int;\n\n-- athanor:irreversible the values are gone", "");
  const auto result = run({"rehearse"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the downgrade was not tried: revision a2 is irreversible: the values are gone"));
  EXPECT_THAT(result.out, Not(HasSubstr("the same each time")));
}

TEST_F(Rehearse, HasNothingToDoWhenNothingIsPending) {
  const Json json = this->json({"rehearse"});
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["statements"], Json::array());
  revision("a2", "a1", "CREATE TABLE c (id int);", "DROP TABLE c;");
  EXPECT_EQ(this->json({"rehearse", "a1"})["statements"], Json::array());
  EXPECT_EQ(this->json({"rehearse", "a2"})["statements"].size(), 1U);
}

TEST_F(Rehearse, RefusesWhatItCannotUndo) {
  const std::string role = "left_" + database.name();
  const std::vector<std::pair<std::string, std::string>> plans{{"CREATE ROLE " + role + ";", "DROP ROLE " + role + ";"},
                                                               {"SELECT 1;", "DROP ROLE " + role + ";"},
                                                               {"COPY a FROM PROGRAM 'echo 1';", "DELETE FROM a;"}};
  for (const auto& [up, back] : plans) {
    revision("a2", "a1", up, back);
    const auto result = run({"rehearse"});
    EXPECT_EQ(result.exit_code, 10) << result.out << result.err;
    EXPECT_THAT(result.err, HasSubstr("cannot be undone after a rehearsal"));
    EXPECT_THAT(result.err, HasSubstr("a2.sql:"));
  }
  EXPECT_EQ(database.value("SELECT count(*) FROM pg_roles WHERE rolname = '" + role + "'"), "0");
}

TEST_F(Rehearse, FindsNamesByTheSearchPathOfTheTarget) {
  database.run("CREATE SCHEMA app");
  database.run("ALTER DATABASE " + database.name() + " SET search_path = app");
  revision("a2", "a1", "CREATE TABLE c (id int); ALTER TABLE app.c ADD COLUMN x int;", "DROP TABLE app.c;");
  configure("version_table_schema: public\n");
  const auto result = run({"rehearse"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  configure("version_table_schema: public\nexecution: {search_path: public}\n");
  EXPECT_EQ(run({"rehearse"}).exit_code, 16) << "what the configuration says comes first";
}

TEST_F(Rehearse, BlamesNoRevisionForAStop) {
  revision("a2", "a1", "SELECT pg_sleep(60);", "SELECT 1;");
  test::ProcessOptions options;
  options.environment = {{"DATABASE_URL", database.url()}, {"XDG_CACHE_HOME", folder / "cache"}};
  options.directory = folder.string();
  test::Process process({test::athanor_binary(), "rehearse"}, options);
  ASSERT_TRUE(
      database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND "
                          "application_name = 'athanor scratch')"));
  process.signal(SIGTERM);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 11) << result.err;
  EXPECT_THAT(result.err, HasSubstr("stopped on request"));
  EXPECT_THAT(result.err, Not(HasSubstr("correct the revision")));
}

TEST_F(Rehearse, SaysThatTheDatabaseIsAheadOfTheFiles) {
  revision("a2", "a1", "CREATE TABLE c (id int);", "DROP TABLE c;");
  upgrade();
  std::filesystem::remove(folder.path() / "migrations/versions/a2.sql");
  EXPECT_EQ(this->json({"rehearse"})["error"]["code"], "ahead-of-files");
  EXPECT_EQ(this->json({"drift"})["error"]["code"], "ahead-of-files");
}

TEST_F(Rehearse, TellsWhatTheDowngradeLeftBeforeWhatThenFails) {
  revision("a2", "a1", "CREATE TABLE c (id int);", "SELECT 1;");
  const Json json = this->json({"rehearse"});
  EXPECT_THAT(json["message"].get<std::string>(), testing::StartsWith("the downgrade does not restore the current schema: "))
      << json.dump(2);
}

// What is rewritten is told with the size it has in the database, because the copy is empty.
TEST_F(Rehearse, TellsHowLargeTheDatabaseHasIt) {
  database.run("INSERT INTO a SELECT n, n FROM generate_series(1, 5000) n");
  database.run("ANALYZE a");
  revision("a2", "a1", "ALTER TABLE a ALTER COLUMN n TYPE bigint;", "ALTER TABLE a ALTER COLUMN n TYPE int;");
  const auto told = run({"rehearse"});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("public.a (about 5000 rows, "));
  EXPECT_THAT(told.out, HasSubstr("without rows: times and row counts are not those of the database"));
  const Json json = this->json({"rehearse"});
  const Json rewrite = statement(json, "ALTER TABLE a")["live"];
  EXPECT_THAT(rewrite.dump(), HasSubstr(R"("relation":"public.a","rows":5000)"));
  EXPECT_EQ(json["statistics"].get<bool>(), std::stoi(database.value("SHOW server_version_num")) >= 180'000);
  EXPECT_EQ(json["backup"], nullptr);
}

struct RehearseOnABackup : Rehearse {
  RehearseOnABackup() {
    configure("backup: {folder: backups}\n");
    database.run("INSERT INTO a SELECT n, n FROM generate_series(1, 300) n");
  }
  void back_up() const {
    const auto taken = run({"backup"});
    EXPECT_EQ(taken.exit_code, 0) << taken.err;
  }
};

TEST_F(RehearseOnABackup, HasItsRows) {
  back_up();
  revision("a2", "a1", "UPDATE a SET n = 0 WHERE n > 100;", "SELECT 1;");
  const Json told = Json::parse(run({"rehearse", "--backup", "latest", "--json"}).out);
  EXPECT_EQ(told["copy"], "backup") << told.dump(2);
  EXPECT_EQ(statement(told, "UPDATE a")["rows"], 200);
  EXPECT_EQ(told["statistics"], true);
  EXPECT_EQ(told["backup"]["revisions"], Json::array({"a1"}));
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  const auto text = run({"rehearse", "--backup", told["backup"]["file"].get<std::string>()});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("On the backup "));
  EXPECT_THAT(text.out, HasSubstr("200 rows"));
}

TEST_F(RehearseOnABackup, FindsWhatOnlyTheRowsRefuseAndShowsNoValue) {
  database.run("INSERT INTO a VALUES (900, 4711), (901, 4711)");
  back_up();
  revision("a2", "a1", "ALTER TABLE a ADD CONSTRAINT one UNIQUE (n);", "ALTER TABLE a DROP CONSTRAINT one;");
  EXPECT_EQ(run({"rehearse"}).exit_code, 0) << "the schema alone allows it";
  const auto told = run({"rehearse", "--backup", "latest"});
  EXPECT_EQ(told.exit_code, 16);
  EXPECT_THAT(told.err, HasSubstr("revision a2 fails on the backup"));
  EXPECT_THAT(told.out + told.err, Not(HasSubstr("4711")));
}

TEST_F(RehearseOnABackup, RefusesOneOfAnotherRevision) {
  revision("a2", "a1", "CREATE TABLE c (id int);", "DROP TABLE c;");
  const auto none = run({"rehearse", "--backup", "latest"});
  EXPECT_NE(none.exit_code, 0) << none.out;
  back_up();
  upgrade();
  revision("a3", "a2", "CREATE TABLE d (id int);", "DROP TABLE d;");
  const auto latest = run({"rehearse", "--backup", "latest"});
  EXPECT_THAT(latest.err, HasSubstr("there is no verified backup of this database at revision a2"));
  const Json list = json({"backups"});
  const auto named = run({"rehearse", "--backup", list["backups"][0]["file"].get<std::string>()});
  EXPECT_NE(named.exit_code, 0);
  EXPECT_THAT(named.err, HasSubstr("the backup is at a1, and the database is at a2"));
}

}  // namespace
}  // namespace athanor
