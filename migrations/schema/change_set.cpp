#include "migrations/schema/change_set.hpp"

#include <algorithm>
#include <utility>

#include "migrations/schema/rule.hpp"

namespace athanor::schema {

namespace {

constexpr int kVersionUnit = 10000;

}  // namespace

ChangeSet::ChangeSet(const Catalog& old_catalog, const Catalog& new_catalog, Style chosen)
    : before(old_catalog),
      after(new_catalog),
      old_dependencies(old_catalog),
      new_dependencies(new_catalog),
      style(chosen),
      version((new_catalog.server_version != 0 ? new_catalog.server_version : old_catalog.server_version) / kVersionUnit),
      after_of_(old_catalog.facts().size(), kNoFact),
      before_of_(new_catalog.facts().size(), kNoFact),
      destroyed_(old_catalog.facts().size()),
      produced_(new_catalog.facts().size()) {
  std::uint32_t right = 0;
  for (std::uint32_t left = 0; left < before.facts().size(); ++left) {
    while (right < after.facts().size() && new_fact(right).id < old_fact(left).id) {
      ++right;
    }
    if (right < after.facts().size() && new_fact(right).id == old_fact(left).id) {
      after_of_[left] = right;
      before_of_[right] = left;
    }
  }
}

void ChangeSet::settle(SchemaDiff difference) {
  pair(difference);
  for (const std::uint32_t removed : difference.removed) {
    destroy(removed, removed);
  }
  for (const std::uint32_t added : difference.added) {
    produced_[added] = true;
  }
  for (FactChange& change : difference.changed) {
    const Rule& rule = *find_rule(old_fact(change).id.kind);
    if (rule.replaces == nullptr || rule.replaces(*this, change)) {
      destroy(change.before, change.before);
    } else if (!destroyed_[change.before]) {
      changes_.emplace(change.before, std::move(change));
    }
  }
  // Iterate over a copy: destroy() erases entries of changes_.
  const std::map<std::uint32_t, FactChange> in_place = changes_;
  for (const auto& [old_index, change] : in_place) {
    const Rule& rule = *find_rule(old_fact(old_index).id.kind);
    if (rule.disturbs != nullptr && !destroyed_[old_index]) {
      for (const std::uint32_t disturbed : rule.disturbs(*this, change)) {
        disturb(disturbed, old_index);
      }
    }
  }
  while (!pending_.empty()) {
    const std::uint32_t next = pending_.back();
    pending_.pop_back();
    spread(next);
  }
  decide_swaps();
}

// Pairs facts that only got another name, for kinds whose rule can rename. Each pair becomes a change from one id to the other
// instead of a drop and a create.
void ChangeSet::pair(SchemaDiff& difference) {
  std::multimap<std::pair<Kind, std::pair<std::string, std::string>>, std::uint32_t> added;
  for (const std::uint32_t index : difference.added) {
    const FactId& id = new_fact(index).id;
    if (find_rule(id.kind)->same_but_name != nullptr) {
      added.emplace(std::pair(id.kind, std::pair(id.schema, id.parent)), index);
    }
  }
  std::set<std::uint32_t> paired;
  std::erase_if(difference.removed, [&](std::uint32_t old_index) {
    const Fact& old = old_fact(old_index);
    const auto [first, last] = added.equal_range(std::pair(old.id.kind, std::pair(old.id.schema, old.id.parent)));
    const auto found = std::find_if(first, last, [&](const auto& entry) {
      return !paired.contains(entry.second) && find_rule(old.id.kind)->same_but_name(old, new_fact(entry.second));
    });
    if (found == last) {
      return false;
    }
    paired.insert(found->second);
    after_of_[old_index] = found->second;
    before_of_[found->second] = old_index;
    changes_.emplace(old_index, FactChange{old_index, found->second, {}});
    return true;
  });
  std::erase_if(difference.added, [&](std::uint32_t index) { return paired.contains(index); });
}

void ChangeSet::destroy(std::uint32_t old_index, std::uint32_t cause) {
  if (destroyed_[old_index]) {
    return;
  }
  destroyed_[old_index] = true;
  causes_.emplace(old_index, cause == old_index ? cause : causes_.contains(cause) ? causes_.at(cause) : cause);
  // Being recreated supersedes every milder reaction.
  changes_.erase(old_index);
  retyped_.erase(old_index);
  loosened_.erase(old_index);
  if (after_of_[old_index] != kNoFact) {
    produced_[after_of_[old_index]] = true;
  }
  pending_.push_back(old_index);
}

// Takes a fact out of the way of a change in place.
void ChangeSet::disturb(std::uint32_t old_index, std::uint32_t cause) {
  const Rule& rule = *find_rule(old_fact(old_index).id.kind);
  if (rule.loosen == nullptr || rule.reacts(*this, old_index, cause) != Reaction::Loosen) {
    destroy(old_index, cause);
  } else if (!destroyed_[old_index]) {
    loosened_.insert(old_index);
  }
}

void ChangeSet::spread(std::uint32_t old_index) {
  for (const std::uint32_t dependent : old_dependencies.needed_by(old_index)) {
    const std::uint32_t counterpart = after_of_[dependent];
    if (destroyed_[dependent] || counterpart == kNoFact) {
      continue;
    }
    // The dependent's own change already removes the dependency, and ordering runs that change before the drop.
    const std::uint32_t returning = after_of_[old_index];
    if (changes_.contains(dependent) && !retyped_.contains(dependent) &&
        (returning == kNoFact || !new_dependencies.needs(counterpart, returning))) {
      continue;
    }
    const Rule& rule = *find_rule(old_fact(dependent).id.kind);
    switch (rule.reacts == nullptr ? Reaction::Replace : rule.reacts(*this, dependent, old_index)) {
      case Reaction::Replace:
        destroy(dependent, old_index);
        break;
      case Reaction::Retype:
        move_to_new_type(dependent);
        break;
      case Reaction::Loosen:
        loosened_.insert(dependent);
        break;
      case Reaction::Stay:
        break;
    }
  }
}

void ChangeSet::move_to_new_type(std::uint32_t column) {
  if (!retyped_.insert(column).second) {
    return;
  }
  // The column's own change, if it has one, and the move to the new type are one ALTER COLUMN … TYPE.
  const auto [place, added] = changes_.try_emplace(column, FactChange{column, after_of_[column], {}});
  const FactChange change = place->second;
  for (const std::uint32_t disturbed : find_rule(old_fact(column).id.kind)->disturbs(*this, change)) {
    disturb(disturbed, column);
  }
}

// ALTER COLUMN … TYPE needs the old and the new type at the same time, so the old type is renamed to free its name.
void ChangeSet::decide_swaps() {
  for (const std::uint32_t column : retyped_) {
    for (const std::uint32_t needed : old_dependencies.needs(column)) {
      const std::uint32_t returning = after_of_[needed];
      if (destroyed_[needed] && returning != kNoFact && new_dependencies.needs(after_of_[column], returning)) {
        swapped_.insert(needed);
      }
    }
  }
}

bool ChangeSet::changes(std::uint32_t old_index, std::string_view attribute) const {
  const auto found = changes_.find(old_index);
  return found != changes_.end() && std::ranges::find(found->second.attributes, attribute) != found->second.attributes.end();
}

bool ChangeSet::on_new_relation(std::uint32_t new_index) const {
  const std::uint32_t relation = new_relation(new_fact(new_index).id);
  return relation != kNoFact && produced(relation);
}

}  // namespace athanor::schema
