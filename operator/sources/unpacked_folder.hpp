// A folder of revision files from a commit or an archive, and the snapshot made from it.
//
// It contains only files with the names of revisions, under their original names. A name that leads out of the folder or occurs
// twice is refused, and nothing is written through a link. Once sealed, the folder does not change; it is deleted with the last
// snapshot that reads from it. Messages show the names that files have in the repository or archive, not the folder's path.
//
// Threads: one thread fills it; a snapshot reads from any. Ownership: owns the files on disk.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/revision/version_folder.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/sources/cache_quota.hpp"

namespace athanor::controller {

// The limit for all revision files of one source together, in bytes.
inline constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{512} << 20U;

inline constexpr std::size_t kMaxPathDepth = 32;  // names in a path

// Returns the clean form of a path: "./a//b/" becomes "a/b". nullopt when it is absolute, leads out of its root, is too deep or
// too long, or contains a NUL.
[[nodiscard]] std::optional<std::string> clean_inner_path(std::string_view path);
// Whether a file with this clean path, relative to the source's folder, belongs to the source.
[[nodiscard]] bool is_revision_path(std::string_view path, bool recursive);

class UnpackedFolder {
 public:
  // Creates an empty folder below `parent`, which is created if necessary. Error: Io.
  [[nodiscard]] static Result<std::unique_ptr<UnpackedFolder>> create(const std::string& parent);
  ~UnpackedFolder();
  UnpackedFolder(const UnpackedFolder&) = delete;
  UnpackedFolder& operator=(const UnpackedFolder&) = delete;

  // Create a file or a link. `name` must be clean. Create links after all files: a link must not be in the place of a folder.
  // Errors: PathEscape when the name exists or is below a link; MalformedRevision when it cannot be shown; Io.
  [[nodiscard]] Result<UniqueFd> create_file(const std::string& name);
  [[nodiscard]] Result<void> create_link(const std::string& name, const std::string& target);
  // Writes all of `bytes`. Error: Io.
  [[nodiscard]] static Result<void> append(const UniqueFd& file, std::string_view bytes);
  // Counts its bytes for the namespace until it is removed. FileTooLarge: the namespace would exceed its quota.
  [[nodiscard]] Result<void> hold(const CacheQuota& quota, const std::string& name_space, SteadyTime now);
  // Makes the folder read-only.
  void seal();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit UnpackedFolder(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<UniqueFd> open_parent(const std::string& name);

  std::string path_;
  std::vector<std::string> folders_;  // the folders created below path_
  std::unique_ptr<CacheQuota::Item> held_;
};

struct UnpackedContent {
  std::string id;        // of the snapshot
  std::string revision;  // for display
  std::string folder;    // its name in the repository or archive; empty: the root
  bool recursive = false;
  SourceLimits limits;
};
// Seals the folder and makes a snapshot that owns it. Errors: those of listing the revisions and building their graph.
[[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> make_snapshot(std::unique_ptr<UnpackedFolder> folder,
                                                                    const UnpackedContent& content);

// The error for a source above a limit, with advice how to raise it.
[[nodiscard]] Error too_large(const std::string& message);

}  // namespace athanor::controller
