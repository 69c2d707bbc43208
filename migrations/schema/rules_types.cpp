// The rules for user-defined types: enumerations, composite types, ranges, domains, collations.
//
// A type that columns use and that cannot change in place is swapped: it is renamed, the new type is created, the columns are
// converted, and the old type is dropped.
#include <algorithm>
#include <optional>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/settled_text.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::string_view kOldSuffix = "__old";

// Drops a type. If columns must move from it first, it is renamed at the beginning and dropped at the end.
void drop_type(const ChangeSet& changes, std::uint32_t index, ActionList& actions, const std::string& word) {
  const Fact& fact = changes.old_fact(index);
  if (!changes.swapped(index)) {
    say(actions.destroy(changes, index), "DROP " + word + ' ' + object_name(fact.id)).planned.expand = false;
    return;
  }
  const std::string away = with_suffix(fact.id.name, kOldSuffix);
  Action& rename = actions.alter(changes, index, kNoFact);
  rename.releases = false;
  rename.frees = names_taken(fact);
  say(rename, "ALTER " + word + ' ' + object_name(fact.id) + " RENAME TO " + quote_identifier(away));
  if (fact.has(attribute::kMultirange)) {
    const std::string multirange(fact.get(attribute::kMultirange));
    say(rename, "ALTER TYPE " + qualified_name(fact.id.schema, multirange) + " RENAME TO " +
                    quote_identifier(with_suffix(multirange, kOldSuffix)));
  }
  Action& drop = actions.destroy(changes, index);
  drop.phase = Phase::Cleanup;
  drop.keeps_name = true;
  drop.follows.push_back(actions.number_of(rename));
  say(drop, "DROP " + word + ' ' + qualified_name(fact.id.schema, away)).planned.expand = false;
}

void drop_plain_type(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  drop_type(changes, index, actions, "TYPE");
}

void drop_domain(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  drop_type(changes, index, actions, "DOMAIN");
}

void drop_collation(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  drop_type(changes, index, actions, "COLLATION");
}

// Enumerations.

void create_enum(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Names labels;
  for (const std::string& label : list(fact.get(attribute::kLabels))) {
    labels.push_back(quote_literal(label));
  }
  say(actions.produce(changes, index), "CREATE TYPE " + object_name(fact.id) + " AS ENUM (" + join(labels) + ')');
}

// PostgreSQL can add labels anywhere, but cannot remove or move them.
bool replaces_enum(const ChangeSet& changes, const FactChange& change) {
  const Names has = list(changes.new_fact(change).get(attribute::kLabels));
  auto place = has.begin();
  for (const std::string& label : list(changes.old_fact(change).get(attribute::kLabels))) {
    place = std::find(place, has.end(), label);
    if (place == has.end()) {
      return true;
    }
    ++place;
  }
  return false;
}

void alter_enum(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const Names had = list(changes.old_fact(change).get(attribute::kLabels));
  const Names has = list(fact.get(attribute::kLabels));
  for (std::size_t index = 0; index < has.size(); ++index) {
    if (std::ranges::find(had, has[index]) != had.end()) {
      continue;
    }
    std::string sql = "ALTER TYPE " + object_name(fact.id) + " ADD VALUE " + quote_literal(has[index]);
    if (index > 0) {
      sql += " AFTER " + quote_literal(has[index - 1]);
    } else if (!had.empty()) {
      sql += " BEFORE " + quote_literal(had.front());
    }
    Action& action = actions.alter(changes, change.before, change.after);
    action.phase = Phase::Labels;
    // A new label cannot be used in the transaction that added it.
    action.expands = true;
    say(action, std::move(sql)).autocommit = true;
  }
}

// Composite types.

std::string attribute_text(const Names& parts) {
  const std::string collation = parts.size() > 2 && !parts[2].empty()
                                    ? " COLLATE " + (parts[2].starts_with('[') ? name_of_pair(parts[2]) : parts[2])
                                    : "";
  return quote_identifier(parts[0]) + ' ' + parts[1] + collation;
}

void create_composite(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Names parts;
  for (const Names& entry : rows(fact.get(attribute::kAttributes))) {
    parts.push_back(attribute_text(entry));
  }
  say(actions.produce(changes, index), "CREATE TYPE " + object_name(fact.id) + " AS (" + join(parts) + ')');
}

bool used_by_relation(const ChangeSet& changes, std::uint32_t type) {
  return std::ranges::any_of(changes.old_dependencies.needed_by(type), [&](std::uint32_t dependent) {
    const Kind kind = changes.old_fact(dependent).id.kind;
    return kind != Kind::Comment && kind != Kind::Owner && kind != Kind::Grant;
  });
}

