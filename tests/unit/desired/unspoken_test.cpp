#include "migrations/schema/unspoken.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/schema/attributes.hpp"

namespace athanor::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Fact table(const std::string& name, std::vector<Attribute> attributes = {}) {
  return {{.kind = Kind::Table, .schema = "public", .name = name}, std::move(attributes)};
}

Fact view(const std::string& name) {
  return {{.kind = Kind::View, .schema = "public", .name = name}, {{attribute::kDefinition, "SELECT 1"}}};
}

Fact partition(const std::string& name, const std::string& parent) {
  return table(name, {{attribute::kPartitionOf, "[\"public\",\"" + parent + "\"]"}, {attribute::kBound, "DEFAULT"}});
}

Fact comment_on(const Fact& fact) {
  FactId id = fact.id;
  id.subject = id.kind;
  id.kind = Kind::Comment;
  return {id, {{attribute::kText, "said"}}};
}

Catalog of(std::vector<Fact> facts) {
  Catalog catalog;
  for (Fact& fact : facts) {
    catalog.add(std::move(fact));
  }
  catalog.seal();
  return catalog;
}

TEST(CompleteDesired, KeepsPartitionsOfAParentThatNamesNone) {
  const Catalog now = of({table("t"),
                          partition("t_1", "t"),
                          partition("t_1_a", "t_1"),
                          {{.kind = Kind::Constraint, .schema = "public", .parent = "t_1", .name = "c"}},
                          comment_on(partition("t_1", "t"))});
  const auto completed = complete_desired(of({table("t")}), now, false);
  EXPECT_EQ(completed.catalog.fingerprint(), now.fingerprint());
  EXPECT_THAT(completed.kept, ElementsAre("table public.t_1", "table public.t_1_a"));
}

TEST(CompleteDesired, ComparesPartitionsThatTheDesiredSchemaNames) {
  const Catalog now = of({table("t"), partition("t_1", "t"), partition("t_2", "t")});
  const Catalog desired = of({table("t"), partition("t_1", "t")});
  EXPECT_EQ(complete_desired(desired, now, false).catalog.fingerprint(), desired.fingerprint());
}

TEST(CompleteDesired, ComparesPartitionsOfTwoCompleteSchemas) {
  const Catalog now = of({table("t"), partition("t_1", "t")});
  const Catalog desired = of({table("t")});
  EXPECT_EQ(complete_desired(desired, now, false, Grants::Desired, Children::Compared).catalog.fingerprint(),
            desired.fingerprint());
}

TEST(CompleteDesired, LetsPartitionsGoWhenTheirParentIsPartitionedOtherwise) {
  Fact parent = table("t");
  parent.attributes.push_back({attribute::kPartitionKey, "LIST (a)"});
  const Catalog now = of({parent, partition("t_1", "t")});
  const Catalog desired = of({table("t")});
  EXPECT_EQ(complete_desired(desired, now, false).catalog.fingerprint(), desired.fingerprint());
}

TEST(CompleteDesired, LetsPartitionsGoWithTheirSchema) {
  Fact child = partition("t_1", "t");
  child.id.schema = "gone";
  const Catalog now = of({table("t"), child, {{.kind = Kind::Schema, .name = "gone"}}});
  const Catalog desired = of({table("t")});
  EXPECT_EQ(complete_desired(desired, now, false).catalog.fingerprint(), desired.fingerprint());
}

TEST(CompleteDesired, LetsPartitionsGoWithTheirParent) {
  const Catalog now = of({table("t"), partition("t_1", "t")});
  EXPECT_THAT(complete_desired(of({}), now, true).kept, IsEmpty());
}

TEST(CompleteDesired, KeepsWhatModelsCannotSay) {
  const Catalog now = of({table("t", {{attribute::kRowSecurity, "true"}}),
                          view("v"),
                          comment_on(view("v")),
                          table("gone"),
                          {{.kind = Kind::Schema, .name = "audit"}}});
  const Catalog desired = of({table("t")});
  const auto completed = complete_desired(desired, now, true);
  const auto& catalog = completed.catalog;
  EXPECT_NE(catalog.find(view("v").id), nullptr);
  EXPECT_NE(catalog.find(comment_on(view("v")).id), nullptr);
  EXPECT_NE(catalog.find({.kind = Kind::Schema, .name = "audit"}), nullptr);
  EXPECT_EQ(catalog.find(table("gone").id), nullptr);
  EXPECT_EQ(catalog.find(table("t").id)->get(attribute::kRowSecurity), "true");
  EXPECT_EQ(complete_desired(desired, now, false).catalog.fingerprint(), desired.fingerprint());
}

TEST(CompleteDesired, ComparesAKindThatModelsDoDefine) {
  const Catalog now = of({view("v"), view("w")});
  const Catalog desired = of({view("v")});
  EXPECT_EQ(complete_desired(desired, now, true).catalog.fingerprint(), desired.fingerprint());
}

TEST(CompleteDesired, KeepsTheEdgesOfWhatStays) {
  Catalog now;
  const auto parent = now.add(table("t"));
  const auto child = now.add(view("v"));
  now.add_edge(child, parent);
  now.seal();
  const auto completed = complete_desired(of({table("t")}), now, true);
  const auto& catalog = completed.catalog;
  ASSERT_EQ(catalog.edges().size(), 1U);
  EXPECT_EQ(catalog.edges()[0].from, *catalog.index_of(view("v").id));
  EXPECT_EQ(catalog.edges()[0].to, *catalog.index_of(table("t").id));
}

Fact grant_on(const Fact& fact, const std::string& grantee, const std::string& column = {}) {
  FactId id = fact.id;
  id.subject = id.kind;
  id.kind = Kind::Grant;
  id.grantee = grantee;
  id.column = column;
  return {id, {{attribute::kPrivileges, R"([["SELECT","false"]])"}}};
}

TEST(CompleteDesired, KeepsTheGrantsOfWhatStaysWhereGrantsAreNotCompared) {
  const Fact t = table("t");
  const Fact gone = table("gone");
  const Catalog now = of({t, grant_on(t, "reader"), grant_on(t, "writer", "dropped"), gone, grant_on(gone, "reader")});
  const Catalog desired = of({t, grant_on(t, "somebody")});
  EXPECT_EQ(complete_desired(desired, now, false, Grants::Stay).catalog.fingerprint(),
            of({t, grant_on(t, "reader")}).fingerprint());
  EXPECT_EQ(complete_desired(desired, now, false).catalog.fingerprint(), desired.fingerprint());
}

TEST(WithoutGrants, KeepsThoseThatAreKnown) {
  const Fact t = table("t");
  const Catalog catalog = of({t, grant_on(t, "reader"), grant_on(t, "writer")});
  EXPECT_EQ(without_grants(catalog).fingerprint(), of({t}).fingerprint());
  EXPECT_EQ(without_grants(catalog, of({t, grant_on(t, "writer")})).fingerprint(),
            of({t, grant_on(t, "writer")}).fingerprint());
}

}  // namespace
}  // namespace athanor::schema
