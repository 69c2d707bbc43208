// A baseline: a first revision that produces what many revisions produced, or what a database already contains. It is proven by
// running it.
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

// Options that inspect every fact of the database except the ledger and the version table: no filters, and with grants and
// publications.
[[nodiscard]] schema::InspectOptions everything(const Configuration& configuration);

// The text of a revision file: header, the lines `above` its first section, the statements that create `catalog`, then `rows`.
// Error: SchemaChangeRefused for objects that no statement can create.
[[nodiscard]] Result<std::string> baseline_text(const Revision& header, const std::string& above,
                                                const schema::Catalog& catalog, const std::string& rows,
                                                const std::string& irreversible);

// Runs the baseline on an empty scratch database and returns it. Error: ProofFailed if a statement fails.
[[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> run_baseline(SchemaWork& work, const Revision& header,
                                                                            const std::string& text);

// The error ProofFailed, with the first lines of the difference.
[[nodiscard]] Error baseline_differs(const std::string& message, const std::vector<std::string>& lines);

}  // namespace athanor::cli
