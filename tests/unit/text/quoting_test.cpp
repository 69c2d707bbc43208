#include <gtest/gtest.h>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

TEST(Quoting, PlainLowerCaseNamesStayBare) {
  EXPECT_EQ(quote_identifier("users_2"), "users_2");
  EXPECT_EQ(quote_identifier("_x"), "_x");
}

TEST(Quoting, EverythingElseIsQuoted) {
  EXPECT_EQ(quote_identifier("na\"me"), "\"na\"\"me\"");
  EXPECT_EQ(quote_identifier("Users"), "\"Users\"");
  EXPECT_EQ(quote_identifier("2x"), "\"2x\"");
  EXPECT_EQ(quote_identifier("a b"), "\"a b\"");
  EXPECT_EQ(quote_identifier("größe"), "\"größe\"");
  EXPECT_EQ(quote_identifier(""), "\"\"");
}

TEST(Quoting, KeywordsThatCannotBeNamesAreQuoted) {
  EXPECT_EQ(quote_identifier("user"), "\"user\"");
  EXPECT_EQ(quote_identifier("order"), "\"order\"");
  EXPECT_EQ(quote_identifier("system_user"), "\"system_user\"");
  EXPECT_EQ(quote_identifier("version"), "version");
}

TEST(Quoting, LiteralsDoubleQuotesAndBackslashes) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b'"), "E'a\\\\b'''");
  EXPECT_EQ(quote_literal(""), "''");
}

TEST(Quoting, ATableMayHaveASchema) {
  EXPECT_EQ(qualified_name("", "alembic_version"), "alembic_version");
  EXPECT_EQ(qualified_name("My s", "vt"), "\"My s\".vt");
}

}  // namespace
}  // namespace athanor
