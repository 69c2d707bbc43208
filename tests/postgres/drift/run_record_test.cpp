// The catalog that a run records, and what a later look makes of it.
#include "migrations/drift/run_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = DriftCheck::State;

class RunRecordTest : public test::MigrationScene {
 protected:
  RunRecordTest() { drift_.actor = "tester"; }

  ExecutionReport record(Direction direction = Direction::Upgrade, const std::string& target = "heads",
                         OnDrift on_drift = OnDrift::Record) {
    settings_.run_id.clear();
    const auto connected = factory();
    Migrator migrator(*connected, clock(), settings_, sink_);
    migrator.set_witness(recording_witness(drift_, sink_, on_drift));
    const auto seen = migrator.observe();
    EXPECT_TRUE(seen) << seen.error().describe();
    const auto planned = plan(direction, target, seen->current_heads);
    EXPECT_TRUE(planned) << planned.error().describe();
    return migrator.execute(*planned, stop_.token());
  }
  DriftCheck check() {
    const auto session = factory()->open();
    auto found = check_drift(**session, drift_);
    EXPECT_TRUE(found) << found.error().describe();
    return found ? std::move(*found) : DriftCheck{};
  }
  std::string records() { return database_.value("SELECT count(*) || ' ' || count(catalog) FROM athanor.catalog"); }

  DriftSettings drift_;
};

TEST_F(RunRecordTest, KnowsAnUntouchedDatabaseByItsDigest) {
  revision("a1", "", "CREATE TABLE a (id int PRIMARY KEY, note text DEFAULT 'x'); CREATE VIEW v AS SELECT id FROM a;",
           "DROP VIEW v; DROP TABLE a;");
  ASSERT_TRUE(record().ok());
  EXPECT_EQ(records(), "1 1");
  const DriftCheck found = check();
  EXPECT_EQ(found.state, State::Same) << found.unknown;
  EXPECT_EQ(found.record->revision, "a1");
  EXPECT_EQ(found.record->actor, "tester");
  EXPECT_THAT(found.since(), HasSubstr("revision a1 was run at 20"));
  ASSERT_TRUE(record(Direction::Downgrade, "base").ok());
  EXPECT_EQ(records(), "2 1") << "older rows keep the digest alone";
  EXPECT_EQ(check().state, State::Same);
}

TEST_F(RunRecordTest, NamesWhatWasChangedByHand) {
  revision("a1", "", "CREATE TABLE a (id int, gone int);");
  ASSERT_TRUE(record().ok());
  database_.run("ALTER TABLE a ADD COLUMN by_hand text; ALTER TABLE a DROP COLUMN gone; ALTER TABLE a ALTER id TYPE bigint");
  const DriftCheck found = check();
  EXPECT_EQ(found.state, State::Changed);
  EXPECT_THAT(found.lines, ElementsAre("- column public.a.gone", "+ column public.a.by_hand",
                                       "~ column public.a.id: type is bigint, should be integer"));
  ASSERT_TRUE(found.live && found.expected);
  drift_.exclude = {"public.a"};
  EXPECT_EQ(check().state, State::Same);
}

TEST_F(RunRecordTest, DoesNotForgetDriftBecauseARunCameAfterIt) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  database_.run("CREATE INDEX by_hand ON a (id)");
  revision("a2", "a1", "CREATE TABLE b (id int);");
  ASSERT_TRUE(record().ok());
  const DriftCheck found = check();
  EXPECT_THAT(found.lines, ElementsAre("+ index public.a.by_hand"));
  EXPECT_EQ(found.record->revision, "a2");
}

TEST_F(RunRecordTest, SaysWhenNothingIsRecorded) {
  EXPECT_EQ(check().unknown, "no catalog is recorded") << "no ledger at all";
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(check().unknown, "no catalog is recorded");
  EXPECT_EQ(check().state, State::Unknown);
}

TEST_F(RunRecordTest, SaysWhenALaterRunRecordedNothing) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  revision("a2", "a1", "CREATE TABLE b (id int);");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(check().state, State::Unknown);
  EXPECT_THAT(check().unknown, HasSubstr("revision a2, which was run at 20"));
  revision("a3", "a2", "CREATE TABLE c (id int);");
  ASSERT_TRUE(record().ok());
  EXPECT_EQ(check().state, State::Same);
}

TEST_F(RunRecordTest, IsNotComparedAcrossVersions) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  database_.run("UPDATE athanor.catalog SET facts_version = facts_version - 1, tool = 'athanor 0.0'");
  EXPECT_THAT(check().unknown, HasSubstr("by athanor 0.0"));
  database_.run("UPDATE athanor.catalog SET facts_version = facts_version + 1, server_version = 90600");
  EXPECT_THAT(check().unknown, HasSubstr("recorded on PostgreSQL 9"));
}

TEST_F(RunRecordTest, DoesNotTrustADamagedCatalog) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  database_.run("CREATE TABLE by_hand ()");
  for (const std::string damage :
       {"NULL", "''", "'\\x00'", "substring(catalog for 100)", "overlay(catalog placing 'z' from 90)"}) {
    database_.run("BEGIN; UPDATE athanor.catalog SET catalog = " + damage + "; COMMIT");
    EXPECT_EQ(check().unknown, "the recorded catalog cannot be read") << damage;
  }
}

