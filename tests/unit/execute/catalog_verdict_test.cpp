#include <gtest/gtest.h>

#include "migrations/execute/catalog_probe.hpp"

namespace athanor {
namespace {

using Kind = RecoveryProbe::Kind;

Verdict verdict(Kind kind, const std::string& before, ProbeState now) {
  return judge({kind, "", "x", ""}, before, now);
}

TEST(Verdict, TakesAValidIndexThatWasNotThereBeforeAsDone) {
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "absent", ProbeState::Valid), Verdict::Done);
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "invalid", ProbeState::Valid), Verdict::Done);
}

TEST(Verdict, RunsAgainWhatIsHalfBuiltOrMissing) {
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "absent", ProbeState::Invalid), Verdict::RunAgain);
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "absent", ProbeState::Absent), Verdict::RunAgain);
}

TEST(Verdict, NeverTakesAnIndexThatWasThereBeforeForItsOwnWork) {
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "valid", ProbeState::Valid), Verdict::RunAgain);
}

TEST(Verdict, TakesADroppedObjectAsDoneOnlyIfItWasThere) {
  EXPECT_EQ(verdict(Kind::DropIndexConcurrently, "valid", ProbeState::Absent), Verdict::Done);
  EXPECT_EQ(verdict(Kind::DropIndexConcurrently, "absent", ProbeState::Absent), Verdict::RunAgain);
  EXPECT_EQ(verdict(Kind::DropIndexConcurrently, "valid", ProbeState::Invalid), Verdict::RunAgain);
}

TEST(Verdict, AsksAHumanWhenTheCatalogCannotTell) {
  EXPECT_EQ(verdict(Kind::Unknown, "", ProbeState::Unknown), Verdict::AskHuman);
  EXPECT_EQ(verdict(Kind::CreateIndexConcurrently, "unknown", ProbeState::Unknown), Verdict::AskHuman);
}

TEST(Verdict, RunsRepeatableStatementsAgain) {
  EXPECT_EQ(verdict(Kind::Repeatable, "", ProbeState::Unknown), Verdict::RunAgain);
  EXPECT_EQ(verdict(Kind::ReindexConcurrently, "", ProbeState::Unknown), Verdict::RunAgain);
}

}  // namespace
}  // namespace athanor
