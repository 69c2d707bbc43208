#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/cli/autogenerate.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::FactId;
using schema::Kind;
using schema::RenameHint;
using testing::AllOf;
using testing::ElementsAre;
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
  ASSERT_EQ(renames->renames.size(), 2U);
  EXPECT_EQ(renames->renames[0].from, table("shop", "users"));
  EXPECT_EQ(renames->renames[0].to, table("shop", "customers"));
  EXPECT_EQ(renames->renames[1].from, column("shop", "users", "email"));
  EXPECT_EQ(renames->renames[1].to, column("shop", "customers", "mail"));
}

TEST(ChosenRenames, SayWhichHintsWereFollowedAlready) {
  const auto done = chosen_renames(after(), after(), {{"shop", "customers", "", "users", "s.sql:1"}}, {});
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->renames.empty());
  EXPECT_THAT(done->notes, ElementsAre(AllOf(HasSubstr("s.sql:1: "), HasSubstr("already exists"))));
  EXPECT_TRUE(done->warnings.empty());
  // Both names are there, and the old one goes: too late for a rename.
  const auto late = chosen_renames(before(), after(), {{"shop", "kept", "", "users", "s.sql:2"}}, {});
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->renames.empty());
  EXPECT_THAT(late->warnings, ElementsAre(HasSubstr("is dropped")));
}

TEST(ChosenRenames, RefuseAHintWhoseOldNameIsNotThereWhileTheNewOneComes) {
  for (const RenameHint& hint :
       {RenameHint{"shop", "customers", "", "user", "s.sql:3"}, RenameHint{"", "customers", "mail", "emial", "s.sql:3"},
        RenameHint{"shop", "customers", "", "kept", "s.sql:3"},
        RenameHint{"shop", "customers", "", "users", "s.sql:3", "", "", true}}) {
    const auto refused = chosen_renames(before(), after(), {hint}, {});
    ASSERT_FALSE(refused) << hint.old_name;
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_THAT(refused.error().message, HasSubstr("s.sql:3: "));
  }
  // A new database has every name of the file as a new one.
  EXPECT_TRUE(chosen_renames(of({}), after(), {{"shop", "customers", "", "user", "s.sql:3"}}, {}));
}

TEST(ChosenRenames, RefuseAHintOnALineWithATableAndANewColumn) {
  const Catalog now = of({table("shop", "users"), column("shop", "users", "email")});
  const Catalog desired = of({table("shop", "users"), column("shop", "users", "mail")});
  for (const std::string old : {"email", "emial"}) {
    const RenameHint hint{"shop", "users", "", old, "s.sql:1", "", "", false, {"id", "mail"}};
    const auto refused = chosen_renames(now, desired, {hint}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_THAT(refused.error().message, HasSubstr("its column mail on the same line"));
    EXPECT_TRUE(chosen_renames(desired, desired, {hint}, {}));
  }
}

TEST(ChosenRenames, FollowAHintOutOfAnotherSchema) {
  const Catalog moved = of({table("sales", "customers"), column("sales", "customers", "mail"), table("shop", "kept")});
  const auto renames = chosen_renames(
      before(), moved,
      {{"sales", "customers", "", "users", "s.sql:1", "shop"}, {"sales", "customers", "mail", "email", "s.sql:2"}}, {});
  ASSERT_TRUE(renames) << renames.error().message;
  ASSERT_EQ(renames->renames.size(), 2U);
  EXPECT_EQ(renames->renames[0].from, table("shop", "users"));
  EXPECT_EQ(renames->renames[1].from, column("shop", "users", "email"));
  EXPECT_EQ(renames->renames[1].to, column("sales", "customers", "mail"));
}

TEST(ChosenRenames, TakeAFlagForASequence) {
  const FactId from{.kind = Kind::Sequence, .schema = "shop", .name = "numbers"};
  const FactId to{.kind = Kind::Sequence, .schema = "shop", .name = "invoice_numbers"};
  const auto renames = chosen_renames(of({from}), of({to}), {}, {"shop.numbers=shop.invoice_numbers"});
  ASSERT_TRUE(renames);
  ASSERT_EQ(renames->renames.size(), 1U);
  EXPECT_EQ(renames->renames[0].from, from);
}

TEST(ChosenRenames, TakeFlagsAndRefuseThoseThatFitNothing) {
  const auto renames =
      chosen_renames(before(), after(), {}, {"shop.users=shop.customers", "shop.users.email=shop.customers.mail"});
  ASSERT_TRUE(renames);
  EXPECT_EQ(renames->renames.size(), 2U);
  for (const char* flag : {"shop.users", "shop.users=shop.nobody", "users=customers", "shop.users=shop.customers.mail", "="}) {
    const auto refused = chosen_renames(before(), after(), {}, {flag});
    ASSERT_FALSE(refused) << flag;
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_THAT(refused.error().message, HasSubstr(flag));
  }
}

}  // namespace
}  // namespace athanor::cli
