// Takes one dump, from the snapshot to the published file. Only for backup.cpp.
//
// Threads: the session's; blocks until done.
#pragma once

#include "migrations/backup/backup.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/backup/database_facts.hpp"

namespace athanor {

inline constexpr const char* kInstalledPrograms = "/usr/lib/postgresql";

// The caller holds the dump slot. Publishes a verified dump or nothing; always ends the snapshot's transaction.
[[nodiscard]] Result<BackupRecord> make_dump(const BackupTools& tools, const BackupJob& job, const ClientPrograms& programs,
                                             Session& session, const DatabaseFacts& facts);

// "15.20" → 15; 0 when the text is not a version.
[[nodiscard]] int parse_major(const std::string& version);

}  // namespace athanor
