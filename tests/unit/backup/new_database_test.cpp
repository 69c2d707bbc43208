#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/new_database.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;

TEST(CreateDatabase, RepeatsEncodingLocaleAndOwner) {
  DatabaseProperties properties;
  properties.owner = "shop owner";
  properties.encoding = "UTF8";
  properties.collate = properties.ctype = "C.UTF-8";
  properties.provider = "c";
  EXPECT_EQ(create_database_sql("my db", properties, true),
            "CREATE DATABASE \"my db\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' OWNER \"shop "
            "owner\"");
  properties.provider = "i";
  properties.locale = "de-CH";
  EXPECT_EQ(create_database_sql("d", properties, false),
            "CREATE DATABASE d TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' LOCALE_PROVIDER icu "
            "ICU_LOCALE 'de-CH'");
  properties.icu_rules = "&V << w";
  properties.tablespace = "fast disk";
  EXPECT_EQ(create_database_sql("d", properties, false),
            "CREATE DATABASE d TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' LOCALE_PROVIDER icu "
            "ICU_LOCALE 'de-CH' ICU_RULES '&V << w' TABLESPACE \"fast disk\"");
}

TEST(DescribeDatabase, SaysSettingsOfTheServerApartFromThoseOfApplications) {
  DatabaseProperties properties;
  properties.settings = {{"", "default_transaction_read_only=on"}, {"", "app.tenant=a"}, {"bob", "role=other"}};
  properties.connection_limit = 0;
  properties.comment = "the shop";
  const SplitProperties split = split_settings(properties);
  EXPECT_THAT(describe_database_sql("d", split.own), ElementsAre("ALTER DATABASE d SET app.tenant TO 'a'"));
  EXPECT_THAT(describe_database_sql("d", split.server),
              ElementsAre("ALTER DATABASE d SET default_transaction_read_only TO 'on'",
                          "ALTER ROLE bob IN DATABASE d SET role TO 'other'", "ALTER DATABASE d CONNECTION LIMIT 0",
                          "COMMENT ON DATABASE d IS 'the shop'"));
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
