// Waits until a DatabaseMigration is Ready by polling the API server: `athanor-operator --wait-for`.
//
// Only a status of the newest generation counts. Stalled ends the wait immediately, because only a person can resolve it. A
// resource that does not exist yet and an unreachable server are retried. A program that must not start before a revision is
// applied should ask the database instead (`athanor wait --revision`): a status shows what the operator knew when it wrote it.
//
// Threads: blocks the caller's thread. Ownership: borrows everything.
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

// Blocks until the resource is Ready and returns the message of Ready. `report`: called with what it waits for, whenever that
// changes. Errors: NotUpToDate after the timeout or when the resource is Stalled; the API server's error when it could not be
// reached until the timeout; ApiForbidden and ApiUnauthorized immediately; Interrupted.
[[nodiscard]] Result<std::string> wait_for_resource(KubeReader& reader, Clock& clock, const ResourceWait& wait,
                                                    const std::function<void(const std::string&)>& report,
                                                    const StopToken& stop);

}  // namespace athanor::controller
