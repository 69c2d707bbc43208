// Completes a desired schema with what it does not describe, so that those objects stay unchanged.
//
// Partitions and inheriting tables may be created and dropped at run time: if a desired schema contains a parent and none of
// its children, all children stay. Two schemas that are both complete, such as those of two databases, have no such children.
//
// Models describe tables, types and their parts, and little else: SQLAlchemy cannot express a function, a trigger, a policy, or
// row security. If models define no object of such a kind, objects of that kind that revisions created stay. Extensions and
// schemas that models do not name are never dropped.
//
// Grants are part of a desired schema only if the configuration compares them. But an object that is dropped and recreated must
// get its grants back, so the planner must know them: grants of the current schema stay on every object that stays.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

struct Completed {
  Catalog catalog;                // the desired schema, and what stays
  std::vector<std::string> kept;  // "view shop.totals": objects that exist only in `now`
};

// Whether the desired schema decides about grants (`compare: privileges`), or the current grants stay.
enum class Grants : bool { Desired, Stay };

// Whether children of parents that the desired schema contains without any child stay.
enum class Children : bool { Stay, Compared };

// `models`: whether the desired schema comes from models. Both catalogs must be sealed; so is the result.
[[nodiscard]] Completed complete_desired(const Catalog& desired, const Catalog& now, bool models,
                                         Grants grants = Grants::Desired, Children children = Children::Stay);

// `catalog` with the grants and owners that its objects have in `now`, unless it has its own. Sealed.
[[nodiscard]] Catalog with_grants_of(const Catalog& catalog, const Catalog& now);

// `catalog` without grants, except those for which `known` has a grant on the same object to the same grantee. Sealed.
[[nodiscard]] Catalog without_grants(const Catalog& catalog, const Catalog& known = {});

}  // namespace athanor::schema
