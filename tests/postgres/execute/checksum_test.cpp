#include <gtest/gtest.h>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

class Checksum : public test::MigrationScene {
 protected:
  Result<void> verify() {
    auto sessions = factory();
    athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
    return migrator.verify_checksums(graph(), source(), migrator.observe()->current_heads);
  }
};

TEST_F(Checksum, AcceptsFilesThatAreAsTheyWereApplied) {
  revision("a1", "", "CREATE TABLE t (id int);");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_TRUE(verify());
}

TEST_F(Checksum, NamesTheChangedFileAndTheWaysOut) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "CREATE TABLE u (id int);");
  ASSERT_TRUE(upgrade().ok());
  replace("a1", "", "CREATE TABLE t (id bigint);");
  const auto verified = verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::ChecksumMismatch);
  EXPECT_EQ(verified.error().context, "a1.sql");
  EXPECT_NE(verified.error().hint.find("git log -p -- a1.sql"), std::string::npos);
  EXPECT_NE(verified.error().hint.find("athanor repair --accept a1"), std::string::npos);
}

TEST_F(Checksum, TakesARepairAsTheNewTruth) {
  revision("a1", "", "CREATE TABLE t (id int);");
  ASSERT_TRUE(upgrade().ok());
  replace("a1", "", "CREATE TABLE t (id bigint);");
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto changed = plan(Direction::Upgrade, "a1", {}).value();
  const auto accepted = migrator.accept_checksums({{"a1", changed.revisions[0].script->checksum}}, stop_.token());
  ASSERT_TRUE(accepted) << accepted.error().describe();
  EXPECT_EQ(*accepted, 1);
  EXPECT_TRUE(verify());
  EXPECT_EQ(database_.value("SELECT outcome FROM athanor.history ORDER BY id DESC LIMIT 1"), "repaired");
}

TEST_F(Checksum, JudgesOnlyWhatIsApplied) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "CREATE TABLE u (id int);", "DROP TABLE u;");
  ASSERT_TRUE(upgrade().ok());
  ASSERT_TRUE(downgrade("a1").ok());
  replace("b2", "a1", "CREATE TABLE u (id bigint);");
  EXPECT_TRUE(verify());
}

TEST_F(Checksum, SaysNothingOfRevisionsThatWereStampedOrAppliedByAlembic) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "CREATE TABLE u (id int);");
  ASSERT_TRUE(stamp("a1").ok());
  replace("a1", "", "CREATE TABLE t (id bigint);");
  EXPECT_TRUE(verify());
}

}  // namespace
}  // namespace athanor
