// Series of single resources, as their statuses are at the moment of the scrape.
//
// They are read from the store and kept nowhere: a series disappears with its resource, survives a restart of the operator, and
// always agrees with the status. There are up to six for each resource; label values are cut at 200 bytes.
//
// Threads: safe from any thread.
#pragma once

#include <string>

#include "operator/reconcile/migration_store.hpp"

namespace athanor::controller {

// In the text exposition format. Resources that were never reconciled have no series. Holds the store's lock while it reads.
[[nodiscard]] std::string resource_series(const MigrationStore& store);

}  // namespace athanor::controller
