// Computes the catalog of a schema after renames. Only a server knows how it prints every view, function and default then, so
// the renames run on a copy of a scratch database, which is inspected again.
//
// Objects that PostgreSQL named after a table follow it: users_pkey and users_id_seq become customers_pkey and customers_id_seq
// if the goal names them so and nothing else about them differs.
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
  std::vector<Rename> renames{};  // the requested ones, and those that follow from them
  Catalog catalog{};              // the catalog after all renames
  // Missing schemas that a table or sequence moves into: created before the renames.
  std::vector<std::string> new_schemas{};
};

// `state` is a scratch database without connected sessions; `goal` is the catalog that the renames lead to. Errors are the
// server's.
[[nodiscard]] Result<RenamedState> rename_on_copy(ScratchServer& server, const ScratchDatabase& state,
                                                  const std::vector<Rename>& renames, const Catalog& goal,
                                                  const InspectScratch& inspect);

}  // namespace athanor::schema
