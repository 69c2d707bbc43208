// Waits until a DatabaseMigration is Ready, by asking the API server again and again: `athanor-operator --wait-for`.
//
// A status counts once it is of the newest generation. A Stalled one ends the wait at once, because nothing goes on without a
// person. A resource that does not exist yet, and a server that cannot be reached, are waited for. Whoever must not start
// before a revision asks the database instead (`athanor wait --revision`): a status is what the operator knew when it wrote it.
//
// Threads: the caller's. Ownership: borrows everything.
#pragma once

#include <functional>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"

namespace athanor::controller {

struct ResourceWait {
  ResourceKey key;
  milliseconds timeout{300'000};
  milliseconds interval{2'000};
};

// `told`: what is waited for, whenever that changes. Returns the message of Ready. Errors: NotUpToDate when the time is over or
// the resource is Stalled, the API server's when it could not be asked to the end, ApiForbidden and ApiUnauthorized at once,
// Interrupted.
[[nodiscard]] Result<std::string> wait_for_resource(KubeReader& reader, Clock& clock, const ResourceWait& wait,
                                                    const std::function<void(const std::string&)>& told, const StopToken& stop);

}  // namespace athanor::controller
