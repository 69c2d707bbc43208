#include "migrations/schema/difference.hpp"

#include <algorithm>
#include <set>

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

// The relation that a fact is a part of; nothing for what stands alone.
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

}  // namespace

std::vector<std::string> describe_difference(const Catalog& have, const Catalog& want) {
  const SchemaDiff found = diff(want, have);
  std::vector<std::string> lines;
  add_side(want, found.removed, "-", lines);
  add_side(have, found.added, "+", lines);
  for (const FactChange& change : found.changed) {
    const Fact& wanted = want.facts()[change.before];
    const Fact& had = have.facts()[change.after];
    for (const std::string_view attribute : change.attributes) {
      const std::string is = had.has(attribute) ? shown(had.get(attribute)) : "not set";
      const std::string should = wanted.has(attribute) ? shown(wanted.get(attribute)) : "not set";
      lines.push_back("~ " + describe(had.id) + ": " + std::string(attribute) + " is " + is + ", should be " + should);
    }
  }
  return lines;
}

}  // namespace athanor::schema
