// Metrics of each resource, computed from its status at the time of the scrape.
//
// They are read from the store and kept nowhere else: a series disappears with its resource, survives a restart of the
// operator, and always agrees with the status. Each resource has up to eight series; label values are cut at 200 bytes.
//
// Threads: safe from any thread.
#pragma once

#include <string>

#include "operator/reconcile/migration_store.hpp"

namespace athanor::controller {

// Returns the series in the text exposition format. Resources that were never reconciled have none. Holds the store's lock
// while it reads.
[[nodiscard]] std::string resource_series(const MigrationStore& store);

}  // namespace athanor::controller
