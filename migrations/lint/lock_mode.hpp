// PostgreSQL's table locks, weakest first.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace athanor {

enum class LockMode : std::uint8_t {
  None,
  AccessShare,
  RowShare,
  RowExclusive,
  ShareUpdateExclusive,
  Share,
  ShareRowExclusive,
  Exclusive,
  AccessExclusive,
};

// As in PostgreSQL's documentation: "SHARE ROW EXCLUSIVE"; empty for None.
[[nodiscard]] std::string_view lock_name(LockMode mode);
// As in pg_locks.mode: "ShareRowExclusiveLock"; empty for None.
[[nodiscard]] std::string_view catalog_lock_name(LockMode mode);
// What the lock blocks: "reads and writes", "writes" or "other schema changes"; empty when it blocks nothing relevant.
[[nodiscard]] std::string_view blocked_by(LockMode mode);

}  // namespace athanor
