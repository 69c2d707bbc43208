// Describes the difference of two catalogs in words, one line per fact, for failed proofs, drift and tests of downgrades.
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

// Returns what `have` lacks ("- table …"), has in addition ("+ …") or has differently ("~ column …: type integer, not bigint")
// compared with `want`; empty if they are equal. Parts of a missing or additional object have no line of their own.
// `Derived::Ignored` ignores the column types of views, which follow from the query and its tables.
enum class Derived : bool { Compared, Ignored };
[[nodiscard]] std::vector<std::string> describe_difference(const Catalog& have, const Catalog& want,
                                                           Derived derived = Derived::Compared);
// Returns the changes from one to the other, in lines such as "~ column …: type integer → bigint".
[[nodiscard]] std::vector<std::string> describe_changes(const Catalog& before, const Catalog& after);

}  // namespace athanor::schema
