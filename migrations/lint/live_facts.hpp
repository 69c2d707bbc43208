// Reads from a running database: its version, the sizes of its tables, and the schema where no revision describes it.
//
// Threads: one thread.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/lint/known_schema.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct LiveDatabase {
  int postgres = 0;  // major version
  KnownSchema facts;
};

// Runs one query on the catalog, which locks no table.
[[nodiscard]] Result<LiveDatabase> read_live_database(ReadSession& session);

// Completes `known`, which comes from revisions, with `live`: table sizes always, everything else only where `known` has
// nothing.
void complete(KnownSchema& known, const KnownSchema& live);

}  // namespace athanor
