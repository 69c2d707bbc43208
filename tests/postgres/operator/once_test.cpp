// athanor-operator --once: one pass over all manifests, on real databases.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/postgres/operator/operator_scene.hpp"

namespace athanor::test {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class OperatorOnce : public testing::Test {
 protected:
  OperatorOnce() {
    scene.revision("a1", "");
    scene.revision("a2", "a1");
    scene.revision("a3", "a2");
  }
  nlohmann::json json(const ProcessResult& result) { return nlohmann::json::parse(result.out); }
  // The URL of a role for rehearsals on the database's own server.
  std::string scratch_role(const std::string& attributes = "CREATEDB") {
    const std::string role = "scratch_" + database.name();
    database.run("DROP ROLE IF EXISTS " + role);
    database.run("CREATE ROLE " + role + " LOGIN PASSWORD 'athanor' " + attributes);
    roles.push_back(role);
    return url_of("postgres", role, "athanor");
  }
  ~OperatorOnce() override {
    for (const std::string& role : roles) {
      database.run("DROP ROLE IF EXISTS " + role);
    }
  }

  OperatorScene scene;
  TestDatabase database{"operator"};
  std::vector<std::string> roles;
};

TEST_F(OperatorOnce, BringsDatabasesToTheirTargets) {
  TestDatabase other("operator");
  scene.manifest("orders", database.url());
  scene.manifest("users", other.url(), "  targetRevision: a2\n");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(result.out,
            "RESOURCE     READY  REASON   CURRENT  TARGET  PENDING\n"
            "shop/orders  True   Applied  a3       head    0\n"
            "shop/users   True   Applied  a2       a2      0\n");
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
  EXPECT_EQ(other.version_rows(), std::vector<std::string>{"a2"});
  EXPECT_EQ(database.value("SELECT count(*) FROM athanor.history WHERE actor = 'databasemigration/shop/orders'"), "3");
}

TEST_F(OperatorOnce, DoesNothingTheSecondTime) {
  scene.manifest("orders", database.url());
  (void)scene.once();
  const std::string before = scene.status("orders");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(database.value("SELECT count(*) FROM athanor.history"), "3");
  EXPECT_EQ(scene.status("orders"), before);
}

TEST_F(OperatorOnce, ReportsABrokenStatementAndKeepsWhatWasAppliedBefore) {
  scene.revision("a2", "a1", "CREATE TABLE half (id int);\nCREATE TABLE t_a1 (id int);");
  scene.manifest("orders", database.url());
  const auto result = scene.once({"--json"});
  EXPECT_EQ(result.exit_code, 1);
  const auto resource = json(result)["resources"][0];
  EXPECT_FALSE(json(result)["success"]);
  EXPECT_EQ(resource["status"]["lastError"]["sqlState"], "42P07");
  EXPECT_EQ(resource["status"]["lastError"]["revision"], "a2");
  EXPECT_EQ(resource["status"]["lastError"]["line"], 8);
  EXPECT_EQ(resource["status"]["currentRevisions"][0], "a1");
  EXPECT_EQ(resource["status"]["pendingCount"], 2);
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  EXPECT_FALSE(database.has_relation("public.half"));
}

TEST_F(OperatorOnce, RefusesADowngradeUnlessThePolicyAllowsIt) {
  scene.manifest("orders", database.url());
  (void)scene.once();
  scene.manifest("orders", database.url(), "  targetRevision: a1\n");
  auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "DatabaseAhead")) << result.out;
  EXPECT_FALSE(holds(scene.status("orders"), "lastError"));
  EXPECT_TRUE(holds(scene.status("orders"), "generation: 2"));
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});

  scene.manifest("orders", database.url(), "  targetRevision: a1\n  policy: {downgrade: Allow, directionCooldown: 0s}\n");
  result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  EXPECT_FALSE(database.has_relation("public.t_a3"));
}

