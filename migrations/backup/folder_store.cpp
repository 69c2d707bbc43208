#include "migrations/backup/folder_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "migrations/base/unique_fd.hpp"
#include "migrations/base/write_all.hpp"

namespace athanor {
namespace {

constexpr std::string_view kPrefix = ".athanor-";
constexpr std::string_view kSuffix = ".part";
// On a volume whose locks do not reach other machines, the modification time still protects a growing file.
constexpr std::chrono::minutes kLeftoverAge{15};

Error io_error(const std::string& what, const std::string& path, int number) {
  Error error(ErrorCode::BackupFailed, what + ": " + std::generic_category().message(number));
  error.context = path;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    error.hint = "free some space, or choose another folder with backup.folder";
  } else if (number == EACCES || number == EPERM || number == EROFS) {
    error.code = ErrorCode::BackupRefused;
    error.retry = default_retry(error.code);
    error.hint = "give this user write permission, or choose another folder with backup.folder";
  }
  return error;
}

// Names come from manifests and command lines: none may leave the folder or denote a hidden file.
bool plain_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

// Exceeding the file size limit must make write() fail. The signal SIGXFSZ would end the process.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~NoSizeSignal() {
    // A pending signal would be delivered when unblocked, so consume it first, unless the caller had blocked it already.
    if (::sigismember(&before_, SIGXFSZ) == 0) {
      const timespec now{0, 0};
      while (::sigtimedwait(&set_, nullptr, &now) > 0) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
};

int write_whole(int descriptor, std::string_view bytes) {
  const NoSizeSignal quiet;
  return write_all(descriptor, bytes) ? 0 : errno;
}

void sync_folder(const std::string& folder) {
  const UniqueFd handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle) {
    ::fsync(handle.get());
  }
}

// Renames without replacing an existing file. A file system without RENAME_NOREPLACE gets a check first; that race is harmless,
// because names contain a random id.
int rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return errno;
  }
  if (::access(to.c_str(), F_OK) == 0) {
    return EEXIST;
  }
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

class FileReader final : public BackupReader {
 public:
  FileReader(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    while (true) {
      const auto got = ::read(file_.get(), buffer.data(), buffer.size());
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        return fail(io_error("cannot read", path_, errno));
      }
    }
  }

 private:
  UniqueFd file_;
  std::string path_;
};

class FileWriter final : public BackupWriter {
 public:
  FileWriter(UniqueFd file, std::string folder, std::string name)
      : file_(std::move(file)), folder_(std::move(folder)), name_(std::move(name)), part_(part_path(name_)) {}
  ~FileWriter() override {
    if (!published_) {
      ::unlink(part_.c_str());
    }
  }
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  Result<void> write(std::string_view bytes) override {
    if (const int number = write_whole(file_.get(), bytes); number != 0) {
      return fail(io_error("cannot write the backup", part_, number));
    }
    return {};
  }

