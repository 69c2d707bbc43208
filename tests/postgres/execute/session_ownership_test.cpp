// The session belongs to the run: what a revision leaves in it, or does to our own tables, must not reach anything that
// follows.
#include <algorithm>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor::test {
namespace {

using OwnedSession = MigrationScene;

// Ways to leave something behind, and a question that the next revision would answer "t" to.
struct Leak {
  std::string what;
  std::string up;
  std::string seen_by_next;
};

const std::vector<Leak>& leaks() {
  static const std::vector<Leak> all{
      {"SET", "SET search_path = other", "current_setting('search_path') = 'other'"},
      {"function", "SELECT other.sets_path()", "current_setting('search_path') LIKE 'other%'"},
      {"DO", "DO $$ BEGIN PERFORM set_config('search_path', 'other', false); END $$",
       "current_setting('search_path') = 'other'"},
      {"procedure", "CALL other.sets_path_too()", "current_setting('search_path') LIKE 'other%'"},
      {"trigger", "INSERT INTO other.watched VALUES (1)", "current_setting('search_path') LIKE 'other%'"},
      {"deferred trigger", "INSERT INTO other.watched_late VALUES (1)", "current_setting('search_path') LIKE 'other%'"},
      {"event trigger", "CREATE TABLE other.fires()", "current_setting('work_mem') = '77MB'"},
      {"role", "SET ROLE leaks_role", "current_user = 'leaks_role'"},
      {"session authorization", "SET SESSION AUTHORIZATION leaks_role", "session_user = 'leaks_role'"},
      {"read only", "SET default_transaction_read_only = on", "current_setting('default_transaction_read_only') = 'on'"},
      {"temporary table", "CREATE TEMP TABLE left_over()", "to_regclass('pg_temp.left_over') IS NOT NULL"},
      {"prepared statement", "PREPARE left_over AS SELECT 1",
       "EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'left_over')"},
      {"held cursor", "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
       "EXISTS (SELECT FROM pg_cursors WHERE name = 'left_over')"},
      {"channel", "LISTEN left_over", "EXISTS (SELECT FROM pg_listening_channels())"},
      {"advisory lock", "SELECT pg_advisory_lock(4711)",
       "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711)"},
      {"custom setting", "SET athanor.custom = 'x'", "current_setting('athanor.custom', true) = 'x'"},
  };
  return all;
}

void prepare_leaks(TestDatabase& database) {
  database.run(R"(
    DO $$ BEGIN CREATE ROLE leaks_role; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    CREATE SCHEMA other; GRANT ALL ON SCHEMA other TO leaks_role;
    CREATE FUNCTION other.sets_path() RETURNS void LANGUAGE sql AS $$ SELECT set_config('search_path', 'other', false) $$;
    CREATE PROCEDURE other.sets_path_too() LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'other', false); END $$;
    CREATE FUNCTION other.on_insert() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN PERFORM set_config('search_path', 'other', false); RETURN NULL; END $$;
    CREATE TABLE other.watched (a int); CREATE TABLE other.watched_late (a int);
    CREATE TRIGGER t AFTER INSERT ON other.watched FOR EACH ROW EXECUTE FUNCTION other.on_insert();
    CREATE CONSTRAINT TRIGGER t AFTER INSERT ON other.watched_late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      EXECUTE FUNCTION other.on_insert();
    CREATE FUNCTION other.on_ddl() RETURNS event_trigger LANGUAGE plpgsql
      AS $$ BEGIN PERFORM set_config('work_mem', '77MB', false); END $$;
    CREATE EVENT TRIGGER leaks_event ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION other.on_ddl();)");
}

class LeakingRevision : public MigrationScene, public testing::WithParamInterface<bool> {};

TEST_P(LeakingRevision, LeavesNothingToTheNextOne) {
  settings_.transaction_per_migration = GetParam();
  prepare_leaks(database_);
  std::string previous;
  for (std::size_t i = 0; i < leaks().size(); ++i) {
    const std::string id = "r" + std::to_string(100 + i);
    revision(id, previous, leaks()[i].up + ";");
    revision(id + "x", id, "INSERT INTO public.seen SELECT '" + leaks()[i].what + "' WHERE " + leaks()[i].seen_by_next + ";");
    previous = id + "x";
  }
  database_.run("CREATE TABLE public.seen (what text)");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.column("SELECT what FROM seen"), std::vector<std::string>{});
}

