#include "migrations/schema/action.hpp"

#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"

namespace athanor::schema {
namespace {

std::string key(char space, std::initializer_list<std::string_view> parts) {
  std::string text(1, space);
  for (const std::string_view part : parts) {
    text += '\0';
    text += part;
  }
  return text;
}

std::string id_key(const FactId& id) {
  return key('o',
             {kind_name(id.kind), kind_name(id.subject), id.schema, id.parent, id.name, id.arguments, id.grantee, id.column});
}

}  // namespace

std::string relation_key(std::string_view schema, std::string_view name) {
  return key('r', {schema, name});
}

std::string publication_key(const FactId& publication) {
  return key('p', {publication.name});
}

std::vector<std::string> names_taken(const Fact& fact) {
  const FactId& id = fact.id;
  const std::string type = key('t', {id.schema, id.name});
  switch (id.kind) {
    // A table, view or composite type also creates a row type of the same name in pg_type.
    case Kind::Table:
    case Kind::View:
    case Kind::MaterializedView:
    case Kind::CompositeType:
      return {relation_key(id.schema, id.name), type};
    case Kind::Sequence:
    case Kind::Index:
      return {relation_key(id.schema, id.name)};
    case Kind::EnumType:
    case Kind::Domain:
      return {type};
    case Kind::RangeType:
      return {type, key('t', {id.schema, fact.get(attribute::kMultirange)})};
    case Kind::Routine:
    case Kind::Aggregate:
      return {key('f', {id.schema, id.name, id.arguments})};
    case Kind::Constraint: {
      const std::string_view type_of = fact.get(attribute::kContype);
      if (type_of == "p" || type_of == "u" || type_of == "x") {
        return {id_key(id), relation_key(id.schema, id.name)};  // the index of the constraint has the same name
      }
      return {id_key(id)};
    }
    case Kind::Comment:
    case Kind::Owner:
    case Kind::Grant:
      return {};  // they have no names and go with their object
    default:
      return {id_key(id)};
  }
}

Action& ActionList::produce(const ChangeSet& changes, std::uint32_t new_index) {
  Action& action = actions_.emplace_back();
  action.subject = changes.new_fact(new_index).id;
  action.produces.push_back(new_index);
  action.expands = true;
  return action;
}

Action& ActionList::destroy(const ChangeSet& changes, std::uint32_t old_index) {
  Action& action = actions_.emplace_back();
  action.phase = Phase::Teardown;
  action.subject = changes.old_fact(old_index).id;
  action.destroys.push_back(old_index);
  action.goes_with = changes.old_dependencies.parent(old_index);
  return action;
}

Action& ActionList::alter(const ChangeSet& changes, std::uint32_t old_index, std::uint32_t new_index) {
  Action& action = actions_.emplace_back();
  action.subject = new_index == kNoFact ? changes.old_fact(old_index).id : changes.new_fact(new_index).id;
  action.before = old_index;
  action.after = new_index;
  if (old_index == kNoFact) {
    return action;
  }
  const auto number = static_cast<std::uint32_t>(actions_.size() - 1);
  const auto [last, first] = last_alter_.try_emplace(old_index, number);
  if (!first) {
    action.follows.push_back(std::exchange(last->second, number));
  }
  return action;
}

void ActionList::refuse(Error error) {
  if (!refusal_) {
    refusal_ = std::move(error);
  }
}

std::uint32_t ActionList::number_of(const Action& action) const {
  const auto found = std::ranges::find_if(actions_, [&](const Action& entry) { return &entry == &action; });
  return static_cast<std::uint32_t>(found - actions_.begin());
}

Statement& say(Action& action, std::string sql) {
  Statement& statement = action.statements.emplace_back();
  statement.planned.sql = std::move(sql);
  statement.planned.subject = action.subject;
  statement.planned.expand = action.expands;
  return statement;
}

Statement& say_subcommand(Action& action, std::string head, std::string_view subcommand, std::uint8_t group) {
  Statement& statement = say(action, head + ' ' + std::string(subcommand));
  statement.head = std::move(head);
  statement.group = group;
  return statement;
}

}  // namespace athanor::schema
