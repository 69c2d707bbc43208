// "did you mean …?": finds the known name most similar to a typed one.
//
// Threads: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace athanor {

// The candidate with the smallest edit distance (a swap of neighbours counts as one edit; case does not count). Empty when the
// distance is more than a third of the longer word, limited to between one and three edits. The first candidate wins a tie.
[[nodiscard]] std::string_view closest_name(std::string_view typed, std::span<const std::string_view> candidates);

// "did you mean `x`?", or "known names: a, b, c" when no name is similar.
[[nodiscard]] std::string suggest(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace athanor