TEST_P(LeakingRevision, OutsideATransactionLeavesNothingToTheNextOne) {
  settings_.transaction_per_migration = GetParam();
  prepare_leaks(database_);
  std::string previous;
  for (std::size_t i = 0; i < leaks().size(); ++i) {
    const std::string id = "r" + std::to_string(100 + i);
    revision(id, previous, "-- athanor:step autocommit\n" + leaks()[i].up + ";");
    revision(id + "x", id, "INSERT INTO public.seen SELECT '" + leaks()[i].what + "' WHERE " + leaks()[i].seen_by_next + ";");
    previous = id + "x";
  }
  database_.run("CREATE TABLE public.seen (what text)");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.column("SELECT what FROM seen"), std::vector<std::string>{});
}
INSTANTIATE_TEST_SUITE_P(OneTransactionOrMany, LeakingRevision, testing::Bool());

TEST_F(OwnedSession, WhatARevisionSetsLastsThroughAllItsSteps) {
  database_.run("CREATE SCHEMA app; CREATE TABLE public.rows (id int PRIMARY KEY); INSERT INTO rows VALUES (1), (2), (3)");
  revision("r1", "", R"(SET search_path = app; SET work_mem = '77MB'; CREATE TEMP TABLE kept (a text);
-- athanor:step autocommit
CREATE TABLE in_app AS SELECT current_setting('work_mem') AS m;
SET statement_timeout = '9s';
CREATE TABLE second AS SELECT current_setting('statement_timeout') AS s, current_setting('search_path') AS p;
-- athanor:step batch table=public.rows key=id size=1
INSERT INTO kept SELECT current_setting('statement_timeout') FROM public.rows WHERE {batch};
-- athanor:step transaction
CREATE TABLE third AS SELECT a FROM kept;)");
  revision("r2", "r1", "CREATE TABLE after AS SELECT current_setting('statement_timeout') AS s;");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.value("SELECT m FROM app.in_app"), "77MB");
  EXPECT_EQ(database_.rows("SELECT s, p FROM app.second"), (std::vector<Client::Row>{{"9s", "app"}}));
  EXPECT_EQ(database_.column("SELECT a FROM app.third"), (std::vector<std::string>{"9s", "9s", "9s"}));
  EXPECT_EQ(database_.value("SELECT s FROM public.after"), "0");
}

TEST_F(OwnedSession, WhatARevisionSetIsSetAgainWhenAnotherRunGoesOn) {
  database_.run(
      "DO $$ BEGIN CREATE ROLE leaks_role; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
      "CREATE SCHEMA app AUTHORIZATION leaks_role");
  revision("r1", "", R"(SET search_path = app; SET work_mem = '77MB'; SET LOCAL statement_timeout = '9s'; SET ROLE leaks_role;
SET my.tenant = 'north'; DO $$ BEGIN PERFORM set_config('my.other', 'south', false); END $$;
CREATE TABLE t AS SELECT 1 AS a UNION ALL SELECT 1;
-- athanor:step autocommit
CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);
-- athanor:step transaction
CREATE TABLE seen AS SELECT current_setting('work_mem') AS m, current_setting('statement_timeout') AS s,
  current_setting('my.tenant', true) AS mine, current_setting('my.other', true) AS other;)");
  ASSERT_TRUE(upgrade().error);
  database_.run("DELETE FROM app.t");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.rows("SELECT m, s, mine, other FROM app.seen"),
            (std::vector<Client::Row>{{"77MB", "0", "north", "south"}}));
  EXPECT_EQ(database_.value("SELECT tableowner FROM pg_tables WHERE tablename = 'seen'"), "leaks_role");
}

TEST_F(OwnedSession, ALedgerOfVersion010GetsItsNewColumns) {
  revision("r1", "", "SELECT 1;\n-- athanor:step autocommit\nSELECT 1;");
  database_.run(
      "CREATE SCHEMA athanor; CREATE TABLE athanor.step (version_table text NOT NULL, revision text NOT NULL, direction text "
      "NOT "
      "NULL, step integer NOT NULL, statement integer NOT NULL, state text NOT NULL, before text, cursor text, rows bigint NOT "
      "NULL DEFAULT 0, checksum text NOT NULL, run_id text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY "
      "KEY "
      "(version_table, revision, direction, step, statement))");
  const auto report = upgrade();
  EXPECT_FALSE(report.error) << text(report.error);
}

TEST_F(OwnedSession, ASuperuserIsWarnedOfOnce) {
  revision("r1", "", "SELECT 1;");
  revision("r2", "r1", "SELECT 1;");
  ASSERT_FALSE(upgrade("r1").error);
  ASSERT_FALSE(upgrade("r2").error);
  EXPECT_EQ(std::ranges::count(sink_.events, "superuser_migrates"), 1);
}

