#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include "migrations/revision/revision_text.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/text_encoding.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {
namespace {

constexpr std::size_t kFirstRead = 4096;         // holds the header of nearly every file
constexpr std::size_t kFilesWorthAThread = 500;  // below that a thread costs more than it saves

// One read(); 0 at the end of the file.
Result<std::size_t> read_some(int file, char* into, std::size_t room, const std::string& path) {
  while (true) {
    const auto got = ::read(file, into, room);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) {
      const int number = errno;
      return fail(Error(ErrorCode::Io, "cannot read the file: " + std::generic_category().message(number)).at(path));
    }
  }
}

Result<std::size_t> checked_size(int file, const std::string& path, const SourceLimits& limits) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(
        Error(ErrorCode::MalformedRevision, "not a regular file").at(path).advise("Move it out of the versions folder."));
  }
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (size > limits.max_file_bytes) {
    return fail(file_too_large(path, size, limits.max_file_bytes));
  }
  return size;
}

// The rest of a file of which `text` is the beginning.
Result<void> read_rest(int file, std::string& text, std::size_t size, const std::string& path, const SourceLimits& limits) {
  std::size_t filled = text.size();
  text.resize(std::max(size, filled) + 1);  // one more byte, to notice a file that grows
  while (true) {
    TRY_ASSIGN(const std::size_t got, read_some(file, text.data() + filled, text.size() - filled, path));
    filled += got;
    if (got == 0) {
      break;
    }
    if (filled < text.size()) {
      continue;
    }
    if (filled > limits.max_file_bytes) {
      return fail(file_too_large(path, filled, limits.max_file_bytes));
    }
    text.resize(text.size() * 2);
  }
  text.resize(filled);
  return {};
}

struct Listed {
  const VersionFolder* folder;
  VersionFolder::Entry entry;
};

// Alembic would refuse a module beside the revisions that is none itself; names that begin with "_" are how Python says so.
bool is_private_module(const VersionFolder::Entry& entry) {
  return entry.name[entry.name.rfind('/') + 1] == '_';
}
bool mentions_revision(std::string_view text) {
  return text.starts_with("revision") || text.find("\nrevision") != std::string_view::npos;
}

// Reads headers; one per thread.
class HeaderReader {
 public:
  explicit HeaderReader(const SourceLimits& limits) : limits_(limits) {}

  // Empty: not a revision, and not meant to be one.
  Result<std::optional<Revision>> read(const Listed& listed, std::string* real_path) {
    const auto path = listed.folder->path_of(listed.entry.name);
    if (!listed.entry.link && !listed.entry.regular) {
      return fail(
          Error(ErrorCode::MalformedRevision, "not a regular file").at(path).advise("Move it out of the versions folder."));
    }
    TRY_ASSIGN(const FileDescriptor file, listed.folder->open_file(listed.entry.name, listed.entry.link, real_path));
    TRY_ASSIGN(const std::size_t got, read_some(file.get(), buffer_.data(), buffer_.size(), path));
    const std::string_view text(buffer_.data(), got);
    if (got == buffer_.size()) {
      return read_long(listed.entry, file.get(), text, path);
    }
    return parse_whole(listed.entry, text, path);
  }

 private:
  Result<std::optional<Revision>> read_long(const VersionFolder::Entry& entry, int file, std::string_view start,
                                            const std::string& path) const {
    TRY_ASSIGN(const std::size_t size, checked_size(file, path, limits_));
    TRY(check_text(start, path, false));
    auto early = parse_revision_header(entry.format, start, false, path);
    if (!early || *early) {
      return early;
    }
    std::string text(start);
    TRY(read_rest(file, text, size, path, limits_));
    return parse_whole(entry, text, path);
  }

  static Result<std::optional<Revision>> parse_whole(const VersionFolder::Entry& entry, std::string_view text,
                                                     const std::string& path) {
    TRY(check_text(text, path));
    if (is_private_module(entry) && !mentions_revision(text)) {
      return std::optional<Revision>{};
    }
    return parse_revision_header(entry.format, text, true, path);
  }

  const SourceLimits& limits_;
  std::array<char, kFirstRead> buffer_{};
};

struct Header {
  std::optional<Revision> revision;
  std::string real_path;  // of a link
};

