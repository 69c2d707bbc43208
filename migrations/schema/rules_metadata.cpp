// The rules for comments, owners and privileges of objects of any kind.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/object_reference.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

bool in_place(const ChangeSet& /*changes*/, const FactChange& /*change*/) {
  return false;
}

void create_comment(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  say(actions.produce(changes, index),
      "COMMENT ON " + object_reference(changes.after, fact.id) + " IS " + quote_literal(fact.get(attribute::kText)));
}

void drop_comment(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const FactId& id = changes.old_fact(index).id;
  // The comment that every database has from the start is no fact.
  const bool usual = id.subject == Kind::Schema && id.name == "public";
  say(actions.destroy(changes, index), "COMMENT ON " + object_reference(changes.before, id) + " IS " +
                                           (usual ? quote_literal("standard public schema") : "NULL"))
      .planned.expand = true;
}

void alter_comment(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  say(actions.alter(changes, change.before, change.after),
      "COMMENT ON " + object_reference(changes.after, fact.id) + " IS " + quote_literal(fact.get(attribute::kText)))
      .planned.expand = true;
}

// A sequence that a column owns always has the owner of its table and changes with it.
bool follows_its_table(const Catalog& catalog, const FactId& id) {
  if (id.subject != Kind::Sequence) {
    return false;
  }
  const std::uint32_t sequence = find_fact(catalog, Kind::Sequence, id.schema, id.name);
  return sequence != kNoFact && catalog.facts()[sequence].has(attribute::kOwnedBy);
}

std::string owner_statement(const Catalog& catalog, const Fact& fact) {
  return "ALTER " + object_reference(catalog, fact.id) + " OWNER TO " + quote_identifier(fact.get(attribute::kRole));
}

void create_owner(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  // The previous owner may lose what only an owner may do.
  say(actions.produce(changes, index), owner_statement(changes.after, changes.new_fact(index))).planned.expand =
      changes.produced(changes.new_dependencies.parent(index));
}

void drop_owner(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  actions.destroy(changes, index);  // an object always has an owner, so there is nothing to drop
}

void alter_owner(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  Action& action = actions.alter(changes, change.before, change.after);
  if (!follows_its_table(changes.after, changes.new_fact(change).id)) {
    say(action, owner_statement(changes.after, changes.new_fact(change)));
  }
}

// Privileges, each with its grant option.
using Privileges = std::map<std::string, bool>;

Privileges privileges_of(const Fact& fact) {
  Privileges privileges;
  for (const Names& entry : rows(fact.get(attribute::kPrivileges))) {
    privileges[entry.at(0)] = entry.size() > 1 && entry[1] == "true";
  }
  return privileges;
}

// The built-in privileges of PUBLIC.
Privileges usual_privileges(Kind subject, std::string_view object_type, const std::string& grantee) {
  if (!grantee.empty()) {
    return {};
  }
  switch (subject) {
    case Kind::Routine:
    case Kind::Aggregate:
      return {{"EXECUTE", false}};
    case Kind::EnumType:
    case Kind::CompositeType:
    case Kind::RangeType:
    case Kind::Domain:
      return {{"USAGE", false}};
    default:
      break;
  }
  return object_type == "functions" ? Privileges{{"EXECUTE", false}}
         : object_type == "types"   ? Privileges{{"USAGE", false}}
                                    : Privileges{};
}

// What PUBLIC may do in the schema public of a new database.
Privileges public_schema_privileges(int version) {
  return version < 15 ? Privileges{{"CREATE", false}, {"USAGE", false}} : Privileges{{"USAGE", false}};
}

struct GrantWords {
  std::string prefix{};  // ALTER DEFAULT PRIVILEGES …
  std::string target;    // ON TABLE shop.orders
  std::string grantee;
  std::string column{};  // (total)
};

void change_privileges(const Privileges& had, const Privileges& has, const GrantWords& words, Action& action) {
  Names revoked;
  Names options_revoked;
  Names granted;
  Names granted_with_option;
  for (const auto& [privilege, option] : had) {
    const auto kept = has.find(privilege);
    if (kept == has.end()) {
      revoked.push_back(privilege + words.column);
    } else if (option && !kept->second) {
      options_revoked.push_back(privilege + words.column);
    }
  }
  for (const auto& [privilege, option] : has) {
    const auto old = had.find(privilege);
    if (old == had.end() || (option && !old->second)) {
      (option ? granted_with_option : granted).push_back(privilege + words.column);
    }
  }
  const auto speak = [&](const std::string& verb, const Names& privileges, const std::string& preposition,
                         const std::string& end) {
    if (!privileges.empty()) {
      Statement& statement =
          say(action, words.prefix + verb + join(privileges) + words.target + preposition + words.grantee + end);
      statement.planned.expand = !verb.starts_with("REVOKE");
    }
  };
  speak("REVOKE ", revoked, " FROM ", "");
  speak("REVOKE GRANT OPTION FOR ", options_revoked, " FROM ", "");
  speak("GRANT ", granted, " TO ", "");
  speak("GRANT ", granted_with_option, " TO ", " WITH GRANT OPTION");
}

