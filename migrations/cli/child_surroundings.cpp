#include "migrations/cli/child_surroundings.hpp"

#include <unistd.h>

#include "migrations/postgres/connection_string.hpp"

namespace athanor::cli {

Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url) {
  TRY_ASSIGN(postgres::ConnectionString parsed, postgres::parse_connection_string(url));
  if (!parsed.user_options.empty()) {
    parsed.keywords.emplace_back("options", parsed.user_options);
  }
  return std::move(parsed.keywords);
}

std::vector<std::string> whole_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

}  // namespace athanor::cli
