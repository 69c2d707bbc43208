// NOT NULL of columns: an attribute, and from PostgreSQL 18 on a constraint with a name.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

[[nodiscard]] bool not_null_of(const Fact& column);
// " CONSTRAINT n NOT NULL NO INHERIT" in a column's definition; empty for a nullable column, and for one whose constraint is
// NOT VALID, which has no place there.
[[nodiscard]] std::string not_null_clause(const Fact& column);
// The NOT VALID constraint of a new column.
void add_not_null_constraint(Action& action, const Fact& column, int version);
// The column keeps its NOT NULL under the name of its parent's constraint when its table leaves: it gets its own name.
void rename_kept_not_null(Action& action, const Fact& parent, const Fact& column, int version);
void change_not_null(const ChangeSet& changes, const FactChange& change, ActionList& actions);

}  // namespace athanor::schema