TEST_F(OwnedSession, TheStateAfterAFailureIsReadAsTheMigrator) {
  database_.run(
      "DO $$ BEGIN CREATE ROLE leaks_role; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
      "CREATE SCHEMA app; CREATE TABLE app.alembic_version (version_num varchar(32)); INSERT INTO app.alembic_version VALUES "
      "('x')");
  revision("r0", "", "SELECT 1;");
  revision("r1", "r0", "SET search_path = app; SET ROLE leaks_role;\n-- athanor:step transaction\nSELECT 1/0;");
  const auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.current_heads, std::vector<std::string>{"r0"});
  EXPECT_TRUE(report.unfinished);
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history WHERE outcome = 'failed'"), "1");
}

TEST_F(OwnedSession, BookkeepingRunsAsTheMigratorWhateverRoleARevisionTakes) {
  database_.run(
      "DO $$ BEGIN CREATE ROLE leaks_role; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
      "CREATE SCHEMA app AUTHORIZATION leaks_role");
  const std::vector<std::string> ways{"SET ROLE leaks_role; CREATE TABLE app.a%();",
                                      "SET LOCAL ROLE leaks_role; CREATE TABLE app.a%();",
                                      "SET SESSION AUTHORIZATION leaks_role; CREATE TABLE app.a%();",
                                      "-- athanor:step autocommit\nSET ROLE leaks_role;\nCREATE TABLE app.a%();",
                                      "SET search_path = ''; SET default_transaction_read_only = on; SELECT 1 AS a%;\n"
                                      "-- athanor:step autocommit\nSELECT 1;\n"};
  std::string previous;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    std::string up = ways[i];
    up.replace(up.find('%'), 1, std::to_string(i));
    const std::string id = "r" + std::to_string(i);
    revision(id, previous, up);
    previous = id;
  }
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'app' AND tableowner = 'leaks_role'"), "4");
}

TEST_F(OwnedSession, PreparedStatementsMayAllBeDropped) {
  revision("r1", "", "DEALLOCATE ALL; CREATE TABLE a();");
  revision("r2", "r1", "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$; CREATE TABLE b();");
  revision("r3", "r2", "-- athanor:step autocommit\nDEALLOCATE ALL;\nCREATE TABLE c();");
  revision("r4", "r3", "PREPARE x AS SELECT 1; CREATE TABLE d();");
  revision("r5", "r4", "PREPARE x AS SELECT 2; CREATE TABLE e();");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.version_rows(), (std::vector<std::string>{"r5"}));
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history"), "5");
}

TEST_F(OwnedSession, ARevisionThatTouchesBookkeepingFailsAndIsRolledBack) {
  const std::vector<std::string> ways{
      "DROP TABLE alembic_version;",
      "DELETE FROM alembic_version;",
      "UPDATE alembic_version SET version_num = 'else';",
      "INSERT INTO alembic_version VALUES ('else');",
      "ALTER TABLE alembic_version RENAME TO other;",
      "ALTER TABLE alembic_version SET SCHEMA side;",
      "DROP TABLE alembic_version; CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES "
      "('r1');",
      "DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
      "DROP SCHEMA athanor CASCADE;",
      "DROP TABLE athanor.history;",
      "DELETE FROM athanor.history;",
      "SET track_counts = off; DELETE FROM athanor.history;",
      "SET LOCAL track_counts = off; UPDATE athanor.history SET checksum = 'x'; SET LOCAL track_counts = on;",
      "DO $$ BEGIN SET LOCAL track_counts = off; BEGIN DELETE FROM athanor.history; EXCEPTION WHEN others THEN NULL; END; END "
      "$$;",
      "INSERT INTO athanor.history (version_table, run_id, revision, direction, outcome, started_at, duration_ms, actor, tool)"
      " VALUES ('public.alembic_version', 'x', 'r9', 'upgrade', 'applied', now(), 1, 'nobody', 'athanor');",
      "CREATE VIEW side.v AS SELECT * FROM athanor.history; DELETE FROM side.v;",
      "UPDATE athanor.history SET actor = 'nobody';",
      "TRUNCATE athanor.history;",
      "DELETE FROM athanor.catalog;",
      "DROP TABLE athanor.catalog;",
      "UPDATE athanor.catalog SET digest = 'x';",
      "CREATE FUNCTION side.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
      "CREATE TRIGGER t BEFORE INSERT ON athanor.history FOR EACH ROW EXECUTE FUNCTION side.f();",
      "CREATE RULE r AS ON UPDATE TO alembic_version DO ALSO NOTIFY x;",
      "ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY;",
      "CREATE TABLE side.child () INHERITS (public.alembic_version);",
      "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;",
      "SELECT pg_advisory_unlock(" + std::to_string(0x61746872) + ", 1);",
      "CREATE FUNCTION side.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.alembic_version; RETURN "
      "NULL; "
      "END $$; CREATE TABLE side.t (a int); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON side.t DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION side.late(); INSERT INTO side.t VALUES (1);",
  };
  database_.run("CREATE SCHEMA side");
  revision("r0", "", "CREATE TABLE side.before();");
  ASSERT_FALSE(upgrade().error);
  database_.run("CREATE TABLE athanor.catalog (digest text)");  // as ledger.keep_catalog makes it
  for (const auto& up : ways) {
    std::erase_if(files_, [](const auto& file) { return file.name == "r1.sql"; });
    revision("r1", "r0", "CREATE TABLE side.never();" + up);
    const auto report = upgrade();
    ASSERT_TRUE(report.error) << up;
    EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << up << ": " << text(report.error);
    EXPECT_EQ(database_.version_rows(), (std::vector<std::string>{"r0"})) << up;
    EXPECT_FALSE(database_.has_relation("side.never")) << up;
    EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history WHERE outcome = 'applied'"), "1") << up;
  }
}

