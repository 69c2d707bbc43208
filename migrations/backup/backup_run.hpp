// One dump from the snapshot to the published file; for backup.cpp, and nobody else.
#pragma once

#include "migrations/backup/backup.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/backup/database_facts.hpp"

namespace athanor {

inline constexpr const char* kInstalledPrograms = "/usr/lib/postgresql";

// The caller has its turn. Ends the snapshot's transaction in any case; publishes a verified dump or nothing.
[[nodiscard]] Result<BackupRecord> make_dump(const BackupTools& tools, const BackupJob& job, const ClientPrograms& programs,
                                             Session& session, const DatabaseFacts& facts);

// "15.20" → 15; 0 when it is no version.
[[nodiscard]] int parse_major(const std::string& version);

}  // namespace athanor