std::string grantee_name(const FactId& id) {
  return id.grantee.empty() ? "PUBLIC" : quote_identifier(id.grantee);
}

GrantWords grant_words(const Catalog& catalog, const FactId& id) {
  return {.target = " ON " + grant_target(catalog, id),
          .grantee = grantee_name(id),
          .column = id.column.empty() ? std::string() : " (" + quote_identifier(id.column) + ')'};
}

Privileges usual_of(const ChangeSet& changes, const FactId& id) {
  if (id.subject == Kind::Schema && id.name == "public" && id.grantee.empty()) {
    return public_schema_privileges(changes.version);
  }
  return id.column.empty() ? usual_privileges(id.subject, {}, id.grantee) : Privileges{};
}

// Whether the grantee is the owner, who has all privileges by default, whatever those are for the kind.
bool is_owner(const Catalog& catalog, const FactId& id) {
  FactId owner = id;
  owner.kind = Kind::Owner;
  owner.grantee.clear();
  owner.column.clear();
  const Fact* fact = catalog.find(owner);
  return fact != nullptr && id.column.empty() && fact->get(attribute::kRole) == id.grantee;
}

std::string_view default_type(Kind kind) {
  switch (kind) {
    case Kind::Table:
    case Kind::View:
    case Kind::MaterializedView:
      return "tables";
    case Kind::Sequence:
      return "sequences";
    case Kind::Routine:
    case Kind::Aggregate:
      return "functions";
    case Kind::EnumType:
    case Kind::CompositeType:
    case Kind::RangeType:
    case Kind::Domain:
      return "types";
    case Kind::Schema:
      return "schemas";
    default:
      return {};
  }
}

// Whether this default privilege is in force while the plan runs, and applies to such an object.
bool defaults_apply(const ChangeSet& changes, const Fact& fact, std::uint32_t old_index) {
  const FactId& id = changes.old_fact(old_index).id;
  return id.kind == Kind::DefaultPrivilege && !changes.destroyed(old_index) && id.arguments == default_type(fact.id.kind) &&
         (id.schema.empty() || id.schema == fact.id.schema) && id.grantee != id.name;
}

FactId grant_on(const FactId& object, const std::string& grantee) {
  FactId id = object;
  id.subject = object.kind;
  id.kind = Kind::Grant;
  id.grantee = grantee;
  return id;
}

// REVOKE on a table also revokes the same privileges on its columns. Grants on columns must therefore follow it, and existing
// ones are granted again.
void follow_table_grant(const ChangeSet& changes, const FactId& id, Action& action) {
  if (id.column.empty()) {
    return;
  }
  FactId whole = id;
  whole.column.clear();
  if (const auto now = changes.after.index_of(whole)) {
    action.awaits.push_back(*now);
  }
  if (const auto old = changes.before.index_of(whole)) {
    action.outlives.push_back(*old);
  }
}

void restore_column_grants(const ChangeSet& changes, const FactId& id, Action& action) {
  if (!id.column.empty()) {
    return;
  }
  for (std::uint32_t index = 0; index < changes.after.facts().size(); ++index) {
    FactId whole = changes.new_fact(index).id;
    const bool column = !whole.column.empty();
    whole.column.clear();
    const std::uint32_t old = changes.before_of(index);
    if (column && whole == id && !changes.produced(index) && old != kNoFact && !changes.changes().contains(old)) {
      const Fact& fact = changes.new_fact(index);
      change_privileges({}, privileges_of(fact), grant_words(changes.after, fact.id), action);
    }
  }
}

