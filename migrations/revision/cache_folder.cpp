#include "migrations/revision/cache_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "migrations/base/write_all.hpp"

namespace athanor {
namespace {

constexpr std::chrono::hours kForgottenAfter{24 * 90};

bool is_ours(const struct stat& status) {
  return status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// mkdir -p; each new folder is accessible only to its owner.
bool make_folders(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      return false;
    }
  }
  return ::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST;
}

UniqueFd open_folder(const std::string& path) {
  // Every later access is relative to this descriptor, so that nobody can swap the folder.
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

std::optional<CacheFolder> CacheFolder::open(const std::string& path) {
  auto folder = open_folder(path);
  if (!folder && errno == ENOENT && make_folders(path)) {
    folder = open_folder(path);
  }
  struct stat status {};
  if (!folder || ::fstat(folder.get(), &status) != 0 || !is_ours(status)) {
    return std::nullopt;
  }
  return CacheFolder(std::move(folder));
}

std::optional<std::string> CacheFolder::read(const std::string& name, std::size_t most) const {
  // O_NONBLOCK and O_NOCTTY: opening a FIFO or a terminal in place of the file must not block or take effect.
  const UniqueFd file(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || !is_ours(status) || status.st_size <= 0 ||
      static_cast<std::size_t>(status.st_size) > most) {
    return std::nullopt;
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return std::nullopt;
    }
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

bool CacheFolder::replace(const std::string& name, std::string_view bytes, WallTime now) const {
  // Process ids repeat, especially in containers; combined with the time they are unique.
  const auto temporary =
      "." + name + "." + std::to_string(::getpid()) + "." + std::to_string(now.time_since_epoch().count()) + ".new";
  UniqueFd file(
      ::openat(folder_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) {
    return false;
  }
  // No fsync: after a crash, a damaged cache file fails its checksum and is ignored.
  if (write_all(file.get(), bytes) && ::renameat(folder_.get(), temporary.c_str(), folder_.get(), name.c_str()) == 0) {
    return true;
  }
  ::unlinkat(folder_.get(), temporary.c_str(), 0);
  return false;
}

void CacheFolder::forget_old(WallTime now) const {
  const int descriptor = ::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> stream(descriptor < 0 ? nullptr : ::fdopendir(descriptor));
  if (!stream) {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    return;
  }
  const auto limit = std::chrono::system_clock::to_time_t(now - kForgottenAfter);
  while (const dirent* found = ::readdir(stream.get())) {
    struct stat status {};
    if (::fstatat(folder_.get(), static_cast<const char*>(found->d_name), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && status.st_mtime < limit) {
      ::unlinkat(folder_.get(), static_cast<const char*>(found->d_name), 0);
    }
  }
}

}  // namespace athanor
