#include "migrations/backup/child_connection.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace athanor {
namespace {

// Keywords that we set ourselves, or that have no effect on a dump.
constexpr std::array<std::string_view, 5> kLeftOut{"password", "passfile", "application_name", "client_encoding",
                                                   "fallback_application_name"};
constexpr std::array<std::string_view, 6> kNeverInherited{"DATABASE_URL", "PGCLIENTENCODING", "PGOPTIONS",
                                                          "LC_ALL",       "LANGUAGE",         "PGAPPNAME"};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

std::string value_of(const ConnectionKeywords& keywords, std::string_view name) {
  const auto found = std::ranges::find(keywords, name, &ConnectionKeywords::value_type::first);
  return found == keywords.end() ? std::string() : found->second;
}

bool has_service(const ConnectionKeywords& keywords, const std::vector<std::string>& environment) {
  return !value_of(keywords, "service").empty() ||
         std::ranges::any_of(environment, [](const std::string& variable) { return variable.starts_with("PGSERVICE="); });
}

// A service file has no quoting: a value is a whole line, and blanks at its ends are lost.
Result<void> append_line(std::string& text, const std::string& name, const std::string& value) {
  const bool lossy = value.find_first_of("\n\r") != std::string::npos ||
                     (!value.empty() && (value.front() == ' ' || value.back() == ' ' || value.back() == '\t'));
  if (lossy) {
    return fail(Error(
        ErrorCode::Configuration,
        "`" + name +
            "` of the database URL cannot be passed to pg_dump: it contains a line break, or begins or ends with a space"));
  }
  text += name + "=" + value + "\n";
  return {};
}

Result<std::string> service_text(const ConnectionKeywords& keywords, const std::string& database,
                                 const std::string& application, bool has_password) {
  std::string text = "[athanor]\n";
  for (const auto& [name, value] : keywords) {
    const bool own = one_of(name, kLeftOut) && !(name == "passfile" && !has_password);
    if (!own && !(name == "dbname" && !database.empty())) {
      TRY(append_line(text, name, value));
    }
  }
  if (!database.empty()) {
    TRY(append_line(text, "dbname", database));
  }
  TRY(append_line(text, "application_name", application));
  return text;
}

Result<std::string> password_text(const std::string& password) {
  if (password.find_first_of("\n\r") != std::string::npos) {
    return fail(Error(ErrorCode::Configuration, "the password contains a line break and cannot be passed to pg_dump"));
  }
  // Any host, because the URL may name several.
  std::string text = "*:*:*:*:";
  for (const char c : password) {
    if (c == ':' || c == '\\') {
      text += '\\';
    }
    text += c;
  }
  return text + "\n";
}

Result<UniqueFd> memory_file(const char* name, std::string_view text) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  // libpq ignores a password file that other users can read.
  if (!file || ::fchmod(file.get(), 0600) != 0 ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(
        Error(ErrorCode::BackupFailed, "cannot pass the connection to pg_dump: " + std::generic_category().message(errno)));
  }
  return file;
}

std::string path_of(const UniqueFd& file) {
  return "/dev/fd/" + std::to_string(file.get());
}

}  // namespace

std::vector<std::string> plain_environment(const std::vector<std::string>& environment) {
  std::vector<std::string> kept;
  for (const std::string& variable : environment) {
    const std::string_view name = name_of(variable);
    if (!one_of(name, kNeverInherited) && name != "PGPASSWORD") {
      kept.push_back(variable);
    }
  }
  // program_error() recognises English messages.
  kept.emplace_back("LC_ALL=C");
  return kept;
}

Result<ChildConnection> ChildConnection::create(const ConnectionKeywords& keywords, const std::string& database,
                                                const std::string& application, const std::vector<std::string>& environment) {
  // libpq reads only one service file, and ours would replace the user's.
  if (has_service(keywords, environment)) {
    return fail(Error(ErrorCode::BackupRefused, "the connection comes from a service file, which backups cannot pass on")
                    .advise("write host, port, user and database into DATABASE_URL"));
  }
  const std::string password = value_of(keywords, "password");
  ChildConnection connection;
  for (const std::string& variable : environment) {
    const std::string_view name = name_of(variable);
    // The password of the URL takes precedence over the environment's.
    const bool replaced = !password.empty() && (name == "PGPASSWORD" || name == "PGPASSFILE");
    if (!one_of(name, kNeverInherited) && name != "PGSERVICEFILE" && !replaced) {
      connection.environment_.push_back(variable);
    }
    if (name == "PGPASSWORD" && !replaced) {
      // The child uses it, so its messages may contain it.
      connection.secrets_.push_back(variable.substr(name.size() + 1));
    }
  }
  TRY_ASSIGN(const std::string service, service_text(keywords, database, application, !password.empty()));
  TRY_ASSIGN(UniqueFd service_file, memory_file("athanor-service", service));
  connection.environment_.push_back("PGSERVICEFILE=" + path_of(service_file));
  connection.environment_.emplace_back("PGSERVICE=athanor");
  connection.environment_.emplace_back("LC_ALL=C");
  connection.files_.push_back(std::move(service_file));
  if (!password.empty()) {
    TRY_ASSIGN(const std::string line, password_text(password));
    TRY_ASSIGN(UniqueFd password_file, memory_file("athanor-password", line));
    connection.environment_.push_back("PGPASSFILE=" + path_of(password_file));
    connection.files_.push_back(std::move(password_file));
    connection.secrets_.push_back(password);
  }
  connection.secrets_.push_back(value_of(keywords, "sslpassword"));
  return connection;
}

ProcessCommand client_command(std::vector<std::string> arguments, std::vector<std::string> environment) {
  ProcessCommand command;
  command.arguments = std::move(arguments);
  command.environment = std::move(environment);
  command.cannot_start = ErrorCode::BackupFailed;
  return command;
}

ProcessCommand ChildConnection::command(std::vector<std::string> arguments) const {
  ProcessCommand command = client_command(std::move(arguments), environment_);
  for (const UniqueFd& file : files_) {
    command.inherited.push_back(file.get());
  }
  return command;
}

}  // namespace athanor
