#include "migrations/postgres/connection_string.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "migrations/base/sha256.hpp"
#include "migrations/postgres/connection_values.hpp"
#include "migrations/postgres/system_authorities.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/session_baseline.hpp"
#include "migrations/text/url_parameters.hpp"

namespace athanor::postgres {
namespace {

// postgresql+psycopg2://… → postgresql://…; leaves other schemes unchanged.
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
  return Error(ErrorCode::Configuration, "invalid database URL")
      .advise(
          "write postgresql://user:password@host:port/database, with special characters in user and password "
          "percent-encoded (@ is %40, : is %3A, / is %2F, % is %25)");
}

// The keywords of the libpq version that is loaded.
const std::vector<std::string>& libpq_keywords() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse("", nullptr), PQconninfoFree);
    for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
      found.emplace_back(option->keyword);
    }
    return found;
  }();
  return names;
}

constexpr std::string_view kRequireAuth = "require_auth";
constexpr std::string_view kNowhere = "/nonexistent/";  // the operator names files below it that libpq must not find

bool is_keyword_string(std::string_view text) {
  return text.find('=') < text.find("://");
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Explains why libpq cannot read a keyword string. Names an unknown keyword only if it belongs to a known tool or no password
// precedes it: otherwise it may be the rest of a password that contains a blank.
Error unreadable_keywords(const std::string& text, std::string_view reason, const std::vector<std::string>& known) {
  bool behind_password = false;
  for (const auto& [name, value] : connection_parameters(text)) {
    const bool is_known = std::ranges::find(known, name) != known.end();
    if (!is_known && (advice_for_parameter(name) || !behind_password)) {
      return unknown_parameters({text, {name}, {}, false, false}, known);
    }
    behind_password = behind_password || name == "password" || name == "sslpassword";
  }
  constexpr const char* kQuotes = "put a value with spaces into single quotes: password='two words'";
  // libpq's own message quotes the word, which may be part of a password, so only its kind is used.
  if (reason.starts_with("invalid connection option")) {
    return Error(ErrorCode::Configuration, "unknown keyword in the connection string").advise(kQuotes);
  }
  if (reason.starts_with("missing \"=\"")) {
    return Error(ErrorCode::Configuration, "missing `=` in the connection string").advise(kQuotes);
  }
  if (reason.starts_with("unterminated quoted string")) {
    return Error(ErrorCode::Configuration, "unterminated quoted value in the connection string").advise(kQuotes);
  }
  return unreadable();
}

bool begins_hexadecimal(std::string_view text, std::size_t at) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  return at + 1 < text.size() && contains(kDigits, text.substr(at, 1)) && contains(kDigits, text.substr(at + 1, 1));
}

// Explains why libpq cannot read a URL, without repeating any part that may be secret.
Error unreadable_url(const ReadableUrl& url) {
  if (!url.valueless.empty()) {
    return Error(ErrorCode::Configuration, "the database URL has `" + url.valueless.front() + "` without a value")
        .advise("write " + url.valueless.front() + "=VALUE, or leave it out");
  }
  for (std::size_t at = url.text.find('%'); at != std::string::npos; at = url.text.find('%', at + 1)) {
    if (!begins_hexadecimal(url.text, at + 1)) {
      return Error(ErrorCode::Configuration, "the database URL contains a % that is not part of a percent-encoded character")
          .advise("write %25 for a literal %; percent-encode other special characters likewise (@ is %40)");
    }
    if (url.text.compare(at, 3, "%00") == 0) {
      return Error(ErrorCode::Configuration, "the database URL contains %00, which no value may contain").advise("remove it");
    }
  }
  return unreadable();
}

// Whether `holds` returns true for every part of a text; stops at the first false.
template <typename Predicate>
bool all_parts(std::string_view text, char separator, const Predicate& holds) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (!holds(text.substr(begin, end - begin))) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

bool names_the_place(std::string_view keyword) {
  constexpr std::array<std::string_view, 4> kPlace{"host", "hostaddr", "port", "dbname"};
  return std::ranges::find(kPlace, keyword) != kPlace.end();
}

// libpq ends user and password at the first '@', and finds none after a '/'. Another '@' in a part that names the server or
// database must come from an unencoded password.
bool has_stray_at(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  if (const auto end = rest.find_first_of("@/"); end != std::string_view::npos && rest[end] == '@') {
    rest.remove_prefix(end + 1);
  }
  const std::size_t question = std::min(rest.find('?'), rest.size());
  const std::string_view query = rest.substr(std::min(question + 1, rest.size()));
  return contains(rest.substr(0, question), "@") || !all_parts(query, '&', [](std::string_view parameter) {
           const std::size_t equals = std::min(parameter.find('='), parameter.size());
           return !names_the_place(parameter.substr(0, equals)) || !contains(parameter.substr(equals), "@");
         });
}

