#include "migrations/schema/schema_cache.hpp"

#include <gtest/gtest.h>

#include "migrations/schema/attributes.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::schema {
namespace {

Catalog small_catalog() {
  Catalog catalog;
  catalog.server_version = 150018;
  catalog.unmodelled["transform"] = {"a", "b"};
  const auto table = catalog.add({{.kind = Kind::Table, .schema = "shop", .name = "orders"}, {}, 3});
  const auto column = catalog.add({{.kind = Kind::Column, .schema = "shop", .parent = "orders", .name = "id"},
                                   {{attribute::kType, "bigint"}, {attribute::kNotNull, "true"}},
                                   1});
  catalog.add_edge(column, table);
  catalog.add_outside({table, "view audit.totals"});
  catalog.seal();
  return catalog;
}

TEST(SchemaCache, ReturnsTheStoredCatalog) {
  const test::TempFolder folder;
  const test::FakeClock clock;
  const SchemaCache cache(folder / "cache", clock);
  const Catalog catalog = small_catalog();
  EXPECT_FALSE(cache.catalog("k"));
  cache.keep("k", catalog);
  const auto kept = cache.catalog("k");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->fingerprint(), catalog.fingerprint());
  EXPECT_EQ(kept->server_version, 150018);
  EXPECT_EQ(kept->unmodelled, catalog.unmodelled);
  EXPECT_EQ(std::vector(kept->edges().begin(), kept->edges().end()),
            std::vector(catalog.edges().begin(), catalog.edges().end()));
  ASSERT_EQ(kept->outside().size(), 1U);
  EXPECT_EQ(kept->outside()[0].object, "view audit.totals");
  const Fact* table = kept->find({.kind = Kind::Table, .schema = "shop", .name = "orders"});
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->position, 3);
}

TEST(SchemaCache, DoesNotBelieveADamagedFile) {
  std::string bytes = write_catalog(small_catalog());
  ASSERT_TRUE(read_catalog(bytes));
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(read_catalog(damaged)) << at;
  }
  EXPECT_FALSE(read_catalog(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(read_catalog(""));
}

TEST(SchemaCache, KeepsNothingWithoutAFolder) {
  const test::FakeClock clock;
  const SchemaCache cache("", clock);
  cache.keep("k", small_catalog());
  EXPECT_FALSE(cache.catalog("k"));
}

}  // namespace
}  // namespace athanor::schema
