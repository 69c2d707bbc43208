#include "migrations/cli/secret_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "migrations/base/unique_fd.hpp"

namespace athanor::cli {

Result<std::string> read_secret_file(const std::string& path) {
  constexpr std::size_t kLongest = 64U << 10U;
  const auto unreadable = [&path] {
    return fail(Error(ErrorCode::Io, std::string("cannot be read: ") + std::strerror(errno))
                    .at(path));  // NOLINT(concurrency-mt-unsafe)
  };
  // Non-blocking, because opening a FIFO could block forever.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return unreadable();
  }
  std::string text(kLongest + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return unreadable();
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  if (size > kLongest) {
    return fail(Error(ErrorCode::Configuration, "is larger than 64 KiB, too large for a password or URL").at(path));
  }
  text.resize(size);
  while (text.ends_with('\n') || text.ends_with('\r')) {
    text.pop_back();
  }
  if (text.empty() || text.find('\0') != std::string::npos) {
    return fail(Error(ErrorCode::Configuration, text.empty() ? "is empty" : "contains a NUL byte").at(path));
  }
  return text;
}

}  // namespace athanor::cli