bool is_host(std::string_view host) {
  if (host.starts_with('/') || host.starts_with('@')) {
    return true;  // a Unix socket
  }
  constexpr std::string_view kHexadecimal = "0123456789abcdefABCDEF";
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80U;
  };
  const std::string_view name = host.substr(0, host.find('%'));  // after it: the zone of an IPv6 address
  const bool is_address = contains(host, ":");
  return (is_address || name.size() == host.size()) &&
         std::ranges::all_of(name,
                             [&](char c) {
                               return is_address ? c == ':' || c == '.' || contains(kHexadecimal, {&c, 1}) : is_word(c);
                             }) &&
         std::ranges::all_of(host.substr(std::min(name.size() + 1, host.size())), is_word);
}

bool is_port_or_default(std::string_view port) {
  const std::size_t begin = std::min(port.find_first_not_of(" \t\r\n"), port.size());
  const std::string_view number = port.substr(begin, port.find_last_not_of(" \t\r\n") + 1 - begin);
  return number.empty() || is_port(number);
}

bool is_number(std::string_view port) {
  return port.find_first_not_of("0123456789") == std::string_view::npos;
}

Error wrong_port() {
  return Error(ErrorCode::Configuration, "the port in the database URL is invalid")
      .advise("write a number from 1 to 65535; in a password, @ is %40, : is %3A and / is %2F");
}

// Other signs that the URL was split where its author intended no split.
bool is_place(std::string_view host, std::string_view address, std::string_view port, std::string_view database) {
  const bool is_url = contains(database, "://") || contains(database, "=") ||
                      (contains(database, "@") && database.find_first_of(":/") != std::string_view::npos);
  return !is_url && all_parts(host, ',', is_host) && all_parts(address, ',', is_host) &&
         all_parts(port, ',', is_port_or_default);
}

// A second safeguard: a name with an '@' may be genuine or the end of a password. Show a digest, which still distinguishes it
// from others.
std::string shown(const std::string& name) {
  return contains(name, "@") ? "hidden-" + sha256_hex(name).substr(0, 8) : name;
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

// The server notices within a minute that a client vanished, and releases its lock.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kKeepalives{{
    {"tcp_keepalives_idle", "30"},
    {"tcp_keepalives_interval", "10"},
    {"tcp_keepalives_count", "3"},
}};

// PGOPTIONS as libpq reads it. A connection with `options` ignores PGOPTIONS, so ours must include it.
std::string environment_options() {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> defaults(PQconndefaults(), PQconninfoFree);
  for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) == "options") {
      return option->val == nullptr ? "" : option->val;
    }
  }
  return {};
}

