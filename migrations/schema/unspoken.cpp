#include "migrations/schema/unspoken.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"

namespace athanor::schema {
namespace {

// Models may define objects of these kinds (with DDL events, or alembic_utils). While they define none of a kind, existing
// objects of that kind stay.
constexpr std::array kUnspokenKinds{
    Kind::Collation,
    Kind::CompositeType,
    Kind::RangeType,
    Kind::Domain,
    Kind::ForeignDataWrapper,
    Kind::ForeignServer,
    Kind::UserMapping,
    Kind::Routine,
    Kind::Aggregate,
    Kind::Operator,
    Kind::OperatorFamily,
    Kind::OperatorClass,
    Kind::Cast,
    Kind::TextSearchParser,
    Kind::TextSearchTemplate,
    Kind::TextSearchDictionary,
    Kind::TextSearchConfiguration,
    Kind::Statistics,
    Kind::View,
    Kind::MaterializedView,
    Kind::Rule,
    Kind::Trigger,
    Kind::Policy,
    Kind::EventTrigger,
    Kind::Publication,
    Kind::Subscription,
    Kind::DefaultPrivilege,
};

// Attributes of tables and columns that SQLAlchemy cannot express, or that models rarely set.
constexpr std::array kUnspokenAttributes{
    attribute::kRowSecurity, attribute::kForceRowSecurity, attribute::kReplicaIdentity, attribute::kClusterOn,
    attribute::kStorage,     attribute::kCompression,      attribute::kStatistics,      attribute::kDependsOnExtensions,
};

bool is_metadata(Kind kind) {
  return kind == Kind::Comment || kind == Kind::Owner || kind == Kind::Grant;
}

// The object that a comment, owner or grant describes.
FactId subject_of(const FactId& id) {
  return {.kind = id.subject, .schema = id.schema, .parent = id.parent, .name = id.name, .arguments = id.arguments};
}

bool is_unowned_sequence(const Fact& fact) {
  return fact.id.kind == Kind::Sequence && !fact.has(attribute::kOwnedBy);
}

class Completion {
 public:
  Completion(const Catalog& desired, const Catalog& now, bool models, Grants grants, Children children)
      : desired_(desired), now_(now), models_(models), grants_(grants), children_(children) {}

  Completed run() {
    if (models_) {
      learn_kinds();
    }
    learn_children();
    choose();
    return build();
  }

 private:
  void learn_kinds() {
    for (const Kind kind : kUnspokenKinds) {
      unspoken_.insert(kind);
    }
    for (const Fact& fact : desired_.facts()) {
      unspoken_.erase(fact.id.kind);
      sequences_ = sequences_ || is_unowned_sequence(fact);
      for (const Attribute& attribute : fact.attributes) {
        spoken_attributes_.insert(attribute.name);
      }
    }
  }

  // Whether the desired schema contains the granted object, or its column.
  [[nodiscard]] bool is_desired(const FactId& grant) const {
    if (desired_.find(subject_of(grant)) == nullptr) {
      return false;
    }
    return grant.column.empty() ||
           desired_.find({.kind = Kind::Column, .schema = grant.schema, .parent = grant.name, .name = grant.column}) != nullptr;
  }

  // Collects the parents, as the attribute writes them, for which the desired schema contains a child.
  void learn_children() {
    for (const Fact& fact : desired_.facts()) {
      for (const std::string_view link : {attribute::kPartitionOf, attribute::kInherits}) {
        if (fact.id.kind == Kind::Table && fact.has(link)) {
          parents_.emplace(fact.get(link));
        }
      }
    }
  }

  // Whether a parent that the attribute names is in the desired schema, or stays.
  [[nodiscard]] bool has_parent(std::string_view link) const {
    const auto known = [&](const FactId& id) { return desired_.find(id) != nullptr || kept_.contains(id); };
    return std::ranges::any_of(now_.facts(), [&](const Fact& fact) {
      return fact.id.kind == Kind::Table && known(fact.id) &&
             link.find("[\"" + fact.id.schema + "\",\"" + fact.id.name + "\"]") != std::string_view::npos;
    });
  }

