// A scratch database with the schema of a live one, for a rehearsal, and what is known of the live one's sizes.
//
// The copy has every object of the schema and no rows. On PostgreSQL 18 and later it also has the planner's numbers: pages and
// rows of tables and indexes; nulls, widths, distinct values and correlation of columns. Most common values and histograms are
// rows of the live database and stay there. Older servers cannot be given any of this.
//
// Threads: one thread. Ownership: a copy borrows its server, which must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/schema/renamed_state.hpp"
#include "migrations/schema/scratch.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// By the server's statistics, as of the last ANALYZE or VACUUM.
struct LiveSize {
  std::int64_t rows = -1;  // -1: never analysed
  std::int64_t bytes = 0;  // of the main file
};
using LiveSizes = std::map<std::string, LiveSize>;  // by "public.orders", tables, indexes and materialised views

struct LiveSchema {
  schema::Catalog catalog;
  LiveSizes sizes{};
};

struct CopiedSchema {
  std::unique_ptr<schema::ScratchDatabase> database;
  schema::InspectScratch inspect;         // reads what `options` asked for
  std::vector<std::string> difference{};  // to the live schema; empty: it is the same
  bool has_statistics = false;
};

// Everything but the version table and the ledger, whatever a comparison would leave out: a revision may need it.
[[nodiscard]] schema::InspectOptions whole_schema(const std::string& version_table, const std::string& ledger_schema);

// In two queries' time; locks no table.
[[nodiscard]] Result<LiveSchema> read_live_schema(Session& live, const schema::InspectOptions& options);
// `live_session` may be null: then there are no statistics. The roles that the schema and the plan name are provided, as
// ScratchServer does that.
[[nodiscard]] Result<CopiedSchema> copy_schema(schema::ScratchServer& server, const schema::Catalog& live,
                                               Session* live_session, const Plan& plan, const schema::InspectOptions& options);
// Roles that the schema names are provided.
[[nodiscard]] Result<void> provide_schema_roles(schema::ScratchServer& server, const schema::Catalog& catalog);
// Roles that the statements of a plan name are provided; those that it creates are not there.
[[nodiscard]] Result<void> prepare_roles(schema::ScratchServer& server, const Plan& plan);

}  // namespace athanor
