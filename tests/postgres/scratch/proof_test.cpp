#include "migrations/schema/proof.hpp"

#include <gmock/gmock.h>

#include "migrations/schema/inspect.hpp"
#include "tests/postgres/scratch/scratch_scene.hpp"

namespace athanor::schema {
namespace {

using test::Client;
using test::ScratchScene;
using testing::HasSubstr;

// Proves a script that somebody wrote between two schemas given as SQL.
struct ProofScene : ScratchScene {
  std::unique_ptr<ScratchServer> scratch;
  ChangePlan plan;

  ProofScene() {
    use_running_server();
    scratch = server();
  }
  std::unique_ptr<ScratchDatabase> database(const std::string& sql) const {
    auto made = scratch->create();
    EXPECT_TRUE(made) << made.error().describe();
    Client((*made)->url()).run(sql);
    return std::move(*made);
  }
  static Result<Catalog> facts(const ScratchDatabase& database) {
    TRY_ASSIGN(const auto session, database.open());
    return inspect(*session);
  }
  Result<Proof> proof(const std::string& before, const std::string& after, const std::string& up,
                      const std::string& down) const {
    const auto start = database(before);
    const auto goal = database(after);
    TRY_ASSIGN(const Catalog from, facts(*start));
    TRY_ASSIGN(const Catalog to, facts(*goal));
    Revision revision;
    revision.id = "r1";
    TRY_ASSIGN(const RevisionScript script,
               parse_script(revision, "-- athanor:upgrade\n" + up + "\n-- athanor:downgrade\n" + down + "\n"));
    return prove({.server = *scratch,
                  .start = *start,
                  .before = from,
                  .after = to,
                  .plan = plan,
                  .script = script,
                  .renames = {},
                  .inspect = facts});
  }
  std::string refused(const std::string& before, const std::string& after, const std::string& up,
                      const std::string& down) const {
    const auto proven = proof(before, after, up, down);
    if (proven) {
      return "proven";
    }
    EXPECT_EQ(proven.error().code, ErrorCode::ProofFailed);
    return proven.error().describe();
  }
};

constexpr const char* kOne = "CREATE TABLE a (id int);";
constexpr const char* kTwo = "CREATE TABLE a (id int, v text);";

TEST(Proof, HoldsForARevisionThatLeadsThereAndBack) {
  const ProofScene scene;
  const auto proven = scene.proof(kOne, kTwo, "ALTER TABLE a ADD v text;", "ALTER TABLE a DROP v;");
  ASSERT_TRUE(proven) << proven.error().describe();
  EXPECT_TRUE(proven->downgrade);
  EXPECT_EQ(proven->tables_with_rows, 1U);
  EXPECT_TRUE(proven->warnings.empty());
}

TEST(Proof, ShowsWhatTheUpgradeDoesNotReach) {
  const ProofScene scene;
  EXPECT_THAT(scene.refused(kOne, kTwo, "ALTER TABLE a ADD v varchar(5), ADD w int;", "ALTER TABLE a DROP v, DROP w;"),
              testing::AllOf(HasSubstr("the upgrade does not produce the desired schema:"), HasSubstr("+ column"),
                             HasSubstr("type is character varying(5), should be text")));
}

TEST(Proof, ShowsWhatTheDowngradeLeavesBehind) {
  const ProofScene scene;
  EXPECT_THAT(scene.refused(kOne, kTwo, "ALTER TABLE a ADD v text;", "SELECT 1;"),
              HasSubstr("the downgrade does not restore the schema from before the upgrade:\n  + column"));
}

TEST(Proof, ReportsTheStatementThatFails) {
  const ProofScene scene;
  EXPECT_THAT(scene.refused(kOne, kTwo, "SELECT 1;\nALTER TABLE nowhere ADD v text;", "SELECT 1;"),
              HasSubstr("line 3: the upgrade fails on a copy of the schema: relation \"nowhere\" does not exist"));
}

TEST(Proof, FindsRowsThatGetLost) {
  ProofScene scene;
  const std::string up = "DROP TABLE a;\nCREATE TABLE a (id int, v text);";
  EXPECT_THAT(scene.refused(kOne, kTwo, up, "ALTER TABLE a DROP v;"),
              HasSubstr("the upgrade loses rows that its plan does not mention:\n  - rows of table"));
  PlannedStatement drop{.sql = "DROP TABLE a", .subject = {.kind = Kind::Table, .schema = "public", .name = "a"}};
  drop.loss = DataLoss::Certain;
  scene.plan.steps = {PlannedStep{.statements = {drop}}};
  EXPECT_EQ(scene.refused(kOne, kTwo, up, "ALTER TABLE a DROP v;"), "proven");
}

TEST(Proof, WarnsWhenOnlyTheRowsStandInTheWay) {
  const ProofScene scene;
  const auto proven = scene.proof(kOne, "CREATE TABLE a (id int, v text NOT NULL);", "ALTER TABLE a ADD v text NOT NULL;",
                                  "ALTER TABLE a DROP v;");
  ASSERT_TRUE(proven) << proven.error().describe();
  ASSERT_EQ(proven->warnings.size(), 1U);
  EXPECT_THAT(proven->warnings[0], HasSubstr("line 2: column \"v\" of relation \"a\" contains null values"));
}

TEST(Proof, DropsItsCopies) {
  test::TestDatabase database;
  const test::TestRole role(database, "LOGIN CREATEDB");
  ProofScene scene;
  scene.settings.url = role.url();
  scene.scratch = scene.server();
  (void)scene.refused(kOne, kTwo, "ALTER TABLE a ADD v text;", "SELECT 1;");
  EXPECT_EQ(Client(test::server_url())
                .value("SELECT count(*) FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE r.rolname = '" +
                       role.name() + "'"),
            "0");
}

}  // namespace
}  // namespace athanor::schema
