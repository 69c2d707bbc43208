#include "migrations/cli/child_environment.hpp"

#include <unistd.h>

namespace athanor::cli {

std::vector<std::string> whole_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

}  // namespace athanor::cli