// Each lets its own row pass and would fail the next revision, which is not to blame.
TEST_F(OwnedSession, ARevisionThatConstrainsBookkeepingFailsItself) {
  const std::vector<std::string> ways{
      "ALTER TABLE alembic_version ADD CONSTRAINT no_r2 CHECK (version_num <> 'r2');",
      "ALTER TABLE alembic_version ADD CONSTRAINT no_r2 CHECK (version_num <> 'r2') NOT VALID;",
      "CREATE TABLE side.pinned (v varchar(32) REFERENCES alembic_version);",
      "CREATE TABLE side.known (v varchar(32) PRIMARY KEY); INSERT INTO side.known VALUES ('r0'), ('r1');"
      "ALTER TABLE alembic_version ADD FOREIGN KEY (version_num) REFERENCES side.known;",
      "CREATE UNIQUE INDEX ON alembic_version ((length(version_num)));",
      "ALTER TABLE alembic_version ADD EXCLUDE USING btree (length(version_num) WITH =);",
      "ALTER TABLE alembic_version ADD COLUMN more int NOT NULL DEFAULT 0; ALTER TABLE alembic_version ALTER more DROP "
      "DEFAULT;",
      "CREATE DOMAIN side.short AS varchar(32) CHECK (VALUE <> 'r2'); ALTER TABLE alembic_version ALTER version_num TYPE "
      "side.short;",
      "ALTER TABLE athanor.history ADD CONSTRAINT no_r2 CHECK (revision <> 'r2');",
      "CREATE TABLE side.pinned (v bigint REFERENCES athanor.history);",
  };
  database_.run("CREATE SCHEMA side");
  revision("r0", "", "CREATE TABLE side.before();");
  ASSERT_FALSE(upgrade().error);
  for (const auto& up : ways) {
    replace("r1", "r0", "CREATE TABLE side.never();" + up);
    const auto report = upgrade();
    ASSERT_TRUE(report.error) << up;
    EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << up << ": " << text(report.error);
    EXPECT_EQ(report.failed_revision, "r1") << up;
    EXPECT_FALSE(database_.has_relation("side.never")) << up;
  }
}

TEST_F(OwnedSession, AConstraintThatWasThereBeforeIsNamedAsWhatRefusedTheRow) {
  revision("r0", "", "SELECT 1;");
  revision("r1", "r0", "CREATE TABLE never();");
  ASSERT_FALSE(upgrade("r0").error);
  for (const auto& [table, constraint] : std::vector<std::pair<std::string, std::string>>{
           {"alembic_version", "ADD CONSTRAINT no_r1 CHECK (version_num <> 'r1')"},
           {"athanor.history", "ADD CONSTRAINT no_r1 CHECK (revision <> 'r1' OR outcome = 'failed')"}}) {
    database_.run("ALTER TABLE " + table + " " + constraint);
    const auto report = upgrade();
    ASSERT_TRUE(report.error) << table;
    EXPECT_EQ(report.error->code, ErrorCode::UntrustedTable) << text(report.error);
    EXPECT_NE(report.error->message.find("\"no_r1\""), std::string::npos) << text(report.error);
    EXPECT_NE(report.error->message.find("a constraint that Athanor did not create"), std::string::npos) << text(report.error);
    database_.run("ALTER TABLE " + table + " DROP CONSTRAINT no_r1");
  }
}

