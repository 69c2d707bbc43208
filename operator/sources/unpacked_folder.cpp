#include "operator/sources/unpacked_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "migrations/base/write_all.hpp"
#include "migrations/text/printable.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxPathBytes = 1'024;
constexpr std::size_t kMaxNameBytes = 255;

Error cannot_write(const std::string& what, int number) {
  return Error(ErrorCode::Io, what + ": " + std::generic_category().message(number))
      .advise("give the operator a writable folder with free space: --cache");
}

Error twice(const std::string& name) {
  return Error(ErrorCode::PathEscape, "two entries have the same path").at(name);
}

// The names of revisions appear in messages, statuses and JSON.
Result<void> require_printable(const std::string& name) {
  if (std::string shown = printable(name, LineEnds::Escape); shown != name) {
    return fail(Error(ErrorCode::MalformedRevision, "the file's name has bytes that cannot be shown").at(std::move(shown)));
  }
  return {};
}

// Shows revisions under their original names.
class UnpackedSource final : public RevisionSource {
 public:
  UnpackedSource(std::unique_ptr<UnpackedFolder> folder, const UnpackedContent& content)
      : folder_(std::move(folder)),
        real_(folder_->path() + "/"),
        shown_(content.folder.empty() ? std::string() : content.folder + "/"),
        files_({folder_->path()}, content.recursive, content.limits) {}

  [[nodiscard]] Result<std::vector<Revision>> list() const override {
    auto revisions = files_.list();
    if (!revisions) {
      return fail(shown(std::move(revisions).error()));
    }
    for (auto& revision : *revisions) {
      revision.path = shown(std::move(revision.path));
    }
    return revisions;
  }

  [[nodiscard]] Result<std::string> read(const Revision& revision) const override {
    Revision real = revision;
    real.path = real_ + revision.path.substr(std::min(shown_.size(), revision.path.size()));
    auto text = files_.read(real);
    if (!text) {
      return fail(shown(std::move(text).error()));
    }
    return text;
  }

 private:
  [[nodiscard]] std::string shown(std::string path) const {
    if (path + "/" == real_) {
      return shown_.empty() ? "." : shown_.substr(0, shown_.size() - 1);
    }
    return path.starts_with(real_) ? shown_ + path.substr(real_.size()) : std::move(path);
  }
  [[nodiscard]] Error shown(Error error) const {
    error.context = shown(std::move(error.context));
    if (error.code == ErrorCode::FileTooLarge) {
      error.hint = too_large({}).hint;
    }
    return error;
  }

  std::unique_ptr<UnpackedFolder> folder_;
  std::string real_;
  std::string shown_;
  FolderSource files_;
};

}  // namespace

Error too_large(const std::string& message) {
  return Error(ErrorCode::FileTooLarge, message)
      .advise("raise --max-files or --max-file-size of the operator, or move bulk data out of the revisions");
}

std::optional<std::string> clean_inner_path(std::string_view path) {
  if (path.starts_with('/') || path.size() > kMaxPathBytes || path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string clean;
  std::size_t depth = 0;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == ".." || part.size() > kMaxNameBytes || ++depth > kMaxPathDepth) {
      return std::nullopt;
    }
    clean += clean.empty() ? "" : "/";
    clean += part;
  }
  return clean;
}

bool is_revision_path(std::string_view path, bool recursive) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const bool hidden = path.starts_with('.') || path.find("/.") != std::string_view::npos;
  return !hidden && (recursive || slash == std::string_view::npos) && (name.ends_with(".sql") || name.ends_with(".py"));
}

Result<std::unique_ptr<UnpackedFolder>> UnpackedFolder::create(const std::string& parent) {
  std::error_code problem;
  std::filesystem::create_directories(parent, problem);
  std::string pattern = parent + "/files.XXXXXX";
  if (problem || ::mkdtemp(pattern.data()) == nullptr) {
    return fail(cannot_write("cannot create a folder for the files of a source", problem ? problem.value() : errno));
  }
  return std::unique_ptr<UnpackedFolder>(new UnpackedFolder(pattern));
}

