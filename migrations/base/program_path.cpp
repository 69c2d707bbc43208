#include "migrations/base/program_path.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace athanor {

bool is_program(const std::string& path) {
  std::error_code problem;
  return std::filesystem::is_regular_file(path, problem) && ::access(path.c_str(), X_OK) == 0;
}

std::string find_program(std::string_view name, std::string_view path) {
  while (!path.empty()) {
    const auto colon = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, colon);
    path.remove_prefix(std::min(colon + 1, path.size()));
    if (!folder.starts_with('/')) {
      continue;
    }
    std::string candidate = std::string(folder) + "/" + std::string(name);
    if (is_program(candidate)) {
      return candidate;
    }
  }
  return {};
}

}  // namespace athanor
