#include "migrations/import/new_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "migrations/base/write_all.hpp"

namespace athanor {
namespace {

namespace fs = std::filesystem;

Error cannot_write(const std::string& path) {
  return Error(ErrorCode::Io, "cannot write " + shown_path(path) + ": " + std::generic_category().message(errno))
      .advise("nothing was written; choose another folder with --output, or fix its permissions");
}

}  // namespace

std::string shown_path(const std::string& path) {
  std::error_code failed;
  const fs::path relative = fs::relative(path, failed);
  return failed || relative.empty() || *relative.begin() == ".." ? path : relative.string();
}

NewFiles::~NewFiles() {
  if (!kept_) {
    std::error_code ignored;
    for (const std::string& path : paths_) {
      fs::remove(path, ignored);
    }
    if (!folder_.empty()) {
      fs::remove(folder_, ignored);  // succeeds only when it is empty
    }
  }
}

Result<void> NewFiles::make_folder(const std::string& folder) {
  std::error_code failed;
  if (fs::create_directories(folder, failed)) {
    folder_ = folder;
  }
  if (failed) {
    errno = failed.value();
    return fail(cannot_write(folder));
  }
  return {};
}

Result<void> NewFiles::write(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return fail(cannot_write(path));
  }
  paths_.push_back(path);
  if (!write_all(descriptor, text)) {
    const Error error = cannot_write(path);
    ::close(descriptor);
    return fail(error);
  }
  return ::close(descriptor) == 0 ? Result<void>() : fail(cannot_write(path));
}

}  // namespace athanor
