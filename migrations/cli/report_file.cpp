#include "migrations/cli/report_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace athanor::cli {
namespace {

Error io_error(const std::string& path, int number) {
  return Error(ErrorCode::Io, std::string("cannot write the report: ") + std::strerror(number))
      .at(path)
      .advise("give a writable file with --report");
}

}  // namespace

Result<ReportFile> ReportFile::open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644));
  if (!file) {
    return fail(io_error(path, errno));
  }
  return ReportFile(std::move(file), path);
}

Result<void> ReportFile::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return fail(io_error(path_, written < 0 ? errno : EIO));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace athanor::cli
