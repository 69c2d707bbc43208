// The difference between two catalogs. It compares facts and attributes generically and knows no kind of object.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

// A fact that both sides have, and its attributes that differ.
struct FactChange {
  std::uint32_t before = 0;  // indexes into the two catalogs
  std::uint32_t after = 0;
  std::vector<std::string_view> attributes{};
};

struct Rename {
  FactId from;
  FactId to;
};

struct SchemaDiff {
  std::vector<std::uint32_t> added{};    // indexes into the catalog `after`
  std::vector<std::uint32_t> removed{};  // indexes into the catalog `before`
  std::vector<FactChange> changed{};
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

// Both catalogs must be sealed.
[[nodiscard]] SchemaDiff diff(const Catalog& before, const Catalog& after);

// A possible rename, which a hint or a person must confirm.
struct RenameCandidate {
  Rename rename;
  double similarity = 0;  // 1: equal except for the name
};
// Pairs of removed and added tables, columns and sequences that are similar, best first. They are never applied without
// confirmation.
[[nodiscard]] std::vector<RenameCandidate> rename_candidates(const Catalog& before, const Catalog& after);

}  // namespace athanor::schema
