// How tables join and leave what they get columns from: partitions, children, typed tables.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "migrations/schema/action.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// Detaches the table from parents or a type that are recreated, and attaches it to the new ones: Reaction::Loosen.
void loosen_table(const ChangeSet& changes, std::uint32_t before, ActionList& actions);
void bind_table(const ChangeSet& changes, std::uint32_t before, ActionList& actions);
// Moves a table to other parents, another type or other partition bounds.
void change_place(const ChangeSet& changes, const FactChange& change, ActionList& actions);

// The inherited columns and checks that a new table also declares itself, as parts of CREATE TABLE.
[[nodiscard]] std::vector<Element> redeclared_elements(const ChangeSet& changes, std::uint32_t table);
// The tables below an old column or check that keep it when the parent's is dropped, because they declare it themselves or
// because the parent's is dropped with ONLY (`only`), although the desired schema has it nowhere there: those above first.
[[nodiscard]] std::vector<FactId> left_in_children(const ChangeSet& changes, const FactId& part, bool only);
// Whether the new check is there already, because the table declared it besides the parent that loses it.
[[nodiscard]] bool was_redeclared(const ChangeSet& changes, std::uint32_t new_check);

}  // namespace athanor::schema
