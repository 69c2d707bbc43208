#include "migrations/schema/diff.hpp"

namespace athanor::schema {
namespace {

// Both lists are sorted by name.
std::vector<std::string_view> changed_attributes(const Fact& before, const Fact& after) {
  std::vector<std::string_view> changed;
  auto left = before.attributes.begin();
  auto right = after.attributes.begin();
  while (left != before.attributes.end() || right != after.attributes.end()) {
    if (right == after.attributes.end() || (left != before.attributes.end() && left->name < right->name)) {
      changed.push_back((left++)->name);
    } else if (left == before.attributes.end() || right->name < left->name) {
      changed.push_back((right++)->name);
    } else {
      if (left->value != right->value) {
        changed.push_back(left->name);
      }
      ++left;
      ++right;
    }
  }
  return changed;
}

}  // namespace

SchemaDiff diff(const Catalog& before, const Catalog& after) {
  SchemaDiff result;
  const auto old_facts = before.facts();
  const auto new_facts = after.facts();
  std::uint32_t left = 0;
  std::uint32_t right = 0;
  while (left < old_facts.size() || right < new_facts.size()) {
    if (right == new_facts.size() || (left < old_facts.size() && old_facts[left].id < new_facts[right].id)) {
      result.removed.push_back(left++);
    } else if (left == old_facts.size() || new_facts[right].id < old_facts[left].id) {
      result.added.push_back(right++);
    } else {
      std::vector<std::string_view> attributes = changed_attributes(old_facts[left], new_facts[right]);
      if (!attributes.empty()) {
        result.changed.push_back({left, right, std::move(attributes)});
      }
      ++left;
      ++right;
    }
  }
  return result;
}

}  // namespace athanor::schema
