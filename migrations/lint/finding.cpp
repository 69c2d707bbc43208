#include "migrations/lint/finding.hpp"

#include <algorithm>
#include <array>

#include "migrations/lint/lock_mode.hpp"

namespace athanor {
namespace {

constexpr std::array<std::string_view, 4> kSeverities{"off", "info", "warning", "error"};

struct LockWords {
  std::string_view name;
  std::string_view catalog;
};
constexpr std::array kLocks{
    LockWords{"", ""},
    LockWords{"ACCESS SHARE", "AccessShareLock"},
    LockWords{"ROW SHARE", "RowShareLock"},
    LockWords{"ROW EXCLUSIVE", "RowExclusiveLock"},
    LockWords{"SHARE UPDATE EXCLUSIVE", "ShareUpdateExclusiveLock"},
    LockWords{"SHARE", "ShareLock"},
    LockWords{"SHARE ROW EXCLUSIVE", "ShareRowExclusiveLock"},
    LockWords{"EXCLUSIVE", "ExclusiveLock"},
    LockWords{"ACCESS EXCLUSIVE", "AccessExclusiveLock"},
};
static_assert(kLocks.size() == static_cast<std::size_t>(LockMode::AccessExclusive) + 1);

}  // namespace

std::string_view severity_name(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> severity_named(std::string_view name) {
  const auto found = std::ranges::find(kSeverities, name);
  return found == kSeverities.end() ? std::nullopt : std::optional(static_cast<Severity>(found - kSeverities.begin()));
}

std::string_view lock_name(LockMode mode) {
  return kLocks[static_cast<std::size_t>(mode)].name;
}

std::string_view catalog_lock_name(LockMode mode) {
  return kLocks[static_cast<std::size_t>(mode)].catalog;
}

std::string_view blocked_by(LockMode mode) {
  if (mode == LockMode::AccessExclusive) {
    return "reads and writes";
  }
  if (mode >= LockMode::Share) {
    return "writes";
  }
  return mode == LockMode::ShareUpdateExclusive ? "other schema changes" : "";
}

}  // namespace athanor
