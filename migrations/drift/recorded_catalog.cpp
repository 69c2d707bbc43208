#include "migrations/drift/recorded_catalog.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/diff.hpp"

namespace athanor {
namespace {

using schema::Catalog;
using schema::Fact;
using schema::FactId;
using schema::Kind;

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return schema::matches_pattern(text, pattern); });
}

bool matches_any_name(const std::vector<std::string>& patterns, const std::string& qualified, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return pattern.find('.') == std::string::npos ? schema::matches_pattern(name, pattern)
                                                  : schema::matches_pattern(qualified, pattern);
  });
}

Kind kind_of(const FactId& id) {
  return id.subject == Kind::None ? id.kind : id.subject;
}

bool is_relation(Kind kind) {
  return kind == Kind::Table || kind == Kind::View || kind == Kind::MaterializedView;
}

bool belongs_to_relation(Kind kind) {
  switch (kind) {
    case Kind::Column:
    case Kind::ColumnDefault:
    case Kind::Constraint:
    case Kind::Index:
    case Kind::Trigger:
    case Kind::Rule:
    case Kind::Policy:
      return true;
    default:
      return false;
  }
}

// Kinds that are recorded only if requested, so their absence means nothing.
bool is_optional(Kind kind) {
  switch (kind) {
    case Kind::Publication:
    case Kind::Subscription:
    case Kind::Owner:
    case Kind::Grant:
    case Kind::DefaultPrivilege:
      return true;
    default:
      return false;
  }
}

// Schema and name of the object that a fact belongs to.
std::pair<std::string, std::string> object_of(const FactId& id) {
  const Kind kind = kind_of(id);
  if (kind == Kind::Schema) {
    return {id.name, ""};
  }
  return {id.schema, id.parent.empty() ? id.name : id.parent};
}

bool takes(const DriftFilter& filter, const FactId& id) {
  const Kind kind = kind_of(id);
  const auto [schema, name] = object_of(id);
  const std::string qualified = schema + "." + name;
  if (!schema.empty() && ((!filter.names.schemas.empty() && !matches_any(filter.names.schemas, schema)) ||
                          matches_any(filter.names.exclude_schemas, schema))) {
    return false;
  }
  if (is_relation(kind) || belongs_to_relation(kind)) {
    if ((!filter.names.tables.empty() && !matches_any_name(filter.names.tables, qualified, name)) ||
        matches_any_name(filter.names.exclude_tables, qualified, name) ||
        std::ranges::find(filter.own_tables, qualified) != filter.own_tables.end()) {
      return false;
    }
  }
  return !matches_any_name(filter.exclude, qualified, name);
}

// Builds a catalog from selected facts of two others. An edge of either side is kept if both its facts were selected.
class Assembly {
 public:
  void take(const Fact& fact) { chosen_.insert_or_assign(fact.id, &fact); }
  void leave_out(const FactId& id) { chosen_.erase(id); }
  [[nodiscard]] bool has(const FactId& id) const { return chosen_.contains(id); }

  [[nodiscard]] Catalog build(std::initializer_list<const Catalog*> sides) const {
    Catalog made;
    std::map<FactId, std::uint32_t> places;
    for (const auto& [id, fact] : chosen_) {
      places.emplace(id, made.add(*fact));
    }
    for (const Catalog* side : sides) {
      made.server_version = side->server_version;
      for (const auto& [kind, names] : side->unmodelled) {
        made.unmodelled.emplace(kind, names);
      }
      for (const schema::Edge& edge : side->edges()) {
        const auto from = places.find(side->facts()[edge.from].id);
        const auto to = places.find(side->facts()[edge.to].id);
        if (from != places.end() && to != places.end()) {
          made.add_edge(from->second, to->second);
        }
      }
    }
    made.seal();
    return made;
  }

 private:
  std::map<FactId, const Fact*> chosen_;
};

bool same(const Fact* one, const Fact& other) {
  return one != nullptr && one->attributes == other.attributes;
}

// Drops facts taken from `expected` if something they need no longer exists: the run dropped it, and with it the dependent.
// Repeats, because dropping one may orphan another.
void drop_orphans(Assembly& assembly, const Catalog& expected, std::set<std::uint32_t>& carried) {
  for (bool again = true; again;) {
    again = false;
    for (const std::uint32_t index : std::set(carried)) {
      const auto needs = expected.needs(index);
      const bool whole =
          std::ranges::all_of(needs, [&](const schema::Edge& edge) { return assembly.has(expected.facts()[edge.to].id); });
      if (!whole) {
        assembly.leave_out(expected.facts()[index].id);
        carried.erase(index);
        again = true;
      }
    }
  }
}

}  // namespace

bool DriftFilter::takes_all() const {
  return names.schemas.empty() && names.exclude_schemas.empty() && names.tables.empty() && names.exclude_tables.empty() &&
         exclude.empty();
}

Catalog filtered(const Catalog& catalog, const DriftFilter& filter) {
  Assembly assembly;
  for (const Fact& fact : catalog.facts()) {
    if (takes(filter, fact.id)) {
      assembly.take(fact);
    }
  }
  return assembly.build({&catalog});
}

Catalog without_secrets(Catalog catalog) {
  const auto is_secret = [](const Fact& fact) {
    return fact.has(schema::attribute::kOptionsHash) || (fact.id.kind == Kind::Subscription);
  };
  if (std::ranges::none_of(catalog.facts(), is_secret)) {
    return catalog;
  }
  std::vector<Fact> cleared;
  for (const Fact& fact : catalog.facts()) {
    if (is_secret(fact)) {
      Fact& copy = cleared.emplace_back(fact);
      std::erase_if(copy.attributes, [](const schema::Attribute& attribute) {
        return attribute.name == schema::attribute::kOptionsHash || attribute.name == schema::attribute::kConnection;
      });
    }
  }
  Assembly assembly;
  for (const Fact& fact : catalog.facts()) {
    assembly.take(fact);
  }
  for (const Fact& fact : cleared) {
    assembly.take(fact);
  }
  return assembly.build({&catalog});
}

Catalog expected_after_run(const Catalog& expected_before, const Catalog& before, const Catalog& after) {
  const schema::SchemaDiff drift = schema::diff(expected_before, before);
  Assembly assembly;
  std::set<Kind> kinds;
  for (const Fact& fact : after.facts()) {
    assembly.take(fact);
    kinds.insert(fact.id.kind);
  }
  for (const std::uint32_t index : drift.added) {
    const Fact& by_hand = before.facts()[index];
    if (same(after.find(by_hand.id), by_hand)) {
      assembly.leave_out(by_hand.id);
    }
  }
  std::set<std::uint32_t> carried;
  for (const std::uint32_t index : drift.removed) {
    const Fact& gone = expected_before.facts()[index];
    if (after.find(gone.id) == nullptr && (!is_optional(gone.id.kind) || kinds.contains(gone.id.kind))) {
      assembly.take(gone);
      carried.insert(index);
    }
  }
  for (const schema::FactChange& change : drift.changed) {
    const Fact& by_hand = before.facts()[change.after];
    if (same(after.find(by_hand.id), by_hand)) {
      assembly.take(expected_before.facts()[change.before]);
    }
  }
  drop_orphans(assembly, expected_before, carried);
  return assembly.build({&expected_before, &after});
}

}  // namespace athanor
