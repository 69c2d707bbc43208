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

// As the documentation writes it: "SHARE ROW EXCLUSIVE"; empty for None.
[[nodiscard]] std::string_view lock_name(LockMode mode);
// As pg_locks.mode writes it: "ShareRowExclusiveLock"; empty for None.
[[nodiscard]] std::string_view catalog_lock_name(LockMode mode);
// What waits behind the lock: "reads and writes", "writes" or "other schema changes"; empty for what hinders nobody.
[[nodiscard]] std::string_view blocked_by(LockMode mode);

}  // namespace athanor
