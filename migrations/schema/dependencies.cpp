// Reads pg_depend as edges between facts. Structural dependencies (a column needs its table) are added where the facts are
// created.
#include <algorithm>
#include <array>
#include <charconv>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

// Each row is fetched as one text, because this query returns more rows than any other.
struct Dependency {
  Address from, to;
  bool on_extension = false;  // ALTER … DEPENDS ON EXTENSION
};

Dependency dependency_in(std::string_view text) {
  std::array<std::uint32_t, 6> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (auto& number : numbers) {
    at = std::from_chars(at, end, number).ptr;
    at += at != end ? 1 : 0;
  }
  return {.from = {numbers[0], numbers[1], static_cast<int>(numbers[2])},
          .to = {numbers[3], numbers[4], static_cast<int>(numbers[5])},
          .on_extension = text.ends_with('x')};
}

void link(Extraction& extraction, Address from, Address to) {
  if (const auto needs = extraction.find(from)) {
    extraction.add_edge(*needs, to);
    // The dependent is outside the filter: record it, so that the plan does not drop what it needs.
  } else if (const std::string* hidden = extraction.find_hidden(from)) {
    if (const auto needed = extraction.find(to)) {
      extraction.add_outside(*needed, *hidden);
    }
  }
}

void take_dependencies(const Rows& rows, Extraction& extraction) {
  std::vector<std::pair<std::uint32_t, std::string>> on_extensions;
  for (const auto& cells : rows.rows) {
    const auto [from, to, on_extension] = dependency_in(CatalogRow(cells).text(0));
    link(extraction, from, to);
    if (on_extension) {
      const auto fact = extraction.find(from);
      const auto extension = extraction.find(to);
      if (fact && extension) {
        on_extensions.emplace_back(*fact, extraction.fact(*extension).id.name);
      }
    }
  }
  std::ranges::sort(on_extensions);
  for (std::size_t first = 0; first < on_extensions.size();) {
    const std::uint32_t fact = on_extensions[first].first;
    std::vector<std::string> names;
    for (; first < on_extensions.size() && on_extensions[first].first == fact; ++first) {
      names.push_back(on_extensions[first].second);
    }
    set(extraction.fact(fact), attribute::kDependsOnExtensions, json_list(names));
  }
}

}  // namespace

void add_dependency_families(std::vector<Family>& families, int /*version*/) {
  // Skips system objects (oids below 16384), dependencies on schemas (which ids imply), and internal ones such as those of row
  // types, array types, TOAST tables and the clones of partitions (P and S).
  families.push_back({.sql = R"(SELECT concat_ws(' ', d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid,
 d.deptype)
FROM pg_catalog.pg_depend d
WHERE d.refobjid >= 16384 AND d.objid >= 16384 AND d.refclassid <> 2615 AND d.deptype IN ('n', 'a', 'x'))",
                      .take = take_dependencies,
                      .large = true});
}

}  // namespace athanor::schema
