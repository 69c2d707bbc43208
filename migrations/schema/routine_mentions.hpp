// Finds what the body of a routine names. PostgreSQL records no dependencies of a body that is a string, but checks the body
// when the routine is created, and runs it when an index or a default uses it.
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

// New or changed facts (relations, columns, routines, types) whose names occur in the definition. Only a hint for ordering,
// because a word may mean something else.
[[nodiscard]] std::vector<std::uint32_t> facts_mentioned(const ChangeSet& changes, std::uint32_t routine);

// Parses [["asciiword", [["schema","dictionary"], …]], …] into tokens with quoted dictionaries.
[[nodiscard]] std::vector<std::pair<std::string, Names>> nested_mappings(std::string_view json);

}  // namespace athanor::schema
