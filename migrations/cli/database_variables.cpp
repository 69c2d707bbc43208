#include "migrations/cli/database_variables.hpp"

#include "migrations/text/database_url.hpp"

namespace athanor::cli {

Result<std::string> database_of_environment(const std::function<std::optional<std::string>(const char* name)>& variable) {
  const auto value = [&variable](const char* name) {
    std::string text = variable(name).value_or("");
    while (text.ends_with('\n') || text.ends_with('\r')) {
      text.pop_back();
    }
    return text;
  };
  if (std::string url = value("DATABASE_URL"); !url.empty()) {
    return url;
  }
  DatabaseParts parts;
  parts.host = value("ATHANOR_DATABASE_HOST");
  if (parts.host.empty()) {
    return std::string();
  }
  parts.port = value("ATHANOR_DATABASE_PORT");
  parts.name = value("ATHANOR_DATABASE_NAME");
  parts.user = value("ATHANOR_DATABASE_USER");
  parts.password = value("ATHANOR_DATABASE_PASSWORD");
  if (parts.name.empty() || parts.user.empty()) {
    const std::string missing = parts.name.empty() ? "ATHANOR_DATABASE_NAME" : "ATHANOR_DATABASE_USER";
    return fail(Error(ErrorCode::MissingDatabaseUrl, "ATHANOR_DATABASE_HOST is set and " + missing + " is not")
                    .advise("set " + missing + ", or DATABASE_URL alone"));
  }
  if (parts.port.empty()) {
    parts.port = "5432";
  }
  if (!is_port(parts.port)) {
    return fail(Error(ErrorCode::Configuration, "ATHANOR_DATABASE_PORT is not a port number").advise("for example 5432"));
  }
  return database_url(parts);
}

}  // namespace athanor::cli
