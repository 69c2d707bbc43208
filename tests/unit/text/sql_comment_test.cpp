#include "migrations/text/sql_comment.hpp"

#include <gtest/gtest.h>

namespace athanor {
namespace {

TEST(SqlComment, IsOneLineWhateverTheTextContains) {
  EXPECT_EQ(sql_comment("adding name to public.t"), "-- adding name to public.t\n");
  EXPECT_EQ(sql_comment("a\rDROP TABLE t; --\nb\tc"), "-- a\\x0dDROP TABLE t; --\\x0ab\\x09c\n");
  EXPECT_EQ(sql_comment(""), "-- \n");
}

}  // namespace
}  // namespace athanor
