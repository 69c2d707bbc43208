#include "migrations/schema/object_reference.hpp"

#include <array>
#include <utility>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::array<std::pair<Kind, std::string_view>, 23> kWords{{
    {Kind::Schema, "SCHEMA"},
    {Kind::Extension, "EXTENSION"},
    {Kind::Collation, "COLLATION"},
    {Kind::EnumType, "TYPE"},
    {Kind::CompositeType, "TYPE"},
    {Kind::RangeType, "TYPE"},
    {Kind::Domain, "DOMAIN"},
    {Kind::Sequence, "SEQUENCE"},
    {Kind::ForeignDataWrapper, "FOREIGN DATA WRAPPER"},
    {Kind::ForeignServer, "SERVER"},
    {Kind::Table, "TABLE"},
    {Kind::TextSearchParser, "TEXT SEARCH PARSER"},
    {Kind::TextSearchTemplate, "TEXT SEARCH TEMPLATE"},
    {Kind::TextSearchDictionary, "TEXT SEARCH DICTIONARY"},
    {Kind::TextSearchConfiguration, "TEXT SEARCH CONFIGURATION"},
    {Kind::Index, "INDEX"},
    {Kind::Statistics, "STATISTICS"},
    {Kind::View, "VIEW"},
    {Kind::MaterializedView, "MATERIALIZED VIEW"},
    {Kind::EventTrigger, "EVENT TRIGGER"},
    {Kind::Publication, "PUBLICATION"},
    {Kind::Subscription, "SUBSCRIPTION"},
    {Kind::Column, "COLUMN"},
}};

std::string_view word_for(Kind kind) {
  for (const auto& [entry, word] : kWords) {
    if (entry == kind) {
      return word;
    }
  }
  return "TABLE";
}

std::string on_parent(const char* word, const FactId& id) {
  return std::string(word) + ' ' + quote_identifier(id.name) + " ON " + parent_name(id);
}

bool is_foreign_table(const Catalog& catalog, const FactId& id) {
  const std::uint32_t table = find_fact(catalog, Kind::Table, id.schema, id.name);
  return table != kNoFact && catalog.facts()[table].has(attribute::kServer);
}

}  // namespace

std::string object_reference(const Catalog& catalog, const FactId& id) {
  switch (id.subject) {
    case Kind::Column:
      return "COLUMN " + parent_name(id) + '.' + quote_identifier(id.name);
    case Kind::Constraint:
      return on_parent("CONSTRAINT", id);
    case Kind::DomainConstraint:
      return "CONSTRAINT " + quote_identifier(id.name) + " ON DOMAIN " + parent_name(id);
    case Kind::Trigger:
      return on_parent("TRIGGER", id);
    case Kind::Rule:
      return on_parent("RULE", id);
    case Kind::Policy:
      return on_parent("POLICY", id);
    case Kind::Routine:
      return "ROUTINE " + routine_name(id);
    case Kind::Aggregate:
      return "AGGREGATE " + routine_name(id);
    case Kind::Operator:
      return "OPERATOR " + quote_identifier(id.schema) + '.' + id.name + " (" + id.arguments + ')';
    case Kind::OperatorFamily:
      return "OPERATOR FAMILY " + object_name(id) + " USING " + quote_identifier(id.arguments);
    case Kind::OperatorClass:
      return "OPERATOR CLASS " + object_name(id) + " USING " + quote_identifier(id.arguments);
    case Kind::Cast:
      return "CAST (" + id.arguments + ')';
    case Kind::Table:
      return (is_foreign_table(catalog, id) ? "FOREIGN TABLE " : "TABLE ") + object_name(id);
    default:
      return std::string(word_for(id.subject)) + ' ' + object_name(id);
  }
}

std::string grant_target(const Catalog& catalog, const FactId& id) {
  switch (id.subject) {
    case Kind::Table:
    case Kind::View:
    case Kind::MaterializedView:
      return "TABLE " + object_name(id);
    case Kind::Domain:
      return "TYPE " + object_name(id);
    case Kind::Aggregate:
      return "FUNCTION " + qualified_name(id.schema, id.name) + '(' + (id.arguments == "*" ? std::string() : id.arguments) +
             ')';
    case Kind::ForeignServer:
      return "FOREIGN SERVER " + object_name(id);
    default:
      return object_reference(catalog, id);
  }
}

void await_owner(const ChangeSet& changes, const FactId& about, Action& action) {
  FactId owner = about;
  owner.kind = Kind::Owner;
  owner.grantee.clear();
  owner.column.clear();
  if (const auto found = changes.after.index_of(owner)) {
    action.awaits.push_back(*found);
  }
}

}  // namespace athanor::schema
