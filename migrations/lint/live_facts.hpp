// What a running database tells: its version, how large its tables are, and the schema where no revision tells it.
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

// One query over the catalog, which locks no table.
[[nodiscard]] Result<LiveDatabase> read_live_database(ReadSession& session);

// `known`, what the revisions tell, completed by what the database tells: sizes always, the rest where `known` has nothing.
void complete(KnownSchema& known, const KnownSchema& live);

}  // namespace athanor
