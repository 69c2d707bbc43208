#include "operator/kube/access_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
constexpr const char* kBlank = " \t\r\n";

}  // namespace

Result<std::string> read_access_file(const std::string& path, const std::string& what) {
  // O_NONBLOCK: opening a named pipe that has no writer must not block.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  std::string text;
  char buffer[16'384];
  long got = file < 0 ? -1 : 1;
  while (got > 0 && text.size() <= kMaxBytes) {
    got = ::read(file, buffer, sizeof buffer);
    text.append(buffer, static_cast<std::size_t>(got > 0 ? got : 0));
  }
  const int problem = errno;
  if (file >= 0) {
    ::close(file);
  }
  if (got < 0) {
    return fail(Error(ErrorCode::Io, "cannot read " + what + ": " + std::generic_category().message(problem)).at(path));
  }
  if (text.size() > kMaxBytes) {
    return fail(Error(ErrorCode::FileTooLarge, what + " is larger than 1 MiB").at(path));
  }
  return text;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(kBlank) + 1);
  text.erase(0, std::min(text.find_first_not_of(kBlank), text.size()));
  return text;
}

}  // namespace athanor::controller
