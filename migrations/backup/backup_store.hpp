// Where backups are kept: names and bytes, and nothing about databases.
//
// What is being written cannot be seen under its name. publish() makes the dump and its manifest appear, the manifest first, so
// that a dump without one is never ours. The contract is tested once for every implementation
// (tests/unit/backup/store_contract_test.cpp). A folder is the first; others follow.
//
// Threads: a store may be shared between threads; a writer or reader belongs to one. Ownership: writers and readers borrow the
// store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor {

class BackupReader {
 public:
  virtual ~BackupReader() = default;
  // 0 is the end.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

// One file being written. Destroyed without publish(), it leaves nothing.
class BackupWriter {
 public:
  virtual ~BackupWriter() = default;
  // No room is BackupFailed.
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
  // Everything is on stable storage.
  [[nodiscard]] virtual Result<void> finish() = 0;
  // Reads what was written back from storage, after finish().
  [[nodiscard]] virtual Result<std::unique_ptr<BackupReader>> read_back() = 0;
  // The file and, before it, its manifest appear under their names. Never replaces anything.
  [[nodiscard]] virtual Result<void> publish(std::string_view manifest) = 0;
};

struct StoredFile {
  std::string name;
  std::uint64_t size = 0;
};

class BackupStore {
 public:
  virtual ~BackupStore() = default;
  // "/var/backups": for messages.
  [[nodiscard]] virtual std::string describe() const = 0;
  // Where a file of this name is, for people.
  [[nodiscard]] virtual std::string location(std::string_view name) const = 0;
  // What is published, sorted by name; files of others included.
  [[nodiscard]] virtual Result<std::vector<StoredFile>> list() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<BackupWriter>> create(const std::string& name) = 0;
  // BackupNotFound when there is no such file.
  [[nodiscard]] virtual Result<std::unique_ptr<BackupReader>> open(const std::string& name) = 0;
  // Success when it is gone, whoever removed it.
  [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
  // Bytes that can still be written; empty when the store cannot tell.
  [[nodiscard]] virtual Result<std::optional<std::uint64_t>> free_space() = 0;
  // Removes what writers that died left behind. How many there were.
  [[nodiscard]] virtual Result<int> clean(WallTime now) = 0;
  // A path that a program of this machine can open; empty when there is none.
  [[nodiscard]] virtual std::string local_path(const std::string& name) const = 0;
};

// A small file as a whole: a manifest. BackupCorrupt beyond 1 MiB.
[[nodiscard]] Result<std::string> read_small(BackupStore& store, const std::string& name);

}  // namespace athanor
