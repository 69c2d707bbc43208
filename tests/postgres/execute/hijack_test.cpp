// What other roles put into a schema of the search_path must never run in the migrator's session (CVE-2018-1058).
#include "tests/postgres/execute/migration_scene.hpp"
#include "tests/support/hijacked_schema.hpp"

namespace athanor::test {
namespace {

class HijackedSchema : public MigrationScene {
 protected:
  HijackedSchema() {
    database_.run(kHijack);
    database_.run("ALTER DATABASE " + database_.name() + " SET search_path = evil, pg_catalog, public");
    settings_.version_table_schema = "public";
    revision("a1", "", "CREATE TABLE public.t (id pg_catalog.int4 PRIMARY KEY, v pg_catalog.int4);");
    revision("b2", "a1", R"(INSERT INTO public.t VALUES (1), (2), (3);
-- athanor:step autocommit
CREATE INDEX CONCURRENTLY t_v ON public.t (v);
-- athanor:step batch table=public.t key=id size=2
UPDATE public.t SET v = 1 WHERE {batch};)",
             "DROP INDEX public.t_v;");
  }
};

TEST_F(HijackedSchema, NothingOfItRunsWhileMigrating) {
  ASSERT_EQ(database_.connect().attempt("SELECT pg_backend_pid()"), "P0001") << "the schema hijacks nothing";
  auto report = upgrade();
  ASSERT_FALSE(report.error) << text(report.error);
  EXPECT_EQ(Client(database_.url()).value("SELECT pg_catalog.count(*) FROM public.t WHERE v OPERATOR(pg_catalog.=) 1"), "3");
  report = downgrade("a1");
  ASSERT_FALSE(report.error) << text(report.error);
  report = stamp("b2");
  ASSERT_FALSE(report.error) << text(report.error);
}

TEST_F(HijackedSchema, RunsNothingDuringAnObservation) {
  settings_.identify = true;
  ASSERT_FALSE(upgrade().error);
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto seen = migrator.observe();
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_TRUE(migrator.applied_revisions());
  EXPECT_TRUE(migrator.verify_checksums(graph(), source(), seen->current_heads));
  EXPECT_TRUE(migrator.ledger(10));
  EXPECT_TRUE(migrator.accept_checksums({{"a1", "abc"}}, stop_.token()));
  Client holder(server_url());
  EXPECT_TRUE(migrator.lock_holders());
}

TEST_F(HijackedSchema, NothingOfItRunsWhileWaiting) {
  ASSERT_FALSE(upgrade("a1").error);
  settings_.execution.lock_timeout = milliseconds(1'500);
  Client blocker = Client(url_of(database_.name()));
  blocker.run("SET search_path = pg_catalog, public; BEGIN; LOCK TABLE public.t");
  blocker.run("SELECT pg_catalog.pg_advisory_lock(" + std::to_string(0x61746872) + ", 1)");
  auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::LockHeld) << text(report.error);
  EXPECT_NE(report.error->message.find("pid"), std::string::npos) << text(report.error);
  blocker.run("SELECT pg_catalog.pg_advisory_unlock_all()");
  report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::LockTimeout) << text(report.error);
  EXPECT_FALSE(report.blockers.empty());
}

// A role that may create tables, and a migrator that uses what it finds.
class PlantedTable : public MigrationScene, public testing::WithParamInterface<std::string> {
 protected:
  PlantedTable() {
    database_.run(
        "DO $$ BEGIN CREATE ROLE eve; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
        "GRANT ALL ON SCHEMA public TO eve; GRANT CREATE ON DATABASE " +
        database_.name() + " TO eve");
    revision("a1", "", "CREATE TABLE t();");
  }
  ~PlantedTable() override { database_.run("DROP OWNED BY eve"); }
};

TEST_P(PlantedTable, IsRefusedBeforeItIsUsed) {
  database_.run(GetParam());
  const auto report = upgrade();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::UntrustedTable) << text(report.error);
  EXPECT_FALSE(report.error->hint.empty());
  EXPECT_FALSE(database_.has_relation("t"));
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  EXPECT_EQ(migrator.observe().error().code, ErrorCode::UntrustedTable);
}
INSTANTIATE_TEST_SUITE_P(
    Each, PlantedTable,
    testing::Values(
        "SET ROLE eve; CREATE TABLE alembic_version (version_num varchar(32)); RESET ROLE",
        "SET ROLE eve; CREATE VIEW alembic_version AS SELECT 'a1'::varchar AS version_num; RESET ROLE",
        "CREATE VIEW alembic_version AS SELECT 'a1'::varchar AS version_num",
        "CREATE MATERIALIZED VIEW alembic_version AS SELECT 'a1'::varchar AS version_num",
        "CREATE UNLOGGED TABLE alembic_version (version_num varchar(32))",
        "CREATE TABLE alembic_version (version_num varchar(32)) PARTITION BY LIST (version_num)",
        "CREATE TABLE alembic_version (version_num varchar(32)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN "
        "RETURN NULL; END $$; CREATE TRIGGER t BEFORE INSERT ON alembic_version FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TABLE alembic_version (version_num varchar(32)); CREATE RULE r AS ON INSERT TO alembic_version DO INSTEAD "
        "NOTHING",
        "CREATE TABLE alembic_version (version_num varchar(32)); ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE alembic_version (version_num varchar(32)); CREATE TABLE child () INHERITS (alembic_version)",
        "SET ROLE eve; CREATE SCHEMA athanor; RESET ROLE",
        "CREATE SCHEMA athanor; GRANT ALL ON SCHEMA athanor TO eve; SET ROLE eve; CREATE TABLE athanor.history (id int); RESET "
        "ROLE",
        "CREATE SCHEMA athanor; CREATE VIEW athanor.step AS SELECT 1 AS a"));

using TrustedTable = MigrationScene;
TEST_F(TrustedTable, ATableOfARoleTheMigratorIsMemberOfIsTrusted) {
  database_.run(
      "DO $$ BEGIN CREATE ROLE crew; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
      "DO $$ BEGIN CREATE ROLE deckhand LOGIN PASSWORD 'athanor' IN ROLE crew; EXCEPTION WHEN duplicate_object OR "
      "unique_violation "
      "THEN NULL; END $$;"
      "GRANT ALL ON SCHEMA public TO crew; GRANT CREATE ON DATABASE " +
      database_.name() +
      " TO crew; SET ROLE crew; CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); RESET ROLE");
  revision("a1", "", "CREATE TABLE t();");
  const auto report = run(Direction::Upgrade, "heads", *factory(url_of(database_.name(), "deckhand", "athanor")));
  EXPECT_FALSE(report.error) << text(report.error);
  database_.run("DROP OWNED BY crew, deckhand");
}

}  // namespace
}  // namespace athanor::test
