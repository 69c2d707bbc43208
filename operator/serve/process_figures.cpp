#include "operator/serve/process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace athanor::controller {
namespace {

std::string slurp(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double boot_time() {
  std::istringstream lines(slurp("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("btime ")) {
      return std::stod(line.substr(6));
    }
  }
  return 0;
}

}  // namespace

ProcessFigures read_process_figures() {
  ProcessFigures figures;
  // proc(5): the command name is in parentheses and may contain any character. Count the fields after the last ')': the first
  // is "state" (3).
  const std::string stat = slurp("/proc/self/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string field;
  for (int index = 3; index <= 24 && fields >> field; ++index) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (index == 14 || index == 15) {
      figures.cpu_seconds += std::strtod(field.c_str(), nullptr) / ticks;
    } else if (index == 22) {
      figures.start_time_seconds = boot_time() + std::strtod(field.c_str(), nullptr) / ticks;
    } else if (index == 23) {
      figures.virtual_bytes = std::strtod(field.c_str(), nullptr);
    } else if (index == 24) {
      figures.resident_bytes = std::strtod(field.c_str(), nullptr) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    }
  }
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++figures.open_files;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.max_files = static_cast<double>(limit.rlim_cur);
  }
  return figures;
}

}  // namespace athanor::controller
