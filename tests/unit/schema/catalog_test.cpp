#include "migrations/schema/catalog.hpp"

#include <gtest/gtest.h>

#include "migrations/schema/attributes.hpp"

namespace athanor::schema {
namespace {

FactId table(const std::string& name) {
  return {.kind = Kind::Table, .schema = "public", .name = name};
}
FactId column(const std::string& parent, const std::string& name) {
  return {.kind = Kind::Column, .schema = "public", .parent = parent, .name = name};
}
Fact typed(const FactId& id, const std::string& type) {
  return {.id = id, .attributes = {{attribute::kType, type}}};
}

TEST(Catalog, FindsFactsAndTheirEdgesAfterSealing) {
  Catalog catalog;
  const auto b = catalog.add({.id = table("b")});
  const auto a = catalog.add({.id = table("a")});
  const auto x = catalog.add(typed(column("b", "x"), "integer"));
  catalog.add_edge(x, b);
  catalog.add_edge(x, b);
  catalog.add_edge(b, a);
  catalog.add_edge(a, a);
  catalog.seal();
  ASSERT_EQ(catalog.edges().size(), 2U) << "the same edge twice, and one of a fact to itself";
  const auto found = catalog.index_of(table("b"));
  ASSERT_TRUE(found);
  ASSERT_EQ(catalog.needs(*found).size(), 1U);
  EXPECT_EQ(catalog.facts()[catalog.needs(*found).front().to].id, table("a"));
  ASSERT_EQ(catalog.needed_by(*found).size(), 1U);
  EXPECT_EQ(catalog.facts()[catalog.needed_by(*found).front().from].id, column("b", "x"));
  EXPECT_EQ(catalog.find(table("c")), nullptr);
}

TEST(Catalog, KeepsWhatTheFilterHidesWithItsFact) {
  Catalog catalog;
  const auto b = catalog.add({.id = table("b")});
  catalog.add({.id = table("a")});
  catalog.add_outside({b, "view audit.v"});
  catalog.add_outside({b, "view audit.v"});
  catalog.seal();
  ASSERT_EQ(catalog.outside().size(), 1U);
  EXPECT_EQ(catalog.facts()[catalog.outside().front().on].id, table("b"));
}

TEST(Catalog, HasTheSameFingerprintInAnyOrderOfFacts) {
  Catalog one;
  one.add({.id = table("a")});
  one.add(
      {.id = column("a", "x"), .attributes = {{attribute::kType, "integer"}, {attribute::kNotNull, "true"}}, .position = 1});
  one.seal();
  Catalog other;
  other.add(
      {.id = column("a", "x"), .attributes = {{attribute::kNotNull, "true"}, {attribute::kType, "integer"}}, .position = 7});
  other.add({.id = table("a")});
  other.seal();
  EXPECT_EQ(one.fingerprint(), other.fingerprint());
}

TEST(Catalog, HasAnotherFingerprintForAnyDifference) {
  const auto fingerprint = [](const FactId& id, const std::string& type) {
    Catalog catalog;
    catalog.add(typed(id, type));
    catalog.seal();
    return catalog.fingerprint();
  };
  const std::string one = fingerprint(column("a", "x"), "integer");
  EXPECT_NE(one, fingerprint(column("a", "x"), "bigint"));
  EXPECT_NE(one, fingerprint(column("a", "y"), "integer"));
  EXPECT_NE(one, fingerprint(column("ax", ""), "integer")) << "parts of an id are told apart";
}

TEST(Fact, IsDescribedByItsQuotedName) {
  EXPECT_EQ(describe(column("Orders", "total")), "column public.\"Orders\".total");
  EXPECT_EQ(describe({.kind = Kind::Routine, .schema = "public", .name = "f", .arguments = "integer, text"}),
            "routine public.f(integer, text)");
  EXPECT_EQ(describe({.kind = Kind::Comment, .subject = Kind::Table, .schema = "public", .name = "a"}),
            "comment of table public.a");
}

}  // namespace
}  // namespace athanor::schema
