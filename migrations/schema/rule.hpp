// What we know about PostgreSQL's kinds of objects: one row a kind, and nothing about kinds anywhere else in this room.
//
// A rule turns facts into actions: how one is made, how it goes, which of its changes PostgreSQL makes in place, and what such
// a change cannot leave standing. Ordering, closures, steps and compaction are generic.
//
// Threads and ownership: pure functions and constant data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "migrations/schema/action.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// What a fact does when something it needs is destroyed and comes back.
enum class Reaction : std::uint8_t {
  Replace,  // it is destroyed before and produced after
  Retype,   // a column moves from the old type to the new one
  Loosen,   // it lets go and is bound again
  Stay,     // PostgreSQL keeps it
};

struct Rule {
  Kind kind = Kind::None;
  // Makes the fact, at a place where all it needs is there.
  void (*create)(const ChangeSet&, std::uint32_t after, ActionList&) = nullptr;
  // Ends it, at a place where nothing needs it any more. Not asked for parts that go with their whole.
  void (*drop)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
  // True: the change is made by destroying and producing. Null: always.
  bool (*replaces)(const ChangeSet&, const FactChange&) = nullptr;
  // Makes a change in place.
  void (*alter)(const ChangeSet&, const FactChange&, ActionList&) = nullptr;
  // Old facts that cannot stand while the change is made in place: views on a column that changes its type.
  std::vector<std::uint32_t> (*disturbs)(const ChangeSet&, const FactChange&) = nullptr;
  Reaction (*reacts)(const ChangeSet&, std::uint32_t before, std::uint32_t destroyed) = nullptr;
  // The two are one under two names, and `alter` renames it: PostgreSQL keeps an index or constraint that was only renamed.
  bool (*same_but_name)(const Fact& before, const Fact& after) = nullptr;
  // For Reaction::Loosen.
  void (*loosen)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
  void (*bind)(const ChangeSet&, std::uint32_t before, ActionList&) = nullptr;
};

// Never null for a kind that facts have.
[[nodiscard]] const Rule* find_rule(Kind kind);

// Takes back what default privileges give to a new object and the desired schema does not.
void take_back_defaults(const ChangeSet& changes, std::uint32_t index, ActionList& actions);

// One span a family; rule_table.cpp joins them.
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
