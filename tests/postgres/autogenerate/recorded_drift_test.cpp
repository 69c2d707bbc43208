// `athanor drift` against the schema that the last run left.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using testing::HasSubstr;
using testing::Not;

// The scratch server cannot be reached: nothing here needs one.
struct RecordedDrift : testing::Test, test::SchemaScene {
  RecordedDrift() {
    settings("ledger: {keep_catalog: true}\n");
    revision("a1", "", "CREATE TABLE a (id int);");
    upgrade();
  }
  void settings(const std::string& more) const {
    folder.write("athanor.yaml", "scratch_url: postgresql://nobody@127.0.0.1:1/none\n" + more);
  }
  void revision(const std::string& id, const std::string& down, const std::string& sql) const {
    std::filesystem::create_directories(folder.path() / "migrations/versions");
    folder.write("migrations/versions/" + id + ".sql", "-- Revision " + id + "\n--\n-- Revision: " + id +
                                                           "\n-- Revises: " + down + "\n\n-- athanor:upgrade\n" + sql +
                                                           "\n\n-- athanor:downgrade\nSELECT 1;\n");
  }
};

TEST_F(RecordedDrift, IsFoundWithoutAScratchDatabase) {
  auto drift = run({"drift"});
  EXPECT_EQ(drift.exit_code, 0) << drift.err;
  EXPECT_THAT(drift.out, HasSubstr("No drift: nothing has changed since revision a1 was run at 20"));
  database.run("CREATE INDEX by_hand ON a (id)");
  drift = run({"drift"});
  EXPECT_EQ(drift.exit_code, 15);
  EXPECT_THAT(drift.out, HasSubstr("Changed since revision a1 was run at 20"));
  EXPECT_THAT(drift.out, HasSubstr("drift: + index public.a.by_hand"));
  EXPECT_THAT(drift.out, HasSubstr("DROP INDEX CONCURRENTLY public.by_hand"));
  EXPECT_THAT(drift.out, HasSubstr("CREATE INDEX CONCURRENTLY by_hand"));
  EXPECT_THAT(drift.err, HasSubstr("athanor drift --accept"));
  const Json json = this->json({"drift"});
  EXPECT_EQ(json["against"], "ledger");
  EXPECT_EQ(json["recorded"]["revision"], "a1");
  EXPECT_EQ(json["recorded"]["reason"], "run");
  EXPECT_EQ(json["error"]["code"], "drifted");
  EXPECT_THAT(json["undo_sql"], HasSubstr("DROP INDEX"));
  EXPECT_EQ(run({"drift", "--exclude-table", "a"}).exit_code, 0);
}

TEST_F(RecordedDrift, CanBeAccepted) {
  database.run("CREATE INDEX by_hand ON a (id)");
  auto accepted = run({"drift", "--accept"});
  EXPECT_EQ(accepted.exit_code, 0) << accepted.err;
  EXPECT_THAT(accepted.out, HasSubstr("accepted: + index public.a.by_hand"));
  EXPECT_EQ(database.value("SELECT reason FROM athanor.catalog ORDER BY id DESC LIMIT 1"), "accepted");
  EXPECT_EQ(database.value("SELECT actor <> '' FROM athanor.catalog ORDER BY id DESC LIMIT 1"), "t");
  const auto drift = run({"drift"});
  EXPECT_EQ(drift.exit_code, 0) << drift.out << drift.err;
  EXPECT_THAT(drift.out, HasSubstr("nothing has changed since the schema was accepted at 20"));
}

TEST_F(RecordedDrift, IsNotDeniedWhereNothingWasRecorded) {
  settings("");
  revision("a2", "a1", "CREATE TABLE b (id int);");
  upgrade();
  auto drift = run({"drift", "--against", "ledger"});
  EXPECT_NE(drift.exit_code, 0);
  EXPECT_THAT(drift.out, Not(HasSubstr("No drift")));
  EXPECT_THAT(drift.err, HasSubstr("revision a2, which was run at 20"));
  configure("");  // the scratch server is there
  drift = run({"drift"});
  EXPECT_EQ(drift.exit_code, 0) << drift.err;
  EXPECT_THAT(drift.err, HasSubstr("Compared with the schema that the revisions create, not with the ledger: revision a2"));
  EXPECT_THAT(drift.out, HasSubstr("the database matches what its revisions create"));
  const Json json = this->json({"drift"});
  EXPECT_EQ(json["against"], "revisions");
  EXPECT_THAT(json["not_recorded"], HasSubstr("recorded no catalog"));
}

TEST_F(RecordedDrift, ComparesWithTheRevisionsWhereTheRoleMayNotReadTheRecord) {
  const test::TestRole role(database);
  database.run("GRANT USAGE ON SCHEMA athanor TO " + role.name() + "; GRANT SELECT ON athanor.history, alembic_version TO " +
               role.name());
  environment["DATABASE_URL"] = role.url();
  configure("");
  const auto drift = run({"drift"});
  EXPECT_EQ(drift.exit_code, 0) << drift.err;
  EXPECT_THAT(drift.err, HasSubstr("cannot read the record: permission denied"));
  EXPECT_NE(run({"drift", "--against", "ledger"}).exit_code, 0);
}

TEST_F(RecordedDrift, NeedsNoRevisionFile) {
  std::filesystem::remove_all(folder.path() / "migrations");
  std::filesystem::remove(folder.path() / "athanor.yaml");
  EXPECT_EQ(run({"drift"}).exit_code, 0);
  EXPECT_EQ(run({"drift", "--accept"}).exit_code, 0);
}

TEST_F(RecordedDrift, ChecksItsFlags) {
  EXPECT_EQ(run({"drift", "--against", "files"}).exit_code, 2);
  EXPECT_EQ(run({"drift", "--accept", "--against", "ledger"}).exit_code, 2);
}

TEST_F(RecordedDrift, IsNotAcceptedWhileARevisionIsHalfApplied) {
  revision("a2", "a1", "CREATE TABLE b (id int);\n\n-- athanor:step transaction\nSELECT 1 / 0;");
  ASSERT_NE(run({"upgrade", "heads"}).exit_code, 0);
  const auto accepted = run({"drift", "--accept"});
  EXPECT_NE(accepted.exit_code, 0);
  EXPECT_THAT(accepted.err, HasSubstr("revision a2 is half-applied"));
}

}  // namespace
}  // namespace athanor
