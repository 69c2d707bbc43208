// Sources of revisions. A RevisionSource lists headers in Alembic's load order (locations in configured order, then files by
// name; this order decides all ties) and reads a body when a plan needs it.
//
// FolderSource reads native *.sql and Alembic *.py files, also mixed, within the limits below. Listing costs one directory scan
// and one small read per file; other bodies are never parsed. Ignored are other extensions, names that begin with ".", *.sql
// names that begin with "_", __init__*.py, and *.py names that begin with "_" unless they assign `revision` (Alembic loads
// those). Any other *.sql file without a "-- Revision:" header is an error, and so is a *.py file without `revision`, as in
// Alembic. A file reachable twice, through a link or a second location, counts once.
//
// Threads: list() and read() are const and may be called from any thread. Ownership: owns nothing on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

struct SourceLimits {
  std::size_t max_file_bytes = 64U << 20U;  // a larger file is FileTooLarge; the error names the limit
  std::size_t max_files = 100'000;
  // Of all revision files of one source together. Only the operator's sources check it.
  std::uint64_t max_source_bytes = UINT64_MAX;
};

// Where to cache headers between runs (header_cache.hpp). Without a folder and a clock there is no cache.
struct HeaderCacheSettings {
  std::string folder;
  const Clock* clock = nullptr;  // borrowed
};

class RevisionSource {
 public:
  virtual ~RevisionSource() = default;
  // Returns all revision headers in load order. Errors name file and line.
  [[nodiscard]] virtual Result<std::vector<Revision>> list() const = 0;
  // Returns the whole file as UTF-8 text, without BOM and with CRLF replaced by LF, so that a checksum does not depend on
  // checkout settings. Refuses NUL bytes and invalid UTF-8.
  [[nodiscard]] virtual Result<std::string> read(const Revision& revision) const = 0;
  // The SHA-256 of that text, as the ledger stores it.
  [[nodiscard]] virtual Result<std::string> checksum(const Revision& revision) const {
    TRY_ASSIGN(const std::string text, read(revision));
    return sha256_hex(text);
  }
};

class FolderSource final : public RevisionSource {
 public:
  // Searches `locations` in order; relative ones are resolved against the current folder. Errors: Io for a missing location,
  // with its name; PathEscape for a symbolic link that leaves its location.
  FolderSource(std::vector<std::string> locations, bool recursive, SourceLimits limits = {}, HeaderCacheSettings cache = {});
  [[nodiscard]] Result<std::vector<Revision>> list() const override;
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override;

 private:
  std::vector<std::string> locations_;
  bool recursive_;
  SourceLimits limits_;
  HeaderCacheSettings cache_;
};

// Revisions in memory: for tests, and for sources that fetch before they list. Load order is the given order. A name that ends
// in ".py" is an Alembic file, any other a native one. Revision::path is the name.
class MemorySource final : public RevisionSource {
 public:
  struct File {
    std::string name;
    std::string text;
  };
  explicit MemorySource(std::vector<File> files) : files_(std::move(files)) {}
  [[nodiscard]] Result<std::vector<Revision>> list() const override;
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override;

 private:
  std::vector<File> files_;
};

}  // namespace athanor
