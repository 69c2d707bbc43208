#include "migrations/cli/report_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "migrations/base/write_all.hpp"

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
  return write_all(file_.get(), text) ? Result<void>() : fail(io_error(path_, errno));
}

}  // namespace athanor::cli
