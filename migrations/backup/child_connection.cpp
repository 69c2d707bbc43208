#include "migrations/backup/child_connection.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "migrations/backup/program_error.hpp"
#include "migrations/base/memory_file.hpp"
#include "migrations/text/allowed_authentication.hpp"
#include "migrations/text/database_url.hpp"

namespace athanor {
namespace {

// Keywords that we set ourselves, or that have no effect on a dump.
constexpr std::array<std::string_view, 6> kLeftOut{
    "password", "passfile", "application_name", "client_encoding", "fallback_application_name", "require_auth"};
constexpr std::array<std::string_view, 6> kNeverInherited{"DATABASE_URL", "PGCLIENTENCODING", "PGOPTIONS",
                                                          "LC_ALL",       "LANGUAGE",         "PGAPPNAME"};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

void set(ConnectionKeywords& keywords, const std::string& name, const std::string& value) {
  std::erase_if(keywords, [&](const auto& keyword) { return keyword.first == name; });
  if (!value.empty()) {
    keywords.emplace_back(name, value);
  }
}

std::string variable_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& variable : environment) {
    if (name_of(variable) == name) {
      return variable.substr(name.size() + 1);
    }
  }
  return {};
}

// The servers that libpq would try. Empty if the keywords name none, and libpq would use its default.
std::vector<RelayedServer> servers_of(const ConnectionKeywords& keywords, const std::vector<std::string>& environment) {
  const std::vector<std::string> names = listed_values(parameter_of(keywords, "host"));
  const std::vector<std::string> addresses = listed_values(parameter_of(keywords, "hostaddr"));
  const std::string port_list = parameter_of(keywords, "port");
  const std::vector<std::string> ports = listed_values(port_list.empty() ? variable_of(environment, "PGPORT") : port_list);
  std::vector<RelayedServer> servers;
  for (std::size_t i = 0; i < std::max(names.size(), addresses.size()); ++i) {
    const std::string address = i < addresses.size() ? addresses[i] : std::string();
    const std::string name = i < names.size() ? names[i] : std::string();
    const std::string port = ports.size() == 1 ? ports.front() : i < ports.size() ? ports[i] : std::string();
    servers.push_back({address.empty() ? name : address, port});
    if (servers.back().host.empty()) {
      return {};
    }
  }
  return servers;
}

// As ConnectionString::may_send_password(): the operator names a password file that does not exist.
bool may_send_password(const ConnectionKeywords& keywords, const std::vector<std::string>& environment) {
  return !parameter_of(keywords, "password").empty() || !variable_of(environment, "PGPASSWORD").empty() ||
         !parameter_of(keywords, "passfile").starts_with("/nonexistent/");
}

bool has_service(const ConnectionKeywords& keywords, const std::vector<std::string>& environment) {
  return !parameter_of(keywords, "service").empty() ||
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

Result<UniqueFd> handed_file(const char* name, std::string_view text) {
  auto file = memory_file(name, text);
  if (!file) {
    return fail(Error(ErrorCode::BackupFailed, "cannot pass the connection to pg_dump: " + file.error().message));
  }
  return file;
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

// libpq 15 does not know require_auth. On an encrypted connection, channel binding leaves the server nothing to request but
// SCRAM.
Result<void> ChildConnection::guard(ConnectionKeywords& keywords, const std::vector<std::string>& environment) {
  const std::string list = parameter_of(keywords, "require_auth");
  TRY_ASSIGN(const AllowedAuthentication allowed, parse_require_auth(list));
  if (allowed.all()) {
    return {};
  }
  std::erase_if(environment_, [](const std::string& variable) {
    return name_of(variable) == "PGREQUIREAUTH" || name_of(variable) == "PGHOSTADDR";  // an address would take precedence
  });
  environment_.push_back("PGREQUIREAUTH=" + list);  // for a child with libpq 16
  const std::vector<RelayedServer> servers = servers_of(keywords, environment);
  if (servers.empty()) {
    return fail(Error(ErrorCode::BackupRefused, "require_auth needs a database URL that names the host")
                    .advise("write the host, or the folder of the socket, into the URL"));
  }
  const std::string inherited = variable_of(environment, "PGSSLMODE");
  std::string mode = parameter_of(keywords, "sslmode");
  mode = !mode.empty() ? mode : !inherited.empty() ? inherited : "prefer";
  const bool may_be_plain = mode == "allow" || mode == "prefer";
  if (mode != "disable" && (!may_be_plain || offers_tls(servers))) {
    set(keywords, "sslmode", may_be_plain ? "require" : mode);
    if (may_send_password(keywords, environment)) {
      set(keywords, "channel_binding", "require");
    }
    return {};
  }
  TRY_ASSIGN(relay_, AuthenticationRelay::open(servers, allowed));
  std::string hosts;
  for (const std::string& host : relay_->hosts()) {
    hosts += (hosts.empty() ? "" : ",") + host;
    secrets_.push_back(host);  // random: the message of an error that persists would change every time
  }
  set(keywords, "host", hosts);
  set(keywords, "port", AuthenticationRelay::kPort);
  set(keywords, "hostaddr", "");
  set(keywords, "sslmode", "disable");
  set(keywords, "gssencmode", "disable");
  return {};
}

Error ChildConnection::error_of(std::string_view program, const ProcessCommand& command, const ProcessEnd& end,
                                ErrorCode otherwise) const {
  const auto refusal = relay_ ? relay_->refusal() : std::nullopt;
  return refusal ? *refusal : program_error(program, command, end, secrets_, otherwise);
}

Result<ChildConnection> ChildConnection::create(const ConnectionKeywords& given, const std::string& database,
                                                const std::string& application, const std::vector<std::string>& environment) {
  // libpq reads only one service file, and ours would replace the user's.
  if (has_service(given, environment)) {
    return fail(Error(ErrorCode::BackupRefused, "the connection comes from a service file, which backups cannot pass on")
                    .advise("write host, port, user and database into DATABASE_URL"));
  }
  const std::string password = parameter_of(given, "password");
  ConnectionKeywords keywords = given;
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
  TRY(connection.guard(keywords, environment));
  TRY_ASSIGN(const std::string service, service_text(keywords, database, application, !password.empty()));
  TRY_ASSIGN(UniqueFd service_file, handed_file("athanor-service", service));
  connection.environment_.push_back("PGSERVICEFILE=" + inherited_path(service_file));
  connection.environment_.emplace_back("PGSERVICE=athanor");
  connection.environment_.emplace_back("LC_ALL=C");
  connection.files_.push_back(std::move(service_file));
  if (!password.empty()) {
    TRY_ASSIGN(const std::string line, password_text(password));
    TRY_ASSIGN(UniqueFd password_file, handed_file("athanor-password", line));
    connection.environment_.push_back("PGPASSFILE=" + inherited_path(password_file));
    connection.files_.push_back(std::move(password_file));
    connection.secrets_.push_back(password);
  }
  connection.secrets_.push_back(parameter_of(keywords, "sslpassword"));
  return connection;
}

ProcessCommand client_command(std::vector<std::string> arguments, std::vector<std::string> environment) {
  ProcessCommand command;
  command.arguments = std::move(arguments);
  command.environment = std::move(environment);
  command.cannot_start = ErrorCode::BackupFailed;
  command.limits = {kClientFileBytes, memory_for_program(kClientMemory), 0};
  command.timeout = kClientRun;
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
