// The rules for PostgreSQL's kinds of objects: one row per kind, and the only place in this library that knows kinds.
//
// A rule turns facts into actions: how to create and drop an object, which changes PostgreSQL can make in place, and which
// dependents must be dropped for such a change. Ordering, dependency closure, steps and compaction are generic.
//
// Threads and ownership: pure functions and constant data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "migrations/schema/action.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// What happens to a fact when something it needs is destroyed and produced again.
enum class Reaction : std::uint8_t {
  Replace,  // destroyed before it and produced after it
  Retype,   // a column moves from the old type to the new one
  Loosen,   // unbound before it and bound again after it
  Stay,     // nothing: PostgreSQL keeps it
};

struct Rule {
  Kind kind = Kind::None;
  // Adds the actions that create the fact. They run when everything it needs exists.
  void (*create)(const ChangeSet&, std::uint32_t after, ActionList&) = nullptr;
  // Adds the actions that drop it. They run when nothing needs it any more; compaction removes them for parts that are dropped
  // with their whole.
  void (*drop)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
  // Whether the change requires dropping and creating. Null: always.
  bool (*replaces)(const ChangeSet&, const FactChange&) = nullptr;
  // Adds the actions that change it in place.
  void (*alter)(const ChangeSet&, const FactChange&, ActionList&) = nullptr;
  // Old facts that must be dropped while the change is made in place, such as views on a column that changes its type.
  std::vector<std::uint32_t> (*disturbs)(const ChangeSet&, const FactChange&) = nullptr;
  // The reaction of a dependent to the destruction of `destroyed`. Null: Replace.
  Reaction (*reacts)(const ChangeSet&, std::uint32_t before, std::uint32_t destroyed) = nullptr;
  // Whether the two differ only in their name, so that `alter` can rename: PostgreSQL keeps a renamed index or constraint.
  bool (*same_but_name)(const Fact& before, const Fact& after) = nullptr;
  // For Reaction::Loosen: unbinds the fact, and binds it again.
  void (*loosen)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
  void (*bind)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
};

// Never null for kinds of facts.
[[nodiscard]] const Rule* find_rule(Kind kind);

// Revokes what default privileges grant on a new object and the desired schema does not.
void take_back_defaults(const ChangeSet& changes, std::uint32_t index, ActionList& actions);

// One span per family; rule_table.cpp joins them.
[[nodiscard]] std::span<const Rule> table_rules();
[[nodiscard]] std::span<const Rule> column_rules();
[[nodiscard]] std::span<const Rule> default_rules();
[[nodiscard]] std::span<const Rule> constraint_rules();
[[nodiscard]] std::span<const Rule> index_rules();
[[nodiscard]] std::span<const Rule> type_rules();
[[nodiscard]] std::span<const Rule> sequence_rules();
[[nodiscard]] std::span<const Rule> routine_rules();
[[nodiscard]] std::span<const Rule> view_rules();
[[nodiscard]] std::span<const Rule> trigger_rules();
[[nodiscard]] std::span<const Rule> foreign_rules();
[[nodiscard]] std::span<const Rule> publication_rules();
[[nodiscard]] std::span<const Rule> namespace_rules();
[[nodiscard]] std::span<const Rule> metadata_rules();

}  // namespace athanor::schema
