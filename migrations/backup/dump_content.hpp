// Verifies that a dump is complete: compares its checksum, and lets pg_restore decode every block of every table.
//
// A listing is not enough: `pg_restore -l` accepts a file that ends in the middle of a table.
//
// Threads: blocks until pg_restore has ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "migrations/backup/backup_store.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

struct DumpContent {
  std::string sha256;
  std::uint64_t size = 0;
};

// Called with the number of bytes read so far.
using ByteCount = std::function<void(std::uint64_t)>;

// Reads the dump once for both checks. Error: BackupCorrupt, naming the check that failed. `name` is used in messages.
[[nodiscard]] Result<void> verify_dump(BackupReader& reader, const DumpContent& expected, const ClientPrograms& programs,
                                       const std::vector<std::string>& environment, const std::string& name,
                                       const ByteCount& count, const StopToken& stop);

// Reads a dump for its checksum and size only.
[[nodiscard]] Result<DumpContent> read_content(BackupReader& reader, const StopToken& stop);
// Error: BackupCorrupt when they differ.
[[nodiscard]] Result<void> require_same(const DumpContent& found, const DumpContent& expected, const std::string& name);

}  // namespace athanor