// A rollback of the application brings back a folder without the newer files.
TEST_F(OperatorOnce, KnowsByTheLedgerADatabaseThatIsAheadOfItsFiles) {
  scene.manifest("orders", database.url());
  (void)scene.once();
  scene.forget_revision("a2");
  scene.forget_revision("a3");
  auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "DatabaseAhead")) << result.out;

  scene.manifest("orders", database.url(), "  policy: {downgrade: Keep}\n");
  result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_TRUE(holds(result.out, "True   AheadAccepted  a3")) << result.out;
  EXPECT_TRUE(database.has_relation("public.t_a3"));

  scene.manifest("orders", database.url(), "  policy: {downgrade: Allow}\n");
  EXPECT_TRUE(holds(scene.once().out, "DirectionCooldown"));
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
  scene.manifest("orders", database.url(), "  policy: {downgrade: Allow, directionCooldown: 0s}\n");
  result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  EXPECT_FALSE(database.has_relation("public.t_a2"));
}

TEST_F(OperatorOnce, TakesADatabaseWithTablesOverAtItsBaselineAndNoOther) {
  database.run("CREATE TABLE t_a1 (id int)");
  scene.manifest("orders", database.url(), "  baseline: {revision: a1}\n");
  auto result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
  EXPECT_EQ(database.column("SELECT concat_ws(' ', direction, revision, outcome, actor) FROM athanor.history ORDER BY id"),
            (std::vector<std::string>{"stamp a1 stamped databasemigration/shop/orders",
                                      "upgrade a2 applied databasemigration/shop/orders",
                                      "upgrade a3 applied databasemigration/shop/orders"}));
  EXPECT_EQ(database.value("SELECT count(*) FROM athanor.history WHERE started_at IS NULL"), "0");

  // Once: a history that leads back to nothing is no reason to take over again.
  database.run("DROP TABLE t_a1; CREATE TABLE other (id int)");
  scene.manifest("orders", database.url(),
                 "  baseline: {revision: a1}\n  targetRevision: base\n  policy: {downgrade: Allow, directionCooldown: 0s}\n");
  (void)scene.once();
  scene.manifest("orders", database.url(), "  baseline: {revision: a1}\n  policy: {downgrade: Allow, directionCooldown: 0s}\n");
  (void)scene.once();
  EXPECT_EQ(database.value("SELECT count(*) FROM athanor.history WHERE outcome = 'stamped'"), "1");

  TestDatabase empty("operator");
  scene.manifest("orders", empty.url(), "  baseline: {revision: a2}\n");
  result = scene.once();
  EXPECT_TRUE(empty.has_relation("public.t_a1")) << result.out;
  EXPECT_TRUE(holds(scene.status("orders"), "spec.baseline.revision did not apply")) << scene.status("orders");
}

TEST_F(OperatorOnce, TakesOverWhatAnAttemptWithoutABaselineLeft) {
  database.run("CREATE TABLE t_a1 (id int)");
  scene.manifest("orders", database.url());
  EXPECT_EQ(scene.once().exit_code, 1);  // t_a1 is there already
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{});
  scene.manifest("orders", database.url(), "  baseline: {revision: a1}\n");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
}

TEST_F(OperatorOnce, CountsViewsAndNoneOfAnExtension) {
  TestDatabase views("operator");
  views.run("CREATE VIEW seen AS SELECT 1 AS one");
  scene.manifest("orders", views.url(), "  baseline: {revision: a3}\n");
  EXPECT_EQ(scene.once().exit_code, 0);
  EXPECT_FALSE(views.has_relation("public.t_a1"));  // a view of somebody's is a schema of somebody's
  TestDatabase extended("operator");
  extended.run("CREATE EXTENSION pg_stat_statements");
  scene.manifest("orders", extended.url(), "  baseline: {revision: a3}\n");
  EXPECT_EQ(scene.once().exit_code, 0);
  EXPECT_TRUE(extended.has_relation("public.t_a1"));  // its views belong to the extension
}

TEST_F(OperatorOnce, PlansOnlyInADryRunAndLeavesSuspendedOnesAlone) {
  TestDatabase other("operator");
  scene.manifest("orders", database.url(), "  dryRun: true\n");
  scene.manifest("users", other.url(), "  suspend: true\n");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(scene.status("orders"), "phase: Planned"));
  EXPECT_TRUE(holds(scene.status("orders"), "- \"upgrade a1 Revision a1\"")) << scene.status("orders");
  EXPECT_TRUE(holds(scene.status("users"), "phase: Suspended"));
  EXPECT_FALSE(database.has_relation("public.alembic_version"));
  EXPECT_FALSE(other.has_relation("public.alembic_version"));
}