// Kept attributes must stay in order, before new ones. The type of an attribute can only change while no object uses the
// composite type.
bool replaces_composite(const ChangeSet& changes, const FactChange& change) {
  const std::vector<Names> had = rows(changes.old_fact(change).get(attribute::kAttributes));
  const std::vector<Names> has = rows(changes.new_fact(change).get(attribute::kAttributes));
  std::size_t place = 0;
  for (const Names& entry : had) {
    const auto kept = std::ranges::find(has, entry[0], [](const Names& parts) { return parts[0]; });
    if (kept == has.end()) {
      continue;
    }
    if (static_cast<std::size_t>(kept - has.begin()) != place) {
      return true;
    }
    if (*kept != entry && used_by_relation(changes, change.before)) {
      return true;
    }
    ++place;
  }
  return false;
}

void alter_composite(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const std::vector<Names> had = rows(changes.old_fact(change).get(attribute::kAttributes));
  const std::vector<Names> has = rows(fact.get(attribute::kAttributes));
  const auto first = [](const Names& parts) { return parts[0]; };
  Names parts;
  for (const Names& entry : had) {
    const auto kept = std::ranges::find(has, entry[0], first);
    if (kept == has.end()) {
      parts.push_back("DROP ATTRIBUTE " + quote_identifier(entry[0]));
    } else if (*kept != entry) {
      const std::string text = attribute_text(*kept);
      parts.push_back("ALTER ATTRIBUTE " + quote_identifier(entry[0]) + " TYPE" +
                      text.substr(quote_identifier(entry[0]).size()));
    }
  }
  for (const Names& entry : has) {
    if (std::ranges::find(had, entry[0], first) == had.end()) {
      parts.push_back("ADD ATTRIBUTE " + attribute_text(entry));
    }
  }
  for (const std::string& part : parts) {
    Statement& statement = say(actions.alter(changes, change.before, change.after),
                               "ALTER TYPE " + object_name(fact.id) + ' ' + part + (part.starts_with("ADD") ? " CASCADE" : ""));
    statement.planned.expand = part.starts_with("ADD");
    if (part.starts_with("DROP")) {
      statement.planned.loss = DataLoss::Certain;
      statement.planned.sql += " CASCADE";
    }
  }
}

// Ranges.

void create_range(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Names parts{"SUBTYPE = " + std::string(fact.get(attribute::kSubtype))};
  const auto add = [&](std::string_view attribute, const std::string& word) {
    if (fact.has(attribute)) {
      const std::string_view value = fact.get(attribute);
      parts.push_back(word + " = " + (value.starts_with('[') ? name_of_pair(value) : quote_identifier(value)));
    }
  };
  add(attribute::kSubtypeClass, "SUBTYPE_OPCLASS");
  add(attribute::kCollation, "COLLATION");
  add(attribute::kCanonical, "CANONICAL");
  add(attribute::kSubtypeDiff, "SUBTYPE_DIFF");
  if (fact.has(attribute::kMultirange)) {
    parts.push_back("MULTIRANGE_TYPE_NAME = " + qualified_name(fact.id.schema, fact.get(attribute::kMultirange)));
  }
  say(actions.produce(changes, index), "CREATE TYPE " + object_name(fact.id) + " AS RANGE (" + join(parts) + ')');
}

// Domains.

std::string domain_not_null(const Fact& fact) {
  if (!fact.has(attribute::kNotNull)) {
    return {};
  }
  return (fact.has(attribute::kNotNullName) ? " CONSTRAINT " + quote_identifier(fact.get(attribute::kNotNullName))
                                            : std::string()) +
         " NOT NULL";
}

void create_domain(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE DOMAIN " + object_name(fact.id) + " AS " + std::string(fact.get(attribute::kType));
  if (fact.has(attribute::kCollation)) {
    sql += " COLLATE " + name_of_pair(fact.get(attribute::kCollation));
  }
  if (fact.has(attribute::kDefault)) {
    sql += " DEFAULT " + std::string(fact.get(attribute::kDefault));
  }
  say(actions.produce(changes, index), sql + domain_not_null(fact));
}

bool replaces_domain(const ChangeSet& changes, const FactChange& change) {
  return changes.old_fact(change).get(attribute::kType) != changes.new_fact(change).get(attribute::kType) ||
         changes.old_fact(change).get(attribute::kCollation) != changes.new_fact(change).get(attribute::kCollation);
}

