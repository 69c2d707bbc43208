// How a backup or a restore looks while it goes on, on standard error: one line per stage, and on a terminal one that is
// redrawn with what is done.
//
// Threads: the working thread's. Ownership: borrows clock and output.
#pragma once

#include <memory>

#include "migrations/backup/backup_progress.hpp"
#include "migrations/cli/output.hpp"

namespace athanor::cli {

// One that says nothing but warnings with -q and --json.
[[nodiscard]] std::unique_ptr<BackupProgress> make_backup_lines(Output& output, const Clock& clock, bool terminal);

}  // namespace athanor::cli