TEST_F(OperatorOnce, NamesAnUnknownFieldAndGoesOnWithTheOthers) {
  scene.manifest("orders", database.url());
  scene.manifest("users", database.url(), "  polcy: {downgrade: Allow}\n");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.err, "users.yaml:11: field `spec.polcy`: unknown field")) << result.err;
  EXPECT_TRUE(holds(scene.status("users"), "reason: InvalidManifest"));
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
}

TEST_F(OperatorOnce, StopsAtAChangedFileAndAtAnUnknownRevision) {
  scene.manifest("orders", database.url());
  (void)scene.once();
  scene.revision("a1", "", "CREATE TABLE t_a1 (id bigint PRIMARY KEY);");
  EXPECT_TRUE(holds(scene.once().out, "ChecksumMismatch"));
  scene.revision("a1", "");
  EXPECT_EQ(scene.once().exit_code, 0);
  database.run("UPDATE alembic_version SET version_num = 'ffff'");
  const auto result = scene.once();
  EXPECT_TRUE(holds(result.out, "UnknownDatabaseRevision")) << result.out;
  EXPECT_TRUE(holds(result.out, "ffff"));
}

TEST_F(OperatorOnce, GivesADatabaseToOneResourceOnly) {
  scene.manifest("first", database.url());
  scene.manifest("second", database.url(), "  targetRevision: a1\n");
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "shop/second: the database is already managed by shop/first")) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
}

TEST_F(OperatorOnce, MigratesSchemasOfOneDatabaseSideBySide) {
  database.run("CREATE SCHEMA one; CREATE SCHEMA two");
  const std::string spec =
      "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: NAME}\nspec:\n"
      "  database: {url: '" +
      database.url() + "', schema: NAME}\n  source: {path: rev}\n";
  std::string text;
  for (const std::string name : {"one", "two"}) {
    std::string document = spec;
    for (auto place = document.find("NAME"); place != std::string::npos; place = document.find("NAME")) {
      document.replace(place, 4, name);
    }
    text += document + "---\n";
  }
  scene.folder.write("manifests/tenants.yaml", text);
  const auto result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  for (const std::string name : {"one", "two"}) {
    EXPECT_EQ(database.value("SELECT version_num FROM " + name + ".alembic_version"), "a3");
    EXPECT_TRUE(database.has_relation(name + ".t_a1"));
  }
}

TEST_F(OperatorOnce, ReadsCredentialsFromFilesAndTheEnvironmentAndShowsThemNowhere) {
  TestRole role(database);
  database.run("GRANT CREATE ON DATABASE " + database.name() + " TO " + role.name() + "; GRANT ALL ON SCHEMA public TO " +
               role.name());
  scene.folder.write("manifests/secrets/url", role.url() + "\n");
  scene.folder.write(
      "manifests/orders.yaml",
      "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: orders, namespace: shop}\nspec:\n"
      "  database: {urlFrom: {file: secrets/url}}\n  source: {path: rev}\n");
  auto result = scene.once({"--log-level", "debug"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_FALSE(holds(result.out + result.err + scene.status("orders"), role.password()));

  scene.folder.write(
      "manifests/orders.yaml",
      "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: orders, namespace: shop}\nspec:\n"
      "  database: {urlFrom: {env: ORDERS_URL}}\n  source: {path: rev}\n");
  ProcessOptions options;
  options.environment["ORDERS_URL"] = url_of(database.name(), role.name(), "wr0ng-secret");
  result = scene.once({"--log-level", "debug"}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "AuthenticationFailed")) << result.out;
  EXPECT_FALSE(holds(result.out + result.err + scene.status("orders"), "wr0ng-secret"));
  EXPECT_TRUE(holds(scene.once().out, "the environment variable ORDERS_URL is not set"));
}

TEST_F(OperatorOnce, RefusesASourceOutsideTheManifests) {
  scene.folder.write("elsewhere/a1.sql", read_file(scene.folder / "manifests/rev/a1.sql"));
  scene.folder.write("manifests/orders.yaml",
                     "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: orders}\nspec:\n"
                     "  database: {url: '" +
                         database.url() + "'}\n  source: {path: ../elsewhere}\n");
  auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "leaves the folders that manifests may name")) << result.out;
  result = scene.once({"--source-root", scene.folder / "elsewhere"});
  EXPECT_EQ(result.exit_code, 0) << result.out;
}

