// Progress of a backup or restore on standard error: one line per stage, and on a terminal one that is redrawn with the amount
// done.
//
// Threads: the working thread. Ownership: borrows clock and output.
#pragma once

#include <memory>

#include "migrations/backup/backup_progress.hpp"
#include "migrations/cli/output.hpp"

namespace athanor::cli {

// With -q and --json the result prints only warnings.
[[nodiscard]] std::unique_ptr<BackupProgress> make_backup_lines(Output& output, const Clock& clock, bool terminal);

}  // namespace athanor::cli
