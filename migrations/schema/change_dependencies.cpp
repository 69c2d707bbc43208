#include "migrations/schema/change_dependencies.hpp"

#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"

namespace athanor::schema {
namespace {

std::uint32_t index_or_none(const Catalog& catalog, const FactId& id) {
  return catalog.index_of(id).value_or(kNoFact);
}

std::uint32_t subject_of(const Catalog& catalog, const FactId& id) {
  FactId about = id;
  about.kind = id.subject;
  about.subject = Kind::None;
  about.grantee.clear();
  about.column.clear();
  if (!id.column.empty()) {
    const std::uint32_t column = find_column(catalog, id.schema, id.name, id.column);
    if (column != kNoFact) {
      return column;
    }
  }
  const std::uint32_t subject = index_or_none(catalog, about);
  // Columns of views and composite types are not facts, so the comment or grant belongs to the relation.
  return subject == kNoFact && !about.parent.empty() ? find_relation(catalog, about.schema, about.parent) : subject;
}

std::uint32_t parent_of(const Catalog& catalog, const FactId& id) {
  switch (id.kind) {
    case Kind::Comment:
    case Kind::Owner:
    case Kind::Grant:
      return subject_of(catalog, id);
    case Kind::ColumnDefault: {
      const std::uint32_t column = find_column(catalog, id.schema, id.parent, id.name);
      return column == kNoFact ? find_relation(catalog, id.schema, id.parent) : column;
    }
    case Kind::DomainConstraint:
      return find_fact(catalog, Kind::Domain, id.schema, id.parent);
    case Kind::UserMapping:
      return find_fact(catalog, Kind::ForeignServer, {}, id.parent);
    case Kind::DefaultPrivilege:
      return kNoFact;
    default:
      return id.parent.empty() ? kNoFact : find_relation(catalog, id.schema, id.parent);
  }
}

// Adds edges to the objects that attributes name: parents of partitions and children, servers, schemas.
void add_named(const Catalog& catalog, std::uint32_t index, std::vector<Edge>& edges) {
  const Fact& fact = catalog.facts()[index];
  const auto add = [&](std::uint32_t target) {
    if (target != kNoFact && target != index) {
      edges.push_back({index, target});
    }
  };
  const Names parent = list(fact.get(attribute::kPartitionOf));
  if (parent.size() == 2 && fact.id.kind == Kind::Table) {
    add(find_fact(catalog, Kind::Table, parent[0], parent[1]));
  }
  for (const Names& inherited : rows(fact.get(attribute::kInherits))) {
    add(inherited.size() == 2 ? find_fact(catalog, Kind::Table, inherited[0], inherited[1]) : kNoFact);
  }
  if (fact.has(attribute::kServer)) {
    add(find_fact(catalog, Kind::ForeignServer, {}, fact.get(attribute::kServer)));
  }
  if (fact.id.kind == Kind::Extension) {
    add(find_fact(catalog, Kind::Schema, {}, fact.get(attribute::kSchema)));
  }
}

// Whether `table` is a partition or child, at any depth, of the column's table.
bool descends_from(const Catalog& catalog, const Fact& table, const FactId& column) {
  std::vector<Names> parents = rows(table.get(attribute::kInherits));
  if (const Names parent = list(table.get(attribute::kPartitionOf)); parent.size() == 2) {
    parents.push_back(parent);
  }
  return std::ranges::any_of(parents, [&](const Names& parent) {
    if (parent[0] == column.schema && parent[1] == column.parent) {
      return true;
    }
    const std::uint32_t above = find_fact(catalog, Kind::Table, parent[0], parent[1]);
    return above != kNoFact && descends_from(catalog, catalog.facts()[above], column);
  });
}

// Edges that would cause a cycle or drop too much: a sequence to the column that owns it, and a column or index to a child of
// its table (it stands for the inherited columns and the attached indexes of all children, too).
bool is_backwards(const Catalog& catalog, const Edge& edge) {
  const Fact& from = catalog.facts()[edge.from];
  const Fact& to = catalog.facts()[edge.to];
  if (from.id.kind == Kind::Sequence) {
    return to.id.kind == Kind::Column || to.id.kind == Kind::Table;
  }
  return (from.id.kind == Kind::Column || from.id.kind == Kind::Index) && to.id.kind == Kind::Table &&
         descends_from(catalog, to, from.id);
}

}  // namespace

std::uint32_t find_fact(const Catalog& catalog, Kind kind, std::string_view schema, std::string_view name) {
  FactId id;
  id.kind = kind;
  id.schema = schema;
  id.name = name;
  return index_or_none(catalog, id);
}

std::uint32_t find_column(const Catalog& catalog, std::string_view schema, std::string_view table, std::string_view name) {
  FactId id;
  id.kind = Kind::Column;
  id.schema = schema;
  id.parent = table;
  id.name = name;
  return index_or_none(catalog, id);
}

std::uint32_t find_default(const Catalog& catalog, const FactId& column) {
  FactId id = column;
  id.kind = Kind::ColumnDefault;
  return index_or_none(catalog, id);
}

std::uint32_t find_relation(const Catalog& catalog, std::string_view schema, std::string_view name) {
  for (const Kind kind : {Kind::Table, Kind::View, Kind::MaterializedView, Kind::Sequence, Kind::CompositeType}) {
    const std::uint32_t found = find_fact(catalog, kind, schema, name);
    if (found != kNoFact) {
      return found;
    }
  }
  return kNoFact;
}

Dependencies::Dependencies(const Catalog& catalog) {
  const auto facts = catalog.facts();
  std::vector<Edge> edges;
  edges.reserve(catalog.edges().size() + facts.size() * 2);
  for (const Edge& edge : catalog.edges()) {
    if (!is_backwards(catalog, edge)) {
      edges.push_back(edge);
    }
  }
  parents_.resize(facts.size(), kNoFact);
  for (std::uint32_t index = 0; index < facts.size(); ++index) {
    const FactId& id = facts[index].id;
    parents_[index] = parent_of(catalog, id);
    if (parents_[index] != kNoFact && parents_[index] != index) {
      edges.push_back({index, parents_[index]});
    }
    if (!id.schema.empty() && id.kind != Kind::DefaultPrivilege) {
      const std::uint32_t schema = find_fact(catalog, Kind::Schema, {}, id.schema);
      if (schema != kNoFact && schema != index) {
        edges.push_back({index, schema});
      }
    }
    add_named(catalog, index, edges);
  }
  std::vector<Edge> reversed;
  reversed.reserve(edges.size());
  for (const Edge& edge : edges) {
    reversed.push_back({edge.to, edge.from});
  }
  needs_ = build(facts.size(), std::move(edges));
  needed_by_ = build(facts.size(), std::move(reversed));
}

Dependencies::Adjacency Dependencies::build(std::size_t facts, std::vector<Edge> edges) {
  std::ranges::sort(edges);
  const auto repeated = std::ranges::unique(edges);
  edges.erase(repeated.begin(), repeated.end());
  Adjacency adjacency;
  adjacency.starts.resize(facts + 1);
  for (const Edge& edge : edges) {
    ++adjacency.starts[edge.from + 1];
    adjacency.targets.push_back(edge.to);
  }
  for (std::size_t index = 1; index <= facts; ++index) {
    adjacency.starts[index] += adjacency.starts[index - 1];
  }
  return adjacency;
}

bool Dependencies::needs(std::uint32_t fact, std::uint32_t other) const {
  return std::ranges::binary_search(needs(fact), other);
}

}  // namespace athanor::schema
