// Changes of a schema as people and programs read them: a summary, SQL with steps, JSON.
//
// Threads: one thread. Ownership: borrows the output.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/output.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/change_plan.hpp"

namespace athanor::cli {

// One line a change: `+ table shop.orders`. What loses data is red on a terminal, and says so anywhere.
void print_summary(Output& output, const schema::ChangePlan& plan);
// What the rows of the database may make fail, with the SQL that prevents it.
void warn_of_rows(Output& output, const schema::ChangePlan& plan);
// Statements with their step directives, as a section of a revision file holds them.
[[nodiscard]] std::string section_text(const schema::ChangePlan& plan);
// {"summary": […], "statements": […]}.
[[nodiscard]] Json plan_json(const schema::ChangePlan& plan);
// Every fact with its attributes.
[[nodiscard]] Json catalog_json(const schema::Catalog& catalog);
// Objects of kinds that nobody compares: a warning each.
void warn_unmodelled(Output& output, const schema::Catalog& catalog);
// Whether a statement of the plan takes rows or values away for good.
[[nodiscard]] bool loses_data(const schema::ChangePlan& plan);
// "3 changes".
[[nodiscard]] std::string count_changes(std::size_t count);

}  // namespace athanor::cli
