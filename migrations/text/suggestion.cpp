#include "migrations/text/suggestion.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "migrations/text/letter_case.hpp"

namespace athanor {
namespace {

char folded(char c) {
  return c == '_' ? '-' : lower_ascii(c);
}

// Optimal string alignment distance, with three rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    above[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view closest_name(std::string_view typed, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestWord = 64;  // a longer word is not a typing error, and the cost grows quadratically
  if (typed.size() > kLongestWord) {
    return {};
  }
  std::string_view best;
  std::size_t best_distance = 0;
  for (const auto candidate : candidates) {
    const std::size_t distance = edit_distance(typed, candidate);
    const std::size_t allowed = std::clamp<std::size_t>(std::max(typed.size(), candidate.size()) / 3, 1, 3);
    if (distance <= allowed && (best.empty() || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggest(std::string_view typed, std::span<const std::string_view> candidates) {
  if (const auto near = closest_name(typed, candidates); !near.empty()) {
    return "did you mean `" + std::string(near) + "`?";
  }
  std::string names;
  for (const auto candidate : candidates) {
    names += names.empty() ? "known names: " : ", ";
    names += candidate;
  }
  return names;
}

}  // namespace athanor
