#include "operator/standalone/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "migrations/base/unique_fd.hpp"

namespace athanor::controller {
namespace {

Error unreadable(const std::string& path) {
  return Error(ErrorCode::Io, std::string("the file cannot be read: ") + std::strerror(errno)).at(path);
}

}  // namespace

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  // O_NONBLOCK: opening a named pipe must not block the operator.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) {
    return fail(unreadable(path));
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(Error(ErrorCode::Io, "not a regular file").at(path));
  }
  std::string text;
  std::size_t room =
      std::min(static_cast<std::size_t>(facts.st_size), limit) + 1;  // one byte more detects the end, or that the file grew
  for (std::size_t length = 0;;) {
    text.resize(length + room);
    const ssize_t count = ::read(file.get(), text.data() + length, room);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return fail(unreadable(path));
    }
    length += static_cast<std::size_t>(count);
    if (length > limit) {
      return fail(Error(ErrorCode::FileTooLarge, "the file has more than " + std::to_string(limit) + " bytes").at(path));
    }
    if (count == 0) {
      text.resize(length);
      return text;
    }
    room = std::max<std::size_t>(room - static_cast<std::size_t>(count), 1);
  }
}

}  // namespace athanor::controller
