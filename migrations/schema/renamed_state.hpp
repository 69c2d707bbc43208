// A schema after its renames: only a server knows what every view, function and default looks like then. The renames run on a
// copy of a scratch database, which is inspected again.
//
// What PostgreSQL named after a table goes with it: users_pkey and users_id_seq become customers_pkey and customers_id_seq
// where the goal has them so and nothing else about them differs.
//
// Threads: one thread. Ownership: borrows everything; the copies are dropped.
#pragma once

#include <functional>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/scratch.hpp"

namespace athanor::schema {

using InspectScratch = std::function<Result<Catalog>(const ScratchDatabase& database)>;

struct RenamedState {
  std::vector<Rename> renames{};  // those asked for, and those that go with them
  Catalog catalog{};              // after them
  // Schemas that a table or sequence moves into and that were not there: made before the renames.
  std::vector<std::string> new_schemas{};
};

// `state` is a scratch database that nobody is connected to; `goal` is where the renames lead.
[[nodiscard]] Result<RenamedState> rename_on_copy(ScratchServer& server, const ScratchDatabase& state,
                                                  const std::vector<Rename>& renames, const Catalog& goal,
                                                  const InspectScratch& inspect);

}  // namespace athanor::schema
