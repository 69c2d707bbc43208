// Whether the files of a source may be acted on at all.
//
// Threads: pure functions.
#pragma once

#include <optional>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/reconcile/verdict.hpp"

namespace athanor::controller {

// MalformedRevision when the source holds no revision, unless the target is base; names what was found instead.
[[nodiscard]] Result<void> check_source(const DatabaseMigration& resource, const SourceSnapshot& snapshot);
// The verdict that waits until the source shows spec.source.revision; empty when it does, or when none is asked for.
[[nodiscard]] std::optional<Verdict> wait_for_source(const DatabaseMigration& resource, const SourceSnapshot& seen);

}  // namespace athanor::controller
