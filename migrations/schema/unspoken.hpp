// What a desired schema does not speak of stays as it is.
//
// Partitions and inheriting tables that come and go at run time: a desired schema that has the parent and names none of its
// children leaves all of them alone.
//
// Models speak of tables, types and what belongs to them, and of little else: SQLAlchemy has no word for a function, a trigger,
// a policy, or row security. What revisions made of such kinds is no business of models that define none of the kind.
// Extensions and schemas that models do not name are never dropped on their account.
//
// Grants belong to no schema that is not asked to name them. But an object that is dropped and made again must have its own back,
// so the planner has to know them: those of the current schema stay on every object that stays.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

struct Completed {
  Catalog catalog;                // the desired one and what stays
  std::vector<std::string> kept;  // "view shop.totals": objects that only `now` has
};

// Whether the desired schema says who may do what (`compare: privileges`), or what is granted now stays.
enum class Grants : bool { Desired, Stay };

// `models`: the desired schema comes from models. Both must be sealed; the result is.
[[nodiscard]] Completed complete_desired(const Catalog& desired, const Catalog& now, bool models,
                                         Grants grants = Grants::Desired);

// `catalog` without its grants, except on what and to whom `known` has one. Sealed.
[[nodiscard]] Catalog without_grants(const Catalog& catalog, const Catalog& known = {});

}  // namespace athanor::schema