  [[nodiscard]] bool is_runtime_child(const Fact& fact) const {
    if (fact.id.kind != Kind::Table || children_ == Children::Compared) {
      return false;
    }
    const FactId schema{.kind = Kind::Schema, .name = fact.id.schema};
    if (now_.find(schema) != nullptr && desired_.find(schema) == nullptr && !kept_.contains(schema)) {
      return false;  // it goes with its schema
    }
    for (const std::string_view name : {attribute::kPartitionOf, attribute::kInherits}) {
      const std::string_view link = fact.get(name);
      if (!link.empty() && !parents_.contains(link)) {
        return has_parent(link) && partitions_alike(link);
      }
    }
    return false;
  }

  // A partition cannot stay with a parent that is partitioned otherwise, or no longer.
  [[nodiscard]] bool partitions_alike(std::string_view link) const {
    return std::ranges::none_of(now_.facts(), [&](const Fact& fact) {
      const Fact* desired =
          fact.id.kind == Kind::Table && link == json_name(fact.id.schema, fact.id.name) ? desired_.find(fact.id) : nullptr;
      return desired != nullptr && desired->get(attribute::kPartitionKey) != fact.get(attribute::kPartitionKey);
    });
  }

  [[nodiscard]] bool stays(const Fact& fact) const {
    const FactId& id = fact.id;
    if (is_runtime_child(fact)) {
      return true;
    }
    // Parts of what stays: columns and constraints of a partition, indexes of a materialized view, constraints of a domain.
    for (const Kind kind : {Kind::Table, Kind::View, Kind::MaterializedView, Kind::Domain}) {
      if (!id.parent.empty() && !is_metadata(id.kind) &&
          kept_.contains({.kind = kind, .schema = id.schema, .name = id.parent})) {
        return true;
      }
    }
    if (is_metadata(id.kind)) {
      return kept_.contains(subject_of(id)) || (grants_ == Grants::Stay && id.kind == Kind::Grant && is_desired(id));
    }
    if (!models_) {
      return false;
    }
    if (id.kind == Kind::Schema || id.kind == Kind::Extension) {
      return true;
    }
    return unspoken_.contains(id.kind) || (is_unowned_sequence(fact) && !sequences_);
  }

  // What stays can make other objects stay (a partition of a partition, comments), so repeat until nothing is added.
  void choose() {
    for (bool more = true; more;) {
      more = false;
      for (const Fact& fact : now_.facts()) {
        if (desired_.find(fact.id) == nullptr && !kept_.contains(fact.id) && stays(fact)) {
          kept_.insert(fact.id);
          more = true;
        }
      }
    }
  }

  // A desired fact, with the current values of attributes that models do not set.
  [[nodiscard]] Fact merged(const Fact& fact) const {
    Fact copy = fact;
    const Fact* before = models_ ? now_.find(fact.id) : nullptr;
    if (before == nullptr || (fact.id.kind != Kind::Table && fact.id.kind != Kind::Column)) {
      return copy;
    }
    for (const std::string_view name : kUnspokenAttributes) {
      if (!spoken_attributes_.contains(name) && before->has(name)) {
        copy.attributes.push_back({name, std::string(before->get(name))});
      }
    }
    return copy;
  }