  Result<void> finish() override {
    if (::fsync(file_.get()) != 0) {
      return fail(io_error("cannot write the backup", part_, errno));
    }
    // Drop the pages from the cache, so that reading back comes from the disk.
    ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

  Result<std::unique_ptr<BackupReader>> read_back() override {
    UniqueFd again(::open(part_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!again) {
      return fail(io_error("cannot read the backup back", part_, errno));
    }
    return std::make_unique<FileReader>(std::move(again), part_);
  }

  Result<void> publish(std::string_view manifest) override {
    const auto dot = name_.rfind('.');
    const std::string manifest_name = name_.substr(0, dot) + ".json";
    const std::string manifest_part = part_path(manifest_name);
    const std::string manifest_path = folder_ + "/" + manifest_name;
    const auto give_up = [&](int number) {
      ::unlink(manifest_part.c_str());
      return fail(io_error("cannot publish the backup", folder_ + "/" + name_, number));
    };
    UniqueFd side(::open(manifest_part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!side) {
      return give_up(errno);
    }
    if (const int number = write_whole(side.get(), manifest); number != 0) {
      return give_up(number);
    }
    // Before the rename: a name must never lead to an incomplete file, even after a power failure.
    if (::fsync(side.get()) != 0) {
      return give_up(errno);
    }
    // The manifest first: after a crash in between, a manifest without its dump is recognised as incomplete. A dump without its
    // manifest would be nobody's, and never deleted.
    if (const int number = rename_new(manifest_part, manifest_path); number != 0) {
      return give_up(number);
    }
    // Take the manifest back if the dump cannot follow it.
    if (const int number = rename_new(part_, folder_ + "/" + name_); number != 0) {
      ::unlink(manifest_path.c_str());
      return give_up(number);
    }
    published_ = true;
    // Makes the two renames durable.
    sync_folder(folder_);
    return {};
  }

 private:
  [[nodiscard]] std::string part_path(const std::string& name) const {
    return folder_ + "/" + std::string(kPrefix) + name + std::string(kSuffix);
  }

  UniqueFd file_;
  std::string folder_;
  std::string name_;
  std::string part_;
  bool published_ = false;
};

struct Folder {
  DIR* handle;
  explicit Folder(const std::string& path) : handle(::opendir(path.c_str())) {}
  ~Folder() {
    if (handle != nullptr) {
      ::closedir(handle);
    }
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

Result<std::string> FolderStore::path_of(const std::string& folder) {
  if (folder.empty()) {
    return fail(Error(ErrorCode::BackupRefused, "no backup folder is configured")
                    .advise("set backup.folder in athanor.yaml, or give --backup-folder DIR"));
  }
  std::error_code problem;
  std::string path = std::filesystem::absolute(folder, problem).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

Result<std::unique_ptr<FolderStore>> FolderStore::open_existing(const std::string& folder) {
  TRY_ASSIGN(std::string path, path_of(folder));
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return fail(Error(ErrorCode::BackupNotFound, "the backup folder does not exist")
                    .at(path)
                    .advise("check backup.folder and --backup-folder; `athanor backup` creates the folder"));
  }
  return open_path(std::move(path));
}

Result<std::unique_ptr<FolderStore>> FolderStore::open_folder(const std::string& folder) {
  TRY_ASSIGN(std::string path, path_of(folder));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    const int number = errno;
    Error error = io_error("cannot create the backup folder", path, number);
    error.code = ErrorCode::BackupRefused;
    error.retry = default_retry(error.code);
    return fail(std::move(error));
  }
  return open_path(std::move(path));
}

Result<std::unique_ptr<FolderStore>> FolderStore::open_path(std::string path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(Error(ErrorCode::BackupRefused, "backup.folder is not a folder").at(path));
  }
  return std::unique_ptr<FolderStore>(new FolderStore(std::move(path)));
}

std::string FolderStore::location(std::string_view name) const {
  return folder_ + "/" + std::string(name);
}

std::string FolderStore::local_path(const std::string& name) const {
  return location(name);
}

Result<std::vector<StoredFile>> FolderStore::list() {
  const Folder folder(folder_);
  if (folder.handle == nullptr) {
    return fail(io_error("cannot list the backups", folder_, errno));
  }
  std::vector<StoredFile> files;
  while (const dirent* entry = ::readdir(folder.handle)) {
    // Links and folders are not backups.
    struct stat status {};
    if (plain_name(entry->d_name) && ::fstatat(::dirfd(folder.handle), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode)) {
      files.push_back({entry->d_name, static_cast<std::uint64_t>(status.st_size)});
    }
  }
  std::ranges::sort(files, {}, &StoredFile::name);
  return files;
}

Result<std::unique_ptr<BackupWriter>> FolderStore::create(const std::string& name) {
  if (!plain_name(name)) {
    return fail(Error(ErrorCode::BackupRefused, "'" + name + "' is not a valid backup name"));
  }
  const std::string part = folder_ + "/" + std::string(kPrefix) + name + std::string(kSuffix);
  // O_EXCL and O_NOFOLLOW: never write through a link that someone placed in the folder.
  UniqueFd file(::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    return fail(io_error("cannot write the backup", part, errno));
  }
  ::flock(file.get(), LOCK_EX | LOCK_NB);  // on a file system without locks, only the age counts
  return std::make_unique<FileWriter>(std::move(file), folder_, name);
}

Result<std::unique_ptr<BackupReader>> FolderStore::open(const std::string& name) {
  const std::string path = location(name);
  UniqueFd file(plain_name(name) ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1);
  if (!file) {
    if (!plain_name(name) || errno == ENOENT) {
      return fail(Error(ErrorCode::BackupNotFound, "there is no backup '" + name + "' in " + folder_)
                      .advise("`athanor backups` lists the backups"));
    }
    return fail(io_error("cannot read", path, errno));
  }
  return std::make_unique<FileReader>(std::move(file), path);
}

Result<void> FolderStore::remove(const std::string& name) {
  const std::string path = location(name);
  if (!plain_name(name) || (::unlink(path.c_str()) != 0 && errno != ENOENT)) {
    return fail(io_error("cannot delete", path, plain_name(name) ? errno : EINVAL));
  }
  return {};
}

Result<std::optional<std::uint64_t>> FolderStore::free_space() {
  struct statvfs status {};
  if (::statvfs(folder_.c_str(), &status) != 0) {
    return fail(io_error("cannot determine the free space", folder_, errno));
  }
  return std::optional<std::uint64_t>(static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize);
}

Result<int> FolderStore::clean(WallTime now) {
  const Folder folder(folder_);
  if (folder.handle == nullptr) {
    return fail(io_error("cannot list the backups", folder_, errno));
  }
  int removed = 0;
  while (const dirent* entry = ::readdir(folder.handle)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) {
      continue;
    }
    // The age check spares a file whose writer has created but not locked it yet.
    const UniqueFd file(::openat(::dirfd(folder.handle), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 ||
        now - std::chrono::system_clock::from_time_t(status.st_mtime) < kLeftoverAge ||
        ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      continue;
    }
    removed += ::unlinkat(::dirfd(folder.handle), entry->d_name, 0) == 0 ? 1 : 0;
  }
  return removed;
}

Result<std::string> read_small(BackupStore& store, const std::string& name) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  TRY_ASSIGN(const auto reader, store.open(name));
  std::string text;
  std::string buffer(std::size_t{16} << 10U, '\0');
  while (true) {
    TRY_ASSIGN(const std::size_t got, reader->read(buffer));
    if (got == 0) {
      return text;
    }
    text.append(buffer, 0, got);
    if (text.size() > kMost) {
      return fail(Error(ErrorCode::BackupCorrupt, "the manifest is larger than 1 MiB").at(store.location(name)));
    }
  }
}

}  // namespace athanor
