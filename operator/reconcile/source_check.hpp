// Checks whether a source's files may be used at all.
//
// Threads: pure functions.
#pragma once

#include <optional>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/reconcile/verdict.hpp"

namespace athanor::controller {

// Error: MalformedRevision when the source has no revision files, unless the target is base; the message names what was found
// instead.
[[nodiscard]] Result<void> check_source(const DatabaseMigration& resource, const SourceSnapshot& snapshot);
// Returns a verdict that waits until the source has the content spec.source.revision; nullopt when it has, or when none is
// declared.
[[nodiscard]] std::optional<Verdict> wait_for_source(const DatabaseMigration& resource, const SourceSnapshot& snapshot);

}  // namespace athanor::controller
