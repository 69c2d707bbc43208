// Formats changes of a schema for people and programs: a summary, SQL with steps, JSON.
//
// Threads: one thread. Ownership: borrows the output.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/output.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/change_plan.hpp"

namespace athanor::cli {

// Prints one line per change: `+ table shop.orders`. Lines that lose data say so, and are red on a terminal.
void print_summary(Output& output, const schema::ChangePlan& plan);
// Warns of statements that existing rows may make fail, with the SQL that prevents it.
void warn_of_rows(Output& output, const schema::ChangePlan& plan);
// The statements with their step directives, as in a section of a revision file.
[[nodiscard]] std::string section_text(const schema::ChangePlan& plan);
// The same for psql, which runs each statement by itself: what is set lasts.
[[nodiscard]] std::string script_text(schema::ChangePlan plan);
// {"summary": […], "statements": […]}.
[[nodiscard]] Json plan_json(const schema::ChangePlan& plan);
// Every fact with its attributes.
[[nodiscard]] Json catalog_json(const schema::Catalog& catalog);
// Warns of objects whose kinds are not compared.
void warn_unmodelled(Output& output, const schema::Catalog& catalog);
// Whether a statement of the plan certainly loses rows or values.
[[nodiscard]] bool loses_data(const schema::ChangePlan& plan);
// "3 changes".
[[nodiscard]] std::string count_changes(std::size_t count);

}  // namespace athanor::cli