std::string in_milliseconds(milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

bool is_postgres_url(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

Result<void> refuse_other_kinds(const std::string& text) {
  if (text.starts_with("jdbc:")) {
    return fail(
        Error(ErrorCode::Configuration, "the database URL is a JDBC URL")
            .advise("write postgresql://user:password@host:5432/database, without jdbc:; ssl=true is sslmode=require, and "
                    "currentSchema is execution.search_path in athanor.yaml"));
  }
  const auto scheme = text.find("://");
  if (scheme != std::string::npos && !is_postgres_url(text) && text.find('=') > scheme) {
    return fail(Error(ErrorCode::Configuration, "the database URL is not a PostgreSQL URL")
                    .advise("write a URL that begins with postgresql://, without quotes"));
  }
  return {};
}

// "host:port/database", or "host[hostaddr]:port/database", after checking that no part of it can belong to a password.
Result<std::string> place_of(const ConnectionString& parsed, const std::string& text) {
  const std::string host = parsed.value("host");
  const std::string address = parsed.value("hostaddr");
  const std::string port = parsed.value("port");
  const std::string database = parsed.value("dbname");
  if (is_postgres_url(text) && has_stray_at(text)) {
    return fail(unreadable());
  }
  if (!is_place(host, address, port, database)) {
    // Digits only: most likely just out of range. The message does not show them in any case.
    const bool port_alone = is_place(host, address, "", database);
    return fail(port_alone && all_parts(port, ',', is_number) ? wrong_port() : unreadable());
  }
  const std::string& shown_host = host.empty() ? address : host;
  // libpq connects to the address, whatever the host's name.
  const std::string at = host.empty() || address.empty() ? std::string() : "[" + shown(address) + "]";
  return (shown_host.empty() ? "local socket" : shown(shown_host)) + at + (port.empty() ? "" : ":" + port) +
         (database.empty() ? "" : "/" + shown(database));
}

// A server whose certificate is not verified could be anyone. In a pod, nothing but this variable can say so of a URL that only
// the pod reads. require_auth, in the URL or in PGREQUIREAUTH, takes precedence.
Result<void> restrict_unverified_server(ConnectionString& parsed, bool libpq_has_require_auth) {
  const char* const list = std::getenv("ATHANOR_UNVERIFIED_REQUIRE_AUTH");
  const std::string mode = parsed.effective_ssl_mode();
  const bool declared =
      !parsed.require_auth.empty() ||
      (libpq_has_require_auth && (!parsed.value(std::string(kRequireAuth)).empty() || std::getenv("PGREQUIREAUTH") != nullptr));
  if (list == nullptr || *list == '\0' || declared || mode == "verify-ca" || mode == "verify-full") {
    return {};
  }
  if (libpq_has_require_auth) {
    parsed.keywords.emplace_back(kRequireAuth, list);
    return {};
  }
  parsed.require_auth = list;
  TRY_ASSIGN(parsed.allowed_authentication, parse_require_auth(parsed.require_auth));
  return {};
}

}  // namespace

std::string ConnectionString::value(const std::string& keyword) const {
  const auto found = std::ranges::find(keywords, keyword, &std::pair<std::string, std::string>::first);
  return found == keywords.end() ? std::string() : found->second;
}

std::string ConnectionString::effective_ssl_mode() const {
  const std::string mode = value("sslmode");
  const char* const inherited = std::getenv("PGSSLMODE");
  return !mode.empty() ? mode : inherited != nullptr && *inherited != '\0' ? inherited : "prefer";
}

bool ConnectionString::may_send_password() const {
  const char* const inherited = std::getenv("PGPASSWORD");
  return !value("password").empty() || inherited != nullptr || !value("passfile").starts_with(kNowhere);
}

Result<ConnectionString> parse_connection_string(const std::string& url) {
  if (url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database URL is set")
                    .advise("set the environment variable DATABASE_URL, or database_url in athanor.yaml"));
  }
  const std::vector<std::string>& known = libpq_keywords();
  ConnectionString parsed;
  std::string given = without_driver(url);
  const bool libpq_has_require_auth = std::ranges::find(known, kRequireAuth) != known.end();
  if (!libpq_has_require_auth) {
    const char* const inherited = std::getenv("PGREQUIREAUTH");
    const std::string declared = parameter_of(connection_parameters(given), kRequireAuth);
    parsed.require_auth = declared.empty() && inherited != nullptr ? inherited : declared;
    TRY_ASSIGN(parsed.allowed_authentication, parse_require_auth(parsed.require_auth));
    given = without_parameter(given, kRequireAuth);
  }
  const ReadableUrl readable = readable_url(given, known);
  const std::string& text = readable.text;
  TRY(refuse_other_kinds(text));
  char* reason = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(text.c_str(), &reason),
                                                                               PQconninfoFree);
  const std::string why = reason == nullptr ? "" : reason;  // may quote the password: never show it
  PQfreemem(reason);
  if (!options) {
    return fail(is_keyword_string(text) ? unreadable_keywords(text, why, known) : unreadable_url(readable));
  }
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
  // Before any message that names a part of the URL: place_of() refuses it if that part may belong to a password.
  TRY_ASSIGN(parsed.place, place_of(parsed, text));
  // Check unknown names only now: in a URL that was split wrongly, a name may be part of the password.
  if (!readable.unknown.empty() || readable.has_bad_ssl) {
    return fail(unknown_parameters(readable, known));
  }
  TRY(check_values(parsed.keywords));
  TRY(name_system_authorities(parsed.keywords));
  TRY(check_options(parsed.user_options, "`options` of the database URL"));
  TRY(restrict_unverified_server(parsed, libpq_has_require_auth));
  return parsed;
}

Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url) {
  TRY_ASSIGN(ConnectionString parsed, parse_connection_string(url));
  if (!parsed.user_options.empty()) {
    parsed.keywords.emplace_back("options", parsed.user_options);
  }
  if (!parsed.require_auth.empty()) {
    parsed.keywords.emplace_back(kRequireAuth, parsed.require_auth);
  }
  return std::move(parsed.keywords);
}

bool has_environment_options() {
  return !environment_options().empty();
}

Result<void> check_environment_options() {
  return check_options(environment_options(), "PGOPTIONS");
}

milliseconds connect_timeout(const ConnectionString& target, milliseconds configured) {
  const std::string seconds = target.value("connect_timeout");
  constexpr int kLongest = 86'400;
  const int given = seconds.empty() ? 0 : std::clamp(std::stoi(seconds), 0, kLongest);
  return given > 0 ? milliseconds(given * 1'000) : configured;
}

std::string session_options(const ExecutionSettings& settings, const std::string& user_options, int server_version) {
  std::string options;
  for (const auto& [name, value] : kSessionBaseline) {
    append_option(options, name, value);
  }
  for (const auto& [name, value] : kKeepalives) {
    append_option(options, name, value);
  }
  if (server_version >= 140000) {
    append_option(options, "idle_session_timeout", "0");
    append_option(options, "client_connection_check_interval", "500ms");
  }
  if (server_version >= kFirstWithTransactionTimeout) {
    append_option(options, "transaction_timeout", "0");
  }
  append_option(options, "lock_timeout", in_milliseconds(settings.lock_timeout));
  append_option(options, "statement_timeout", in_milliseconds(settings.statement_timeout));
  if (settings.show_notices) {
    append_option(options, "client_min_messages", "notice");  // the baseline has "warning"
  }
  // The server applies options in order and the last one wins: the user's follow the baseline, those of athanor.yaml follow
  // both.
  for (const std::string& users : {environment_options(), user_options}) {
    options += users.empty() ? "" : " " + users;
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
