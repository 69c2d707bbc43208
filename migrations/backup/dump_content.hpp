// Is a dump whole? Reads all of it: the checksum is compared, and pg_restore decodes every block of every table.
//
// A listing is not enough: `pg_restore -l` is content with a file that ends in the middle of a table.
//
// Threads: blocks until the program is gone.
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

// Bytes read so far.
using ByteCount = std::function<void(std::uint64_t)>;

// Reads once, for both. BackupCorrupt says which of the two failed; `name` is for messages.
[[nodiscard]] Result<void> verify_dump(BackupReader& reader, const DumpContent& expected, const ClientPrograms& programs,
                                       const std::vector<std::string>& environment, const std::string& name,
                                       const ByteCount& count, const StopToken& stop);

// Checksum and size alone.
[[nodiscard]] Result<DumpContent> read_content(BackupReader& reader, const StopToken& stop);
// Compares; BackupCorrupt.
[[nodiscard]] Result<void> require_same(const DumpContent& found, const DumpContent& expected, const std::string& name);

}  // namespace athanor
