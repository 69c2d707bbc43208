#include "migrations/revision/revision_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "migrations/revision/revision_text.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// A single read(); 0 at the end of the file.
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
        Error(ErrorCode::MalformedRevision, "not a regular file").at(path).advise("move it out of the versions folder"));
  }
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (size > limits.max_file_bytes) {
    return fail(file_too_large(path, size, limits.max_file_bytes));
  }
  return size;
}

// Reads the rest of a file whose beginning is in `text`.
Result<void> read_rest(int file, std::string& text, std::size_t size, const std::string& path, const SourceLimits& limits) {
  std::size_t filled = text.size();
  text.resize(std::max(size, filled) + 1);  // one more byte, to detect a file that grows
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

// Alembic refuses a module in the folder that is not a revision, unless its name begins with "_", Python's mark for private.
bool is_private_module(const VersionFolder::Entry& entry) {
  return entry.name[entry.name.rfind('/') + 1] == '_';
}
bool mentions_revision(std::string_view text) {
  return text.starts_with("revision") || text.find("\nrevision") != std::string_view::npos;
}

Result<std::optional<Revision>> parse_whole(const VersionFolder::Entry& entry, std::string_view text, const std::string& path) {
  TRY(check_text(text, path));
  if (is_private_module(entry) && !mentions_revision(text)) {
    return std::optional<Revision>{};
  }
  return parse_revision_header(entry.format, text, true, path);
}

}  // namespace

Result<std::optional<Revision>> HeaderReader::read(const VersionFolder& folder, const VersionFolder::Entry& entry,
                                                   std::string* real_path, FileStamp* stamp) {
  const auto path = folder.path_of(entry.name);
  if (!entry.link && !entry.regular) {
    return fail(not_a_regular_file(path));
  }
  TRY_ASSIGN(const UniqueFd file, folder.open_file(entry.name, entry.link, real_path));
  if (struct stat status{}; stamp != nullptr && ::fstat(file.get(), &status) == 0) {
    *stamp = FileStamp::of(status);
  }
  TRY_ASSIGN(const std::size_t got, read_some(file.get(), buffer_.data(), buffer_.size(), path));
  const std::string_view text(buffer_.data(), got);
  if (got == buffer_.size()) {
    return read_long(entry, file.get(), text, path);
  }
  return parse_whole(entry, text, path);
}

Result<std::optional<Revision>> HeaderReader::read_long(const VersionFolder::Entry& entry, int file, std::string_view start,
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

Result<std::string> read_revision_file(const VersionFolder& folder, const std::string& name, const std::string& path,
                                       const SourceLimits& limits) {
  TRY_ASSIGN(const UniqueFd file, folder.open_file(name, true));
  TRY_ASSIGN(const std::size_t size, checked_size(file.get(), path, limits));
  std::string text;
  TRY(read_rest(file.get(), text, size, path, limits));
  return text;
}

}  // namespace athanor