TEST_F(OperatorOnce, ReportsDriftAndRunsNothingWhereThatBlocks) {
  scene.manifest("orders", database.url(), "  targetRevision: a1\n  policy: {drift: Report}\n");
  ASSERT_EQ(scene.once().exit_code, 0);
  EXPECT_TRUE(holds(scene.status("orders"), "SchemaUnchanged")) << scene.status("orders");
  database.run("ALTER TABLE t_a1 ADD COLUMN by_hand int");
  scene.manifest("orders", database.url(), "  targetRevision: a2\n  policy: {drift: Block}\n");
  auto result = scene.once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.out, "SchemaChanged")) << result.out;
  EXPECT_TRUE(holds(scene.status("orders"), "+ column public.t_a1.by_hand")) << scene.status("orders");
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});

  scene.manifest("orders", database.url(), "  targetRevision: a2\n  policy: {drift: Report}\n");
  result = scene.once();
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a2"});
  EXPECT_TRUE(holds(scene.status("orders"), "+ column public.t_a1.by_hand")) << "a run does not make drift disappear";

  scene.manifest("orders", database.url(), "  policy: {drift: Block, driftExclude: [t_a1]}\n");
  EXPECT_EQ(scene.once().exit_code, 0);
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
}

TEST_F(OperatorOnce, LintsPlansByWhatTheDatabaseHolds) {
  scene.manifest("orders", database.url(), "  targetRevision: a1\n");
  ASSERT_EQ(scene.once().exit_code, 0);
  scene.revision("a2", "a1", "CREATE INDEX t_a1_idx ON t_a1 (id);", "DROP INDEX t_a1_idx;");
  database.run("INSERT INTO t_a1 SELECT generate_series(1, 5000)");
  database.run("ANALYZE t_a1");
  scene.manifest("orders", database.url(), "  targetRevision: a2\n  policy: {lint: {}}\n");
  const auto blocked = scene.once();
  EXPECT_EQ(blocked.exit_code, 1);
  EXPECT_TRUE(holds(blocked.out, "LintFindings")) << blocked.out;
  EXPECT_TRUE(holds(scene.status("orders"), "a2.sql:7: error index-create")) << scene.status("orders");
  EXPECT_TRUE(holds(scene.status("orders"), "athanor:allow index-create reason"));
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  // The same index on a table that is small.
  scene.manifest("orders", database.url(), "  targetRevision: a2\n  policy: {lint: {smallTableRows: 10000}}\n");
  EXPECT_EQ(scene.once().exit_code, 0) << scene.status("orders");
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a2"});
}

TEST_F(OperatorOnce, RehearsesOnAScratchServer) {
  ProcessOptions options;
  options.environment = {{"SCRATCH", scratch_role()}};
  const std::string policy = "  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n";
  scene.manifest("orders", database.url(), "  targetRevision: a1\n" + policy);
  EXPECT_EQ(scene.once({}, options).exit_code, 0) << scene.status("orders");
  EXPECT_TRUE(holds(scene.status("orders"), "up, down and up again")) << scene.status("orders");

  // It does not lead back, which only a rehearsal finds out.
  scene.revision("a2", "a1", "ALTER TABLE t_a1 ALTER COLUMN id TYPE bigint;\nCREATE TABLE left_over (id int);",
                 "ALTER TABLE t_a1 ALTER COLUMN id TYPE int;");
  scene.manifest("orders", database.url(), "  targetRevision: a2\n" + policy);
  const auto blocked = scene.once({}, options);
  EXPECT_EQ(blocked.exit_code, 1);
  EXPECT_TRUE(holds(blocked.out, "RehearsalFailed")) << blocked.out;
  const std::string status = scene.status("orders");
  EXPECT_TRUE(holds(status, "+ table public.left_over")) << status;
  EXPECT_TRUE(holds(status, "ACCESS EXCLUSIVE on public.t_a1: line 7 of a2")) << status;
  EXPECT_TRUE(holds(status, "public.t_a1: line 7 of a2")) << status;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
  // Other tests make scratch databases on this server, too; all that are there now go away.
  const std::string left =
      database.value("SELECT coalesce(array_agg(datname)::text, '') FROM pg_database WHERE datname LIKE 'athanor_scratch%'");
  EXPECT_TRUE(left.empty() ||
              database.wait_until("SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = ANY ('" + left + "'))"))
      << left;
}

