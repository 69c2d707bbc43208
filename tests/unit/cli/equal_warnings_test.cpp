#include "migrations/cli/equal_warnings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor::cli {
namespace {

using ::testing::ElementsAre;

TEST(FoldedWarnings, AreOneLineForEachRemark) {
  std::vector<std::string> warnings{"a note of the project", "a.py: x"};
  for (int i = 0; i < 30; ++i) {
    warnings.push_back("v/r" + std::to_string(i) + ".py: y: z");
  }
  warnings.emplace_back("b.py: x");
  EXPECT_THAT(folded_warnings(warnings), ElementsAre("a note of the project", "x: 2 files (a.py, b.py)",
                                                     "y: z: 30 files (v/r0.py, v/r1.py, v/r2.py and 27 more)"));
}

TEST(FoldedWarnings, StayAsTheyAreWhenNoneIsEqual) {
  const std::vector<std::string> warnings{"my app/a.py: x", "b.py: y", "note: nothing"};
  EXPECT_EQ(folded_warnings(warnings), warnings);
}

}  // namespace
}  // namespace athanor::cli
