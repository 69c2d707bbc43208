// How COMMENT ON, ALTER … OWNER TO and GRANT … ON name an object.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

// "TABLE shop.orders", "CONSTRAINT c ON shop.orders", "COLUMN shop.orders.total": the object that a comment or owner is about.
[[nodiscard]] std::string object_reference(const Catalog& catalog, const FactId& about);
// "TABLE shop.orders", "ROUTINE shop.f(integer)".
[[nodiscard]] std::string grant_target(const Catalog& catalog, const FactId& about);
// A new owner gets all privileges, and grants by the old one become his: grants come after.
void await_owner(const ChangeSet& changes, const FactId& about, Action& action);

}  // namespace athanor::schema
