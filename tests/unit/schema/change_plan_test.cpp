// The plan between catalogs that are made by hand.
#include "migrations/schema/change_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/rules_indexes.hpp"
#include "migrations/schema/settled_text.hpp"

namespace athanor::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FactId table_id(const std::string& name) {
  return {.kind = Kind::Table, .schema = "shop", .name = name};
}

FactId column_id(const std::string& table, const std::string& name) {
  return {.kind = Kind::Column, .schema = "shop", .parent = table, .name = name};
}

Catalog catalog_of(std::vector<Fact> facts) {
  Catalog catalog;
  catalog.server_version = 150010;
  catalog.add({.id = {.kind = Kind::Schema, .name = "shop"}});
  for (Fact& fact : facts) {
    catalog.add(std::move(fact));
  }
  catalog.seal();
  return catalog;
}

std::vector<std::string> statements_of(const Result<ChangePlan>& plan) {
  std::vector<std::string> statements;
  if (!plan) {
    return {plan.error().describe()};
  }
  for (const PlannedStep& step : plan->steps) {
    for (const PlannedStatement& statement : step.statements) {
      statements.push_back(statement.sql);
    }
  }
  return statements;
}

Fact integer_column(const std::string& table, const std::string& name, const std::string& type = "integer") {
  return {.id = column_id(table, name), .attributes = {{attribute::kType, type}}, .position = 1};
}

TEST(Diff, NamesNoKindOfObject) {
  for (const char* file : {"diff.cpp", "diff.hpp"}) {
    std::ifstream stream(std::filesystem::path(SCHEMA_SOURCE_DIR) / file);
    std::ostringstream text;
    text << stream.rdbuf();
    EXPECT_FALSE(text.str().empty());
    EXPECT_EQ(text.str().find("Kind::"), std::string::npos) << file;
    EXPECT_EQ(text.str().find("attribute::"), std::string::npos) << file;
  }
}

TEST(Diff, TellsAddedRemovedAndChangedFactsApart) {
  const Catalog before = catalog_of({{.id = table_id("a")}, {.id = table_id("b")}, integer_column("b", "x")});
  const Catalog after = catalog_of({{.id = table_id("b")}, {.id = table_id("c")}, integer_column("b", "x", "bigint")});
  const SchemaDiff difference = diff(before, after);
  ASSERT_EQ(difference.removed.size(), 1U);
  EXPECT_EQ(before.facts()[difference.removed[0]].id, table_id("a"));
  ASSERT_EQ(difference.added.size(), 1U);
  EXPECT_EQ(after.facts()[difference.added[0]].id, table_id("c"));
  ASSERT_EQ(difference.changed.size(), 1U);
  EXPECT_THAT(difference.changed[0].attributes, ElementsAre(attribute::kType));
  EXPECT_TRUE(diff(before, before).empty());
}

TEST(Rules, KnowEveryKind) {
  for (int kind = static_cast<int>(Kind::Schema); kind <= static_cast<int>(Kind::DefaultPrivilege); ++kind) {
    const Rule* rule = find_rule(static_cast<Kind>(kind));
    ASSERT_NE(rule, nullptr) << kind_name(static_cast<Kind>(kind));
    EXPECT_NE(rule->create, nullptr);
    EXPECT_NE(rule->drop, nullptr);
    EXPECT_EQ(rule->replaces != nullptr, rule->alter != nullptr) << kind_name(static_cast<Kind>(kind));
  }
}

TEST(ChangePlan, IsEmptyWithoutADifference) {
  const Catalog catalog = catalog_of({{.id = table_id("a")}});
  EXPECT_TRUE(plan_changes(catalog, catalog)->empty());
}

TEST(ChangePlan, WritesColumnsIntoTheTableThatItMakes) {
  EXPECT_THAT(
      statements_of(plan_changes(catalog_of({}), catalog_of({{.id = table_id("order")}, integer_column("order", "user")}))),
      ElementsAre("CREATE TABLE shop.\"order\" (\n    \"user\" integer\n)"));
}

TEST(ChangePlan, DropsATableWithAllThatIsItsOwn) {
  const Catalog before = catalog_of({{.id = table_id("a")},
                                     integer_column("a", "x"),
                                     {.id = {.kind = Kind::Comment, .subject = Kind::Table, .schema = "shop", .name = "a"},
                                      .attributes = {{attribute::kText, "x"}}}});
  const auto plan = plan_changes(before, catalog_of({}));
  EXPECT_THAT(statements_of(plan), ElementsAre("DROP TABLE shop.a"));
  EXPECT_EQ(plan->steps[0].statements[0].loss, DataLoss::Certain);
  EXPECT_FALSE(plan->steps[0].statements[0].expand);
  ASSERT_EQ(plan->summary.size(), 1U);
  EXPECT_EQ(plan->summary[0].text, "table shop.a with 1 column");
  EXPECT_EQ(plan->summary[0].loss, DataLoss::Certain);
}

TEST(ChangePlan, RefusesCatalogsOfDifferentMajorVersions) {
  Catalog newer;
  newer.server_version = 180001;
  newer.seal();
  EXPECT_EQ(plan_changes(catalog_of({}), newer).error().code, ErrorCode::SchemaChangeRefused);
}

TEST(ChangePlan, RefusesToDropWhatAHiddenObjectNeeds) {
  Catalog before;
  before.server_version = 150010;
  const auto table = before.add({.id = table_id("a")});
  before.add_outside({table, "view audit.totals"});
  before.seal();
  Catalog after;
  after.server_version = 150010;
  after.seal();
  const auto plan = plan_changes(before, after);
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message, HasSubstr("view audit.totals"));
}

