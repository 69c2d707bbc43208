#include "migrations/cli/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "migrations/base/ids.hpp"
#include "migrations/base/write_all.hpp"

namespace athanor::cli {
namespace {

Error io_error(const std::string& path, const std::string& what, int number) {
  return Error(ErrorCode::Io, what + ": " + std::generic_category().message(number)).at(path);
}

Result<void> write_whole(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return fail(io_error(path, "cannot be written", errno));
  }
  // Sync before the file gets its name, so that a crash never leaves an empty file under it.
  const int problem = write_all(descriptor, text) && ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return problem == 0 ? Result<void>() : fail(io_error(path, "cannot be written", problem));
}

}  // namespace

Result<void> write_new_file(const std::string& path, std::string_view text) {
  const std::filesystem::path target(path);
  std::error_code problem;
  if (target.has_parent_path()) {
    std::filesystem::create_directories(target.parent_path(), problem);
    if (problem) {
      return fail(io_error(target.parent_path().string(), "cannot create the folder", problem.value()));
    }
  }
  // A hidden name, which is ignored in revision folders, so that nothing reads a half-written file.
  const std::string draft = (target.parent_path() / ("." + target.filename().string() + "." + random_hex(8))).string();
  auto written = write_whole(draft, text);
  // link() fails if the target exists; rename() would replace it.
  if (written && ::link(draft.c_str(), path.c_str()) != 0) {
    written = errno == EEXIST ? Result<void>(fail(Error(ErrorCode::Io, "the file already exists").at(path)))
                              : Result<void>(fail(io_error(path, "cannot be written", errno)));
  }
  ::unlink(draft.c_str());
  return written;
}

}  // namespace athanor::cli