TEST_F(OperatorOnce, RehearsesWithTheSearchPathOfTheTarget) {
  database.run("CREATE SCHEMA app");
  database.run("ALTER DATABASE " + database.name() + " SET search_path = app, public");
  ProcessOptions options;
  options.environment = {{"SCRATCH", scratch_role()}};
  scene.revision("a2", "a1", "ALTER TABLE app.t_a1 ADD COLUMN n int;", "ALTER TABLE app.t_a1 DROP COLUMN n;");
  scene.manifest("orders", database.url(),
                 "  targetRevision: a2\n  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n");
  EXPECT_EQ(scene.once({}, options).exit_code, 0) << scene.status("orders");
}

TEST_F(OperatorOnce, RehearsesOnTheBackupOfTheRun) {
  ProcessOptions options;
  options.environment = {{"SCRATCH", scratch_role()}};
  const std::string spec = "  policy: {rehearsal: Backup}\n  backup: {when: Always}\n  scratch: {urlFrom: {env: SCRATCH}}\n";
  const std::vector<std::string> flags{"--backup-root", scene.folder / "backups"};
  std::filesystem::create_directory(scene.folder / "backups");
  scene.manifest("orders", database.url(), "  targetRevision: a1\n" + spec);
  const auto first = scene.once(flags, options);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(holds(scene.status("orders"), "copy: Backup")) << scene.status("orders");

  database.run("INSERT INTO t_a1 VALUES (4711)");  // only the row refuses it
  scene.revision("a2", "a1", "ALTER TABLE t_a1 ADD CONSTRAINT small CHECK (id < 100);",
                 "ALTER TABLE t_a1 DROP CONSTRAINT small;");
  scene.manifest("orders", database.url(), "  targetRevision: a2\n" + spec);
  EXPECT_EQ(scene.once(flags, options).exit_code, 1);
  const std::string status = scene.status("orders");
  EXPECT_TRUE(holds(status, "RehearsalFailed")) << status;
  EXPECT_TRUE(holds(status, "fails on the backup")) << status;
  EXPECT_FALSE(holds(status, "4711")) << status;
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a1"});
}

TEST_F(OperatorOnce, RehearsesNothingThatReachesBeyondTheDatabase) {
  ProcessOptions options;
  options.environment = {{"SCRATCH", scratch_role("CREATEDB CREATEROLE")}};
  const std::string left = "left_" + database.name();
  const std::string spec = "  targetRevision: a2\n  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n";
  scene.revision("a2", "a1", "CREATE ROLE " + left + ";", "DROP ROLE " + left + ";");
  scene.manifest("orders", database.url(), spec);
  EXPECT_EQ(scene.once({}, options).exit_code, 1);
  const std::string status = scene.status("orders");
  EXPECT_TRUE(holds(status, "RehearsalFailed")) << status;
  EXPECT_TRUE(holds(status, "it changes the server and not only the database")) << status;
  EXPECT_TRUE(holds(status, "a2.sql:")) << status;
  EXPECT_EQ(database.value("SELECT count(*) FROM pg_roles WHERE rolname = '" + left + "'"), "0");
  // The same in a way that its text does not show.
  scene.revision("a2", "a1", "DO $$ BEGIN EXECUTE 'CREATE ' || 'ROLE " + left + "'; END $$;", "");
  EXPECT_EQ(scene.once({}, options).exit_code, 1);
  EXPECT_TRUE(holds(scene.status("orders"), "the scratch server is the database's own")) << scene.status("orders");
  EXPECT_TRUE(holds(scene.status("orders"), "may create roles")) << scene.status("orders");
  EXPECT_EQ(database.value("SELECT count(*) FROM pg_roles WHERE rolname = '" + left + "'"), "0");
  EXPECT_TRUE(database.version_rows().empty());
}