UnpackedFolder::~UnpackedFolder() {
  // Undo seal(): files in a read-only folder cannot be deleted.
  ::chmod(path_.c_str(), S_IRWXU);
  for (const auto& folder : folders_) {
    ::chmod((path_ + "/" + folder).c_str(), S_IRWXU);
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<UniqueFd> UnpackedFolder::open_parent(const std::string& name) {
  // Open the path one component at a time without following links: a single open() with the whole path would follow a link that
  // an archive put in place of a folder.
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd folder(::open(path_.c_str(), kFlags));
  for (std::size_t begin = 0, slash = name.find('/'); folder && slash != std::string::npos; slash = name.find('/', begin)) {
    const std::string part = name.substr(begin, slash - begin);
    if (::mkdirat(folder.get(), part.c_str(), S_IRWXU) == 0) {
      folders_.push_back(name.substr(0, slash));
    } else if (errno != EEXIST) {
      return fail(cannot_write("cannot write the files of a source", errno));
    }
    folder = UniqueFd(::openat(folder.get(), part.c_str(), kFlags));
    begin = slash + 1;
  }
  if (!folder) {
    return fail(errno == ELOOP || errno == ENOTDIR ? twice(name) : cannot_write("cannot write the files of a source", errno));
  }
  return folder;
}

Result<UniqueFd> UnpackedFolder::create_file(const std::string& name) {
  TRY(require_printable(name));
  TRY_ASSIGN(const UniqueFd folder, open_parent(name));
  const std::string last = name.substr(name.rfind('/') + 1);
  // O_EXCL: a second entry with the same name must not replace the first.
  UniqueFd file(::openat(folder.get(), last.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR));
  if (!file) {
    return fail(errno == EEXIST ? twice(name) : cannot_write("cannot write the files of a source", errno));
  }
  return file;
}

Result<void> UnpackedFolder::create_link(const std::string& name, const std::string& target) {
  TRY(require_printable(name));
  TRY_ASSIGN(const UniqueFd folder, open_parent(name));
  const std::string last = name.substr(name.rfind('/') + 1);
  if (::symlinkat(target.c_str(), folder.get(), last.c_str()) != 0) {
    return fail(errno == EEXIST ? twice(name) : cannot_write("cannot write the files of a source", errno));
  }
  return {};
}

Result<void> UnpackedFolder::append(const UniqueFd& file, std::string_view bytes) {
  return write_all(file.get(), bytes) ? Result<void>() : fail(cannot_write("cannot write the files of a source", errno));
}

Result<void> UnpackedFolder::hold(const CacheQuota& quota, const std::string& name_space, SteadyTime now) {
  std::uint64_t bytes = 0;
  std::error_code problem;
  for (std::filesystem::recursive_directory_iterator file(path_, problem), end; !problem && file != end;
       file.increment(problem)) {
    std::error_code is_no_file;
    const auto size = file->file_size(is_no_file);
    bytes += is_no_file ? 0 : size;
  }
  held_ = std::make_unique<CacheQuota::Item>(quota, CacheQuota::Item::Use::Own);
  return held_->hold(name_space, bytes, now);
}

void UnpackedFolder::seal() {
  for (const auto& folder : folders_) {
    ::chmod((path_ + "/" + folder).c_str(), S_IRUSR | S_IXUSR);
  }
  ::chmod(path_.c_str(), S_IRUSR | S_IXUSR);
}

Result<std::shared_ptr<SourceSnapshot>> make_snapshot(std::unique_ptr<UnpackedFolder> folder, const UnpackedContent& content) {
  folder->seal();
  auto source = std::make_unique<UnpackedSource>(std::move(folder), content);
  TRY_ASSIGN(auto revisions, source->list());
  TRY_ASSIGN(auto graph, RevisionGraph::build(std::move(revisions)));
  auto snapshot = std::make_shared<SourceSnapshot>(content.id, std::move(source), std::move(graph));
  snapshot->set_revision(content.revision);
  return snapshot;
}

}  // namespace athanor::controller
