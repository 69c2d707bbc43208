// The difference of two catalogs in words: one line a fact, for proofs that fail, drift and tests of downgrades.
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

// What `have` lacks ("- table …"), has too much ("+ …") and has otherwise ("~ column …: type integer, not bigint") against
// `want`. Empty when they are equal. Children of an object that is missing or too much are not listed on their own.
// With `Derived::Ignored` the column types of views do not count: they follow from the query and the tables below it.
enum class Derived : bool { Compared, Ignored };
[[nodiscard]] std::vector<std::string> describe_difference(const Catalog& have, const Catalog& want,
                                                           Derived derived = Derived::Compared);
// What leads from the one to the other, in the same lines: "~ column …: type integer → bigint".
[[nodiscard]] std::vector<std::string> describe_changes(const Catalog& before, const Catalog& after);

}  // namespace athanor::schema
