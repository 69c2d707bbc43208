// NOT NULL of columns: an attribute, and from PostgreSQL 18 on also a named constraint.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

// Whether the column is NOT NULL.
[[nodiscard]] bool not_null_of(const Fact& column);
// " CONSTRAINT n NOT NULL NO INHERIT" in a column's definition. Empty for a nullable column, and for one whose constraint is
// NOT VALID, which a column's definition cannot express.
[[nodiscard]] std::string not_null_clause(const Fact& column);
// Adds the NOT VALID constraint of a new column, if it has one.
void add_not_null_constraint(Action& action, const Fact& column, int version);
// A column that leaves its parent keeps its NOT NULL under the name of the parent's constraint: renames it to the column's own.
void rename_kept_not_null(Action& action, const Fact& parent, const Fact& column, int version);
// Adds, drops or changes NOT NULL of a column.
void change_not_null(const ChangeSet& changes, const FactChange& change, ActionList& actions);

}  // namespace athanor::schema
