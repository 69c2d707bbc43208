// What the body of a routine names. PostgreSQL records no dependency of a body that is a string, but checks it when the routine
// is made, and runs it when an index or a default needs it.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/change_set.hpp"
#include "migrations/schema/render.hpp"

namespace athanor::schema {

// New facts (relations, columns, routines, types) whose names stand in the definition: a hint for ordering, no dependency.
[[nodiscard]] std::vector<std::uint32_t> facts_mentioned(const ChangeSet& changes, std::uint32_t routine);

// [["asciiword", [["schema","dictionary"], …]], …] as tokens and quoted dictionaries.
[[nodiscard]] std::vector<std::pair<std::string, Names>> nested_mappings(std::string_view json);

}  // namespace athanor::schema
