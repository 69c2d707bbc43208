#include "tests/support/temp_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace athanor::test {

void write_file(const std::filesystem::path& path, std::string_view text) {
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path());
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string());
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "athanor-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error(std::string("cannot make a temporary folder: ") + std::strerror(errno));
  }
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;  // a test may have removed the folder or its permissions; a destructor must not throw
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(std::string_view relative, std::string_view text) const {
  write_file(path_ / relative, text);
  return *this / relative;
}

}  // namespace athanor::test
