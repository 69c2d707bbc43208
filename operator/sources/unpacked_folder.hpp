// A folder of revision files that came from elsewhere (a commit, an archive), and the snapshot made from it.
//
// Only files are written that are named as revisions are, under the names they had there. A name that leads out of the folder,
// or that comes twice, is refused; nothing is ever written through a link. Once sealed the folder does not change, and it is
// removed when the last snapshot that reads from it is gone. People see the names that files have in the repository or archive,
// never where the folder happens to be.
//
// Threads: one thread fills it; a snapshot reads from any. Ownership: owns what is on disk.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/revision/version_folder.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// All the revision files of one source, in bytes.
inline constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{512} << 20U;

inline constexpr std::size_t kMaxPathDepth = 32;  // names in a path

// "./a//b/" is "a/b"; nothing for a path that is absolute, leads out or is too deep or long, or holds what no file name may
// hold.
[[nodiscard]] std::optional<std::string> clean_inner_path(std::string_view path);
// Whether a file of this clean path, relative to the source's folder, belongs to the source.
[[nodiscard]] bool is_revision_path(std::string_view path, bool recursive);

class UnpackedFolder {
 public:
  // Below `parent`, which is made when it is not there.
  [[nodiscard]] static Result<std::unique_ptr<UnpackedFolder>> create(const std::string& parent);
  ~UnpackedFolder();
  UnpackedFolder(const UnpackedFolder&) = delete;
  UnpackedFolder& operator=(const UnpackedFolder&) = delete;

  // Names are clean. Links come last: none may stand where a folder is wanted.
  [[nodiscard]] Result<UniqueFd> create_file(const std::string& name);
  [[nodiscard]] Result<void> create_link(const std::string& name, const std::string& target);
  [[nodiscard]] static Result<void> append(const UniqueFd& file, std::string_view bytes);
  // From here on nobody writes.
  void seal();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit UnpackedFolder(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<UniqueFd> open_parent(const std::string& name);

  std::string path_;
  std::vector<std::string> folders_;  // made below it
};

struct UnpackedContent {
  std::string id;        // of the snapshot
  std::string revision;  // for people
  std::string folder;    // what the folder is called where it came from; empty: the root
  bool recursive = false;
  SourceLimits limits;
};
[[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> make_snapshot(std::unique_ptr<UnpackedFolder> folder,
                                                                    const UnpackedContent& content);

// What a source that is too large is told.
[[nodiscard]] Error too_large(const std::string& message);

}  // namespace athanor::controller
