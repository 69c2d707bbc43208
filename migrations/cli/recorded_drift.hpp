// `drift` against the catalog that the ledger recorded, and `drift --accept`.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/drift/compare_catalog.hpp"

namespace athanor::cli {

// The settings of the configuration, with the filters of the command line.
[[nodiscard]] DriftSettings drift_settings(const CommandContext& context, const Configuration& configuration);

// The state of the database, without the revisions on disk.
struct RecordedState {
  Configuration configuration;
  Database database;
  Observation observation;
};
[[nodiscard]] Result<RecordedState> observe_recorded(CommandContext& context);

// Compares the schema with the one recorded after the last run. Also Unknown if the role may not read the record.
[[nodiscard]] Result<DriftCheck> check_recorded(CommandContext& context, RecordedState& state);
// Reports the result in text and JSON, with the statements in both directions. Error: Drifted if the schema changed. The state
// of `check` must not be Unknown.
[[nodiscard]] Result<void> report_recorded(CommandContext& context, RecordedState& state, DriftCheck check);
// The error for --against ledger without a comparable record.
[[nodiscard]] Error nothing_recorded(const DriftCheck& check);
// Records the current schema as the expected one, and reports which changes that accepts.
[[nodiscard]] Result<void> accept_drift(CommandContext& context, RecordedState& state);

}  // namespace athanor::cli
