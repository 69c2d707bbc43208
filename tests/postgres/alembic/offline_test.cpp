// `--sql` of an imported history, through psql, against Alembic's own `--sql`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OfflineSql : public ::testing::Test {
 protected:
  void SetUp() override { scene_.import_all(); }

  // Each tool's script on a database of its own.
  void both(const std::vector<std::string>& words) {
    apply_with_psql(ours_, scene_.succeed(Tool::Athanor, ours_, words));
    apply_with_psql(theirs_, scene_.succeed(Tool::Alembic, theirs_, words));
    EXPECT_EQ(contents(ours_), contents(theirs_)) << ::testing::PrintToString(words);
  }

  AlembicScene scene_;
  TestDatabase ours_{"athanor"};
  TestDatabase theirs_{"alembic"};
};

TEST_F(OfflineSql, OfALinearHistoryGivesAlembicsDatabase) {
  both({"upgrade", "9e5f9a1b3c4d", "--sql"});
  EXPECT_THAT(ours_.version_rows(), ElementsAre("9e5f9a1b3c4d"));
}

TEST_F(OfflineSql, OfRangesUpAndDownGivesAlembicsDatabase) {
  both({"upgrade", "5b2c6d8e0f1a", "--sql"});
  both({"upgrade", "5b2c6d8e0f1a:8d4e8f0a2b3c", "--sql"});
  both({"upgrade", "8d4e8f0a2b3c:9e5f9a1b3c4d", "--sql"});
  both({"downgrade", "9e5f9a1b3c4d:7c3d7e9f1a2b", "--sql"});
  both({"downgrade", "7c3d7e9f1a2b:base", "--sql"});
  EXPECT_THAT(ours_.version_rows(), IsEmpty());
}

TEST_F(OfflineSql, OfEveryBranchGivesTheDatabaseOfTheRealUpgrade) {
  apply_with_psql(ours_, scene_.succeed(Tool::Athanor, ours_, {"upgrade", "heads", "--sql"}));
  scene_.succeed(Tool::Alembic, theirs_, {"upgrade", "heads"});
  EXPECT_EQ(contents(ours_), contents(theirs_));
}

TEST_F(OfflineSql, OfAStampGivesAlembicsRows) {
  both({"upgrade", "7c3d7e9f1a2b", "--sql"});
  both({"stamp", "7c3d7e9f1a2b:9e5f9a1b3c4d", "--sql"});
  EXPECT_THAT(ours_.version_rows(), ElementsAre("9e5f9a1b3c4d"));
}

}  // namespace
}  // namespace athanor::test
