#include "migrations/schema/filter_matches.hpp"

#include <algorithm>
#include <set>

#include "migrations/schema/catalog_text.hpp"

namespace athanor::schema {
namespace {

using Names = std::set<std::string, std::less<>>;

std::vector<std::string> without_match(const std::vector<std::string>& patterns, const Names& names) {
  std::vector<std::string> unmatched;
  for (const std::string& pattern : patterns) {
    if (std::ranges::none_of(names, [&](const std::string& name) { return matches_pattern(name, pattern); })) {
      unmatched.push_back(pattern);
    }
  }
  return unmatched;
}

}  // namespace

UnmatchedPatterns unmatched_patterns(const InspectOptions& filter, std::initializer_list<const Catalog*> catalogs) {
  if (filter.schemas.empty() && filter.tables.empty()) {
    return {};
  }
  Names schemas;
  Names tables;
  for (const Catalog* catalog : catalogs) {
    for (const Fact& fact : catalog->facts()) {
      const FactId& id = fact.id;
      if (id.kind == Kind::Schema) {
        schemas.insert(id.name);
      } else if (!id.schema.empty()) {
        schemas.insert(id.schema);
      }
      if (id.kind == Kind::Table || id.kind == Kind::View || id.kind == Kind::MaterializedView) {
        tables.insert(id.name);
        tables.insert(id.schema + "." + id.name);
      }
    }
  }
  return {without_match(filter.schemas, schemas), without_match(filter.tables, tables)};
}

bool is_filtered(const InspectOptions& filter) {
  return !filter.schemas.empty() || !filter.exclude_schemas.empty() || !filter.tables.empty() || !filter.exclude_tables.empty();
}

}  // namespace athanor::schema