void alter_domain(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  const std::string head = "ALTER DOMAIN " + object_name(fact.id) + ' ';
  if (old.get(attribute::kDefault) != fact.get(attribute::kDefault)) {
    say(action, head + (fact.has(attribute::kDefault) ? "SET DEFAULT " + std::string(fact.get(attribute::kDefault))
                                                      : std::string("DROP DEFAULT")))
        .planned.expand = fact.has(attribute::kDefault);
  }
  const bool renamed = old.get(attribute::kNotNullName) != fact.get(attribute::kNotNullName);
  if (old.has(attribute::kNotNull) && (!fact.has(attribute::kNotNull) || renamed)) {
    say(action, head + "DROP NOT NULL").planned.expand = true;
  }
  if (fact.has(attribute::kNotNull) && (!old.has(attribute::kNotNull) || renamed)) {
    say(action, head + (fact.has(attribute::kNotNullName) ? "ADD" + domain_not_null(fact) : std::string("SET NOT NULL")))
        .planned.expand = false;
  }
}

std::string domain_constraint(const Fact& fact, bool not_valid) {
  return "ALTER DOMAIN " + parent_name(fact.id) + " ADD CONSTRAINT " + quote_identifier(fact.id.name) + ' ' +
         as_written(without_semicolon(fact.get(attribute::kDefinition))) + (not_valid ? " NOT VALID" : "");
}

void validate_domain(const ChangeSet& changes, std::uint32_t before, std::uint32_t after, ActionList& actions) {
  const Fact& fact = changes.new_fact(after);
  Action& action = actions.alter(changes, before, after);
  action.settles = false;
  action.expands = true;
  action.phase = Phase::Validate;
  say(action, "ALTER DOMAIN " + parent_name(fact.id) + " VALIDATE CONSTRAINT " + quote_identifier(fact.id.name)).after_commit =
      true;
}

void create_domain_constraint(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  const std::uint32_t domain = find_fact(changes.after, Kind::Domain, fact.id.schema, fact.id.parent);
  const bool online =
      changes.style == Style::Online && domain != kNoFact && !changes.produced(domain) && !fact.has(attribute::kNotValid);
  say(actions.produce(changes, index), domain_constraint(fact, online || fact.has(attribute::kNotValid))).planned.expand =
      false;
  if (online) {
    validate_domain(changes, kNoFact, index, actions);
  }
}

void drop_domain_constraint(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  say(actions.destroy(changes, index),
      "ALTER DOMAIN " + parent_name(fact.id) + " DROP CONSTRAINT " + quote_identifier(fact.id.name))
      .planned.expand = true;
}

bool replaces_domain_constraint(const ChangeSet& changes, const FactChange& change) {
  return changes.old_fact(change).get(attribute::kDefinition) != changes.new_fact(change).get(attribute::kDefinition) ||
         changes.new_fact(change).has(attribute::kNotValid);
}

void alter_domain_constraint(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  validate_domain(changes, change.before, change.after, actions);
}

// Collations.

void create_collation(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  const std::string_view provider = fact.get(attribute::kProvider);
  Names parts{std::string("provider = ") + (provider == "i" ? "icu" : provider == "b" ? "builtin" : "libc")};
  const auto add = [&](std::string_view attribute, const std::string& word) {
    if (fact.has(attribute)) {
      parts.push_back(word + " = " + quote_literal(fact.get(attribute)));
    }
  };
  add(attribute::kLocale, "locale");
  add(attribute::kCollate, "lc_collate");
  add(attribute::kCtype, "lc_ctype");
  add(attribute::kRules, "rules");
  if (fact.has(attribute::kNotDeterministic)) {
    parts.emplace_back("deterministic = false");
  }
  say(actions.produce(changes, index), "CREATE COLLATION " + object_name(fact.id) + " (" + join(parts) + ')');
}

constexpr Rule kRules[] = {
    {.kind = Kind::EnumType, .create = create_enum, .drop = drop_plain_type, .replaces = replaces_enum, .alter = alter_enum},
    {.kind = Kind::CompositeType,
     .create = create_composite,
     .drop = drop_plain_type,
     .replaces = replaces_composite,
     .alter = alter_composite},
    {.kind = Kind::RangeType, .create = create_range, .drop = drop_plain_type},
    {.kind = Kind::Domain, .create = create_domain, .drop = drop_domain, .replaces = replaces_domain, .alter = alter_domain},
    {.kind = Kind::DomainConstraint,
     .create = create_domain_constraint,
     .drop = drop_domain_constraint,
     .replaces = replaces_domain_constraint,
     .alter = alter_domain_constraint},
    {.kind = Kind::Collation, .create = create_collation, .drop = drop_collation},
};

}  // namespace

std::span<const Rule> type_rules() {
  return kRules;
}

}  // namespace athanor::schema
