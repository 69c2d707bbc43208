// Series of single resources, as their statuses are at the moment of the scrape.
//
// They are read off the store and kept nowhere: a series goes with its resource, survives a restart of the operator, and cannot
// say anything else than the status does. Their number is that of the resources times six; label values are cut at 200 bytes.
//
// Threads: safe from any thread.
#pragma once

#include <string>

#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

// In the text exposition format. Resources that nobody has looked at yet have no series.
[[nodiscard]] std::string resource_series(const ResourceStore& store);

}  // namespace athanor::controller