TEST_F(OwnedSession, TablesOfAnotherProgramAreNamed) {
  revision("r0", "", "SELECT 1;");
  database_.run("CREATE SCHEMA athanor; CREATE TABLE athanor.history (a int)");
  auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UntrustedTable) << text(report.error);
  EXPECT_NE(report.error->message.find("the ledger's table athanor.history was not created by Athanor"), std::string::npos)
      << text(report.error);
  database_.run("DROP SCHEMA athanor CASCADE; DROP TABLE IF EXISTS alembic_version; CREATE TABLE alembic_version (a int)");
  report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UntrustedTable) << text(report.error);
  EXPECT_NE(report.error->message.find("the version table public.alembic_version was not created by Athanor"),
            std::string::npos)
      << text(report.error);
}

TEST_F(OwnedSession, TablesOfAnotherProgramAreLeftAsTheyAre) {
  revision("r0", "", "SELECT 1;");
  database_.run(
      "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL); CREATE SCHEMA athanor;"
      " CREATE TABLE athanor.history (id bigint, revision text)");
  const auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UntrustedTable) << text(report.error);
  EXPECT_EQ(database_.value("SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attnum > 0"
                            " AND attrelid = 'athanor.history'::regclass"),
            "id,revision");
}

TEST_F(OwnedSession, AVersionColumnThatPadsItsValuesIsReadWithoutTheBlanks) {
  revision("r0", "", "SELECT 1;");
  revision("r1", "r0", "SELECT 1;");
  database_.run("CREATE TABLE alembic_version (version_num char(32) NOT NULL)");
  ASSERT_FALSE(upgrade("r0").error);
  auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(report.current_heads, std::vector<std::string>{"r1"});
  report = downgrade("base");
  ASSERT_FALSE(report.error) << text(report.error);
}

TEST_F(OwnedSession, ARevisionInOneTransactionWithOthersLeavesTheLedgerAlone) {
  settings_.transaction_per_migration = false;
  revision("r0", "", "CREATE TABLE a();");
  revision("r1", "r0", "CREATE TABLE b();");
  auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.column("SELECT revision FROM athanor.history ORDER BY id"), (std::vector<std::string>{"r0", "r1"}));
  revision("r2", "r1", "CREATE TABLE c();");
  revision("r3", "r2", "SET LOCAL track_counts = off; DELETE FROM athanor.history;");
  report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << text(report.error);
  EXPECT_FALSE(database_.has_relation("c"));
}

TEST_F(OwnedSession, ARevisionThatTouchesTheRowsOfUnfinishedStepsFails) {
  for (const std::string kind : {"transaction", "autocommit"}) {
    for (const std::string up : {"UPDATE athanor.step SET checksum = 'x';", "DELETE FROM athanor.step;",
                                 "TRUNCATE athanor.step;", "ALTER TABLE athanor.step ADD CHECK (step < 0) NOT VALID;"}) {
      TestDatabase database("migrator");
      const auto made = factory(database.url());
      files_.clear();
      revision(
          "r0", "",
          "CREATE TABLE a();\n-- athanor:step " + kind + "\n" + up + "\n-- athanor:step transaction\nCREATE TABLE never();");
      const auto report = run(Direction::Upgrade, "heads", *made);
      ASSERT_TRUE(report.error) << kind << up;
      EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << kind << up << ": " << text(report.error);
      EXPECT_FALSE(database.has_relation("never")) << kind << up;
    }
  }
}

TEST_F(OwnedSession, ARunOutsideATransactionStopsAtTheStatementThatTouchesBookkeeping) {
  for (const std::string up :
       {"DELETE FROM alembic_version;", "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;", "DELETE FROM athanor.history;",
        "UPDATE athanor.history SET actor = 'nobody';",
        "INSERT INTO athanor.history (version_table, run_id, revision, direction, outcome, started_at, duration_ms, actor, "
        "tool)"
        " VALUES ('public.alembic_version', 'x', 'r9', 'upgrade', 'applied', now(), 1, 'nobody', 'athanor');",
        "ALTER TABLE alembic_version ADD CHECK (version_num <> 'r1');",
        "CREATE UNIQUE INDEX CONCURRENTLY one ON alembic_version ((true));"}) {
    TestDatabase database("migrator");
    const auto made = factory(database.url());
    files_.clear();
    revision("r0", "", "CREATE TABLE a();");
    revision("r1", "r0", "-- athanor:step autocommit\n" + up + "\nCREATE TABLE never();");
    const auto report = run(Direction::Upgrade, "heads", *made);
    ASSERT_TRUE(report.error) << up;
    EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << up << ": " << text(report.error);
    EXPECT_FALSE(database.has_relation("never")) << up;
  }
}

