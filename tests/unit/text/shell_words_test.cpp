#include "migrations/text/shell_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor {
namespace {

using ::testing::ElementsAre;

TEST(SplitWords, ReadsQuotesAsAShellDoes) {
  EXPECT_THAT(*split_words("a  'b c' \"d\\\"e\" f\\ g ''"), ElementsAre("a", "b c", "d\"e", "f g", ""));
  EXPECT_THAT(*split_words(""), ElementsAre());
  EXPECT_THAT(*split_words("'$HOME' `x` ; |"), ElementsAre("$HOME", "`x`", ";", "|"));
  EXPECT_FALSE(split_words("'open"));
}

}  // namespace
}  // namespace athanor
