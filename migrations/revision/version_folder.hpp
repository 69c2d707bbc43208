// One location of revisions on disk: lists names and opens files without ever leaving the folder.
//
// Load order is Alembic's: first the files of a folder by name (as bytes, which is code point order), then its subfolders by
// name. A link to a file may point anywhere inside the location, as in a mounted ConfigMap (`x.sql -> ..data/x.sql`); a link
// that leaves it is PathEscape. A FIFO or device never blocks.
//
// Threads: const after open(); share freely. Ownership: owns the folder's descriptor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// The format that a file's extension indicates; empty for other files.
[[nodiscard]] std::optional<RevisionFormat> format_of(std::string_view file_name);

// The error for a FIFO, socket, device or folder in place of a revision.
[[nodiscard]] Error not_a_regular_file(const std::string& path);

class VersionFolder {
 public:
  struct Entry {
    std::string name;  // relative to the location
    RevisionFormat format;
    bool link;
    bool regular;
  };

  // `shown` is the path as configured. Error: Io, with the name, for a missing folder.
  [[nodiscard]] static Result<VersionFolder> open(const std::string& shown);

  // Calls `found` for every revision file, in the folder's own order: sort with load_order() afterwards. Error: FileTooLarge
  // for more than `limit` files.
  [[nodiscard]] Result<void> scan(bool recursive, std::size_t limit, const std::function<void(Entry)>& found) const;

  // Whether the file `a` is loaded before `b` (relative names): files of a folder by name, then its subfolders by name.
  [[nodiscard]] static bool load_order(std::string_view a, std::string_view b);

  // Opens a file for reading. For a link, sets `real_path` if given: Alembic identifies files by it.
  [[nodiscard]] Result<UniqueFd> open_file(const std::string& name, bool link, std::string* real_path = nullptr) const;

  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] const std::string& real_path() const { return real_path_; }
  [[nodiscard]] int descriptor() const { return folder_.get(); }
  // "location/name", for messages and Revision::path.
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  VersionFolder(std::string shown, std::string real_path, UniqueFd folder)
      : shown_(std::move(shown)), real_path_(std::move(real_path)), folder_(std::move(folder)) {}

  struct Walk;
  [[nodiscard]] Result<void> scan_folder(const std::string& relative, Walk& walk) const;
  [[nodiscard]] Result<void> note_name(const std::string& prefix, std::string_view name, unsigned char type, Walk& walk,
                                       std::vector<std::string>& folders) const;
  [[nodiscard]] bool follow_folder_link(const std::string& name) const;
  [[nodiscard]] Result<UniqueFd> open_link(const std::string& name, std::string* real_path) const;
  [[nodiscard]] bool contains(std::string_view real_path) const;

  std::string shown_;
  std::string real_path_;
  UniqueFd folder_;
};

}  // namespace athanor
