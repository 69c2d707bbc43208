// A scratch database with a backup in it, for a rehearsal on real rows. It proves the backup too: the dump is verified and
// restored.
//
// What belongs to a role in the backup belongs to the scratch server's role in the copy, and nobody is granted anything there.
//
// Threads: one thread; starts pg_restore. Ownership: borrows everything; the copy borrows its server.
#pragma once

#include <string>

#include "migrations/backup/backup.hpp"
#include "migrations/rehearse/schema_copy.hpp"

namespace athanor {

struct BackupCopyRequest {
  schema::ScratchServer& server;
  BackupStore& store;
  const BackupRecord& record;
  // Programs and surroundings. Its connection is replaced by that of the copy, which `keywords` reads from a URL.
  BackupJob job;
  std::function<Result<ConnectionKeywords>(const std::string& url)> keywords;
  const schema::Catalog& live;  // what the copy is compared with
  const Plan& plan;
  const schema::InspectOptions& options;
};

// BackupCorrupt, or what pg_restore or the scratch server says.
[[nodiscard]] Result<CopiedSchema> copy_backup(const BackupCopyRequest& request, BackupProgress& progress, Clock& clock,
                                               const StopToken& stop);

}  // namespace athanor