// The headers of all files, in order; on failure the first error in load order.
Result<std::vector<Header>> read_headers(const std::vector<Listed>& files, const SourceLimits& limits) {
  std::vector<Header> headers(files.size());
  std::array<std::pair<std::size_t, std::optional<Error>>, 2> failures{};
  const auto read_range = [&](std::size_t from, std::size_t to, std::size_t part) {
    HeaderReader reader(limits);
    for (std::size_t index = from; index < to; ++index) {
      auto revision = reader.read(files[index], &headers[index].real_path);
      if (!revision) {
        failures[part] = {index, std::move(revision).error()};
        return;
      }
      headers[index].revision = std::move(*revision);
    }
  };
  std::size_t middle = files.size();
  std::thread second;
  if (files.size() > kFilesWorthAThread) {
    try {
      middle = files.size() / 2;
      second = std::thread([&] {
        ::unshare(CLONE_FILES);  // a descriptor table of its own: the two threads no longer wait for each other's open()
        read_range(middle, files.size(), 1);
      });
    } catch (const std::system_error&) {
      middle = files.size();  // no thread to be had
    }
  }
  read_range(0, middle, 0);
  if (second.joinable()) {
    second.join();
  }
  for (auto& failure : failures) {
    if (failure.second) {
      return fail(std::move(*failure.second));
    }
  }
  return headers;
}

// A file that several links or locations lead to counts once, where it was met first, as in Alembic.
std::vector<Revision> without_repeats(const std::vector<Listed>& files, std::vector<Header> headers, std::size_t locations) {
  const bool possible =
      locations > 1 || std::ranges::any_of(headers, [](const Header& header) { return !header.real_path.empty(); });
  std::unordered_set<std::string> met;
  std::vector<Revision> revisions;
  revisions.reserve(headers.size());
  for (std::size_t index = 0; index < headers.size(); ++index) {
    if (!headers[index].revision) {
      continue;
    }
    if (possible) {
      auto real = std::move(headers[index].real_path);
      if (real.empty()) {
        real = files[index].folder->real_path() + "/" + files[index].entry.name;
      }
      if (!met.insert(std::move(real)).second) {
        continue;
      }
    }
    revisions.push_back(std::move(*headers[index].revision));
  }
  return revisions;
}

}  // namespace

FolderSource::FolderSource(std::vector<std::string> locations, bool recursive, SourceLimits limits)
    : locations_(std::move(locations)), recursive_(recursive), limits_(limits) {}

Result<std::vector<Revision>> FolderSource::list() const {
  std::vector<VersionFolder> folders;
  folders.reserve(locations_.size());
  std::vector<Listed> files;
  for (const auto& location : locations_) {
    TRY_ASSIGN(auto folder, VersionFolder::open(location));
    folders.push_back(std::move(folder));
    TRY_ASSIGN(auto entries, folders.back().scan(recursive_, limits_.max_files - files.size()));
    files.reserve(files.size() + entries.size());
    for (auto& entry : entries) {
      files.push_back({&folders.back(), std::move(entry)});
    }
  }
  TRY_ASSIGN(auto headers, read_headers(files, limits_));
  return without_repeats(files, std::move(headers), locations_.size());
}

Result<std::string> FolderSource::read(const Revision& revision) const {
  for (const auto& location : locations_) {
    std::string prefix = location;
    while (prefix.size() > 1 && prefix.back() == '/') {
      prefix.pop_back();
    }
    if (!prefix.empty() && prefix.back() != '/') {
      prefix += '/';
    }
    if (!revision.path.starts_with(prefix)) {
      continue;
    }
    const std::string name = revision.path.substr(prefix.size());
    if (name.empty() || name.front() == '/' || ("/" + name + "/").find("/../") != std::string::npos) {
      continue;
    }
    TRY_ASSIGN(const auto folder, VersionFolder::open(location));
    TRY_ASSIGN(const FileDescriptor file, folder.open_file(name, true));
    TRY_ASSIGN(const std::size_t size, checked_size(file.get(), revision.path, limits_));
    std::string text;
    TRY(read_rest(file.get(), text, size, revision.path, limits_));
    return normalise_revision_text(std::move(text), revision.path);
  }
  return fail(Error(ErrorCode::PathEscape, "the file lies outside the configured locations").at(revision.path));
}

}  // namespace athanor
