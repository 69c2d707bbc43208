#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/new_database.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;

TEST(CreateDatabase, RepeatsEncodingLocaleAndOwner) {
  DatabaseProperties properties{"shop owner", "UTF8", "C.UTF-8", "C.UTF-8", "c", "", "", {}, false, {}};
  EXPECT_EQ(create_database_sql("my db", properties, true),
            "CREATE DATABASE \"my db\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' OWNER \"shop "
            "owner\"");
  properties.provider = "i";
  properties.locale = "de-CH";
  EXPECT_EQ(create_database_sql("d", properties, false),
            "CREATE DATABASE d TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' LOCALE_PROVIDER icu "
            "ICU_LOCALE 'de-CH'");
}

TEST(DescribeDatabase, RepeatsSettingsGrantsAndComment) {
  DatabaseProperties properties;
  properties.settings = {{"", "search_path=app, \"My, schema\""}, {"bob", "work_mem=64MB"}, {"", "app.tenant=o'hara"}};
  properties.has_grants = true;
  properties.grants = {{"", "CONNECT", false}, {"bob", "CREATE", true}, {"bob", "DROP EVERYTHING", false}};
  properties.comment = "the shop";
  EXPECT_THAT(describe_database_sql("d", properties),
              ElementsAre("ALTER DATABASE d SET search_path TO 'app', 'My, schema'",
                          "ALTER ROLE bob IN DATABASE d SET work_mem TO '64MB'", "ALTER DATABASE d SET app.tenant TO 'o''hara'",
                          "REVOKE ALL ON DATABASE d FROM PUBLIC", "GRANT CONNECT ON DATABASE d TO PUBLIC",
                          "GRANT CREATE ON DATABASE d TO bob WITH GRANT OPTION", "COMMENT ON DATABASE d IS 'the shop'"));
}

TEST(DerivedName, StaysWithinWhatPostgresKeeps) {
  EXPECT_EQ(derived_name("shop", "before_x"), "shop_before_x");
  EXPECT_EQ(derived_name(std::string(63, 'a'), "before_x").size(), 63U);
  const std::string umlauts = "aaaa" + std::string(27, 'b') + "ääääääääääääääää";
  EXPECT_LE(derived_name(umlauts, "before_20261121_021000").size(), 63U);
  EXPECT_NE(static_cast<unsigned char>(derived_name("äääääääääääääääääääääääääääääää", "0").at(61)) & 0xC0U, 0xC0U);
}

}  // namespace
}  // namespace athanor
