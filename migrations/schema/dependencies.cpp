// Who needs whom, from pg_depend, at the grain of facts. What a fact needs by its structure (a column its table) is linked
// where the fact is made.
#include <algorithm>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

enum DependColumn : std::size_t { DepCatalog, DepObject, DepColumn, DepRefCatalog, DepRefObject, DepRefColumn, DepType };

void link(Extraction& extraction, Address from, Address to) {
  // An inherited column is told with the parent's table; what uses it needs the table that it was used in as well.
  if (to.catalog == catalog_oid::kClass && to.column != 0 && !extraction.is_fact(to)) {
    link(extraction, from, {to.catalog, to.object, 0});
  }
  const auto needs = extraction.find(from);
  const auto needed = extraction.find(to);
  if (!needed) {
    return;
  }
  if (needs) {
    extraction.add_edge(*needs, *needed);
  } else if (const std::string* hidden = extraction.find_hidden(from)) {
    extraction.add_outside(*needed, *hidden);
  }
}

void take_dependencies(const Rows& rows, Extraction& extraction) {
  std::vector<std::pair<std::uint32_t, std::string>> on_extensions;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address from{row.oid(DepCatalog), row.oid(DepObject), row.number(DepColumn)};
    const Address to{row.oid(DepRefCatalog), row.oid(DepRefObject), row.number(DepRefColumn)};
    link(extraction, from, to);
    if (row.letter(DepType) == 'x') {
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
  // Left out: types of tables and arrays on their element (internal), TOAST tables, and the clones of partitions (P and S).
  families.push_back({R"(SELECT d.classid, d.objid, NULLIF(d.objsubid, 0), d.refclassid, d.refobjid, NULLIF(d.refobjsubid, 0),
 NULLIF(NULLIF(d.deptype, 'n'), 'a')
FROM pg_catalog.pg_depend d
WHERE d.refobjid >= 16384 AND d.objid >= 16384 AND d.refclassid <> 2615 AND d.deptype IN ('n', 'a', 'x'))",
                      take_dependencies});
}

}  // namespace athanor::schema
