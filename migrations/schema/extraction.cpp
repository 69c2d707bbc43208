#include "migrations/schema/extraction.hpp"

#include <algorithm>

namespace athanor::schema {
namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_pattern(name, pattern); });
}

bool any_names_table(const std::vector<std::string>& patterns, const std::string& schema, const std::string& name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return matches_pattern(pattern.find('.') == std::string::npos ? name : schema + "." + name, pattern);
  });
}

// A carrier may itself be carried. More steps than this would be a cycle.
constexpr int kMostSteps = 16;

}  // namespace

const ColumnRow* Relation::column(int number) const {
  const auto found = std::ranges::lower_bound(columns, number, {}, &ColumnRow::number);
  return found != columns.end() && found->number == number ? &*found : nullptr;
}

const ColumnRow* Relation::column(std::string_view column_name) const {
  const auto found = std::ranges::find(columns, column_name, &ColumnRow::name);
  return found != columns.end() ? &*found : nullptr;
}

void Extraction::add_schema(Oid oid, std::string name, bool user) {
  SchemaRow schema{.name = std::move(name), .user = user};
  schema.user = schema.user && schema.name != options_.ledger_schema;
  schema.hidden = (!options_.schemas.empty() && !any_matches(options_.schemas, schema.name)) ||
                  any_matches(options_.exclude_schemas, schema.name);
  schemas_.insert_or_assign(oid, std::move(schema));
}

const std::string& Extraction::schema_name(Oid oid) const {
  static const std::string kUnknown;
  const auto found = schemas_.find(oid);
  return found != schemas_.end() ? found->second.name : kUnknown;
}

bool Extraction::is_user_schema(Oid oid) const {
  const auto found = schemas_.find(oid);
  return found != schemas_.end() && found->second.user;
}

bool Extraction::is_hidden_schema(Oid oid) const {
  const auto found = schemas_.find(oid);
  return found != schemas_.end() && found->second.hidden;
}

bool Extraction::hides_relation(Oid schema, const std::string& name) const {
  const std::string& in = schema_name(schema);
  return is_hidden_schema(schema) || (!options_.tables.empty() && !any_names_table(options_.tables, in, name)) ||
         any_names_table(options_.exclude_tables, in, name);
}

bool Extraction::is_own_table(Oid schema, const std::string& name) const {
  return name == options_.version_table &&
         (options_.version_table_schema.empty() || schema_name(schema) == options_.version_table_schema);
}

std::string Extraction::role_name(Oid oid) const {
  const auto found = roles_.find(oid);
  if (oid == 0) {
    return "public";
  }
  return found != roles_.end() ? found->second : std::to_string(oid);
}

void Extraction::add_member(Address member, Oid extension) {
  members_.emplace(member, extension);
  carry(member, {catalog_oid::kExtension, extension, 0});
}

const Relation* Extraction::relation(Oid oid) const {
  const auto found = relations.find(oid);
  return found != relations.end() ? &found->second : nullptr;
}

std::string Extraction::relation_name(Oid oid) const {
  const Relation* found = relation(oid);
  return found != nullptr ? json_name(schema_name(found->schema), found->name) : std::string();
}

std::vector<std::string> Extraction::column_names(const Relation& relation, const std::vector<int>& numbers) {
  std::vector<std::string> names;
  for (const int number : numbers) {
    if (const ColumnRow* column = relation.column(number)) {
      names.push_back(column->name);
    }
  }
  return names;
}

bool Extraction::takes(Address address, Oid schema, std::string_view what, std::string_view name) {
  if (!is_user_schema(schema) || is_member(address)) {
    return false;
  }
  if (is_hidden_schema(schema)) {
    hide(address, std::string(what) + " " + schema_name(schema) + "." + std::string(name));
    return false;
  }
  return true;
}

std::uint32_t Extraction::add(Address address, Fact fact, Oid owner) {
  const auto index = static_cast<std::uint32_t>(facts_.size());
  facts_.push_back(std::move(fact));
  by_address_.insert_or_assign(address, index);
  if (owner != 0) {
    owners_.emplace_back(index, owner);
  }
  return index;
}

std::optional<std::uint32_t> Extraction::find(Address address) const {
  for (int step = 0; step < kMostSteps; ++step) {
    if (const auto found = by_address_.find(address); found != by_address_.end()) {
      return found->second;
    }
    if (const auto carried = carriers_.find(address); carried != carriers_.end()) {
      address = carried->second;
    } else if (address.column != 0) {
      address.column = 0;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

const std::string* Extraction::find_hidden(Address address) const {
  for (int step = 0; step < kMostSteps; ++step) {
    if (const auto found = hidden_.find(address); found != hidden_.end()) {
      return &found->second;
    }
    if (const auto carried = carriers_.find(address); carried != carriers_.end()) {
      address = carried->second;
    } else if (address.column != 0) {
      address.column = 0;
    } else {
      return nullptr;
    }
  }
  return nullptr;
}

std::optional<FactId> Extraction::subject(Address address) const {
  if (const auto found = subjects_.find(address); found != subjects_.end()) {
    return found->second;
  }
  if (address.catalog == catalog_oid::kClass && address.column != 0) {
    const Relation* owner = relation(address.object);
    const ColumnRow* column = owner != nullptr && !owner->hidden ? owner->column(address.column) : nullptr;
    if (column == nullptr) {
      return std::nullopt;
    }
    return FactId{.kind = Kind::Column, .schema = schema_name(owner->schema), .parent = owner->name, .name = column->name};
  }
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) {
    return std::nullopt;
  }
  return facts_[found->second].id;
}

bool Extraction::is_usual_comment(Address address, const std::string& text) const {
  const auto found = usual_comments_.find(address);
  return found != usual_comments_.end() && found->second == text;
}

void Extraction::add_edge(std::uint32_t from, Address to) {
  // An inherited column is carried by the parent's column. A view on the child must also need the child, not only the parent.
  if (to.catalog == catalog_oid::kClass && to.column != 0 && !by_address_.contains(to)) {
    add_edge(from, Address{to.catalog, to.object, 0});
  }
  if (const auto found = find(to)) {
    add_edge(from, *found);
  }
}

bool is_set(const Fact& fact, std::string_view attribute) {
  return std::ranges::find(fact.attributes, attribute, &Attribute::name) != fact.attributes.end();
}

Catalog Extraction::finish() && {
  Catalog catalog;
  catalog.server_version = version_;
  catalog.unmodelled = std::move(unmodelled_);
  catalog.add_all(std::move(facts_));
  for (const Edge& edge : edges_) {
    catalog.add_edge(edge.from, edge.to);
  }
  for (OutsideDependent& dependent : outside_) {
    catalog.add_outside(std::move(dependent));
  }
  catalog.seal();
  return catalog;
}

}  // namespace athanor::schema
