// Several version tables in one database: each has a history and unfinished steps of its own, whatever its revisions are
// called.
#include <gtest/gtest.h>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class Tenants : public test::MigrationScene {
 protected:
  Tenants() { database_.run("CREATE SCHEMA north; CREATE SCHEMA south"); }

  // From here on the revisions and the version table are this tenant's.
  void tenant(const std::string& schema) {
    settings_.version_table_schema = schema;
    files_.clear();
    revision("a1", "", "CREATE TABLE " + schema + ".t (id int, v int); -- of " + schema, "DROP TABLE " + schema + ".t;");
    revision("b2", "a1",
             "ALTER TABLE " + schema + ".t ADD COLUMN w int;\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_w ON " +
                 schema + ".t (w);",
             "ALTER TABLE " + schema + ".t DROP COLUMN w;");
  }
  Result<void> verify() {
    auto sessions = factory();
    athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
    return migrator.verify_checksums(graph(), source(), migrator.observe()->current_heads);
  }
  [[nodiscard]] std::optional<UnfinishedStep> unfinished() {
    auto sessions = factory();
    return athanor::Migrator(*sessions, clock(), settings_, sink_).observe().value().unfinished;
  }
  [[nodiscard]] Rows history() {
    auto sessions = factory();
    const auto entries = athanor::Migrator(*sessions, clock(), settings_, sink_).ledger(100).value();
    Rows revisions;
    for (const auto& entry : entries) {
      revisions.push_back(entry.revision + " " + entry.direction);
    }
    return revisions;
  }
  // b2 of this tenant fails in its autocommit step: the step before it stays done.
  void stop_half_way() {
    database_.run("CREATE TABLE " + settings_.version_table_schema + ".t_w (id int)");
    const auto report = upgrade();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->sqlstate, "42P07") << text(report.error);
    database_.run("DROP TABLE " + settings_.version_table_schema + ".t_w");
  }
};

TEST_F(Tenants, ASchemaOfAnyNameHasOneHistory) {
  database_.run("CREATE SCHEMA \"North \"\"West\"\"\"");
  settings_.version_table_schema = "North \"West\"";
  revision("a1", "", "SELECT 1;");
  revision("a2", "a1", "SELECT 2;");
  ASSERT_TRUE(upgrade("a1").ok());  // makes the version table
  ASSERT_TRUE(upgrade("a2").ok());
  EXPECT_EQ(history(), (Rows{"a2 upgrade", "a1 upgrade"}));
  EXPECT_EQ(database_.value("SELECT DISTINCT version_table FROM athanor.history"), "North \"West\".alembic_version");
}

TEST_F(Tenants, SameRevisionsWithOtherTextsAreJudgedByTheirOwnHistory) {
  tenant("north");
  ASSERT_TRUE(upgrade().ok());
  tenant("south");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_TRUE(verify()) << verify().error().describe();
  tenant("north");
  EXPECT_TRUE(verify()) << verify().error().describe();
  ASSERT_TRUE(downgrade("base").ok());
  EXPECT_EQ(history(), (Rows{"a1 downgrade", "b2 downgrade", "b2 upgrade", "a1 upgrade"}));
  tenant("south");
  EXPECT_EQ(history(), (Rows{"b2 upgrade", "a1 upgrade"}));
  replace("a1", "", "CREATE TABLE south.t (id bigint, v int);");
  EXPECT_FALSE(verify());
}

TEST_F(Tenants, AHalfAppliedRevisionBlocksNoOtherTenant) {
  tenant("north");
  ASSERT_TRUE(upgrade("a1").ok());
  stop_half_way();
  ASSERT_TRUE(unfinished());
  tenant("south");
  EXPECT_FALSE(unfinished());
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'south.t_w'::regclass"), "t");
  tenant("north");
  EXPECT_TRUE(unfinished());
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.column("SELECT version_num FROM north.alembic_version"), Rows{"b2"});
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
}

