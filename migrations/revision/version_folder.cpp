#include "migrations/revision/version_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

namespace athanor {
namespace {

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr std::size_t kMaxFolderDepth = 32;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

std::string reason(int number) {
  return std::generic_category().message(number);
}

Error io_error(const std::string& what, const std::string& path, int number) {
  return Error(ErrorCode::Io, what + ": " + reason(number)).at(path);
}

// /proc/thread-self instead of /proc/self: a thread that reads headers has its own descriptor table (header_scan.cpp).
std::string name_of(int descriptor) {
  return "/proc/thread-self/fd/" + std::to_string(descriptor);
}

// The real path of a descriptor; empty when /proc is not mounted.
std::string real_path_of(int descriptor) {
  std::array<char, PATH_MAX> target{};
  const auto link = name_of(descriptor);
  const auto length = ::readlink(link.c_str(), target.data(), target.size());
  return length > 0 && target[0] == '/' ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string{};
}

std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string{};
}

}  // namespace

std::optional<RevisionFormat> format_of(std::string_view file_name) {
  if (file_name.empty() || file_name.front() == '.') {
    return std::nullopt;
  }
  if (file_name.ends_with(".sql") && file_name.front() != '_') {
    return RevisionFormat::NativeSql;
  }
  if (file_name.ends_with(".py") && !file_name.starts_with("__init__")) {
    return RevisionFormat::AlembicPython;
  }
  return std::nullopt;
}

Error not_a_regular_file(const std::string& path) {
  return Error(ErrorCode::MalformedRevision, "not a regular file").at(path).advise("move it out of the versions folder");
}

struct VersionFolder::Walk {
  const std::function<void(Entry)>& found;
  std::set<std::pair<dev_t, ino_t>> visited;  // only links can form a cycle, but the walk must end
  std::size_t limit;
  bool recursive;
  std::size_t count = 0;
  std::size_t depth = 0;
};

