#include "operator/reconcile/plan_text.hpp"

#include <gtest/gtest.h>

#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

const std::string kHash(64, 'c');
constexpr std::size_t kPage = std::size_t{900} << 10U;

std::shared_ptr<const Plan> plan_of(const std::string& body) {
  const auto snapshot = sketch::snapshot({sketch::revision("a1", "", body)});
  return snapshot->plan(Direction::Upgrade, {}, {"head"}).value();
}

TEST(PlanText, HasEveryStatementInItsPlaceAndMarksWhatDestroys) {
  const auto pages = plan_pages(*plan_of("CREATE TABLE t (id int);\nDROP TABLE old;"), kHash, kPage);
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages.front(), "-- Plan " + kHash +
                               "\n-- upgrade of 1 revision, 1 destructive statement\n"
                               "\n-- upgrade a1, Revision a1\n"
                               "-- [1] a1, line 7, transaction\nCREATE TABLE t (id int);\n"
                               "-- [2] a1, line 8, transaction, DESTRUCTIVE\nDROP TABLE old;\n");
}

TEST(PlanText, ShowsWhatATerminalWouldActOn) {
  const std::string text =
      plan_pages(*plan_of("DROP TABLE old; -- \x1b[1A\x1b[2K\nSELECT '\x1b[8m\u202e';"), kHash, kPage).front();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  EXPECT_NE(text.find("\\x1b[8m\\u202e"), std::string::npos) << text;
}

TEST(PlanText, SplitsFiveThousandStatementsBetweenStatements) {
  std::string body;
  for (int number = 0; number < 5'000; ++number) {
    body += "INSERT INTO t VALUES (" + std::to_string(number) + ", '" + std::string(400, 'x') + "');\n";
  }
  const auto pages = plan_pages(*plan_of(body), kHash, kPage);
  EXPECT_EQ(pages.size(), 3U);
  std::string whole;
  for (const auto& page : pages) {
    EXPECT_LE(page.size(), kPage);
    EXPECT_TRUE(page.starts_with("-- ")) << page.substr(0, 80);
    EXPECT_TRUE(page.ends_with(";\n"));
    whole += page;
  }
  for (const char* const piece : {"-- [1] a1", "-- [2500] a1", "-- [5000] a1", "(4999, "}) {
    EXPECT_NE(whole.find(piece), std::string::npos) << piece;
  }
}

TEST(PlanText, SplitsAStatementThatIsLargerThanAPageBetweenCharacters) {
  std::string large = "SELECT '";
  for (int number = 0; number < 200; ++number) {
    large += "\u00e9";
  }
  const auto pages = plan_pages(*plan_of(large + "';"), kHash, 101);
  std::string whole;
  for (const auto& page : pages) {
    EXPECT_LE(page.size(), 101U);
    EXPECT_NE(page.front() & 0xc0, 0x80) << "a character is cut";
    whole += page;
  }
  EXPECT_NE(whole.find(large), std::string::npos);
}

}  // namespace
}  // namespace athanor::controller
