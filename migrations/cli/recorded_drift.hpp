// `drift` against the catalog that the ledger recorded, and `drift --accept`.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/drift/compare_catalog.hpp"

namespace athanor::cli {

// Of the configuration with the filters of the command line over it.
[[nodiscard]] DriftSettings drift_settings(const CommandContext& context, const Configuration& configuration);

// The database without the revisions on disk.
struct RecordedState {
  Configuration configuration;
  Database database;
  Observation observation;
};
[[nodiscard]] Result<RecordedState> observe_recorded(CommandContext& context);

// What the database's last run left, against what it is now. Unknown too when the role may not read the record.
[[nodiscard]] Result<DriftCheck> check_recorded(CommandContext& context, RecordedState& state);
// The check in words and fields, and the statements both ways. Drifted when something changed; `check` must know.
[[nodiscard]] Result<void> report_recorded(CommandContext& context, DriftCheck check);
// --against ledger, and nothing to compare with.
[[nodiscard]] Error nothing_recorded(const DriftCheck& check);
// Records the present schema as the expected one, and tells what is accepted with that.
[[nodiscard]] Result<void> accept_drift(CommandContext& context, RecordedState& state);

}  // namespace athanor::cli
