#include "migrations/base/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "migrations/base/write_all.hpp"

namespace athanor {

Result<UniqueFd> memory_file(const char* name, std::string_view bytes) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file && file.get() <= STDERR_FILENO) {
    // One of our own standard streams is closed. In the program, its own stream takes this number.
    file = UniqueFd(::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }
  // The default mode is 0777; libpq and ssh ignore a file with a secret that other users can read.
  if (!file || ::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0 || !write_all(file.get(), bytes) ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return fail(ErrorCode::Io, "cannot create a file in memory: " + std::generic_category().message(errno));
  }
  return file;
}

std::string inherited_path(const UniqueFd& file) {
  return "/dev/fd/" + std::to_string(file.get());
}

}  // namespace athanor
