// The script of `upgrade --sql`, run by psql, and the run itself: whatever revisions set in their session, both give one
// database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

struct History {
  std::string name;
  std::vector<std::string> upgrades;  // one revision each
  std::string configuration;
};

// `seen` and `note` come first: rows tell what a later revision finds.
const std::string kTables = "CREATE SCHEMA app;\nCREATE TABLE public.seen (at serial, what text, v text);";
const std::string kNote =
    "INSERT INTO public.seen (what, v) SELECT s, pg_catalog.current_setting(s) FROM unnest(ARRAY['search_path', 'datestyle', "
    "'timezone', 'maintenance_work_mem', 'lock_timeout', 'statement_timeout', 'client_encoding', "
    "'standard_conforming_strings', "
    "'default_transaction_isolation', 'row_security', 'role', 'work_mem']) AS s WHERE s NOT IN ('lock_timeout');\n"
    "INSERT INTO public.seen (what, v) SELECT 'prepared', count(*)::text FROM pg_catalog.pg_prepared_statements WHERE name NOT "
    "LIKE 'athanor%';\n"
    "INSERT INTO public.seen (what, v) SELECT 'cursors', count(*)::text FROM pg_catalog.pg_cursors WHERE is_holdable;\n"
    "INSERT INTO public.seen (what, v) SELECT 'channels', count(*)::text FROM pg_catalog.pg_listening_channels();\n"
    "INSERT INTO public.seen (what, v) SELECT 'temp', count(*)::text FROM pg_catalog.pg_class WHERE relpersistence = 't' AND "
    "pg_catalog.pg_table_is_visible(oid);\n"
    "INSERT INTO public.seen (what, v) SELECT 'locks', count(*)::text FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND "
    "pid = pg_backend_pid() AND objid = 4711;\n"
    "CREATE TABLE IF NOT EXISTS probe (i int);";