void create_grant(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  await_owner(changes, fact.id, action);
  follow_table_grant(changes, fact.id, action);
  const GrantWords words = grant_words(changes.after, fact.id);
  FactId object = fact.id;
  object.kind = fact.id.subject;
  object.subject = Kind::None;
  object.grantee.clear();
  object.column.clear();
  const std::uint32_t made = changes.after.index_of(object).value_or(kNoFact);
  bool given = is_owner(changes.after, fact.id);
  for (std::uint32_t old = 0; made != kNoFact && changes.produced(made) && old < changes.before.facts().size(); ++old) {
    given = given || (fact.id.column.empty() && changes.old_fact(old).id.grantee == fact.id.grantee &&
                      defaults_apply(changes, changes.new_fact(made), old));
  }
  // The grantee already has privileges on the new object, which may be more than the desired ones: start from none.
  if (given) {
    say(action, "REVOKE ALL" + words.target + " FROM " + words.grantee);
    change_privileges({}, privileges_of(fact), words, action);
    return;
  }
  change_privileges(usual_of(changes, fact.id), privileges_of(fact), words, action);
}

void drop_grant(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  const GrantWords words = grant_words(changes.before, fact.id);
  if (is_owner(changes.before, fact.id)) {
    say(action, "REVOKE ALL" + words.target + " FROM " + words.grantee);  // also removes grant options
    say(action, "GRANT ALL" + words.target + " TO " + words.grantee);
    return;
  }
  change_privileges(privileges_of(fact), usual_of(changes, fact.id), words, action);
  restore_column_grants(changes, fact.id, action);
}

void alter_grant(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  follow_table_grant(changes, fact.id, action);
  change_privileges(privileges_of(changes.old_fact(change)), privileges_of(fact), grant_words(changes.after, fact.id), action);
  restore_column_grants(changes, fact.id, action);
}

GrantWords default_words(const FactId& id) {
  std::string prefix = "ALTER DEFAULT PRIVILEGES FOR ROLE " + quote_identifier(id.name);
  if (!id.schema.empty()) {
    prefix += " IN SCHEMA " + quote_identifier(id.schema);
  }
  std::string type = id.arguments;
  std::ranges::transform(type, type.begin(),
                         [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter; });
  return {.prefix = prefix + ' ', .target = " ON " + type, .grantee = grantee_name(id)};
}

Privileges usual_default(const FactId& id) {
  return id.schema.empty() ? usual_privileges(Kind::None, id.arguments, id.grantee) : Privileges{};
}

void create_default_privilege(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  action.phase = Phase::Cleanup;  // last, because the plan writes out the privileges of its own objects
  const GrantWords words = default_words(fact.id);
  if (fact.id.schema.empty() && fact.id.grantee == fact.id.name) {
    say(action, words.prefix + "REVOKE ALL" + words.target + " FROM " + words.grantee);
  }
  change_privileges(usual_default(fact.id), privileges_of(fact), words, action);
}

void drop_default_privilege(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  const GrantWords words = default_words(fact.id);
  if (fact.id.schema.empty() && fact.id.grantee == fact.id.name) {
    say(action, words.prefix + "GRANT ALL" + words.target + " TO " + words.grantee);
    return;
  }
  change_privileges(privileges_of(fact), usual_default(fact.id), words, action);
}

void alter_default_privilege(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  change_privileges(privileges_of(changes.old_fact(change)), privileges_of(fact), default_words(fact.id),
                    actions.alter(changes, change.before, change.after));
}

constexpr Rule kRules[] = {
    {.kind = Kind::Comment, .create = create_comment, .drop = drop_comment, .replaces = in_place, .alter = alter_comment},
    {.kind = Kind::Owner, .create = create_owner, .drop = drop_owner, .replaces = in_place, .alter = alter_owner},
    {.kind = Kind::Grant, .create = create_grant, .drop = drop_grant, .replaces = in_place, .alter = alter_grant},
    {.kind = Kind::DefaultPrivilege,
     .create = create_default_privilege,
     .drop = drop_default_privilege,
     .replaces = in_place,
     .alter = alter_default_privilege},
};

}  // namespace

void take_back_defaults(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  if (default_type(fact.id.kind).empty()) {
    return;
  }
  for (std::uint32_t old = 0; old < changes.before.facts().size(); ++old) {
    if (!defaults_apply(changes, fact, old)) {
      continue;
    }
    const FactId grant = grant_on(fact.id, changes.old_fact(old).id.grantee);
    if (changes.after.index_of(grant)) {
      continue;  // create_grant() handles it
    }
    Action& action = actions.alter(changes, kNoFact, index);
    action.settles = false;
    action.expands = true;  // the object is new
    const GrantWords words = grant_words(changes.after, grant);
    say(action, "REVOKE ALL" + words.target + " FROM " + words.grantee);
    change_privileges({}, usual_of(changes, grant), words, action);
  }
}

std::span<const Rule> metadata_rules() {
  return kRules;
}

}  // namespace athanor::schema
