// The names of objects in COMMENT ON, ALTER … OWNER TO and GRANT … ON.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

// "TABLE shop.orders", "CONSTRAINT c ON shop.orders", "COLUMN shop.orders.total": the object that a comment or owner describes.
[[nodiscard]] std::string object_reference(const Catalog& catalog, const FactId& about);
// "TABLE shop.orders", "ROUTINE shop.f(integer)".
[[nodiscard]] std::string grant_target(const Catalog& catalog, const FactId& about);
// Orders `action` after a change of the object's owner: ALTER … OWNER TO transfers the old owner's privileges and grants to the
// new one, so grants must follow it.
void await_owner(const ChangeSet& changes, const FactId& about, Action& action);

}  // namespace athanor::schema
