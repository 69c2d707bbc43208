#include "migrations/drift/recorded_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/base/sha256.hpp"
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/facts_version.hpp"
#include "migrations/schema/schema_cache.hpp"

namespace athanor {
namespace {

using schema::Catalog;
using schema::FactId;
using schema::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

using Lines = std::vector<std::string>;

// "a" is a table, "a.x" its column of type integer, "a.x bigint" of another type.
Catalog catalog(const Lines& objects) {
  Catalog made;
  made.server_version = 150'018;
  std::map<std::string, std::uint32_t> tables;
  for (const std::string& object : objects) {
    const auto dot = object.find('.');
    const std::string table = object.substr(0, dot);
    if (!tables.contains(table)) {
      tables[table] = made.add({.id = {.kind = Kind::Table, .schema = "public", .name = table}});
    }
    if (dot != std::string::npos) {
      const auto blank = object.find(' ');
      const std::string type = blank == std::string::npos ? "integer" : object.substr(blank + 1);
      const auto column = made.add(
          {.id = {.kind = Kind::Column, .schema = "public", .parent = table, .name = object.substr(dot + 1, blank - dot - 1)},
           .attributes = {{schema::attribute::kType, type}}});
      made.add_edge(column, tables[table]);
    }
  }
  made.seal();
  return made;
}

Lines drift_after(const Lines& expected, const Lines& before, const Lines& after) {
  const Catalog now = catalog(after);
  return schema::describe_difference(now, expected_after_run(catalog(expected), catalog(before), now));
}

TEST(ExpectedAfterRun, IsWhatTheRunLeftWhenNothingWasChangedByHand) {
  EXPECT_THAT(drift_after({"a.x"}, {"a.x"}, {"a.x", "a.y", "b"}), IsEmpty());
}

TEST(ExpectedAfterRun, KeepsDriftThatTheRunDidNotTouch) {
  EXPECT_THAT(drift_after({"a.x"}, {"a.x", "a.by_hand"}, {"a.x", "a.by_hand", "b"}), ElementsAre("+ column public.a.by_hand"));
  EXPECT_THAT(drift_after({"a.x", "a.y"}, {"a.x"}, {"a.x", "b"}), ElementsAre("- column public.a.y"));
  EXPECT_THAT(drift_after({"a.x"}, {"a.x bigint"}, {"a.x bigint", "b"}),
              ElementsAre("~ column public.a.x: type is bigint, should be integer"));
}

TEST(ExpectedAfterRun, TakesWhatTheRunMadeOfAnObjectThatWasChangedByHand) {
  EXPECT_THAT(drift_after({"a.x"}, {"a.x bigint"}, {"a.x text"}), IsEmpty());
  EXPECT_THAT(drift_after({"a.x"}, {"a.x", "a.by_hand"}, {"a.x"}), IsEmpty()) << "the run dropped it";
  EXPECT_THAT(drift_after({"a.x", "a.y"}, {"a.x"}, {"a.x", "a.y"}), IsEmpty()) << "the run made it again";
}

TEST(ExpectedAfterRun, ExpectsNoPartOfATableThatTheRunDropped) {
  EXPECT_THAT(drift_after({"a.x", "a.y", "b"}, {"a.x", "b"}, {"b"}), IsEmpty());
}

Lines names_in(const Catalog& catalog) {
  Lines names;
  for (const auto& fact : catalog.facts()) {
    names.push_back(describe(fact.id));
  }
  return names;
}

Catalog two_schemas() {
  Catalog made;
  made.add({.id = {.kind = Kind::Schema, .name = "audit"}});
  made.add({.id = {.kind = Kind::Table, .schema = "audit", .name = "log"}});
  made.add({.id = {.kind = Kind::Comment, .subject = Kind::Table, .schema = "audit", .name = "log"}});
  made.add({.id = {.kind = Kind::Table, .schema = "shop", .name = "orders"}});
  made.add({.id = {.kind = Kind::Index, .schema = "shop", .parent = "orders", .name = "log"}});
  made.add({.id = {.kind = Kind::Sequence, .schema = "shop", .name = "orders_id_seq"}});
  made.add({.id = {.kind = Kind::Extension, .name = "pg_trgm"}});
  made.seal();
  return made;
}

TEST(DriftFilter, LeavesOutObjectsWithTheirParts) {
  EXPECT_THAT(names_in(filtered(two_schemas(), {.exclude = {"shop.orders"}})),
              ElementsAre("schema audit", "extension pg_trgm", "sequence shop.orders_id_seq", "table audit.log",
                          "comment of table audit.log"));
  EXPECT_THAT(names_in(filtered(two_schemas(), {.exclude = {"orders*"}})),
              ElementsAre("schema audit", "extension pg_trgm", "table audit.log", "comment of table audit.log"));
  EXPECT_THAT(names_in(filtered(two_schemas(), {.exclude = {"pg_*", "shop.*"}})),
              ElementsAre("schema audit", "table audit.log", "comment of table audit.log"));
}

TEST(DriftFilter, LeavesOutAWholeSchemaAndTheSchemaItself) {
  EXPECT_THAT(names_in(filtered(two_schemas(), {.exclude = {"audit.*"}})),
              ElementsAre("extension pg_trgm", "sequence shop.orders_id_seq", "table shop.orders", "index shop.orders.log"));
}

TEST(DriftFilter, TakesNamesAsInspectDoes) {
  DriftFilter filter;
  filter.names.exclude_schemas = {"audit"};
  filter.names.exclude_tables = {"orders"};
  EXPECT_THAT(names_in(filtered(two_schemas(), filter)), ElementsAre("extension pg_trgm", "sequence shop.orders_id_seq"));
  filter = {};
  filter.names.schemas = {"sh?p"};
  EXPECT_THAT(names_in(filtered(two_schemas(), filter)),
              ElementsAre("extension pg_trgm", "sequence shop.orders_id_seq", "table shop.orders", "index shop.orders.log"));
  filter = {};
  filter.own_tables = {"shop.orders"};
  EXPECT_TRUE(filter.takes_all());
  EXPECT_EQ(filtered(two_schemas(), filter).find({.kind = Kind::Table, .schema = "shop", .name = "orders"}), nullptr);
}

TEST(RecordedCatalog, HoldsNoHashOfAPassword) {
  Catalog made;
  const FactId mapping{.kind = Kind::UserMapping, .parent = "files", .name = "ann"};
  const FactId subscription{.kind = Kind::Subscription, .name = "all"};
  made.add({.id = mapping, .attributes = {{schema::attribute::kOptionsHash, "hash"}}});
  made.add({.id = subscription,
            .attributes = {{schema::attribute::kConnection, "hash"}, {schema::attribute::kPublications, "[\"p\"]"}}});
  made.seal();
  const Catalog cleared = without_secrets(std::move(made));
  EXPECT_TRUE(cleared.find(mapping)->attributes.empty());
  EXPECT_FALSE(cleared.find(subscription)->has(schema::attribute::kConnection));
  EXPECT_TRUE(cleared.find(subscription)->has(schema::attribute::kPublications));
}

// Ledgers hold catalogs for years. When this fails because a kind or the encoding changed, raise kFactsVersion: an older record
// is then not compared, instead of being misread.
TEST(RecordedCatalog, HasTheSameBytesInEveryReleaseOfOneFactsVersion) {
  Catalog made = two_schemas();
  made.server_version = 150'018;
  EXPECT_EQ(std::to_string(schema::kFactsVersion) + " " + sha256_hex(schema::write_catalog(made)).substr(0, 16),
            "3 131c42ea3a5cb7e9");
  EXPECT_EQ(static_cast<int>(Kind::DefaultPrivilege), 40);
}

}  // namespace
}  // namespace athanor
