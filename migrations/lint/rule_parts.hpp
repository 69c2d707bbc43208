// The table of rules in several parts, to keep files short; rule_table.cpp joins them.
//
// Threads: constant data.
#pragma once

#include "migrations/lint/rule.hpp"

namespace athanor {

[[nodiscard]] std::span<const RuleSpec> index_rules();
[[nodiscard]] std::span<const RuleSpec> constraint_rules();
[[nodiscard]] std::span<const RuleSpec> column_rules();
[[nodiscard]] std::span<const RuleSpec> design_rules();
[[nodiscard]] std::span<const RuleSpec> loss_rules();  // renames, loss, rows
[[nodiscard]] std::span<const RuleSpec> run_rules();   // transactions, partitions, access, lint itself

}  // namespace athanor