TEST_F(OwnedSession, ARunOutsideATransactionStopsAtTheStatementThatTouchesTheCatalogTable) {
  for (const std::string up : {"DELETE FROM athanor.catalog;", "DROP TABLE athanor.catalog;"}) {
    TestDatabase database("migrator");
    const auto made = factory(database.url());
    files_.clear();
    revision("r0", "", "CREATE TABLE a();");
    ASSERT_FALSE(run(Direction::Upgrade, "heads", *made).error);
    database.run("CREATE TABLE athanor.catalog AS SELECT 'x'::text AS digest");
    revision("r1", "r0", "-- athanor:step autocommit\n" + up + "\nCREATE TABLE never();");
    const auto report = run(Direction::Upgrade, "heads", *made);
    ASSERT_TRUE(report.error) << up;
    EXPECT_EQ(report.error->code, ErrorCode::BookkeepingChanged) << up << ": " << text(report.error);
    EXPECT_FALSE(database.has_relation("never")) << up;
  }
}

TEST_F(OwnedSession, OrdinaryWorkAroundTheVersionTableIsNoReasonToFail) {
  revision("r1", "", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;");
  revision("r2", "r1", "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(128);");
  revision("r3", "r2", "COMMENT ON TABLE alembic_version IS 'ours'; CREATE INDEX ON athanor.history (revision);");
  revision("r4", "r3", "SELECT pg_advisory_xact_lock(7); SELECT pg_advisory_lock(8); SELECT pg_advisory_unlock(8);");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
}

TEST_F(OwnedSession, ATransactionThatTheRevisionMadeReadOnlyIsItsOwnFault) {
  revision("r1", "", "SET TRANSACTION READ ONLY; CREATE TABLE t();");
  auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->sqlstate, "25006");
  EXPECT_EQ(report.error->hint.find("primary"), std::string::npos) << report.error->hint;
  EXPECT_NE(report.error->hint.find("READ ONLY"), std::string::npos) << report.error->hint;
  replace("r1", "", "SET TRANSACTION READ ONLY;");
  report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
  EXPECT_NE(report.error->message.find("made its transaction read-only"), std::string::npos) << text(report.error);
}

TEST_F(OwnedSession, AnIsolationLevelThatAStepSetsIsThatOfTheNext) {
  revision("r1", "",
           "SET default_transaction_isolation = 'serializable';\n-- athanor:step transaction\n"
           "CREATE TABLE seen AS SELECT current_setting('transaction_isolation') AS level;");
  const auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.value("SELECT level FROM seen"), "serializable");
}

TEST_F(OwnedSession, TextIsNeverReadInAnotherEncoding) {
  database_.run("CREATE TABLE t (a text)");
  revision("r1", "",
           "DO $$ BEGIN PERFORM set_config('client_' || 'encoding', 'LATIN1', false); END $$; INSERT INTO t VALUES ('é');");
  auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
  replace("r1", "",
          "DO $$ BEGIN PERFORM set_config('standard_conforming_' || 'strings', 'off', false); END $$; INSERT INTO t VALUES "
          "('a\\b');");
  report = upgrade();
  ASSERT_TRUE(report.error);
  replace("r1", "",
          "-- athanor:step autocommit\nDO $$ BEGIN PERFORM set_config('client_' || 'encoding', 'LATIN1', false); END "
          "$$;\nINSERT INTO t VALUES ('é');");
  report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "0");
}

TEST_F(OwnedSession, NothingOfARevisionRunsAfterTheLastCheck) {
  database_.run(
      "CREATE FUNCTION public.drops() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.alembic_version; RETURN 1; "
      "END "
      "$$");
  revision("r1", "", "DECLARE c CURSOR WITH HOLD FOR SELECT drops();");
  revision("r2", "r1", "CREATE TABLE a();");
  const auto report = upgrade();
  EXPECT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(database_.version_rows(), (std::vector<std::string>{"r2"}));
}

}  // namespace
}  // namespace athanor::test
