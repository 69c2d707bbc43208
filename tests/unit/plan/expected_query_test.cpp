#include "migrations/plan/expected_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor {
namespace {

using ::testing::HasSubstr;
using Kind = ExpectedQuery::Kind;

TEST(ExpectedQueries, SayWhatTheyAreAboutAndWhatTheyExpect) {
  const auto queries = parse_expected_queries(
      "-- Checks of the shop.\n\n-- Every order has a customer.\n-- expect: no rows\nSELECT id FROM orders WHERE c IS NULL;\n\n"
      "-- expect: 42\nSELECT count(*) FROM t;\n-- EXPECT: Rows\n(SELECT 1);\nVALUES (1)",
      "v.sql");
  ASSERT_TRUE(queries) << queries.error().describe();
  ASSERT_EQ(queries->size(), 4U);
  EXPECT_EQ((*queries)[0].name, "Every order has a customer.");
  EXPECT_EQ((*queries)[0].kind, Kind::NoRows);
  EXPECT_EQ((*queries)[0].line, 5);
  EXPECT_EQ((*queries)[1].name, "v.sql:8");
  EXPECT_EQ((*queries)[1].value, "42");
  EXPECT_EQ((*queries)[2].kind, Kind::Rows);
  EXPECT_EQ((*queries)[3].kind, Kind::NoRows);  // where nothing is said
}

TEST(ExpectedQueries, RefuseWhatIsNoQueryAndWhatExpectsNothing) {
  const auto message = [](const std::string& text) {
    const auto queries = parse_expected_queries(text, "v.sql");
    return queries ? std::string("parsed") : queries.error().context + ": " + queries.error().message;
  };
  EXPECT_EQ(message("\nDELETE FROM t;"), "v.sql:2: only queries can be verified");
  EXPECT_EQ(message("COMMIT;"), "v.sql:1: only queries can be verified");
  EXPECT_EQ(message("-- expect:\nSELECT 1;"), "v.sql:1: the expectation is empty");
  EXPECT_EQ(message("-- expects: rows\nSELECT 1;"), "v.sql:1: an expectation begins with `-- expect:`");
  EXPECT_EQ(message("-- expect: rows\n-- expect: 1\nSELECT 1;"), "v.sql:2: a second expectation for the same query");
  EXPECT_EQ(message("SELECT 1;\n-- expect: rows\n"), "v.sql:2: no query follows the expectation");
  EXPECT_THAT(message("SELECT 'x"), HasSubstr("v.sql"));
}

TEST(ExpectedQueries, RefuseAnExpectationThatDoesNotStandAboveItsQuery) {
  for (const std::string text :
       {"SELECT 1 WHERE false; -- expect: rows\n", "SELECT 1; -- expect: 1\nSELECT 2;", "SELECT 1 -- expect: 1\n;",
        "SELECT\n-- expect: rows\n1;", "/* expect: rows */ SELECT 1;", "SELECT 1; --expect : 3\n"}) {
    const auto queries = parse_expected_queries(text, "v.sql");
    ASSERT_FALSE(queries) << text;
    EXPECT_EQ(queries.error().message, "the expectation is not above its query") << text;
  }
  EXPECT_TRUE(parse_expected_queries("SELECT '-- expect: 1';\n  -- expect: 2\n  SELECT 2; -- we expect two: always", "v.sql"));
}

}  // namespace
}  // namespace athanor
