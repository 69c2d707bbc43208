#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/cli/autogenerate.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::FactId;
using schema::Kind;
using schema::RenameHint;
using testing::HasSubstr;

FactId table(const std::string& schema, const std::string& name) {
  return {.kind = Kind::Table, .schema = schema, .name = name};
}
FactId column(const std::string& schema, const std::string& table, const std::string& name) {
  return {.kind = Kind::Column, .schema = schema, .parent = table, .name = name};
}

Catalog of(const std::vector<FactId>& ids) {
  Catalog catalog;
  for (const FactId& id : ids) {
    catalog.add({id});
  }
  catalog.seal();
  return catalog;
}

const Catalog& before() {
  static const Catalog catalog = of({table("shop", "users"), column("shop", "users", "email"), table("shop", "kept")});
  return catalog;
}
const Catalog& after() {
  static const Catalog catalog = of({table("shop", "customers"), column("shop", "customers", "mail"), table("shop", "kept")});
  return catalog;
}

TEST(ChosenRenames, FollowHintsOfTablesAndOfTheirColumns) {
  const std::vector<RenameHint> hints{{"", "customers", "mail", "email", ""}, {"", "customers", "", "users", ""}};
  const auto renames = chosen_renames(before(), after(), hints, {});
  ASSERT_TRUE(renames);
  ASSERT_EQ(renames->size(), 2U);
  EXPECT_EQ((*renames)[0].from, table("shop", "users"));
  EXPECT_EQ((*renames)[0].to, table("shop", "customers"));
  EXPECT_EQ((*renames)[1].from, column("shop", "users", "email"));
  EXPECT_EQ((*renames)[1].to, column("shop", "customers", "mail"));
}

TEST(ChosenRenames, PassOverHintsThatWereFollowedOrFitNothing) {
  const auto done = chosen_renames(after(), after(), {{"shop", "customers", "", "users", ""}}, {});
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->empty());
  const auto other =
      chosen_renames(before(), after(), {{"shop", "kept", "", "users", ""}, {"audit", "customers", "", "users", ""}}, {});
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->empty());
}

TEST(ChosenRenames, TakeFlagsAndRefuseThoseThatFitNothing) {
  const auto renames =
      chosen_renames(before(), after(), {}, {"shop.users=shop.customers", "shop.users.email=shop.customers.mail"});
  ASSERT_TRUE(renames);
  EXPECT_EQ(renames->size(), 2U);
  for (const char* flag : {"shop.users", "shop.users=shop.nobody", "users=customers", "shop.users=shop.customers.mail", "="}) {
    const auto refused = chosen_renames(before(), after(), {}, {flag});
    ASSERT_FALSE(refused) << flag;
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_THAT(refused.error().message, HasSubstr(flag));
  }
}

}  // namespace
}  // namespace athanor::cli
