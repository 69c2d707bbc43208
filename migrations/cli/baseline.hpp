// A baseline: one first revision that makes what many made, or what a database holds already. Proven by running it.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/database_rows.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/schema/catalog.hpp"

namespace athanor::cli {

// Every fact of the database but the ledger's and the version table's: nothing is filtered, grants and publications count.
[[nodiscard]] schema::InspectOptions everything(const Configuration& configuration);

// The text of a revision file: header, the lines `above` its first section, the statements that make `catalog`, then `rows`.
// SchemaChangeRefused names objects that no statement can make.
[[nodiscard]] Result<std::string> baseline_text(const Revision& header, const std::string& above,
                                                const schema::Catalog& catalog, const std::string& rows,
                                                const std::string& irreversible);

// Runs the baseline on an empty scratch database, which it returns. ProofFailed when it does not run.
[[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> run_baseline(SchemaWork& work, const Revision& header,
                                                                            const std::string& text);

// ProofFailed with the first lines.
[[nodiscard]] Error baseline_differs(const std::string& message, const std::vector<std::string>& lines);

}  // namespace athanor::cli