  Completed build() {
    Completed result;
    result.catalog.server_version = desired_.server_version;
    result.catalog.unmodelled = desired_.unmodelled;
    for (const Fact& fact : desired_.facts()) {
      result.catalog.add(merged(fact));
    }
    const auto base = static_cast<std::uint32_t>(desired_.facts().size());
    std::vector<std::optional<std::uint32_t>> place(now_.facts().size());
    std::uint32_t next = base;
    for (std::uint32_t index = 0; index < now_.facts().size(); ++index) {
      const Fact& fact = now_.facts()[index];
      place[index] = desired_.index_of(fact.id);
      if (kept_.contains(fact.id)) {
        place[index] = next++;
        result.catalog.add(fact);
        if (fact.id.parent.empty() && !is_metadata(fact.id.kind)) {
          result.kept.push_back(describe(fact.id));
        }
      }
    }
    for (const Edge& edge : desired_.edges()) {
      result.catalog.add_edge(edge.from, edge.to);
    }
    for (const Edge& edge : now_.edges()) {
      const bool about_kept = (place[edge.from] && *place[edge.from] >= base) || (place[edge.to] && *place[edge.to] >= base);
      if (about_kept && place[edge.from] && place[edge.to]) {
        result.catalog.add_edge(*place[edge.from], *place[edge.to]);
      }
    }
    for (const OutsideDependent& dependent : desired_.outside()) {
      result.catalog.add_outside(dependent);
    }
    result.catalog.seal();
    return result;
  }

  const Catalog& desired_;
  const Catalog& now_;
  const bool models_;
  const Grants grants_;
  const Children children_;
  std::set<Kind> unspoken_;
  std::set<std::string_view> spoken_attributes_;
  bool sequences_ = false;  // the desired schema has a sequence that belongs to no column
  std::set<std::string, std::less<>> parents_;
  std::set<FactId> kept_;
};

}  // namespace

Completed complete_desired(const Catalog& desired, const Catalog& now, bool models, Grants grants, Children children) {
  if (grants == Grants::Stay) {
    const Catalog silent = without_grants(desired);
    return Completion(silent, now, models, grants, children).run();
  }
  return Completion(desired, now, models, grants, children).run();
}

Catalog with_grants_of(const Catalog& catalog, const Catalog& now) {
  Catalog result = without_grants(catalog, catalog);  // a copy
  std::vector<std::optional<std::uint32_t>> place(now.facts().size());
  std::vector<bool> added(now.facts().size(), false);
  for (std::uint32_t index = 0; index < now.facts().size(); ++index) {
    const FactId& id = now.facts()[index].id;
    place[index] = catalog.index_of(id);
    const bool of_column = !id.column.empty();
    const bool about =
        (id.kind == Kind::Grant || id.kind == Kind::Owner) && catalog.find(subject_of(id)) != nullptr &&
        (!of_column ||
         catalog.find({.kind = Kind::Column, .schema = id.schema, .parent = id.name, .name = id.column}) != nullptr);
    if (about && !place[index]) {
      place[index] = result.add(now.facts()[index]);
      added[index] = true;
    }
  }
  for (const Edge& edge : now.edges()) {
    if ((added[edge.from] || added[edge.to]) && place[edge.from] && place[edge.to]) {
      result.add_edge(*place[edge.from], *place[edge.to]);
    }
  }
  result.seal();
  return result;
}

Catalog without_grants(const Catalog& catalog, const Catalog& known) {
  Catalog result;
  result.server_version = catalog.server_version;
  result.unmodelled = catalog.unmodelled;
  std::vector<std::optional<std::uint32_t>> place;
  place.reserve(catalog.facts().size());
  for (const Fact& fact : catalog.facts()) {
    const bool stays = fact.id.kind != Kind::Grant || known.find(fact.id) != nullptr;
    place.push_back(stays ? std::optional(result.add(fact)) : std::nullopt);
  }
  for (const Edge& edge : catalog.edges()) {
    if (place[edge.from] && place[edge.to]) {
      result.add_edge(*place[edge.from], *place[edge.to]);
    }
  }
  for (const OutsideDependent& dependent : catalog.outside()) {
    if (place[dependent.on]) {
      result.add_outside({*place[dependent.on], dependent.object});
    }
  }
  result.seal();
  return result;
}

}  // namespace athanor::schema
