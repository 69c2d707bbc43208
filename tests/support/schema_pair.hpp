// Two schemas on a real server: a plan made from one to the other, applied and judged.
//
//   SchemaPair pair(old_sql, new_sql);
//   EXPECT_EQ(pair.converge(), "");            // there, second diff empty, and back again
//   EXPECT_THAT(pair.statements(), …);          // of the way there
//
// Threads: one thread. Ownership: owns its two databases.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/inspect.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor::test {

// Everything but subscriptions, whose connections are secrets.
[[nodiscard]] schema::InspectOptions every_kind();
[[nodiscard]] schema::Catalog catalog_of(const std::string& url, const schema::InspectOptions& options = every_kind());
// Throws with the statement that failed.
void apply(Client& client, const schema::ChangePlan& plan);
[[nodiscard]] std::string text_of(const schema::ChangePlan& plan);
// The facts that only one side has, or that differ; empty when the two are equal.
[[nodiscard]] std::string difference_of(const schema::Catalog& got, const schema::Catalog& wanted);
// The lines of pg_dump -s in which two databases differ, whatever their order: columns may stand in another one.
[[nodiscard]] std::string dump_difference(const std::string& got_url, const std::string& wanted_url);

class SchemaPair {
 public:
  // Loads the two; throws when the server refuses one.
  SchemaPair(const std::string& from, const std::string& to, schema::InspectOptions options = every_kind());

  // Plans and applies the way there, looks again, asks for a second plan. Empty when all is well, otherwise what is not.
  [[nodiscard]] std::string go(schema::Style style);
  // And the way back to the first schema.
  [[nodiscard]] std::string go_back(schema::Style style);
  // Both, in a style.
  [[nodiscard]] std::string converge(schema::Style style = schema::Style::Online);

  [[nodiscard]] const schema::ChangePlan& plan() const { return plan_; }  // of the last way
  [[nodiscard]] std::vector<std::string> statements() const;
  TestDatabase& database() { return old_database_; }  // which changes
  TestDatabase& wanted() { return new_database_; }
  [[nodiscard]] const schema::Catalog& before() const { return *before_; }
  [[nodiscard]] const schema::Catalog& after() const { return *after_; }

 private:
  std::string move(const schema::Catalog& target, schema::Style style);

  schema::InspectOptions options_;
  TestDatabase old_database_{"schema_old"};
  TestDatabase new_database_{"schema_new"};
  std::optional<schema::Catalog> before_;
  std::optional<schema::Catalog> after_;
  schema::ChangePlan plan_;
};

}  // namespace athanor::test
