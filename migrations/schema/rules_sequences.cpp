// The rule for sequences. Those of identity columns belong to their column.
#include <map>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/object_reference.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

using Options = std::map<std::string, std::string, std::less<>>;

Options options_of(std::string_view json, const Fact* sequence) {
  Options options;
  if (sequence != nullptr) {
    for (const Attribute& entry : sequence->attributes) {
      options.emplace(entry.name, entry.value);
    }
    return options;
  }
  const auto object = nlohmann::json::parse(json.empty() ? "{}" : json, nullptr, false);
  if (object.is_object()) {
    for (const auto& [name, value] : object.items()) {
      options.emplace(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return options;
}

std::string start_of(const Options& options) {
  if (const auto start = options.find(attribute::kStart); start != options.end()) {
    return start->second;
  }
  const auto increment = options.find(attribute::kIncrement);
  const bool descends = increment != options.end() && increment->second.starts_with('-');
  const auto bound = options.find(descends ? attribute::kMaxValue : attribute::kMinValue);
  return bound != options.end() ? bound->second : descends ? "-1" : "1";
}

bool descends(const Options& options) {
  const auto increment = options.find(attribute::kIncrement);
  return increment != options.end() && increment->second.starts_with('-');
}

std::string owner_clause(const Fact& sequence) {
  const Names owner = list(sequence.get(attribute::kOwnedBy));
  return owner.size() == 3 ? qualified_name(owner[0], owner[1]) + '.' + quote_identifier(owner[2]) : "NONE";
}

std::uint32_t owning_column(const Catalog& catalog, const Fact& sequence) {
  const Names owner = list(sequence.get(attribute::kOwnedBy));
  if (owner.size() != 3) {
    return kNoFact;
  }
  const std::uint32_t column = find_column(catalog, owner[0], owner[1], owner[2]);
  return column == kNoFact ? find_relation(catalog, owner[0], owner[1]) : column;
}

// Whether a serial column becomes an identity column or vice versa: then the column's action moves the position from one
// sequence to the other, and creates or drops this one.
bool column_takes_over(const ChangeSet& changes, const Fact& sequence, std::uint32_t old_column) {
  if (old_column == kNoFact || !changes.changes(old_column, attribute::kIdentity)) {
    return false;
  }
  const bool had = changes.old_fact(old_column).has(attribute::kIdentity);
  const bool has = changes.new_fact(changes.after_of(old_column)).has(attribute::kIdentity);
  return had != has && sequence.has(attribute::kOwnedBy);
}

// OWNED BY requires that the sequence and the table have the same owner, so wait for both changes of owner.
void await_owners(const ChangeSet& changes, const Fact& sequence, Action& action) {
  FactId about = sequence.id;
  about.subject = Kind::Sequence;
  await_owner(changes, about, action);
  const Names owner = list(sequence.get(attribute::kOwnedBy));
  about.subject = Kind::Table;
  about.schema = owner[0];
  about.name = owner[1];
  await_owner(changes, about, action);
}

void create(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& sequence = changes.new_fact(index);
  const std::uint32_t column = owning_column(changes.after, sequence);
  const std::uint32_t old_column = column == kNoFact ? kNoFact : changes.before_of(column);
  if (!column_takes_over(changes, sequence, old_column)) {
    Action& action = actions.produce(changes, index);
    say(action, create_sequence(sequence, object_name(sequence.id)));
  }
  if (column != kNoFact) {
    // OWNED BY needs both objects, but the column's default needs the sequence before that: hence a separate action.
    Action& own = actions.alter(changes, kNoFact, index);
    own.settles = false;
    own.expands = true;
    own.awaits.push_back(column);
    await_owners(changes, sequence, own);
    say(own, "ALTER SEQUENCE " + object_name(sequence.id) + " OWNED BY " + owner_clause(sequence));
    if (old_column != kNoFact && !changes.produced(column) && !column_takes_over(changes, sequence, old_column)) {
      go_on_after_rows(own, changes.new_fact(column), quote_literal(object_name(sequence.id)), {}, &sequence);
    }
  }
}

void drop(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& sequence = changes.old_fact(index);
  const std::uint32_t column = owning_column(changes.before, sequence);
  if (column_takes_over(changes, sequence, column)) {
    return;
  }
  Action& action = actions.destroy(changes, index);
  if (column != kNoFact && changes.destroyed(column) && changes.old_dependencies.needs(column, index)) {
    return;  // the default is inherited, so dropping the column drops the sequence, too
  }
  if (column != kNoFact && changes.destroyed(column)) {
    action.goes_with = column;
    action.precedes.push_back(column);
  }
  Statement& statement = say(action, "DROP SEQUENCE " + object_name(sequence.id));
  statement.planned.expand = false;
  statement.planned.loss = DataLoss::Possible;
}

struct Limits {
  std::string least, greatest;
};

// The effective limits, written out, because NO MINVALUE changes its meaning with direction and type.
Limits limits_of(const Options& options, std::string_view type) {
  const Limits own = type == "smallint"  ? Limits{"-32768", "32767"}
                     : type == "integer" ? Limits{"-2147483648", "2147483647"}
                                         : Limits{"-9223372036854775808", "9223372036854775807"};
  const auto chosen = [&](std::string_view name, const std::string& usual) {
    const auto found = options.find(name);
    return found == options.end() ? usual : found->second;
  };
  return descends(options) ? Limits{chosen(attribute::kMinValue, own.least), chosen(attribute::kMaxValue, "-1")}
                           : Limits{chosen(attribute::kMinValue, "1"), chosen(attribute::kMaxValue, own.greatest)};
}

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// ALTER SEQUENCE rejects limits that exclude the position, so an excluded position moves to the start first. A sequence that
// was used does not go back: it would return the same numbers again, and PostgreSQL's refusal is right.
// `widen`: ALTER SEQUENCE, up to the limits.
void follow_limits(Action& action, const Limits& had, const Limits& has, const Options& options, const std::string& name,
                   const std::string& widen) {
  const bool lower_rises = number_of(has.least) > number_of(had.least);
  const bool upper_falls = number_of(has.greatest) < number_of(had.greatest);
  if (!lower_rises && !upper_falls) {
    return;
  }
  const std::string start = start_of(options);
  if (number_of(start) < number_of(had.least) || number_of(start) > number_of(had.greatest)) {
    say(action, widen + " MINVALUE " + (lower_rises ? had.least : has.least) + " MAXVALUE " +
                    (upper_falls ? had.greatest : has.greatest))
        .planned.expand = false;
  }
  const bool down = descends(options);
  std::string excluded = lower_rises ? "last_value < " + has.least + (down ? " AND NOT is_called" : "") : std::string();
  if (upper_falls) {
    excluded += (excluded.empty() ? "last_value > " : " OR last_value > ") + has.greatest + (down ? "" : " AND NOT is_called");
  }
  say(action, "SELECT pg_catalog.setval(" + quote_literal(name) + ", " + start + ", false) FROM " + name + " WHERE " + excluded)
      .planned.expand = false;
}

void change_numbers(const Fact& old, const Fact& fact, Action& action) {
  const Options options = options_of({}, &fact);
  const Limits limits = limits_of(options, fact.get(attribute::kType));
  const bool turns = descends(options_of({}, &old)) != descends(options);
  if (!turns) {
    const bool retyped = old.get(attribute::kType) != fact.get(attribute::kType);
    const std::string name = object_name(fact.id);
    follow_limits(action, limits_of(options_of({}, &old), old.get(attribute::kType)), limits, options, name,
                  "ALTER SEQUENCE " + name + (retyped ? " AS bigint" : ""));
  }
  const auto value = [&](std::string_view name, const char* usual) {
    const auto found = options.find(name);
    return found == options.end() ? std::string(usual) : found->second;
  };
  std::string sql = "ALTER SEQUENCE " + object_name(fact.id);
  if (old.get(attribute::kType) != fact.get(attribute::kType)) {
    sql += " AS " + (fact.has(attribute::kType) ? std::string(fact.get(attribute::kType)) : std::string("bigint"));
  }
  sql += " INCREMENT BY " + value(attribute::kIncrement, "1") + " MINVALUE " + limits.least + " MAXVALUE " + limits.greatest +
         " START WITH " + start_of(options) + (turns ? " RESTART" : "") + " CACHE " + value(attribute::kCache, "1") +
         (options.contains(attribute::kCycle) ? " CYCLE" : " NO CYCLE");
  Statement& statement = say(action, std::move(sql));
  // Which numbers the sequence still has for old application code depends on all of these together.
  statement.planned.expand = false;
  if (turns) {
    statement.planned.note = "the sequence changes direction, so it restarts";
  }
}

void alter(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const std::string name = object_name(fact.id);
  if (old.id != fact.id) {
    Action& action = actions.alter(changes, change.before, change.after);
    action.frees = names_taken(old);
    action.takes = names_taken(fact);
    say(action, "ALTER SEQUENCE " + object_name(old.id) + " RENAME TO " + quote_identifier(fact.id.name));
  }
  bool numbers = false;
  for (const std::string_view attribute : change.attributes) {
    numbers = numbers || (attribute != attribute::kOwnedBy && attribute != attribute::kPersistence);
  }
  if (numbers) {
    change_numbers(old, fact, actions.alter(changes, change.before, change.after));
  }
  if (changes.changes(change.before, attribute::kPersistence)) {
    Action& action = actions.alter(changes, change.before, change.after);
    say(action, "ALTER SEQUENCE " + name + (fact.has(attribute::kPersistence) ? " SET UNLOGGED" : " SET LOGGED"))
        .planned.expand = true;
  }
  if (changes.changes(change.before, attribute::kOwnedBy)) {
    Action& action = actions.alter(changes, change.before, change.after);
    action.settles = false;
    const std::uint32_t column = owning_column(changes.after, fact);
    const std::uint32_t old_column = owning_column(changes.before, old);
    if (column != kNoFact) {
      action.awaits.push_back(column);
    }
    if (old_column != kNoFact) {
      action.precedes.push_back(old_column);  // dropping the column would drop the sequence
    }
    say(action, "ALTER SEQUENCE " + name + " OWNED BY " + owner_clause(fact)).planned.expand = true;
  }
}

// Whether only the name differs: the sequence of a serial column whose name followed a rename.
bool same_but_name(const Fact& before, const Fact& after) {
  return before.has(attribute::kOwnedBy) && before.attributes == after.attributes;
}

bool replaces(const ChangeSet& changes, const FactChange& change) {
  return changes.version < 15 &&
         (changes.old_fact(change).has(attribute::kPersistence) || changes.new_fact(change).has(attribute::kPersistence));
}

constexpr Rule kRules[] = {
    {.kind = Kind::Sequence,
     .create = create,
     .drop = drop,
     .replaces = replaces,
     .alter = alter,
     .same_but_name = same_but_name},
};

}  // namespace

std::string create_sequence(const Fact& sequence, const std::string& name) {
  const std::string persistence = sequence.get(attribute::kPersistence) == "unlogged" ? "UNLOGGED " : "";
  const std::string type = sequence.has(attribute::kType) ? " AS " + std::string(sequence.get(attribute::kType)) : "";
  const std::string options = sequence_options({}, &sequence);
  return "CREATE " + persistence + "SEQUENCE " + name + type + (options.empty() ? "" : " " + options);
}

std::string sequence_options(std::string_view json, const Fact* sequence) {
  const Options options = options_of(json, sequence);
  Names parts;
  const auto add = [&](std::string_view name, const std::string& words) {
    if (const auto found = options.find(name); found != options.end()) {
      parts.push_back(words + ' ' + found->second);
    }
  };
  if (sequence == nullptr && options.contains("name")) {
    parts.push_back("SEQUENCE NAME " + quote_identifier(options.at("name")));
  }
  add(attribute::kIncrement, "INCREMENT BY");
  add(attribute::kMinValue, "MINVALUE");
  add(attribute::kMaxValue, "MAXVALUE");
  add(attribute::kStart, "START WITH");
  add(attribute::kCache, "CACHE");
  if (options.contains(attribute::kCycle)) {
    parts.emplace_back("CYCLE");
  }
  return join(parts, " ");
}

void follow_identity_limits(Action& action, const Fact& old, const Fact& fact) {
  const Options had = options_of(old.get(attribute::kIdentityOptions), nullptr);
  const Options has = options_of(fact.get(attribute::kIdentityOptions), nullptr);
  if (descends(had) != descends(has) || old.get(attribute::kType) != fact.get(attribute::kType)) {
    return;
  }
  const auto given = has.find("name");
  const std::string name =
      qualified_name(fact.id.schema, given != has.end() ? given->second : chosen_name(fact.id.parent, fact.id.name, "seq"));
  follow_limits(action, limits_of(had, old.get(attribute::kType)), limits_of(has, fact.get(attribute::kType)), has, name,
                "ALTER SEQUENCE " + name);
}

void go_on_after_rows(Action& action, const Fact& column, const std::string& sequence_name, std::string_view json,
                      const Fact* sequence) {
  const std::string_view type = column.get(attribute::kType);
  if (type != "smallint" && type != "integer" && type != "bigint") {
    return;
  }
  const Options options = options_of(json, sequence);
  const std::string value = quote_identifier(column.id.name) + ")::bigint";
  const std::string next =
      descends(options) ? "LEAST(pg_catalog.min(" + value + " - 1, " : "GREATEST(pg_catalog.max(" + value + " + 1, ";
  say(action, "SELECT pg_catalog.setval(" + sequence_name + ", " + next + start_of(options) + "), false) FROM " +
                  parent_name(column.id));
}

std::string identity_changes(const Fact& column) {
  const std::string_view json = column.get(attribute::kIdentityOptions);
  Options options = options_of(json, nullptr);
  const auto value = [&](std::string_view name, const std::string& words, const std::string& absent) {
    const auto found = options.find(name);
    return "SET " + (found == options.end() ? absent : words + ' ' + found->second);
  };
  return value(attribute::kIncrement, "INCREMENT BY", "INCREMENT BY 1") + ' ' +
         value(attribute::kMinValue, "MINVALUE", "NO MINVALUE") + ' ' + value(attribute::kMaxValue, "MAXVALUE", "NO MAXVALUE") +
         " SET START WITH " + start_of(options) + ' ' + value(attribute::kCache, "CACHE", "CACHE 1") +
         (options.contains(attribute::kCycle) ? " SET CYCLE" : " SET NO CYCLE");
}

void rename_identity_sequence(Action& action, const Fact& old, const Fact& fact) {
  const auto name_in = [](const Fact& column) {
    const Options options = options_of(column.get(attribute::kIdentityOptions), nullptr);
    const auto found = options.find("name");
    return found == options.end() ? chosen_name(column.id.parent, column.id.name, "seq") : found->second;
  };
  const std::string had = name_in(old);
  const std::string has = name_in(fact);
  if (had != has) {
    say(action, "ALTER SEQUENCE " + qualified_name(fact.id.schema, had) + " RENAME TO " + quote_identifier(has));
  }
}

std::span<const Rule> sequence_rules() {
  return kRules;
}

}  // namespace athanor::schema
