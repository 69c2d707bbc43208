#include "migrations/schema/catalog_text.hpp"

#include <gtest/gtest.h>

namespace athanor::schema {
namespace {

using Texts = std::vector<std::string>;

TEST(CatalogText, ReadsArraysAsTheServerPrintsThem) {
  EXPECT_EQ(array_in("{}"), Texts{});
  EXPECT_EQ(array_in("{a}"), Texts{"a"});
  EXPECT_EQ(array_in("{fillfactor=70,autovacuum_enabled=off}"), (Texts{"fillfactor=70", "autovacuum_enabled=off"}));
  EXPECT_EQ(array_in(R"({"a b","c,d","e\"f","g\\h",""})"), (Texts{"a b", "c,d", "e\"f", "g\\h", ""}));
  EXPECT_EQ(array_in(R"({NULL,"NULL"})"), (Texts{"", "NULL"}));
}

TEST(CatalogText, ReadsNoArrayFromAnythingElse) {
  for (const char* text : {"", "{", "a", "a,b"}) {
    EXPECT_EQ(array_in(text), Texts{}) << text;
  }
}

TEST(CatalogText, ReadsVectorsAndArraysOfNumbers) {
  EXPECT_EQ(numbers_in("1 2 0"), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(numbers_in("{3,-1}"), (std::vector<int>{3, -1}));
  EXPECT_TRUE(numbers_in("").empty());
}

TEST(CatalogText, WritesJson) {
  EXPECT_EQ(json_list({"a", "b\"c", "d\\e", "f\ng"}), R"(["a","b\"c","d\\e","f\u000ag"])");
  EXPECT_EQ(json_list({}), "[]");
  EXPECT_EQ(json_values({json_name("s", "t"), "null"}), R"([["s","t"],null])");
}

TEST(CatalogText, ChoosesNamesAsTheServerDoes) {
  EXPECT_EQ(chosen_name("orders", "id", "seq"), "orders_id_seq");
  EXPECT_EQ(chosen_name("price", "", "not_null"), "price_not_null");
  const std::string longest(63, 't');
  EXPECT_EQ(chosen_name(longest, "id", "seq"), std::string(56, 't') + "_id_seq");
  EXPECT_EQ(chosen_name(longest, std::string(63, 'c'), "seq"), std::string(29, 't') + "_" + std::string(29, 'c') + "_seq");
  std::string umlauts;
  for (int i = 0; i < 31; ++i) {
    umlauts += "ä";
  }
  EXPECT_EQ(chosen_name(umlauts, "id", "seq"), umlauts.substr(0, 56) + "_id_seq");
  EXPECT_EQ(chosen_name("x" + umlauts, "id", "seq"), "x" + umlauts.substr(0, 54) + "_id_seq") << "half a character";
}

TEST(CatalogText, MatchesPatterns) {
  EXPECT_TRUE(matches_pattern("orders", "orders"));
  EXPECT_TRUE(matches_pattern("orders", "*"));
  EXPECT_TRUE(matches_pattern("orders_2024", "orders_*"));
  EXPECT_TRUE(matches_pattern("a.b.c", "a*c"));
  EXPECT_TRUE(matches_pattern("ab", "a?"));
  EXPECT_TRUE(matches_pattern("", "*"));
  EXPECT_FALSE(matches_pattern("orders", "order"));
  EXPECT_FALSE(matches_pattern("orders", "Orders"));
  EXPECT_FALSE(matches_pattern("a", "a?"));
  EXPECT_FALSE(matches_pattern("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*a*a*c"));
}

}  // namespace
}  // namespace athanor::schema