TEST(ChangePlan, NamesTheMembersOfACycle) {
  Catalog after;
  after.server_version = 150010;
  const auto make = [&](const char* name) {
    return after.add(
        {.id = {.kind = Kind::View, .schema = "shop", .name = name}, .attributes = {{attribute::kDefinition, "SELECT 1"}}});
  };
  const auto first = make("a");
  const auto second = make("b");
  after.add_edge(first, second);
  after.add_edge(second, first);
  after.seal();
  const auto plan = plan_changes(catalog_of({}), after);
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, ErrorCode::Internal);
  EXPECT_THAT(plan.error().message, HasSubstr("view shop.a"));
  EXPECT_THAT(plan.error().message, HasSubstr("view shop.b"));
}

TEST(RenameStatements, RenamePartsBeforeTheirWholeAndSwapByWayOfAThirdName) {
  const auto statements = rename_statements(
      {{table_id("a"), table_id("b")}, {table_id("b"), table_id("a")}, {column_id("a", "x"), column_id("b", "y")}});
  ASSERT_TRUE(statements.has_value());
  std::vector<std::string> texts;
  for (const auto& statement : *statements) {
    texts.push_back(statement.sql);
  }
  EXPECT_THAT(texts, ElementsAre("ALTER TABLE shop.a RENAME COLUMN x TO y", "ALTER TABLE shop.a RENAME TO a__renamed",
                                 "ALTER TABLE shop.b RENAME TO b__renamed", "ALTER TABLE shop.a__renamed RENAME TO b",
                                 "ALTER TABLE shop.b__renamed RENAME TO a"));
}

TEST(RenameStatements, RefuseAKindThatHasNoRename) {
  const FactId cast{.kind = Kind::Cast, .arguments = "a AS b"};
  EXPECT_EQ(rename_statements({{cast, cast}}).error().code, ErrorCode::SchemaChangeRefused);
}

TEST(RenameCandidates, AreTablesAndColumnsThatLookAlike) {
  const Catalog before = catalog_of({{.id = table_id("users")}, integer_column("users", "id"), integer_column("users", "age")});
  const Catalog after =
      catalog_of({{.id = table_id("people")}, integer_column("people", "id"), integer_column("people", "age")});
  const auto candidates = rename_candidates(before, after);
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates[0].rename.from, table_id("users"));
  EXPECT_EQ(candidates[0].rename.to, table_id("people"));
  EXPECT_EQ(candidates[0].similarity, 1.0);
}

TEST(TypeChange, KnowsWhatIsWrittenAgainAndWhatMayBeLost) {
  const auto change = [](const char* from, const char* to) { return type_change("c", from, to); };
  EXPECT_FALSE(change("character varying(10)", "character varying(20)").rewrites);
  EXPECT_FALSE(change("character varying(10)", "text").rewrites);
  EXPECT_FALSE(change("numeric(10,2)", "numeric(12,2)").rewrites);
  EXPECT_TRUE(change("numeric(10,2)", "numeric(12,3)").rewrites);
  EXPECT_EQ(change("integer", "bigint").loss, DataLoss::None);
  EXPECT_EQ(change("bigint", "integer").loss, DataLoss::Possible);
  EXPECT_EQ(change("character varying(20)", "character varying(10)").loss, DataLoss::Possible);
  EXPECT_EQ(change("character varying(20)", "character varying(10)").using_expression, "");  // an explicit cast would truncate
  EXPECT_EQ(change("text", "integer").using_expression, "c::integer");
  EXPECT_EQ(change("integer", "uuid").using_expression, "c::text::uuid");
}

TEST(DefaultRewrites, UnlessItIsKnownToBeOneValue) {
  EXPECT_FALSE(default_rewrites("'it''s'::text"));
  EXPECT_FALSE(default_rewrites("0"));
  EXPECT_FALSE(default_rewrites("now()"));
  EXPECT_TRUE(default_rewrites("gen_random_uuid()"));
  EXPECT_TRUE(default_rewrites("nextval('s'::regclass)"));
}

TEST(IndexBody, LeavesTheNamesOut) {
  EXPECT_EQ(index_body("CREATE UNIQUE INDEX \"I \"\" ON\" ON ONLY shop.\"a b\" USING btree (x)"), "USING btree (x)");
  EXPECT_EQ(index_body("CREATE INDEX i ON shop.t USING gin (y) WHERE (z > 0)"), "USING gin (y) WHERE (z > 0)");
}

TEST(SettledText, HasOneFormForAListOfValues) {
  Fact fact{.id = {.kind = Kind::Constraint, .schema = "shop", .parent = "t", .name = "c"},
            .attributes = {{attribute::kDefinition,
                            "CHECK (((s)::text = ANY ((ARRAY['a,]'::character varying, 'b'::character varying])::text[])))"}}};
  settle_text(fact);
  const std::string settled =
      "CHECK (((s)::text = ANY (ARRAY[('a,]'::character varying)::text, ('b'::character varying)::text])))";
  EXPECT_EQ(fact.get(attribute::kDefinition), settled);
  EXPECT_EQ(as_written(settled), "CHECK (((s) = ANY (ARRAY['a,]'::character varying, 'b'::character varying])))");
}

TEST(SettledText, LeavesBodiesAndCommentsAlone) {
  const std::string text = "SELECT (ARRAY[1])::bigint[]";
  Fact routine{.id = {.kind = Kind::Routine, .name = "f"}, .attributes = {{attribute::kDefinition, text}}};
  settle_text(routine);
  EXPECT_EQ(routine.get(attribute::kDefinition), text);
}

}  // namespace
}  // namespace athanor::schema