TEST_F(OperatorOnce, RehearsesOnItsOwnServerOnlyAsARoleOfLittlePower) {
  scene.manifest("orders", database.url(), "  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n");
  const std::string owner = "owner_" + database.name();
  const std::string self = database.value("SELECT current_user");
  database.run("CREATE ROLE " + owner);
  database.run("ALTER DATABASE " + database.name() + " OWNER TO " + owner);
  for (const auto& [attributes, says] :
       {std::pair(std::string("SUPERUSER"), "is a superuser"), std::pair("CREATEDB IN ROLE " + self, "such a role"),
        std::pair(std::string("CREATEDB IN ROLE pg_execute_server_program"), "predefined role"),
        std::pair("CREATEDB IN ROLE " + owner, "owns another database")}) {
    ProcessOptions options;
    options.environment = {{"SCRATCH", scratch_role(attributes)}};
    EXPECT_EQ(scene.once({}, options).exit_code, 1) << attributes;
    EXPECT_TRUE(holds(scene.status("orders"), says)) << scene.status("orders");
    EXPECT_TRUE(database.version_rows().empty());
  }
  database.run("ALTER DATABASE " + database.name() + " OWNER TO " + self);
  database.run("DROP ROLE " + owner);
}

TEST_F(OperatorOnce, ShowsARehearsalAndEndsItWhenTheResourceIsSuspended) {
  ProcessOptions options;
  options.environment = {{"SCRATCH", scratch_role()}};
  const std::string spec = "  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n";
  scene.revision("a1", "", "SELECT pg_sleep(300);", "SELECT 1;");
  scene.manifest("orders", database.url(), "  targetRevision: a1\n" + spec);
  scene.start({}, options);
  EXPECT_TRUE(
      scene.wait_for_status("orders", {"reason: Rehearsing", "is being rehearsed on a copy of the schema", "pendingCount: 1"}))
      << scene.status("orders");
  scene.manifest("orders", database.url(), "  targetRevision: a1\n  suspend: true\n" + spec);
  EXPECT_TRUE(scene.wait_for_status("orders", {"reason: Suspended"})) << scene.status("orders");
  EXPECT_EQ(scene.stop().exit_code, 0);
  EXPECT_TRUE(database.version_rows().empty());
}

TEST_F(OperatorOnce, RunsNothingWhereTheScratchServerIsUnavailable) {
  ProcessOptions options;
  options.environment = {{"SCRATCH", "postgresql://nobody:a-long-secret@127.0.0.1:1/postgres"}};
  scene.manifest("orders", database.url(), "  policy: {rehearsal: Schema}\n  scratch: {urlFrom: {env: SCRATCH}}\n");
  const auto blocked = scene.once({}, options);
  EXPECT_EQ(blocked.exit_code, 1);
  const std::string status = scene.status("orders");
  EXPECT_TRUE(holds(status, "RehearsalFailed")) << status;
  EXPECT_TRUE(holds(status, "spec.scratch")) << status;
  EXPECT_FALSE(holds(status + blocked.out + blocked.err, "a-long-secret"));
  EXPECT_TRUE(database.version_rows().empty());
}

TEST_F(OperatorOnce, HasStableExitCodes) {
  EXPECT_EQ(run_process({operator_binary(), "--help"}).exit_code, 0);
  EXPECT_EQ(run_process({operator_binary(), "--version"}).exit_code, 0);
  EXPECT_EQ(run_process({operator_binary()}).exit_code, 2);
  EXPECT_EQ(run_process({operator_binary(), "--manifests", scene.folder / "missing", "--once"}).exit_code, 3);
  EXPECT_EQ(run_process({operator_binary(), "--manifests", scene.folder / "manifests", "--listen", "nonsense"}).exit_code, 2);
  EXPECT_EQ(scene.once().exit_code, 0);  // no manifest: everything there is is Ready
}

}  // namespace
}  // namespace athanor::test
