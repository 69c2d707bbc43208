// What the backup commands work with: settings, the store, and the backup job.
//
// Threads: one thread. Ownership: a BackupLocation owns its store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "migrations/backup/backup.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor::cli {

struct BackupLocation {
  Configuration configuration;  // its `backup` section is overridden by the flags
  std::unique_ptr<BackupStore> store;
  BackupJob job;
};

// Only writing creates a missing folder: for reading, its name was mistyped. The catalogue is in the database and needs no
// store.
enum class BackupAccess : std::uint8_t { Reading, Writing, Catalogue };
// `reference` is a file or an id; a path also determines the folder.
[[nodiscard]] Result<BackupLocation> open_backup_place(CommandContext& context, Configuration configuration,
                                                       BackupAccess purpose, const std::string& reference = {});
// Creates a backup of the configured database, or accepts a recent one, like `upgrade --backup` and `backup`.
[[nodiscard]] Result<BackupRecord> ensure_backup_here(CommandContext& context, BackupLocation& place);

// The keywords as one libpq connection string, for another database of the same server.
[[nodiscard]] std::string conninfo_of(const ConnectionKeywords& keywords, const std::string& database);

// Sessions for the configured database, or for another one of its server.
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> connect_to(CommandContext& context, const BackupLocation& place,
                                                                 const std::string& database = {});

[[nodiscard]] Json backup_json(const BackupRecord& record);
// "shop-….dump (1.4 GiB, at r1)".
[[nodiscard]] std::string backup_text(const BackupRecord& record);

}  // namespace athanor::cli
