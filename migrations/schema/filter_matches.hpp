// Finds patterns that select nothing: a misspelt one would hide every difference.
//
// Threads: pure functions.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"

namespace athanor::schema {

struct UnmatchedPatterns {
  std::vector<std::string> schemas{};
  std::vector<std::string> tables{};
};

// Patterns of `filter.schemas` and `filter.tables` that match nothing in any of these catalogs, which may be filtered already.
[[nodiscard]] UnmatchedPatterns unmatched_patterns(const InspectOptions& filter,
                                                   std::initializer_list<const Catalog*> catalogs);

// Whether the filter leaves anything out.
[[nodiscard]] bool is_filtered(const InspectOptions& filter);

}  // namespace athanor::schema