TEST_F(RunRecordTest, RecordsWhatCommittedWhenALaterRevisionFails) {
  revision("a1", "", "CREATE TABLE a (id int);");
  revision("a2", "a1", "SELECT 1 / 0;");
  ASSERT_FALSE(record().ok());
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"a1"});
  EXPECT_EQ(check().state, State::Same);
  ASSERT_FALSE(record().ok());
  EXPECT_EQ(records(), "1 1") << "the second attempt changed nothing";
}

TEST_F(RunRecordTest, DoesNotJudgeAHalfAppliedRevision) {
  revision("a1", "", "CREATE TABLE a (id int);\n\n-- athanor:step transaction\nSELECT 1 / 0;");
  ASSERT_FALSE(record().ok());
  EXPECT_EQ(check().unknown, "a revision is half-applied");
}

TEST_F(RunRecordTest, NeverFailsARun) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  database_.run("DROP TABLE athanor.catalog; CREATE VIEW athanor.catalog AS SELECT 1 AS id");
  revision("a2", "a1", "CREATE TABLE b (id int);");
  const ExecutionReport report = record();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"a2"});
  EXPECT_THAT(sink_.events, testing::Contains(HasSubstr("catalog_not_recorded the ledger's table athanor.catalog is not")));
}

TEST_F(RunRecordTest, EndsARunBeforeItChangesAnythingWhereDriftIsRefused) {
  const auto refusing = [this] { return record(Direction::Upgrade, "heads", OnDrift::Refuse); };
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(refusing().ok()) << "nothing is recorded yet";
  revision("a2", "a1", "CREATE TABLE b (id int);");
  database_.run("ALTER TABLE a ADD by_hand int");
  const ExecutionReport refused = refusing();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error->code, ErrorCode::StalePlan);
  EXPECT_THAT(refused.error->message, HasSubstr("the schema was changed by hand: + column public.a.by_hand"));
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"a1"});
  drift_.exclude = {"a"};
  EXPECT_TRUE(refusing().ok()) << "what may change";
  revision("a3", "a2", "CREATE TABLE c (id int);");
  database_.run("DROP TABLE athanor.catalog; CREATE VIEW athanor.catalog AS SELECT 1 AS id");
  EXPECT_FALSE(refusing().ok()) << "nobody knows whether it was changed";
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"a2"});
}

TEST_F(RunRecordTest, LeavesStampsAlone) {
  revision("a1", "", "CREATE TABLE a (id int);");
  settings_.run_id.clear();
  const auto connected = factory();
  Migrator migrator(*connected, clock(), settings_, sink_);
  migrator.set_witness(recording_witness(drift_, sink_));
  ASSERT_TRUE(migrator.observe());
  ASSERT_TRUE(migrator.execute(*plan(Direction::Stamp, "heads", {}), stop_.token()).ok());
  EXPECT_FALSE(database_.has_relation("athanor.catalog"));
}

// Two applications in one database: a run of one is no drift to the other, and neither is its version table.
TEST_F(RunRecordTest, IsOfTheDatabaseNotOfAVersionTable) {
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  files_.clear();
  settings_.version_table = drift_.version_table = "other_version";
  revision("b1", "", "CREATE TABLE b (id int);");
  ASSERT_TRUE(record().ok());
  EXPECT_EQ(check().state, State::Same);
  settings_.version_table = drift_.version_table = "alembic_version";
  const DriftCheck found = check();
  EXPECT_EQ(found.state, State::Same) << testing::PrintToString(found.lines) << found.unknown;
  EXPECT_THAT(found.lines, IsEmpty());
}

TEST_F(RunRecordTest, ComparesOwnersAndGrantsWhereTheyWereRecorded) {
  const test::TestRole role(database_);
  revision("a1", "", "CREATE TABLE a (id int);");
  ASSERT_TRUE(record().ok());
  database_.run("GRANT SELECT ON a TO " + role.name());
  EXPECT_EQ(check().state, State::Same);
  drift_.compare.privileges = true;
  EXPECT_THAT(check().missing_kinds, ElementsAre("privileges"));
  const auto session = factory()->open();
  ASSERT_TRUE(accept_catalog(**session, drift_, "run"));
  EXPECT_THAT(check().missing_kinds, IsEmpty());
  database_.run("REVOKE SELECT ON a FROM " + role.name());
  EXPECT_EQ(check().lines.size(), 1U) << testing::PrintToString(check().lines);
  EXPECT_THAT(check().since(), HasSubstr("accepted at"));
}

TEST_F(RunRecordTest, WorksAsAnOrdinaryRole) {
  const test::TestRole role(database_);
  database_.run("GRANT CREATE ON DATABASE " + database_.name() + " TO " + role.name() +
                "; GRANT CREATE, USAGE ON SCHEMA public TO " + role.name());
  revision("a1", "", "CREATE TABLE a (id int);");
  settings_.run_id.clear();
  const auto connected = factory(role.url());
  Migrator migrator(*connected, clock(), settings_, sink_);
  migrator.set_witness(recording_witness(drift_, sink_));
  ASSERT_TRUE(migrator.observe());
  const auto report = migrator.execute(*plan(Direction::Upgrade, "heads", {}), stop_.token());
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(records(), "1 1");
}

}  // namespace
}  // namespace athanor
