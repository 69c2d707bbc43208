// One database, two tools: either goes on where the other stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HandOver : public ::testing::Test {
 protected:
  void SetUp() override {
    scene_.import_all();
    scene_.succeed(Tool::Alembic, reference_, {"upgrade", "heads"});
  }

  // The first tool brings it to `middle`, the second to the heads.
  void goes_on(Tool first, const std::vector<std::string>& middle, Tool second) {
    for (const std::string& target : middle) {
      scene_.succeed(first, database_, {"upgrade", target});
    }
    scene_.succeed(second, database_, {"upgrade", "heads"});
    EXPECT_EQ(contents(database_), contents(reference_));
  }

  AlembicScene scene_;
  TestDatabase reference_{"reference"};
  TestDatabase database_;
};

TEST_F(HandOver, AthanorGoesOnFromALinearRevisionOfAlembic) {
  goes_on(Tool::Alembic, {"7c3d7e9f1a2b"}, Tool::Athanor);
}

TEST_F(HandOver, AthanorGoesOnFromTwoBranchesOfAlembic) {
  goes_on(Tool::Alembic, {"8d4e8f0a2b3c", "b172832c5d6f"}, Tool::Athanor);
}

TEST_F(HandOver, AlembicGoesOnFromALinearRevisionOfAthanor) {
  goes_on(Tool::Athanor, {"5b2c6d8e0f1a"}, Tool::Alembic);
}

TEST_F(HandOver, AlembicGoesOnFromBranchesOfAthanorAndAgreesOnTheCurrentRevisions) {
  scene_.succeed(Tool::Athanor, database_, {"upgrade", "9e5f9a1b3c4d"});
  scene_.succeed(Tool::Athanor, database_, {"upgrade", "audit@+1"});
  const std::string current = scene_.succeed(Tool::Alembic, database_, {"current"});
  EXPECT_THAT(current, HasSubstr("9e5f9a1b3c4d"));
  EXPECT_THAT(current, HasSubstr("e4a51b5f809c"));
  goes_on(Tool::Athanor, {}, Tool::Alembic);
  EXPECT_THAT(database_.version_rows(), ElementsAre("d3940a4e7f8b", "f5b62c6091ad"));
}

TEST_F(HandOver, AlembicDowngradesWhatAthanorApplied) {
  scene_.succeed(Tool::Athanor, database_, {"upgrade", "d3940a4e7f8b"});
  scene_.succeed(Tool::Alembic, database_, {"downgrade", "7c3d7e9f1a2b"});
  EXPECT_THAT(database_.version_rows(), ElementsAre("7c3d7e9f1a2b"));
  scene_.succeed(Tool::Alembic, database_, {"downgrade", "base"});
  EXPECT_THAT(database_.version_rows(), IsEmpty());
  EXPECT_FALSE(database_.has_relation("public.account"));
  // And once more from the bottom, now that the ledger remembers a first time.
  scene_.succeed(Tool::Athanor, database_, {"upgrade", "heads"});
  EXPECT_EQ(contents(database_), contents(reference_));
}

TEST_F(HandOver, AthanorDowngradesWhatAlembicApplied) {
  scene_.succeed(Tool::Alembic, database_, {"upgrade", "d3940a4e7f8b"});
  scene_.succeed(Tool::Athanor, database_, {"downgrade", "base"});
  EXPECT_THAT(database_.version_rows(), IsEmpty());
  EXPECT_FALSE(database_.has_relation("public.account"));
}

TEST_F(HandOver, BothStampTheSameRows) {
  scene_.succeed(Tool::Alembic, database_, {"stamp", "b172832c5d6f"});
  const Json current = Json::parse(scene_.succeed(Tool::Athanor, database_, {"current", "--json"}));
  EXPECT_EQ(current.at("current_revision"), Json::array({"b172832c5d6f"}));
  scene_.succeed(Tool::Athanor, database_, {"stamp", "heads"});
  const std::string theirs = scene_.succeed(Tool::Alembic, database_, {"current"});
  EXPECT_THAT(theirs, HasSubstr("d3940a4e7f8b (head)"));
  EXPECT_THAT(theirs, HasSubstr("f5b62c6091ad (head)"));
  scene_.succeed(Tool::Athanor, database_, {"stamp", "base"});
  EXPECT_EQ(scene_.succeed(Tool::Alembic, database_, {"current"}), "");
  scene_.succeed(Tool::Athanor, database_, {"stamp", "--purge", "c283943d6e7a"});
  scene_.succeed(Tool::Alembic, database_, {"stamp", "--purge", "9e5f9a1b3c4d"});
  EXPECT_THAT(database_.version_rows(), ElementsAre("9e5f9a1b3c4d"));
  EXPECT_FALSE(database_.has_relation("public.account"));
}

}  // namespace
}  // namespace athanor::test
