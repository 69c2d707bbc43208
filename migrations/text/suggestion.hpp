// "did you mean …?": the known name nearest to what was typed.
//
// Threads: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace athanor {

// The candidate with the smallest edit distance (a swap of neighbours counts as one edit, case does not count), or nothing
// when even the nearest is further than a third of the longer word, at least one and at most three edits. First wins a tie.
[[nodiscard]] std::string_view closest_name(std::string_view typed, std::span<const std::string_view> candidates);

// "did you mean `x`?", or "known names: a, b, c" when nothing is near.
[[nodiscard]] std::string suggest(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace athanor
