#include "migrations/schema/fact.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::array<std::pair<Kind, std::string_view>, static_cast<std::size_t>(Kind::DefaultPrivilege) + 1> kNames{{
    {Kind::None, "object"},
    {Kind::Schema, "schema"},
    {Kind::Extension, "extension"},
    {Kind::Collation, "collation"},
    {Kind::EnumType, "enum type"},
    {Kind::CompositeType, "composite type"},
    {Kind::RangeType, "range type"},
    {Kind::Domain, "domain"},
    {Kind::DomainConstraint, "domain constraint"},
    {Kind::Sequence, "sequence"},
    {Kind::ForeignDataWrapper, "foreign-data wrapper"},
    {Kind::ForeignServer, "foreign server"},
    {Kind::UserMapping, "user mapping"},
    {Kind::Table, "table"},
    {Kind::Column, "column"},
    {Kind::ColumnDefault, "default"},
    {Kind::Routine, "routine"},
    {Kind::Aggregate, "aggregate"},
    {Kind::Operator, "operator"},
    {Kind::OperatorFamily, "operator family"},
    {Kind::OperatorClass, "operator class"},
    {Kind::Cast, "cast"},
    {Kind::TextSearchParser, "text search parser"},
    {Kind::TextSearchTemplate, "text search template"},
    {Kind::TextSearchDictionary, "text search dictionary"},
    {Kind::TextSearchConfiguration, "text search configuration"},
    {Kind::Constraint, "constraint"},
    {Kind::Index, "index"},
    {Kind::Statistics, "statistics object"},
    {Kind::View, "view"},
    {Kind::MaterializedView, "materialized view"},
    {Kind::Rule, "rule"},
    {Kind::Trigger, "trigger"},
    {Kind::Policy, "policy"},
    {Kind::EventTrigger, "event trigger"},
    {Kind::Publication, "publication"},
    {Kind::Subscription, "subscription"},
    {Kind::Comment, "comment"},
    {Kind::Owner, "owner"},
    {Kind::Grant, "privileges"},
    {Kind::DefaultPrivilege, "default privileges"},
}};

void append_part(std::string& text, std::string_view part) {
  if (part.empty()) {
    return;
  }
  if (!text.empty() && text.back() != ' ') {
    text += '.';
  }
  text += quote_identifier(part);
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return kNames.at(static_cast<std::size_t>(kind)).second;
}

std::string describe(const FactId& id) {
  if (id.subject != Kind::None) {
    FactId about = id;
    about.kind = id.subject;
    about.subject = Kind::None;
    about.grantee.clear();
    return std::string(kind_name(id.kind)) + " of " + describe(about);
  }
  std::string text = std::string(kind_name(id.kind)) + ' ';
  append_part(text, id.schema);
  append_part(text, id.parent);
  append_part(text, id.name);
  append_part(text, id.column);
  if (!id.arguments.empty() || id.kind == Kind::Routine || id.kind == Kind::Aggregate) {
    text += '(' + id.arguments + ')';
  }
  return text;
}

std::string_view Fact::get(std::string_view attribute) const {
  const auto found = std::ranges::lower_bound(attributes, attribute, {}, &Attribute::name);
  return found != attributes.end() && found->name == attribute ? std::string_view(found->value) : std::string_view();
}

bool Fact::redeclares(std::string_view part, std::string_view name) const {
  return std::ranges::any_of(uncompared, [&](const Attribute& entry) { return entry.name == part && entry.value == name; });
}

bool Fact::has(std::string_view attribute) const {
  return std::ranges::binary_search(attributes, attribute, {}, &Attribute::name);
}

}  // namespace athanor::schema
