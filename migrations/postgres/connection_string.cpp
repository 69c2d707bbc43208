#include "migrations/postgres/connection_string.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace athanor::postgres {
namespace {

// postgresql+psycopg2://… → postgresql://…; other schemes stay as they are.
std::string without_driver(const std::string& url) {
  for (const std::string_view scheme : {"postgresql", "postgres"}) {
    if (url.starts_with(std::string(scheme) + "+")) {
      const auto end = url.find("://");
      if (end != std::string::npos) {
        return std::string(scheme) + url.substr(end);
      }
    }
  }
  return url;
}

Error unreadable() {
  return Error(ErrorCode::Configuration, "the database URL cannot be read")
      .advise(
          "write postgresql://user:password@host:port/database, with special characters in user and password "
          "percent-encoded (@ is %40, : is %3A, / is %2F)");
}

void append_option(std::string& options, std::string_view name, std::string_view value) {
  options += options.empty() ? "-c " : " -c ";
  options += name;
  options += '=';
  for (const char c : value) {
    if (c == ' ' || c == '\\') {
      options += '\\';
    }
    options += c;
  }
}

std::string in_milliseconds(milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

}  // namespace

std::string ConnectionString::value(const std::string& keyword) const {
  const auto found = std::ranges::find(keywords, keyword, &std::pair<std::string, std::string>::first);
  return found == keywords.end() ? std::string() : found->second;
}

Result<ConnectionString> parse_connection_string(const std::string& url) {
  if (url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database URL is set")
                    .advise("set the environment variable DATABASE_URL, or database_url in athanor.yaml"));
  }
  const std::string text = without_driver(url);
  const auto scheme = text.find("://");
  if (scheme != std::string::npos && !text.starts_with("postgres://") && !text.starts_with("postgresql://") &&
      text.find('=') > scheme) {
    return fail(Error(ErrorCode::Configuration, "the database URL is not one of PostgreSQL")
                    .advise("Athanor works on PostgreSQL: the URL begins with postgresql://"));
  }
  char* reason = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(text.c_str(), &reason),
                                                                               PQconninfoFree);
  PQfreemem(reason);  // it may quote the password: dropped unread
  if (!options) {
    return fail(unreadable());
  }
  ConnectionString parsed;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) {
      continue;
    }
    if (std::string_view(option->keyword) == "options") {
      parsed.user_options = option->val;
    } else {
      parsed.keywords.emplace_back(option->keyword, option->val);
    }
  }
  std::string host = parsed.value("host");
  if (host.empty()) {
    host = parsed.value("hostaddr");
  }
  const std::string port = parsed.value("port");
  const std::string database = parsed.value("dbname");
  parsed.place =
      (host.empty() ? "local socket" : host) + (port.empty() ? "" : ":" + port) + (database.empty() ? "" : "/" + database);
  return parsed;
}

Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url) {
  TRY_ASSIGN(ConnectionString parsed, parse_connection_string(url));
  if (!parsed.user_options.empty()) {
    parsed.keywords.emplace_back("options", parsed.user_options);
  }
  return std::move(parsed.keywords);
}

std::string session_options(const ExecutionSettings& settings, const std::string& user_options, bool modern) {
  std::string options = user_options;
  append_option(options, "lock_timeout", in_milliseconds(settings.lock_timeout));
  append_option(options, "statement_timeout", in_milliseconds(settings.statement_timeout));
  append_option(options, "idle_in_transaction_session_timeout", "0");
  append_option(options, "client_min_messages", "warning");
  if (modern) {
    append_option(options, "idle_session_timeout", "0");
    append_option(options, "client_connection_check_interval", "500ms");
  }
  if (!settings.search_path.empty()) {
    append_option(options, "search_path", settings.search_path);
  }
  if (!settings.role.empty()) {
    append_option(options, "role", settings.role);
  }
  return options;
}

}  // namespace athanor::postgres