const std::vector<History>& histories() {
  const std::string owner =
      "DO $$ BEGIN CREATE ROLE offline_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;\n"
      "GRANT CREATE ON SCHEMA public TO offline_owner; GRANT ALL ON public.seen, public.seen_at_seq TO offline_owner;";
  const std::string step = "\n-- athanor:step autocommit\n";
  static const std::vector<History> all{
      {"nothing", {kTables, kNote}, ""},
      {"set",
       {kTables, "SET search_path = app; SET datestyle = 'German'; SET work_mem = '7MB'; CREATE TABLE one (i int);", kNote},
       ""},
      {"empty path",
       {kTables, "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.a (i int);", kNote},
       ""},
      {"set local", {kTables, "SET LOCAL search_path = app; CREATE TABLE one (i int);", kNote}, ""},
      {"set role", {kTables + owner, "SET ROLE offline_owner; CREATE TABLE owned (i int);", kNote}, ""},
      {"set local role", {kTables + owner, "SET LOCAL ROLE offline_owner; CREATE TABLE owned (i int);", kNote}, ""},
      {"session authorization",
       {kTables + owner, "SET SESSION AUTHORIZATION offline_owner; CREATE TABLE owned (i int);", kNote},
       ""},
      {"function",
       {kTables + "CREATE FUNCTION enter() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'app', "
                  "false); END $$;",
        "SELECT enter(); CREATE TABLE one (i int);", kNote},
       ""},
      {"procedure",
       {kTables + "CREATE PROCEDURE enter() LANGUAGE plpgsql AS $$ BEGIN SET search_path = app; END $$;",
        "CALL enter(); CREATE TABLE one (i int);", kNote},
       ""},
      {"block", {kTables, "DO $$ BEGIN SET search_path = app; END $$; CREATE TABLE one (i int);", kNote}, ""},
      {"event trigger",
       {kTables + "CREATE FUNCTION entering() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF current_setting('x.enter', "
                  "true) = "
                  "'1' THEN PERFORM set_config('search_path', 'app', false); END IF; END $$;"
                  "CREATE EVENT TRIGGER entering ON ddl_command_end EXECUTE FUNCTION entering();",
        "SET x.enter = '1'; CREATE TABLE first (i int); CREATE TABLE one (i int);", kNote},
       ""},
      {"deferred trigger",
       {kTables + "CREATE TABLE d (i int); CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
                  "set_config('search_path', 'app', false); RETURN NULL; END $$;"
                  "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON d DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
                  "FUNCTION late();",
        "INSERT INTO d VALUES (1);", kNote},
       ""},
      {"temporary version table",
       {kTables, "CREATE TEMP TABLE alembic_version (version_num varchar(32)); CREATE TEMP TABLE t AS SELECT 1 AS i;", kNote},
       ""},
      {"prepared", {kTables, "PREPARE q AS SELECT 1; EXECUTE q;", kNote}, ""},
      {"deallocated", {kTables, "PREPARE q AS SELECT 1; DEALLOCATE ALL;", kNote}, ""},
      {"cursor", {kTables, "DECLARE c CURSOR WITH HOLD FOR SELECT 1;", kNote}, ""},
      {"listen", {kTables, "LISTEN app;", kNote}, ""},
      {"advisory lock", {kTables, "SELECT pg_advisory_lock(4711);", kNote}, ""},
      {"characteristics", {kTables, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;", kNote}, ""},
      {"through the steps",
       {kTables,
        "SET search_path = app; CREATE TABLE one (i int);" + step + "CREATE INDEX CONCURRENTLY one_i ON one (i);" +
            "\n-- athanor:step transaction\n" + kNote,
        kNote},
       ""},
      {"set in an autocommit step", {kTables, "SELECT 1;" + step + "SET maintenance_work_mem = '77MB';\n" + kNote, kNote}, ""},
      {"hijacked operator",
       {kTables,
        "CREATE FUNCTION app.never(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT false';"
        "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = app.never);",
        kNote},
       ""},
      {"one transaction",
       {kTables, "SET search_path = app; SET LOCAL work_mem = '9MB'; CREATE TABLE one (i int);", kNote},
       "transaction_per_migration: false\n"},
      {"configured path",
       {kTables, "SET search_path = public; CREATE TABLE one (i int);", kNote},
       "execution:\n  search_path: public, app\n"},
      {"configured schema",
       {kTables, "SET search_path = app; CREATE TABLE one (i int);", kNote},
       "version_table_schema: public\n"},
  };
  return all;
}

struct Result {
  std::string schema;
  std::vector<Client::Row> rows;
  std::vector<Client::Row> owners;
  std::vector<std::string> version;

  explicit Result(TestDatabase& database)
      : schema(database.schema_fingerprint()),
        rows(database.rows("SELECT what, v FROM public.seen ORDER BY at")),
        owners(database.rows(
            "SELECT c.oid::regclass::text, c.relowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = "
            "relnamespace WHERE nspname IN ('public', 'app') AND relkind = 'r' ORDER BY 1")),
        version(database.version_rows()) {}
};

void write(const CliScene& scene, const History& history) {
  for (std::size_t index = 0; index < history.upgrades.size(); ++index) {
    scene.revision("r" + std::to_string(index + 1), index == 0 ? "" : "r" + std::to_string(index), history.upgrades[index],
                   "SELECT 1;");
  }
  if (!history.configuration.empty()) {
    scene.folder.write("athanor.yaml", history.configuration);
  }
}

std::ostream& operator<<(std::ostream& out, const History& history) {
  return out << history.name;
}

class OfflineAgreement : public ::testing::TestWithParam<History> {};

TEST_P(OfflineAgreement, PsqlRunsTheScriptToTheDatabaseOfTheRun) {
  CliScene offline;
  write(offline, GetParam());
  const auto script = offline.run({"upgrade", "head", "--sql"});
  ASSERT_EQ(script.exit_code, 0) << script.err;
  const auto psql = run_process({"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", offline.database.url()},
                                {.environment = {}, .standard_input = script.out, .directory = ""});
  ASSERT_EQ(psql.exit_code, 0) << psql.err << script.out;

  CliScene online;
  write(online, GetParam());
  const auto ran = online.run({"upgrade", "head"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;

  const Result expected(online.database);
  const Result given(offline.database);
  EXPECT_EQ(given.version, expected.version);
  EXPECT_EQ(given.schema, expected.schema);
  EXPECT_EQ(given.rows, expected.rows);
  EXPECT_EQ(given.owners, expected.owners);
  EXPECT_EQ(expected.version, std::vector<std::string>{"r" + std::to_string(GetParam().upgrades.size())});
}

INSTANTIATE_TEST_SUITE_P(Table, OfflineAgreement, ::testing::ValuesIn(histories()), [](const auto& test) {
  std::string name;
  for (const char letter : test.param.name) {
    name += letter == ' ' ? '_' : letter;
  }
  return name;
});

}  // namespace
}  // namespace athanor::test
