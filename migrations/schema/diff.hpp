// The difference between two catalogs. Pure and generic: it knows facts and attributes, and no kind of object by name.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

// Attributes of a fact that both sides have.
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
  std::vector<std::uint32_t> added{};    // of the catalog after
  std::vector<std::uint32_t> removed{};  // of the catalog before
  std::vector<FactChange> changed{};
  [[nodiscard]] bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
};

// Both must be sealed.
[[nodiscard]] SchemaDiff diff(const Catalog& before, const Catalog& after);

// For a hint or a person to confirm.
struct RenameCandidate {
  Rename rename;
  double similarity = 0;  // 1: equal but for the name
};
// Removed and added tables, columns and sequences that look alike, best first. Never applied without being asked for.
[[nodiscard]] std::vector<RenameCandidate> rename_candidates(const Catalog& before, const Catalog& after);

}  // namespace athanor::schema
