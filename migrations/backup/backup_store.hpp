// Stores backups as named files, without knowledge of databases.
//
// A file that is being written is not visible under its name. publish() makes the manifest and then the dump appear, so a dump
// without a manifest is never ours. Every implementation passes the same contract tests
// (tests/unit/backup/store_contract_test.cpp).
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
  // Fills the buffer and returns the number of bytes; 0 means the end.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

// One file being written. Destroying it without publish() removes the file.
class BackupWriter {
 public:
  virtual ~BackupWriter() = default;
  // Error: BackupFailed when there is no space.
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
  // Flushes everything to stable storage.
  [[nodiscard]] virtual Result<void> finish() = 0;
  // Opens what was written for reading from storage. Call after finish().
  [[nodiscard]] virtual Result<std::unique_ptr<BackupReader>> read_back() = 0;
  // Makes the manifest and then the file appear under their names. Never replaces an existing file.
  [[nodiscard]] virtual Result<void> publish(std::string_view manifest) = 0;
};

struct StoredFile {
  std::string name;
  std::uint64_t size = 0;
};

class BackupStore {
 public:
  virtual ~BackupStore() = default;
  // The store in messages: "/var/backups".
  [[nodiscard]] virtual std::string describe() const = 0;
  // The location of a file, in messages.
  [[nodiscard]] virtual std::string location(std::string_view name) const = 0;
  // All published files, sorted by name, including those of other programs.
  [[nodiscard]] virtual Result<std::vector<StoredFile>> list() = 0;
  // Starts a new file. Error: BackupRefused for an invalid name or a store that cannot be written to.
  [[nodiscard]] virtual Result<std::unique_ptr<BackupWriter>> create(const std::string& name) = 0;
  // Error: BackupNotFound when there is no such file.
  [[nodiscard]] virtual Result<std::unique_ptr<BackupReader>> open(const std::string& name) = 0;
  // Succeeds when the file is gone, even if someone else removed it.
  [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
  // Bytes that can still be written; empty when unknown.
  [[nodiscard]] virtual Result<std::optional<std::uint64_t>> free_space() = 0;
  // Removes files that crashed writers left behind; returns how many.
  [[nodiscard]] virtual Result<int> clean(WallTime now) = 0;
  // A path that a local program can open; empty when there is none.
  [[nodiscard]] virtual std::string local_path(const std::string& name) const = 0;
};

// Reads a small file, such as a manifest, as a whole. Error: BackupCorrupt beyond 1 MiB.
[[nodiscard]] Result<std::string> read_small(BackupStore& store, const std::string& name);

}  // namespace athanor