Result<VersionFolder> VersionFolder::open(const std::string& shown) {
  UniqueFd folder(::open(shown.empty() ? "." : shown.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    const int number = errno;
    return fail(io_error("cannot open the folder of revisions", shown, number)
                    .with_retry(RetryClass::Terminal)
                    .advise("create it, or correct `version_locations`"));
  }
  auto real = real_path_of(folder.get());
  if (real.empty()) {
    // /proc is not mounted.
    real = resolve(shown.empty() ? "." : shown);
  }
  auto trimmed = shown;
  while (trimmed.size() > 1 && trimmed.back() == '/') {
    trimmed.pop_back();
  }
  return VersionFolder(std::move(trimmed), std::move(real), std::move(folder));
}

std::string VersionFolder::path_of(std::string_view name) const {
  std::string path;
  path.reserve(shown_.size() + 1 + name.size());
  path += shown_;
  if (!path.empty() && path.back() != '/') {
    path += '/';
  }
  path += name;
  return path;
}

bool VersionFolder::contains(std::string_view real_path) const {
  return real_path_ == "/" ||
         (real_path.starts_with(real_path_) && real_path.size() > real_path_.size() && real_path[real_path_.size()] == '/');
}

Result<void> VersionFolder::scan(bool recursive, std::size_t limit, const std::function<void(Entry)>& found) const {
  Walk walk{.found = found, .visited = {}, .limit = limit, .recursive = recursive};
  return scan_folder("", walk);
}

bool VersionFolder::load_order(std::string_view a, std::string_view b) {
  while (true) {
    const auto slash_a = a.find('/');
    const auto slash_b = b.find('/');
    const bool file_a = slash_a == std::string_view::npos;
    if (file_a != (slash_b == std::string_view::npos)) {
      return file_a;
    }
    const auto order = a.substr(0, slash_a).compare(b.substr(0, slash_b));
    if (file_a || order != 0) {
      return order < 0;
    }
    a.remove_prefix(slash_a + 1);
    b.remove_prefix(slash_b + 1);
  }
}

Result<void> VersionFolder::scan_folder(const std::string& relative, Walk& walk) const {
  const int descriptor = ::openat(folder_.get(), relative.empty() ? "." : relative.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    const int number = errno;
    return fail(io_error("cannot open the folder", path_of(relative), number));
  }
  struct stat status {};
  // Visited already, through a link.
  if (walk.recursive && ::fstat(descriptor, &status) == 0 && !walk.visited.emplace(status.st_dev, status.st_ino).second) {
    ::close(descriptor);
    return {};
  }
  std::vector<std::string> folders;
  {
    const FolderStream stream(::fdopendir(descriptor));
    if (!stream) {
      const int number = errno;
      ::close(descriptor);
      return fail(io_error("cannot list the folder", path_of(relative), number));
    }
    const std::string prefix = relative.empty() ? "" : relative + "/";
    // readdir() returns null at the end and on an error: only errno tells them apart.
    errno = 0;
    while (const dirent* found = ::readdir(stream.get())) {
      TRY(note_name(prefix, static_cast<const char*>(found->d_name), found->d_type, walk, folders));
      errno = 0;
    }
    if (errno != 0) {
      const int number = errno;
      return fail(io_error("cannot list the folder", path_of(relative), number));
    }
  }
  if (folders.empty()) {
    return {};
  }
  if (++walk.depth > kMaxFolderDepth) {
    return fail(Error(ErrorCode::Io, "folders are nested more than 32 deep").at(path_of(relative)));
  }
  std::ranges::sort(folders);
  for (const auto& folder : folders) {
    TRY(scan_folder(folder, walk));
  }
  --walk.depth;
  return {};
}

Result<void> VersionFolder::note_name(const std::string& prefix, std::string_view name, unsigned char type, Walk& walk,
                                      std::vector<std::string>& folders) const {
  const auto format = format_of(name);
  const bool maybe_folder = walk.recursive && name.front() != '.' && !name.ends_with("__pycache__");
  if (!format && !(maybe_folder && (type == DT_DIR || type == DT_LNK || type == DT_UNKNOWN))) {
    return {};
  }
  std::string relative = prefix + std::string(name);
  // Some file systems do not report types.
  if (type == DT_UNKNOWN) {
    struct stat status {};
    if (::fstatat(folder_.get(), relative.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      type = S_ISREG(status.st_mode) ? DT_REG : S_ISLNK(status.st_mode) ? DT_LNK : S_ISDIR(status.st_mode) ? DT_DIR : DT_FIFO;
    }
  }
  if (type == DT_LNK) {
    struct stat status {};
    const bool folder = ::fstatat(folder_.get(), relative.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode);
    if (folder && maybe_folder && follow_folder_link(relative)) {
      folders.push_back(std::move(relative));
      return {};
    }
    if (folder) {
      return {};
    }
  }
  if (type == DT_DIR) {
    if (maybe_folder) {
      folders.push_back(std::move(relative));
    }
    return {};
  }
  if (!format) {
    return {};
  }
  if (++walk.count > walk.limit) {
    return fail(Error(ErrorCode::FileTooLarge, "more than " + std::to_string(walk.limit) + " revision files")
                    .at(shown_)
                    .advise("raise `limits.files` in athanor.yaml if they all are revisions"));
  }
  walk.found({std::move(relative), *format, type == DT_LNK, type == DT_REG});
  return {};
}

// A mounted ConfigMap links whole folders into a hidden one, which can be reached only that way. Any other folder in the
// location is visited under its own name; like Alembic, this follows no other links to folders.
bool VersionFolder::follow_folder_link(const std::string& name) const {
  const UniqueFd folder(::openat(folder_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return false;
  }
  auto real = real_path_of(folder.get());
  if (real.empty()) {
    real = resolve(path_of(name));
  }
  return contains(real) && std::string_view(real).substr(real_path_.size()).find("/.") != std::string_view::npos;
}

Result<UniqueFd> VersionFolder::open_file(const std::string& name, bool link, std::string* real_path) const {
  if (link) {
    return open_link(name, real_path);
  }
  UniqueFd file(::openat(folder_.get(), name.c_str(), kReadFlags | O_NOFOLLOW));
  if (!file) {
    // The file was replaced by a link after it was listed.
    if (errno == ELOOP) {
      return open_link(name, real_path);
    }
    const int number = errno;
    if (number == ENXIO) {  // a socket
      return fail(not_a_regular_file(path_of(name)));
    }
    return fail(io_error("cannot open the file", path_of(name), number));
  }
  return file;
}

// Resolves a link first and opens what it resolved to, so that nothing can be swapped in between.
Result<UniqueFd> VersionFolder::open_link(const std::string& name, std::string* real_path) const {
  const auto path = path_of(name);
  const UniqueFd target(::openat(folder_.get(), name.c_str(), O_PATH | O_CLOEXEC));
  if (!target) {
    const int number = errno;
    return fail(io_error("cannot follow the symbolic link", path, number));
  }
  const auto through_proc = real_path_of(target.get());
  const auto real = through_proc.empty() ? resolve(path) : through_proc;
  if (!contains(real)) {
    return fail(Error(ErrorCode::PathEscape, "the symbolic link points outside its location")
                    .at(path)
                    .advise("copy the file into the folder, or add the target's folder to `version_locations`"));
  }
  struct stat status {};
  if (::fstat(target.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(not_a_regular_file(path));
  }
  // Through /proc this opens the very file that was checked, even if the path leads elsewhere by now.
  const auto reopened = through_proc.empty() ? real : name_of(target.get());
  UniqueFd file(::open(reopened.c_str(), kReadFlags | (through_proc.empty() ? O_NOFOLLOW : 0)));
  if (!file) {
    const int number = errno;
    return fail(io_error("cannot open the file", path, number));
  }
  if (real_path != nullptr) {
    *real_path = real;
  }
  return file;
}

}  // namespace athanor
