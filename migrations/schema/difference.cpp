#include "migrations/schema/difference.hpp"

#include <algorithm>
#include <set>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/diff.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kLongestValue = 160;

std::string shown(std::string_view value) {
  std::string text;
  for (const char letter : value.substr(0, kLongestValue)) {
    const bool blank = letter == '\n' || letter == '\t' || letter == ' ';
    if (!blank) {
      text += letter;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text + (value.size() > kLongestValue ? " …" : "");
}

// Whether the fact is part of a relation that has its own line.
bool is_part_of_listed(const Fact& fact, const std::set<std::pair<std::string, std::string>>& relations) {
  return !fact.id.parent.empty() && relations.contains({fact.id.schema, fact.id.parent});
}

void add_side(const Catalog& catalog, const std::vector<std::uint32_t>& facts, std::string_view sign,
              std::vector<std::string>& lines) {
  std::set<std::pair<std::string, std::string>> relations;
  for (const std::uint32_t index : facts) {
    const FactId& id = catalog.facts()[index].id;
    if (id.kind == Kind::Table || id.kind == Kind::View || id.kind == Kind::MaterializedView) {
      relations.emplace(id.schema, id.name);
    }
  }
  for (const std::uint32_t index : facts) {
    const Fact& fact = catalog.facts()[index];
    if (!is_part_of_listed(fact, relations)) {
      lines.push_back(std::string(sign) + " " + describe(fact.id));
    }
  }
}

std::string value_of(const Fact& fact, std::string_view attribute) {
  return fact.has(attribute) ? shown(fact.get(attribute)) : "not set";
}

}  // namespace

std::vector<std::string> describe_difference(const Catalog& have, const Catalog& want, Derived derived) {
  const SchemaDiff found = diff(want, have);
  std::vector<std::string> lines;
  add_side(want, found.removed, "-", lines);
  add_side(have, found.added, "+", lines);
  for (const FactChange& change : found.changed) {
    const Fact& wanted = want.facts()[change.before];
    const Fact& had = have.facts()[change.after];
    const bool view = had.id.kind == Kind::View || had.id.kind == Kind::MaterializedView;
    for (const std::string_view name : change.attributes) {
      if (derived == Derived::Ignored && view && name == attribute::kColumns) {
        continue;
      }
      lines.push_back("~ " + describe(had.id) + ": " + std::string(name) + " is " + value_of(had, name) + ", should be " +
                      value_of(wanted, name));
    }
  }
  return lines;
}

std::vector<std::string> describe_changes(const Catalog& before, const Catalog& after) {
  const SchemaDiff found = diff(before, after);
  std::vector<std::string> lines;
  add_side(before, found.removed, "-", lines);
  add_side(after, found.added, "+", lines);
  for (const FactChange& change : found.changed) {
    const Fact& old = before.facts()[change.before];
    const Fact& made = after.facts()[change.after];
    for (const std::string_view name : change.attributes) {
      lines.push_back("~ " + describe(made.id) + ": " + std::string(name) + " " + value_of(old, name) + " → " +
                      value_of(made, name));
    }
  }
  return lines;
}

}  // namespace athanor::schema
