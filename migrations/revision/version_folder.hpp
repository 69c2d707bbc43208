// One location of revisions on disk: listing names in load order, and opening a file without ever leaving the folder.
//
// Load order is Alembic's: the files of a folder by name (bytes, which is code point order), then its folders by name. Links
// to files may point anywhere inside the location, as mounted ConfigMaps have it (`x.sql -> ..data/x.sql`); a link that leaves
// it is PathEscape. A FIFO or a device never blocks.
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

// The format that a file's extension names.
[[nodiscard]] std::optional<RevisionFormat> format_of(std::string_view file_name);

// A FIFO, socket, device or folder stands where a revision should.
[[nodiscard]] Error not_a_regular_file(const std::string& path);

class VersionFolder {
 public:
  struct Entry {
    std::string name;  // relative to the location
    RevisionFormat format;
    bool link;
    bool regular;
  };

  // `shown` is the path as configured. A missing folder is an Io error that names it.
  [[nodiscard]] static Result<VersionFolder> open(const std::string& shown);

  // Every revision file, as the folder yields them: sort with load_order() afterwards. More than `limit` is FileTooLarge.
  [[nodiscard]] Result<void> scan(bool recursive, std::size_t limit, const std::function<void(Entry)>& found) const;

  // Whether the file `a` (relative names) is loaded before `b`: the files of a folder by name, then its folders by name.
  [[nodiscard]] static bool load_order(std::string_view a, std::string_view b);

  // Opens a file for reading. `real_path`, when given, is filled in for links: what Alembic tells files apart by.
  [[nodiscard]] Result<UniqueFd> open_file(const std::string& name, bool link, std::string* real_path = nullptr) const;

  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] const std::string& real_path() const { return real_path_; }
  [[nodiscard]] int descriptor() const { return folder_.get(); }
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
