// The order of a set, where Alembic leaves an order to one.
//
// Which of several dependencies comes first, and which of several rows is updated while the others are inserted, Alembic leaves
// to the order of Python's sets, which changes from process to process unless PYTHONHASHSEED fixes it. Any order would do; this
// one is that of PYTHONHASHSEED=0 (CPython 3.11 and later), so that our answer is always one that Alembic gives, and always the
// same.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace athanor {

// SipHash-1-3 under an all-zero key.
[[nodiscard]] std::uint64_t set_hash(std::string_view text);

// Places of `names` (all different) in the order in which the set built from them is iterated.
[[nodiscard]] std::vector<std::size_t> set_order(const std::vector<std::string_view>& names);

}  // namespace athanor
