// What the commands about backups stand on: settings, the store, and the job as the backup room wants it.
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
  Configuration configuration;  // with the flags laid over its `backup` section
  std::unique_ptr<BackupStore> store;
  BackupJob job;
};

// Only who writes makes a folder that is missing; who reads mistyped it. The catalogue is in the database: no store at all.
enum class BackupAccess : std::uint8_t { Reading, Writing, Catalogue };
// `reference` is a file or an id: a path names the folder too.
[[nodiscard]] Result<BackupLocation> open_backup_place(CommandContext& context, Configuration configuration,
                                                       BackupAccess purpose, const std::string& reference = {});
// Takes or accepts one for the database of the configuration, as `upgrade --backup` and `backup` do.
[[nodiscard]] Result<BackupRecord> ensure_backup_here(CommandContext& context, BackupLocation& place);

// The keywords as libpq reads them from one string, for another database of the server.
[[nodiscard]] std::string conninfo_of(const ConnectionKeywords& keywords, const std::string& database);

// Sessions for the database of the URL, or another one of its server.
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> connect_to(CommandContext& context, const BackupLocation& place,
                                                                 const std::string& database = {});

[[nodiscard]] Json backup_json(const BackupRecord& record);
// "shop-….dump (1.4 GiB, of r1)".
[[nodiscard]] std::string backup_text(const BackupRecord& record);

}  // namespace athanor::cli