TEST_F(Tenants, BothMayBeHalfDoneInTheSameStep) {
  for (const auto* schema : {"north", "south"}) {
    tenant(schema);
    ASSERT_TRUE(upgrade("a1").ok());
    stop_half_way();
  }
  EXPECT_EQ(database_.column("SELECT version_table || ' ' || state FROM athanor.step ORDER BY 1"),
            (Rows{"north.alembic_version complete", "south.alembic_version complete"}));
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  ASSERT_TRUE(migrator.resolve_step(athanor::Migrator::StepResolution::Abandon, stop_.token()));
  EXPECT_EQ(database_.column("SELECT version_table FROM athanor.step"), Rows{"north.alembic_version"});
}

TEST_F(Tenants, AVersionTableIsTheSameHoweverItIsReached) {
  tenant("north");
  ASSERT_TRUE(upgrade("a1").ok());
  settings_.version_table_schema.clear();
  auto sessions = factory(database_.url() + "?options=-csearch_path%3Dabsent,north");
  const auto report = run(Direction::Upgrade, "heads", *sessions);
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.column("SELECT DISTINCT version_table FROM athanor.history"), Rows{"north.alembic_version"});
  EXPECT_FALSE(database_.has_relation("public.alembic_version"));
  // Not there yet, and no schema named: it is made, and known, where the session makes things.
  tenant("south");
  settings_.version_table_schema.clear();
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT version_table FROM athanor.history ORDER BY id DESC LIMIT 1"), "public.alembic_version");
}

class Identity : public Tenants {
 protected:
  Identity() { settings_.identify = true; }
  [[nodiscard]] std::string identity(const std::string& url = "") {
    auto sessions = factory(url);
    const auto seen = athanor::Migrator(*sessions, clock(), settings_, sink_).observe();
    EXPECT_TRUE(seen) << seen.error().describe();
    return seen ? seen->identity : std::string();
  }
  // The same database by another host name.
  [[nodiscard]] std::string alias() const {
    std::string url = database_.url();
    const std::string number = "127.0.0.1";
    return url.replace(url.find(number), number.size(), "localhost");
  }
};

TEST_F(Identity, IsTheSameUnderEveryNameOfTheServer) {
  const std::string one = identity();
  EXPECT_NE(one.find("/" + database_.name() + "/"), std::string::npos) << one;
  EXPECT_EQ(identity(alias()), one);
  settings_.execution.search_path = "\"$user\", public";
  EXPECT_EQ(identity(), one);
  settings_.version_table_schema = "public";
  EXPECT_EQ(identity(), one);
  ASSERT_TRUE(database_.attempt("SET TimeZone = 'Asia/Tokyo'").empty());
  database_.run("ALTER DATABASE " + database_.name() + " SET TimeZone = 'Asia/Tokyo'");
  EXPECT_EQ(identity(), one);
}

TEST_F(Identity, IsTheSameBeforeAndAfterTheVersionTableIsMade) {
  database_.run("CREATE SCHEMA \"North West\"");
  database_.run("CREATE SCHEMA \"say \"\"when\"\"\"");
  for (const char* schema : {"", "North West", "say \"when\""}) {
    settings_.version_table_schema = schema;
    const std::string before = identity();
    files_.clear();
    revision("a1", "", "SELECT 1;");
    ASSERT_TRUE(upgrade().ok());
    EXPECT_EQ(identity(), before);
  }
}

TEST_F(Identity, TellsVersionTablesAndDatabasesApart) {
  const std::string one = identity();
  settings_.version_table_schema = "north";
  EXPECT_NE(identity(), one);
  settings_.version_table_schema.clear();
  settings_.version_table = "other_version";
  EXPECT_NE(identity(), one);
  settings_.version_table = "alembic_version";
  const test::TestDatabase other("other");
  EXPECT_NE(identity(other.url()), one);
}

TEST_F(Identity, IsThereForARoleThatMayNotAskForTheServersNumber) {
  const test::TestRole role(database_);
  database_.run("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  EXPECT_NE(identity(role.url()).find("/" + database_.name() + "#public.alembic_version"), std::string::npos);
}

TEST_F(Identity, IsNotQueriedUnlessRequested) {
  settings_.identify = false;
  EXPECT_EQ(identity(), "");
}

}  // namespace
}  // namespace athanor
