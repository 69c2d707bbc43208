// Help made from a table of flags.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "migrations/options/flag_spec.hpp"

namespace athanor {

// `text` in lines of at most 100 columns. The first goes on at `first_column`, the others are indented.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t first_column);
// Each flag with its letter, value and meaning, in lines.
[[nodiscard]] std::string flag_lines(std::span<const FlagSpec> flags);

}  // namespace athanor
