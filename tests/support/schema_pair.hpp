// Two schemas on a real server. A test plans the migration from one to the other, applies the plan and checks the result.
//
//   SchemaPair pair(old_sql, new_sql);
//   EXPECT_EQ(pair.converge(), "");            // forward, then a second diff that is empty, then back
//   EXPECT_THAT(pair.statements(), …);          // of the last plan
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

// Inspects every kind of object except subscriptions, whose connection strings contain secrets.
[[nodiscard]] schema::InspectOptions every_kind();
[[nodiscard]] schema::Catalog catalog_of(const std::string& url, const schema::InspectOptions& options = every_kind());
// Executes the plan; throws with the statement that failed.
void apply(Client& client, const schema::ChangePlan& plan);
[[nodiscard]] std::string text_of(const schema::ChangePlan& plan);
// The facts that differ or that only one catalog has; empty when the two are equal.
[[nodiscard]] std::string difference_of(const schema::Catalog& got, const schema::Catalog& wanted);
// The lines of pg_dump -s in which two databases differ, ignoring their order, because columns may be in a different order.
[[nodiscard]] std::string dump_difference(const std::string& got_url, const std::string& wanted_url);

class SchemaPair {
 public:
  // Creates both schemas; throws when the server refuses one.
  SchemaPair(const std::string& from, const std::string& to, schema::InspectOptions options = every_kind());

  // Plans and applies the change to the second schema, inspects the result and checks that a second plan is empty. Returns an
  // empty string on success, otherwise what went wrong.
  [[nodiscard]] std::string go(schema::Style style);
  // The same, back to the first schema.
  [[nodiscard]] std::string go_back(schema::Style style);
  // go(), then go_back().
  [[nodiscard]] std::string converge(schema::Style style = schema::Style::Online);

  [[nodiscard]] const schema::ChangePlan& plan() const { return plan_; }  // the last one
  [[nodiscard]] std::vector<std::string> statements() const;
  TestDatabase& database() { return old_database_; }  // the one that the plans change
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
