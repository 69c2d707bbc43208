// Where revisions come from. A RevisionSource lists the headers in Alembic's load order (locations in configured order,
// files by name: the order decides ties everywhere) and reads one body when a plan asks for it.
//
// FolderSource reads native *.sql and Alembic *.py files, mixed if need be, under the limits below. Listing costs one
// directory scan and one small read per file; bodies of revisions that are not asked for are never parsed. Passed over: other
// extensions, names that begin with ".", *.sql names that begin with "_", __init__*.py, and *.py names that begin with "_"
// unless they assign `revision` (Alembic loads those). Any other *.sql file without a "-- Revision:" header is an error, a *.py
// file without `revision` too, as in Alembic. A file reached twice, through a link or a second location, counts once.
//
// Threads: list() and read() are const and may be called from any thread. Ownership: the source owns nothing on disk.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

struct SourceLimits {
  std::size_t max_file_bytes = 64U << 20U;  // a larger file is FileTooLarge and names the limit
  std::size_t max_files = 100'000;
};

// Where headers may be kept between runs (header_cache.hpp). Without a folder and a clock they are not.
struct HeaderCacheSettings {
  std::string folder;
  const Clock* clock = nullptr;  // borrowed
};

class RevisionSource {
 public:
  virtual ~RevisionSource() = default;
  // Every revision header, in load order. Errors name file and line.
  [[nodiscard]] virtual Result<std::vector<Revision>> list() const = 0;
  // The whole file as UTF-8 text: BOM removed, CRLF turned into LF (so a checksum does not depend on a checkout's settings).
  // NUL bytes and invalid UTF-8 are refused.
  [[nodiscard]] virtual Result<std::string> read(const Revision& revision) const = 0;
  // SHA-256 of that text, as the ledger keeps it.
  [[nodiscard]] virtual Result<std::string> checksum(const Revision& revision) const {
    TRY_ASSIGN(const std::string text, read(revision));
    return sha256_hex(text);
  }
};

class FolderSource final : public RevisionSource {
 public:
  // `locations` are searched in order; relative ones resolve against the current folder. A location that is missing is an
  // Io error naming it. Symbolic links that leave their location are PathEscape.
  FolderSource(std::vector<std::string> locations, bool recursive, SourceLimits limits = {}, HeaderCacheSettings cache = {});
  [[nodiscard]] Result<std::vector<Revision>> list() const override;
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override;

 private:
  std::vector<std::string> locations_;
  bool recursive_;
  SourceLimits limits_;
  HeaderCacheSettings cache_;
};

// Revisions held in memory: for tests, and for sources that fetch before they list. Load order is the order given; a name that
// ends in ".py" is an Alembic file, any other a native one. Revision::path is the name.
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
